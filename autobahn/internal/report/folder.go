package report

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// AddToFolder puts reports into a folder and writes its index.html anew, which has a
// column for every report in it: runs with other agents stay, an older run of the
// same agent in the same role is replaced. The folder may have other files in it.
func AddToFolder(dir string, reports []*Report) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	index := filepath.Join(dir, "index.html")
	if b, err := os.ReadFile(index); err == nil && !bytes.Contains(b[:min(len(b), 1024)], []byte(generator)) {
		return fmt.Errorf("%s is not a report of this command: choose another folder", index)
	}
	for _, r := range reports {
		if err := create(filepath.Join(dir, fileName(r)), func(f *os.File) error { return WriteJSON(f, []*Report{r}) }); err != nil {
			return err
		}
	}
	all, err := readFolder(dir)
	if err != nil {
		return err
	}
	return create(index, func(f *os.File) error { return WriteHTML(f, all) })
}

// reportSuffix ends the names of the reports in a folder.
const reportSuffix = ".wsspec.json"

// fileName is the name of a report's file: what no file system minds of the agent's
// name, and the role.
func fileName(r *Report) string {
	agent := strings.Map(func(c rune) rune {
		if c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '-' || c == '.' {
			return c
		}
		return '_'
	}, strings.ToLower(r.Agent))
	agent = strings.TrimLeft(agent[:min(len(agent), 80)], ".")
	return cmp.Or(agent, "agent") + "-" + string(r.Role) + reportSuffix
}

func readFolder(dir string) ([]*Report, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var all []*Report
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), reportSuffix) {
			continue
		}
		name := filepath.Join(dir, e.Name())
		f, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		reports, err := ReadJSON(f)
		f.Close()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		all = append(all, reports...)
	}
	slices.SortStableFunc(all, func(a, b *Report) int {
		return cmp.Or(-cmp.Compare(a.Role, b.Role), cmp.Compare(a.Agent, b.Agent))
	})
	return all, nil
}

// create writes a file as a whole or not at all.
func create(name string, write func(*os.File) error) error {
	f, err := os.CreateTemp(filepath.Dir(name), filepath.Base(name)+".*.new")
	if err != nil {
		return err
	}
	err = errors.Join(write(f), f.Chmod(0o644), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		os.Remove(f.Name())
	}
	return err
}
