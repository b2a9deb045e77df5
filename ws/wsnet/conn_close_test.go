package wsnet_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"framewright/ws"
	"framewright/ws/wsnet"
	"framewright/ws/wstest"
)

// ccEnd is what each role does once both Close frames are out: the server ends
// TCP first (§7.1.1), so a client waits for the other side.
func ccEnd(p *wstest.Peer, role ws.Role) {
	if role == ws.RoleClient {
		p.Close()
		return
	}
	p.WantEOF("the server ends TCP first")
	p.Close()
}

func ccRoles(t *testing.T, f func(t *testing.T, role ws.Role)) {
	for _, role := range []ws.Role{ws.RoleServer, ws.RoleClient} {
		t.Run(role.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { f(t, role) })
		})
	}
}

// ccPeer teaches the peer which frames to send: a server's are unmasked.
func ccSend(p *wstest.Peer, role ws.Role, f wstest.Frame) {
	if role == ws.RoleServer {
		p.SendBytes(ctMasked(f.Fin, f.Opcode, string(f.Payload)))
		return
	}
	p.SendBytes(ctUnmasked(f.Fin, f.Opcode, string(f.Payload)))
}

var ccCodes = []struct {
	code   ws.Code
	reason string
}{
	{ws.CodeNormal, "done"},
	{ws.CodeGoingAway, ""},
	{ws.CodeNoStatus, ""},
	{ws.CodeTryAgainLater, strings.Repeat("€", 41)},
	{4999, "ours"},
}

func TestCloseWeFirst(t *testing.T) {
	for _, tc := range ccCodes {
		for _, reading := range []bool{false, true} {
			t.Run(fmt.Sprintf("%d/reading=%v", tc.code, reading), func(t *testing.T) {
				ccRoles(t, func(t *testing.T, role ws.Role) {
					c, p := ctConn(t, role, nil)
					var reader <-chan error
					if reading {
						reader = ctAsync(func() error { _, _, err := c.Read(t.Context()); return err })
						synctest.Wait()
					}
					closed := ctAsync(func() error { return c.Close(t.Context(), tc.code, tc.reason) })
					p.WantClose("ours", tc.code, tc.reason)
					ctPending(t, "Close", closed)
					ccSend(p, role, wstest.Close(ws.CodeProtocolError, "theirs"))
					ccEnd(p, role)
					if err := <-closed; err != nil {
						t.Errorf("Close: %v", err)
					}
					if e := ctCloseError(t, "Err", c.Err(), tc.code, false); e.Reason != tc.reason || e.Err != nil {
						t.Errorf("Err: %#v", e)
					}
					if reading {
						ctCloseError(t, "the reader", <-reader, tc.code, false)
					}
					if err := c.Close(t.Context(), ws.CodeNormal, "again"); err != nil {
						t.Errorf("second Close: %v", err)
					}
					if err := c.CloseNow(); !errors.Is(err, c.Err()) {
						t.Errorf("CloseNow after Close: %v", err)
					}
					ctOneEnd(t, c)
				})
			})
		}
	}
}

func TestClosePeerFirst(t *testing.T) {
	for _, tc := range ccCodes {
		t.Run(fmt.Sprint(tc.code), func(t *testing.T) {
			ccRoles(t, func(t *testing.T, role ws.Role) {
				c, p := ctConn(t, role, nil)
				reader := ctAsync(func() error { _, _, err := c.Read(t.Context()); return err })
				ccSend(p, role, wstest.Close(tc.code, tc.reason))
				p.WantClose("the answer has their code", tc.code, "")
				if e := ctCloseError(t, "the reader", <-reader, tc.code, true); e.Reason != tc.reason || e.Err != nil {
					t.Errorf("%#v", e)
				}
				ccEnd(p, role)
				if err := c.Close(t.Context(), ws.CodeNormal, "late"); err != nil {
					t.Errorf("Close after the peer's: %v", err)
				}
				ctOneEnd(t, c)
			})
		})
	}
}

// Both closed, and the frames crossed: each is the answer to the other.
func TestCloseCrossing(t *testing.T) {
	ccRoles(t, func(t *testing.T, role ws.Role) {
		c, p := ctConn(t, role, nil)
		ccSend(p, role, wstest.Close(ws.CodeGoingAway, "theirs"))
		closed := ctAsync(func() error { return c.Close(t.Context(), 4000, "ours") })
		p.WantClose("one Close frame", 4000, "ours")
		ccEnd(p, role)
		if err := <-closed; err != nil {
			t.Error(err)
		}
		ctCloseError(t, "ours was sent before theirs was seen", c.Err(), 4000, false)
		ctOneEnd(t, c)
	})
}

// Two of our own connections close at each other at the same moment, with
// readers and writers under way.
func TestCloseBothAtOnce(t *testing.T) {
	for i := range 50 {
		synctest.Test(t, func(t *testing.T) {
			s, c := ctPair(t, nil, nil)
			var wg sync.WaitGroup
			start := time.Now()
			for _, end := range []*wsnet.Conn{s, c} {
				if i%2 == 0 {
					wg.Go(func() {
						for range end.Messages(t.Context()) {
						}
					})
				}
				wg.Go(func() {
					for end.Write(t.Context(), ws.OpText, []byte("more")) == nil {
					}
				})
				for range 2 {
					wg.Go(func() {
						if err := end.Close(t.Context(), ws.CodeNormal, end.Role().String()); err != nil {
							t.Errorf("%v: %v", end.Role(), err)
						}
					})
				}
			}
			wg.Wait()
			if d := time.Since(start); d != 0 {
				t.Errorf("took %v", d)
			}
			ctOneEnd(t, s)
			ctOneEnd(t, c)
		})
	}
}

func TestCloseUnanswered(t *testing.T) {
	for _, reading := range []bool{false, true} {
		for name, talk := range map[string]func(p *wstest.Peer){
			"a silent peer":    func(*wstest.Peer) {},
			"a talkative peer": func(p *wstest.Peer) { p.SendFrame(wstest.Text("blah")) },
			"half a frame":     func(p *wstest.Peer) { p.Send("82 ff | 00 00 00 00 00 01 00 00 | 37fa213d | 00") },
		} {
			t.Run(fmt.Sprintf("%s/reading=%v", name, reading), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					c, p := ctConn(t, ws.RoleServer, &wsnet.Options{CloseTimeout: 3 * time.Second})
					if reading {
						go func() {
							for range c.Messages(t.Context()) {
							}
						}()
						synctest.Wait()
					}
					talk(p)
					ctTook(t, "Close", 3*time.Second, func() {
						err := c.Close(t.Context(), ws.CodeGoingAway, "bye")
						if e := ctCloseError(t, "Close", err, ws.CodeGoingAway, false); !errors.Is(e, wsnet.ErrCloseTimeout) {
							t.Errorf("got %v", err)
						}
					})
					p.WantClose("one Close frame", ws.CodeGoingAway, "bye")
					p.WantEOF("and it is cut")
					ctOneEnd(t, c)
				})
			})
		}
	}
}

func TestCloseBoundByContext(t *testing.T) {
	for _, reading := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			c, p := ctConn(t, ws.RoleClient, nil)
			if reading {
				go c.Read(t.Context())
				synctest.Wait()
			}
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			ctTook(t, "Close", time.Second, func() {
				if err := c.Close(ctx, ws.CodeNormal, ""); !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("got %v", err)
				}
			})
			p.WantClose("ours", ws.CodeNormal, "")
			p.WantEOF("cut")
			ctOneEnd(t, c)
		})
	}
}

// A context that is over before leaves the Close frame time, and nothing else: a peer that
// does not read does not hold Close up.
func TestCloseByAContextThatHasEnded(t *testing.T) {
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for name, tt := range map[string]struct {
		pipe int // bytes
		full bool
		took time.Duration
	}{
		"there is room":                  {pipe: wstest.DefaultPipeSize},
		"there is room for half of it":   {pipe: 2, took: 50 * time.Millisecond},
		"another frame has not gone out": {pipe: 10, full: true, took: 50 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			ccRoles(t, func(t *testing.T, role ws.Role) {
				c, p := ctConnSize(t, role, ctQuiet(), tt.pipe)
				if tt.full {
					go c.Write(t.Context(), ws.OpBinary, make([]byte, 100))
					synctest.Wait()
				}
				ctTook(t, "Close", tt.took, func() {
					if err := c.Close(ended, 4000, "bye"); !errors.Is(err, context.Canceled) {
						t.Errorf("got %v", err)
					}
				})
				if tt.took == 0 {
					p.WantClose("there was time for that", 4000, "bye")
					p.WantEOF("cut")
				}
				ctOneEnd(t, c)
			})
		})
	}
}

// The same where a deadline is the operating system's.
func TestCloseOverTLSByAContextThatHasEnded(t *testing.T) {
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	cert := ctCertificate(t)
	for _, over := range []string{"TCP", "TLS"} {
		for range 20 {
			a, b := ctTCP(t)
			if over == "TLS" {
				a, b = ctTLS(t, a, b, cert, ws.RoleServer)
			}
			c, p := wsnet.NewConn(a, ws.RoleServer, ctQuiet()), wstest.NewPeer(t, b)
			if err := c.Close(ended, 4000, "bye"); !errors.Is(err, context.Canceled) {
				t.Errorf("%s: got %v", over, err)
			}
			p.WantClose(over, 4000, "bye")
		}
	}
}

// A peer that answers the Close but never ends TCP holds a client for one
// second, and less if the context says so.
func TestClosePeerKeepsTCPOpen(t *testing.T) {
	for _, limit := range []time.Duration{time.Minute, 300 * time.Millisecond} {
		ccRoles(t, func(t *testing.T, role ws.Role) {
			c, p := ctConn(t, role, nil)
			ctx, cancel := context.WithTimeout(t.Context(), limit)
			defer cancel()
			ccSend(p, role, wstest.Close(ws.CodeNormal, ""))
			ctTook(t, "Close", min(time.Second, limit), func() {
				if err := c.Close(ctx, ws.CodeNormal, ""); err != nil {
					t.Error(err)
				}
			})
			p.WantClose("ours", ws.CodeNormal, "")
			p.WantEOF("the end")
		})
	}
}

func TestCloseInsideAFrame(t *testing.T) {
	for _, half := range []string{"82", "82 fe 10", "82 fe 1000 | 37fa213d | '0'*2000", "02 84 | 37fa213d | '0123' | 89 85 | 37fa213d | 'xx'"} {
		for _, reading := range []bool{false, true} {
			synctest.Test(t, func(t *testing.T) {
				c, p := ctConn(t, ws.RoleServer, nil)
				p.Send(half)
				if reading {
					ctx, cancel := context.WithTimeout(t.Context(), time.Second)
					_, _, err := c.Read(ctx)
					cancel()
					if !errors.Is(err, context.DeadlineExceeded) {
						t.Fatal(err)
					}
				}
				closed := ctAsync(func() error { return c.Close(t.Context(), ws.CodeNormal, "") })
				p.WantClose("although a frame is half read", ws.CodeNormal, "")
				switch half[:2] + half[len(half)-1:] {
				case "822": // the header's first byte
					p.Send("85 | 37fa213d | 'Hello'")
				case "820":
					if strings.HasSuffix(half, "10") {
						p.Send("00 | 37fa213d | '0'*4096")
					} else {
						p.Send("'0'*2096")
					}
				default:
					p.Send("'xxx'")
				}
				p.SendFrame(wstest.Close(ws.CodeNormal, ""))
				p.WantEOF("no pong after our Close")
				p.Close()
				if err := <-closed; err != nil {
					t.Errorf("%s: %v", half, err)
				}
			})
		}
	}
}

func TestCloseDiscardsWhatComesBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, p := ctConn(t, ws.RoleServer, nil)
		closed := ctAsync(func() error { return c.Close(t.Context(), ws.CodeNormal, "") })
		p.WantClose("ours", ws.CodeNormal, "")
		for range 100 {
			p.SendFrame(wstest.Binary(make([]byte, 10_000)))
		}
		p.SendFrame(wstest.Ping("x"))
		p.SendFrame(wstest.Close(ws.CodeNormal, ""))
		p.WantEOF("no pong, and no second Close frame")
		p.Close()
		if err := <-closed; err != nil {
			t.Error(err)
		}
	})
}

func TestCloseWithAStuckWriter(t *testing.T) {
	for name, first := range map[string]func(t *testing.T, c *wsnet.Conn, p *wstest.Peer) (want ws.Code){
		"we close": func(t *testing.T, c *wsnet.Conn, p *wstest.Peer) ws.Code {
			ctTook(t, "Close", 5*time.Second, func() {
				if err := c.Close(t.Context(), ws.CodeNormal, ""); !errors.Is(err, wsnet.ErrCloseTimeout) {
					t.Errorf("Close: %v", err)
				}
			})
			return ws.CodeAbnormal
		},
		"the peer closes": func(t *testing.T, c *wsnet.Conn, p *wstest.Peer) ws.Code {
			p.SendFrame(wstest.Close(4001, ""))
			ctTook(t, "Read", 0, func() {
				_, _, err := c.Read(t.Context())
				ctCloseError(t, "Read", err, 4001, true)
			})
			return 4001
		},
		"the peer breaks a rule": func(t *testing.T, c *wsnet.Conn, p *wstest.Peer) ws.Code {
			p.Send("f1 80 | 37fa213d")
			ctTook(t, "Read", 0, func() {
				_, _, err := c.Read(t.Context())
				ctCloseError(t, "Read", err, ws.CodeProtocolError, false)
			})
			return ws.CodeProtocolError
		},
		"CloseNow": func(t *testing.T, c *wsnet.Conn, p *wstest.Peer) ws.Code {
			ctTook(t, "CloseNow", 0, func() {
				if err := c.CloseNow(); err != nil {
					t.Error(err)
				}
			})
			return ws.CodeAbnormal
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, p := ctConnSize(t, ws.RoleServer, &wsnet.Options{PingInterval: -1, WriteTimeout: -1}, 1000)
				writer := ctAsync(func() error { return c.Write(t.Context(), ws.OpBinary, make([]byte, 5000)) })
				synctest.Wait()
				code := first(t, c, p)
				start := time.Now()
				ctCloseError(t, "the writer", <-writer, code, name == "the peer closes")
				if d := time.Since(start); d > 5*time.Second {
					t.Errorf("the writer was stuck for %v more", d)
				}
				ctOneEnd(t, c)
				if b := <-ctDrain(p.Conn()); len(b) != 1000 {
					t.Errorf("%d bytes came, want what fitted and no more", len(b))
				}
			})
		})
	}
}

// The writer gets on in time, so the Close frame follows its message.
func TestCloseBehindASlowWriter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, p := ctConnSize(t, ws.RoleServer, nil, 1000)
		writer := ctAsync(func() error { return c.Write(t.Context(), ws.OpBinary, make([]byte, 5000)) })
		synctest.Wait()
		p.SendFrame(wstest.Close(ws.CodeNormal, ""))
		reader := ctAsync(func() error { _, _, err := c.Read(t.Context()); return err })
		ctCloseError(t, "the reader does not wait", <-reader, ws.CodeNormal, true)
		time.Sleep(3 * time.Second)
		p.WantFrame("the message is whole", wstest.Binary(make([]byte, 5000)))
		p.WantClose("then the answer", ws.CodeNormal, "")
		p.WantEOF("then the end")
		if err := <-writer; err != nil {
			t.Errorf("the writer: %v", err)
		}
	})
}

// The writer gives up in the middle of its frame: no Close frame can follow.
func TestCloseBehindHalfAFrame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, p := ctConnSize(t, ws.RoleServer, nil, 1000)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		writer := ctAsync(func() error { return c.Write(ctx, ws.OpBinary, make([]byte, 5000)) })
		synctest.Wait()
		p.SendFrame(wstest.Close(ws.CodeNormal, ""))
		_, _, err := c.Read(t.Context())
		ctCloseError(t, "the reader", err, ws.CodeNormal, true)
		ctCloseError(t, "the writer", <-writer, ws.CodeNormal, true)
		if b := <-ctDrain(p.Conn()); len(b) != 1000 {
			t.Errorf("%d bytes came, want half a frame and nothing behind it", len(b))
		}
	})
}

func TestCloseNow(t *testing.T) {
	ccRoles(t, func(t *testing.T, role ws.Role) {
		c, p := ctConn(t, role, nil)
		reader := ctAsync(func() error { _, _, err := c.Read(t.Context()); return err })
		ping := ctAsync(func() error { _, err := c.Ping(t.Context()); return err })
		p.ReadFrame("the ping")
		if err := c.CloseNow(); err != nil {
			t.Error(err)
		}
		p.WantEOF("without a Close frame")
		for _, ch := range []<-chan error{reader, ping} {
			if e := ctCloseError(t, "the others", <-ch, ws.CodeAbnormal, false); !errors.Is(e, net.ErrClosed) {
				t.Error(e)
			}
		}
		if err := c.CloseNow(); !errors.Is(err, c.Err()) {
			t.Errorf("again: %v", err)
		}
		if err := c.Close(t.Context(), ws.CodeNormal, ""); !errors.Is(err, c.Err()) {
			t.Errorf("Close after it: %v", err)
		}
		ctOneEnd(t, c)
	})
}

func TestCloseNowDuringClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, p := ctConn(t, ws.RoleServer, nil)
		closed := ctAsync(func() error { return c.Close(t.Context(), ws.CodeNormal, "") })
		p.WantClose("ours", ws.CodeNormal, "")
		synctest.Wait()
		ctTook(t, "both", 0, func() {
			if err := c.CloseNow(); err != nil {
				t.Error(err)
			}
			if err := <-closed; !errors.Is(err, net.ErrClosed) {
				t.Errorf("Close: %v", err)
			}
		})
		p.WantEOF("the end")
	})
}

func TestConnLost(t *testing.T) {
	for name, tc := range map[string]struct {
		lose func(p *wstest.Peer)
		want error
	}{
		"TCP ends between frames":  {func(p *wstest.Peer) { p.Close() }, io.ErrUnexpectedEOF},
		"TCP ends inside a frame":  {func(p *wstest.Peer) { p.Send("82 85 | 37fa213d | 00"); p.Close() }, io.ErrUnexpectedEOF},
		"TCP ends inside a header": {func(p *wstest.Peer) { p.Send("82"); p.Close() }, io.ErrUnexpectedEOF},
		"half of TCP ends":         {func(p *wstest.Peer) { p.CloseWrite() }, io.ErrUnexpectedEOF},
		"a reset":                  {func(p *wstest.Peer) { p.Reset() }, syscall.ECONNRESET},
	} {
		t.Run(name, func(t *testing.T) {
			ccRoles(t, func(t *testing.T, role ws.Role) {
				c, p := ctConn(t, role, nil)
				reader := ctAsync(func() error { _, _, err := c.Read(t.Context()); return err })
				ping := ctAsync(func() error { _, err := c.Ping(t.Context()); return err })
				synctest.Wait()
				if role == ws.RoleClient && strings.Contains(name, "inside a frame") {
					p.Send("82 05 00")
					p.Close()
				} else {
					tc.lose(p)
				}
				for _, ch := range []<-chan error{reader, ping} {
					if e := ctCloseError(t, "everybody", <-ch, ws.CodeAbnormal, true); !errors.Is(e, tc.want) {
						t.Errorf("got %v", e)
					}
				}
				ctOneEnd(t, c)
			})
		})
	}
}

func TestConnResetOverTCP(t *testing.T) {
	wstest.CheckLeaks(t)
	a, b := ctTCP(t)
	c := wsnet.NewConn(a, ws.RoleServer, nil)
	p := wstest.NewPeer(t, b)
	p.SendFrame(wstest.Text("first"))
	p.Send("82 fe 1000 | 37fa213d | 'the beginning'")
	ctRead(t, "before", c, ws.OpText, "first")
	reader := ctAsync(func() error { _, _, err := c.Read(t.Context()); return err })
	p.Reset()
	if e := ctCloseError(t, "a reset inside a frame", <-reader, ws.CodeAbnormal, true); !errors.Is(e, syscall.ECONNRESET) {
		t.Errorf("the cause is lost: %v", e)
	}
	ctOneEnd(t, c)
}

// A Close frame must not be lost to the reset that closing a TCP connection on
// unread data sends.
func TestConnFailArrivesOverTCP(t *testing.T) {
	wstest.CheckLeaks(t)
	for range 20 {
		a, b := ctTCP(t)
		c := wsnet.NewConn(a, ws.RoleServer, &wsnet.Options{MaxMessage: 1000})
		p := wstest.NewPeer(t, b)
		sent := ctAsync(func() error { // far more than anybody wants
			_, err := b.Write(ctMasked(true, ws.OpBinary, strings.Repeat("x", 900_000)))
			return err
		})
		_, _, err := c.Read(t.Context())
		ctCloseError(t, "too big", err, ws.CodeTooBig, false)
		p.WantClose("the reason arrives", ws.CodeTooBig, "MaxMessage")
		p.WantEOF("no reset")
		if err := <-sent; err != nil {
			t.Errorf("what the peer was sending met a reset: %v", err)
		}
		p.Close()
	}
}

// A handler's context ends with the connection. Whoever closes under it does
// not cut off what is still being said.
func TestCloseUnderTheConnectionsOwnContext(t *testing.T) {
	wstest.CheckLeaks(t)
	for range 200 {
		a, b := ctTCP(t)
		c := wsnet.NewConn(a, ws.RoleServer, &wsnet.Options{MaxMessage: 1000})
		p := wstest.NewPeer(t, b)
		closed := ctAsync(func() error {
			<-c.Context().Done()
			return c.Close(c.Context(), ws.CodeNormal, "")
		})
		p.SendBytes(ctMasked(true, ws.OpBinary, strings.Repeat("x", 2000)))
		_, _, err := c.Read(t.Context())
		ctCloseError(t, "too big", err, ws.CodeTooBig, false)
		p.WantClose("the reason arrives", ws.CodeTooBig, "MaxMessage")
		p.WantEOF("no reset")
		p.Close()
		if err := <-closed; !errors.Is(err, c.Err()) {
			t.Errorf("Close after it: %v", err)
		}
	}
}

func TestConnFailSaysWhyOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, p := ctConn(t, ws.RoleServer, nil)
		p.Send("81 85 | 37fa213d | 7f9f4d5158 | c1 80 | 37fa213d | 88 80 | 37fa213d | 89 80 | 37fa213d")
		ctRead(t, "what came before is delivered", c, ws.OpText, "Hello")
		_, _, err := c.Read(t.Context())
		e := ctCloseError(t, "RSV1", err, ws.CodeProtocolError, false)
		if pe, ok := errors.AsType[*ws.ProtocolError](e); !ok || pe.Rule != ws.RuleRSV {
			t.Errorf("got %v", err)
		}
		closed := ctAsync(func() error { return c.Close(t.Context(), ws.CodeNormal, "") })
		p.WantClose("one Close frame", ws.CodeProtocolError, "RSV1")
		p.WantEOF("and nothing else")
		p.Close()
		if err := <-closed; !errors.Is(err, c.Err()) {
			t.Errorf("Close after it: %v", err)
		}
		ctOneEnd(t, c)
	})
}

// Over real TCP and TLS the closing handshake takes no time and leaves
// nothing.
func TestCloseOverTCPAndTLS(t *testing.T) {
	cert := ctCertificate(t)
	for _, over := range []string{"TCP", "TLS"} {
		t.Run(over, func(t *testing.T) {
			wstest.CheckLeaks(t)
			for i := range 20 {
				a, b := ctTCP(t)
				if over == "TLS" {
					sa, cb := ctTLS(t, a, b, cert, ws.RoleServer)
					a, b = sa, cb
				}
				s, c := wsnet.NewConn(a, ws.RoleServer, nil), wsnet.NewConn(b, ws.RoleClient, nil)
				first, second := s, c
				if i%2 == 0 {
					first, second = c, s
				}
				if err := first.Write(t.Context(), ws.OpBinary, bytes.Repeat([]byte("x"), 100_000)); err != nil {
					t.Fatal(err)
				}
				closed := ctAsync(func() error { return first.Close(t.Context(), ws.CodeGoingAway, "bye") })
				if _, _, err := second.Read(t.Context()); err != nil {
					t.Fatalf("the message before: %v", err)
				}
				_, _, err := second.Read(t.Context())
				ctCloseError(t, "the peer's Close", err, ws.CodeGoingAway, true)
				if err := <-closed; err != nil {
					t.Error(err)
				}
				if err := second.Close(t.Context(), ws.CodeNormal, ""); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

// A full TLS connection: closing it must not wait for room for its alert.
func TestCloseTLSIsBounded(t *testing.T) {
	cert := ctCertificate(t)
	for name, tc := range map[string]struct {
		do   func(*testing.T, *wsnet.Conn)
		want time.Duration
	}{
		"CloseNow": {func(t *testing.T, c *wsnet.Conn) { c.CloseNow() }, 0},
		"Close": {func(t *testing.T, c *wsnet.Conn) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			c.Close(ctx, ws.CodeNormal, "")
		}, time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a, b := wstest.PipeSize(4096)
				mine, _ := ctTLS(t, a, b, cert, ws.RoleServer)
				defer b.Close()
				c := wsnet.NewConn(mine, ws.RoleServer, ctQuiet())
				a.SetWriteDeadline(time.Now().Add(time.Second))
				a.Write(make([]byte, 10_000)) // until it is full
				a.SetWriteDeadline(time.Time{})
				ctTook(t, name, tc.want, func() { tc.do(t, c) })
			})
		})
	}
}

// What the peer is sending when it is told off is read and thrown away, within
// bounds.
func TestConnFailDiscards(t *testing.T) {
	for size, whole := range map[int]bool{900_000: true, 20_000_000: false} {
		synctest.Test(t, func(t *testing.T) {
			c, p := ctConn(t, ws.RoleServer, &wsnet.Options{MaxMessage: 1000})
			sent := ctAsync(func() error {
				_, err := p.Conn().Write(ctMasked(true, ws.OpBinary, strings.Repeat("x", size)))
				return err
			})
			_, _, err := c.Read(t.Context())
			ctCloseError(t, "too big", err, ws.CodeTooBig, false)
			if err := <-sent; (err == nil) != whole {
				t.Errorf("sending %d bytes: %v", size, err)
			}
			p.WantClose("the reason", ws.CodeTooBig, "MaxMessage")
		})
	}
}
