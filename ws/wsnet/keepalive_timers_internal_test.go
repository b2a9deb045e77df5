package wsnet

import (
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// wakings are who was woken, and when.
type wakings struct {
	mu    sync.Mutex
	lines []string
}

func (w *wakings) add(line string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.lines = append(w.lines, line)
}

func (w *wakings) take() (lines []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	lines, w.lines = w.lines, nil
	return lines
}

// A sleeper is woken by timers, notes when, and adds itself again.
type sleeper struct {
	place place
	name  string
	t     *timers
	again []time.Duration // for how long, each time
	log   *wakings
	start time.Time
	ended bool
}

func (s *sleeper) over() bool { return s.ended }

func (s *sleeper) tick() {
	s.log.add(fmt.Sprintf("%s %v", s.name, time.Since(s.start)))
	if len(s.again) > 0 {
		after := s.again[0]
		s.again = s.again[1:]
		s.t.add(&s.place, int64(after))
	}
}

// Each is woken when its time has come, however many wait, and whoever leaves.
func TestTimers(t *testing.T) {
	const interval = 10 * time.Second
	synctest.Test(t, func(t *testing.T) {
		ts := &timers{interval: int64(interval)}
		var log wakings
		start := time.Now()
		enter := func(name string, again ...time.Duration) *sleeper {
			s := &sleeper{name: name, t: ts, again: again[1:], log: &log, start: start}
			s.place.wakes = s
			ts.add(&s.place, int64(again[0]))
			return s
		}
		want := func(why string, lines ...string) {
			t.Helper()
			synctest.Wait()
			if diff := cmp.Diff(lines, log.take()); diff != "" {
				t.Errorf("%s (-want +got):\n%s", why, diff)
			}
		}
		empty := func(why string) {
			t.Helper()
			for i, q := range ts.queues {
				if q.first != nil || q.last != nil || q.timer != nil {
					t.Errorf("%s: somebody is left in queue %d", why, i)
				}
			}
		}

		enter("a", interval, interval, 3*time.Second)
		time.Sleep(time.Second)
		enter("b", interval)
		short := enter("c", 3*time.Second, interval)
		time.Sleep(2 * time.Second)
		want("too early")
		time.Sleep(time.Second)
		want("the short one", "c 4s")
		enter("d", 3*time.Second)   // is not held up by the one that was short
		time.Sleep(8 * time.Second) // 12 s
		want("the next short one, and the long ones", "d 7s", "a 10s", "b 11s")
		time.Sleep(2 * time.Second)
		want("the short one again", "c 14s")
		time.Sleep(6 * time.Second)
		want("the first again", "a 20s")
		time.Sleep(3 * time.Second)
		want("after a short span", "a 23s")
		time.Sleep(time.Minute)
		want("nobody more")
		empty("all have been woken")
		if short.place.due != 0 {
			t.Error("one that is in no queue is due")
		}

		// Those leave that stand first, in the middle and last, and twice; the others do
		// not notice.
		start = time.Now()
		var all []*sleeper
		for i := range 6 {
			all = append(all, enter(fmt.Sprint(i), interval))
			time.Sleep(time.Second)
		}
		for _, i := range []int{0, 3, 5, 5} {
			ts.remove(&all[i].place)
		}
		enter("6", interval)
		time.Sleep(time.Minute)
		want("those that stayed", "1 11s", "2 12s", "4 14s", "6 16s")
		empty("all have been woken or have left")

		// All leave, and one comes.
		start = time.Now()
		x, y := enter("x", interval), enter("y", interval)
		set := []*time.Timer{ts.queues[0].timer, ts.queues[1].timer}
		ts.remove(&y.place)
		ts.remove(&x.place)
		empty("both have left")
		for _, timer := range set {
			if timer != nil && timer.Stop() {
				t.Error("both have left, and a timer still runs")
			}
		}
		time.Sleep(time.Second)
		enter("z", interval)
		time.Sleep(time.Minute)
		want("who came then", "z 11s")

		// Who is over does not come in.
		s := &sleeper{t: ts, log: &log, ended: true}
		s.place.wakes = s
		ts.add(&s.place, int64(interval))
		empty("it was over")
		time.Sleep(time.Minute)
		want("nobody")
	})
}
