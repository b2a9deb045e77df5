package peers

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"sync/atomic"
	"testing"

	"framewright/ws"
	"framewright/ws/wsnet"
)

// framewright is our own end, behind the same interface as the peers.
type framewright struct{}

func (framewright) Lacks() map[Ability]string { return nil }

// frameCount counts the data frames of the message under way, by way of the
// trace hook, so that a test of fragments cannot pass on whole messages.
type frameCount struct{ in, out atomic.Int64 }

func (n *frameCount) trace(e ws.TraceEvent) {
	if e.Handshake != "" || e.Rule != "" || e.Header.Opcode.IsControl() {
		return
	}
	count := &n.in
	if e.Sent {
		count = &n.out
	}
	if e.Header.Opcode != ws.OpContinuation {
		count.Store(0)
	}
	count.Add(1)
}

func (n *frameCount) options(o Options, role ws.Role) wsnet.Options {
	return wsnet.Options{
		Subprotocols: o.Protocols,
		MaxMessage:   o.limit(),
		// A client of gorilla cuts 16 MiB into pieces as large as its buffer.
		MaxFragments: -1,
		Trace:        n.trace,
		Compression:  o.Deflate.ours(role),
		WriteTimeout: patience,
	}
}

// Listen serves WebSockets at /ws and, for the browser, an empty page at /.
func (framewright) Listen(t *testing.T, o Options) *Listener {
	return serveHTTP(t, o.TLS, func(accept func(*Session)) http.Handler {
		mux := http.NewServeMux()
		mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			_, _ = io.WriteString(w, "<!doctype html><title>blank</title>")
		})
		var srv *wsnet.Server
		mux.HandleFunc("/ws", func(w http.ResponseWriter, r *http.Request) {
			// One connection a listener, so one count a server is enough.
			n := &frameCount{}
			srv = wsnet.Handler(func(ctx context.Context, c *wsnet.Conn) error {
				s := ourSession(c, n)
				if o.Greeting != nil {
					_ = s.Do(ctx, *o.Greeting)
				}
				accept(s)
				return ourRead(s, c, n)
			})
			srv.Options.Options = n.options(o, ws.RoleServer)
			srv.Logger = slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn}))
			srv.ServeHTTP(w, r)
		})
		t.Cleanup(func() {
			if srv == nil {
				return
			}
			ctx, cancel := context.WithTimeout(context.Background(), patience)
			defer cancel()
			if err := srv.Shutdown(ctx); err != nil {
				t.Errorf("our server did not shut down: %v", err)
			}
		})
		return mux
	})
}

func (framewright) Dial(t *testing.T, url string, o Options) (*Session, error) {
	n := &frameCount{}
	options := &wsnet.DialOptions{Options: n.options(o, ws.RoleClient)}
	if o.TLS != nil {
		tr := &http.Transport{TLSClientConfig: o.TLS.client()}
		t.Cleanup(tr.CloseIdleConnections)
		options.HTTPClient = &http.Client{Transport: tr}
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	c, err := wsnet.Dial(ctx, url, options)
	if err != nil {
		return nil, err
	}
	s := ourSession(c, n)
	go ourRead(s, c, n)
	t.Cleanup(func() { _ = c.CloseNow(); <-s.done })
	return s, nil
}

func ourSession(c *wsnet.Conn, n *frameCount) *Session {
	s := newSession()
	s.Protocol, s.conn = c.Subprotocol(), c
	pinged := func(ctx context.Context, data string) error {
		if _, err := c.Ping(ctx); err != nil { // it chooses the payload and checks the pong
			return err
		}
		s.report(pong(data))
		return nil
	}
	s.Do = func(ctx context.Context, a Action) error {
		switch a.Do {
		case "send":
			op := ws.OpText
			if a.Kind == binary {
				op = ws.OpBinary
			}
			if len(a.Parts) == 1 {
				return c.Write(ctx, op, a.payload())
			}
			w, err := c.Writer(ctx, op)
			if err != nil {
				return err
			}
			for i, p := range a.Parts {
				if i > 0 && a.Pings {
					if err := pinged(ctx, inside(i)); err != nil {
						return err
					}
				}
				if _, err := w.Write(p.bytes(a.Kind)); err != nil {
					return err
				}
			}
			if err := w.Close(); err != nil {
				return err
			}
			if got := n.out.Load(); got < 2 && c.Deflate() == nil {
				return fmt.Errorf("the message went out in %d frame, not in fragments", got)
			}
			return nil
		case "ping":
			return pinged(ctx, a.Data)
		case "close":
			code := ws.Code(a.Code)
			if a.Code == 0 {
				code = ws.CodeNoStatus
			}
			return c.Close(ctx, code, a.Reason)
		case "abort":
			return c.CloseNow()
		}
		return errors.ErrUnsupported
	}
	return s
}

// ourRead reads until the connection is over and returns its error.
func ourRead(s *Session, c *wsnet.Conn, n *frameCount) error {
	for {
		op, b, err := c.Read(context.Background())
		if err != nil {
			e := closed(0, "no *ws.CloseError in the error")
			if ce, ok := errors.AsType[*ws.CloseError](err); ok {
				e = closed(int(ce.Code), ce.Reason)
			}
			e.Err = err.Error()
			s.report(e)
			return err
		}
		e := received(text, b)
		if op == ws.OpBinary {
			e.Kind = binary
		}
		e.Frames = int(n.in.Load())
		s.report(e)
	}
}
