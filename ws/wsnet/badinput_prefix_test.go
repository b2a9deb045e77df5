package wsnet_test

import (
	"errors"
	"io"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"framewright/ws"
	"framewright/ws/wsnet"
	"framewright/ws/wstest"
)

// badSession is a valid session as a peer sends it, behind the opening
// handshake, frame by frame, and what the application has got by then.
var badSession = []struct {
	frame string
	got   string
}{
	{frame: "81 05 | 'Hello'", got: "Hello"},
	{frame: "01 03 | 'Hel'"},
	{frame: "89 04 | 'ping'"},
	{frame: "00 00"},
	{frame: "80 02 | 'lo'", got: "Hello"},
	{frame: "82 7e 0080 | 'a'*128", got: strings.Repeat("a", 128)},
	{frame: "88 05 | 03e9 | 'bye'"},
}

// Every prefix of a valid session, cut there: no hang, no leak, the right
// error.
func TestBadInputEveryPrefix(t *testing.T) {
	wstest.CheckLeaks(t)
	n := newBadNet(t)
	for _, role := range []ws.Role{ws.RoleServer, ws.RoleClient} {
		for _, transport := range []string{"tcp", "tls"} {
			for _, end := range []string{"FIN", "RST"} {
				t.Run(role.String()+" "+transport+" "+end, func(t *testing.T) {
					t.Parallel()
					step := 1
					if transport == "tls" {
						step = 5
					}
					if end == "RST" {
						step *= 3
					}
					for cut := 0; !t.Failed(); cut += step {
						if !badPrefix(t, n, role, transport, end, cut) {
							break
						}
					}
				})
			}
		}
	}
}

// badPrefix runs the session up to byte cut. It reports whether there is more.
func badPrefix(t *testing.T, n *badNet, role ws.Role, transport, end string, cut int) (more bool) {
	defer func() {
		if t.Failed() {
			t.Logf("that was: cut after %d bytes", cut)
		}
	}()
	app := newBadApp(&wsnet.Options{}, []string{badWhole, badBytes, badGlued}[cut%3])
	var p *wstest.Peer
	var send []byte
	if role == ws.RoleServer {
		p = wstest.NewPeer(t, n.dial(t, transport, app))
		send = wstest.Request("/", "server.test")
	} else {
		p = wstest.NewPeer(t, n.accept(t, transport, cut%2 == 0, app))
		send = wstest.Response(wstest.HeadField(p.ReadHead("the opening handshake"), "Sec-WebSocket-Key"))
	}
	upgraded := cut >= len(send)
	var got []string
	for _, s := range badSession {
		send = append(send, badWire(role, s.frame)...)
		if s.got != "" && cut >= len(send) {
			got = append(got, s.got)
		}
	}
	closed := cut >= len(send)
	p.SendBytes(send[:min(cut, len(send))])

	if end == "RST" {
		if upgraded && role == ws.RoleServer {
			p.ReadHead("the opening handshake") // or the reset may overtake the request
		}
		badReset(t, p)
	} else {
		p.CloseWrite()
		answer, err := io.ReadAll(p.Conn())
		switch {
		case err != nil:
			t.Errorf("the other side did not close in an orderly way: %v", err)
		case !upgraded && role == ws.RoleServer && len(answer) > 0 && !strings.HasPrefix(string(answer), "HTTP/1.1 400 "):
			t.Errorf("the answer to a request that broke off is %q", answer)
		}
		p.Close()
	}

	if !upgraded && role == ws.RoleServer {
		if app.calls.Load() > 0 {
			t.Error("the handler was called")
		}
		return true
	}
	if !upgraded {
		app.wait(t)
		if e, ok := errors.AsType[*ws.HandshakeError](app.err); !ok || e.Status != 0 {
			t.Errorf("got %v, want a *HandshakeError without a status", app.err)
		}
		return true
	}
	if end == "RST" {
		badAfterReset(t, app, got)
		return !closed
	}
	app.wait(t, got...)
	if closed {
		app.wantClosed(t, ws.CodeGoingAway, true)
		return false
	}
	if e := app.wantClosed(t, ws.CodeAbnormal, true); !errors.Is(e, io.ErrUnexpectedEOF) {
		t.Errorf("got %v, want io.ErrUnexpectedEOF in it", e)
	}
	return true
}

// badAfterReset allows for what a reset does to bytes on their way: the
// endpoint may have seen less than was sent, down to nothing at all.
func badAfterReset(t *testing.T, app *badApp, sent []string) {
	t.Helper()
	if !wstest.Await(app.done, 30*time.Second) {
		t.Fatal("the endpoint hangs")
	}
	if app.conn == nil {
		return
	}
	if len(app.got) > len(sent) || !slices.Equal(app.got, sent[:len(app.got)]) {
		t.Errorf("the application got %q of %q", app.got, sent)
	}
	e, ok := errors.AsType[*ws.CloseError](app.err)
	switch {
	case !ok:
		t.Errorf("got %v, want a *CloseError", app.err)
	case e.Code == ws.CodeGoingAway && e.Remote:
	case e.Code != ws.CodeAbnormal || !errors.Is(e, syscall.ECONNRESET) && !errors.Is(e, syscall.EPIPE) && !errors.Is(e, io.ErrUnexpectedEOF):
		t.Errorf("got %v, want a lost connection and why", e)
	}
}
