package wstest_test

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"framewright/ws"
	"framewright/ws/wstest"

	"github.com/google/go-cmp/cmp"
)

// A recorder is a testing.TB that keeps the failure instead of having one.
type recorder struct {
	testing.TB
	failure string
}

func (r *recorder) Helper() {}
func (r *recorder) Fatal(args ...any) {
	r.failure = fmt.Sprint(args...)
	runtime.Goexit()
}
func (r *recorder) Fatalf(format string, args ...any) {
	r.failure = fmt.Sprintf(format, args...)
	runtime.Goexit()
}
func (r *recorder) Errorf(format string, args ...any) { r.failure = fmt.Sprintf(format, args...) }

// failure runs f and returns the text with which it failed.
func failure(t *testing.T, f func(t testing.TB)) string {
	r := &recorder{TB: t}
	done := make(chan struct{})
	go func() {
		defer close(done)
		f(r)
	}()
	<-done
	return r.failure
}

func TestParseHex(t *testing.T) {
	for _, tt := range []struct {
		name, in string
		want     string
		err      string
	}{
		{"nothing", "", "", ""},
		{"fields", "81 85 | 37fa213d | 7f9f4d5158", "\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58", ""},
		{"lines", "\n\t81 05\n\t'Hello'\n", "\x81\x05Hello", ""},
		{"bars without spaces", "81|05|'Hello'", "\x81\x05Hello", ""},
		{"upper case", "FE fe", "\xfe\xfe", ""},
		{"double quotes around a single one", `"it's"`, "it's", ""},
		{"a bar and a star in text", "'|*2'", "|*2", ""},
		{"UTF-8 in text", "'κ'", "\xce\xba", ""},
		{"repeat", "fe*3", "\xfe\xfe\xfe", ""},
		{"repeat a group", "00 dead*2 00", "\x00\xde\xad\xde\xad\x00", ""},
		{"repeat text", "'ab'*2", "abab", ""},
		{"repeat no times", "fe*0 01", "\x01", ""},
		{"odd digits", "81 5", "", `offset 3: an odd number of hex digits in "5"`},
		{"not hex", "81 00x5", "", `offset 5: want a space or a bar after "00"`},
		{"not hex at all", "81 zz", "", "offset 3: want hex digits"},
		{"open quote", "81 'Hello", "", "offset 3: text without its closing quote"},
		{"no count", "fe*", "", "offset 3: want a decimal count"},
		{"negative count", "fe*-1", "", "offset 3: want a decimal count"},
		{"vast count", "fe*99999999999999999999", "", "offset 3: want a decimal count"},
		{"too long", "fe*99999999", "", "offset 0: longer than 67108864 bytes"},
		{"too long together", "fe*60000000 fe*60000000", "", "offset 12: longer than"},
		{"text glued to digits", "81'a'", "", `want a space or a bar after "81"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := wstest.ParseHex(tt.in)
			switch {
			case tt.err == "" && err != nil:
				t.Fatal(err)
			case tt.err != "" && (err == nil || !strings.Contains(err.Error(), tt.err)):
				t.Fatalf("error %v, want one with %q", err, tt.err)
			}
			if diff := cmp.Diff(tt.want, string(got)); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func FuzzParseHex(f *testing.F) {
	f.Add("81 85 | 37fa213d | 'Hello'*2")
	f.Fuzz(func(t *testing.T, s string) {
		if strings.Contains(s, "*") && len(s) > 4 {
			return // only large
		}
		b, err := wstest.ParseHex(s)
		if err != nil {
			return
		}
		again, err := wstest.ParseHex(fmt.Sprintf("% x", b))
		if err != nil || !bytes.Equal(b, again) {
			t.Errorf("%q is % x, and that is % x, %v", s, b, again, err)
		}
	})
}

// pair returns a Peer and the other end of its pipe.
func pair(t testing.TB) (*wstest.Peer, *wstest.Conn) {
	a, b := wstest.Pipe()
	t.Cleanup(func() { b.Close() })
	return wstest.NewPeer(t, a), b.(*wstest.Conn)
}

func TestPeerPasses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, b := pair(t)
		p.Send("81 85 | 37fa213d | 7f9f4d5158")
		p.SendFrame(wstest.Text("Hello")) // the same, RFC 6455 §5.7
		want := wstest.MustHex("8185 37fa213d 7f9f4d5158")
		got := make([]byte, 64)
		n, _ := b.Read(got)
		if diff := cmp.Diff(append(want, want...), got[:n]); diff != "" {
			t.Fatalf("sent (-want +got)\n%s", diff)
		}

		p.WantIdle("nobody has sent")
		b.Write(wstest.MustHex("81 05 'Hello' 01 03 'Hel' 80 02 'lo' c9 00"))
		p.Want("a whole text", "81 05 'Hello'")
		p.WantFrame("its first part", wstest.Frame{Opcode: ws.OpText, Payload: []byte("Hel")})
		p.WantFrame("its last", wstest.Frame{Fin: true, Opcode: ws.OpContinuation, Payload: []byte("lo")})
		p.WantFrame("a ping with RSV1", wstest.Frame{Fin: true, RSV: ws.RSV1, Opcode: ws.OpPing})

		// In pieces, and after a while.
		go func() {
			for _, c := range wstest.MustHex("88 07 03 e8 'after'") {
				time.Sleep(time.Second)
				b.Write([]byte{c})
			}
			b.CloseWrite()
		}()
		p.WantIdle("the first byte comes in a second")
		p.WantClose("a goodbye", ws.CodeNormal, "aft")
		p.WantEOF("and no more")
		p.CloseWrite()
		if n, err := b.Read(got); n != 0 || err == nil {
			t.Errorf("Read = %d, %v", n, err)
		}
		b.Reset()
	})
}

func TestPeerMasked(t *testing.T) {
	p, b := pair(t)
	b.Write(wstest.MustHex("81 85 | 37fa213d | 7f9f4d5158"))
	p.WantFrame("a client's text", wstest.Text("Hello"))
	p.SendFrame(wstest.Text("Hello")) // so the peer is the server
	got := make([]byte, 64)
	n, _ := b.Read(got)
	if diff := cmp.Diff(wstest.MustHex("81 05 'Hello'"), got[:n]); diff != "" {
		t.Fatalf("sent (-want +got)\n%s", diff)
	}
}

func TestPeerReset(t *testing.T) {
	p, b := pair(t)
	other := wstest.NewPeer(t, b)
	p.Reset()
	other.WantReset("a pipe")

	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	c, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	s, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	client, server := wstest.NewPeer(t, c), wstest.NewPeer(t, s)
	client.Send("'up'")
	server.Want("over TCP", "'up'")
	client.Reset()
	server.WantReset("over TCP")
}

func TestPeerSendSlowly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, b := pair(t)
		var sizes []int
		go func() {
			buf := make([]byte, 64)
			for {
				n, err := b.Read(buf)
				if err != nil {
					return
				}
				sizes = append(sizes, n)
			}
		}()
		p.SendSlowly("81 05 'Hello'")
		if diff := cmp.Diff([]int{1, 1, 1, 1, 1, 1, 1}, sizes); diff != "" {
			t.Errorf("sizes of the reads (-want +got)\n%s", diff)
		}
	})
}

// Every way in which a Peer finds fault, and what it says.
func TestPeerFails(t *testing.T) {
	for _, tt := range []struct {
		name  string
		other func(c *wstest.Conn) // what the side under test does
		peer  func(p *wstest.Peer)
		want  []string
	}{
		{"a wrong byte",
			func(c *wstest.Conn) { c.Write(wstest.MustHex("88 02 | 03ea")) },
			func(p *wstest.Peer) { p.Want("the echo", "81 05 'Hello'") },
			[]string{"the echo: wrong at offset 0 (-want +got)", "-81 05 48 65 6c 6c 6f  ..Hello", "+88 02 03 ea", "close 1002 (protocol error)"}},
		{"a wrong byte far on",
			func(c *wstest.Conn) { c.Write(wstest.MustHex("61*200 62 61*99")) },
			func(p *wstest.Peer) { p.Want("all a", "61*300") },
			[]string{"wrong at offset 200", "+(184 bytes) 61", "(52 bytes)", "b"}},
		{"too few bytes",
			func(c *wstest.Conn) { c.Write([]byte("\x81\x05He")) },
			func(p *wstest.Peer) { p.Want("the echo", "81 05 'Hello'") },
			[]string{"the echo: no more came in 1h0m0s of the bubble's time after 4 of 7 bytes", "+81 05 48 65"}},
		{"an end instead of bytes",
			func(c *wstest.Conn) { c.Close() },
			func(p *wstest.Peer) { p.Want("the echo", "81") },
			[]string{"the other side closed the connection after 0 of 1 bytes", "+nothing"}},
		{"a reset instead of bytes",
			func(c *wstest.Conn) { c.Reset() },
			func(p *wstest.Peer) { p.Want("the echo", "81") },
			[]string{"the other side reset the connection"}},
		{"a send that nobody took",
			func(c *wstest.Conn) { c.Close() },
			func(p *wstest.Peer) { p.Send("81 00"); p.Want("the echo", "81") },
			[]string{"before that, the other side took no more after 0 of the 2 bytes of a send", "broken pipe"}},
		{"a send that nobody reads",
			func(c *wstest.Conn) {},
			func(p *wstest.Peer) { p.Send("00*70000") },
			[]string{"the other side did not read: 65536 of 70000 bytes sent in 1h0m0s"}},
		{"a bad literal",
			func(c *wstest.Conn) {},
			func(p *wstest.Peer) { p.Send("8") },
			[]string{"odd number"}},
		{"bytes instead of an end",
			func(c *wstest.Conn) { c.Write(wstest.MustHex("89 00")); c.Close() },
			func(p *wstest.Peer) { p.WantEOF("all said") },
			[]string{"all said: want the end of the connection, got bytes", "+89 00", "ping, 0 bytes"}},
		{"bytes before an end that were there already",
			func(c *wstest.Conn) { c.Write(wstest.MustHex("89 00 89 00")); c.Close() },
			func(p *wstest.Peer) { p.Want("one", "89 00"); p.WantEOF("all said") },
			[]string{"all said: want the end of the connection, got bytes"}},
		{"a reset instead of an end",
			func(c *wstest.Conn) { c.Reset() },
			func(p *wstest.Peer) { p.WantEOF("all said") },
			[]string{"want the end of the connection; the other side reset"}},
		{"an end instead of a reset",
			func(c *wstest.Conn) { c.Close() },
			func(p *wstest.Peer) { p.WantReset("cut") },
			[]string{"want a reset; the other side closed"}},
		{"no end",
			func(c *wstest.Conn) {},
			func(p *wstest.Peer) { p.WantEOF("all said") },
			[]string{"want the end of the connection; no more came"}},
		{"bytes instead of silence",
			func(c *wstest.Conn) { c.Write(wstest.MustHex("89 00")) },
			func(p *wstest.Peer) { p.WantIdle("nothing to say") },
			[]string{"nothing to say: want nothing (-want +got)", "+89 00"}},
		{"bytes that a busy goroutine is about to send instead of silence",
			func(c *wstest.Conn) {
				go func() {
					for range 100 {
						runtime.Gosched()
					}
					c.Write([]byte("x"))
				}()
			},
			func(p *wstest.Peer) { p.WantIdle("nothing to say") },
			[]string{"+78"}},
		{"an end instead of silence",
			func(c *wstest.Conn) { c.Close() },
			func(p *wstest.Peer) { p.WantIdle("nothing to say") },
			[]string{"nothing to say: want nothing; the other side closed"}},
		{"a wrong frame",
			func(c *wstest.Conn) { c.Write(wstest.MustHex("41 05 'Hallo'")) },
			func(p *wstest.Peer) { p.WantFrame("the echo", wstest.Text("Hello")) },
			[]string{"the echo: wrong frame", `-text, 5 bytes "Hello"`, `+text, FIN 0, RSV1, 5 bytes "Hallo"`, "payload, from offset 1"}},
		{"a frame with a reserved bit",
			func(c *wstest.Conn) { c.Write(wstest.MustHex("91 05 'Hello'")) },
			func(p *wstest.Peer) { p.WantFrame("the echo", wstest.Text("Hello")) },
			[]string{`-text, 5 bytes "Hello"`, `+text, RSV3, 5 bytes "Hello"`}},
		{"part of a frame",
			func(c *wstest.Conn) { c.Write(wstest.MustHex("81 05 'Hel'")); c.Close() },
			func(p *wstest.Peer) { p.WantFrame("the echo", wstest.Text("Hello")) },
			[]string{"want a frame; the other side closed", "+81 05 48 65 6c"}},
		{"a length that is too long by itself",
			func(c *wstest.Conn) { c.Write(wstest.MustHex("81 7e 0005 'Hello'")) },
			func(p *wstest.Peer) { p.WantFrame("the echo", wstest.Text("Hello")) },
			[]string{"want a frame, got a broken header", "§5.2"}},
		{"a vast frame",
			func(c *wstest.Conn) { c.Write(wstest.MustHex("82 7f 7fffffffffffffff")) },
			func(p *wstest.Peer) { p.WantFrame("the echo", wstest.Text("Hello")) },
			[]string{"a payload of 9223372036854775807 bytes: a Peer reads at most 67108864"}},
		{"a masked frame after an unmasked one",
			func(c *wstest.Conn) { c.Write(wstest.MustHex("89 00 89 80 00000000")) },
			func(p *wstest.Peer) { p.WantFrame("one", wstest.Ping("")); p.WantFrame("two", wstest.Ping("")) },
			[]string{"two: a frame from a server is masked (RFC 6455 §5.1)"}},
		{"an unmasked frame after a masked one",
			func(c *wstest.Conn) { c.Write(wstest.MustHex("89 80 00000000 89 00")) },
			func(p *wstest.Peer) { p.WantFrame("one", wstest.Ping("")); p.WantFrame("two", wstest.Ping("")) },
			[]string{"two: a frame from a client is not masked (RFC 6455 §5.1)"}},
		{"a text instead of a close",
			func(c *wstest.Conn) { c.Write(wstest.MustHex("81 05 'Hello'")) },
			func(p *wstest.Peer) { p.WantClose("bye", ws.CodeNormal, "") },
			[]string{"bye: want a Close frame", "-close 1000 (normal closure)", `+text, 5 bytes "Hello"`}},
		{"another code",
			func(c *wstest.Conn) { c.Write(wstest.MustHex("88 02 03ea")) },
			func(p *wstest.Peer) { p.WantClose("bye", ws.CodeNormal, "") },
			[]string{"wrong Close frame", "+close 1002 (protocol error)"}},
		{"another reason",
			func(c *wstest.Conn) { c.Write(wstest.MustHex("88 05 03e8 'bye'")) },
			func(p *wstest.Peer) { p.WantClose("bye", ws.CodeNormal, "hello") },
			[]string{"wrong Close frame", `"hello"`, `"bye"`}},
		{"a code that must not be sent",
			func(c *wstest.Conn) { c.Write(wstest.MustHex("88 02 03ee")) },
			func(p *wstest.Peer) { p.WantClose("bye", ws.CodeNormal, "") },
			[]string{"a broken Close frame", "1006"}},
		{"a refusal",
			func(c *wstest.Conn) { c.Write([]byte("HTTP/1.1 403 Forbidden\r\nX-Why: no\r\n\r\n")) },
			func(p *wstest.Peer) { p.Upgrade() },
			[]string{"the server's opening handshake: want a 101", "403 Forbidden"}},
		{"a wrong accept",
			func(c *wstest.Conn) { c.Write(wstest.Response("eA==")) },
			func(p *wstest.Peer) { p.Upgrade() },
			[]string{"wrong Sec-WebSocket-Accept", "-" + wstest.RequestAccept}},
		{"a request without a key",
			func(c *wstest.Conn) { c.Write([]byte("GET / HTTP/1.1\r\n\r\n")) },
			func(p *wstest.Peer) { p.Serve101() },
			[]string{"the client's opening handshake: no Sec-WebSocket-Key", "GET /"}},
		{"half a head",
			func(c *wstest.Conn) { c.Write([]byte("HTTP/1.1 101 Switch")); c.Close() },
			func(p *wstest.Peer) { p.Upgrade() },
			[]string{"want an HTTP head; the other side closed", `"HTTP/1.1 101 Switch"`}},
		{"an endless head",
			func(c *wstest.Conn) { go c.Write(bytes.Repeat([]byte("x"), 1<<20)) },
			func(p *wstest.Peer) { p.ReadHead("a head") },
			[]string{"a head: no end of the head in"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p, c := (*wstest.Peer)(nil), (*wstest.Conn)(nil)
				got := failure(t, func(r testing.TB) {
					p, c = pair(r)
					tt.other(c)
					tt.peer(p)
				})
				if got == "" {
					t.Fatal("found nothing wrong")
				}
				for _, want := range tt.want {
					if !strings.Contains(got, want) {
						t.Errorf("failure without %q:\n%s", want, got)
					}
				}
			})
		})
	}
}

func TestWantIdleOutsideABubble(t *testing.T) {
	got := failure(t, func(r testing.TB) {
		p, _ := pair(r)
		p.WantIdle("quiet")
	})
	if !strings.Contains(got, "needs a synctest bubble") {
		t.Errorf("failure: %q", got)
	}
}

// plain hides that a connection is a pipe of this package.
type plain struct{ net.Conn }

func TestWantIdleOnOtherConns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := wstest.Pipe()
		defer b.Close()
		p := wstest.NewPeer(t, plain{a})
		p.WantIdle("nobody has sent")
		b.Write([]byte("x"))
		got := failure(t, func(r testing.TB) {
			wstest.NewPeer(r, plain{a}).WantIdle("quiet")
		})
		if !strings.Contains(got, "+78") {
			t.Errorf("failure: %q", got)
		}
	})
}

func TestPeerHandshake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := wstest.Pipe()
		client, server := wstest.NewPeer(t, a), wstest.NewPeer(t, b)
		request := make(chan string, 1)
		go func() { request <- server.Serve101("Sec-WebSocket-Protocol: chat") }()
		response := client.Upgrade("Origin: http://server.test")

		if diff := cmp.Diff(string(wstest.Request("/", "server.test", "Origin: http://server.test")), <-request); diff != "" {
			t.Errorf("request (-want +got)\n%s", diff)
		}
		// RFC 6455 §1.3's own answer.
		if diff := cmp.Diff("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
			"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: chat\r\n\r\n", response); diff != "" {
			t.Errorf("response (-want +got)\n%s", diff)
		}
		client.SendFrame(wstest.Ping("are you there"))
		server.WantFrame("masked, as from a client", wstest.Ping("are you there"))
		server.SendFrame(wstest.Pong("are you there"))
		client.WantFrame("not masked", wstest.Pong("are you there"))
	})
}

// net/http's server and client find nothing wrong with the listener, nor with
// the handshake.
func TestListenerServesHTTP(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ln := wstest.NewListener()
		srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Upgrade") == "" {
				fmt.Fprint(w, r.Host, " ", r.RemoteAddr)
				return
			}
			c, rw, err := http.NewResponseController(w).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			defer c.Close()
			c.Write(wstest.Response(r.Header.Get("Sec-WebSocket-Key")))
			b, _ := rw.ReadByte()
			c.Write([]byte{b})
		})}
		go srv.Serve(ln)
		defer srv.Close()

		resp, err := ln.Client().Get("http://any.test/")
		if err != nil {
			t.Fatal(err)
		}
		var body bytes.Buffer
		body.ReadFrom(resp.Body)
		resp.Body.Close()
		if got, want := body.String(), "any.test 192.0.2.2:49152"; got != want {
			t.Errorf("body %q, want %q", got, want)
		}

		c, err := ln.Dial()
		if err != nil {
			t.Fatal(err)
		}
		p := wstest.NewPeer(t, c)
		p.Upgrade()
		p.WantIdle("the server waits for a byte")
		p.Send("'x'")
		p.Want("the byte", "'x'")
		p.WantEOF("the handler is done")
	})
}
