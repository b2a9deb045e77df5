package chat

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// People of all kinds come and go, join, write, are kicked and are slow, all at
// the same time. In the end nothing is left of them.
func TestNothingIsLeftOfAChurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		none := Rate{PerSecond: -1}
		h := New(Options{QueueBytes: 16 << 10, MaxSessionsPerAddress: -1, MessageRate: none, PersonRate: none, ReadRate: none, RequestRate: none,
			PresenceGrace: 3 * time.Millisecond, Store: &Memory{MaxMessages: 20}})
		var wg sync.WaitGroup
		for i := range 20 {
			r := rand.New(rand.NewPCG(uint64(i), 1))
			room := func() string { return fmt.Sprint("room ", r.IntN(4)) }
			wg.Go(func() {
				for n := range 200 {
					p := Person{ID: fmt.Sprint("person ", r.IntN(8))}
					p.Name = p.ID + []string{"", " again"}[r.IntN(2)]
					if r.IntN(4) == 0 {
						p = Person{Name: fmt.Sprintf("nobody %d %d", i, n)}
					}
					s, err := h.Admit(Identity{Person: p, Address: fmt.Sprint(r.IntN(3)), Expires: time.Now().Add(time.Duration(1+r.IntN(20)) * time.Millisecond)}, plain)
					if err != nil {
						continue // too many of one person
					}
					var taken sync.WaitGroup
					if r.IntN(5) > 0 { // the others do not read
						taken.Go(func() {
							for {
								if _, err := s.Next(context.Background()); err != nil {
									return
								}
							}
						})
					}
					for k := range r.IntN(30) {
						switch r.IntN(9) {
						case 0, 1:
							s.Join(room(), Cursor{}, "")
						case 2:
							s.Leave(room(), "")
						case 3:
							h.Kick(room(), p.ID, "")
						case 4:
							h.Publish(room(), Person{ID: "program"}, "", "text")
						case 5:
							s.Typing(room())
						case 6:
							time.Sleep(time.Duration(r.IntN(3)) * time.Millisecond)
						case 7:
							where := room()
							s.Do(context.Background(), func() { s.History(where, Cursor{}, 10, "") })
						default:
							s.Send(room(), fmt.Sprint(n, k), "text")
						}
					}
					if r.IntN(10) == 0 {
						h.Kick("", p.ID, "")
					}
					s.Close(nil)
					taken.Wait()
				}
			})
		}
		wg.Wait()
		time.Sleep(time.Second)
		synctest.Wait()
		h.mu.Lock()
		if len(h.sessions)+len(h.people)+h.names.Len()-New(Options{}).names.Len()+h.roomNames.Len()+h.addresses.Len()+len(h.rooms) != 0 {
			t.Errorf("left: %d sessions, %d people, %d names, %d addresses, %d rooms", len(h.sessions), len(h.people), h.names.Len(), h.addresses.Len(), len(h.rooms))
		}
		h.mu.Unlock()
		if s := h.Stats(); s.QueueBytes != 0 || s.Messages == 0 || s.Ended["slow"]+s.Ended["kicked"]+s.Ended["expired"] == 0 {
			t.Errorf("%+v", s)
		}
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	})
}
