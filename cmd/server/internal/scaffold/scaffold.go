// Package scaffold writes a chat with Socket.IO as a program of its own: a module with
// its server, its page and a test.
package scaffold

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"text/template"

	"framewright/internal/modpath"
	"framewright/socketio"
)

// templates are the files that are written, under the names that they have there, with
// .txt behind what the go command would otherwise take for a part of this package.
//
//go:embed template
var templates embed.FS

// A Plan is what is to be written.
type Plan struct {
	Folder  string // where to; empty, or not there yet
	Module  string // the path of the new module; the folder's name if it is ""
	Source  string // folder of this module's source, for a replace; "" if Version is to be fetched
	Version string // of this module, where there is no Source
	Script  []byte // the client's script for the page; nil if it is npm's, which its user copies
}

// Ours is the path of the module that the new one requires.
func Ours() string {
	return strings.TrimSuffix(reflect.TypeFor[socketio.Server]().PkgPath(), "/socketio")
}

// Write writes the program. If it returns an error, it has written nothing, unless the
// error is one of the disk's.
func (p Plan) Write() error {
	if p.Folder == "" {
		return errors.New("there is no folder to write to")
	}
	folder, err := filepath.Abs(p.Folder)
	if err != nil {
		return err
	}
	p.Folder = folder
	if p.Module == "" {
		p.Module = filepath.Base(folder)
	}
	if err := modpath.Check(p.Module); err != nil {
		return fmt.Errorf("%q cannot be the name of a module: %w; -module says another", p.Module, err)
	}
	if p.Module == Ours() {
		return fmt.Errorf("%q is the module that the new one uses; -module says another", p.Module)
	}
	if err := checkEmpty(p.Folder); err != nil {
		return err
	}
	files, err := p.files()
	if err != nil {
		return err
	}
	for name, data := range files {
		name = filepath.Join(p.Folder, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
			return err
		}
		if err := os.WriteFile(name, data, 0o666); err != nil {
			return err
		}
	}
	return nil
}

// checkEmpty returns an error if there is something in the folder that could be
// overwritten, or mixed with what is new.
func checkEmpty(folder string) error {
	entries, err := os.ReadDir(folder)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return fmt.Errorf("a folder is expected, which may be missing: %w", err)
	case len(entries) > 0:
		return fmt.Errorf("%s is not empty (%s is there); expected a folder that is, or one that is not there yet", folder, entries[0].Name())
	}
	return nil
}

// files are what is to be written, by their names with slashes.
func (p Plan) files() (map[string][]byte, error) {
	all := make(map[string][]byte)
	err := fs.WalkDir(templates, "template", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := templates.ReadFile(name)
		name, _ = strings.CutSuffix(strings.TrimPrefix(name, "template/"), ".txt")
		all[name] = data
		return err
	})
	if err != nil {
		return nil, err
	}
	if all["README.md"], err = p.readme(string(all["README.md"])); err != nil {
		return nil, err
	}
	if p.Script != nil {
		all["page/socket.io.js"] = p.Script
	}
	all["go.mod"] = p.goMod()
	if p.Source != "" {
		sums, err := os.ReadFile(filepath.Join(p.Source, "go.sum"))
		if err != nil {
			return nil, fmt.Errorf("the source of %s: %w", Ours(), err)
		}
		all["go.sum"] = sums // more than is needed, which go mod tidy takes away
	}
	all[".gitignore"] = []byte("/node_modules/\n")
	if name := "/" + p.name() + "\n"; name != "/page\n" { // what go build makes
		all[".gitignore"] = append([]byte(name), all[".gitignore"]...)
	}
	return all, nil
}

// name is what the program is called: the last part of the module's path that is no
// version.
func (p Plan) name() string {
	parts := strings.Split(p.Module, "/")
	last := parts[len(parts)-1]
	if len(parts) > 1 && modpath.Placeholder(p.Module) != "v0.0.0" && last[0] == 'v' {
		last = parts[len(parts)-2]
	}
	return last
}

func (p Plan) readme(text string) ([]byte, error) {
	t, err := template.New("README.md").Parse(text)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	err = t.Execute(&b, struct {
		Name, Source string
		Npm          bool
	}{p.name(), p.Source, p.Script == nil})
	return append(bytes.TrimRight(b.Bytes(), "\n"), '\n'), err
}

// goMod requires this module: the version that is to be fetched, or, for a folder in
// its stead, one that nobody looks for.
func (p Plan) goMod() []byte {
	version := p.Version
	if p.Source != "" {
		version = modpath.Placeholder(Ours())
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "module %s\n\ngo 1.26.0\n\nrequire %s %s\n", p.Module, Ours(), version)
	if p.Source != "" {
		fmt.Fprintf(&b, "\nreplace %s => %s\n", Ours(), quoted(filepath.ToSlash(p.Source)))
	}
	return b.Bytes()
}

// quoted is s as go.mod has it: with quotes if it has something that ends a word there.
func quoted(s string) string {
	if strings.ContainsAny(s, " \t\"'`()[]{},") || strings.Contains(s, "//") {
		return strconv.Quote(s)
	}
	return s
}
