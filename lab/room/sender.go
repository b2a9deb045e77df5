package room

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"sync"
	"time"

	"framewright/ws"
	"framewright/ws/wsnet"
)

// typing is how often the sender says that it is writing, which is volatile: a slow
// reader does not get it.
const typing = time.Second

// A sender is a client of the chat that sends numbered messages at a rate, and notes which
// of them were acknowledged.
type sender struct {
	room *Room
	gate *gate

	mu    sync.Mutex
	at    []time.Time // when number i+1 was sent
	acked set
	acks  int
	over  string // why it sends no more
}

func newSender(r *Room, rate float64) *sender { return &sender{room: r, gate: newGate(rate)} }

// run sends when all readers are there, until ctx ends.
func (s *sender) run(ctx context.Context) {
	for _, one := range s.room.readers {
		select {
		case <-one.first:
		case <-ctx.Done():
			return
		}
	}
	err := s.talk(ctx)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.over = fmt.Sprint(err)
}

func (s *sender) talk(ctx context.Context) error {
	c, _, err := s.room.dial(ctx, toServer, nil)
	if err != nil {
		return err
	}
	defer c.CloseNow()
	if err := say(ctx, c, map[string]string{"type": "hello", "name": "Sender", "secret": "what the sender alone knows"},
		map[string]string{"type": "join", "room": roomName}); err != nil {
		return err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var wg sync.WaitGroup
	defer wg.Wait()
	wg.Go(func() { cancel(s.listen(ctx, c)) })
	defer c.CloseNow() // before the wait
	return s.send(ctx, c)
}

// send is the sender's mouth.
func (s *sender) send(ctx context.Context, c *wsnet.Conn) error {
	var wrote time.Time
	for {
		if err := s.gate.pass(ctx); err != nil {
			return err
		}
		if now := time.Now(); now.Sub(wrote) >= typing {
			wrote = now
			if err := say(ctx, c, map[string]string{"type": "typing", "room": roomName}); err != nil {
				return err
			}
		}
		n := s.next(time.Now())
		if n > maxNumber {
			return fmt.Errorf("%d messages were sent, which is all that a room is for", maxNumber)
		}
		text := textOf(n, s.room.plan.Text)
		if err := say(ctx, c, map[string]string{"type": "send", "room": roomName, "id": strconv.Itoa(n), "text": text}); err != nil {
			return err
		}
	}
}

// listen is the sender's ear.
func (s *sender) listen(ctx context.Context, c *wsnet.Conn) error {
	for {
		_, data, err := c.Read(ctx)
		if err != nil {
			return err
		}
		var m incoming
		if err := json.Unmarshal(data, &m); err != nil {
			return err
		}
		switch n, _ := strconv.Atoi(m.ID); {
		case m.Type == "error":
			return &ws.CloseError{Code: ws.CodeInternalError, Reason: "the chat refuses: " + m.Code}
		case m.Type == "ack" && n > 0 && n <= maxNumber:
			s.mu.Lock()
			s.acked.add(n)
			s.acks++
			s.mu.Unlock()
		}
	}
}

// next is the number of the message that is sent now.
func (s *sender) next(now time.Time) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.at = append(s.at, now)
	return len(s.at)
}

// sentAt is when a number was sent.
func (s *sender) sentAt(n int) time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n < 1 || n > len(s.at) {
		return time.Now()
	}
	return s.at[n-1]
}

// missing is how many messages were acknowledged that a reader has not read, of those up
// to a number.
func (s *sender) missing(l *received, to int) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.acked.without(l.got, to)
}
