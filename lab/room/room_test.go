package room

import (
	"math"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"framewright/lab/fact"
)

// experiment opens a room in a bubble of fake time, which does not end before all that the
// room has started has ended.
func experiment(t *testing.T, change func(*Plan), f func(t *testing.T, w *watcher)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		p := Default()
		if change != nil {
			change(&p)
		}
		r, err := Open(p)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(r.Close)
		f(t, &watcher{t: t, r: r})
	})
}

// A watcher looks at a room as a page does.
type watcher struct {
	t      *testing.T
	r      *Room
	events []Event
}

// after lets time pass, ten States a second, and returns the last.
func (w *watcher) after(d time.Duration) State {
	var s State
	for range d / (100 * time.Millisecond) {
		time.Sleep(100 * time.Millisecond)
		synctest.Wait()
		s = w.r.State()
		w.events = append(w.events, s.Events...)
	}
	return s
}

func (w *watcher) do(c Command) {
	w.t.Helper()
	if err := w.r.Do(c); err != nil {
		w.t.Fatal(err)
	}
}

// event is the last of a kind.
func (w *watcher) event(kind, reader string) Event {
	w.t.Helper()
	for i := range w.events {
		if e := w.events[len(w.events)-1-i]; e.Kind == kind && e.Reader == reader {
			return e
		}
	}
	w.t.Fatalf("%s: nothing of the kind %q in %+v", reader, kind, w.events)
	return Event{}
}

// One reader stops: its queue fills to the bound, it is cut, and reads why. The others
// have every message at once. When it comes back, it gets what it missed, once.
func TestOneReaderStops(t *testing.T) {
	experiment(t, nil, func(t *testing.T, w *watcher) {
		before := w.after(3 * time.Second)
		if before.Sent < 70 || before.Sent > 76 || before.Acked != before.Sent {
			t.Errorf("after 3 s at 25 a second: %d sent, %d acknowledged", before.Sent, before.Acked)
		}
		w.do(Command{Do: "speed", Reader: 1, Speed: 0})
		filling := w.after(3 * time.Second).Readers[1]
		if filling.State != Here || filling.Queue.Packets == 0 || filling.Queue.Bytes <= 64*filling.Queue.Packets || filling.Wire < filling.WireMax*9/10 || filling.Queue.AgeMs < 1000 {
			t.Errorf("while it fills: %+v", filling)
		}
		for range 100 {
			if w.after(100 * time.Millisecond).Readers[1].State == Cut {
				break
			}
		}
		cut := w.event("cut", "Barbara")
		if bound := Default().QueueBytes; cut.Reason != "slow" || cut.Peak > bound || cut.Peak < bound*9/10 {
			t.Errorf("cut: %+v, with a bound of %d", cut, bound)
		}
		w.do(Command{Do: "speed", Reader: 1, Speed: AsTheyCome})
		w.after(time.Second)
		heard := w.event("heard", "Barbara")
		if heard.Code != 4008 || heard.Reason != "reads too slowly" || len(heard.Facts) == 0 {
			t.Fatalf("heard: %+v", heard)
		}
		if f := heard.Facts[0]; f.Kind != fact.Frame || f.Opcode != 8 || f.Sent || !strings.HasPrefix(f.Payload, "0fa8") {
			t.Errorf("the Close frame: %+v", f)
		}
		away := w.after(3 * time.Second)
		if r := away.Readers[1]; r.State != Away || r.Missing < 75 {
			t.Errorf("away: %+v", r)
		}
		w.do(Command{Do: "return", Reader: 1})
		s := w.after(time.Second)
		back, whole := w.event("back", "Barbara"), w.event("whole", "Barbara")
		if back.Recovered || len(back.Facts) < 4 {
			t.Errorf("back: %+v; what it missed is more than an eighth of its queue", back)
		}
		if whole.Missing != 0 || whole.Count < away.Readers[1].Missing || whole.Pages < 2 {
			t.Errorf("whole: %+v, after missing %d", whole, away.Readers[1].Missing)
		}
		for i, r := range s.Readers {
			if r.State != Here || r.Missing != 0 || r.Twice != 0 || r.Read != s.Acked {
				t.Errorf("in the end: %+v of %d", r, s.Acked)
			}
			if i != 1 && (r.Latency.Max != 0 || r.Latency.Count == 0) {
				t.Errorf("%s waited: %+v", r.Name, r.Latency)
			}
		}
	})
}

// Who missed little gets it with the answer to the join.
func TestResumeAtOnce(t *testing.T) {
	experiment(t, func(p *Plan) { p.QueueBytes, p.Rate, p.Text = 16<<10, 100, 16 }, func(t *testing.T, w *watcher) {
		w.after(time.Second)
		w.do(Command{Do: "speed", Reader: 0, Speed: 0})
		for w.after(100 * time.Millisecond).Readers[0].State == Here {
		}
		w.do(Command{Do: "rate", Rate: 0})
		w.do(Command{Do: "speed", Reader: 0, Speed: AsTheyCome})
		w.after(time.Second)
		w.do(Command{Do: "return", Reader: 0})
		w.after(time.Second)
		w.event("whole", "Ada")
		// Now it has all: to be told so again takes one step.
		w.r.readers[0].wire.Close()
		w.after(time.Second)
		w.do(Command{Do: "rate", Rate: 5})
		w.after(time.Second)
		w.do(Command{Do: "return", Reader: 0})
		w.after(time.Second)
		if e := w.event("whole", "Ada"); !e.Recovered || e.Pages != 0 || e.Count < 4 || e.Missing != 0 {
			t.Errorf("%+v, want all with the answer", e)
		}
	})
}

// Who does not read at all does not hear why it was cut: the Close frame finds no room.
func TestNoCloseFrameForTheDeaf(t *testing.T) {
	experiment(t, nil, func(t *testing.T, w *watcher) {
		w.after(time.Second)
		w.do(Command{Do: "speed", Reader: 2, Speed: 5})
		w.after(3 * time.Second) // now the server writes many messages at once
		w.do(Command{Do: "speed", Reader: 2, Speed: 0})
		w.after(20 * time.Second)
		if e := w.event("cut", "Charles"); e.Reason != "slow" {
			t.Errorf("cut: %+v", e)
		}
		w.do(Command{Do: "return", Reader: 2})
		w.after(time.Second)
		if e := w.event("heard", "Charles"); e.Code != 1006 || len(e.Facts) != 0 {
			t.Errorf("heard: %+v, want 1006 and no frame", e)
		}
		if e := w.event("whole", "Charles"); e.Missing != 0 {
			t.Errorf("back: %+v", e)
		}
	})
}

// The three bounds, each of which may be the first.
func TestWhatCuts(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(*Plan)
		reason string
		within [2]time.Duration
	}{
		"bytes":         {func(p *Plan) { p.QueueBytes = 16 << 10 }, "slow", [2]time.Duration{2 * time.Second, 8 * time.Second}},
		"age":           {func(p *Plan) { p.QueueBytes, p.AgeMs = 1<<20, 2000 }, "slow", [2]time.Duration{3 * time.Second, 8 * time.Second}},
		"write timeout": {func(p *Plan) { p.QueueBytes, p.WriteMs = 1<<20, 1000 }, "lost", [2]time.Duration{1500 * time.Millisecond, 4 * time.Second}},
	} {
		t.Run(name, func(t *testing.T) {
			experiment(t, tt.change, func(t *testing.T, w *watcher) {
				from := w.after(time.Second).Ms
				w.do(Command{Do: "speed", Reader: 0, Speed: 0})
				w.after(15 * time.Second)
				e := w.event("cut", "Ada")
				if after := time.Duration((e.Ms - from) * float64(time.Millisecond)); e.Reason != tt.reason || after < tt.within[0] || after > tt.within[1] {
					t.Errorf("cut after %v for %q, want %q within %v", after, e.Reason, tt.reason, tt.within)
				}
			})
		})
	}
}

// What may be dropped is dropped first, and only for who is slow.
func TestVolatileIsDropped(t *testing.T) {
	experiment(t, func(p *Plan) { p.QueueBytes = 64 << 10; p.AgeMs, p.WriteMs = 30_000, 30_000 }, func(t *testing.T, w *watcher) {
		w.after(time.Second)
		w.do(Command{Do: "speed", Reader: 3, Speed: 0})
		s := w.after(6 * time.Second)
		for i, r := range s.Readers {
			if dropped := r.Queue.Dropped > 0; dropped != (i == 3) || r.State != Here {
				t.Errorf("%+v", r)
			}
		}
	})
}

// A reader that is slow and not stopped falls behind by what it does not read, and its
// latency grows.
func TestSlowReader(t *testing.T) {
	experiment(t, func(p *Plan) { p.QueueBytes = 1 << 20 }, func(t *testing.T, w *watcher) {
		w.after(time.Second)
		w.do(Command{Do: "speed", Reader: 0, Speed: 5})
		s := w.after(4 * time.Second)
		if r := s.Readers[0]; r.Missing < 70 || r.Missing > 90 || r.Latency.Max < 2000 {
			t.Errorf("at 5 of 25 a second, after 4 s: %+v", r)
		}
		w.do(Command{Do: "rate", Rate: 0})
		w.do(Command{Do: "speed", Reader: 0, Speed: AsTheyCome})
		if r := w.after(time.Second).Readers[0]; r.Missing != 0 || r.Again != 0 {
			t.Errorf("when it has caught up: %+v", r)
		}
	})
}

// Settings out of their bounds, and what no room does, are refused with what is expected.
func TestMistakes(t *testing.T) {
	for want, change := range map[string]func(*Plan){
		"readers: 1, but 2 to 12 readers":             func(p *Plan) { p.Readers = 1 },
		"readers: 13":                                 func(p *Plan) { p.Readers = 13 },
		"rate: 201, but 0 to 200":                     func(p *Plan) { p.Rate = 201 },
		"rate: NaN":                                   func(p *Plan) { p.Rate = math.NaN() },
		"queue: 16383, but 16384 to 1048576 bytes":    func(p *Plan) { p.QueueBytes = 16<<10 - 1 },
		"wire: 65537, but 2048 to 65536 bytes":        func(p *Plan) { p.Wire = 64<<10 + 1 },
		"text: 15, but 16 to 1000 bytes are expected": func(p *Plan) { p.Text = 15 },
		"close: 999, but 1000 to 10000 ms":            func(p *Plan) { p.CloseMs = 999 },
	} {
		p := Default()
		change(&p)
		if _, err := Open(p); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	experiment(t, nil, func(t *testing.T, w *watcher) {
		w.after(time.Second)
		for want, c := range map[string]Command{
			"there is no reader 5: 0 to 4 are":           {Do: "speed", Reader: 5},
			"there is no reader -1":                      {Do: "return", Reader: -1},
			"speed -2: -1, or 0 to 200":                  {Do: "speed", Speed: -2},
			"rate 1000: 0 to 200 messages a second":      {Do: "rate", Rate: 1000},
			"Ada was not cut: it is here":                {Do: "return"},
			`"dance" is nothing that a room does: speed`: {Do: "dance"},
		} {
			if err := w.r.Do(c); err == nil || !strings.HasPrefix(err.Error(), want) {
				t.Errorf("%+v: %v, want %q", c, err, want)
			}
		}
	})
}

// A room ends at once, also while the server waits for a reader that does not read.
func TestClose(t *testing.T) {
	experiment(t, nil, func(t *testing.T, w *watcher) {
		w.after(time.Second)
		w.do(Command{Do: "speed", Reader: 0, Speed: 0})
		w.after(2 * time.Second)
		w.do(Command{Do: "speed", Reader: 1, Speed: 1})
		w.after(2 * time.Second)
		start := time.Now()
		w.r.Close()
		if took := time.Since(start); took > 100*time.Millisecond {
			t.Errorf("it took %v", took)
		}
		if s := w.r.hub.Stats(); s.Sessions != 0 || s.QueueBytes != 0 {
			t.Errorf("left: %+v", s)
		}
	})
}

// What the log has forgotten cannot be had again: the reader knows how much that is.
func TestForgotten(t *testing.T) {
	experiment(t, func(p *Plan) { p.Readers, p.Rate, p.Text = 2, 200, 1000 }, func(t *testing.T, w *watcher) {
		w.after(time.Second)
		w.do(Command{Do: "speed", Reader: 0, Speed: 0})
		w.after(30 * time.Second) // some 7 MiB
		w.do(Command{Do: "return", Reader: 0})
		w.after(2 * time.Second)
		e := w.event("whole", "Ada")
		if least := 3000; e.Recovered || e.Missing < 1000 || e.Count < least || e.Missing+e.Count < 5800 {
			t.Errorf("%+v, want at least %d from the log, and the rest counted as missing", e, least)
		}
		s := w.after(time.Second)
		if a, b := s.Readers[0], s.Readers[1]; a.Missing != e.Missing || a.State != Here || a.Twice != 0 || b.Missing != 0 {
			t.Errorf("in the end: %+v, %+v", a, b)
		}
	})
}
