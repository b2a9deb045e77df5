package wsnet_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"framewright/ws"
	"framewright/ws/wsnet"
	"framewright/ws/wstest"
)

// hijacker is what net/http gives a handler, without a socket.
type hijacker struct {
	header http.Header
	conn   net.Conn
	rw     *bufio.ReadWriter
}

func (h *hijacker) Header() http.Header         { return h.header }
func (h *hijacker) Write(p []byte) (int, error) { return len(p), nil }
func (h *hijacker) WriteHeader(int)             {}
func (h *hijacker) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return h.conn, h.rw, nil
}

// BenchmarkAccept is an opening handshake, connection and all, without a
// socket or the parsing of HTTP.
func BenchmarkAccept(b *testing.B) {
	r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(wstest.RFCRequest)))
	if err != nil {
		b.Fatal(err)
	}
	conn := &loopConn{}
	w := &hijacker{http.Header{}, conn, bufio.NewReadWriter(bufio.NewReader(conn), bufio.NewWriter(conn))}
	o := &wsnet.ServerOptions{Options: wsnet.Options{PingInterval: -1, Subprotocols: []string{"chat"}}}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := wsnet.Accept(w, r, o); err != nil { // with no goroutine, nothing needs closing
			b.Fatal(err)
		}
	}
}

// BenchmarkEcho sends a message there and back over a pipe: a write, a read, a
// write and a read, and the change of goroutines twice.
func BenchmarkEcho(b *testing.B) {
	for _, size := range []int{32, 1 << 10, 64 << 10} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			x, y := wstest.PipeSize(1 << 20)
			o := &wsnet.Options{PingInterval: -1}
			s, c := wsnet.NewConn(x, ws.RoleServer, o), wsnet.NewConn(y, ws.RoleClient, o)
			defer c.CloseNow()
			defer s.CloseNow()
			ctx := b.Context()
			go func() {
				var buf []byte
				for {
					op, msg, err := s.ReadAppend(ctx, buf[:0])
					if err != nil || s.Write(ctx, op, msg) != nil {
						return
					}
					buf = msg
				}
			}()
			msg := bytes.Repeat([]byte("x"), size)
			var buf []byte
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				if err := c.Write(ctx, ws.OpText, msg); err != nil {
					b.Fatal(err)
				}
				_, got, err := c.ReadAppend(ctx, buf[:0])
				if err != nil || len(got) != size {
					b.Fatal(len(got), err)
				}
				buf = got
			}
		})
	}
}

// BenchmarkEchoConn is one end of an echo alone: ReadAppend and Write over a
// stream that costs nothing.
func BenchmarkEchoConn(b *testing.B) {
	for _, role := range []ws.Role{ws.RoleServer, ws.RoleClient} {
		for _, size := range []int{32, 1 << 10, 64 << 10} {
			b.Run(fmt.Sprintf("%v/%d", role, size), func(b *testing.B) {
				echo := newEcho(b, role, size, b.Fatal)
				b.SetBytes(int64(size))
				b.ReportAllocs()
				for b.Loop() {
					echo()
				}
			})
		}
	}
}

// BenchmarkEchoBurst is a message of an echo whose peer sends sixteen at a
// time: what is left when the system calls are taken away.
func BenchmarkEchoBurst(b *testing.B) {
	for _, size := range []int{32, 1 << 10} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			h := ws.Header{Fin: true, Opcode: ws.OpText, Masked: true, Key: wstest.Key}
			frame := ws.AppendFrame(nil, h, bytes.Repeat([]byte("x"), size))
			c := wsnet.NewConn(&loopConn{replay: bytes.Repeat(frame, 16)}, ws.RoleServer, &wsnet.Options{PingInterval: -1})
			defer c.CloseNow()
			ctx := c.Context()
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for m, err := range c.Messages(ctx) {
				if !b.Loop() {
					break
				}
				if err == nil {
					err = c.Write(ctx, m.Opcode, m.Data)
				}
				if err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// TestEchoAllocatesNothing holds that an echo, once its buffers have their
// size, allocates nothing per message, in either role.
func TestEchoAllocatesNothing(t *testing.T) {
	for _, role := range []ws.Role{ws.RoleServer, ws.RoleClient} {
		for _, size := range []int{0, 1, 32, 1 << 10, 64 << 10} {
			t.Run(fmt.Sprintf("%v/%d", role, size), func(t *testing.T) {
				echo := newEcho(t, role, size, func(args ...any) { t.Helper(); t.Fatal(args...) })
				// AllocsPerRun rounds down, so one run is ten echoes; under the
				// race detector, where sync.Pool forgets at random, it is one.
				echoes := 10
				if wstest.RaceEnabled() {
					echoes = 1
				}
				got := testing.AllocsPerRun(100, func() {
					for range echoes {
						echo()
					}
				})
				if got != 0 {
					t.Errorf("%v allocations for %d echoes", got, echoes)
				}
			})
		}
	}
}

// TestDeflateEchoAllocatesNothing is the same for compressed messages.
func TestDeflateEchoAllocatesNothing(t *testing.T) {
	if wstest.RaceEnabled() {
		t.Skip("the race detector makes a sync.Pool forget at random, and what is pooled here is borrowed for every message")
	}
	for _, role := range []ws.Role{ws.RoleServer, ws.RoleClient} {
		for _, keep := range []bool{false, true} {
			for _, size := range []int{200, 1 << 10, 64 << 10} {
				t.Run(fmt.Sprintf("%v/context %v/%d", role, keep, size), func(t *testing.T) {
					// A window takes its full size first; the peer's messages
					// refer to nothing, so that they can be replayed.
					wire := zFrame(role, true, ws.RSV1, ws.OpText, deflateRaw(t, 12, zText(size, 0)))
					c := wsnet.NewDeflateConn(&loopConn{replay: wire}, role, &wsnet.Options{PingInterval: -1}, zParams(keep, 12))
					t.Cleanup(func() { c.CloseNow() })
					buf := make([]byte, 0, size+1<<10)
					echo := func() {
						op, msg, err := c.ReadAppend(t.Context(), buf[:0])
						if err != nil || len(msg) != size {
							t.Fatal(len(msg), err)
						}
						if err := c.Write(t.Context(), op, msg); err != nil {
							t.Fatal(err)
						}
					}
					for range 100 {
						echo()
					}
					got := testing.AllocsPerRun(100, func() {
						for range 10 {
							echo()
						}
					})
					if got != 0 {
						t.Errorf("%v allocations for 10 echoes", got)
					}
				})
			}
		}
	}
}

// newEcho returns a function that reads one message and writes it back.
func newEcho(tb testing.TB, role ws.Role, size int, fatal func(...any)) func() {
	h := ws.Header{Fin: true, Opcode: ws.OpText, Masked: role == ws.RoleServer, Key: wstest.Key}
	conn := &loopConn{replay: ws.AppendFrame(nil, h, bytes.Repeat([]byte("x"), size))}
	c := wsnet.NewConn(conn, role, &wsnet.Options{PingInterval: -1, EmptyRate: -1})
	tb.Cleanup(func() { c.CloseNow() })
	ctx := tb.Context()
	buf := make([]byte, 0, size+1<<10)
	return func() {
		op, msg, err := c.ReadAppend(ctx, buf[:0])
		if err != nil || op != ws.OpText || len(msg) != size {
			fatal(op, len(msg), err)
		}
		buf = msg
		if err := c.Write(ctx, op, msg); err != nil {
			fatal(err)
		}
	}
}

// loopConn replays the same bytes for ever and swallows what is written.
type loopConn struct {
	replay []byte
	at     int
}

func (l *loopConn) Read(p []byte) (int, error) {
	if len(l.replay) == 0 {
		return 0, io.EOF
	}
	n := copy(p, l.replay[l.at:])
	l.at = (l.at + n) % len(l.replay)
	return n, nil
}

func (l *loopConn) Write(p []byte) (int, error)      { return len(p), nil }
func (l *loopConn) Close() error                     { l.replay = nil; return nil }
func (l *loopConn) LocalAddr() net.Addr              { return &net.TCPAddr{} }
func (l *loopConn) RemoteAddr() net.Addr             { return nil }
func (l *loopConn) SetDeadline(time.Time) error      { return nil }
func (l *loopConn) SetReadDeadline(time.Time) error  { return nil }
func (l *loopConn) SetWriteDeadline(time.Time) error { return nil }

// BenchmarkAcceptStream is the same with the parsing of HTTP, by Serve's way.
func BenchmarkAcceptStream(b *testing.B) {
	conn := &loopConn{}
	request := wstest.Request("/chat", "server.example.com", "Origin: http://server.example.com", "Sec-WebSocket-Protocol: chat", "User-Agent: benchmark")
	o := &wsnet.ServerOptions{Options: wsnet.Options{PingInterval: -1, Subprotocols: []string{"chat"}}}
	b.ReportAllocs()
	for b.Loop() {
		conn.replay, conn.at = request, 0
		if _, err := wsnet.AcceptStream(context.Background(), conn, o); err != nil { // with no goroutine, nothing needs closing
			b.Fatal(err)
		}
	}
}

// BenchmarkServe is a connection over TCP to Serve: its opening handshake, and its
// end.
func BenchmarkServe(b *testing.B) {
	s := wsnet.Handler(func(ctx context.Context, c *wsnet.Conn) error {
		_, _, err := c.Read(ctx)
		return err
	})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	go s.Serve(l)
	defer l.Close()
	request := wstest.Request("/chat", "localhost", "Origin: http://localhost", "User-Agent: benchmark")
	answer := make([]byte, 1024)
	b.ReportAllocs()
	for b.Loop() {
		conn, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			b.Fatal(err)
		}
		conn.Write(request)
		if n, err := conn.Read(answer); err != nil || !bytes.HasPrefix(answer[:n], []byte("HTTP/1.1 101 ")) {
			b.Fatalf("%q, %v", answer[:n], err)
		}
		conn.(*net.TCPConn).SetLinger(0)
		conn.Close()
	}
}
