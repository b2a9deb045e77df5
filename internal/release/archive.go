package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// An entry is a file of an archive.
type entry struct {
	name string
	mode fs.FileMode
	data []byte
}

// epoch is when every file of an archive was changed: the earliest that a zip can say.
var epoch = time.Date(1980, time.January, 1, 0, 0, 0, 0, time.UTC)

// extras are what stands beside the program: how it is run, what is new, and the
// licence, once there is one.
func (r *release) extras() (all []entry, err error) {
	for _, f := range []struct {
		from, to string
		must     bool
	}{
		{"cmd/server/README.md", "README.md", true},
		{"CHANGELOG.md", "CHANGELOG.md", true},
		{"LICENSE", "LICENSE", false},
	} {
		data, err := os.ReadFile(filepath.Join(r.dir, filepath.FromSlash(f.from)))
		if errors.Is(err, fs.ErrNotExist) && !f.must {
			continue
		}
		if err != nil {
			return nil, err
		}
		all = append(all, entry{f.to, 0o644, data})
	}
	return all, nil
}

// tarball packs entries into a folder called dir, for Unix.
func tarball(dir string, entries []entry) ([]byte, error) {
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	t := tar.NewWriter(z)
	for _, e := range entries {
		h := &tar.Header{Name: dir + "/" + e.name, Mode: int64(e.mode), Size: int64(len(e.data)), ModTime: epoch, Format: tar.FormatUSTAR}
		if err := t.WriteHeader(h); err != nil {
			return nil, err
		}
		if _, err := t.Write(e.data); err != nil {
			return nil, err
		}
	}
	if err := errors.Join(t.Close(), z.Close()); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// zipped packs entries into a folder called dir, for Windows.
func zipped(dir string, entries []entry) ([]byte, error) {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, e := range entries {
		h := &zip.FileHeader{Name: dir + "/" + e.name, Method: zip.Deflate, Modified: epoch}
		h.SetMode(e.mode)
		w, err := z.CreateHeader(h)
		if err != nil {
			return nil, err
		}
		if _, err := w.Write(e.data); err != nil {
			return nil, err
		}
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// sums is the file that sha256sum -c reads.
const sums = "SHA256SUMS"

func (r *release) checksums(files []string) error {
	var b strings.Builder
	for _, name := range slices.Sorted(slices.Values(files)) {
		data, err := os.ReadFile(filepath.Join(r.out, name))
		if err != nil {
			return err
		}
		fmt.Fprintf(&b, "%x  %s\n", sha256.Sum256(data), name)
	}
	return os.WriteFile(filepath.Join(r.out, sums), []byte(b.String()), 0o666)
}
