package socketio

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// An event goes through the gates to its handler, to the one for all others, or to none;
// what goes wrong on the way goes to OnError.
func TestEvents(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, w *world) {
		n := w.io.Of("/n")
		OnAck(n, "known", func(_ context.Context, _ *Socket, v int) (int, error) { return v + 1, nil })
		On(n, "panics", func(context.Context, *Socket, struct{}) error { panic("boom") })
		n.UseEvents(func(_ context.Context, _ *Socket, event string, args Args) error {
			w.note("first %s, %d arguments", event, args.Len())
			return nil
		})
		n.UseEvents(func(_ context.Context, _ *Socket, event string, args Args) error {
			var who string
			if event == "locked" && (args.Decode(&who) != nil || who != "key") {
				return &Error{Message: "locked"}
			}
			return nil
		})
		r := w.dial()
		r.send(`40/n,`)
		r.want("connected", `40/n,{"sid":"…"}`)
		r.send(`42/n,1["known",1]`, `42/n,2["unknown",1,2]`)
		r.want("without OnAny", `43/n,1[2]`, `43/n,2[{"error":"the server has no handler for the event \"unknown\""}]`)
		w.wantNotes("the gates are for handlers", "first known, 1 arguments")

		n.OnAny(func(_ context.Context, _ *Socket, event string, args Args) (Reply, error) {
			if event == "bad" {
				return nil, errors.New("the password is swordfish")
			}
			return Reply{event, args.Len()}, nil
		})
		r.send(`42/n,3["known",1]`, `42/n,4["unknown",1,2]`, `42/n,5["bad"]`, `42/n,6["locked","x"]`, `42/n,7["locked","key"]`)
		r.want("with OnAny", `43/n,3[2]`, `43/n,4["unknown",2]`, `43/n,5[{"error":"internal error"}]`, `43/n,6[{"error":"locked"}]`, `43/n,7["locked",1]`)
		w.wantNotes("all go through the gates", "first known, 1 arguments", "first unknown, 2 arguments", "first bad, 0 arguments", "first locked, 1 arguments", "first locked, 1 arguments")

		n.OnError(func(_ context.Context, _ *Socket, event string, err error) error {
			text, _, _ := strings.Cut(err.Error(), "\n")
			w.note("%s: %s", event, text)
			switch event {
			case "bad":
				return &Error{Message: "sorry"}
			case "locked":
				return nil
			case "panics":
				panic("again")
			}
			return err
		})
		r.send(`42/n,8["bad"]`, `42/n,9["locked"]`, `42/n,10["known","x"]`, `42/n,11["panics"]`, `42/n,12["known",2]`)
		r.want("with OnError", `43/n,8[{"error":"sorry"}]`, `43/n,9[]`, `43/n,10[{"error":"argument 1: a string where something else is expected"}]`, `43/n,11[{"error":"internal error"}]`, `43/n,12[3]`)
		w.wantNotes("what it was told", "first bad, 0 arguments", "bad: the password is swordfish", "first locked, 0 arguments", "locked: socketio: locked",
			"first known, 1 arguments", "known: socketio: argument 1: a string where something else is expected", "first panics, 0 arguments", "panics: panic: boom", "first known, 1 arguments")
	})
}

// What is done with several sockets at once, by the rooms that they are in.
func TestTargets(t *testing.T) {
	inBubble(t, Options{MaxRooms: 3}, func(t *testing.T, w *world) {
		var clients []*raw
		var sockets []*Socket
		for range 3 {
			known := w.io.Sockets()
			clients = append(clients, w.in())
			for _, s := range w.io.Sockets() {
				if !slices.Contains(known, s) {
					sockets = append(sockets, s)
				}
			}
		}
		rooms := func(why string, want ...string) {
			t.Helper()
			var got []string
			for _, s := range sockets {
				got = append(got, strings.Join(s.Rooms(), " "))
			}
			if fmt.Sprintf("%q", got) != fmt.Sprintf("%q", want) {
				t.Errorf("%s: %q, want %q", why, got, want)
			}
		}
		sockets[0].Join("red")
		sockets[1].Join("red", "blue")
		if err := w.io.To("red").Join("green"); err != nil {
			t.Error(err)
		}
		rooms("the red are green", "green red", "blue green red", "")
		if got := fmt.Sprint(w.io.Rooms(), w.io.To("red").Count(), w.io.Volatile().Count(), Target{}.Count()); got != "[blue green red] 2 3 0" {
			t.Errorf("rooms and counts: %s", got)
		}
		if err := w.io.Except().Join("one too many"); err == nil || !strings.Contains(err.Error(), "MaxRooms") {
			t.Errorf("a fourth room of one of them: %v", err)
		}
		rooms("the others have joined", "green one too many red", "blue green red", "one too many")
		w.io.To("red", "green").Except("blue").Leave("red", "green", sockets[0].ID())
		rooms("the one that is not blue has left", "one too many", "blue green red", "one too many")
		w.io.CloseRoom("one too many")
		rooms("a room is closed", "", "blue green red", "")
		if got := fmt.Sprint(w.io.Rooms()); got != "[blue green red]" {
			t.Errorf("rooms: %s", got)
		}
		w.io.To("blue").Disconnect()
		clients[1].want("is told", `41`)
		w.io.Except(sockets[2].ID()).Drop()
		clients[0].wantClosed("is cut")
		w.io.Emit("still")
		clients[2].want("is there", `42["still"]`)
		Target{}.Leave("x")
		Target{}.Disconnect()
		if err := (Target{}).Join("x"); err != nil {
			t.Error(err)
		}
	})
}

// All are asked at once, and each answer, or why there is none, is told.
func TestAskAll(t *testing.T) {
	inBubble(t, Options{MaxAsks: 2}, func(t *testing.T, w *world) {
		if got, err := AskAll[int](t.Context(), w.io.To("nobody"), "e"); got != nil || err != nil {
			t.Errorf("nobody: %v, %v", got, err)
		}
		a, b, c, d := w.in(), w.in(), w.in(), w.in()
		done := make(chan []string)
		ask := func(ctx context.Context) {
			start := time.Now()
			answers, err := AskAll[int](ctx, w.io.all(), "how many", []byte{1})
			var got []string
			for _, a := range answers {
				text := fmt.Sprint(a.Value)
				if a.Err != nil {
					text, _, _ = strings.Cut(a.Err.Error(), " (")
				}
				got = append(got, text)
			}
			slices.Sort(got)
			done <- append(got, fmt.Sprint(err, " after ", time.Since(start)))
		}
		go ask(t.Context())
		for _, r := range []*raw{a, b, c, d} {
			r.want("is asked", `451-1["how many",{"_placeholder":true,"num":0}]`, "01")
		}
		a.send(`431[5]`)
		b.send(`431["five"]`)
		c.c.CloseNow()
		want := []string{"5", "socketio: argument 1: a string where something else is expected", "socketio: the client did not acknowledge in time", "socketio: the socket is disconnected", "<nil> after 10s"}
		if got := <-done; !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		go ask(ctx)
		for _, r := range []*raw{a, b, d} {
			r.want("is asked again", `451-2["how many",{"_placeholder":true,"num":0}]`, "01")
		}
		d.send(`432[7]`)
		if got, want := <-done, []string{"7", "context deadline exceeded", "context deadline exceeded", "<nil> after 1s"}; !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
		if _, err := AskAll[int](t.Context(), w.io.all(), "disconnect"); err == nil {
			t.Error("a name that is the client's own")
		}
		for _, s := range w.io.Sockets() {
			if len(s.acks) != 0 {
				t.Errorf("%d are still waited for", len(s.acks))
			}
		}
	})
}

// A room is a namespace with state.
type roomCount struct {
	w     *world
	count int
}

func (c *roomCount) OnConnect(_ context.Context, s *Socket) error {
	c.w.note("connect")
	return s.Emit("hello")
}
func (c *roomCount) OnDisconnect(_ context.Context, _ *Socket, why Reason) { c.w.note("%s", why) }
func (c *roomCount) OnMyEvent(_ context.Context, _ *Socket, a, b int) (int, error) {
	c.count += a + b
	return c.count, nil
}
func (c *roomCount) OnNothing(context.Context, *Socket) error { return &Error{Message: "nothing"} }
func (c *roomCount) OnAll(_ context.Context, _ *Socket, args Args) (Reply, error) {
	return Reply{args.Len(), "all"}, nil
}
func (c *roomCount) OnAny(_ context.Context, _ *Socket, event string, _ Args) (Reply, error) {
	return Reply{"any", event}, nil
}
func (c *roomCount) OnError(_ context.Context, _ *Socket, event string, err error) error {
	c.w.note("%s failed", event)
	return err
}
func (c *roomCount) EventNames() map[string]string { return map[string]string{"OnAll": "all of it"} }
func (c *roomCount) Once()                         {}
func (c *roomCount) Only(int) string               { return "" }

func TestBind(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, w *world) {
		if err := w.io.Bind(&roomCount{w: w}); err != nil {
			t.Fatal(err)
		}
		r := w.in()
		r.want("connected", `42["hello"]`)
		r.send(`421["my_event",1,2]`, `422["my_event",4]`, `423["nothing"]`, `424["all of it",1,2,3]`, `425["all"]`, `426["my_event","x"]`)
		r.want("each method", `431[3]`, `432[7]`, `433[{"error":"nothing"}]`, `434[3,"all"]`, `435["any","all"]`, `436[{"error":"argument 1: a string where something else is expected"}]`)
		r.send(`41`)
		w.wantNotes("what was told", "connect", "nothing failed", "my_event failed", "client namespace disconnect")
	})
}

type (
	badConnect struct{}
	badEvent   struct{}
	badName    struct{}
	noMethods  struct{}
)

func (badConnect) OnConnect(*Socket) error                     { return nil }
func (badEvent) OnMessage(context.Context, *Socket, ...string) {}
func (badName) OnA(context.Context, *Socket) error             { return nil }
func (badName) EventNames() map[string]string                  { return map[string]string{"OnB": "b"} }

func TestBindMistakes(t *testing.T) {
	io, err := New(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer io.Shutdown(t.Context())
	for want, v := range map[string]any{
		"Bind of nil": nil,
		"Bind of socketio.badConnect: OnConnect is func(*socketio.Socket) error; want (ctx, *Socket) error": badConnect{},
		"OnMessage is func(context.Context, *socketio.Socket, ...string); want (ctx context.Context":        badEvent{},
		"EventNames has OnB, and there is no such method":                                                   badName{},
		"Bind of socketio.noMethods: it has no method whose name begins with On; are they of the pointer?":  noMethods{},
		"Bind of socketio.roomCount: it has no method whose name begins with On; are they of the pointer?":  roomCount{},
	} {
		if err := io.Bind(v); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%T: %v, want %s", v, err, want)
		}
	}
	if len(io.handlers) != 0 {
		t.Errorf("bound: %v", io.handlers)
	}
}
