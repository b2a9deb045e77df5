package peers

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync/atomic"
	"testing"

	"github.com/coder/websocket"
)

type coderPeer struct{}

func TestCoder(t *testing.T) { run(t, coderPeer{}) }

func (coderPeer) Lacks() map[Ability]string { return nil }

// coder has one switch for both directions.
func (d *Deflate) coder() websocket.CompressionMode {
	switch {
	case d == nil:
		return websocket.CompressionDisabled
	case d.ServerContext:
		return websocket.CompressionContextTakeover
	}
	return websocket.CompressionNoContextTakeover
}

func (coderPeer) Listen(t *testing.T, o Options) *Listener {
	return serveHTTP(t, o.TLS, func(accept func(*Session)) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			c, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: o.Protocols, CompressionMode: o.Deflate.coder(), CompressionThreshold: 1})
			if err != nil {
				return
			}
			s := coderSession(c, o)
			s.extensionHidden = true
			if o.Greeting != nil {
				_ = s.Do(t.Context(), *o.Greeting)
			}
			accept(s)
			<-s.done
		})
	})
}

func (coderPeer) Dial(t *testing.T, url string, o Options) (*Session, error) {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	tr := &http.Transport{TLSClientConfig: o.TLS.client()}
	c, answer, err := websocket.Dial(ctx, url, &websocket.DialOptions{Subprotocols: o.Protocols, CompressionMode: o.Deflate.coder(), CompressionThreshold: 1, HTTPClient: &http.Client{Transport: tr}})
	if err != nil {
		return nil, err
	}
	s := coderSession(c, o)
	s.Extension = extensions(answer)
	t.Cleanup(func() { _ = c.CloseNow(); <-s.done; tr.CloseIdleConnections() })
	return s, nil
}

func coderSession(c *websocket.Conn, o Options) *Session {
	s := newSession()
	s.Protocol = c.Subprotocol()
	c.SetReadLimit(o.limit())
	// coder chooses a ping's payload and checks the pong against it.
	pinged := func(ctx context.Context, data string) error {
		if err := c.Ping(ctx); err != nil {
			return err
		}
		s.report(pong(data))
		return nil
	}
	closing := new(atomic.Bool)
	s.Do = func(ctx context.Context, a Action) error {
		switch a.Do {
		case "send":
			kind := websocket.MessageText
			if a.Kind == binary {
				kind = websocket.MessageBinary
			}
			if len(a.Parts) == 1 {
				return c.Write(ctx, kind, a.payload())
			}
			w, err := c.Writer(ctx, kind)
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
			return w.Close()
		case "ping":
			return pinged(ctx, a.Data)
		case "close":
			code := websocket.StatusCode(a.Code)
			if a.Code == 0 {
				code = websocket.StatusNoStatusRcvd
			}
			closing.Store(true)
			err := c.Close(code, a.Reason)
			if err == nil { // the answer came and had the same code
				s.report(closed(a.Code, ""))
			} else {
				s.report(Event{Event: "closed", Code: 1006, Err: err.Error()})
			}
			return err
		case "abort":
			return c.CloseNow()
		}
		return errors.ErrUnsupported
	}
	go coderRead(s, c, closing)
	return s
}

// coderRead reads until the connection is over. Close reads too, and when it is
// the one that gets the answering close frame, a reader only learns that the
// connection is closed: then Close's word counts.
func coderRead(s *Session, c *websocket.Conn, closing *atomic.Bool) {
	for {
		kind, b, err := c.Read(context.Background())
		if err != nil {
			if closing.Load() && errors.Is(err, net.ErrClosed) {
				return
			}
			e := closed(1006, "")
			if ce, ok := errors.AsType[websocket.CloseError](err); ok {
				e = closed(int(ce.Code), ce.Reason)
			}
			e.Err = err.Error()
			s.report(e)
			_ = c.CloseNow()
			return
		}
		s.report(received(coderKinds[kind], b))
	}
}

var coderKinds = map[websocket.MessageType]string{websocket.MessageText: text, websocket.MessageBinary: binary}
