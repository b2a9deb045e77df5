package wsnet

import (
	"context"
	"errors"
	"io"
	"net"
	"runtime/debug"
	"time"
)

// Serve accepts connections on l and runs Handler on each whose opening
// handshake is right, without net/http: a handshake costs a fraction of the
// time and leaves nothing behind, so it is for an address that speaks nothing
// but WebSocket. Requests for anything else are refused; for the rest Serve
// does what ServeHTTP does. l may be a TLS listener.
//
// Serve closes l and returns when l fails or, with ErrServerClosed, after
// Shutdown.
func (s *Server) Serve(l net.Listener) error {
	defer l.Close()
	if !s.track(l) {
		return ErrServerClosed
	}
	defer s.untrack(l)
	var pause time.Duration
	for {
		conn, err := l.Accept()
		if err == nil {
			pause = 0
			go s.open(conn)
			continue
		}
		s.mu.Lock()
		closing := s.closing
		s.mu.Unlock()
		if closing {
			return ErrServerClosed
		}
		t, ok := errors.AsType[temporary](err)
		if !ok || !t.Temporary() { // such as too many open files
			return err
		}
		pause = min(max(2*pause, 5*time.Millisecond), time.Second)
		s.logger().Error("ws: accept failed", "err", err, "retry", pause)
		time.Sleep(pause)
	}
}

// ListenAndServe is Serve on the TCP address addr.
func (s *Server) ListenAndServe(addr string) error {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	return s.Serve(l)
}

// track notes what Shutdown closes, unless that was called already.
func (s *Server) track(c io.Closer) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing {
		return false
	}
	if s.serving == nil {
		s.serving = map[io.Closer]struct{}{}
	}
	s.serving[c] = struct{}{}
	return true
}

func (s *Server) untrack(c io.Closer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.serving, c)
	s.checkIdle()
}

// open does the handshake. The handler gets a goroutine of its own, whose stack
// has not grown.
func (s *Server) open(conn net.Conn) {
	if !s.track(conn) {
		conn.Close()
		return
	}
	defer s.untrack(conn)
	x := newStreamExchange(context.Background(), conn, &s.Options)
	defer x.free()
	returned := false
	defer func() { // Connect, Address or Trace may panic, or end the goroutine
		if p := recover(); p != nil {
			s.logger().Error("ws: panic in the opening handshake", "remote", conn.RemoteAddr(), "err", p, "stack", string(debug.Stack()))
		}
		if !returned {
			conn.Close()
		}
	}()
	x.read()
	s.handshake(context.Background(), &x.upgrade)
	returned = true
}
