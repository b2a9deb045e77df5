package wsspec

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"framewright/ws/wsnet"
	"framewright/ws/wstest"
)

// share is every eleventh of all under the race detector, which makes this package's tests
// take six times as long. All are played without it: that is a stage of the test command.
func share[T any](all []T) []T {
	if !wstest.RaceEnabled() || *update {
		return all
	}
	var some []T
	for i := 0; i < len(all); i += 11 {
		some = append(some, all[i])
	}
	return some
}

// echo sends every message back.
func echo(ctx context.Context, c *wsnet.Conn) error {
	for {
		op, data, err := c.Read(ctx)
		if err != nil {
			return err
		}
		if err := c.Write(ctx, op, data); err != nil {
			return err
		}
	}
}

// echoServer is a server of ours that echoes; its URL is returned.
func echoServer(t *testing.T) string {
	t.Helper()
	wstest.CheckLeaks(t)
	srv := wsnet.Handler(echo)
	s := httptest.NewServer(srv)
	t.Cleanup(func() { s.Close(); srv.Shutdown(context.Background()) })
	return "ws" + strings.TrimPrefix(s.URL, "http")
}

// serveEach calls serve with every connection to a server, each on a goroutine of its
// own, until the test ends: then they are closed, and serve has to return. The server's
// URL is returned.
func serveEach(t testing.TB, serve func(ctx context.Context, l net.Listener, conn net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var all sync.WaitGroup
	all.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			all.Go(func() {
				defer conn.Close()
				defer context.AfterFunc(ctx, func() { conn.Close() })()
				serve(ctx, l, conn)
			})
		}
	})
	t.Cleanup(func() { l.Close(); cancel(); all.Wait() })
	return "ws://" + l.Addr().String()
}

// hello has the smallest whole conversation.
var hello = &Case{ID: "hello", Roles: Both, Level: Must, Play: func(d *Dialogue) Verdict {
	if err := d.Open(); err != nil {
		return Fail("a handshake", "%v", err)
	}
	d.Send(Frame{Opcode: OpText, Payload: []byte("Hel")}, Ping("p"), Frame{Fin: true, Opcode: OpContinuation, Payload: []byte("lo")})
	var got []string
	for {
		e := d.Next()
		if e.Err != nil {
			got = append(got, e.Err.Error())
			break
		}
		got = append(got, append([]string{e.Frame.String()}, e.Faults...)...)
		if e.Frame.Opcode == OpText {
			d.Send(CloseFrame(1000, ""))
		}
	}
	want := []string{`pong "p"`, `text "Hello"`, `close 1000 ""`, "EOF"}
	if d.Testee == Client {
		want = want[:3]
		got = got[:min(3, len(got))]
	}
	if diff := cmp.Diff(want, got); diff != "" {
		return Fail("a conversation", "%s", diff)
	}
	return Pass("a conversation")
}}

func TestPlayServer(t *testing.T) {
	st, err := NewServerTest(echoServer(t), Settings{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	r := st.Play(t.Context(), hello)
	if r.Outcome != Passed || r.RemoteClose != 1000 || len(r.Wire) < 5 {
		t.Errorf("%+v", r)
	}
}

func TestPlayClient(t *testing.T) {
	r := withClient(t, hello)
	if r.Outcome != Passed || r.RemoteClose != 1000 {
		t.Errorf("%+v", r)
	}
}

// withClient plays a case with a client of ours that echoes.
func withClient(t *testing.T, c *Case) Result {
	t.Helper()
	wstest.CheckLeaks(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		conn, err := wsnet.Dial(t.Context(), "ws://"+l.Addr().String(), nil)
		if err != nil {
			return
		}
		defer conn.CloseNow()
		echo(t.Context(), conn)
	}()
	conn, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	head, rest, err := readRequest(conn)
	if err != nil {
		t.Fatal(err)
	}
	r := PlayClient(t.Context(), c, Settings{}, conn, head, rest)
	<-gone
	return r
}

func readRequest(r io.Reader) (head, rest []byte, err error) {
	var b []byte
	for {
		chunk := make([]byte, 4096)
		n, err := r.Read(chunk)
		b = append(b, chunk[:n]...)
		if i := bytes.Index(b, []byte("\r\n\r\n")); i >= 0 {
			return b[:i+4], b[i+4:], nil
		}
		if err != nil {
			return nil, nil, err
		}
	}
}

// What is no WebSocket server is said to be none.
func TestPlayNoWebSocket(t *testing.T) {
	s := httptest.NewServer(http.NotFoundHandler())
	defer s.Close()
	st, err := NewServerTest("ws"+strings.TrimPrefix(s.URL, "http"), Settings{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	r := st.Play(t.Context(), hello)
	if want := `answered "HTTP/1.1 404 Not Found" instead of 101`; r.Outcome != Failed || r.Actual != want {
		t.Errorf("%s: %q; want failed: %q", r.Outcome, r.Actual, want)
	}
}

// Frames are written as they are told to be, and read back with what is wrong.
func TestFrameBytes(t *testing.T) {
	long := uint64(1) << 63
	for _, tt := range []struct {
		frame  Frame
		due    bool
		hex    string // with the key cut out
		faults int
	}{
		{Text("Hi"), false, "81 02 | 'Hi'", 0},
		{Frame{Opcode: OpText, RSV: RSV1 | RSV3, Payload: []byte("a")}, false, "51 01 | 'a'", 0},
		{Frame{Fin: true, Opcode: OpText, Form: Length16, Payload: []byte("a")}, false, "81 7e 0001 | 'a'", 1},
		{Frame{Fin: true, Opcode: OpText, Form: Length64, Payload: []byte("a")}, false, "81 7f 0000000000000001 | 'a'", 1},
		{Frame{Fin: true, Opcode: OpText, Declared: &long}, false, "81 7f 8000000000000000", -1},
		{Frame{Fin: true, Opcode: OpText, Masking: MaskNever, Payload: []byte("a")}, true, "81 01 | 'a'", 1},
		{CloseFrame(1002, "no"), false, "88 04 03ea | 'no'", 0},
		{CloseFrame(0, ""), false, "88 00", 0},
	} {
		got := tt.frame.Append(nil, tt.due)
		want, err := wstest.ParseHex(tt.hex)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%v: % x, want % x", tt.frame, got, want)
		}
		r := read(got, tt.due)
		if tt.faults < 0 {
			if r.broken == "" {
				t.Errorf("%v is read as if it could be", tt.frame)
			}
		} else if len(r.faults) != tt.faults || r.size != len(got) || !bytes.Equal(r.frame.Payload, tt.frame.Payload) {
			t.Errorf("%v is read as %v with %q", tt.frame, r.frame, r.faults)
		}
		for i := range got {
			if r := read(bytes.Clone(got[:i]), tt.due); r.size != 0 {
				t.Errorf("%v: %d bytes of it are taken for all", tt.frame, i)
			}
		}
	}
	masked := Text("a longer text than eight bytes").Append(nil, true)
	if r := read(masked, true); !r.masked || string(r.frame.Payload) != "a longer text than eight bytes" || len(r.faults) > 0 {
		t.Errorf("%v %q", r.frame, r.faults)
	}
}
