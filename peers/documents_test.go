package peers

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"framewright/peers/internal/install"
)

// TestFromFlaskSocketIO and TestFromNPM: each program of the documents compiles,
// and a client that does what the document says prints what it says, with the other
// server as with ours.
func TestFromFlaskSocketIO(t *testing.T) {
	t.Parallel()
	playDocument(t, "from-flask-socketio.md", "python", func(t *testing.T) (string, []string) {
		return got(t, install.GuidesPython(t.Context())).Path, []string{"guides/python/server.py"}
	})
}

func TestFromNPM(t *testing.T) {
	t.Parallel()
	playDocument(t, "from-npm-socketio.md", "mjs", func(t *testing.T) (string, []string) {
		return "node", []string{"guides/server.mjs", got(t, install.Guides(t.Context())).Path}
	})
}

// A part is what a section has for one program.
type part struct {
	Path    string `json:"path"`
	Program string `json:"program,omitempty"`
	Script  string `json:"script,omitempty"`
	Text    string `json:"text,omitempty"`
}

func playDocument(t *testing.T, name, lang string, other func(t *testing.T) (string, []string)) {
	list := sectionsOf(t, name)
	var clients, theirs []part
	want := map[string]string{}
	titles := map[string]string{}
	for i, s := range list {
		if text := s.of("text"); len(text) > 0 {
			clients = append(clients, part{Path: pathOf(i), Script: joined(s.of("js"))})
			want[pathOf(i)] = strings.TrimSpace(joined(text))
			titles[pathOf(i)] = s.title
			if len(s.of("go")) == 0 {
				t.Errorf("%q says what a client prints, and not what it prints it of", s.title)
			}
		}
		if program := joined(s.of(lang)); program != "" && (len(s.of("text")) > 0 || strings.Contains(program, "def test_")) {
			theirs = append(theirs, part{Path: pathOf(i), Program: program})
		}
	}
	if len(want) < 10 {
		t.Fatalf("%d sections with code and what comes of it; there were ten and more", len(want))
	}
	compare := func(t *testing.T, port int, clients []part) {
		for _, p := range runClients(t, port, clients) {
			if diff := cmp.Diff(want[p.Path], strings.TrimSpace(p.Text)); diff != "" {
				t.Errorf("%s, %q (-the document +the client)\n%s", name, titles[p.Path], diff)
			}
		}
	}
	t.Run("ours", func(t *testing.T) {
		port := servePort(t, nil, buildDocument(t, name, assemble(name, list)))
		compare(t, port, clients)
	})
	t.Run("tests", func(t *testing.T) { testDocument(t, name, list) })
	t.Run("theirs", func(t *testing.T) {
		program, args := other(t)
		port := servePort(t, theirs, program, args...)
		var has []part
		for _, c := range clients {
			for _, p := range theirs {
				if p.Path == c.Path {
					has = append(has, c)
				}
			}
		}
		compare(t, port, has)
	})
}

// buildDocument builds a program that a document was made into.
func buildDocument(t *testing.T, name string, source []byte) string {
	t.Helper()
	dependsOnOtherPrograms(t)
	dir := t.TempDir()
	file, out := filepath.Join(dir, "assembled.go"), filepath.Join(dir, "program")
	if runtime.GOOS == "windows" {
		out += ".exe"
	}
	if err := os.WriteFile(file, source, 0o644); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	build := exec.CommandContext(ctx, "go", "build", "-o", out, file)
	build.Dir = ".."
	if said, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%s does not compile: %v\n%s", name, err, said)
	}
	return out
}

// testDocument runs the tests that a document has, as those of a package of its own.
func testDocument(t *testing.T, name string, list []section) {
	var tests string
	for _, s := range list {
		for _, b := range s.of("go") {
			if strings.Contains(b.text, "*testing.T") {
				tests += fmt.Sprintf("//line %s:%d\n%s", name, b.line, b.text)
			}
		}
	}
	if tests == "" {
		return
	}
	file := filepath.Join(t.TempDir(), "document_test.go")
	if err := os.WriteFile(file, []byte("package document\n\n"+imports(tests)+tests), 0o644); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	run := exec.CommandContext(ctx, "go", "test", "-v", file)
	run.Dir = ".."
	out, err := run.CombinedOutput()
	if want := strings.Count(tests, "\nfunc Test"); err != nil || strings.Count(string(out), "--- PASS") != want {
		t.Errorf("the %d tests of %s: %v\n%s", want, name, err, out)
	}
}

// servePort starts a server that takes parts on its standard input and says its
// port. It ends with the test.
func servePort(t *testing.T, parts []part, program string, args ...string) int {
	t.Helper()
	dependsOnOtherPrograms(t)
	cmd := exec.Command(program, args...)
	isolate(cmd)
	in, err := json.Marshal(parts)
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdin = bytes.NewReader(in)
	cmd.Stderr = t.Output()
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	said := make(chan string, 1)
	go func() {
		line, _ := bufio.NewReader(out).ReadString('\n')
		said <- line
	}()
	t.Cleanup(func() {
		killGroup(cmd)
		_ = cmd.Wait()
	})
	var l struct{ Port int }
	select {
	case line := <-said:
		if err := json.Unmarshal([]byte(line), &l); err != nil || l.Port == 0 {
			t.Fatalf("%s says %q, and not its port", program, line)
		}
	case <-time.After(patience):
		t.Fatalf("%s does not say its port within %v", program, patience)
	}
	return l.Port
}

// runClients plays the page's part of each section.
func runClients(t *testing.T, port int, clients []part) (answers []part) {
	t.Helper()
	dependsOnOtherPrograms(t)
	in, err := json.Marshal(clients)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, "node", "guides/client.mjs", got(t, install.Guides(t.Context())).Path, fmt.Sprint("http://127.0.0.1:", port))
	isolate(cmd)
	cmd.Stdin, cmd.Stderr = bytes.NewReader(in), t.Output()
	out, err := cmd.Output()
	for line := range bytes.Lines(out) {
		var p part
		if err := json.Unmarshal(line, &p); err != nil {
			t.Fatalf("the client says %q: %v", line, err)
		}
		answers = append(answers, p)
	}
	if err != nil || len(answers) != len(clients) {
		next := "all"
		if len(answers) < len(clients) {
			next = clients[len(answers)].Script
		}
		t.Errorf("the client has played %d of %d sections: %v; it was at\n%s", len(answers), len(clients), err, next)
	}
	return answers
}
