package client

import (
	"context"
	"errors"
	"testing"
	"time"

	"framewright/socketio"

	"github.com/google/go-cmp/cmp"
)

type file struct {
	Name string `json:"name"`
	Data []byte `json:"data"`
}

// serveAll is a server with something of everything.
func serveAll(io *socketio.Server) {
	io.OnConnect(func(ctx context.Context, s *socketio.Socket) error { return s.Emit("welcome", s.ID()) })
	socketio.On(io, "say", func(ctx context.Context, s *socketio.Socket, text string) error {
		return s.Emit("said", text)
	})
	socketio.OnAck(io, "double", func(ctx context.Context, s *socketio.Socket, n int) (int, error) {
		if n < 0 {
			return 0, &socketio.Error{Message: "less than nothing", Data: n}
		}
		return 2 * n, nil
	})
	socketio.OnAck(io, "file", func(ctx context.Context, s *socketio.Socket, f file) (file, error) {
		return file{f.Name + "!", append(f.Data, 255)}, nil
	})
	socketio.OnAck(io, "ask me", func(ctx context.Context, s *socketio.Socket, n int) (string, error) {
		return socketio.Ask[string](ctx, s, "what", n, []byte{1, 2, 3})
	})
	socketio.On(io, "join", func(ctx context.Context, s *socketio.Socket, room string) error { return s.Join(room) })
	socketio.On2(io, "tell", func(ctx context.Context, s *socketio.Socket, room, text string) error {
		return io.To(room).Emit("told", text)
	})
	admin := io.Of("/admin")
	admin.Use(func(ctx context.Context, s *socketio.Socket) error {
		var auth struct{ Token string }
		if err := s.DecodeAuth(&auth); err != nil {
			return err
		}
		if auth.Token != "secret" {
			return &socketio.Error{Message: "not you", Data: map[string]string{"why": auth.Token}}
		}
		return nil
	})
	socketio.OnAck(admin, "who", func(ctx context.Context, s *socketio.Socket, _ struct{}) (string, error) { return "admin", nil })
}

// Events, acknowledgements, binary, rooms and namespaces, in both directions.
func TestEverything(t *testing.T) {
	everyWay(t, func(t *testing.T, o Options) {
		inBubble(t, socketio.Options{}, serveAll, func(t *testing.T, w *world) {
			var token = "wrong"
			o.AuthFunc = func(ctx context.Context, namespace string) (any, error) {
				return map[string]string{"token": token}, nil
			}
			c := w.dial(o, func(c *Client) {
				On(c, "welcome", func(ctx context.Context, s *Socket, id string) error {
					w.note("welcome, own id: %t", id == s.ID())
					return nil
				})
				On(c, "said", func(ctx context.Context, s *Socket, text string) error { w.note("said %s", text); return nil })
				On(c, "told", func(ctx context.Context, s *Socket, text string) error { w.note("told %s", text); return nil })
				OnAck(c, "what", func(ctx context.Context, s *Socket, a Args) (string, error) {
					var n int
					var b []byte
					err := a.Decode(&n, &b)
					w.note("asked %d %v %v", n, b, err)
					return "that", nil
				})
			})
			ctx := t.Context()
			w.wantNotes("the first event has its handler", "welcome, own id: true")
			for _, text := range []string{"a", "b", "ü<>&"} {
				if err := c.Emit("say", text); err != nil {
					t.Fatal(err)
				}
			}
			w.wantNotes("in order", "said a", "said b", "said ü<>&")
			if n, err := Ask[int](ctx, c, "double", 21); n != 42 || err != nil {
				t.Fatal(n, err)
			}
			_, err := Ask[int](ctx, c, "double", -1)
			if e := causeOf[*Error](t, err); e.Message != "less than nothing" || e.Data != -1.0 {
				t.Fatalf("%+v", e)
			}
			f, err := Ask[file](ctx, c, "file", file{"x", []byte{0, 1}})
			if d := cmp.Diff(file{"x!", []byte{0, 1, 255}}, f); d != "" || err != nil {
				t.Fatal(err, d)
			}
			if s, err := Ask[string](ctx, c, "ask me", 4); s != "that" || err != nil {
				t.Fatal(s, err)
			}
			w.wantNotes("the server asks", "asked 4 [1 2 3] <nil>")
			On(c, "said", func(ctx context.Context, s *Socket, text string) error {
				double, err := Ask[int](ctx, s, "double", len(text))
				w.note("doubled %d %v", double, err)
				return err
			})
			c.Emit("say", "four")
			w.wantNotes("a handler may ask", "doubled 8 <nil>")
			c.Emit("join", "room")
			c.Emit("tell", "room", "you")
			c.Emit("tell", "elsewhere", "others")
			w.wantNotes("a room", "told you")

			admin := c.Of("/admin")
			e := causeOf[*ConnectError](t, admin.Connect(ctx))
			if e.Message != "not you" || string(e.Data) != `{"why":"wrong"}` || e.Namespace != "/admin" {
				t.Fatalf("%+v", e)
			}
			token = "secret"
			if err := admin.Connect(ctx); err != nil {
				t.Fatal(err)
			}
			if who, err := Ask[string](ctx, admin, "who"); who != "admin" || err != nil {
				t.Fatal(who, err)
			}
			admin.Disconnect()
			if err := admin.Emit("x"); !errors.Is(err, ErrClosed) {
				t.Fatal(err)
			}
			if n, err := Ask[int](ctx, c, "double", 1); n != 2 || err != nil {
				t.Fatal("the other namespace goes on:", n, err)
			}
			e = causeOf[*ConnectError](t, c.Of("/nowhere").Connect(ctx))
			if e.Message != "Invalid namespace" {
				t.Fatalf("%+v", e)
			}
			w.close(c)
			if err := c.Connect(ctx); !errors.Is(err, ErrClosed) {
				t.Fatal(err)
			}
		})
	})
}

// The client comes back to a server that was killed and started again, and what was
// emitted meanwhile arrives in order.
func TestReconnects(t *testing.T) {
	everyWay(t, func(t *testing.T, o Options) {
		inBubble(t, socketio.Options{}, serveAll, func(t *testing.T, w *world) {
			c := w.dial(o, func(c *Client) {
				c.OnConnect(func(ctx context.Context, s *Socket) error { w.note("connected"); return nil })
				c.OnDisconnect(func(ctx context.Context, s *Socket, why Reason) { w.note("disconnected") })
				c.OnConnectError(func(ctx context.Context, s *Socket, err error) { w.note("no connection") })
				On(c, "said", func(ctx context.Context, s *Socket, text string) error { w.note("said %s", text); return nil })
			})
			for range 3 {
				w.wantNotes("at first", "connected")
				w.stop()
				time.Sleep(10 * time.Millisecond)
				w.wantNotes("killed", "disconnected")
				for _, text := range []string{"a", "b", "c"} {
					if err := c.Emit("say", text); err != nil {
						t.Fatal(err)
					}
				}
				time.Sleep(1600 * time.Millisecond) // the first attempt is after 0.5 to 1.5 s
				w.wantNotes("still away", "no connection")
				answer := make(chan error)
				go func() {
					_, err := Ask[int](t.Context(), c, "double", 1)
					answer <- err
				}()
				w.start()
				if err := <-answer; err != nil {
					t.Fatal(err)
				}
				w.wantNotes("back", "connected", "said a", "said b", "said c")
				w.note("connected")
			}
			w.wantNotes("at first", "connected")
			w.close(c)
		})
	})
}

// Over a lost connection the server recovers the socket: the same id, its rooms, and
// what it has missed, once each.
func TestRecovers(t *testing.T) {
	everyWay(t, func(t *testing.T, o Options) {
		inBubble(t, socketio.Options{Recovery: &socketio.Recovery{}}, serveAll, func(t *testing.T, w *world) {
			c := w.dial(o, func(c *Client) {
				c.OnConnect(func(ctx context.Context, s *Socket) error { w.note("connected %t", s.Recovered()); return nil })
				On(c, "told", func(ctx context.Context, s *Socket, text string) error { w.note("told %s", text); return nil })
			})
			id := c.ID()
			c.Emit("join", "room")
			c.Emit("tell", "room", "1")
			w.wantNotes("the first time", "connected false", "told 1")
			for range 2 {
				c.Drop()
				time.Sleep(time.Millisecond)
				w.io.To("room").Emit("told", "2")
				w.io.To("room").Emit("told", "3")
				w.io.To("elsewhere").Emit("told", "4")
				time.Sleep(2 * time.Second)
				w.wantNotes("missed", "told 2", "told 3", "connected true")
				if c.ID() != id {
					t.Error("another id")
				}
				c.Emit("tell", "room", "5")
				w.wantNotes("still in the room", "told 5")
			}
			w.close(c)
		})
	})
}
