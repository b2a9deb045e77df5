package wstest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"framewright/autobahn/internal/testee"
)

// wstest's modes: it plays the client to test a server, and the other way.
const (
	modeClient = "fuzzingclient"
	modeServer = "fuzzingserver"
)

// A runner runs roles with one configuration.
type runner struct {
	suite    suite
	ids      []string
	jobs     int
	out      string // the folder of all reports
	agent    string // the testee's name in the reports
	url      string // another server to test; empty: our own
	listen   string // where to wait for another client; empty: run our own
	compress string // for our own server
	timeout  time.Duration
	stall    time.Duration
	stdout   io.Writer
	expect   expectations
}

func (r *runner) say(format string, args ...any) { fmt.Fprintf(r.stdout, format+"\n", args...) }

// run runs all chosen cases against the testee of a role and judges them.
// Trouble on the way (a suite that hangs, a testee that dies) is told, and the
// cases that have no result for it are differences; an error means that there
// is nothing to judge.
func (r *runner) run(ctx context.Context, ro role) (*outcome, error) {
	dir := filepath.Join(r.out, string(ro))
	if err := makeReportDir(dir); err != nil {
		return nil, err
	}
	if r.timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, r.timeout, fmt.Errorf("not done after %v (-timeout)", r.timeout))
		defer cancel()
	}
	jobs := r.jobs
	if r.listen != "" {
		jobs = 1 // the other client knows one port
	}
	shards := split(r.ids, jobs)
	p := newProgress(r.stdout, string(ro), len(r.ids))
	var err error
	switch {
	case ro == roleServer:
		err = r.testServer(ctx, dir, shards, p)
	case r.listen != "":
		err = r.awaitClient(ctx, dir, shards[0], p)
	default:
		err = r.each(ctx, shards, p, func(ctx context.Context, sh shard, w *watch) error {
			return r.testClient(ctx, dir, sh, w)
		})
	}
	p.end()
	if _, ok := errors.AsType[*startError](err); ok {
		return nil, err
	}
	if err != nil {
		r.say("%s: %v", ro, err)
	}
	return r.collect(ro, dir, shards)
}

// A startError is trouble before the first case.
type startError struct{ err error }

func (e *startError) Error() string { return e.err.Error() }
func (e *startError) Unwrap() error { return e.err }

// each runs the shards side by side, each under a watch of its own.
func (r *runner) each(ctx context.Context, shards []shard, p *progress, f func(context.Context, shard, *watch) error) error {
	errs := make([]error, len(shards))
	var wg sync.WaitGroup
	for i, sh := range shards {
		wg.Go(func() {
			ctx, cancel := context.WithCancelCause(ctx)
			defer cancel(nil)
			w := &watch{began: p.began, stall: r.stall, cancel: cancel, trouble: func(line string) {
				p.note(fmt.Sprintf("suite process %d: %s", sh.number, line))
			}}
			defer w.disarm()
			w.arm()
			if err := f(ctx, sh, w); err != nil {
				if cause := context.Cause(ctx); cause != nil {
					err = cause
				}
				errs[i] = fmt.Errorf("suite process %d of %d: %w", sh.number, len(shards), err)
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

// start writes a shard's spec into dir and starts wstest with it.
func (r *runner) start(ctx context.Context, dir, mode string, sh shard, w *watch, port int, specJSON []byte) (*child, func(), error) {
	file := fmt.Sprintf("spec-%d.json", sh.number)
	if err := os.WriteFile(filepath.Join(dir, file), specJSON, 0o644); err != nil {
		return nil, nil, err
	}
	// Made here, so that it is ours where the suite runs as another user.
	if err := os.MkdirAll(filepath.Join(dir, shardDir(sh)), 0o755); err != nil {
		return nil, nil, err
	}
	name := fmt.Sprintf("framewright-%d-%s-%d", os.Getpid(), mode, sh.number)
	log := filepath.Join(dir, fmt.Sprintf("wstest-%d.log", sh.number))
	c, err := startChild(ctx, "wstest", log, dir, w, r.suite.argv(mode, dir, file, name, port))
	if err != nil {
		return nil, nil, err
	}
	return c, func() {
		c.end()
		if r.suite.remove != nil {
			r.suite.remove(name)
		}
	}, nil
}

func shardDir(sh shard) string { return "shard-" + strconv.Itoa(sh.number) }

// testServer tests a server: the one at -url, or ours.
func (r *runner) testServer(ctx context.Context, dir string, shards []shard, p *progress) error {
	target := r.url
	var server *child
	if target == "" {
		tmp, err := os.MkdirTemp("", "framewright-autobahn-")
		if err != nil {
			return &startError{err}
		}
		defer os.RemoveAll(tmp)
		bin, err := buildServer(ctx, tmp)
		if err != nil {
			return &startError{err}
		}
		var addr string
		server, addr, err = startServer(ctx, bin, filepath.Join(dir, "server.log"), r.compress)
		if err != nil {
			return &startError{err}
		}
		defer server.end()
		target = "ws://" + addr
	}
	target = reachable(target, r.suite.host)
	r.say("server: %d cases against %s, %d suite processes", len(r.ids), target, len(shards))
	err := r.each(ctx, shards, p, func(ctx context.Context, sh shard, w *watch) error {
		s, err := clientSpec(sh, shardDir(sh), r.agent, target)
		if err != nil {
			return err
		}
		c, end, err := r.start(ctx, dir, modeClient, sh, w, 0, s)
		if err != nil {
			return err
		}
		defer end()
		<-c.done // wstest ends by itself, or with ctx
		if c.err != nil {
			return errors.New(c.failure())
		}
		return ctx.Err()
	})
	if server != nil {
		select {
		case <-server.done:
			err = errors.Join(err, errors.New(server.failure()))
		default:
		}
	}
	return err
}

// testClient tests our client with one shard.
func (r *runner) testClient(ctx context.Context, dir string, sh shard, w *watch) error {
	port, err := freePort()
	if err != nil {
		return err
	}
	addr := fmt.Sprintf("127.0.0.1:%d", port)
	c, end, err := r.startFuzzingServer(ctx, dir, sh, w, port)
	if err != nil {
		return err
	}
	defer end()
	log, err := os.Create(filepath.Join(dir, fmt.Sprintf("client-%d.log", sh.number)))
	if err != nil {
		return err
	}
	defer log.Close()
	// The client has nobody to talk to once the suite has gone.
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go func() {
		<-c.done
		cancel(errors.New("the suite went away"))
	}()
	if err := (testee.Client{Base: "ws://" + addr, Agent: r.agent, Log: log}).Run(ctx); err != nil {
		select {
		case <-c.done:
			return errors.New(c.failure())
		default:
			return err
		}
	}
	return nil
}

func (r *runner) startFuzzingServer(ctx context.Context, dir string, sh shard, w *watch, port int) (*child, func(), error) {
	s, err := serverSpec(sh, shardDir(sh), port)
	if err != nil {
		return nil, nil, err
	}
	c, end, err := r.start(ctx, dir, modeServer, sh, w, port, s)
	if err != nil {
		return nil, nil, err
	}
	if err := awaitPort(ctx, c, fmt.Sprintf("127.0.0.1:%d", port), time.Minute); err != nil {
		end()
		return nil, nil, err
	}
	return c, end, nil
}

// awaitClient runs the fuzzing server for some other client. It is done when a
// client had the reports written and they hold every chosen case, or on an
// interrupt, which has them written.
func (r *runner) awaitClient(ctx context.Context, dir string, sh shard, p *progress) error {
	host, portText, err := net.SplitHostPort(r.listen)
	if err != nil {
		return &startError{fmt.Errorf("-listen %q: %w; want HOST:PORT", r.listen, err)}
	}
	port, err := strconv.Atoi(portText)
	if err != nil || port < 1 || port > 65535 {
		return &startError{fmt.Errorf("-listen %q: want a port from 1 to 65535", r.listen)}
	}
	base := "ws://" + net.JoinHostPort(host, portText)
	// Neither an interrupt nor a client that falls silent may end the suite
	// before it has written the reports.
	run, end := context.WithCancel(context.WithoutCancel(ctx))
	defer end()
	ctx, giveUp := context.WithCancelCause(ctx)
	defer giveUp(nil)
	updated := make(chan struct{}, 1)
	w := &watch{stall: r.stall, cancel: giveUp, updated: func() {
		select {
		case updated <- struct{}{}:
		default:
		}
	}}
	w.began = func(id string) {
		p.began(id)
		w.arm() // waiting for the client to come has no limit but -timeout
	}
	defer w.disarm()
	c, stop, err := r.startFuzzingServer(run, dir, sh, w, port)
	if err != nil {
		return &startError{err}
	}
	defer stop()
	r.say("client: waiting at %s for a client to test; it has to ask for\n"+
		"  /getCaseCount, /runCase?case=N&agent=NAME for N from 1, /updateReports?agent=NAME\n"+
		"  interrupt (Ctrl-C) to judge what there is", base)
	for {
		select {
		case <-updated:
			// The file is whole: the suite writes before it says so.
			if index, err := readIndex(filepath.Join(dir, shardDir(sh), "index.json")); err == nil {
				for _, rs := range index {
					if len(rs) >= len(sh.ids) {
						return nil
					}
				}
			}
		case <-c.done:
			return errors.New(c.failure())
		case <-ctx.Done():
			err := testee.Client{Base: base, Agent: r.agent, Log: io.Discard}.UpdateReports(run)
			return errors.Join(fmt.Errorf("judging what there is: %w", context.Cause(ctx)), err)
		}
	}
}

// reachable puts the name by which the suite reaches this machine in place of
// a loopback host.
func reachable(target, host string) string {
	u, err := url.Parse(target)
	if err != nil {
		return target
	}
	ip := net.ParseIP(u.Hostname())
	if host == "127.0.0.1" || !(u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()) {
		return target
	}
	u.Host = host + strings.TrimPrefix(u.Host[strings.LastIndexByte(u.Host, ']')+1:], u.Hostname())
	return u.String()
}
