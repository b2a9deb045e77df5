package wsnet_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"framewright/ws"
	"framewright/ws/wsnet"
	"framewright/ws/wstest"
)

// ctConn returns an endpoint over a pipe and the raw peer at its other end.
// Test and endpoint share a synctest bubble where the test has one.
func ctConn(t *testing.T, role ws.Role, o *wsnet.Options) (*wsnet.Conn, *wstest.Peer) {
	t.Helper()
	return ctConnSize(t, role, o, wstest.DefaultPipeSize)
}

// ctConnSize is ctConn with a pipe that holds size bytes a direction.
func ctConnSize(t *testing.T, role ws.Role, o *wsnet.Options, size int) (*wsnet.Conn, *wstest.Peer) {
	t.Helper()
	a, b := wstest.PipeSize(size)
	c := wsnet.NewConn(b, role, o)
	t.Cleanup(func() { c.CloseNow() })
	return c, wstest.NewPeer(t, a)
}

// ctPair returns both ends of one connection.
func ctPair(t *testing.T, server, client *wsnet.Options) (s, c *wsnet.Conn) {
	t.Helper()
	a, b := wstest.Pipe()
	s, c = wsnet.NewConn(a, ws.RoleServer, server), wsnet.NewConn(b, ws.RoleClient, client)
	t.Cleanup(func() { s.CloseNow(); c.CloseNow() })
	return s, c
}

// ctQuiet are options without keepalive, for tests in which time passes.
func ctQuiet() *wsnet.Options { return &wsnet.Options{PingInterval: -1} }

// ctMasked returns the bytes of a client's frame.
func ctMasked(fin bool, op ws.Opcode, payload string) []byte {
	return ws.AppendFrame(nil, ws.Header{Fin: fin, Opcode: op, Masked: true, Key: wstest.Key}, []byte(payload))
}

// ctUnmasked returns the bytes of a server's frame.
func ctUnmasked(fin bool, op ws.Opcode, payload string) []byte {
	return ws.AppendFrame(nil, ws.Header{Fin: fin, Opcode: op}, []byte(payload))
}

// ctCloseError wants err to be the connection's end.
func ctCloseError(t *testing.T, why string, err error, code ws.Code, remote bool) *ws.CloseError {
	t.Helper()
	e, ok := errors.AsType[*ws.CloseError](err)
	if !ok {
		t.Fatalf("%s: got %v, want a *CloseError", why, err)
	}
	if e.Code != code || e.Remote != remote {
		t.Fatalf("%s: got code %v, remote %v (%v), want %v, %v", why, e.Code, e.Remote, e, code, remote)
	}
	return e
}

// ctOneEnd wants every operation to fail with the connection's one terminal
// error.
func ctOneEnd(t *testing.T, c *wsnet.Conn) {
	t.Helper()
	ctx := t.Context()
	want := c.Err()
	if want == nil {
		t.Fatal("the connection is not over")
	}
	_, _, readErr := c.Read(ctx)
	_, _, readerErr := c.Reader(ctx)
	_, writerErr := c.Writer(ctx, ws.OpText)
	_, pingErr := c.Ping(ctx)
	for name, err := range map[string]error{
		"Context":        context.Cause(c.Context()),
		"Err":            c.Err(),
		"Read":           readErr,
		"Read, own ctx":  func() error { _, _, err := c.Read(c.Context()); return err }(),
		"Reader":         readerErr,
		"Write":          c.Write(ctx, ws.OpText, nil),
		"Write, own ctx": c.Write(c.Context(), ws.OpText, nil),
		"Writer":         writerErr,
		"Ping":           pingErr,
	} {
		if !errors.Is(err, want) {
			t.Errorf("%s: got %v, want what wraps %v", name, err, want)
		}
	}
}

// ctRead wants one whole message.
func ctRead(t *testing.T, why string, c *wsnet.Conn, op ws.Opcode, want string) {
	t.Helper()
	gotOp, got, err := c.Read(t.Context())
	if err != nil {
		t.Fatalf("%s: %v", why, err)
	}
	if gotOp != op || string(got) != want {
		t.Fatalf("%s: got %v %s, want %v %s", why, gotOp, ctShort(got), op, ctShort([]byte(want)))
	}
}

// ctShort quotes b, or its beginning.
func ctShort(b []byte) string {
	if len(b) > 40 {
		return fmt.Sprintf("%q... (%d bytes)", b[:40], len(b))
	}
	return fmt.Sprintf("%q", b)
}

// ctDrain reads what comes to conn until it ends, in a goroutine.
func ctDrain(conn io.Reader) <-chan []byte {
	done := make(chan []byte, 1)
	go func() {
		var b bytes.Buffer
		io.Copy(&b, conn)
		done <- b.Bytes()
	}()
	return done
}

// ctAsync runs f and gives its error.
func ctAsync(f func() error) <-chan error {
	done := make(chan error, 1)
	go func() { done <- f() }()
	return done
}

// ctTook runs f under fake time and wants it to take d.
func ctTook(t *testing.T, why string, d time.Duration, f func()) {
	t.Helper()
	start := time.Now()
	f()
	if got := time.Since(start); got != d {
		t.Errorf("%s took %v, want %v", why, got, d)
	}
}

// ctPending wants that nothing came from done although everybody has done
// what they could. Only in a bubble.
func ctPending[T any](t *testing.T, why string, done <-chan T) {
	t.Helper()
	synctest.Wait()
	select {
	case v := <-done:
		t.Fatalf("%s: got %v, want it to wait", why, v)
	default:
	}
}

// ctOnlyStream hides all but the three methods, deadlines above all.
type ctOnlyStream struct{ io.ReadWriteCloser }

// ctPipes is a stream of two io.Pipes: no deadlines and no buffer.
type ctPipes struct {
	*io.PipeReader
	*io.PipeWriter
}

func (p ctPipes) Close() error {
	p.PipeReader.Close()
	return p.PipeWriter.Close()
}

func ctIOPipes() (a, b io.ReadWriteCloser) {
	ar, bw := io.Pipe()
	br, aw := io.Pipe()
	return ctPipes{ar, aw}, ctPipes{br, bw}
}

// ctCertificate is for TLS between a test's two ends. Call it outside of a
// synctest bubble.
func ctCertificate(t *testing.T) tls.Certificate {
	t.Helper()
	ts := httptest.NewTLSServer(nil)
	defer ts.Close()
	return ts.TLS.Certificates[0]
}
