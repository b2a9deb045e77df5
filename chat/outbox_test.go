package chat

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestASlowReaderIsClosedAndNobodyElse(t *testing.T) {
	h := New(Options{QueueBytes: minQueueBytes})
	ada, slow := connect(t, h, "Ada"), connect(t, h, "Slow")
	join(t, slow, "lobby", Cursor{})
	join(t, ada, "lobby", Cursor{})
	n := 0
	for ; slow.Err() == nil; n++ {
		if n > minQueueBytes {
			t.Fatal("the queue has no end")
		}
		if _, err := h.Publish("lobby", ada.Person(), "", "x"); err != nil {
			t.Fatal(err)
		}
		if ada.Err() != nil {
			t.Fatal(ada.Err())
		}
		wantNext[Posted](t, ada)
	}
	if !errors.Is(slow.Err(), ErrSlow) {
		t.Errorf("ended with %v, want ErrSlow", slow.Err())
	}
	if want := minQueueBytes/(plain.size+packetOverhead) - 1; n < want || n > want+2 {
		t.Errorf("closed after %d messages, want about %d", n, want)
	}
	if _, err := slow.Next(t.Context()); !errors.Is(err, ErrSlow) {
		t.Errorf("Next gives %v, want ErrSlow and none of what was queued", err)
	}
	if err := slow.Send("lobby", "1", "x"); !errors.Is(err, ErrClosed) {
		t.Errorf("Send gives %v, want ErrClosed", err)
	}
}

func TestVolatileIsDroppedFirst(t *testing.T) {
	q := new(outbox)
	q.init(20*(100+packetOverhead), time.Hour)
	put := func(v string, volatile bool) {
		t.Helper()
		if _, err := q.put(Packet{Size: 100, Value: v}, volatile, time.Now()); err != nil {
			t.Fatalf("%s: %v", v, err)
		}
	}
	put("keep", false)
	for range 30 {
		put("typing", true) // ten of them fill the half that they may fill
	}
	if q.items.Len() != 10 {
		t.Fatalf("%d packets wait, want 10", q.items.Len())
	}
	for range 19 {
		put("keep", false)
	}
	for range 20 {
		p, err := q.take(t.Context(), nil, 1, 1)
		if err != nil || p[0].Value != "keep" {
			t.Fatalf("%v, %v; want the packets that may not be dropped", p, err)
		}
	}
	if q.items.Size() != 0 || q.items.Len() != 0 {
		t.Errorf("%d bytes in %d packets are left", q.items.Size(), q.items.Len())
	}
}

// What a packet counts in bytes is the codec's word, and may be nothing.
func TestPacketsOfAnySize(t *testing.T) {
	sizes := []int{0, 0, 0, 5, 0, 1, 1, 1 << 20, 0}
	for _, tt := range []struct {
		maxBytes int
		want     []int // packets of each batch
	}{
		{-1, []int{1, 1, 1, 1, 1, 1, 1, 1, 1}},
		{0, []int{3, 1, 1, 1, 1, 1, 1}},
		{1, []int{3, 1, 2, 1, 1, 1}},
		{5, []int{5, 2, 1, 1}},
		{1 << 30, []int{9}},
	} {
		q := new(outbox)
		q.init(1<<30, time.Hour)
		s := &Session{}
		s.q.init(1<<30, time.Hour)
		for i, size := range sizes {
			for _, q := range []*outbox{q, &s.q} {
				if _, err := q.put(Packet{Size: size, Value: i}, false, time.Now()); err != nil {
					t.Fatal(err)
				}
			}
		}
		q.close(ErrClosed)
		var batches []int
		var all []Packet
		for {
			n := len(all)
			var err error
			if all, err = q.take(t.Context(), all, math.MaxInt, tt.maxBytes); err != nil {
				break
			}
			batches = append(batches, len(all)-n)
		}
		if d := cmp.Diff(tt.want, batches); d != "" {
			t.Errorf("at most %d bytes: batches (-want +got)\n%s", tt.maxBytes, d)
		}
		for i := range sizes {
			if i >= len(all) || all[i].Value != i {
				t.Fatalf("at most %d bytes: packet %d is not in its place: %v", tt.maxBytes, i, all)
			}
			if p, err := s.Next(t.Context()); err != nil || p.Value != i {
				t.Fatalf("Next gives packet %v, %v; want %d", p.Value, err, i)
			}
		}
	}
}

func TestQueueAge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := New(Options{QueueAge: 30 * time.Second})
		ada := connect(t, h, "Ada")
		ada.Emit(Notice{Text: "1"})
		time.Sleep(30 * time.Second)
		ada.Emit(Notice{Text: "2"})
		if ada.Err() != nil {
			t.Fatalf("after 30 s: %v", ada.Err())
		}
		time.Sleep(time.Second)
		ada.Emit(Notice{Text: "3"})
		if !errors.Is(ada.Err(), ErrSlow) {
			t.Fatalf("after 31 s: %v, want ErrSlow", ada.Err())
		}
	})
}

// A client that asks and does not read gets no more answers than fit, and is
// not read from much further.
func TestAReaderWhoseAnswersPileUpIsHeldBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := New(Options{QueueBytes: minQueueBytes})
		defer h.Close()
		ada := connect(t, h, "Ada")
		var asked, answered atomic.Int32
		go func() {
			for ada.Do(t.Context(), func() { ada.Emit(Notice{}); answered.Add(1) }) == nil {
				asked.Add(1)
			}
		}()
		synctest.Wait()
		half := int32(minQueueBytes/2/(plain.size+packetOverhead)) + 1
		if n := answered.Load(); n != half {
			t.Errorf("%d answers wait, want %d", n, half)
		}
		if n := asked.Load(); n > half+maxTasks+1 {
			t.Errorf("%d requests were taken, want at most %d more than were answered", n, maxTasks+1)
		}
		wantNext[Notice](t, ada)
		synctest.Wait()
		if n := answered.Load(); n != half+1 {
			t.Errorf("%d answers after one was read, want %d", n, half+1)
		}
		ada.Close(nil)
	})
}

func TestNextWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := New(Options{})
		ada := connect(t, h, "Ada")
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := ada.Next(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error %v, want DeadlineExceeded", err)
		}
		go func() {
			time.Sleep(time.Minute)
			ada.Emit(Notice{Text: "late"})
			time.Sleep(time.Minute)
			ada.Kick("enough")
		}()
		if p, err := ada.Next(t.Context()); err != nil || p.Value != (Notice{Text: "late"}) {
			t.Errorf("%v, %v", p.Value, err)
		}
		if _, err := ada.Next(t.Context()); !errors.Is(err, ErrKicked) {
			t.Errorf("error %v, want ErrKicked", err)
		}
	})
}

type counting struct{ encoded *int }

func (c counting) Encode(e *Event) (Packet, error) {
	*c.encoded++
	return Packet{Size: 1, Value: e.Body}, nil
}

func TestAnEventIsEncodedOncePerFormat(t *testing.T) {
	var a, b int
	h := New(Options{})
	for i := range 100 {
		c := counting{&a}
		if i%2 == 0 {
			c = counting{&b}
		}
		if _, err := h.Connect(Person{Name: fmt.Sprint("n", i)}, c); err != nil {
			t.Fatal(err)
		}
	}
	a, b = 0, 0
	h.Broadcast(Notice{Text: "x"})
	if a != 1 || b != 1 {
		t.Errorf("encoded %d and %d times, want once in each format", a, b)
	}
}

type failing struct{}

func (failing) Encode(*Event) (Packet, error) { return Packet{}, errors.New("cannot write this") }

func TestAnEventThatCannotBeEncodedEndsTheSession(t *testing.T) {
	h := New(Options{})
	s, err := h.Connect(Person{Name: "Ada"}, failing{})
	if err != nil {
		t.Fatal(err)
	}
	if s.Err() == nil {
		t.Error("the session goes on with a hole in it")
	}
}

// What waits for a session can be seen: how much, how long, and what it did not get.
func TestQueueCanBeSeen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := New(Options{QueueBytes: minQueueBytes, QueueAge: time.Minute, PresenceGrace: -1})
		defer h.Close()
		s := connect(t, h, "Ada")
		if q := s.Queue(); q != (Queue{MaxBytes: minQueueBytes, MaxAge: time.Minute}) {
			t.Errorf("an empty queue: %+v", q)
		}
		size := plain.size + packetOverhead
		s.Emit(Notice{Text: "one"})
		time.Sleep(time.Second)
		s.Emit(Notice{Text: "two"})
		want := Queue{Packets: 2, Bytes: 2 * size, MaxBytes: minQueueBytes, Age: time.Second, MaxAge: time.Minute}
		if d := cmp.Diff(want, s.Queue()); d != "" {
			t.Error(d)
		}
		for range minQueueBytes / size {
			s.Deliver(NewVolatile(Typing{}))
		}
		q := s.Queue()
		if half := minQueueBytes / 2 / size; q.Packets != half || q.Dropped != uint64(minQueueBytes/size-half+2) {
			t.Errorf("of %d that may be dropped: %+v, want %d packets", minQueueBytes/size, q, half)
		}
		for s.Err() == nil {
			s.Emit(Notice{Text: "more"})
		}
		if after := s.Queue(); after.Bytes != 0 || after.Packets != 0 || after.Dropped != uint64(minQueueBytes/size) {
			t.Errorf("after the cut: %+v; every one of the %d was dropped", after, minQueueBytes/size)
		}
	})
}
