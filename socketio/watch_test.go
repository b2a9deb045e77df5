package socketio

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
)

// watcher is one that notes what it is told, without what is random.
func (w *world) watcher() *Watcher {
	name := func(s *Socket) string { return s.Namespace().Name() }
	room := func(s *Socket, r string) string {
		if r == s.ID() {
			return "its own"
		}
		return r
	}
	rooms := func(s *Socket, list []string) (out []string) {
		for _, r := range list {
			out = append(out, room(s, r))
		}
		return out
	}
	return &Watcher{
		Present:      func(s *Socket, r []string) bool { w.note("present %s %q", name(s), rooms(s, r)); return false },
		Connected:    func(s *Socket, r []string) { w.note("connected %s %q %s", name(s), rooms(s, r), s.Transport()) },
		Disconnected: func(s *Socket, why Reason) { w.note("disconnected %s: %s", name(s), why) },
		Joined:       func(s *Socket, r string) { w.note("joined %s", room(s, r)) },
		Left:         func(s *Socket, r string) { w.note("left %s", room(s, r)) },
		Received:     func(_ *Socket, e Event) { w.note("received %s %t %d", e.JSON, e.Asks, e.Binary) },
		Sent:         func(_ *Socket, e Event) { w.note("sent %s %t %d", e.JSON, e.Asks, e.Binary) },
		Opened:       func() { w.note("opened") },
		Closed:       func(why Reason) { w.note("closed: %s", why) },
		In:           func(n int) { w.note("in %d", n) },
		Out:          func(n int) { w.note("out %d", n) },
	}
}

// A watcher hears of everything from when it begins to when it is stopped, and of
// namespaces that are made meanwhile.
func TestWatch(t *testing.T) {
	inBubble(t, Options{Recovery: &Recovery{}}, func(t *testing.T, w *world) {
		On(w.io, "join", func(_ context.Context, s *Socket, room string) error { return s.Join(room, room) })
		before := w.dial()
		before.send(`40`)
		before.want("CONNECT", `40{"sid":"…","pid":"…"}`)
		before.send(`42["join","room"]`)
		synctest.Wait()

		stop := w.io.Watch(w.watcher())
		w.wantNotes("who was there", `present / ["its own" "room"]`)
		deep := w.io.Of("/deep")
		OnAck(deep, "put", func(_ context.Context, s *Socket, b []byte) (int, error) {
			return len(b), s.Emit("got", b, "7")
		})
		c := w.dial()
		w.wantNotes("a connection", "opened")
		c.send(`40/deep,`)
		c.want("CONNECT", `40/deep,{"sid":"…","pid":"…"}`)
		w.wantNotes("CONNECT", "in 7", "joined its own", `connected /deep ["its own"] websocket`)

		c.send(`451-/deep,12["put",{"_placeholder":true,"num":0}]`)
		c.sendBinary(1, 2, 3)
		w.wantNotes("an event of bytes and its answer", "in 48", "in 3",
			`received ["put",{"_placeholder":true,"num":0}] true 1`,
			"out 53", `sent ["got",{"_placeholder":true,"num":0},"7"] false 1`, "out 12")
		before.send(`42["join","other"]`)
		w.wantNotes("a room once", "in 17", `received ["join","other"] false 0`, "joined other")
		if err := w.io.To("other").Emit("hi", 1); err != nil {
			t.Error(err)
		}
		w.wantNotes("without the place in the log", "out 9", `sent ["hi",1] false 0`)
		w.io.Namespace.all().Leave("room", "other", "nowhere")
		w.wantNotes("rooms that were left", "left room", "left other")

		for _, s := range w.io.Sockets() {
			s.Disconnect()
		}
		w.wantNotes("one socket", "disconnected /: server namespace disconnect", "left its own")
		c.c.CloseNow()
		w.wantNotes("a whole connection", "disconnected /deep: transport close", "left its own", "closed: transport close")

		stop()
		stop()
		w.dial().send(`40`)
		w.wantNotes("after stop")
	})
}

// DisconnectClient ends all that a client has.
func TestDisconnectClient(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, w *world) {
		w.io.Of("/b")
		c := w.in()
		c.send(`40/b,`)
		c.want("CONNECT", `40/b,{"sid":"…"}`)
		for _, s := range w.io.Sockets() {
			s.DisconnectClient()
		}
		seen := map[string]bool{}
		for range 2 {
			seen[c.read("an end")] = true
		}
		if !seen["41"] || !seen["41/b,"] {
			t.Errorf("it was told %v, want both ends", seen)
		}
		c.wantClosed("after both ends")
	})
}

// BenchmarkWatched is a broadcast to a thousand sockets, of which a watcher is told or not.
func BenchmarkWatched(b *testing.B) {
	for _, watched := range []bool{false, true} {
		b.Run(fmt.Sprint(watched), func(b *testing.B) {
			io, err := New(nil)
			if err != nil {
				b.Fatal(err)
			}
			if watched {
				defer io.Watch(&Watcher{Sent: func(*Socket, Event) {}})()
			}
			e, err := encodeEvent("/", noID, "message", []any{"a line of a chat"})
			if err != nil {
				b.Fatal(err)
			}
			sockets := make([]*Socket, 1000)
			for i := range sockets {
				sockets[i] = &Socket{ns: io.Namespace}
			}
			for b.Loop() {
				io.mu.Lock()
				for _, s := range sockets {
					if len(s.ns.watchers) > 0 {
						s.ns.tellSent(s, e)
					}
				}
				io.mu.Unlock()
			}
		})
	}
}
