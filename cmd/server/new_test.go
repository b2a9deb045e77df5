package main

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"framewright/cmd/server/internal/scaffold"
)

// TestNew writes a chat, has it vetted and tested where it stands, without a network,
// and starts it: it serves its page and the page's script, and SIGTERM ends it.
func TestNew(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "first chat")
	out := newChat(t, 0, dir, "-module", "example.org/you/chat")
	for _, want := range []string{"cd \"" + dir + "\"", "go test ./...", "go run ."} {
		if !strings.Contains(out, want) {
			t.Errorf("it does not say %q:\n%s", want, out)
		}
	}
	if testing.Short() {
		t.Skip("builds a program")
	}
	goIn(t, dir, "vet", "./...")
	goIn(t, dir, "test", "./...")
	if out := goIn(t, dir, "mod", "tidy", "-diff"); out != "" {
		t.Errorf("go.mod is not tidy:\n%s", out)
	}
	bin := filepath.Join(t.TempDir(), "chat.exe")
	goIn(t, dir, "build", "-o", bin)

	p, stdout := launchCommand(t, exec.Command(bin, "-addr", "127.0.0.1:0"))
	line, err := stdout.ReadString('\n')
	url, ok := strings.CutPrefix(strings.TrimSpace(line), "the chat is at ")
	if err != nil || !ok {
		t.Fatalf("it began with %q, %v\n%s", line, err, p.stderr)
	}
	for path, want := range map[string]string{"": "<title>Chat</title>", "chat.js": "io()", "socket.io.js": "globalThis.io", "socket.io/?EIO=4": "Transport unknown"} {
		resp, err := http.Get(url + path)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		if !strings.Contains(string(body), want) {
			t.Errorf("%s: %s, want %q in\n%.300s", path, resp.Status, want, body)
		}
	}
	if runtime.GOOS == "windows" {
		return // which has no SIGTERM
	}
	p.cmd.Process.Signal(syscall.SIGTERM)
	if err := <-p.ended; err != nil {
		t.Errorf("after SIGTERM: %v\n%s", err, p.stderr)
	}
}

// TestNewScripts: the page's script is the one that this server gives to pages, or
// left to npm, and then it is said how it gets there.
func TestNewScripts(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "ours")
	newChat(t, 0, dir)
	got, err := os.ReadFile(filepath.Join(dir, "page", "socket.io.js"))
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	page().ServeHTTP(w, httptest.NewRequest("GET", socketScriptFile, nil))
	if !bytes.Equal(got, w.Body.Bytes()) {
		t.Error("it is not the script that the server serves")
	}

	dir = filepath.Join(t.TempDir(), "theirs")
	out := newChat(t, 0, "-script", "npm", dir)
	if _, err := os.Stat(filepath.Join(dir, "page", "socket.io.js")); err == nil {
		t.Error("there is a script that npm's should be")
	}
	readme, err := os.ReadFile(filepath.Join(dir, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	const how = "cp node_modules/socket.io-client/dist/socket.io.js page/"
	if !strings.Contains(out, how) || !strings.Contains(string(readme), how) {
		t.Errorf("nothing says %q:\n%s\n%s", how, out, readme)
	}
}

// TestNewRefused: what would overwrite something, or would not build, is not begun.
func TestNewRefused(t *testing.T) {
	full := t.TempDir()
	if err := os.WriteFile(filepath.Join(full, "notes"), nil, 0o666); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name string
		args []string
		code int
		want string
	}{
		{"no folder", nil, 2, "0 folders to write to"},
		{"two folders", []string{"a", "b"}, 2, "2 folders to write to"},
		{"a folder with something in it", []string{full, "-module", "x"}, 1, "is not empty (notes is there)"},
		{"a file", []string{filepath.Join(full, "notes")}, 1, "a folder is expected"},
		{"a name that is no module's", []string{filepath.Join(full, "my chat")}, 1, "-module says another"},
		{"a name of the standard library", []string{filepath.Join(full, "net")}, 1, "Go's own packages"},
		{"the name of this module", []string{filepath.Join(full, "x"), "-module", scaffold.Ours()}, 1, "the module that the new one uses"},
		{"an unknown script", []string{filepath.Join(full, "x"), "-script", "yarn"}, 2, "ours or npm"},
		{"a source that is none", []string{filepath.Join(full, "x"), "-source", full}, 2, "expected a clone"},
		{"an unknown setting", []string{filepath.Join(full, "x"), "-modul", "y"}, 2, "-module"},
	} {
		if out := newChat(t, tt.code, tt.args...); !strings.Contains(out, tt.want) {
			t.Errorf("%s: want %q in\n%s", tt.name, tt.want, out)
		}
		if entries, err := os.ReadDir(full); err != nil || len(entries) != 1 {
			t.Fatalf("%s: something was written: %v, %v", tt.name, entries, err)
		}
	}
}

// newChat runs the command, which has to end with this status, and returns what it
// says.
func newChat(t *testing.T, code int, args ...string) string {
	t.Helper()
	for name, value := range offline {
		t.Setenv(name, value)
	}
	var out bytes.Buffer
	if got := run(t.Context(), append([]string{"new"}, args...), nil, &out, &out); got != code {
		t.Fatalf("new %q: exit status %d, want %d\n%s", args, got, code, &out)
	}
	return out.String()
}

// offline keeps the go command to what is on this machine.
var offline = map[string]string{"GOPROXY": "off", "GOSUMDB": "off", "GOFLAGS": "-buildvcs=false"}

// goIn runs the go command in dir, and returns what it prints.
func goIn(t *testing.T, dir string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", args...)
	cmd.Dir = dir
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = time.Minute
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go %s: %v\n%s%s", strings.Join(args, " "), err, out, &errs)
	}
	return string(out)
}
