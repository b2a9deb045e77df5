package socketiotest_test

import (
	"context"
	"log/slog"
	"testing"

	"framewright/socketio"
	"framewright/socketio/socketiotest"
)

// newChat is the program that is tested.
func newChat(t *testing.T) *socketio.Server {
	io, err := socketio.New(&socketio.Options{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	socketio.On(io, "message", func(_ context.Context, s *socketio.Socket, text string) error {
		if text == "" {
			return &socketio.Error{Message: "say something"}
		}
		return s.Broadcast().Emit("message", text)
	})
	return io
}

// The test of a chat, as a program's own would be.
func Example() {
	_ = func(t *testing.T) { // func TestChat(t *testing.T)
		server := socketiotest.Serve(t, newChat(t))
		ada, grace := server.Connect(nil), server.Connect(nil)

		ada.Emit("message", "hello")
		if got := socketiotest.Next[string](grace, "message"); got != "hello" {
			t.Errorf("Grace heard %q", got)
		}
		ada.Nothing() // is not told what it has said itself

		if err := ada.Fails("message", ""); err.Message != "say something" {
			t.Error(err)
		}
	}
}
