package wstest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"time"

	"framewright/internal/procgroup"
)

// termGrace is how long a child may take to go after it was asked to.
const termGrace = 3 * time.Second

// A child is a process in a group of its own, which is stopped as a whole: a
// shim's own children do not stay behind.
type child struct {
	name string
	log  string // its output, both streams
	cmd  *exec.Cmd
	done chan struct{} // closed when it has ended
	err  error         // valid after done
	stop context.CancelFunc
}

// startChild starts argv with its output going to the file log, and to watch
// (nil: nobody) as well. dir is its working directory, "" for ours. The child
// is stopped when ctx ends.
func startChild(ctx context.Context, name, log, dir string, watch io.Writer, argv []string) (*child, error) {
	f, err := os.Create(log)
	if err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(ctx)
	c := &child{name: name, log: log, done: make(chan struct{}), stop: stop}
	c.cmd = exec.CommandContext(ctx, argv[0], argv[1:]...)
	c.cmd.Dir = dir
	c.cmd.Env = append(os.Environ(), "PYTHONUNBUFFERED=1") // progress, line by line
	var out io.Writer = f
	if watch != nil {
		out = io.MultiWriter(f, watch)
	}
	c.cmd.Stdout, c.cmd.Stderr = out, out
	procgroup.Own(c.cmd, termGrace)
	if err := c.cmd.Start(); err != nil {
		stop()
		f.Close()
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	go func() {
		defer close(c.done)
		defer f.Close()
		defer stop()
		c.err = c.cmd.Wait()
		procgroup.Kill(c.cmd) // whatever of the group is left
		if ctx.Err() != nil && c.err == nil {
			c.err = ctx.Err()
		}
	}()
	return c, nil
}

// end stops the child and waits until it has gone.
func (c *child) end() {
	c.stop()
	<-c.done
}

// failure says how the child ended, with the end of its log.
func (c *child) failure() string {
	how := "ended"
	if c.err != nil {
		how = "ended with " + c.err.Error()
	}
	return fmt.Sprintf("%s %s; its log %s ends:\n%s", c.name, how, c.log, tail(c.log, 12))
}

// tail returns the last lines of a file, indented. A log may be large, so only
// its last 8 KiB are read.
func tail(name string, lines int) string {
	f, err := os.Open(name)
	if err != nil {
		return "    " + err.Error()
	}
	defer f.Close()
	const most = 8 << 10
	if info, err := f.Stat(); err == nil && info.Size() > most {
		f.Seek(-most, io.SeekEnd)
	}
	b, _ := io.ReadAll(io.LimitReader(f, most))
	all := strings.Split(strings.TrimSpace(string(b)), "\n")
	return "    " + strings.Join(all[max(0, len(all)-lines):], "\n    ")
}

// freePort returns a TCP port of the loopback that nobody listens on now.
// Somebody may take it before the child does; then the child says so.
func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

// awaitPort waits until addr accepts TCP, the child ends, or limit is over.
func awaitPort(ctx context.Context, c *child, addr string, limit time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	for {
		var d net.Dialer
		conn, err := d.DialContext(ctx, "tcp", addr)
		if err == nil {
			conn.Close()
			return nil
		}
		select {
		case <-c.done:
			return errors.New(c.failure())
		case <-ctx.Done():
			return fmt.Errorf("%s does not listen on %s after %v (%v); its log is %s", c.name, addr, limit, err, c.log)
		case <-time.After(50 * time.Millisecond):
		}
	}
}
