package wsh2

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"runtime/debug"
	"sync"
	"time"

	"golang.org/x/net/http2"

	"framewright/ws/internal/h2"
)

const (
	readBuffer  = 4 << 10  // larger frames are read past it
	writeBuffer = 64 << 10 // about what one write to the socket is at the most

	// lingerTime and lingerBytes are how long, and how much, is read from a peer that was
	// told why the connection ends: closing on unread data may destroy what was said.
	lingerTime  = time.Second
	lingerBytes = 1 << 20
)

// A conn is a connection: one goroutine reads frames, one writes what the Endpoint has to
// send, and each stream has its handler's. mu guards the Endpoint and all streams.
type conn struct {
	times   times
	log     *slog.Logger
	nc      net.Conn
	tls     *tls.ConnectionState
	ctx     context.Context                // of all requests
	handler http.Handler                   // server: of all requests
	state   func(net.Conn, http.ConnState) // an http.Server's ConnState; may be nil

	mu     sync.Mutex
	e      *h2.Endpoint
	more   sync.Cond   // the writer waits for something to send, or the end
	idle   *time.Timer // runs while there is no stream
	busy   bool        // there was one since the last look
	rest   []*stream   // closed, and not all of it was sent when the writer last looked
	ending bool        // everything was said: the writer leaves
	wrote  chan struct{}

	// Of a client.
	asked   map[*h2.Stream]*stream // whose answers have not come
	settled chan struct{}          // closed when the server's SETTINGS have come, or nothing will
	known   bool                   // settled is closed
	used    bool                   // a stream was opened
}

// times are how long things may take: a Server's, or a Client's.
type times struct{ handshake, frame, read, write, idle time.Duration }

func newConn(ctx context.Context, nc net.Conn, e *h2.Endpoint, t times) *conn {
	c := &conn{times: t, nc: nc, e: e, wrote: make(chan struct{})}
	c.more.L = &c.mu
	c.ctx = context.WithValue(ctx, http.LocalAddrContextKey, nc.LocalAddr())
	if t, ok := nc.(*tls.Conn); ok {
		state := t.ConnectionState()
		c.tls = &state
	}
	return c
}

// serve returns when the connection is closed and nothing of it runs but handlers.
func (c *conn) serve() {
	go c.write()
	c.mu.Lock()
	c.settle()
	c.mu.Unlock()
	c.read()
	c.mu.Lock()
	c.finish()
	c.idle.Stop()
	c.isSettled()
	c.mu.Unlock()
	<-c.wrote
	if closeWrite(c.nc) == nil {
		c.nc.SetReadDeadline(time.Now().Add(lingerTime))
		io.CopyN(io.Discard, c.nc, lingerBytes)
	}
	c.nc.Close()
}

// read takes frames until the connection is over.
func (c *conn) read() {
	br := bufio.NewReaderSize(c.nc, readBuffer)
	c.nc.SetReadDeadline(after(c.times.handshake, 10*time.Second))
	if c.handler != nil {
		if err := readPreface(br); err != nil {
			c.broken(err)
			return
		}
	}
	in := h2.NewFrames(br, c.e)
	for first := true; ; first = false {
		if !first {
			c.awaitFrame(br)
		}
		f, err := in.Next()
		if err != nil {
			if c.broken(err) {
				return
			}
		} else if !c.take(f) {
			return
		}
	}
}

// readPreface reads what a client begins with (§3.4).
func readPreface(r io.Reader) error {
	hello := make([]byte, len(http2.ClientPreface))
	if _, err := io.ReadFull(r, hello); err != nil {
		return err
	}
	if string(hello) != http2.ClientPreface {
		return http2.ConnectionError(http2.ErrCodeProtocol)
	}
	return nil
}

// awaitFrame waits for a frame to begin, as long as it may take; then it may not take
// long.
func (c *conn) awaitFrame(br *bufio.Reader) {
	if br.Buffered() == 0 {
		c.readUntil(time.Time{})
		br.Peek(1) // its error comes again
	}
	const header = 9 // §4.1
	if b, err := br.Peek(min(header, br.Buffered())); err != nil || len(b) < header || br.Buffered() < header+(int(b[0])<<16|int(b[1])<<8|int(b[2])) {
		c.readUntil(after(c.times.frame, 30*time.Second))
	}
}

// readUntil sets the reader's deadline, unless settle has woken it for good.
func (c *conn) readUntil(t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.ending {
		c.nc.SetReadDeadline(t)
	}
}

// take gives a frame to the Endpoint, and reports whether the connection goes on.
func (c *conn) take(f http2.Frame) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	ev, err := c.e.Receive(f, time.Now().UnixNano())
	if ev.Kind == h2.Request {
		c.idle.Stop()
		c.occupied(true)
		c.open(ev)
	}
	if ev.Kind == h2.Answer {
		c.answered(ev)
	}
	if c.settled != nil && c.e.Settled() {
		c.isSettled()
	}
	c.more.Signal()
	return err == nil && !c.ending
}

// broken takes an error of reading, and reports whether the connection is over.
func (c *conn) broken(err error) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	over := c.e.Broken(err, time.Now().UnixNano()) != nil
	c.more.Signal()
	return over
}

// write sends what there is to send, until everything was said.
func (c *conn) write() {
	defer close(c.wrote)
	var b []byte
	for {
		c.mu.Lock()
		for !c.e.Pending() && !c.ending {
			b = nil // a connection that waits holds no buffer
			c.more.Wait()
		}
		over := c.ending && !c.e.Pending()
		if !over {
			b = c.e.Append(b[:0], writeBuffer)
		}
		c.lookAtRest()
		c.settle()
		c.mu.Unlock()
		if over {
			return
		}
		c.nc.SetWriteDeadline(after(c.times.write, 30*time.Second))
		if _, err := c.nc.Write(b); err != nil {
			c.cut(err)
			return
		}
	}
}

// lookAtRest gives the peer WriteTimeout for what is left of streams that are closed and
// whose windows are, too. It has mu.
func (c *conn) lookAtRest() {
	if c.e.Pending() {
		return
	}
	for _, st := range c.rest {
		if st.h.Unsent() > 0 && c.times.write >= 0 {
			time.AfterFunc(time.Until(after(c.times.write, 30*time.Second)), func() { st.reset(http2.ErrCodeCancel) })
		}
	}
	c.rest = nil
}

// cut ends a connection that cannot be written to.
func (c *conn) cut(err error) {
	c.mu.Lock()
	c.e.Broken(err, time.Now().UnixNano())
	c.ending = true
	c.mu.Unlock()
	c.nc.Close() // wakes the reader
}

// finish lets the writer send what is there, and leave. It has mu.
func (c *conn) finish() {
	c.ending = true
	c.more.Signal()
}

// settle looks whether there is a stream, after one may have ended. It has mu.
func (c *conn) settle() {
	switch {
	case c.e.Taken() > 0 || c.ending:
	case c.e.Leaving() && !c.e.Pending() || c.e.Err() != nil:
		c.finish()
		c.nc.SetReadDeadline(time.Now()) // the reader leaves
	case c.idle == nil:
		c.idle = time.AfterFunc(c.idleTimeout(), c.goIdle)
	case c.busy:
		c.idle.Reset(c.idleTimeout())
	}
	c.occupied(c.e.Taken() > 0)
}

// occupied notes whether there is a stream. It has mu.
func (c *conn) occupied(busy bool) {
	if busy == c.busy {
		return
	}
	c.busy = busy
	if c.state != nil {
		c.state(c.nc, map[bool]http.ConnState{true: http.StateActive, false: http.StateIdle}[busy])
	}
}

// idleTimeout is IdleTimeout, or so long that it is never.
func (c *conn) idleTimeout() time.Duration {
	switch d := c.times.idle; {
	case d < 0:
		return 1 << 62
	case d == 0:
		return 3 * time.Minute
	default:
		return d
	}
}

// goIdle ends a connection that has had no stream for long.
func (c *conn) goIdle() {
	c.mu.Lock()
	idle := c.e.Taken() == 0
	c.mu.Unlock()
	if idle {
		c.goAway()
	}
}

// goAway takes no more streams, and ends the connection after those that there are.
func (c *conn) goAway() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.e.GoAway(http2.ErrCodeNo, "")
	c.more.Signal()
}

// open runs the handler of a new stream. It has mu.
func (c *conn) open(ev h2.Event) {
	st := newStream(c, ev.Stream)
	r, refusal := newRequest(c, st, ev)
	w := newResponse(st, r)
	h := c.handler
	if refusal != nil {
		h = refusal
	}
	go c.handle(h, w, r)
}

// handle runs a handler. A stream that it has hijacked is its own.
func (c *conn) handle(h http.Handler, w *response, r *http.Request) {
	returned := false
	defer func() {
		if p := recover(); p != nil && p != http.ErrAbortHandler {
			c.log.Error("wsh2: panic in a handler", "remote", r.RemoteAddr, "path", r.URL.Path, "err", p, "stack", string(debug.Stack()))
		}
		w.end(returned)
	}()
	h.ServeHTTP(w, r)
	returned = true
}

// errOf is what a stream's error is to those who know nothing of HTTP/2's.
func errOf(err error) error {
	if errors.Is(err, h2.ErrClosed) {
		return net.ErrClosed
	}
	return err
}
