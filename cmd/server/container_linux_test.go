package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// TestContainerRoot runs what the image runs, as the user that it names and in a root
// that has only the program and the folder for its data: the server starts, finds
// itself healthy, keeps its history and ends.
func TestContainerRoot(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root may change the root of a process")
	}
	root := t.TempDir()
	build := exec.CommandContext(t.Context(), "sh", "-c", strings.ReplaceAll(buildLine(t), "/out/framewright", filepath.Join(root, "framewright")))
	build.Dir = "../.."
	build.Env = append(os.Environ(), "TARGETOS=linux", "TARGETARCH="+runtime.GOARCH, "VERSION=v0.0.0-test")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	user, _, _ := strings.Cut(instruction(t, "USER"), ":")
	id, err := strconv.Atoi(user)
	if err != nil {
		t.Fatal(err)
	}
	data := variable(t, "FRAMEWRIGHT_DATA")
	if err := os.Mkdir(filepath.Join(root, data), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(filepath.Join(root, data), id, id); err != nil {
		t.Skip(err)
	}
	inside := func(words []string, more ...string) *exec.Cmd {
		cmd := exec.Command(words[0], append(words[1:], more...)...)
		cmd.Dir = "/"
		cmd.SysProcAttr = &syscall.SysProcAttr{Chroot: root, Credential: &syscall.Credential{Uid: uint32(id), Gid: uint32(id)}}
		return cmd
	}
	env := []string{"FRAMEWRIGHT_DATA=" + data}
	if said, err := inside([]string{"/framewright"}, "-version").CombinedOutput(); err != nil || !strings.HasPrefix(string(said), "framewright v0.0.0-test,") {
		t.Errorf("-version: %q, %v", said, err)
	}

	p, out := launchCommand(t, inside(command(t, "ENTRYPOINT", instruction(t, "ENTRYPOINT")), "-addr", "127.0.0.1:0"), env...)
	line, err := out.ReadString('\n')
	if err != nil {
		t.Fatalf("%v\n%s", err, p.stderr)
	}
	at := strings.TrimPrefix(printed.FindString(line), "http://")
	_, check, _ := strings.Cut(instruction(t, "HEALTHCHECK"), "CMD ")
	healthy := inside(command(t, "HEALTHCHECK", check))
	healthy.Env = []string{"FRAMEWRIGHT_ADDR=" + at}
	if said, err := healthy.CombinedOutput(); err != nil || string(said) != "ok\n" {
		t.Errorf("the check: %q, %v", said, err)
	}
	if _, err := os.Stat(filepath.Join(root, data, storeName)); err != nil {
		t.Error(err)
	}
	p.cmd.Process.Signal(syscall.SIGTERM)
	if status := p.wait(t); status != 0 {
		t.Errorf("after SIGTERM: exit status %d\n%s", status, tail(p.stderr.String()))
	}
}

// buildLine is the line that builds the program.
func buildLine(t *testing.T) string {
	t.Helper()
	for _, i := range containerfile(t) {
		if i[0] == "RUN" && strings.Contains(i[1], "go build") {
			return i[1]
		}
	}
	t.Fatal("nothing builds the program")
	return ""
}
