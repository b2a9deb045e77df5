package peers

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// A program is cmd/server, built once, on a port that it can be started on
// again and again.
type program struct {
	path, addr string
	args       []string // besides the address
	base       string   // the path of -base-path, between slashes of others: "chat/"
	secure     bool     // args have a certificate
	cmd        *exec.Cmd
	exited     chan error // one value when cmd has ended

	mu  sync.Mutex
	log strings.Builder // of all its runs
}

// buildServer builds cmd/server of the module above and picks a port for it.
func buildServer(t *testing.T) *program {
	t.Helper()
	dependsOnOtherPrograms(t)
	p := &program{path: filepath.Join(t.TempDir(), "server")}
	if runtime.GOOS == "windows" {
		p.path += ".exe"
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	build := exec.CommandContext(ctx, "go", "build", "-o", p.path, "./cmd/server")
	build.Dir = ".."
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build ./cmd/server: %v\n%s", err, out)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p.addr = ln.Addr().String()
	_ = ln.Close()
	t.Cleanup(func() {
		p.kill()
		if t.Failed() {
			t.Logf("the server's log:\n%s", p.logged())
		}
	})
	return p
}

// Write keeps the program's log.
func (p *program) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.log.Write(b)
}

func (p *program) logged() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.log.String()
}

func (p *program) url() string {
	if p.secure {
		return "https://" + p.addr + "/" + p.base
	}
	return "http://" + p.addr + "/" + p.base
}

// start starts it and waits until it answers.
func (p *program) start(t *testing.T) {
	t.Helper()
	args := append([]string{"-addr", p.addr, "-log", "text"}, p.args...)
	if !slices.Contains(p.args, "-data") {
		args = append(args, "-memory")
	}
	p.cmd = exec.Command(p.path, args...)
	isolate(p.cmd)
	p.cmd.Stdout, p.cmd.Stderr = p, p
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p.exited = make(chan error, 1)
	go func(cmd *exec.Cmd, exited chan<- error) { exited <- cmd.Wait() }(p.cmd, p.exited)

	client := &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}} // whose certificate is not what is tested
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	again := time.NewTicker(20 * time.Millisecond) // another process's readiness can only be asked for
	defer again.Stop()
	for {
		resp, err := client.Get(p.url())
		if err == nil {
			_ = resp.Body.Close()
			switch resp.StatusCode {
			case http.StatusOK:
				return
			case http.StatusServiceUnavailable: // it listens before its store is open
			default:
				t.Fatalf("GET %s: %s", p.url(), resp.Status)
			}
		}
		select {
		case err := <-p.exited:
			p.cmd = nil
			t.Fatalf("the server ended: %v\n%s", err, p.logged())
		case <-deadline.C:
			t.Fatalf("the server is not ready at %s: %v", p.url(), err)
		case <-again.C:
		}
	}
}

// kill ends it at once, as a crash would.
func (p *program) kill() {
	if p.cmd == nil {
		return
	}
	killGroup(p.cmd)
	<-p.exited
	p.cmd = nil
}

// terminate asks it to end and returns how it did.
func (p *program) terminate(t *testing.T) error {
	t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	select {
	case err := <-p.exited:
		p.cmd = nil
		return err
	case <-deadline.C:
		return fmt.Errorf("the server did not end within %v of SIGTERM", patience)
	}
}
