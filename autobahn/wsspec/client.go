package wsspec

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"time"
)

// A ClientFunc is a client under test: it connects to a ws: URL, sends every message
// back until the connection ends, and returns. It ends early when ctx does. What it
// writes to output goes into the report, as does its error. Only a *Crash is a verdict:
// many a client ends with an error because its peer broke a rule.
type ClientFunc func(ctx context.Context, url string, output io.Writer) error

// A Crash is the error of a client that did not end of its own accord, such as a process
// that a signal ended. The case fails, whatever the dialogue came to.
type Crash struct{ Err error }

func (c *Crash) Error() string { return "the client crashed: " + c.Err.Error() }
func (c *Crash) Unwrap() error { return c.Err }

// A ClientTest plays cases with a client, which it starts once for each. The URL
// tells it which connection belongs to which case.
type ClientTest struct {
	Settings
	Scheme string // of the clients' URLs; "ws" unless l speaks TLS, then "wss"

	start ClientFunc
	host  string
	done  <-chan struct{} // closed when nobody accepts any more

	mu      sync.Mutex
	next    int
	waiting map[string]chan arrival // path of a URL: who plays there
}

// An arrival is a connection whose request has been read.
type arrival struct {
	conn       net.Conn
	head, rest []byte
}

// NewClientTest prepares to play cases with a client that start starts. The client
// finds the suite at l, which is closed when ctx ends.
func NewClientTest(ctx context.Context, l net.Listener, s Settings, start ClientFunc) *ClientTest {
	t := &ClientTest{Settings: s.filled(), Scheme: "ws", start: start, host: l.Addr().String(), waiting: map[string]chan arrival{}}
	if s.HTTP2 {
		l = listenH2(l, s.CutData)
	}
	t.done = acceptAll(ctx, l, t.arrived)
	return t
}

// arrived gives a connection to who waits for it. A second one for the same case,
// from a client that tries again, is refused.
func (t *ClientTest) arrived(_ context.Context, a arrival) {
	path := requestPath(a.head)
	t.mu.Lock()
	to := t.waiting[path]
	delete(t.waiting, path)
	t.mu.Unlock()
	if to == nil {
		refuse(a.conn, "410 Gone", "each URL is for one connection")
		return
	}
	to <- a
}

// connectTime is how long a client may take until it connects: it may have to start.
const connectTime = 30 * time.Second

// lingerTime is how long a client may take to end after its connection has. One that
// stays is ended, which is no fault.
const lingerTime = 500 * time.Millisecond

// Play starts the client and plays a case with it.
func (t *ClientTest) Play(ctx context.Context, c *Case) Result {
	began := time.Now()
	t.mu.Lock()
	t.next++
	path := fmt.Sprintf("/%d/%s", t.next, c.ID)
	come := make(chan arrival, 1)
	t.waiting[path] = come
	t.mu.Unlock()

	run, stop := context.WithCancel(ctx)
	defer stop()
	var output tailBuffer
	ended := make(chan error, 1)
	go func() { ended <- t.start(run, t.Scheme+"://"+t.host+path, &output) }()

	var r Result
	var gone error
	isGone := false
	timer := time.NewTimer(connectTime)
	defer timer.Stop()
	failed := func(format string, args ...any) Result {
		return Result{Case: c, Role: Client, Verdict: Fail("a client that connects", format, args...), Began: began, Took: time.Since(began)}
	}
	select {
	case a := <-come:
		r = PlayClient(ctx, c, t.Settings, a.conn, a.head, a.rest)
	case gone = <-ended:
		isGone = true
		select {
		case a := <-come: // it was quick
			r = PlayClient(ctx, c, t.Settings, a.conn, a.head, a.rest)
		default:
			r = failed("the client ended without connecting: %s", endOf(gone))
		}
	case <-timer.C:
		r = failed("the client has not connected within %v", connectTime)
	case <-ctx.Done():
		r = failed("%v", context.Cause(ctx))
	}
	t.mu.Lock()
	delete(t.waiting, path)
	t.mu.Unlock()
	select { // one that arrived too late
	case a := <-come:
		a.conn.Close()
	default:
	}
	if !isGone {
		gone = linger(ended, stop)
	}
	r.Output = output.String()
	if gone != nil && !errors.Is(gone, context.Canceled) {
		r.Output = strings.TrimSpace(r.Output + "\n" + endOf(gone))
	}
	if crash, ok := errors.AsType[*Crash](gone); ok && r.Outcome != Failed {
		r.Outcome, r.Actual = Failed, crash.Error()
	}
	return r
}

// linger gives a client a moment to end by itself, and then ends it.
func linger(ended <-chan error, stop func()) error {
	timer := time.NewTimer(lingerTime)
	defer timer.Stop()
	select {
	case err := <-ended:
		return err
	case <-timer.C:
		stop()
		<-ended
		return nil
	}
}

func endOf(err error) string {
	if err == nil {
		return "it ended well"
	}
	return err.Error()
}

// preflightCase is the one conversation before all others.
var preflightCase = &Case{ID: "preflight", Title: "one message and its echo", Roles: Both, Level: Must, Play: func(d *Dialogue) Verdict {
	if d.Request.Get("Sec-WebSocket-Key") == "" {
		return Fail("", "what connects sends no WebSocket handshake but %.60q", d.Request.First)
	}
	if err := d.Open(); err != nil {
		return Fail("", "the client does not take the answer to its handshake: %v", err)
	}
	if err := echoes(d); err != nil {
		return Fail("", "the client connects, but %v: the suite needs a client that sends every message back and nothing else", err)
	}
	return Pass("an echo")
}}

// Preflight starts the client once and has one small conversation with it.
func (t *ClientTest) Preflight(ctx context.Context) error {
	r := t.Play(ctx, preflightCase)
	if r.Outcome == Passed {
		return nil
	}
	text := r.Actual
	if r.Output != "" {
		text += "\nits output:\n    " + strings.ReplaceAll(r.Output, "\n", "\n    ")
	}
	return errors.New(text)
}

// A tailBuffer keeps the end of what is written to it.
type tailBuffer struct {
	mu sync.Mutex
	b  []byte
}

const maxOutput = 8 << 10

func (t *tailBuffer) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.b = append(t.b, p[max(0, len(p)-maxOutput):]...)
	if len(t.b) > maxOutput {
		t.b = append(t.b[:0], t.b[len(t.b)-maxOutput:]...)
	}
	return len(p), nil
}

func (t *tailBuffer) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.TrimSpace(string(t.b))
}
