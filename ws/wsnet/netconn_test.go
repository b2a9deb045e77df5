package wsnet_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"framewright/ws"
	"framewright/ws/wsnet"
	"framewright/ws/wstest"

	"golang.org/x/net/nettest"
)

func TestNetConn(t *testing.T) {
	cert := ctCertificate(t)
	for name, connect := range map[string]func() (server, client io.ReadWriteCloser, err error){
		"pipe": func() (io.ReadWriteCloser, io.ReadWriteCloser, error) {
			a, b := wstest.Pipe()
			return a, b, nil
		},
		"TCP": func() (io.ReadWriteCloser, io.ReadWriteCloser, error) {
			a, b := ctTCP(t)
			return a, b, nil
		},
		"TLS": func() (io.ReadWriteCloser, io.ReadWriteCloser, error) {
			a, b := ctTCP(t)
			s, c := ctTLS(t, a, b, cert, ws.RoleServer)
			return s, c, nil
		},
		"stream without deadlines": func() (io.ReadWriteCloser, io.ReadWriteCloser, error) {
			a, b := wstest.Pipe()
			return ctOnlyStream{a}, ctOnlyStream{b}, nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			for _, clientFirst := range []bool{false, true} {
				nettest.TestConn(t, func() (net.Conn, net.Conn, func(), error) {
					a, b, err := connect()
					if err != nil {
						return nil, nil, nil, err
					}
					s, c := wsnet.NewConn(a, ws.RoleServer, nil), wsnet.NewConn(b, ws.RoleClient, nil)
					n1, n2 := wsnet.NetConn(context.Background(), s, ws.OpBinary), wsnet.NetConn(context.Background(), c, ws.OpBinary)
					if clientFirst {
						n1, n2 = n2, n1
					}
					return n1, n2, func() { s.CloseNow(); c.CloseNow() }, nil
				})
			}
		})
	}
}

// A frame that deadlines interrupt again and again goes on where it stopped.
func TestNetConnKeepsTheRest(t *testing.T) {
	for _, role := range []ws.Role{ws.RoleServer, ws.RoleClient} {
		synctest.Test(t, func(t *testing.T) {
			c, p := ctConnSize(t, role, ctQuiet(), 100)
			n := wsnet.NetConn(t.Context(), c, ws.OpBinary)
			msg := bytes.Repeat([]byte("abcdefgh"), 100)
			written := 0
			for range 5 {
				n.SetWriteDeadline(time.Now().Add(time.Second))
				w, err := n.Write(msg)
				if written += w; err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
					t.Fatal(err)
				}
			}
			n.SetWriteDeadline(time.Time{})
			done := ctAsync(func() error { _, err := n.Write([]byte("last")); return err })
			got := 0
			for {
				f := p.ReadFrame("a message")
				if string(f.Payload) == "last" {
					break
				}
				if !bytes.Equal(f.Payload, msg) {
					t.Fatalf("got %v", f)
				}
				got += len(f.Payload)
			}
			if err := <-done; err != nil {
				t.Error(err)
			}
			if got != written {
				t.Errorf("%d bytes came of %d written", got, written)
			}
		})
	}
}

func TestNetConnKeepsTheRestOverTCP(t *testing.T) {
	wstest.CheckLeaks(t)
	a, b := ctTCP(t)
	c := wsnet.NewConn(a, ws.RoleServer, ctQuiet())
	defer c.CloseNow()
	n := wsnet.NetConn(t.Context(), c, ws.OpBinary)
	msg := bytes.Repeat([]byte("abcdefgh"), 1500)
	for {
		n.SetWriteDeadline(time.Now().Add(20 * time.Millisecond))
		if _, err := n.Write(msg); errors.Is(err, os.ErrDeadlineExceeded) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
	n.SetWriteDeadline(time.Time{})
	p := wstest.NewPeer(t, b)
	done := ctAsync(func() error { _, err := n.Write([]byte("last")); return err })
	for i := 0; ; i++ {
		f := p.ReadFrame("a message")
		if string(f.Payload) == "last" {
			break
		}
		if !bytes.Equal(f.Payload, msg) {
			t.Fatalf("message %d: %v", i, f)
		}
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestNetConnReadsMessagesAsOneStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, p := ctConn(t, ws.RoleServer, ctQuiet())
		n := wsnet.NetConn(t.Context(), c, ws.OpText)
		p.SendFrame(wstest.Text("one "))
		p.SendFrame(wstest.Text(""))
		p.SendFrame(wstest.Frame{Opcode: ws.OpText, Payload: []byte("t")})
		p.SendFrame(wstest.Ping("x"))
		p.SendFrame(wstest.Frame{Fin: true, Opcode: ws.OpContinuation, Payload: []byte("wo")})
		p.SendFrame(wstest.Close(ws.CodeNormal, ""))
		if got, err := io.ReadAll(n); string(got) != "one two" || err != nil {
			t.Errorf("got %q, %v; want it to end with io.EOF", got, err)
		}
		p.WantFrame("pong", wstest.Pong("x"))
		p.WantClose("the answer", ws.CodeNormal, "")
		if n.RemoteAddr().Network() != "websocket" || n.LocalAddr().Network() != "websocket" {
			t.Errorf("addresses %v, %v", n.LocalAddr(), n.RemoteAddr())
		}
	})
}

func TestNetConnEnds(t *testing.T) {
	for name, tc := range map[string]struct {
		end  func(p *wstest.Peer)
		eof  bool
		code ws.Code
	}{
		"1000":         {func(p *wstest.Peer) { p.SendFrame(wstest.Close(ws.CodeNormal, "")) }, true, 0},
		"1001":         {func(p *wstest.Peer) { p.SendFrame(wstest.Close(ws.CodeGoingAway, "")) }, true, 0},
		"1011":         {func(p *wstest.Peer) { p.SendFrame(wstest.Close(ws.CodeInternalError, "")) }, false, ws.CodeInternalError},
		"no handshake": {func(p *wstest.Peer) { p.Close() }, false, ws.CodeAbnormal},
		"text":         {func(p *wstest.Peer) { p.SendFrame(wstest.Text("x")) }, false, ws.CodeUnsupportedData},
	} {
		synctest.Test(t, func(t *testing.T) {
			c, p := ctConn(t, ws.RoleServer, ctQuiet())
			n := wsnet.NetConn(t.Context(), c, ws.OpBinary)
			tc.end(p)
			for range 2 {
				_, err := n.Read(make([]byte, 1))
				if e, ok := errors.AsType[*ws.CloseError](err); (err == io.EOF) != tc.eof || ok && e.Code != tc.code {
					t.Errorf("%s: %v", name, err)
				}
			}
		})
	}
}

func TestNetConnAfterClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, c := ctPair(t, ctQuiet(), ctQuiet())
		go func() {
			for range c.Messages(t.Context()) {
			}
		}()
		n := wsnet.NetConn(t.Context(), s, ws.OpBinary)
		read := func() error { _, err := n.Read(make([]byte, 1)); return err }
		blocked := ctAsync(read)
		synctest.Wait()
		ctTook(t, "Close", 0, func() {
			if err := n.Close(); err != nil {
				t.Error(err)
			}
		})
		_, writeErr := n.Write([]byte("x"))
		for name, err := range map[string]error{"the blocked Read": <-blocked, "Read": read(), "Write": writeErr} {
			if ne, ok := errors.AsType[net.Error](err); !errors.Is(err, net.ErrClosed) || !ok || ne.Timeout() {
				t.Errorf("%s after Close: %v", name, err)
			}
		}
		if _, _, err := c.Read(t.Context()); err != nil {
			ctCloseError(t, "the peer", err, ws.CodeNormal, true)
		}
	})
}

func TestNetConnContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _ := ctConn(t, ws.RoleServer, ctQuiet())
		ctx, cancel := context.WithCancel(t.Context())
		n := wsnet.NetConn(ctx, c, ws.OpBinary)
		blocked := ctAsync(func() error { _, err := n.Read(make([]byte, 1)); return err })
		synctest.Wait()
		cancel()
		if err := <-blocked; !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
		if _, err := n.Write([]byte("x")); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
	})
}
