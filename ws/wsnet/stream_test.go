package wsnet_test

import (
	"context"
	"errors"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"framewright/ws"
	"framewright/ws/wsnet"
	"framewright/ws/wstest"
)

// Over streams without deadlines, io.Pipe here, everything works the same.
func TestStreamWithoutDeadlines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := ctIOPipes()
		s, c := wsnet.NewConn(a, ws.RoleServer, ctQuiet()), wsnet.NewConn(b, ws.RoleClient, ctQuiet())
		for range 3 {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			ctTook(t, "Read", time.Second, func() {
				if _, _, err := s.Read(ctx); !errors.Is(err, context.DeadlineExceeded) || s.Err() != nil {
					t.Fatalf("got %v, %v", err, s.Err())
				}
			})
			cancel()
			wrote := ctAsync(func() error { return c.Write(t.Context(), ws.OpText, []byte("Hello")) })
			ctRead(t, "after an interrupted read", s, ws.OpText, "Hello")
			if err := <-wrote; err != nil {
				t.Fatal(err)
			}
		}
		go func() {
			for range c.Messages(t.Context()) {
			}
		}()
		go func() {
			for range s.Messages(t.Context()) {
			}
		}()
		if _, err := c.Ping(t.Context()); err != nil {
			t.Error(err)
		}
		if err := c.Close(t.Context(), ws.CodeNormal, "bye"); err != nil {
			t.Error(err)
		}
		if err := s.Close(t.Context(), ws.CodeNormal, ""); err != nil {
			t.Error(err)
		}
		ctOneEnd(t, s)
		ctOneEnd(t, c)
		// synctest.Test sees to it that no goroutine is left
	})
}

func TestStreamWriteInterrupted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := ctIOPipes()
		defer b.Close()
		c := wsnet.NewConn(a, ws.RoleServer, ctQuiet())
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		ctTook(t, "Write", time.Second, func() {
			// Nobody can say what was sent, so the connection is over.
			err := c.Write(ctx, ws.OpText, []byte("Hello"))
			if e := ctCloseError(t, "Write", err, ws.CodeAbnormal, false); !errors.Is(e, context.DeadlineExceeded) {
				t.Errorf("got %v", err)
			}
		})
		ctOneEnd(t, c)
	})
}

func TestStreamWriteTimeout(t *testing.T) {
	for _, pause := range []time.Duration{0, 4 * time.Second, time.Minute} {
		synctest.Test(t, func(t *testing.T) {
			a, b := wstest.PipeSize(100)
			defer b.Close()
			c := wsnet.NewConn(ctOnlyStream{a}, ws.RoleServer, ctQuiet())
			if err := c.Write(t.Context(), ws.OpBinary, make([]byte, 10)); err != nil {
				t.Fatal(err)
			}
			time.Sleep(pause)
			ctTook(t, "a stalled write", 10*time.Second, func() {
				if err := c.Write(t.Context(), ws.OpBinary, make([]byte, 1000)); !errors.Is(err, wsnet.ErrWriteTimeout) {
					t.Errorf("got %v", err)
				}
			})
			ctOneEnd(t, c)
		})
	}
}

func TestStreamCloseNowWakesAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := ctIOPipes()
		defer b.Close()
		c := wsnet.NewConn(a, ws.RoleClient, ctQuiet())
		reader := ctAsync(func() error { _, _, err := c.Read(t.Context()); return err })
		writer := ctAsync(func() error { return c.Write(t.Context(), ws.OpText, []byte("Hello")) })
		synctest.Wait()
		ctTook(t, "CloseNow", 0, func() {
			c.CloseNow()
			for _, ch := range []<-chan error{reader, writer} {
				if err := <-ch; !errors.Is(err, c.Err()) {
					t.Errorf("got %v", err)
				}
			}
		})
	})
}

// A stuck stream whose Close wakes nobody must not hold the Conn.
func TestStreamStuck(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stuck := make(chan struct{})
		c := wsnet.NewConn(stStuck(stuck), ws.RoleClient, nil)
		reader := ctAsync(func() error { _, _, err := c.Read(t.Context()); return err })
		ctTook(t, "Close", 5*time.Second, func() {
			if err := c.Close(t.Context(), ws.CodeNormal, ""); !errors.Is(err, wsnet.ErrCloseTimeout) {
				t.Errorf("got %v", err)
			}
			if err := <-reader; !errors.Is(err, c.Err()) {
				t.Errorf("the reader: %v", err)
			}
		})
		close(stuck) // for synctest, which would find the stream's own goroutines
	})
}

type stStuck chan struct{}

func (s stStuck) Read([]byte) (int, error)  { <-s; return 0, io.EOF }
func (s stStuck) Write([]byte) (int, error) { <-s; return 0, io.EOF }
func (s stStuck) Close() error              { return nil }
