package socketio

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// Every exchange of the protocol, byte for byte: what a client sends (>), what
// the server sends (<), binary messages in hexadecimal after an x.
func TestExchanges(t *testing.T) {
	for _, tt := range []struct{ name, script string }{
		{"connect", `
			> 40
			< 40{"sid":"…"}
			< 42["message","welcome"]`},
		{"connect with an empty auth", `
			> 40{}
			< 40{"sid":"…"}
			< 42["message","welcome"]`},
		{"connect with auth", `
			> 40/private,{"token":"right"}
			< 40/private,{"sid":"…"}`},
		{"connect with a namespace whose comma is missing", `
			> 40/plain
			< 40/plain,{"sid":"…"}`},
		{"refused with a message and data", `
			> 40/private,{"token":"wrong"}
			< 44/private,{"message":"no entry","data":{"hint":"ask the door"}}
			> 40/private,{"token":"right"}
			< 40/private,{"sid":"…"}`},
		{"refused by a bad auth", `
			> 40/private,{"token":7}
			< 44/private,{"message":"auth: a number in field token where something else is expected"}`},
		{"refused without details", `
			> 40/broken,
			< 44/broken,{"message":"internal error"}`},
		{"refused by a panic", `
			> 40/panics,
			< 44/panics,{"message":"internal error"}`},
		{"an unknown namespace", `
			> 40/nope,
			< 44/nope,{"message":"Invalid namespace"}
			> 40/plain,
			< 40/plain,{"sid":"…"}`},
		{"two namespaces", `
			> 40/plain,
			< 40/plain,{"sid":"…"}
			> 40
			< 40{"sid":"…"}
			< 42["message","welcome"]
			> 42/plain,1["echo","in plain"]
			< 43/plain,1["in plain"]
			> 421["echo","in /"]
			< 431["in /"]
			> 41/plain,
			> 422["echo","still in /"]
			< 432["still in /"]`},
		{"event", `
			> 40/plain,
			< 40/plain,{"sid":"…"}
			> 42/plain,["repeat","hello",{"n":[1,2.5,null]}]
			< 42/plain,["repeat","hello",{"n":[1,2.5,null]}]`},
		{"event that is acknowledged with nothing", `
			> 40/plain,
			< 40/plain,{"sid":"…"}
			> 42/plain,0["repeat"]
			< 42/plain,["repeat"]
			< 43/plain,0[]`},
		{"event that is acknowledged with several values", `
			> 40/plain,
			< 40/plain,{"sid":"…"}
			> 42/plain,12["several"]
			< 43/plain,12[1,"two",null]`},
		{"event that fails with a message", `
			> 40/plain,
			< 40/plain,{"sid":"…"}
			> 42/plain,1["fail","public"]
			< 43/plain,1[{"error":"not today","data":[1]}]
			> 42/plain,2["fail","private"]
			< 43/plain,2[{"error":"internal error"}]
			> 42/plain,3["fail","panic"]
			< 43/plain,3[{"error":"internal error"}]
			> 42/plain,["fail","panic"]
			> 42/plain,4["unencodable"]
			< 43/plain,4[{"error":"internal error"}]
			> 42/plain,5["echo","on it goes"]
			< 43/plain,5["on it goes"]`},
		{"event of the wrong type", `
			> 40/plain,
			< 40/plain,{"sid":"…"}
			> 42/plain,1["echo",{"a":1}]
			< 43/plain,1[{"error":"argument 1: a object where something else is expected"}]
			> 42/plain,2["add",1,"2"]
			< 43/plain,2[{"error":"argument 2: a string where something else is expected"}]`},
		{"event with too few arguments, and with too many", `
			> 40/plain,
			< 40/plain,{"sid":"…"}
			> 42/plain,1["echo"]
			< 43/plain,1[""]
			> 42/plain,2["echo","a","b"]
			< 43/plain,2["a"]`},
		{"event that nobody handles", `
			> 40/plain,
			< 40/plain,{"sid":"…"}
			> 42/plain,["nobody"]
			> 42/plain,1["nobody"]
			< 43/plain,1[{"error":"the server has no handler for the event \"nobody\""}]`},
		{"markup is left as it is", `
			> 40/plain,
			< 40/plain,{"sid":"…"}
			> 42/plain,1["echo","<b>&\u2028</b> 👋"]
			< 43/plain,1["<b>&\u2028</b> 👋"]`},
		{"binary event and binary ack", `
			> 40/plain,
			< 40/plain,{"sid":"…"}
			> 451-/plain,3["bytes",{"_placeholder":true,"num":0}]
			x 01ff
			< 461-/plain,3[{"_placeholder":true,"num":0}]
			y 01ff`},
		{"binary, nested", `
			> 40/plain,
			< 40/plain,{"sid":"…"}
			> 452-/plain,["repeat",{"a":[{"_placeholder":true,"num":1}],"b":"text"},{"_placeholder":true,"num":0}]
			x 00
			x aabb
			< 452-/plain,["repeat",{"a":[{"_placeholder":true,"num":0}],"b":"text"},{"_placeholder":true,"num":1}]
			y aabb
			y 00`},
		{"empty binary", `
			> 40/plain,
			< 40/plain,{"sid":"…"}
			> 451-/plain,3["bytes",{"_placeholder":true,"num":0}]
			x
			< 461-/plain,3[{"_placeholder":true,"num":0}]
			y`},
		{"binary event without attachments", `
			> 40/plain,
			< 40/plain,{"sid":"…"}
			> 450-/plain,1["echo","x"]
			< 43/plain,1["x"]`},
		{"the server asks", `
			> 40/plain,
			< 40/plain,{"sid":"…"}
			> 42/plain,7["ask me"]
			< 42/plain,1["how many?","please"]
			> 43/plain,1[41]
			< 43/plain,7[42]`},
		{"the server asks, and the answer is binary", `
			> 40/plain,
			< 40/plain,{"sid":"…"}
			> 42/plain,7["ask bytes"]
			< 42/plain,1["bytes?"]
			> 461-/plain,1[{"_placeholder":true,"num":0}]
			x 0102
			< 461-/plain,7[{"_placeholder":true,"num":0}]
			y 0102`},
		{"answers that nobody waits for", `
			> 40/plain,
			< 40/plain,{"sid":"…"}
			> 43/plain,1[41]
			> 43/plain,9007199254740991[41]
			> 42/plain,1["echo","fine"]
			< 43/plain,1["fine"]`},
		{"the server disconnects", `
			> 40/plain,
			< 40/plain,{"sid":"…"}
			> 40
			< 40{"sid":"…"}
			< 42["message","welcome"]
			> 42/plain,["disconnect me"]
			< 41/plain,
			> 42/plain,["echo","was under way"]
			> 421["echo","still in /"]
			< 431["still in /"]
			> 40/plain,
			< 40/plain,{"sid":"…"}`},
		{"a connect handler that fails disconnects", `
			> 40/moody,
			< 40/moody,{"sid":"…"}
			< 42/moody,["sorry"]
			< 41/moody,`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inBubble(t, Options{}, func(t *testing.T, w *world) {
				scene(w.io)
				r := w.dial()
				for line := range strings.Lines(tt.script) {
					line = strings.TrimSpace(line)
					if line == "" {
						continue
					}
					what, text := line[0], strings.TrimSpace(line[1:])
					switch what {
					case '>':
						r.send(text)
					case 'x':
						var b []byte
						fmt.Sscanf(text, "%x", &b)
						r.sendBinary(b...)
					default:
						r.want(line, text)
					}
				}
				r.wantIdle("at the end")
			})
		})
	}
}

// scene is a server for the exchanges.
func scene(io *Server) {
	io.OnConnect(func(ctx context.Context, s *Socket) error { return s.Emit("message", "welcome") })
	echo := func(ctx context.Context, s *Socket, text string) (string, error) { return text, nil }
	OnAck(io, "echo", echo)

	n := io.Of("/plain")
	OnAck(n, "echo", echo)
	OnAck(n, "bytes", func(ctx context.Context, s *Socket, b []byte) ([]byte, error) { return b, nil })
	OnAck(n, "several", func(ctx context.Context, s *Socket, _ struct{}) (Reply, error) { return Reply{1, "two", nil}, nil })
	OnAck(n, "unencodable", func(ctx context.Context, s *Socket, _ struct{}) (func(), error) { return func() {}, nil })
	On2(n, "add", func(ctx context.Context, s *Socket, a, b int) error { return nil })
	On(n, "repeat", func(ctx context.Context, s *Socket, args Args) error {
		list := make([]any, args.Len())
		into := make([]any, args.Len())
		for i := range list {
			into[i] = &list[i]
		}
		if err := args.Decode(into...); err != nil {
			return err
		}
		return s.Emit("repeat", list...)
	})
	On(n, "fail", func(ctx context.Context, s *Socket, how string) error {
		switch how {
		case "public":
			return fmt.Errorf("wrapped: %w", &Error{Message: "not today", Data: []int{1}})
		case "panic":
			panic("boom")
		}
		return errors.New("the password is swordfish")
	})
	OnAck(n, "ask me", func(ctx context.Context, s *Socket, _ struct{}) (int, error) {
		v, err := Ask[int](ctx, s, "how many?", "please")
		return v + 1, err
	})
	OnAck(n, "ask bytes", func(ctx context.Context, s *Socket, _ struct{}) ([]byte, error) {
		return Ask[[]byte](ctx, s, "bytes?")
	})
	On(n, "disconnect me", func(ctx context.Context, s *Socket, _ struct{}) error {
		s.Disconnect()
		return nil
	})

	io.Of("/private").Use(func(ctx context.Context, s *Socket) error {
		var auth struct {
			Token string `json:"token"`
		}
		if err := s.DecodeAuth(&auth); err != nil {
			return err
		}
		if auth.Token != "right" {
			return &Error{Message: "no entry", Data: map[string]string{"hint": "ask the door"}}
		}
		return nil
	})
	io.Of("/broken").Use(func(context.Context, *Socket) error { return errors.New("the password is swordfish") })
	io.Of("/panics").Use(func(context.Context, *Socket) error { panic("boom") })
	io.Of("/moody").OnConnect(func(ctx context.Context, s *Socket) error {
		s.Emit("sorry")
		return errors.New("not in the mood")
	})
}

// What breaks the protocol closes the connection, and nothing else notices.
func TestBadClients(t *testing.T) {
	many := `45` + `10000-/plain,["repeat"` + strings.Repeat(`,{"_placeholder":true,"num":0}`, 10_000) + `]`
	for _, tt := range []struct {
		name string
		send []string // x…: binary
	}{
		{"an event before CONNECT", []string{`42["echo","x"]`}},
		{"an event for another namespace", []string{`40/plain,`, `42/private,["x"]`}},
		{"an ack before CONNECT", []string{`431[]`}},
		{"disconnect before CONNECT", []string{`41`}},
		{"CONNECT twice", []string{`40/plain,`, `40/plain,`}},
		{"CONNECT_ERROR from a client", []string{`40/plain,`, `44/plain,{"message":"x"}`}},
		{"unknown type", []string{`40/plain,`, `47/plain,["x"]`}},
		{"empty packet", []string{`40/plain,`, `4`}},
		{"a payload that is no array", []string{`40/plain,`, `42/plain,{}`}},
		{"an ack id that is no number", []string{`40/plain,`, `42/plain,x["echo"]`}},
		{"10,000 attachments", []string{`40/plain,`, many}},
		{"a placeholder out of range", []string{`40/plain,`, `451-/plain,["repeat",{"_placeholder":true,"num":1}]`}},
		{"one attachment twice", []string{`40/plain,`, `451-/plain,["repeat",{"_placeholder":true,"num":0},{"_placeholder":true,"num":0}]`}},
		{"deep JSON", []string{`40/plain,`, `42/plain,["repeat",` + strings.Repeat("[", 100_000) + strings.Repeat("]", 100_000) + `]`}},
		{"deep auth", []string{`40/plain,{"a":` + strings.Repeat("[", 100_000) + strings.Repeat("]", 100_000) + `}`}},
		{"many arguments", []string{`40/plain,`, `42/plain,["repeat"` + strings.Repeat(",1", 65) + `]`}},
		{"binary without a packet", []string{`40/plain,`, `x`}},
		{"an attachment too many", []string{`40/plain,`, `451-/plain,["repeat",{"_placeholder":true,"num":0}]`, `x`, `x`}},
		{"text where an attachment is due", []string{`40/plain,`, `451-/plain,["repeat",{"_placeholder":true,"num":0}]`, `42/plain,["repeat"]`}},
		{"attachments over MaxMessage", []string{`40/plain,`, `452-/plain,["repeat",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]`,
			`x` + strings.Repeat("y", 700), `x` + strings.Repeat("y", 700)}},
		{"a reserved name", []string{`40/plain,`, `42/plain,["disconnect"]`}},
		{"a separator in a namespace", []string{"40/a\x1eb,"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o := Options{}
			if strings.Contains(tt.name, "MaxMessage") {
				o.MaxMessage = 1024
			}
			inBubble(t, o, func(t *testing.T, w *world) {
				scene(w.io)
				On(w.io.Of("/plain"), "repeat", func(ctx context.Context, s *Socket, a Args) error {
					w.note("a handler was called")
					return nil
				})
				w.io.Of("/plain").OnDisconnect(func(ctx context.Context, s *Socket, why Reason) { w.note("%s", why) })
				bystander := w.in()
				bystander.want("welcome", `42["message","welcome"]`)
				r := w.dial()
				connected := false
				for _, p := range tt.send {
					if p[0] == 'x' {
						r.sendBinary([]byte(p)...)
						continue
					}
					r.send(p)
					if p == `40/plain,` && !connected {
						r.want("the answer to CONNECT", `40/plain,{"sid":"…"}`)
						connected = true
					}
				}
				if tt.name == "an attachment too many" {
					w.wantNotes("the packet before was whole", "a handler was called", "parse error")
				}
				r.wantClosed("after a bad packet")
				if connected && tt.name != "an attachment too many" {
					w.wantNotes("its socket", "parse error")
				}
				bystander.send(`421["echo","fine"]`)
				bystander.want("another client", `431["fine"]`)
			})
		})
	}
}

func TestConnectTimeout(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, w *world) {
		w.io.Use(func(ctx context.Context, s *Socket) error { return &Error{Message: "never"} })
		silent, refused, in := w.dial(), w.dial(), w.dial()
		w.io.Of("/in")
		in.send(`40/in,`)
		in.want("connect", `40/in,{"sid":"…"}`)
		refused.send(`40`)
		refused.want("refused", `44{"message":"never"}`)
		start := time.Now()
		silent.wantClosed("no CONNECT")
		if d := time.Since(start); d != 45*time.Second {
			t.Errorf("closed after %v, want 45s", d)
		}
		refused.wantClosed("no namespace took it")
		in.send(`41/in,`) // may stay without any namespace
		synctest.Wait()
		if n := w.io.engine.Count(); n != 1 {
			t.Errorf("%d sessions are left, want 1", n)
		}
	})
}

func TestAskTimesOut(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, w *world) {
		r := w.in()
		s := w.io.Sockets()[0]
		start := time.Now()
		if _, err := Ask[int](t.Context(), s, "a"); !errors.Is(err, ErrNoAnswer) || time.Since(start) != 10*time.Second {
			t.Errorf("%v after %v", err, time.Since(start))
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start = time.Now()
		if _, err := Ask[int](ctx, s, "b"); !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != time.Second {
			t.Errorf("%v after %v", err, time.Since(start))
		}
		r.want("both were asked", `421["a"]`, `422["b"]`)
		r.send(`431[1]`, `432[2]`) // too late
		asked := make(chan error, 1)
		go func() {
			_, err := Ask[int](t.Context(), s, "c")
			asked <- err
		}()
		r.want("a third", `423["c"]`)
		r.c.CloseNow()
		if err := <-asked; !errors.Is(err, ErrClosed) {
			t.Errorf("%v, want ErrClosed", err)
		}
		if err := s.Emit("x"); !errors.Is(err, ErrClosed) {
			t.Errorf("Emit on a socket that is gone: %v", err)
		}
	})
}

func TestAsksAreBounded(t *testing.T) {
	inBubble(t, Options{MaxAsks: 2}, func(t *testing.T, w *world) {
		r := w.in()
		s := w.io.Sockets()[0]
		for range 2 {
			go Ask[int](t.Context(), s, "a")
			synctest.Wait()
		}
		r.want("two", `421["a"]`, `422["a"]`)
		if _, err := Ask[int](t.Context(), s, "a"); err == nil || !strings.Contains(err.Error(), "MaxAsks") {
			t.Errorf("a third: %v", err)
		}
	})
}

func TestRooms(t *testing.T) {
	inBubble(t, Options{MaxRooms: 3}, func(t *testing.T, w *world) {
		On(w.io, "join", func(ctx context.Context, s *Socket, room string) error { return s.Join(room) })
		OnAck(w.io, "id", func(ctx context.Context, s *Socket, _ struct{}) (string, error) { return s.ID(), nil })
		names := []string{"a", "b", "c", "d"}
		clients := map[string]*raw{}
		sockets := map[string]*Socket{}
		for _, name := range names {
			known := w.io.Sockets()
			r := w.in()
			clients[name] = r
			for _, s := range w.io.Sockets() {
				sockets[name] = s
				for _, k := range known {
					if s == k {
						delete(sockets, name)
					}
				}
				if sockets[name] != nil {
					break
				}
			}
		}
		join := func(name string, rooms ...string) {
			if err := sockets[name].Join(rooms...); err != nil {
				t.Fatal(err)
			}
		}
		join("a", "red", "blue")
		join("b", "red")
		join("c", "blue")
		for _, tt := range []struct {
			name string
			to   Target
			want string
		}{
			{"everyone", w.io.all(), "abcd"},
			{"a room", w.io.To("red"), "ab"},
			{"two rooms, each once", w.io.To("red", "blue"), "abc"},
			{"two rooms, step by step", w.io.To("red").To("blue"), "abc"},
			{"no such room", w.io.To("green"), ""},
			{"except a room", w.io.Except("red"), "cd"},
			{"a room except another", w.io.To("red").Except("blue"), "b"},
			{"everyone else", sockets["a"].Broadcast(), "bcd"},
			{"the others in a room", sockets["a"].To("red"), "b"},
			{"one by its id", w.io.To(sockets["d"].ID()), "d"},
			{"the zero value", Target{}, ""},
		} {
			if err := tt.to.Emit("hit", tt.name); err != nil {
				t.Error(err)
			}
			if n := len(tt.to.Sockets()); n != len(tt.want) {
				t.Errorf("%s: %d sockets", tt.name, n)
			}
			for _, name := range names {
				if strings.Contains(tt.want, name) {
					clients[name].want(tt.name, fmt.Sprintf(`42["hit",%q]`, tt.name))
				}
			}
		}
		sockets["a"].Leave("red", sockets["a"].ID(), "never joined")
		w.io.To("red").Emit("hit", 1)
		clients["b"].want("still in red", `42["hit",1]`)
		if got := fmt.Sprint(sockets["a"].Rooms()); got != "[blue]" {
			t.Errorf("a is in %s", got)
		}
		sockets["a"].Emit("own")
		clients["a"].want("its own room stays", `42["own"]`)
		if err := sockets["a"].Join("1", "2", "3"); err == nil || !strings.Contains(err.Error(), "MaxRooms") {
			t.Errorf("a fourth room: %v", err)
		}
		for _, name := range names {
			clients[name].wantIdle(name)
			clients[name].c.CloseNow()
		}
		synctest.Wait()
		if len(w.io.rooms) != 0 || len(w.io.sockets) != 0 {
			t.Errorf("rooms %v and sockets %v are left", w.io.rooms, w.io.sockets)
		}
	})
}

func TestDisconnectReasons(t *testing.T) {
	for _, tt := range []struct {
		why Reason
		do  func(w *world, r *raw, s *Socket)
	}{
		{ClientDisconnect, func(w *world, r *raw, s *Socket) { r.send(`41`) }},
		{ServerDisconnect, func(w *world, r *raw, s *Socket) { s.Disconnect(); r.want("told", `41`) }},
		{"forced close", func(w *world, r *raw, s *Socket) { s.Drop(); r.wantClosed("all") }},
		{TransportClose, func(w *world, r *raw, s *Socket) { r.c.CloseNow() }},
		{TransportClose, func(w *world, r *raw, s *Socket) { r.send("1") }},
		{ParseError, func(w *world, r *raw, s *Socket) { r.send(`4x`) }},
		{"ping timeout", func(w *world, r *raw, s *Socket) { time.Sleep(46 * time.Second) }}, // fake time; no pong
		{"server shutting down", func(w *world, r *raw, s *Socket) { w.io.Shutdown(w.t.Context()) }},
	} {
		t.Run(string(tt.why), func(t *testing.T) {
			inBubble(t, Options{}, func(t *testing.T, w *world) {
				type key struct{}
				w.io.OnDisconnect(func(ctx context.Context, s *Socket, why Reason) {
					w.note("%s %v %v %v", why, s.Rooms(), ctx.Value(key{}), context.Cause(ctx))
				})
				r := w.in()
				s := w.io.Sockets()[0]
				s.Join("red")
				s.SetValue(key{}, "value")
				tt.do(w, r, s)
				w.wantNotes("once", fmt.Sprintf("%s [red] value %v: %s", tt.why, ErrClosed, tt.why))
				if err := s.Join("x"); !errors.Is(err, ErrClosed) {
					t.Errorf("Join after the end: %v", err)
				}
				s.Disconnect() // does nothing
				w.wantNotes("not again")
			})
		})
	}
}

// Events of one socket are handled one after the other, and those of others
// meanwhile; what waits is bounded, and nothing that came is lost.
func TestOrder(t *testing.T) {
	inBubble(t, Options{MaxWaiting: 2}, func(t *testing.T, w *world) {
		gate := make(chan struct{})
		On(w.io, "slow", func(ctx context.Context, s *Socket, n int) error {
			if n == 0 {
				<-gate
			}
			w.note("%d", n)
			return nil
		})
		OnAck(w.io, "quick", func(ctx context.Context, s *Socket, n int) (int, error) { return n, nil })
		w.io.OnDisconnect(func(ctx context.Context, s *Socket, why Reason) { w.note("gone") })
		slow, quick := w.in(), w.in()
		sockets := w.io.Sockets()
		want := []string{}
		for n := range 100 {
			slow.send(fmt.Sprintf(`42["slow",%d]`, n))
			want = append(want, fmt.Sprint(n))
		}
		quick.send(`421["quick",7]`)
		quick.want("is not held up", `431[7]`)
		slow.send(`41`)
		w.wantNotes("the first holds up the others")
		for _, x := range sockets {
			x.jobs.mu.Lock()
			if n := x.jobs.waiting.Len(); n > 2 {
				t.Errorf("%d events wait, MaxWaiting is 2", n)
			}
			x.jobs.mu.Unlock()
		}
		close(gate)
		w.wantNotes("all, in order", append(want, "gone")...)
	})
}

func TestVolatile(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, w *world) {
		r := w.in()
		s := w.io.Sockets()[0]
		synctest.Wait()
		s.EmitVolatile("a")
		r.want("an idle client gets it", `42["a"]`)
		synctest.Wait()
		big := strings.Repeat("x", 100_000)
		for range 5 { // nobody reads: the pipe is full
			s.Emit("b", big)
		}
		synctest.Wait()
		w.io.Volatile().Emit("c")
		s.EmitVolatile("d")
		s.Emit("e")
		for range 5 {
			r.want("not volatile", `42["b","`+big+`"]`)
		}
		r.want("not volatile", `42["e"]`)
		r.wantIdle("c and d were lost")
	})
}

func TestSlowClientIsCut(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, w *world) {
		w.io.OnDisconnect(func(ctx context.Context, s *Socket, why Reason) { w.note("%s", why) })
		w.in()
		s := w.io.Sockets()[0]
		var err error
		for n := 0; n < 100 && err == nil; n++ {
			err = s.Emit("b", strings.Repeat("x", 100_000))
		}
		if !errors.Is(err, ErrClosed) {
			t.Errorf("%v, want ErrClosed", err)
		}
		w.wantNotes("cut", "slow client")
	})
}

func TestReservedNames(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, w *world) {
		w.in()
		if err := w.io.Emit("connect"); err == nil {
			t.Error("an event called connect was sent")
		}
		if err := w.io.Emit("x", make(chan int)); err == nil {
			t.Error("a channel was sent")
		}
		for name, f := range map[string]func(){
			"On disconnect":      func() { On(w.io, "disconnect", func(context.Context, *Socket, Args) error { return nil }) },
			"Of without a slash": func() { w.io.Of("admin") },
			"Of with a comma":    func() { w.io.Of("/a,b") },
		} {
			if contained(func() error { f(); return nil }) == nil {
				t.Errorf("%s does not panic", name)
			}
		}
	})
}
