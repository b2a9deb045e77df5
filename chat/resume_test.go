package chat

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestResume(t *testing.T) {
	h := New(Options{Store: &Memory{MaxMessages: 5}, History: 3, Resume: 4})
	ada := connect(t, h, "Ada")
	empty := join(t, ada, "lobby", Cursor{}).Cursor
	if empty.IsZero() {
		t.Fatal("an empty room has no cursor")
	}
	cursors := []Cursor{empty}
	for i := 1; i <= 8; i++ {
		cursors = append(cursors, send(t, ada, "lobby", fmt.Sprint(i), fmt.Sprint(i)))
		wantNext[Posted](t, ada)
	}
	head := cursors[8]
	for _, tt := range []struct {
		name      string
		since     Cursor
		recovered bool
		want      []string
	}{
		{"no cursor: recent history", Cursor{}, false, []string{"6", "7", "8"}},
		{"nothing missed", head, true, []string{}},
		{"one missed", cursors[7], true, []string{"8"}},
		{"as many as may be", cursors[4], true, []string{"5", "6", "7", "8"}},
		{"more than may be, though kept", cursors[3], false, []string{"6", "7", "8"}},
		{"no longer kept", cursors[2], false, []string{"6", "7", "8"}},
		{"from before the first message", empty, false, []string{"6", "7", "8"}},
		{"ahead of the room", Cursor{head.Epoch, head.Seq + 1}, false, []string{"6", "7", "8"}},
		{"far ahead of the room", Cursor{head.Epoch, 1<<64 - 1}, false, []string{"6", "7", "8"}},
		{"of another epoch", Cursor{head.Epoch + 1, head.Seq}, false, []string{"6", "7", "8"}},
		{"unreadable", ForeignCursor, false, []string{"6", "7", "8"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			j := join(t, ada, "lobby", tt.since)
			if j.Recovered != tt.recovered || j.Cursor != head {
				t.Errorf("recovered %v, cursor %v; want %v, %v", j.Recovered, j.Cursor, tt.recovered, head)
			}
			if d := cmp.Diff(tt.want, texts(j.Messages)); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}

func TestResumeInARoomWhereNothingWasSaidYet(t *testing.T) {
	h := New(Options{})
	ada, bob := connect(t, h, "Ada"), connect(t, h, "Bob")
	c := join(t, ada, "lobby", Cursor{}).Cursor
	ada.Close(nil) // the last one leaves, and the hub forgets the room
	join(t, bob, "lobby", Cursor{})
	send(t, bob, "lobby", "1", "missed")
	j := join(t, connect(t, h, "Ada"), "lobby", c)
	if d := cmp.Diff([]string{"missed"}, texts(j.Messages)); d != "" || !j.Recovered {
		t.Errorf("recovered %v (-want +got):\n%s", j.Recovered, d)
	}
}

// Readers come and go with their cursors while others send: each one's view,
// put together, must be the room's order, without a gap or a repetition.
func TestNoGapAndNoDuplicateUnderLoad(t *testing.T) {
	const senders, each, readers = 8, 200, 8
	h := New(Options{Store: &Memory{MaxMessages: senders * each}, Resume: senders * each, QueueBytes: 16 << 20,
		PresenceGrace: -1, MessageRate: Rate{PerSecond: -1}, PersonRate: Rate{PerSecond: -1}, ReadRate: Rate{PerSecond: -1}})
	keep := connect(t, h, "Keeper")
	start := join(t, keep, "lobby", Cursor{}).Cursor

	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var sending, reading sync.WaitGroup
	for i := range senders {
		s := connect(t, h, fmt.Sprint("sender ", i))
		if err := s.Join("lobby", Cursor{}, ""); err != nil {
			t.Fatal(err)
		}
		go func() {
			for {
				if _, err := s.Next(t.Context()); err != nil {
					return
				}
			}
		}()
		sending.Go(func() {
			defer s.Close(nil)
			for n := range each {
				if err := s.Send("lobby", fmt.Sprint(n), "x"); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	for i := range readers {
		reading.Go(func() {
			at, seen := start, uint64(0)
			for round := 0; seen < senders*each; round++ {
				s, err := h.Connect(Person{Name: fmt.Sprint("reader ", i)}, plain)
				if err != nil {
					t.Error(err)
					return
				}
				if err := s.Join("lobby", at, ""); err != nil {
					t.Error(err)
					return
				}
				step := func(m *Message) {
					if m.Cursor.Seq != at.Seq+1 {
						t.Errorf("after %d came %d", at.Seq, m.Cursor.Seq)
					}
					at, seen = m.Cursor, seen+1
				}
				for left := 1 + round*7%50; left > 0 && seen < senders*each; {
					p, err := s.Next(ctx)
					if err != nil {
						t.Error(err)
						return
					}
					switch b := p.Value.(type) {
					case Joined:
						if !b.Recovered {
							t.Errorf("not recovered from %v", at)
							return
						}
						for _, m := range b.Messages {
							step(m)
						}
					case Posted:
						step(b.Message)
						left--
					}
					if len(h.Sessions()) <= readers+1 {
						left-- // the senders are done; what is missing comes with the next join
					}
				}
				s.Close(nil)
			}
		})
	}
	go func() {
		for {
			if _, err := keep.Next(t.Context()); err != nil {
				return
			}
		}
	}()
	sending.Wait()
	reading.Wait()
	keep.Close(nil)
	if n, rooms := h.Count(); n != 0 || rooms != 0 {
		t.Errorf("%d sessions and %d rooms are left", n, rooms)
	}
}

// hookStore calls a function once a read has been made.
type hookStore struct {
	Memory
	afterRead func()
}

func (s *hookStore) Read(room string, q Query) (Page, error) {
	p, err := s.Memory.Read(room, q)
	if s.afterRead != nil {
		s.afterRead()
	}
	return p, err
}

// A message that arrives in the middle of a join comes after the history, once.
func TestAMessageInTheMiddleOfAJoin(t *testing.T) {
	store := new(hookStore)
	h := New(Options{Store: store})
	ada := connect(t, h, "Ada")
	published := make(chan error, 1)
	store.afterRead = func() {
		go func() {
			_, err := h.Publish("lobby", Person{ID: "p", Name: "P"}, "", "x")
			published <- err
		}()
		h.mu.Lock()
		r := h.rooms["lobby"]
		h.mu.Unlock()
		for !r.isLed() && len(published) == 0 {
			runtime.Gosched()
		}
		for range 1000 { // every chance to slip in, if there is one
			runtime.Gosched()
		}
	}
	j := join(t, ada, "lobby", Cursor{})
	if err := <-published; err != nil {
		t.Fatal(err)
	}
	m := wantNext[Posted](t, ada).Message
	if len(j.Messages) != 0 || m.Cursor.Seq != j.Cursor.Seq+1 {
		t.Errorf("history %v up to %v, then %v", texts(j.Messages), j.Cursor, m.Cursor)
	}
	wantIdle(t, ada, "one message")
}

func (r *room) inLine() int {
	r.waitingMu.Lock()
	defer r.waitingMu.Unlock()
	return len(r.waiting)
}

func (r *room) isLed() bool {
	r.waitingMu.Lock()
	defer r.waitingMu.Unlock()
	return r.led
}
