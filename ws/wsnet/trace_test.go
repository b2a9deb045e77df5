package wsnet_test

import (
	"bytes"
	"context"
	"flag"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"framewright/ws"
	"framewright/ws/wsnet"
	"framewright/ws/wstest"
	"framewright/ws/wstrace"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// A scene is a connection of which one end writes down all it sees. The
// connection's number is 1 in the transcript, whatever it was.
type scene struct {
	mu   sync.Mutex
	text []byte
}

func (s *scene) trace(e ws.TraceEvent) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e.Conn != 0 {
		e.Conn = 1
	}
	s.text = wstrace.Append(s.text, e)
}

// options trace to s, with the masking key of §5.7 for a client.
func (s *scene) options() *wsnet.Options {
	return &wsnet.Options{PingInterval: -1, Trace: s.trace, Rand: always(wstest.Key[:])}
}

// golden compares the transcript with the file of that name.
func (s *scene) golden(t *testing.T, name, title string) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	file := filepath.Join("testdata", "trace", name+".txt")
	got := title + "\n\n" + string(s.text)
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("%v; go test ./ws/wsnet -run TestTrace -update writes it", err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s; -update rewrites it (-want +got):\n%s", file, diff)
	}
}

// always reads the same bytes again and again.
type always []byte

func (a always) Read(p []byte) (int, error) {
	n := 0
	for n < len(p) {
		n += copy(p[n:], a)
	}
	return n, nil
}

// TestTraceRFC plays the examples of §5.7: what goes over the wire is what is
// printed there, byte for byte, and the transcript shows it.
func TestTraceRFC(t *testing.T) {
	binary := func(n int) []byte { return bytes.Repeat([]byte{0xab}, n) }
	for _, tt := range []struct {
		name  string
		title string
		role  ws.Role // of the end that looks on
		play  func(t *testing.T, c *wsnet.Conn, p *wstest.Peer)
	}{
		{"text-unmasked", `RFC 6455 §5.7: a single-frame unmasked text message, "Hello", as its server sends it.`, ws.RoleServer, func(t *testing.T, c *wsnet.Conn, p *wstest.Peer) {
			sceneWrite(t, c, ws.OpText, []byte("Hello"))
			p.Want("the frame", "81 05 48 65 6c 6c 6f")
		}},
		{"text-masked", `RFC 6455 §5.7: a single-frame masked text message, "Hello", as its client sends it.`, ws.RoleClient, func(t *testing.T, c *wsnet.Conn, p *wstest.Peer) {
			sceneWrite(t, c, ws.OpText, []byte("Hello"))
			p.Want("the frame", "81 85 37 fa 21 3d 7f 9f 4d 51 58")
		}},
		{"text-fragmented", `RFC 6455 §5.7: a fragmented unmasked text message, "Hel" and "lo", as a client receives it.`, ws.RoleClient, func(t *testing.T, c *wsnet.Conn, p *wstest.Peer) {
			p.Send("01 03 48 65 6c | 80 02 6c 6f")
			sceneRead(t, c, ws.OpText, []byte("Hello"))
		}},
		{"ping-pong", `RFC 6455 §5.7: an unmasked ping, and the masked pong that answers it, as the client sees them.`, ws.RoleClient, func(t *testing.T, c *wsnet.Conn, p *wstest.Peer) {
			go c.Read(t.Context())
			p.Send("89 05 48 65 6c 6c 6f")
			p.Want("the pong", "8a 85 37 fa 21 3d 7f 9f 4d 51 58")
		}},
		{"binary-256", "RFC 6455 §5.7: 256 bytes of binary data in a single unmasked frame, as its server sends it.", ws.RoleServer, func(t *testing.T, c *wsnet.Conn, p *wstest.Peer) {
			sceneWrite(t, c, ws.OpBinary, binary(256))
			p.Want("the frame", "82 7e 01 00 | ab*256")
		}},
		{"binary-64k", "RFC 6455 §5.7: 64 KiB of binary data in a single unmasked frame, as its server sends it.", ws.RoleServer, func(t *testing.T, c *wsnet.Conn, p *wstest.Peer) {
			sceneWrite(t, c, ws.OpBinary, binary(64<<10))
			p.Want("the frame", "82 7f 00 00 00 00 00 01 00 00 | ab*65536")
		}},

		{"close", "A closing handshake that the client begins, as its server sees it.", ws.RoleServer, func(t *testing.T, c *wsnet.Conn, p *wstest.Peer) {
			go c.Read(t.Context())
			p.Send("88 85 | 37fa213d | 3413 4344 52")
			p.WantClose("the answer", ws.CodeGoingAway, "")
			p.WantEOF("the server ends TCP first")
		}},
		{"violation", "A client that does not mask: its server knows after two bytes, and says so.", ws.RoleServer, func(t *testing.T, c *wsnet.Conn, p *wstest.Peer) {
			go c.Read(t.Context())
			p.Send("81 05 | 'Hello'")
			p.WantClose("the answer", ws.CodeProtocolError, "unmasked text frame from a client (§5.1)")
		}},
		{"violation-length", "A length that takes more bytes than it needs.", ws.RoleServer, func(t *testing.T, c *wsnet.Conn, p *wstest.Peer) {
			go c.Read(t.Context())
			p.Send("82 fe 0005 | 37fa213d | 7f9f4d5158")
			p.WantClose("the answer", ws.CodeProtocolError, "§5.2")
		}},
		{"violation-text", "A text message that goes wrong in its second fragment, a ping in between.", ws.RoleServer, func(t *testing.T, c *wsnet.Conn, p *wstest.Peer) {
			go c.Read(t.Context())
			p.Send("01 84 | 37fa213d | 5f 9f 4d d1 | 89 80 37fa213d | 00 83 | 37fa213d | b5 d2 4d")
			p.Want("the pong", "8a 00")
			p.WantClose("the answer", ws.CodeInvalidPayload, "§8.1")
		}},
		{"violation-slow", "A message that begins and does not go on: after 30 seconds the server has waited long enough.", ws.RoleServer, func(t *testing.T, c *wsnet.Conn, p *wstest.Peer) {
			go c.Read(t.Context())
			p.Send("01 83 | 37fa213d | 7f9f4d")
			p.WantClose("the end of patience", ws.CodePolicyViolation, "§10.4")
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &scene{}
				a, b := wstest.PipeSize(1 << 20)
				c := wsnet.NewConn(b, tt.role, s.options())
				p := wstest.NewPeer(t, a)
				tt.play(t, c, p)
				s.golden(t, tt.name, tt.title)
				c.CloseNow()
				p.Close()
			})
		})
	}
}

func sceneWrite(t *testing.T, c *wsnet.Conn, op ws.Opcode, p []byte) {
	t.Helper()
	if err := c.Write(t.Context(), op, p); err != nil {
		t.Fatal(err)
	}
}

func sceneRead(t *testing.T, c *wsnet.Conn, op ws.Opcode, want []byte) {
	t.Helper()
	gotOp, got, err := c.Read(t.Context())
	if err != nil || gotOp != op || !bytes.Equal(got, want) {
		t.Fatalf("got %v, %q, %v", gotOp, got, err)
	}
}

// The handshake of §1.3, its client and its server being ours: each sends what
// is printed there, byte for byte.
func TestTraceHandshake(t *testing.T) {
	serve := func(t *testing.T, s *scene, alone bool) *wstest.Listener {
		srv := wsnet.Handler(func(ctx context.Context, c *wsnet.Conn) error {
			_, _, err := c.Read(ctx)
			return err
		})
		srv.Options = wsnet.ServerOptions{Options: *s.options()}
		srv.Options.Subprotocols = []string{"chat"}
		srv.Options.OriginPatterns = []string{"example.com"}
		srv.Logger = slog.New(slog.DiscardHandler)
		if !alone {
			return stServe(t, http.HandlerFunc(srv.ServeHTTP))
		}
		l := wstest.NewListener()
		go srv.Serve(l)
		t.Cleanup(func() { l.Close() })
		return l
	}
	for _, alone := range []bool{true, false} {
		suffix, way := "", ", by Serve"
		if !alone {
			suffix, way = "-nethttp", ", behind net/http"
		}
		t.Run("server"+suffix, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &scene{}
				conn, err := serve(t, s, alone).Dial()
				if err != nil {
					t.Fatal(err)
				}
				p := wstest.NewPeer(t, conn)
				p.SendBytes([]byte(wstest.RFCRequest))
				p.WantBytes("the answer", []byte(wstest.RFCResponse))
				p.Send("81 85 37 fa 21 3d 7f 9f 4d 51 58")
				p.WantClose("the handler returned", ws.CodeNormal, "")
				s.golden(t, "handshake-server"+suffix, "RFC 6455 §1.3: the opening handshake, as the server sees it"+way+", and the first message.")
				p.Close()
			})
		})
		t.Run("server refuses"+suffix, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &scene{}
				conn, err := serve(t, s, alone).Dial()
				if err != nil {
					t.Fatal(err)
				}
				p := wstest.NewPeer(t, conn)
				p.SendBytes([]byte(strings.Replace(wstest.RFCRequest, "Origin: http://example.com", "Origin: http://example.com.evil.example", 1)))
				if head := p.ReadHead("the refusal"); !strings.HasPrefix(head, "HTTP/1.1 403 Forbidden\r\n") {
					t.Errorf("got %s", head)
				}
				s.golden(t, "handshake-refused"+suffix, "A page from elsewhere tries the handshake of RFC 6455 §1.3"+way+".")
				p.Close()
			})
		})
		t.Run("an old client"+suffix, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &scene{}
				conn, err := serve(t, s, alone).Dial()
				if err != nil {
					t.Fatal(err)
				}
				p := wstest.NewPeer(t, conn)
				p.SendBytes([]byte("GET /chat HTTP/1.0\r\nx-second: \t2\r\nX-First: 1\r\nUPGRADE: websocket\r\n\r\n"))
				p.ReadHead("the refusal")
				s.golden(t, "handshake-http10"+suffix, "A request of HTTP/1.0, its header lines in no order"+way+".")
				p.Close()
			})
		})
	}
	t.Run("client", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s := &scene{}
			a, b := wstest.Pipe()
			p := wstest.NewPeer(t, a)
			var c *wsnet.Conn
			done := make(chan error)
			go func() {
				o := &wsnet.DialOptions{Options: *s.options()}
				o.Rand = strings.NewReader("the sample nonce" + string(wstest.Key[:])) // what the key of §1.3 stands for
				o.Header = http.Header{"Origin": {"http://example.com"}}
				o.Subprotocols = []string{"chat", "superchat"}
				var err error
				c, err = wsnet.NewClient(t.Context(), b, "ws://server.example.com/chat", o)
				if err == nil {
					err = c.Write(t.Context(), ws.OpText, []byte("Hello"))
				}
				done <- err
			}()
			p.WantBytes("the request", []byte(wstest.RFCRequest))
			p.SendBytes([]byte(wstest.RFCResponse))
			if err := <-done; err != nil {
				t.Fatal(err)
			}
			p.Want("the first message", "81 85 37 fa 21 3d 7f 9f 4d 51 58")
			if c.Subprotocol() != "chat" {
				t.Errorf("Subprotocol is %q", c.Subprotocol())
			}
			s.golden(t, "handshake-client", "RFC 6455 §1.3: the opening handshake, as the client sees it, and the first message.")
			c.CloseNow()
		})
	})
	t.Run("client refuses", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s := &scene{}
			a, b := wstest.Pipe()
			p := wstest.NewPeer(t, a)
			done := make(chan error)
			go func() {
				o := &wsnet.DialOptions{Options: *s.options()}
				o.Rand = strings.NewReader("the sample nonce")
				_, err := wsnet.NewClient(t.Context(), b, "ws://server.example.com/chat", o)
				done <- err
			}()
			p.ReadHead("the request")
			p.SendBytes([]byte(strings.Replace(wstest.RFCResponse, "s3pPL", "S3PPL", 1)))
			if err := <-done; err == nil {
				t.Fatal("a wrong Sec-WebSocket-Accept passed")
			}
			s.golden(t, "handshake-wrong-accept", "A server whose Sec-WebSocket-Accept does not fit the key.")
		})
	})
}

// Whatever a trace shows, its bytes are those on the wire, in order.
func TestTraceBytes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		wire := map[bool][]byte{}
		o := &wsnet.Options{PingInterval: -1, Rand: always(wstest.Key[:]), Trace: func(e ws.TraceEvent) {
			mu.Lock()
			defer mu.Unlock()
			if at := int64(len(wire[e.Sent])); e.Offset != at {
				t.Errorf("%v frame at offset %d, want %d", e.Header.Opcode, e.Offset, at)
			}
			if int(e.Header.Length) != len(e.Payload) {
				t.Errorf("%v frame of %d bytes has %d in its trace", e.Header.Opcode, e.Header.Length, len(e.Payload))
			}
			payload := bytes.Clone(e.Payload)
			if e.Header.Masked {
				ws.Mask(payload, e.Header.Key, 0)
			}
			wire[e.Sent] = append(append(wire[e.Sent], e.Wire...), payload...)
		}}
		a, b := wstest.Pipe()
		rec := &recordingConn{Conn: b}
		s, c := wsnet.NewConn(a, ws.RoleServer, nil), wsnet.NewConn(rec, ws.RoleClient, o)
		go func() {
			for m, err := range s.Messages(t.Context()) {
				if err == nil {
					s.Write(t.Context(), m.Opcode, m.Data)
				}
			}
		}()
		go func() {
			for range 100 {
				c.Ping(t.Context())
			}
		}()
		for n := range 128 {
			sceneWrite(t, c, ws.OpText, bytes.Repeat([]byte("x"), n))
			sceneRead(t, c, ws.OpText, bytes.Repeat([]byte("x"), n))
		}
		c.Close(t.Context(), ws.CodeNormal, "bye")
		synctest.Wait()
		mu.Lock()
		defer mu.Unlock()
		if !bytes.Equal(wire[true], rec.wrote.Bytes()) || !bytes.Equal(wire[false], rec.read.Bytes()) {
			t.Errorf("the traces amount to %d bytes sent and %d received; over the wire went %d and %d, or others",
				len(wire[true]), len(wire[false]), rec.wrote.Len(), rec.read.Len())
		}
	})
}

// recordingConn keeps what goes through it. One goroutine reads and one writes
// at a time.
type recordingConn struct {
	net.Conn
	read, wrote bytes.Buffer
}

func (r *recordingConn) Read(p []byte) (int, error) {
	n, err := r.Conn.Read(p)
	r.read.Write(p[:n])
	return n, err
}

func (r *recordingConn) Write(p []byte) (int, error) {
	n, err := r.Conn.Write(p)
	r.wrote.Write(p[:n])
	return n, err
}

// AppendTrace makes something of any event, also of one that no connection
// would report.
func TestAppendTraceOddities(t *testing.T) {
	for _, e := range []ws.TraceEvent{
		{},
		{Rule: ws.RulePingRate},
		{Rule: "no-such-rule"},
		{Handshake: "no line end"},
		{Wire: []byte{0x81}},
		{Wire: []byte{0x81}, Header: ws.Header{Opcode: ws.OpText, Length: 20}, Payload: bytes.Repeat([]byte{0x80}, 20)},
		{Wire: []byte{0x81, 0xff}},
		{Wire: []byte{0x81, 0xff, 1, 2, 3}, Header: ws.Header{Masked: true}},
		{Wire: []byte{0x88, 0x02}, Header: ws.Header{Opcode: ws.OpClose, Length: 2}, Payload: []byte{3}},
		{Wire: []byte{0x88, 0x02}, Header: ws.Header{Opcode: ws.OpClose, Length: 2}, Payload: []byte{3, 232}},
		{Wire: []byte{0x81, 0x01}, Header: ws.Header{Length: 1}, Payload: []byte{0x1b}, Before: 200},
	} {
		got := wstrace.Append([]byte("before\n"), e)
		text, ok := bytes.CutPrefix(got, []byte("before\n"))
		if !ok || len(text) > 0 && text[len(text)-1] != '\n' {
			t.Errorf("%+v: %q", e, got)
		}
		if bytes.ContainsAny(text, "\x1b\x00") {
			t.Errorf("%+v: a control character comes through: %q", e, got)
		}
	}
}
