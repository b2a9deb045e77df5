package wstest_test

import (
	"context"
	"errors"
	"net"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

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
