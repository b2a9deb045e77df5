package wsh2

import (
	"cmp"
	"context"
	"crypto/tls"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"

	"framewright/ws/internal/h2"
)

// A Server serves connections of HTTP/2. The zero value has safe limits. Its fields must
// not be changed once it serves. For durations, 0 is the default and below 0 none.
type Server struct {
	// Handler takes the requests of connections from Listener; nil is
	// http.DefaultServeMux. Those that come through Attach have the http.Server's.
	Handler http.Handler

	MaxStreams     int // that a client may have open on a connection; default 100
	MaxHeaderBytes int // of a request, as RFC 9113 §6.5.2 counts; default 32 KiB. Beyond it: 431, or the end if one value is
	StreamWindow   int // bytes of a stream that may wait to be read; default 64 KiB, the least
	SendBuffer     int // bytes of a stream that may wait to be sent; default 32 KiB

	HandshakeTimeout time.Duration // for a client's preface and SETTINGS; default 10 s
	FrameTimeout     time.Duration // for the rest of a frame that has begun; default 30 s
	ReadTimeout      time.Duration // for a request's content, unless its handler sets a deadline; default 1 min
	WriteTimeout     time.Duration // for a peer to take what is sent, of a response or at all; default 30 s
	IdleTimeout      time.Duration // of a connection without streams; default 3 min

	// Logger gets handlers' panics (Error). nil is slog.Default().
	Logger *slog.Logger

	mu      sync.Mutex
	conns   map[*conn]struct{}
	closing bool
	idle    chan struct{} // closed when the last connection is gone, once closing
}

// Attach makes hs, which is not serving yet, take HTTP/2 over TLS: it offers h2 in ALPN
// and hands such connections over. Requests go to hs.Handler, hs.ConnState is told when
// the first stream opens and the last one is over, and hs.Shutdown says GOAWAY to their
// connections and waits for them.
func (s *Server) Attach(hs *http.Server) {
	if hs.TLSConfig == nil {
		hs.TLSConfig = &tls.Config{}
	} else {
		hs.TLSConfig = hs.TLSConfig.Clone()
	}
	for _, proto := range []string{"http/1.1", "h2"} {
		if !slices.Contains(hs.TLSConfig.NextProtos, proto) {
			hs.TLSConfig.NextProtos = slices.Insert(hs.TLSConfig.NextProtos, 0, proto)
		}
	}
	if hs.TLSNextProto == nil {
		hs.TLSNextProto = map[string]func(*http.Server, *tls.Conn, http.Handler){}
	}
	hs.TLSNextProto["h2"] = func(_ *http.Server, c *tls.Conn, h http.Handler) {
		ctx := context.Background()
		if b, ok := h.(interface{ BaseContext() context.Context }); ok { // net/http's own, with ConnContext's values
			ctx = b.BaseContext()
		}
		s.serveConn(ctx, c, h, hs.ConnState)
	}
	hs.RegisterOnShutdown(s.goAway)
}

// ServeConn serves one connection, whose client's preface has not been read, and returns
// when it is closed. ctx has the values of requests' contexts; h nil is s.Handler.
func (s *Server) ServeConn(ctx context.Context, c net.Conn, h http.Handler) {
	s.serveConn(ctx, c, h, nil)
}

func (s *Server) serveConn(ctx context.Context, c net.Conn, h http.Handler, state func(net.Conn, http.ConnState)) {
	if h = cmp.Or(h, s.Handler); h == nil {
		h = http.DefaultServeMux
	}
	sc := newConn(ctx, c, h2.NewServer(s.limits()), times{s.HandshakeTimeout, s.FrameTimeout, s.ReadTimeout, s.WriteTimeout, s.IdleTimeout})
	sc.handler, sc.state, sc.log = h, state, s.logger()
	if !s.track(sc) {
		c.Close()
		return
	}
	defer s.untrack(sc)
	sc.serve()
}

// Shutdown says GOAWAY to every connection, and waits until their streams are over and
// they are closed. When ctx ends first, it closes those that are left and returns the
// context's error. WebSockets are streams: their server ends them.
func (s *Server) Shutdown(ctx context.Context) error {
	s.mu.Lock()
	s.closing = true
	if len(s.conns) == 0 {
		s.mu.Unlock()
		return nil
	}
	if s.idle == nil {
		s.idle = make(chan struct{})
	}
	idle := s.idle
	s.mu.Unlock()
	s.goAway()
	select {
	case <-idle:
		return nil
	case <-ctx.Done():
		s.Close()
		return ctx.Err()
	}
}

// Close closes every connection at once.
func (s *Server) Close() error {
	for _, c := range s.all(true) {
		c.nc.Close()
	}
	return nil
}

// goAway lets every connection finish its streams, and take no others.
func (s *Server) goAway() {
	for _, c := range s.all(true) {
		c.goAway()
	}
}

func (s *Server) all(closing bool) []*conn {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closing = s.closing || closing
	conns := make([]*conn, 0, len(s.conns))
	for c := range s.conns {
		conns = append(conns, c)
	}
	return conns
}

func (s *Server) track(c *conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing {
		return false
	}
	if s.conns == nil {
		s.conns = map[*conn]struct{}{}
	}
	s.conns[c] = struct{}{}
	return true
}

func (s *Server) untrack(c *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.conns, c)
	if s.idle != nil && len(s.conns) == 0 {
		close(s.idle)
		s.idle = nil
	}
}

// limits are what a connection's Endpoint is given.
func (s *Server) limits() h2.Limits {
	return h2.Limits{Streams: s.MaxStreams, StreamWindow: s.StreamWindow, SendBuffer: s.SendBuffer, HeaderBytes: s.MaxHeaderBytes}
}

func (s *Server) logger() *slog.Logger { return cmp.Or(s.Logger, slog.Default()) }

// after is the moment d from now, or def if d is 0; the zero time, which is never, if d
// is below.
func after(d, def time.Duration) time.Time {
	switch {
	case d < 0:
		return time.Time{}
	case d == 0:
		d = def
	}
	return time.Now().Add(d)
}
