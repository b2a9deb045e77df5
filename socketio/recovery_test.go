package socketio

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"testing"
	"testing/synctest"
	"time"
)

// visitor is a client that keeps what the JavaScript client keeps.
type visitor struct {
	*raw
	w                *world
	sid, pid, offset string
}

// visit connects, with what the visitor has kept from before.
func (v *visitor) visit(recovered bool, missed ...string) {
	v.t.Helper()
	v.raw = v.w.dial()
	connect := "40"
	if v.pid != "" {
		connect += fmt.Sprintf(`{"pid":%q`, v.pid)
		if v.offset != "" {
			connect += fmt.Sprintf(`,"offset":%q`, v.offset)
		}
		connect += "}"
	}
	v.send(connect)
	for _, m := range missed {
		v.event("missed", m)
	}
	var g greeting
	got := v.read("the answer to CONNECT")
	if len(got) < 3 || got[:2] != "40" || json.Unmarshal([]byte(got[2:]), &g) != nil || g.PID == "" {
		v.t.Fatalf("the answer to CONNECT is %s", got)
	}
	if same := g.SID == v.sid && g.PID == v.pid; same != recovered {
		v.t.Fatalf("recovered: %v, want %v", same, recovered)
	}
	v.sid, v.pid = g.SID, g.PID
}

var offset = regexp.MustCompile(`,?"([0-9a-z]+-[0-9a-z]+)"\]$`)

// event reads an event, and keeps the offset that it carries.
func (v *visitor) event(why, want string) {
	v.t.Helper()
	got := v.read(why)
	m := offset.FindStringSubmatch(got)
	if m == nil {
		v.t.Fatalf("%s: %s has no offset", why, got)
	}
	v.offset = m[1]
	if got := offset.ReplaceAllString(got, "]"); got != want {
		v.t.Fatalf("%s: got\n%s\nwant\n%s", why, got, want)
	}
}

func (v *visitor) cut() {
	v.t.Helper()
	v.c.CloseNow()
	synctest.Wait()
}

func recovery(t *testing.T, r Recovery, f func(t *testing.T, w *world, v *visitor)) {
	t.Helper()
	inBubble(t, Options{Recovery: &r}, func(t *testing.T, w *world) { f(t, w, &visitor{w: w, raw: &raw{t: t}}) })
}

func TestRecovery(t *testing.T) {
	recovery(t, Recovery{}, func(t *testing.T, w *world, v *visitor) {
		type key struct{}
		w.io.OnConnect(func(ctx context.Context, s *Socket) error {
			w.note("connect %v %v %v", s.Recovered(), s.Rooms(), ctx.Value(key{}))
			if !s.Recovered() {
				s.SetValue(key{}, "value")
				return s.Join("red")
			}
			return nil
		})
		w.io.Use(func(context.Context, *Socket) error { w.note("use"); return nil })
		v.visit(false)
		w.wantNotes("new", "use", "connect false [] <nil>")
		w.io.Emit("all", 1)
		v.event("live", `42["all",1]`)
		v.cut()
		w.io.Emit("all", 2)
		w.io.To("red").Emit("red", 3)
		w.io.To("blue").Emit("blue", 4)
		w.io.Except("red").Emit("not red", 5)
		w.io.To(v.sid).Emit("own", 6)
		w.io.Volatile().Emit("volatile")
		w.io.Emit("binary", []byte("x"))
		v.visit(true, `42["all",2]`, `42["red",3]`, `42["own",6]`)
		w.wantNotes("back", "connect true [red] value")
		w.io.To("red").Emit("red", 7)
		v.event("live again", `42["red",7]`)
		v.cut()
		v.visit(true) // nothing was missed
		v.wantIdle("no duplicates")
	})
}

func TestRecoveryOfWhoHasReceivedNothing(t *testing.T) {
	recovery(t, Recovery{}, func(t *testing.T, w *world, v *visitor) {
		w.io.Emit("before", 0)
		v.visit(false)
		v.cut()
		w.io.Emit("missed", 1)
		v.visit(true, `42["missed",1]`)
		v.cut()
		v.visit(true)
		v.wantIdle("no duplicates")

		// It keeps the offset of the session before.
		v.send("41")
		synctest.Wait()
		v.cut()
		w.io.Emit("between", 2)
		v.visit(false)
		v.cut()
		w.io.Emit("missed", 3)
		v.visit(true, `42["missed",3]`)

		// The same if the first event of its session is lost on the way.
		v.send("41")
		synctest.Wait()
		v.cut()
		w.io.Emit("between", 2)
		v.visit(false)
		w.io.Emit("lost", 3)
		v.cut()
		v.visit(true, `42["lost",3]`)

		// Or one of another server.
		v.send("41")
		synctest.Wait()
		v.cut()
		v.offset = "zzz-1"
		v.visit(false)
		v.cut()
		w.io.Emit("missed", 4)
		v.visit(true, `42["missed",4]`)

		// And what may be lost has no place of its own.
		v.send("41")
		synctest.Wait()
		v.cut()
		v.visit(false)
		synctest.Wait()
		w.io.Volatile().Emit("volatile", "lost on the way")
		v.cut()
		v.offset = "zzz-1"
		w.io.Emit("missed", 5)
		v.visit(true, `42["missed",5]`)
	})
}

func TestNoRecovery(t *testing.T) {
	for _, tt := range []struct {
		name string
		o    Recovery
		do   func(w *world, v *visitor)
	}{
		{"the client left", Recovery{}, func(w *world, v *visitor) { v.send("41"); synctest.Wait(); v.cut() }},
		{"the server disconnected it", Recovery{}, func(w *world, v *visitor) { w.io.Sockets()[0].Disconnect(); v.cut() }},
		{"too late", Recovery{}, func(w *world, v *visitor) { v.cut(); time.Sleep(121 * time.Second) }}, // fake time
		{"too much was missed", Recovery{MaxEvents: 3}, func(w *world, v *visitor) {
			v.cut()
			for n := range 4 {
				w.io.Emit("e", n)
			}
		}},
		{"too many bytes were missed", Recovery{MaxBytes: 1000}, func(w *world, v *visitor) {
			v.cut()
			for range 4 {
				w.io.Emit("e", "long enough that four of them are too many")
			}
		}},
		{"too many sessions", Recovery{MaxSessions: 1}, func(w *world, v *visitor) {
			v.cut()
			other := &visitor{w: w, raw: &raw{t: v.t}}
			other.visit(false)
			other.cut()
		}},
		{"somebody else's guess", Recovery{}, func(w *world, v *visitor) { v.cut(); v.pid += "x" }},
		{"an offset from the future", Recovery{}, func(w *world, v *visitor) {
			w.io.Emit("e")
			v.event("e", `42["e"]`)
			v.cut()
			v.offset += "z"
		}},
		{"an offset that is none", Recovery{}, func(w *world, v *visitor) {
			w.io.Emit("e")
			v.event("e", `42["e"]`)
			v.cut()
			v.offset = "hello"
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			recovery(t, tt.o, func(t *testing.T, w *world, v *visitor) {
				v.visit(false)
				tt.do(w, v)
				w.io.Use(func(context.Context, *Socket) error { w.note("use"); return nil })
				v.visit(false)
				w.wantNotes("as a new one", "use")
				v.wantIdle("nothing is replayed")
			})
		})
	}
}

// Strings at the end of an event that has no offset would be taken for one.
func TestRecoveryIsNotMisledByStrings(t *testing.T) {
	recovery(t, Recovery{}, func(t *testing.T, w *world, v *visitor) {
		v.visit(false)
		s := w.io.Sockets()[0]
		w.io.Emit("e", "x")
		v.event("an event", `42["e","x"]`)
		before := v.offset
		synctest.Wait()
		s.EmitVolatile("v", "y")
		v.event("a volatile one", `42["v","y"]`)
		if v.offset != before {
			t.Errorf("offset %s, want %s", v.offset, before)
		}
		synctest.Wait() // or it is dropped
		s.EmitVolatile("v", 1)
		v.want("a volatile one that ends with a number", `42["v",1]`)
		go Ask[int](t.Context(), s, "ask", "z")
		v.want("the client appends its callback itself", `421["ask","z"]`)
		v.cut()
		v.visit(true)
	})
}

// A client may be back before its old connection is known to be dead.
func TestRecoveryBeforeTheEndIsNoticed(t *testing.T) {
	recovery(t, Recovery{}, func(t *testing.T, w *world, v *visitor) {
		w.io.OnDisconnect(func(ctx context.Context, s *Socket, why Reason) { w.note("%s", why) })
		v.visit(false)
		w.io.Emit("e", 1) // is lost on the way
		v.visit(true, `42["e",1]`)
		w.wantNotes("the old socket", "replaced")
		if n := len(w.io.Sockets()); n != 1 {
			t.Errorf("%d sockets", n)
		}
		w.io.Emit("e", 2)
		v.event("once", `42["e",2]`)
		v.wantIdle("once")
	})
}

func TestRecoveryIsOffForSomeAndChecksAgain(t *testing.T) {
	asks := func(s *Socket) bool {
		var auth struct{ Recover bool }
		return s.DecodeAuth(&auth) == nil && auth.Recover
	}
	recovery(t, Recovery{Want: asks, CheckAgain: true}, func(t *testing.T, w *world, v *visitor) {
		r := w.dial()
		r.send(`40`)
		r.want("without", `40{"sid":"…"}`)
		with := w.dial()
		with.send(`40{"recover":true}`)
		with.want("with", `40{"sid":"…","pid":"…"}`)
		w.io.Emit("e", "x")
		r.want("without", `42["e","x"]`)
		got := with.read("with")
		if !offset.MatchString(got) {
			t.Errorf("%s has no offset", got)
		}
		pid := ""
		for p := range w.io.log.live {
			pid = p
		}
		with.c.CloseNow()
		synctest.Wait()
		banned := errors.New("banned")
		w.io.Use(func(context.Context, *Socket) error { return &Error{Message: banned.Error()} })
		with = w.dial()
		with.send(fmt.Sprintf(`40{"recover":true,"pid":%q}`, pid))
		with.want("checked again", `44{"message":"banned"}`)
	})
}

// A program with a history of its own.
func TestOnRecover(t *testing.T) {
	recovery(t, Recovery{}, func(t *testing.T, w *world, v *visitor) {
		history := []*Prepared{}
		say := func(text string) {
			p, err := w.io.Prepare("say", text)
			if err != nil {
				t.Fatal(err)
			}
			p = p.At(fmt.Sprintf("1-%d", len(history)+1))
			history = append(history, p)
			for _, s := range w.io.Sockets() {
				s.Send(p)
			}
		}
		w.io.OnConnect(func(ctx context.Context, s *Socket) error {
			s.SetOffset(fmt.Sprintf("1-%d", len(history)))
			return nil
		})
		w.io.OnRecover(func(ctx context.Context, s *Socket, since string) error {
			var at int
			if _, err := fmt.Sscanf(since, "1-%d", &at); err != nil || at > len(history) {
				return errors.New("no such place")
			}
			for _, p := range history[at:] {
				if err := s.Send(p); err != nil {
					return err
				}
			}
			return nil
		})
		say("before")
		v.visit(false)
		synctest.Wait()
		v.cut()
		say("missed")
		v.visit(true, `42["say","missed"]`)
		synctest.Wait()
		say("live")
		v.event("live", `42["say","live"]`)
		w.io.Emit("e", "not logged")
		v.want("an event beside the history", `42["e","not logged"]`)
		v.cut()
		v.offset = "1-100"
		v.visit(false)
		v.wantIdle("nothing was replayed")
	})
}

// A handler sets values while the connection is cut. Run with -race.
func TestValuesAreKeptWhileTheyAreSet(t *testing.T) {
	recovery(t, Recovery{}, func(t *testing.T, w *world, v *visitor) {
		set := make(chan struct{})
		w.io.OnConnect(func(_ context.Context, s *Socket) error {
			go func() {
				defer close(set)
				for i := range 1000 {
					s.SetValue("key", i)
				}
			}()
			return nil
		})
		v.visit(false)
		v.c.CloseNow()
		<-set
		synctest.Wait()
	})
}

// One address that comes and goes makes its own sessions be forgotten, and not
// those of others.
func TestRecoveryOfOthersIsNotPushedOut(t *testing.T) {
	address := "192.0.2.1"
	o := Options{Recovery: &Recovery{MaxSessions: 4, MaxSessionsPerAddress: 2}}
	o.Engine.Address = func(*http.Request) string { return address }
	inBubble(t, o, func(t *testing.T, w *world) {
		v := &visitor{w: w, raw: &raw{t: t}}
		v.visit(false)
		v.cut()
		address = "198.51.100.1"
		var others [5]*visitor
		for n := range others {
			others[n] = &visitor{w: w, raw: &raw{t: t}}
			others[n].visit(false)
			others[n].cut()
		}
		for n, other := range others {
			other.visit(n >= 3)
		}
		address = "192.0.2.1"
		v.visit(true)
	})
}
