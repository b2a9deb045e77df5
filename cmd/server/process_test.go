package main

import (
	"bufio"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// long says whether the tests that take minutes in full do so:
// FRAMEWRIGHT_LONG=1 go test ./cmd/server, or ./check -long.
func long() bool { return os.Getenv("FRAMEWRIGHT_LONG") != "" }

var binDir string // removed by TestMain

func TestMain(m *testing.M) {
	status := m.Run()
	if binDir != "" {
		os.RemoveAll(binDir)
	}
	os.Exit(status)
}

// binary builds the program, once for all tests that need it as a process.
var binary = sync.OnceValues(func() (string, error) {
	var err error
	if binDir, err = os.MkdirTemp("", "framewright-server-"); err != nil {
		return "", err
	}
	path := filepath.Join(binDir, "server")
	if out, err := exec.Command("go", "build", "-o", path, ".").CombinedOutput(); err != nil {
		return "", errors.New(err.Error() + "\n" + string(out))
	}
	return path, nil
})

// A process is the real thing: built, and started with an environment of its
// own.
type process struct {
	cmd    *exec.Cmd
	url    string
	stderr *buffer
	ended  chan error // gets Wait's result, once
}

// launch starts the program on a free port and does not wait for it.
func launch(t *testing.T, args ...string) (*process, *bufio.Reader) {
	t.Helper()
	bin, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	return launchCommand(t, exec.Command(bin, append([]string{"-addr", "127.0.0.1:0"}, args...)...))
}

// launchCommand is launch for a command that starts the program in its own way.
func launchCommand(t *testing.T, cmd *exec.Cmd, env ...string) (*process, *bufio.Reader) {
	t.Helper()
	p := &process{cmd: cmd, stderr: new(buffer), ended: make(chan error, 1)}
	p.cmd.Env = append(env, "HOME="+t.TempDir())
	p.cmd.Stderr = p.stderr
	r, w, err := os.Pipe() // not StdoutPipe: Wait would close it under a reader
	if err != nil {
		t.Fatal(err)
	}
	p.cmd.Stdout = w
	err = cmd.Start()
	w.Close()
	if err != nil {
		t.Fatal(err)
	}
	go func() { p.ended <- p.cmd.Wait() }()
	t.Cleanup(func() {
		p.cmd.Process.Kill()
		r.Close()
	})
	return p, bufio.NewReader(r)
}

// spawn starts the program and waits until it says where it is.
func spawn(t *testing.T, args ...string) *process {
	t.Helper()
	p, out := launch(t, args...)
	line, err := out.ReadString('\n')
	if err != nil {
		t.Fatalf("%v: %v\n%s", args, err, p.stderr)
	}
	p.url = printed.FindString(line)
	return p
}

// wait waits for the end and returns the exit status, -1 after a signal.
func (p *process) wait(t *testing.T) int {
	t.Helper()
	select {
	case err := <-p.ended:
		p.ended <- err
		return p.cmd.ProcessState.ExitCode()
	case <-time.After(60 * time.Second):
		t.Fatalf("it does not end\n%s", tail(p.stderr.String()))
		return 0
	}
}

// tail is the last lines of a log.
func tail(s string) string {
	lines := strings.Split(strings.TrimSpace(s), "\n")
	return strings.Join(lines[max(0, len(lines)-20):], "\n")
}
