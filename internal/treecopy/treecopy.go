// Package treecopy copies this repository's own files, for tests that build it in
// another folder.
package treecopy

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

// Skipped reports whether a folder of this name has files that are not the
// repository's own: git's, and what is installed.
func Skipped(name string) bool {
	return slices.Contains([]string{".git", "node_modules", ".venv", "__pycache__"}, name)
}

// Copy copies the regular files below from, those in skipped folders apart. What
// somebody else makes and removes meanwhile does not count.
func Copy(to, from string) error {
	return filepath.WalkDir(from, func(name string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) && name != from {
			return nil
		}
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, name)
		if err != nil {
			return err
		}
		switch {
		case d.IsDir() && name != from && Skipped(d.Name()):
			return fs.SkipDir
		case d.IsDir():
			return os.MkdirAll(filepath.Join(to, rel), 0o755)
		case !d.Type().IsRegular() || d.Name() == ".git":
			return nil
		}
		if err := file(filepath.Join(to, rel), name, d); !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return nil
	})
}

func file(to, from string, d fs.DirEntry) error {
	info, err := d.Info()
	if err != nil {
		return err
	}
	data, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, data, info.Mode().Perm())
}
