package socketiotest_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"framewright/engineio"
	"framewright/socketio"
	"framewright/socketio/client"
	"framewright/socketio/socketiotest"
)

// everywhere runs a test in a bubble and outside of one, over each transport.
func everywhere(t *testing.T, f func(t *testing.T, transports []string)) {
	for _, transports := range [][]string{nil, {engineio.Polling}, {engineio.Polling, engineio.WebSocket}} {
		name := strings.Join(transports, "+")
		t.Run(name, func(t *testing.T) { f(t, transports) })
		t.Run(name+" in a bubble", func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { f(t, transports) })
		})
	}
}

// program is a server with a bit of everything.
func program(t *testing.T) *socketio.Server {
	io, err := socketio.New(&socketio.Options{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	io.Use(func(_ context.Context, s *socketio.Socket) error {
		var auth struct{ Token string }
		if err := s.DecodeAuth(&auth); err != nil {
			return err
		}
		if auth.Token == "wrong" {
			return &socketio.Error{Message: "no such token", Data: 7}
		}
		return nil
	})
	io.OnConnect(func(_ context.Context, s *socketio.Socket) error {
		r := s.Request()
		return s.Emit("hello", r.URL.Query().Get("who"), r.Header.Get("X-From"))
	})
	socketio.On(io, "say", func(_ context.Context, s *socketio.Socket, text string) error {
		if text == "" {
			return &socketio.Error{Message: "say something", Data: "please"}
		}
		return io.Emit("said", text)
	})
	socketio.OnAck(io, "sum", func(_ context.Context, s *socketio.Socket, numbers []int) (int, error) {
		sum := 0
		for _, n := range numbers {
			sum += n
		}
		return sum, nil
	})
	socketio.OnAck(io, "two", func(context.Context, *socketio.Socket, struct{}) (socketio.Reply, error) {
		return socketio.Reply{"a", 2}, nil
	})
	socketio.On(io, "ask me", func(ctx context.Context, s *socketio.Socket, _ struct{}) error {
		answer, err := socketio.Ask[string](ctx, s, "question")
		if err != nil {
			return err
		}
		return s.Emit("answered", answer)
	})
	socketio.On(io, "bytes", func(_ context.Context, s *socketio.Socket, b []byte) error {
		slices.Reverse(b)
		return s.Emit("bytes", b)
	})
	socketio.On(io, "go away", func(_ context.Context, s *socketio.Socket, _ struct{}) error {
		s.Disconnect()
		return nil
	})
	shop := io.Of("/shop")
	shop.OnConnect(func(_ context.Context, s *socketio.Socket) error {
		var auth struct{ Token string }
		return errors.Join(s.DecodeAuth(&auth), s.Emit("open", auth.Token))
	})
	return io
}

func TestClients(t *testing.T) {
	everywhere(t, func(t *testing.T, transports []string) {
		server := socketiotest.Serve(t, program(t))
		ada := server.Connect(&socketiotest.Options{Transports: transports, Query: url.Values{"who": {"Ada"}}, Header: http.Header{"X-From": {"a test"}}})
		grace := server.Connect(&socketiotest.Options{Transports: transports})
		var who, from string
		if err := ada.Next("hello").Decode(&who, &from); err != nil || who != "Ada" || from != "a test" {
			t.Errorf("%q %q %v", who, from, err)
		}
		if ada.ID() == "" || ada.ID() == grace.ID() {
			t.Errorf("the ids are %q and %q", ada.ID(), grace.ID())
		}
		grace.Next("hello")
		for i := range 3 {
			ada.Emit("say", fmt.Sprint("line ", i))
		}
		if got := socketiotest.Next[string](ada, "said"); got != "line 0" {
			t.Errorf("Ada got %q", got)
		}
		if diff := cmp.Diff([]string{`["said","line 1"]`, `["said","line 2"]`}, texts(ada.Received())); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
		ada.Nothing()
		// What stands before the one that is taken stays.
		grace.Emit("bytes", []byte{1})
		grace.Next("bytes")
		if diff := cmp.Diff([]string{`["said","line 0"]`, `["said","line 1"]`, `["said","line 2"]`}, texts(grace.Received())); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}

		if got := socketiotest.Ask[int](ada, "sum", []int{1, 2, 3}); got != 6 {
			t.Errorf("the sum is %d", got)
		}
		if got := socketiotest.Ask[socketiotest.Reply](ada, "two"); len(got) != 2 || string(got[1]) != "2" {
			t.Errorf("two are %s", got)
		}
		if e := ada.Fails("say", ""); e.Message != "say something" || e.Data != "please" {
			t.Errorf("it fails with %v", e)
		}
		if e := ada.Fails("say", []int{1}); !strings.Contains(e.Message, "argument 1") {
			t.Errorf("it fails with %v", e)
		}
		client.OnAck(ada.Socket(), "question", func(context.Context, *client.Socket, struct{}) (string, error) { return "an answer", nil })
		ada.Emit("ask me")
		if got := socketiotest.Next[string](ada, "answered"); got != "an answer" {
			t.Errorf("answered with %q", got)
		}
		ada.Emit("bytes", []byte{1, 2, 3})
		if got := socketiotest.Next[[]byte](ada, "bytes"); string(got) != "\x03\x02\x01" {
			t.Errorf("the bytes are %v", got)
		}

		shop := ada.Of("/shop", map[string]string{"token": "x"})
		if got := socketiotest.Next[string](shop, "open"); got != "x" {
			t.Errorf("the shop has %q", got)
		}
		shop.Disconnect()
		ada.Emit("say", "still here")

		refusal := server.Refused(&socketiotest.Options{Auth: map[string]string{"token": "wrong"}, Transports: transports})
		if refusal.Message != "no such token" || string(refusal.Data) != "7" {
			t.Errorf("refused with %v", refusal)
		}
		if refusal := server.Refused(&socketiotest.Options{Namespace: "/none"}); refusal.Message != "Invalid namespace" {
			t.Errorf("refused with %v", refusal)
		}

		grace.Socket().Emit("go away")
		if why := grace.Disconnected(); why != client.ServerDisconnect {
			t.Errorf("disconnected: %s", why)
		}
	})
}

func texts(events []socketiotest.Event) (list []string) {
	for _, e := range events {
		list = append(list, e.String())
	}
	return list
}

// The server hears of a client that goes, and of one that is lost.
func TestGone(t *testing.T) {
	everywhere(t, func(t *testing.T, transports []string) {
		io := program(t)
		gone := make(chan socketio.Reason, 2)
		io.OnDisconnect(func(_ context.Context, _ *socketio.Socket, why socketio.Reason) { gone <- why })
		mux := http.NewServeMux() // a handler that has it
		mux.Handle("/socket.io/", io)
		server := socketiotest.Serve(t, mux)
		t.Cleanup(func() { _ = io.Shutdown(context.Background()) })
		o := &socketiotest.Options{Transports: transports}
		server.Connect(o).Disconnect()
		if why := <-gone; why != socketio.ClientDisconnect {
			t.Errorf("a client that goes: %s", why)
		}
		if len(transports) > 0 { // one that polls is missed when its time is over
			return
		}
		lost := server.Connect(o)
		lost.Next("hello") // or OnConnect fails, and ends the socket
		lost.Drop()
		lost.Disconnected()
		if why := <-gone; why != socketio.TransportClose {
			t.Errorf("a client that is lost: %s", why)
		}
	})
}

// In a bubble, a client that is not heard of any more costs no time.
func TestLostInABubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		io := program(t)
		gone := make(chan socketio.Reason, 1)
		io.OnDisconnect(func(_ context.Context, _ *socketio.Socket, why socketio.Reason) { gone <- why })
		c := socketiotest.Serve(t, io).Connect(&socketiotest.Options{Transports: []string{engineio.Polling}})
		c.Drop()
		if why := <-gone; why == socketio.ClientDisconnect {
			t.Errorf("gone by %s", why)
		}
	})
}

// What goes wrong fails the test, and says what came instead.
func TestFailures(t *testing.T) {
	for _, tt := range []struct {
		name string
		do   func(s *socketiotest.Server, c *socketiotest.Client)
		want string
	}{
		{"nothing comes", func(_ *socketiotest.Server, c *socketiotest.Client) { c.Next("news") }, `client 1 in / waits for "news": not within 1s; came instead: 1, ["hello","",""]`},
		{"another type", func(_ *socketiotest.Server, c *socketiotest.Client) {
			c.Emit("say", "x")
			socketiotest.Next[int](c, "said")
		}, `argument 1: json: cannot unmarshal string into Go value of type int: ["said","x"]`},
		{"more arguments", func(_ *socketiotest.Server, c *socketiotest.Client) { socketiotest.Next[string](c, "hello") }, `it has 2 arguments, and 1 were expected`},
		{"something comes", func(_ *socketiotest.Server, c *socketiotest.Client) { c.Nothing() }, `should have got nothing more, and got 1, ["hello"`},
		{"a handler fails", func(_ *socketiotest.Server, c *socketiotest.Client) { c.Emit("say", "") }, `emits "say": socketio: say something`},
		{"no handler", func(_ *socketiotest.Server, c *socketiotest.Client) { c.Emit("nonsense") }, `no handler for the event`},
		{"it does not fail", func(_ *socketiotest.Server, c *socketiotest.Client) { c.Fails("sum", []int{1}) }, `should be answered with an error: answered with ["acknowledgement",1]`},
		{"another answer", func(_ *socketiotest.Server, c *socketiotest.Client) { socketiotest.Ask[string](c, "sum", []int{1}) }, `asks "sum": argument 1`},
		{"refused", func(s *socketiotest.Server, _ *socketiotest.Client) {
			s.Connect(&socketiotest.Options{Auth: map[string]string{"token": "wrong"}})
		}, `client 2 in / cannot connect: socketio: the server refuses the namespace "/": "no such token"`},
		{"not refused", func(s *socketiotest.Server, _ *socketiotest.Client) { s.Refused(nil) }, `client 2 in / should have been refused by the namespace, and got connected`},
		{"not disconnected", func(_ *socketiotest.Server, c *socketiotest.Client) { c.Disconnected() }, `waits for its end: not within 1s`},
		{"disconnected", func(_ *socketiotest.Server, c *socketiotest.Client) {
			_ = c.Socket().Emit("go away")
			c.Next("news")
		}, `it is disconnected: io server disconnect; came instead: 1, ["hello"`},
		{"too many", func(_ *socketiotest.Server, c *socketiotest.Client) {
			for range 10_001 {
				_ = c.Socket().Emit("say", "x")
			}
			synctest.Wait()
			c.Next("said")
		}, `10000 events have come, and the test has taken none of them`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := &recorder{TB: t}
				server := socketiotest.Serve(r, program(t))
				server.Patience = time.Second
				c := server.Connect(nil)
				synctest.Wait() // what OnConnect sends is there
				done := make(chan struct{})
				go func() {
					defer close(done)
					tt.do(server, c)
				}()
				<-done
				if !strings.Contains(r.said, tt.want) {
					t.Errorf("the test fails with\n%s\nwant\n%s", r.said, tt.want)
				}
			})
		})
	}
}

// A recorder is a test that may fail.
type recorder struct {
	testing.TB
	said string
}

func (r *recorder) Fatalf(format string, args ...any) {
	r.said = fmt.Sprintf(format, args...)
	runtime.Goexit()
}
