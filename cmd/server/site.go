package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"
	"unicode"
)

// site is what is served at /: the built-in page, or the folder of -web.
func (a *app) site() (http.Handler, error) {
	switch {
	case a.set.web == "" && a.lab != nil:
		return pageWithLab(), nil
	case a.set.web == "":
		return page(), nil
	}
	root, err := os.OpenRoot(a.set.web)
	if err != nil {
		return nil, fmt.Errorf("-web: %w", err)
	}
	a.atEnd = append(a.atEnd, func() { root.Close() })
	files := published{root}
	a.sayHome(files)
	site := folder(files)
	if a.set.dev {
		a.reloader = &reloader{files: files}
		site = a.reloader.pages(site)
		a.log.Info("-dev: a page of -web reloads when a file of its folder changes")
	}
	return files.atHome(site), nil
}

// folder serves the files of a site. Its pages are somebody's own, and may load
// scripts from wherever they like: what keeps the built-in page in is not for
// them. What published hides is not there, and neither is a list of a folder's
// files.
func folder(files fs.FS) http.Handler {
	server := readOnly("Files take GET only.", http.FileServerFS(files))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Cache-Control", "no-cache") // ask each time whether it has changed
		if kind := contentTypes[strings.ToLower(path.Ext(r.URL.Path))]; kind != "" {
			h.Set("Content-Type", kind)
		}
		server.ServeHTTP(&patient{ResponseWriter: w}, r)
	})
}

// published is a folder without what is not meant for others: only regular files
// are there, and folders that have an index.html. A name that begins with a dot
// is not, nor what a link leads to by way of such a name, or out of the folder.
type published struct{ root *os.Root }

// Open implements [fs.FS].
func (p published) Open(name string) (fs.File, error) {
	f, err := p.open(name)
	if err != nil {
		reason := fs.ErrNotExist // whatever it is, others need not know
		if errors.Is(err, fs.ErrPermission) {
			reason = fs.ErrPermission
		}
		return nil, &fs.PathError{Op: "open", Path: name, Err: reason}
	}
	return f, nil
}

func (p published) open(name string) (*os.File, error) {
	real, info, err := p.resolve(name)
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		if _, index, err := p.resolve(path.Join(name, "index.html")); err != nil || !index.Mode().IsRegular() {
			return nil, errHidden
		}
	} else if !info.Mode().IsRegular() { // to open a device may do something, and to open a pipe waits
		return nil, errHidden
	}
	f, err := p.root.OpenFile(real, os.O_RDONLY|nonblock, 0)
	if err != nil {
		return nil, err
	}
	// It may have become something else meanwhile.
	if now, err := f.Stat(); err != nil || !os.SameFile(now, info) {
		f.Close()
		return nil, errHidden
	}
	return f, nil
}

var errHidden = errors.New("not meant for others")

// maxLinks bounds the links on the way to a file, as systems do.
const maxLinks = 40

// resolve follows the links in a name, one by one, and returns a name that has
// none, with what is there.
func (p published) resolve(name string) (string, fs.FileInfo, error) {
	if !fs.ValidPath(name) {
		return "", nil, errHidden
	}
	ahead := strings.Split(name, "/")
	at := "." // without links
	info, err := p.root.Lstat(at)
	for links := 0; err == nil && len(ahead) > 0; {
		part := ahead[0]
		ahead = ahead[1:]
		switch {
		case part == "" || part == ".":
			continue
		case part == "..": // in a link
			if at == "." {
				return "", nil, errHidden
			}
			at = path.Dir(at)
			info, err = p.root.Lstat(at)
			continue
		case hidden(part):
			return "", nil, errHidden
		}
		next := path.Join(at, part)
		if info, err = p.root.Lstat(next); err != nil {
			break
		}
		if info.Mode()&fs.ModeSymlink == 0 {
			at = next
			continue
		}
		if links++; links > maxLinks {
			return "", nil, errHidden
		}
		target, err := p.root.Readlink(next)
		if err != nil || filepath.IsAbs(target) || filepath.VolumeName(target) != "" {
			return "", nil, errHidden
		}
		ahead = slices.Concat(strings.Split(filepath.ToSlash(target), "/"), ahead)
		if info, err = p.root.Lstat(at); err != nil { // if the link leads here
			break
		}
	}
	return at, info, err
}

// hidden reports whether a name begins with a dot in the eyes of some file
// system: HFS+ does not see format characters, and Windows has a second name,
// such as GIT~1, for one that is not like those of old.
func hidden(part string) bool {
	seen := strings.TrimLeftFunc(part, func(r rune) bool { return unicode.Is(unicode.Cf, r) })
	if strings.HasPrefix(seen, ".") {
		return true
	}
	if runtime.GOOS != "windows" {
		return false
	}
	_, err := filepath.Localize(part)
	return err != nil || strings.ContainsAny(part, "~:") || strings.TrimRight(part, ". ") != part
}

// patience is how long a client may take for each piece of a file, and for
// anything else that is sent to it.
const patience = 30 * time.Second

// patient gives each piece of a long answer a time of its own: a file may be as
// large as it likes, if only its reader goes on reading.
type patient struct{ http.ResponseWriter }

// piece is how much has the time of one, in bytes.
const piece = 1 << 20

func (p *patient) more() {
	http.NewResponseController(p.ResponseWriter).SetWriteDeadline(time.Now().Add(patience))
}

// Unwrap lets an [http.ResponseController] find what is below.
func (p *patient) Unwrap() http.ResponseWriter { return p.ResponseWriter }

// Write implements [io.Writer].
func (p *patient) Write(b []byte) (int, error) {
	p.more()
	return p.ResponseWriter.Write(b)
}

// ReadFrom implements [io.ReaderFrom], by which the system copies a file by
// itself.
func (p *patient) ReadFrom(r io.Reader) (n int64, err error) {
	left := int64(1<<63 - 1)
	if l, ok := r.(*io.LimitedReader); ok { // what is below looks for a file in one
		r, left = l.R, l.N
		defer func() { l.N -= n }()
	}
	for left > 0 {
		p.more()
		m, err := io.Copy(p.ResponseWriter, &io.LimitedReader{R: r, N: min(left, piece)})
		n += m
		left -= m
		if err != nil || m < min(left+m, piece) {
			return n, err
		}
	}
	return n, nil
}
