package client

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"framewright/engineio"
	"framewright/ws"
	"framewright/ws/wstest"
)

// A script is a server that a test plays by hand, in a synctest bubble: it gets the
// client's requests and writes the bytes of its answers.
type script struct {
	t    *testing.T
	l    *wstest.Listener
	slow bool // answers go byte by byte

	gets, posts, sockets chan *exchange
	dialed               chan dialed
}

type dialed struct {
	c   *Conn
	err error
}

// An exchange is one request and the connection by which it came.
type exchange struct {
	*wstest.Peer
	s    *script
	head string
	body string
}

// plays runs play twice: with answers that come whole, and byte by byte.
func plays(t *testing.T, o Options, play func(s *script)) {
	t.Helper()
	for _, slow := range []bool{false, true} {
		t.Run(map[bool]string{false: "whole", true: "byte by byte"}[slow], func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &script{
					t: t, l: wstest.NewListener(), slow: slow,
					gets: make(chan *exchange, 100), posts: make(chan *exchange, 100), sockets: make(chan *exchange, 100), dialed: make(chan dialed, 1),
				}
				go s.accept()
				t.Cleanup(func() { s.l.Close() })
				o := o
				o.HTTPClient = s.l.Client()
				go func() {
					c, err := Dial(context.Background(), "http://test/engine.io/", &o)
					if c != nil {
						t.Cleanup(func() { c.Close() })
					}
					s.dialed <- dialed{c, err}
				}()
				play(s)
			})
		})
	}
}

// accept sorts requests by what they are.
func (s *script) accept() {
	for {
		conn, err := s.l.Accept()
		if err != nil {
			return
		}
		s.t.Cleanup(func() { conn.Close() })
		go func() {
			x := &exchange{s: s}
			if x.head, x.body, err = readRequest(conn); err != nil {
				return // the client has gone
			}
			x.Peer = wstest.NewPeer(s.t, conn)
			switch {
			case wstest.HeadField(x.head, "Sec-WebSocket-Key") != "":
				s.sockets <- x
			case strings.HasPrefix(x.head, "POST "):
				s.posts <- x
			default:
				s.gets <- x
			}
		}()
	}
}

func readRequest(conn net.Conn) (head, body string, err error) {
	var b []byte
	one := make([]byte, 1)
	for !strings.HasSuffix(string(b), "\r\n\r\n") {
		if _, err := conn.Read(one); err != nil {
			return "", "", err
		}
		b = append(b, one[0])
	}
	head, b = string(b), nil
	n, _ := strconv.Atoi(wstest.HeadField(head, "Content-Length"))
	for len(b) < n {
		if _, err := conn.Read(one); err != nil {
			return "", "", err
		}
		b = append(b, one[0])
	}
	return head, string(b), nil
}

// next waits for a request of a kind, and holds its target against what it should have.
func (s *script) next(why string, from chan *exchange, target string) *exchange {
	s.t.Helper()
	select {
	case x := <-from:
		if got := strings.Fields(x.head)[1]; got != target {
			s.t.Fatalf("%s: it asks for %s, want %s", why, got, target)
		}
		return x
	case <-time.After(time.Hour):
		s.t.Fatalf("%s: no request", why)
	}
	return nil
}

const (
	opening = "/engine.io/?EIO=4&transport=polling"
	polling = opening + "&sid=abc"
	upgrade = "/engine.io/?EIO=4&transport=websocket&sid=abc"

	// hello is an open packet, with an upgrade and without.
	hello      = `0{"sid":"abc","upgrades":["websocket"],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000}`
	helloAlone = `0{"sid":"abc","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000}`
)

func (s *script) get(why string) *exchange  { s.t.Helper(); return s.next(why, s.gets, polling) }
func (s *script) post(why string) *exchange { s.t.Helper(); return s.next(why, s.posts, polling) }

// begin answers the handshake.
func (s *script) begin(open string) *Conn {
	s.t.Helper()
	s.next("the handshake", s.gets, opening).answer(open)
	return s.conn()
}

// conn is what Dial returns.
func (s *script) conn() *Conn {
	s.t.Helper()
	d := <-s.dialed
	if d.err != nil {
		s.t.Fatal(d.err)
	}
	return d.c
}

// wantPost answers a POST, which must bring this.
func (s *script) wantPost(why, body string) {
	s.t.Helper()
	x := s.post(why)
	if x.body != body {
		s.t.Fatalf("%s: it posts %q, want %q", why, x.body, body)
	}
	x.answer("ok")
}

// wantNone holds that no request comes.
func (s *script) wantNone(why string) {
	s.t.Helper()
	synctest.Wait()
	for _, c := range []chan *exchange{s.gets, s.posts, s.sockets} {
		select {
		case x := <-c:
			s.t.Fatalf("%s: %s", why, x.head)
		default:
		}
	}
}

// write writes bytes.
func (x *exchange) write(b string) {
	x.s.t.Helper()
	if x.s.slow && len(b) < 10_000 {
		x.SendBytesSlowly([]byte(b))
	} else {
		x.SendBytes([]byte(b))
	}
}

// answer answers 200 with a text.
func (x *exchange) answer(body string) {
	x.s.t.Helper()
	x.write(head("200 OK", "text/plain; charset=UTF-8", len(body)) + body)
}

func head(status, kind string, length int) string {
	return fmt.Sprintf("HTTP/1.1 %s\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n", status, kind, length)
}

// accept101 makes a WebSocket of it.
func (x *exchange) accept101() *exchange {
	x.s.t.Helper()
	x.write(string(wstest.Response(wstest.HeadField(x.head, "Sec-WebSocket-Key"))))
	return x
}

// frame sends a frame of text.
func (x *exchange) frame(text string) {
	x.s.t.Helper()
	x.write(string(ws.AppendFrame(nil, ws.Header{Fin: true, Opcode: ws.OpText}, []byte(text))))
}

// wantText waits for a text message.
func (x *exchange) wantText(why, text string) {
	x.s.t.Helper()
	x.WantFrame(why, wstest.Text(text))
}

// wantEnd waits for the end of a session, and holds its reason and a part of its text.
func wantEnd(t *testing.T, c *Conn, reason engineio.Reason, text string) {
	t.Helper()
	for {
		_, err := c.Receive(t.Context())
		if err == nil {
			continue
		}
		e, ok := errors.AsType[*engineio.CloseError](err)
		if !ok || e.Reason != reason || !strings.Contains(e.Error(), text) {
			t.Fatalf("the session ended with %v; want %q and %q", err, reason, text)
		}
		<-c.Done()
		return
	}
}
