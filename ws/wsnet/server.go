package wsnet

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"runtime/debug"
	"sync"
	"time"

	"framewright/internal/admission"
	"framewright/ws"
	"framewright/ws/internal/http1"
)

// A Server is an http.Handler that upgrades requests and runs Handler on
// every connection, which it owns from the 101 to the end. Its fields must
// not be changed once it serves.
//
// net/http forgets a connection that was upgraded: http.Server.Shutdown does
// not close or wait for it. Call Shutdown of the Server as well.
type Server struct {
	// Handler serves one connection. ctx ends with the connection. When
	// Handler returns nil the connection is closed with 1000, by the closing
	// handshake; a *CloseError that it makes itself is sent as it is, as far
	// as a Close frame can hold it, see Conn.Close; any other error, and a
	// panic, close with 1011 and are logged. An error that comes from the
	// connection's own end is neither sent nor logged.
	Handler func(ctx context.Context, c *Conn) error

	// Connect, if not nil, is asked before the 101 answer, after the checks of
	// the handshake and those of MaxConns and MaxPerAddress: to authenticate,
	// for example. With Serve, r is made of what Serve has read itself, and has
	// all that net/http would have given it. The context that it
	// returns, if not nil, gives the connection's context its values. An
	// error refuses the request: a *HandshakeError with its Status and
	// Header, any other with 403. The text of the error goes to the client.
	Connect func(r *http.Request) (context.Context, error)

	// Options of every connection.
	Options ServerOptions

	// MaxConns bounds the connections at one time, and MaxPerAddress those
	// that come from one address; 0 is no limit. A request above them that is
	// right in itself is refused with 503 or 429 and Retry-After.
	MaxConns      int
	MaxPerAddress int

	// Address returns what MaxPerAddress counts by; nil takes the host of
	// r.RemoteAddr. Behind a proxy, all come from one address unless this
	// reads the header that the proxy sets.
	Address func(r *http.Request) string

	// Remote, if not nil, returns what the log calls the peer of a connection,
	// whose context is ctx, in place of the connection's RemoteAddr: behind a
	// proxy, that is the proxy's, and Connect may have put the client's into ctx.
	Remote func(ctx context.Context, c *Conn) string

	// RetryAfter is what Retry-After says; 5 s by default.
	RetryAfter time.Duration

	// Refused, if not nil, is told of every request that was refused, after
	// the answer, in place of the log: to count reasons, for example. Of a
	// request that Serve could not read to its end, r has what came before.
	Refused func(r *http.Request, err *ws.HandshakeError)

	// Ended, if not nil, is told of every connection that Handler was called for,
	// when Handler has returned, the connection is closed, and Stats and Count
	// have their last word on it. Shutdown waits until it returns.
	Ended func(c *Conn)

	// Logger gets refusals (Info), handlers' errors and panics (Error), and,
	// once a minute at the most, that a client and Options.Subprotocols had no
	// subprotocol in common (Warn): such a connection is made, but a browser
	// that has asked for one gives it up (§4.1). nil is slog.Default().
	Logger *slog.Logger

	once  sync.Once
	group *group // of the connections with Options

	unagreed unagreed

	mu         sync.Mutex
	conns      map[*Conn]struct{}
	perAddress admission.Counts
	opening    int // admitted, but not in conns yet
	ending     int // not in conns any more, but Ended does not know yet
	closing    bool
	idle       chan struct{}          // closed when the last connection is gone, once closing
	serving    map[io.Closer]struct{} // listeners, and their connections before the handshake is over
}

// Handler returns a Server that runs handle on every connection, with default
// options.
func Handler(handle func(ctx context.Context, c *Conn) error) *Server {
	return &Server{Handler: handle}
}

// ServeHTTP upgrades r. It returns as soon as the connection has a goroutine
// of its own: the one that net/http has grown its stack and buffers on ends. Over
// net/http's HTTP/2, see Accept, it returns when the connection is over.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	x := newHTTPExchange(w, r, &s.Options)
	s.handshake(r.Context(), &x.upgrade)
	if x.left != nil {
		<-x.left
	}
}

// handshake decides about a request and, if all is well, runs the handler.
func (s *Server) handshake(ctx context.Context, u *upgrade) {
	address, admitted, adopted := "", false, false
	defer func() { // also when Connect or Trace panics
		if admitted && !adopted {
			s.release(address)
		}
	}()
	c, err := u.run(ctx, s.connections(), func() (context.Context, error) {
		address = s.address(u)
		if err := s.admit(address); err != nil {
			return nil, err
		}
		admitted = true
		if s.Connect == nil {
			return nil, nil
		}
		return s.Connect(u.exchange.request())
	})
	switch {
	case err == nil:
		adopted = true
		s.noteSubprotocol(c, u)
		s.adopt(c, address)
	case !errors.Is(err, errNoRequest):
		s.refused(u.exchange.request(), err)
	}
}

// adopt runs the handler on a connection that admit has let in.
func (s *Server) adopt(c *Conn, address string) {
	s.mu.Lock()
	s.opening--
	if s.conns == nil {
		s.conns = map[*Conn]struct{}{}
	}
	s.conns[c] = struct{}{}
	closing := s.closing
	s.mu.Unlock()
	if closing { // Shutdown did not see it
		go s.goAway(context.Background(), c)
	}
	go (&handling{s: s, c: c, address: address}).run()
}

// unagreed bounds what the log says of subprotocols.
type unagreed struct {
	mu    sync.Mutex
	next  time.Time
	since int // how many there were that nothing was said of
}

// noteSubprotocol tells the log if those that the request offers and
// Options.Subprotocols have nothing in common.
func (s *Server) noteSubprotocol(c *Conn, h *upgrade) {
	offered := h.req.Values("Sec-Websocket-Protocol")
	if c.Subprotocol() != "" || len(offered) == 0 && len(s.Options.Subprotocols) == 0 {
		return
	}
	u := &s.unagreed
	u.mu.Lock()
	now, since := time.Now(), u.since
	if now.Before(u.next) {
		u.since++
		u.mu.Unlock()
		return
	}
	u.next, u.since = now.Add(time.Minute), 0
	u.mu.Unlock()
	why := "the client offers none of those in Options.Subprotocols; a browser gives such a connection up"
	switch {
	case len(offered) == 0:
		why = "the client offers none, Options.Subprotocols has some"
	case len(s.Options.Subprotocols) == 0:
		why = "Options.Subprotocols is empty; a browser gives such a connection up"
	}
	s.logger().Warn("ws: no subprotocol in common", "why", why, "conn", c.ID(), "remote", h.exchange.request().RemoteAddr,
		"offered", http1.QuoteValues(offered), "supported", s.Options.Subprotocols, "others", since)
}

func (s *Server) connections() *group {
	s.once.Do(func() {
		s.group = new(group)
		s.group.init(&s.Options.Options)
	})
	return s.group
}

// A handling is one run of the handler. It keeps little on its stack: see
// inbox.
type handling struct {
	s        *Server
	c        *Conn
	address  string
	err      error
	returned bool
}

// run runs the handler and closes the connection.
func (h *handling) run() {
	defer h.end()
	h.err = h.s.Handler(h.c.Context(), h.c)
	h.returned = true
}

// end closes a connection whose handler has returned, panicked or ended the
// goroutine.
func (h *handling) end() {
	s, c, err := h.s, h.c, h.err
	defer s.ended(c, h.address)
	if !h.returned {
		p := recover()
		if p == nil { // the handler ended the goroutine
			c.CloseNow()
			return
		}
		err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
	}
	ctx := context.Background()
	ending := c.Err()
	switch e, ok := errors.AsType[*ws.CloseError](err); {
	case err == nil:
		c.Close(ctx, ws.CodeNormal, "")
	case ending != nil && errors.Is(err, ending):
	case ok && (e.Code.MaySend() || e.Code == ws.CodeNoStatus) && !e.Remote:
		c.Close(ctx, e.Code, e.Reason)
	case errors.Is(err, context.Canceled) && ending != nil:
	default:
		s.logger().Error("ws: handler failed", "conn", c.ID(), "remote", s.remote(c), "err", err)
		c.Close(ctx, ws.CodeInternalError, "")
	}
}

// Count returns the number of connections that are open, those included that were
// admitted and whose opening handshake is not over: that is what MaxConns bounds.
func (s *Server) Count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.conns) + s.opening
}

// Shutdown refuses new requests with 503, ends Serve, closes every connection with 1001
// (§7.4.1) by the closing handshake, and waits until all are gone and their
// handlers have returned. When ctx ends first, it cuts those that are left
// and returns the context's error. A Server that was shut down stays so.
func (s *Server) Shutdown(ctx context.Context) error {
	s.mu.Lock()
	s.closing = true
	for l := range s.serving {
		l.Close()
	}
	if s.busy() == 0 {
		s.mu.Unlock()
		return nil
	}
	if s.idle == nil {
		s.idle = make(chan struct{})
	}
	idle := s.idle
	for c := range s.conns {
		go s.goAway(ctx, c)
	}
	s.mu.Unlock()

	select {
	case <-idle:
		return nil
	case <-ctx.Done():
	}
	s.mu.Lock()
	for c := range s.conns {
		c.CloseNow()
	}
	s.mu.Unlock()
	return wrapOp("shutdown", ctx.Err())
}

func (s *Server) goAway(ctx context.Context, c *Conn) {
	c.Close(ctx, ws.CodeGoingAway, "server is shutting down")
}

func (s *Server) refused(r *http.Request, err error) {
	if e, ok := errors.AsType[*ws.HandshakeError](err); ok && s.Refused != nil {
		s.Refused(r, e)
		return
	}
	s.logger().Info("ws: refused", "remote", r.RemoteAddr, "host", r.Host, "path", r.URL.Path, "err", err)
}

func (s *Server) logger() *slog.Logger {
	if s.Logger != nil {
		return s.Logger
	}
	return slog.Default()
}

// remote is what the log calls c's peer.
func (s *Server) remote(c *Conn) string {
	if s.Remote != nil {
		return s.Remote(c.Context(), c)
	}
	return c.RemoteAddr()
}
