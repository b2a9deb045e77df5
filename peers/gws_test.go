package peers

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/lxzan/gws"
)

type gwsPeer struct{}

func TestGws(t *testing.T) { run(t, gwsPeer{}) }

func (gwsPeer) Lacks() map[Ability]string {
	return map[Ability]string{
		Fragments:  "gws has no call that sends a fragment; WriteFile cuts a stream at 128 KiB",
		PingInside: "gws holds its write lock for the whole of WriteFile",
		EmptyClose: "gws turns a code below 1000 into 1000",
		Unagreed:   "gws's client refuses a server that picks none of its subprotocols",
	}
}

// gwsEvents turns the callbacks of one connection into events.
type gwsEvents struct {
	gws.BuiltinEventHandler
	s *Session
}

func (e *gwsEvents) OnPing(c *gws.Conn, payload []byte) { _ = c.WritePong(payload) }

func (e *gwsEvents) OnPong(_ *gws.Conn, payload []byte) { e.s.report(pong(string(payload))) }

func (e *gwsEvents) OnMessage(_ *gws.Conn, m *gws.Message) {
	defer m.Close()
	kind := text
	if m.Opcode == gws.OpcodeBinary {
		kind = binary
	}
	e.s.report(received(kind, m.Bytes()))
}

// OnClose comes with what the other end's close frame said. When gws closed
// first it does not wait for the answer; then err is its own code.
func (e *gwsEvents) OnClose(_ *gws.Conn, err error) {
	ev := closed(1006, "")
	if ce, ok := errors.AsType[*gws.CloseError](err); ok {
		ev = closed(int(ce.Code), string(ce.Reason))
		if ce.Code == 0 {
			ev.Code = 1005
		}
	} else if code, ok := gwsOwnCode(err); ok {
		ev.Code = code
	}
	ev.Err = err.Error()
	e.s.report(ev)
}

// gwsOwnCode finds the close code in the unexported type that gws uses for an
// ending of its own.
func gwsOwnCode(err error) (int, bool) {
	c, ok := err.(interface{ Uint16() uint16 })
	if !ok {
		return 0, false
	}
	return int(c.Uint16()), true
}

func (d *Deflate) gws() gws.PermessageDeflate {
	if d == nil {
		return gws.PermessageDeflate{}
	}
	return gws.PermessageDeflate{
		Enabled: true, Threshold: 1,
		ServerContextTakeover: d.ServerContext, ClientContextTakeover: d.ClientContext,
		ServerMaxWindowBits: cmp.Or(d.ServerBits, 15), ClientMaxWindowBits: cmp.Or(d.ClientBits, 15),
	}
}

func (gwsPeer) Listen(t *testing.T, o Options) *Listener {
	return serveHTTP(t, o.TLS, func(accept func(*Session)) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			events := &gwsEvents{s: newSession()}
			up := gws.NewUpgrader(events, &gws.ServerOption{
				SubProtocols: o.Protocols, ReadMaxPayloadSize: int(o.limit()),
				WriteMaxPayloadSize: defaultLimit, CheckUtf8Enabled: !o.Invalid, Logger: quiet{}, PermessageDeflate: o.Deflate.gws(),
			})
			c, err := up.Upgrade(w, r)
			if err != nil {
				return
			}
			gwsSession(events.s, c)
			events.s.extensionHidden = true
			if o.Greeting != nil {
				_ = events.s.Do(t.Context(), *o.Greeting)
			}
			accept(events.s)
			c.ReadLoop()
		})
	})
}

func (gwsPeer) Dial(t *testing.T, url string, o Options) (*Session, error) {
	events := &gwsEvents{s: newSession()}
	header := http.Header{}
	if len(o.Protocols) > 0 {
		header.Set("Sec-WebSocket-Protocol", strings.Join(o.Protocols, ", "))
	}
	c, answer, err := gws.NewClient(events, &gws.ClientOption{
		Addr: url, TlsConfig: o.TLS.client(), RequestHeader: header, ReadMaxPayloadSize: int(o.limit()),
		WriteMaxPayloadSize: defaultLimit, CheckUtf8Enabled: !o.Invalid, HandshakeTimeout: patience, Logger: quiet{}, PermessageDeflate: o.Deflate.gws(),
	})
	if err != nil {
		return nil, err
	}
	gwsSession(events.s, c)
	events.s.Extension = extensions(answer)
	go c.ReadLoop()
	t.Cleanup(func() { _ = c.NetConn().Close(); <-events.s.done })
	return events.s, nil
}

func gwsSession(s *Session, c *gws.Conn) {
	s.Protocol = c.SubProtocol()
	s.Do = func(_ context.Context, a Action) error {
		switch a.Do {
		case "send":
			kind := gws.OpcodeText
			if a.Kind == binary {
				kind = gws.OpcodeBinary
			}
			if len(a.Parts) == 1 {
				return c.WriteMessage(kind, a.payload())
			}
			return c.WriteFile(kind, bytes.NewReader(a.payload()))
		case "ping":
			return c.WritePing([]byte(a.Data))
		case "close":
			return c.WriteClose(uint16(a.Code), []byte(a.Reason))
		case "abort":
			return c.NetConn().Close()
		}
		return errors.ErrUnsupported
	}
}

// quiet drops what gws would print.
type quiet struct{}

func (quiet) Error(...any) {}
