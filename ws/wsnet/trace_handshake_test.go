package wsnet_test

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"framewright/ws"
	"framewright/ws/wsnet"
	"framewright/ws/wstest"
	"framewright/ws/wstrace"
)

// shaken gathers the handshake's events.
type shaken struct {
	mu   sync.Mutex
	all  []ws.TraceEvent
	sent map[bool]string
}

func (s *shaken) trace(e ws.TraceEvent) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all = append(s.all, e)
	if s.sent == nil {
		s.sent = map[bool]string{}
	}
	s.sent[e.Sent] += e.Handshake
}

// Where this package reads and writes the handshake itself, its trace is what
// went over the wire, byte for byte: also what is no HTTP, or not whole.
func TestTraceHandshakeBytes(t *testing.T) {
	t.Run("server", func(t *testing.T) {
		for _, request := range []string{
			wstest.RFCRequest,
			strings.Replace(wstest.RFCRequest, "Origin: ", "ORIGIN:\t  ", 1),
			"GET /chat HTTP/1.0\r\nhost: b\r\nHOST: a\r\n\r\n",
			"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 00\r\n\r\n",
			"GET / HTTP/9.9\r\n\r\n",
			"\x16\x03\x01\x02\x00\r\n\r\n",
			"GET / HTTP/1.1\nHost: a\n\n",
			badAsk("+Expect: 100-continue"),
		} {
			var s shaken
			srv := wsnet.Handler(func(context.Context, *wsnet.Conn) error { return nil })
			srv.Options = wsnet.ServerOptions{Options: wsnet.Options{Trace: func(e ws.TraceEvent) {
				if e.Wire == nil {
					s.trace(e)
				}
			}, CloseTimeout: 10 * time.Millisecond}, OriginPatterns: []string{"*"}}
			srv.Logger = slog.New(slog.DiscardHandler)
			l := wstest.NewListener()
			go srv.Serve(l)
			conn, err := l.Dial()
			if err != nil {
				t.Fatal(err)
			}
			conn.SetDeadline(time.Now().Add(10 * time.Second))
			io.WriteString(conn, request)
			got, _ := io.ReadAll(conn)
			got, _, _ = bytes.Cut(got, []byte("\x88\x02")) // the Close frame
			conn.Close()
			l.Close()
			s.mu.Lock()
			if diff := cmp.Diff(map[bool]string{false: request, true: string(got)}, s.sent); diff != "" {
				t.Errorf("%q (-wire +trace):\n%s", request, diff)
			}
			for _, e := range s.all {
				if e.Conn == 0 || e.Conn != s.all[0].Conn || e.Parsed {
					t.Errorf("%q: %+v", request, e)
				}
			}
			s.mu.Unlock()
		}
	})
	t.Run("client", func(t *testing.T) {
		for _, answer := range []string{
			"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + wstest.RFCResponse,
			"HTTP/1.0 403 Nope\r\nx-b: 1\r\nX-A: 2\r\ncontent-length: 4\r\n\r\nno\x1b!",
			"HTTP/1.1 403 Nope\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nno\r\n0\r\n\r\n",
			"SSH-2.0-OpenSSH\r\n",
			"HTTP/1.1 101 Switch",
			strings.Replace(wstest.RFCResponse, "Upgrade: websocket", "UPGRADE:  h2c", 1),
		} {
			var s shaken
			a, b := wstest.Pipe()
			sent := make(chan string)
			go func() {
				r := bufio.NewReader(a)
				var got string
				for !strings.HasSuffix(got, "\r\n\r\n") {
					line, err := r.ReadString('\n')
					if got += line; err != nil {
						break
					}
				}
				io.WriteString(a, answer)
				a.Close()
				sent <- got
			}()
			o := &wsnet.DialOptions{Options: wsnet.Options{Trace: func(e ws.TraceEvent) {
				if e.Wire == nil && e.Handshake != "" {
					s.trace(e)
				}
			}, Rand: strings.NewReader("the sample nonce"), Subprotocols: []string{"chat"}}}
			c, err := wsnet.NewClient(t.Context(), b, "ws://server.example.com/chat", o)
			if err == nil {
				c.CloseNow()
			}
			if diff := cmp.Diff(map[bool]string{true: <-sent, false: answer}, s.sent); diff != "" {
				t.Errorf("%q (-wire +trace):\n%s", answer, diff)
			}
			for _, e := range s.all {
				if e.Conn == 0 || e.Conn != s.all[0].Conn || e.Parsed || c != nil && e.Conn != c.ID() {
					t.Errorf("%q: %+v", answer, e)
				}
				if bytes.ContainsAny(wstrace.Append(nil, e), "\x1b\r") {
					t.Errorf("a control character comes through: %q", wstrace.Append(nil, e))
				}
			}
		}
	})
}

// Dial's request goes through net/http, which tells what it writes; of the
// answer it tells what it has parsed, and the trace says so.
func TestTraceDial(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	wire := make(chan string, 1)
	go func() {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		var request bytes.Buffer
		r, err := http.ReadRequest(bufio.NewReader(io.TeeReader(conn, &request)))
		if err != nil {
			t.Error(err)
			return
		}
		wire <- request.String()
		io.WriteString(conn, "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n")
		conn.Write(ws.AppendResponse(nil, r.Header.Get("Sec-Websocket-Key"), "", "", nil))
		io.Copy(io.Discard, conn)
	}()
	var s shaken
	c, err := wsnet.Dial(t.Context(), "ws://me:secret@"+l.Addr().String()+"/chat?x", &wsnet.DialOptions{Options: wsnet.Options{Trace: s.trace}, Header: http.Header{"x-Odd": {"1"}}})
	if err != nil {
		t.Fatal(err)
	}
	defer c.CloseNow()
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.all) != 2 || !s.all[0].Sent || s.all[0].Parsed || !s.all[1].Parsed || s.all[0].Conn != c.ID() || s.all[1].Conn != c.ID() {
		t.Errorf("got %+v", s.all)
	}
	if diff := cmp.Diff(<-wire, s.sent[true]); diff != "" {
		t.Errorf("(-wire +trace):\n%s", diff)
	}
	if !strings.HasPrefix(s.sent[false], "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 101 ") {
		t.Errorf("got %q", s.sent[false])
	}
}
