package wstest_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"framewright/ws"
	"framewright/ws/wsnet"
	"framewright/ws/wstest"
)

func TestListenerClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ln := wstest.NewListener()
		waiting, err := ln.Dial()
		if err != nil {
			t.Fatal(err)
		}
		accepted, err := ln.Accept()
		if err != nil {
			t.Fatal(err)
		}
		never, err := ln.Dial()
		if err != nil {
			t.Fatal(err)
		}
		ln.Close()
		ln.Close()

		if _, err := ln.Accept(); !errors.Is(err, net.ErrClosed) {
			t.Errorf("Accept after Close: %v", err)
		}
		if _, err := ln.Dial(); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("Dial after Close: %v", err)
		}
		if _, err := never.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("a connection that nobody accepted: %v", err)
		}
		if _, err := accepted.Write([]byte("x")); err != nil {
			t.Errorf("a connection that was accepted: %v", err)
		}
		if a, b := waiting.LocalAddr().String(), accepted.RemoteAddr().String(); a != b {
			t.Errorf("addresses %s and %s", a, b)
		}
	})
}

func TestListenerCloseEndsAccept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ln := wstest.NewListener()
		done := make(chan error)
		go func() {
			_, err := ln.Accept()
			done <- err
		}()
		synctest.Wait()
		ln.Close()
		if err := <-done; !errors.Is(err, net.ErrClosed) {
			t.Error(err)
		}
	})
}

func TestListenerBacklog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ln := wstest.NewListener()
		defer ln.Close()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		for n := 0; ; n++ {
			_, err := ln.DialContext(ctx, "tcp", "any.test:80")
			if err == nil {
				continue
			}
			if n != 128 || !errors.Is(err, context.DeadlineExceeded) {
				t.Fatalf("dial %d: %v", n, err)
			}
			return
		}
	})
}

// A server and a client of package ws, wholly in memory and in a bubble.
func TestListenerServesWebSocket(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ln := wstest.NewListener()
		srv := &http.Server{Handler: wsnet.Handler(func(ctx context.Context, c *wsnet.Conn) error {
			op, msg, err := c.Read(ctx)
			if err != nil {
				return err
			}
			return c.Write(ctx, op, msg)
		})}
		go srv.Serve(ln)
		defer srv.Close()

		c, err := wsnet.Dial(t.Context(), "ws://any.test/", &wsnet.DialOptions{HTTPClient: ln.Client()})
		if err != nil {
			t.Fatal(err)
		}
		defer c.CloseNow()
		if err := c.Write(t.Context(), ws.OpText, []byte("Hello")); err != nil {
			t.Fatal(err)
		}
		op, msg, err := c.Read(t.Context())
		if op != ws.OpText || string(msg) != "Hello" || err != nil {
			t.Errorf("Read = %v, %q, %v", op, msg, err)
		}
		_, _, err = c.Read(t.Context())
		if ce, ok := errors.AsType[*ws.CloseError](err); !ok || ce.Code != ws.CodeNormal {
			t.Errorf("after the handler's end: %v", err)
		}
	})
}
