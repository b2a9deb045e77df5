package client

import (
	"context"
	"errors"
	"testing"
	"time"

	"framewright/socketio"
)

// Settle waits for the handlers of what has come, and no longer than its context.
func TestSettle(t *testing.T) {
	greet := func(io *socketio.Server) {
		socketio.On(io, "greet me", func(_ context.Context, s *socketio.Socket, _ struct{}) error {
			return errors.Join(s.Emit("hello"), s.Emit("hello"))
		})
	}
	inBubble(t, socketio.Options{}, greet, func(t *testing.T, w *world) {
		handled := 0
		c := w.dial(Options{}, func(c *Client) {
			On(c, "hello", func(context.Context, *Socket, struct{}) error {
				time.Sleep(time.Second) // of the bubble
				handled++
				return nil
			})
		})
		if _, err := Ask[Args](t.Context(), c, "greet me"); err != nil {
			t.Fatal(err)
		}
		short, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
		defer cancel()
		if err := c.Settle(short); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("with less time than a handler takes: %v", err)
		}
		if err := c.Settle(t.Context()); err != nil || handled != 2 {
			t.Errorf("%d of 2 handlers have run, %v", handled, err)
		}
		w.close(c)
	})
}
