package client

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"framewright/engineio"
	engine "framewright/engineio/client"
	"framewright/internal/queue"
	"framewright/internal/tokens"
	"framewright/socketio"
)

// A Client is a connection to a server, which comes back when it is lost, with
// sockets in one or several namespaces. The methods and handlers of its embedded
// Socket are those of the namespace "/". All methods may be called by any number of
// goroutines at once.
type Client struct {
	*Socket
	o   Options
	url string

	life  context.Context // until Close
	kill  context.CancelFunc
	tasks sync.WaitGroup // goroutines of the client itself

	mu      sync.Mutex
	sockets map[string]*Socket
	conn    *engine.Conn // nil: away
	leaving *engine.Conn // is being closed, as nobody wants it any more
	stop    context.CancelFunc
	running bool // run is
	closed  bool
	err     error // why the last socket ended that this side did not end
	tries   int   // in a row that came to nothing
	useless tokens.Bucket
	changed queue.Signal // whether a socket is wanted, or running

	working int // goroutines with handlers
}

// New returns a client of the server at a http, https, ws or wss URL, whose query, if
// it has one, goes with every request; o may be nil. Nothing is sent before
// [Socket.Connect]: handlers are set in between. A path in the URL is where Socket.IO
// is mounted, Engine.Path if there is none; namespaces are for [Client.Of]. The error
// says which option makes no sense.
func New(rawURL string, o *Options) (*Client, error) {
	c := &Client{url: rawURL, sockets: make(map[string]*Socket)}
	var err error
	if c.o, err = o.withDefaults(); err != nil {
		return nil, err
	}
	if err := c.o.Engine.Check(rawURL); err != nil {
		return nil, err
	}
	c.life, c.kill = context.WithCancel(context.Background())
	c.Socket = c.Of("/")
	return c, nil
}

// Dial is [New] and [Socket.Connect], for a program that needs no handler for what the
// server says first.
func Dial(ctx context.Context, rawURL string, o *Options) (*Client, error) {
	c, err := New(rawURL, o)
	if err != nil {
		return nil, err
	}
	if err := c.Connect(ctx); err != nil {
		_ = c.Close() // there is nothing to be sent
		return nil, err
	}
	return c, nil
}

// Of returns the socket of a namespace, whose name begins with a slash. Each has a
// Connect of its own; all share one connection. It panics for a name that no server
// could have.
func (c *Client) Of(namespace string) *Socket {
	if err := socketio.CheckNamespace(namespace); err != nil {
		panic(err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.sockets[namespace]
	if s == nil {
		s = &Socket{client: c, ns: namespace, acks: make(map[int64]*question), handlers: make(map[string]handler)}
		s.ctx, s.cancel = context.WithCancelCause(c.life)
		c.sockets[namespace] = s
	}
	return s
}

// Transport returns the name of the transport that is used now, [engineio.Polling] or
// [engineio.WebSocket]; "" while there is none.
func (c *Client) Transport() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.conn == nil {
		return ""
	}
	return c.conn.Transport()
}

// Close disconnects all sockets, sends what was emitted before, and returns when the
// connection is closed, after Engine.CloseTimeout at the latest. It does not wait for
// handlers, see [Client.Wait], so they may call it. The error says that not all was
// sent.
func (c *Client) Close() error {
	c.mu.Lock()
	c.closed = true
	for _, s := range c.sockets {
		s.leave()
	}
	conn := c.conn
	c.leaving = conn
	c.mu.Unlock()
	var err error
	if conn != nil {
		err = conn.Close()
	}
	c.kill()
	c.tasks.Wait()
	return err
}

// Drop cuts the connection as a lost network would: the client comes back by itself,
// and is recovered where the server knows how.
func (c *Client) Drop() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.conn != nil {
		c.conn.Abort(engineio.TransportClose, errors.New("Drop was called"))
	}
}

// Wait waits until the client is not connected and does not try to be, and no handler
// is at work or waits for its turn. It returns nil if that is by Disconnect or Close,
// and otherwise why the last socket ended: a [*DisconnectedError], a [*ConnectError],
// or [ErrGaveUp] with the last attempt's error. When ctx ends before, it returns its
// cause.
func (c *Client) Wait(ctx context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.running || c.working > 0 {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		c.await(&c.changed, ctx)
	}
	return c.err
}

// await waits, without the lock, until s is raised or ctx is over. The caller holds
// c.mu.
func (c *Client) await(s *queue.Signal, ctx context.Context) {
	raised := s.Wait()
	c.mu.Unlock()
	select {
	case <-raised:
	case <-ctx.Done():
	}
	c.mu.Lock()
}

// wanted reports whether any socket is to be connected. The caller holds c.mu.
func (c *Client) wanted() bool {
	for _, s := range c.sockets {
		if s.wanted {
			return true
		}
	}
	return false
}

// settle ends what no socket needs any more. The caller holds c.mu.
func (c *Client) settle() {
	c.changed.Raise()
	if c.wanted() {
		return
	}
	if c.stop != nil {
		c.stop() // an attempt
	}
	if conn := c.conn; conn != nil && conn != c.leaving {
		c.leaving = conn
		c.tasks.Go(func() { _ = conn.Close() }) // what was not sent nobody waits for
	}
}

// start has run connect the client, if it is not at it. The caller holds c.mu.
func (c *Client) start() {
	if !c.running {
		c.running, c.tries, c.err = true, 0, nil
		c.tasks.Go(c.run)
	}
}

// run connects, and again, as long as a socket is wanted.
func (c *Client) run() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.wanted() {
		again := c.attempt()
		c.tries++
		if c.o.NoReconnect {
			c.giveUp(c.err, false)
		}
		switch {
		case again || !c.wanted():
			continue
		case c.o.MaxAttempts > 0 && c.tries > c.o.MaxAttempts:
			c.giveUp(fmt.Errorf("%w after %d attempts: %w", ErrGaveUp, c.o.MaxAttempts, c.err), true)
			continue
		}
		c.pause(c.o.delay(c.tries))
	}
	c.running = false
	c.changed.Raise()
}

// pause waits for d, or until no socket is wanted. The caller holds c.mu.
func (c *Client) pause(d time.Duration) {
	ctx, cancel := context.WithTimeout(c.life, d)
	defer cancel()
	for ctx.Err() == nil && c.wanted() {
		c.await(&c.changed, ctx)
	}
}

// giveUp ends the sockets that were lost, and, if it is for all, those whose Connect
// waits. The caller holds c.mu.
func (c *Client) giveUp(err error, all bool) {
	for _, s := range c.sockets {
		if s.wanted && (all || s.state == off && len(s.waiting) == 0) {
			s.unwanted(err)
		}
	}
}

// attempt opens a connection and serves it until its end. It reports whether there
// need be no pause before the next. The caller holds c.mu.
func (c *Client) attempt() (again bool) {
	ctx, cancel := context.WithCancel(c.life)
	defer cancel()
	c.stop = cancel
	c.mu.Unlock()
	conn, err := engine.Dial(ctx, c.url, &c.o.Engine)
	c.mu.Lock()
	c.stop = nil
	if err != nil {
		if ctx.Err() != nil {
			return true // nobody was wanted
		}
		c.failed(err)
		return false
	}
	c.conn, c.useless = conn, tokens.Bucket{}
	for _, s := range c.sockets {
		if s.wanted {
			s.greet()
		}
	}
	c.settle() // who was wanted may have gone meanwhile
	c.mu.Unlock()
	err = c.serve(conn)
	c.mu.Lock()
	c.conn = nil
	c.tasks.Go(func() { <-conn.Done() })
	c.lost(err)
	ce, _ := errors.AsType[*engineio.CloseError](err)
	return ce != nil && ce.Reason == engineio.ForcedClose
}

// failed tells all sockets of an attempt that came to nothing. The caller holds c.mu.
func (c *Client) failed(err error) {
	c.err = err
	for _, s := range c.sockets {
		if s.wanted {
			s.failed(err)
		}
	}
}

// lost tells all sockets that the connection is over. The caller holds c.mu.
func (c *Client) lost(err error) {
	why := TransportClose
	if ce, ok := errors.AsType[*engineio.CloseError](err); ok {
		why, err = Reason(ce.Reason), ce.Err
		if ce.Reason == engineio.ForcedClose {
			why = ClientDisconnect
		}
	}
	gone := &DisconnectedError{why, err}
	if why != ClientDisconnect {
		c.err = gone
		c.o.Logger.Info("socketio: the connection was lost", "why", gone)
	}
	for _, s := range c.sockets {
		switch s.state {
		case connected:
			s.over(gone)
		case connecting:
			s.over(gone)
			s.failed(gone)
		}
	}
}

// delay is how long to wait before an attempt: with a random half more or less.
func (o *Options) delay(try int) time.Duration {
	d := o.ReconnectDelayMax
	if n := try - 1; n < 62 && o.ReconnectDelay <= d>>n {
		d = o.ReconnectDelay << n
	}
	return d/2 + jitter(d)
}
