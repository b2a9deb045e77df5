package main

import (
	"bytes"
	"errors"
	"fmt"
	"go/format"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"framewright/internal/modpath"
	"framewright/internal/treecopy"
)

// A change is a file with the new path in it.
type change struct {
	file   string // from the root, with slashes
	places int
	data   []byte
	mode   fs.FileMode
}

// modulePath reads the path of the module in dir.
func modulePath(dir string) (string, error) {
	data, err := os.ReadFile(filepath.Join(dir, "go.mod"))
	if err != nil {
		return "", fmt.Errorf("no module here; run this at the root of the repository: %w", err)
	}
	for line := range strings.Lines(string(data)) {
		if path, ok := strings.CutPrefix(line, "module "); ok {
			return strings.Trim(strings.TrimSpace(path), `"`), nil
		}
	}
	return "", errors.New("go.mod has no line \"module …\"")
}

// plan makes the new version of every file below dir that names the module.
func plan(dir, old, path string) ([]change, error) {
	there, back, err := renamings(dir, old, path)
	if err != nil {
		return nil, err
	}
	var all []change
	err = walk(dir, func(file string, data []byte, mode fs.FileMode) error {
		if n := back.count(file, data); n > 0 {
			return fmt.Errorf("%s speaks of %s already, in %d places: after this one could not tell them from those of %s, which would have its name", file, path, n, old)
		}
		out, n := there.apply(file, data)
		if n == 0 {
			return nil
		}
		if again, _ := back.apply(file, out); !bytes.Equal(again, data) {
			return fmt.Errorf("%s would not be the same after renaming back", file)
		}
		all = append(all, change{file, n, out, mode})
		return nil
	})
	return all, err
}

// renamings are the way there and the way back.
func renamings(dir, old, path string) (there, back *renaming, err error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, nil, err
	}
	var folders []string
	for _, e := range entries {
		if e.IsDir() && !treecopy.Skipped(e.Name()) {
			folders = append(folders, e.Name())
		}
	}
	return &renaming{old, path, folders}, &renaming{path, old, folders}, nil
}

// walk calls f with every text file below dir.
func walk(dir string, f func(file string, data []byte, mode fs.FileMode) error) error {
	return filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if name != dir && treecopy.Skipped(d.Name()) {
				return fs.SkipDir
			}
			return nil
		}
		info, err := d.Info()
		if err != nil || !info.Mode().IsRegular() || d.Name() == ".git" {
			return err
		}
		data, err := os.ReadFile(name)
		if err != nil || bytes.IndexByte(data, 0) >= 0 { // no text
			return err
		}
		rel, err := filepath.Rel(dir, name)
		if err != nil {
			return err
		}
		return f(filepath.ToSlash(rel), data, info.Mode())
	})
}

// A renaming is from one path to another.
type renaming struct {
	from, to string
	folders  []string // at the root of the module: what may follow the path
}

// apply is data with every place renamed, and how many they are. A Go file that was
// formatted stays so: imports are in the order of their paths.
func (r *renaming) apply(file string, data []byte) ([]byte, int) {
	var out []byte
	n, rest := 0, 0
	for i := range r.places(file, data) {
		out = append(append(out, data[rest:i]...), r.to...)
		rest = i + len(r.from)
		n++
	}
	if n == 0 {
		return data, 0
	}
	out = append(out, data[rest:]...)
	if was, is := modpath.Placeholder(r.from), modpath.Placeholder(r.to); was != is {
		out = bytes.ReplaceAll(out, []byte(r.to+"@"+was), []byte(r.to+"@"+is))
		if isGoMod(file) {
			out = bytes.ReplaceAll(out, []byte(r.to+" "+was), []byte(r.to+" "+is))
		}
	}
	switch {
	case isGoMod(file):
		out = sortRequired(out)
	case strings.HasSuffix(file, ".go"):
		if was, err := format.Source(data); err == nil && bytes.Equal(was, data) {
			if formatted, err := format.Source(out); err == nil {
				out = formatted
			}
		}
	}
	return out, n
}

func (r *renaming) count(file string, data []byte) (n int) {
	for range r.places(file, data) {
		n++
	}
	return n
}

// places yields where in data the module is named: its path with nothing before that
// belongs to a longer one, and behind it one of what follows a module's path.
func (r *renaming) places(file string, data []byte) func(func(int) bool) {
	return func(yield func(int) bool) {
		for i := 0; ; i += len(r.from) {
			next := bytes.Index(data[i:], []byte(r.from))
			if next < 0 {
				return
			}
			i += next
			before, after := data[:i], data[i+len(r.from):]
			if begins(before) && (r.follows(before, after) || isGoMod(file) && inGoMod(before, after)) && !yield(i) {
				return
			}
		}
	}
}

// begins reports whether a path may begin behind before.
func begins(before []byte) bool {
	if len(before) == 0 || bytes.HasSuffix(before, []byte("https://pkg.go.dev/")) {
		return true
	}
	c := before[len(before)-1]
	return c < 0x80 && c != '/' && !isPathRune(rune(c))
}

// isPathRune reports whether c may stand between the slashes of a path.
func isPathRune(c rune) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.ContainsRune("-._~", c)
}

// follows reports whether what stands around the path says that it is a module's: a
// folder of it, all of them, a version, a folder in its stead (as in go.mod, and for
// go mod edit), or, in a literal that begins with the path, a slash at the end.
func (r *renaming) follows(before, after []byte) bool {
	switch {
	case bytes.HasPrefix(after, []byte("@")), bytes.HasPrefix(after, []byte(" => ")), bytes.HasPrefix(after, []byte("/...")):
		return true
	case bytes.HasPrefix(after, []byte("=")):
		return bytes.HasSuffix(before, []byte("-replace ")) || bytes.HasSuffix(before, []byte("-replace="))
	case bytes.HasPrefix(after, []byte(`/"`)):
		return bytes.HasSuffix(before, []byte(`"`))
	}
	rest, ok := bytes.CutPrefix(after, []byte("/"))
	if !ok {
		return false
	}
	end := bytes.IndexFunc(rest, func(c rune) bool { return !isPathRune(c) || c == '.' })
	if end < 0 {
		end = len(rest)
	}
	return slices.Contains(r.folders, string(rest[:end]))
}

func isGoMod(file string) bool {
	return file == "go.mod" || strings.HasSuffix(file, "/go.mod")
}

// inGoMod reports whether a path stands where go.mod has a module's: behind "module"
// or "require", or at the beginning of a line of a block, before a version.
func inGoMod(before, after []byte) bool {
	line := string(before[bytes.LastIndexByte(before, '\n')+1:])
	switch strings.TrimSpace(line) {
	case "module":
		return len(after) == 0 || after[0] == '\n'
	case "", "require":
		return bytes.HasPrefix(after, []byte(" v"))
	}
	return false
}

// sortRequired puts the lines of every block of go.mod in their order, as go mod tidy
// does.
func sortRequired(data []byte) []byte {
	lines := strings.SplitAfter(string(data), "\n")
	begin := -1
	for i, line := range lines {
		switch {
		case strings.HasSuffix(line, "(\n"):
			begin = i + 1
		case strings.HasPrefix(line, ")") && begin >= 0:
			slices.Sort(lines[begin:i])
			begin = -1
		}
	}
	return []byte(strings.Join(lines, ""))
}

// write puts every change in the place of its file.
func write(dir string, changes []change) error {
	for _, c := range changes {
		name := filepath.Join(dir, filepath.FromSlash(c.file))
		if err := os.WriteFile(name, c.data, c.mode.Perm()); err != nil {
			return fmt.Errorf("%w; what was written before is renamed already: take it back by git", err)
		}
	}
	return nil
}
