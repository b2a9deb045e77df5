package wstest

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"
)

// echoLimit is the message limit of our echo server. Group 9 sends 16 MiB.
const echoLimit = 32 << 20

// echoServer says how our own server is started as the testee.
type echoServer struct {
	addr  string
	limit int64
	// compress is off, no-takeover or takeover; empty leaves the server its
	// default, and is what a server without compression understands.
	compress string
}

func (e echoServer) args() []string {
	a := []string{"echo", "-addr", e.addr, "-limit", strconv.FormatInt(e.limit, 10)}
	if e.compress != "" {
		a = append(a, "-compress", e.compress)
	}
	return a
}

// buildServer compiles cmd/server into dir and returns the binary's path.
func buildServer(ctx context.Context, dir string) (string, error) {
	bin := filepath.Join(dir, "server")
	cmd := exec.CommandContext(ctx, "go", "build", "-o", bin, "framewright/cmd/server")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build framewright/cmd/server (run this inside the module, or test another server with -url): %w\n%s", err, out)
	}
	return bin, nil
}

// startServer starts our echo server on a free port and waits until it
// listens. It returns its address.
func startServer(ctx context.Context, bin, log, compress string) (*child, string, error) {
	port, err := freePort()
	if err != nil {
		return nil, "", err
	}
	addr := fmt.Sprintf("127.0.0.1:%d", port)
	e := echoServer{addr: addr, limit: echoLimit, compress: compress}
	c, err := startChild(ctx, "the server under test", log, "", nil, append([]string{bin}, e.args()...))
	if err != nil {
		return nil, "", err
	}
	if err := awaitPort(ctx, c, addr, 15*time.Second); err != nil {
		c.end()
		return nil, "", err
	}
	return c, addr, nil
}
