package docs

import (
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// References to sections in a document: a link [§5.2] or [RFC 7692 §6], whose address
// stands at the end of the file; that address; and one without a link.
var (
	sectionRef  = regexp.MustCompile(`\[((?:RFC \d+ )?§\d+(?:\.\d+)*)\](?:[^:(]|$)`)
	sectionDef  = regexp.MustCompile(`(?m)^\[((?:RFC (\d+) )?§([\d.]+))\]: (\S+)$`)
	sectionBare = regexp.MustCompile("(?:^|[^[`])(?:RFC \\d+ )?§\\d")
	code        = regexp.MustCompile("`[^`]*`")
)

// TestSectionLinks: in the tables of the documents every section is a link, every such
// link has its address, and that is the section's in the RFC which it names.
func TestSectionLinks(t *testing.T) {
	linked := 0
	for _, file := range documents(t) {
		text, fenced := read(t, file), false
		addresses := map[string]bool{}
		for _, m := range sectionDef.FindAllStringSubmatch(text, -1) {
			name, rfc, section, address := m[1], m[2], m[3], m[4]
			if rfc == "" {
				rfc = "6455"
			}
			if want := "https://www.rfc-editor.org/rfc/rfc" + rfc + "#section-" + section; address != want {
				t.Errorf("%s: [%s] leads to %s, want %s", file, name, address, want)
			}
			addresses[name] = false
		}
		for line := range strings.Lines(text) {
			if strings.HasPrefix(line, "```") {
				fenced = !fenced
			}
			line = code.ReplaceAllString(line, "")
			for _, m := range sectionRef.FindAllStringSubmatch(line, -1) {
				if _, ok := addresses[m[1]]; !ok {
					t.Errorf("%s: [%s] has no address at the end of the file", file, m[1])
				}
				addresses[m[1]] = true
				linked++
			}
			if strings.HasPrefix(line, "|") && !fenced && sectionBare.MatchString(strings.ReplaceAll(sectionRef.ReplaceAllString(line, ""), "RFC 6455", "")) {
				t.Errorf("%s: a section without a link: %s", file, line)
			}
		}
		for name, used := range addresses {
			if !used {
				t.Errorf("%s: [%s] has an address, and nothing leads there", file, name)
			}
		}
	}
	if linked < 60 {
		t.Errorf("%d links to sections, there were more than 60", linked)
	}
}

// documents are all Markdown files of the project, seen from this folder.
func documents(t *testing.T) (files []string) {
	t.Helper()
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && path != ".." && skipped(d.Name()):
			return filepath.SkipDir
		case filepath.Ext(path) == ".md":
			files = append(files, path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(files, filepath.Join("..", "README.md")) {
		t.Fatalf("no README among %v", files)
	}
	return files
}
