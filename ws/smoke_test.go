package ws_test

import (
	"bytes"
	"context"
	"errors"
	"net/http/httptest"
	"testing"
	"time"

	"framewright/ws"
)

func TestSmoke(t *testing.T) {
	srv := ws.Handler(func(ctx context.Context, c *ws.Conn) error {
		var buf []byte
		for {
			op, msg, err := c.ReadAppend(ctx, buf[:0])
			if err != nil {
				return err
			}
			if err := c.Write(ctx, op, msg); err != nil {
				return err
			}
			buf = msg
		}
	})
	hs := httptest.NewServer(srv)
	defer hs.Close()
	ctx := t.Context()
	c, err := ws.Dial(ctx, hs.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range []int{0, 1, 125, 126, 65535, 65536, 1 << 20} {
		p := bytes.Repeat([]byte("x"), n)
		if err := c.Write(ctx, ws.OpText, p); err != nil {
			t.Fatal(err)
		}
		op, got, err := c.Read(ctx)
		if err != nil || op != ws.OpText || !bytes.Equal(got, p) {
			t.Fatal(n, op, len(got), err)
		}
	}
	short, cancel := context.WithTimeout(ctx, 20*time.Millisecond)
	_, _, err = c.Read(short)
	cancel()
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Fatal(err)
	}
	go func() {
		for range c.Messages(ctx) {
		}
	}()
	if rtt, err := c.Ping(ctx); err != nil || rtt <= 0 {
		t.Fatal(rtt, err)
	}
	start := time.Now()
	if err := c.Close(ctx, ws.CodeNormal, "bye"); err != nil {
		t.Fatal(err)
	}
	t.Log(time.Since(start), c.Err(), c.Stats())
	if err := srv.Shutdown(ctx); err != nil {
		t.Fatal(err)
	}
	t.Log(time.Since(start))
}
