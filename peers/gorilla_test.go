package peers

import (
	"context"
	"errors"
	"net/http"
	"testing"

	"github.com/gorilla/websocket"
)

type gorillaPeer struct{}

func TestGorilla(t *testing.T) { run(t, gorillaPeer{}) }

func (gorillaPeer) Lacks() map[Ability]string { return nil }

// gorillaBuffer is the write buffer for exchanges that need fragments: gorilla
// sends a fragment whenever its buffer is full and has no other way to ask.
const gorillaBuffer = 16

// gorillaLongBuffer keeps a 16 MiB message of a client, which always goes
// through the buffer, at a number of fragments that nobody takes for an attack.
const gorillaLongBuffer = 64 << 10

func (o Options) gorillaBuffer() int {
	if o.Fragments {
		return gorillaBuffer
	}
	return gorillaLongBuffer
}

func (gorillaPeer) Listen(t *testing.T, o Options) *Listener {
	up := websocket.Upgrader{Subprotocols: o.Protocols, WriteBufferSize: o.gorillaBuffer(), EnableCompression: o.Deflate != nil}
	return serveHTTP(t, o.TLS, func(accept func(*Session)) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			c, err := up.Upgrade(w, r, nil)
			if err != nil {
				return
			}
			s := gorillaSession(c, o)
			s.extensionHidden = true
			if o.Greeting != nil {
				_ = s.Do(t.Context(), *o.Greeting)
			}
			accept(s)
			gorillaRead(s, c)
		})
	})
}

func (gorillaPeer) Dial(t *testing.T, url string, o Options) (*Session, error) {
	d := websocket.Dialer{TLSClientConfig: o.TLS.client(), Subprotocols: o.Protocols, WriteBufferSize: o.gorillaBuffer(), EnableCompression: o.Deflate != nil}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	c, answer, err := d.DialContext(ctx, url, nil)
	if err != nil {
		return nil, err
	}
	s := gorillaSession(c, o)
	s.Extension = extensions(answer)
	go gorillaRead(s, c)
	t.Cleanup(func() { _ = c.Close(); <-s.done })
	return s, nil
}

func gorillaSession(c *websocket.Conn, o Options) *Session {
	s := newSession()
	s.Protocol = c.Subprotocol()
	c.SetReadLimit(o.limit())
	c.SetPongHandler(func(data string) error {
		s.report(pong(data))
		return nil
	})
	s.Do = func(_ context.Context, a Action) error {
		_ = c.SetWriteDeadline(soon())
		switch a.Do {
		case "send":
			kind := websocket.TextMessage
			if a.Kind == binary {
				kind = websocket.BinaryMessage
			}
			if len(a.Parts) == 1 {
				return c.WriteMessage(kind, a.payload())
			}
			w, err := c.NextWriter(kind)
			if err != nil {
				return err
			}
			for i, p := range a.Parts {
				if i > 0 && a.Pings {
					if err := c.WriteControl(websocket.PingMessage, []byte(inside(i)), soon()); err != nil {
						return err
					}
				}
				if _, err := w.Write(p.bytes(a.Kind)); err != nil {
					return err
				}
			}
			return w.Close()
		case "ping":
			return c.WriteControl(websocket.PingMessage, []byte(a.Data), soon())
		case "close":
			var body []byte
			if a.Code != 0 {
				body = websocket.FormatCloseMessage(a.Code, a.Reason)
			}
			return c.WriteControl(websocket.CloseMessage, body, soon())
		case "abort":
			return c.UnderlyingConn().Close()
		}
		return errors.ErrUnsupported
	}
	return s
}

// gorillaRead reads until the connection is over.
func gorillaRead(s *Session, c *websocket.Conn) {
	defer c.Close()
	for {
		kind, b, err := c.ReadMessage()
		if err != nil {
			// gorilla answers a close frame before it returns this error.
			e := closed(websocket.CloseAbnormalClosure, "")
			if ce, ok := errors.AsType[*websocket.CloseError](err); ok {
				e = closed(ce.Code, ce.Text)
				if ce.Code == websocket.CloseAbnormalClosure {
					e.Reason = ""
				}
			}
			e.Err = err.Error()
			s.report(e)
			return
		}
		s.report(received(gorillaKinds[kind], b))
	}
}

var gorillaKinds = map[int]string{websocket.TextMessage: text, websocket.BinaryMessage: binary}
