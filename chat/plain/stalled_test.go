package plain

import (
	"context"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"framewright/chat"
)

// 500 of 1,000 do not read: they are closed, memory stays under the sum of the
// queues' bounds, and the other 500 get everything and at once.
func TestHalfOfARoomStalls(t *testing.T) {
	const reading, stalled, messages, queue = 500, 500, 150, 32 << 10
	none := chat.Rate{PerSecond: -1}
	// All of one person: who comes and goes is no event.
	o := chat.Options{QueueBytes: queue, MaxSessionsPerAddress: -1, MaxSessionsPerPerson: -1,
		MessageRate: none, PersonRate: none, MaxMembers: 1, PresenceGrace: time.Hour}
	inBubble(t, o, func(t *testing.T, w *world) {
		w.over = make(chan error, reading+stalled)
		enter := func() *client {
			c := w.dial()
			c.send(`{"type":"hello","name":"Everybody","secret":"a secret that is no secret"}`)
			c.send(`{"type":"join","room":"lobby"}`)
			return c
		}
		var got, readers atomic.Int64
		for range reading {
			c := enter()
			go func() {
				defer readers.Add(-1)
				for {
					_, data, err := c.c.Read(context.Background())
					if err != nil {
						return
					}
					if strings.HasPrefix(string(data), `{"type":"message"`) {
						got.Add(1)
					}
				}
			}()
			readers.Add(1)
		}
		synctest.Wait()
		for range stalled {
			enter() // and reads nothing
		}
		synctest.Wait()
		if s := w.hub.Stats(); s.Sessions != reading+stalled {
			t.Fatalf("%d sessions", s.Sessions)
		}
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		text := strings.Repeat("x", 1024)
		most := int64(0)
		start := time.Now()
		for i := range messages {
			if _, err := w.hub.Publish("lobby", chat.Person{ID: "p", Name: "P"}, "", text); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			if n := got.Load(); n != int64(reading*(i+1)) {
				t.Fatalf("after message %d: %d were read, want %d", i, n, reading*(i+1))
			}
			most = max(most, w.hub.Stats().QueueBytes)
			if i == 20 { // the stalled are about to be full
				runtime.GC()
				runtime.ReadMemStats(&after)
			}
		}
		if d := time.Since(start); d != 0 {
			t.Errorf("the others waited %v", d)
		}
		if most > stalled*queue || most < stalled*queue/2 {
			t.Errorf("%d bytes waited at most; want up to %d", most, stalled*queue)
		}
		if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > stalled*queue {
			t.Errorf("memory grew by %d bytes, the queues' bounds are %d", grown, stalled*queue)
		}
		time.Sleep(time.Minute) // their closing handshakes come to nothing
		synctest.Wait()
		s := w.hub.Stats()
		if s.Ended["slow"] != stalled || s.Sessions != reading || s.QueueBytes != 0 || readers.Load() != reading {
			t.Errorf("%v ended, %d sessions with %d readers, %d bytes wait; want %d slow, %d readers, nothing",
				s.Ended, s.Sessions, readers.Load(), s.QueueBytes, stalled, reading)
		}
	})
}
