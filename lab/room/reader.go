package room

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"framewright/chat"
	"framewright/lab/fact"
	"framewright/ws"
	"framewright/ws/wsnet"
)

// Where a reader stands.
const (
	Coming = "coming" // it connects, and joins
	Here   = "here"
	Cut    = "cut"  // the server has ended its session, and it does not know yet
	Away   = "away" // it knows, and does not come back before it is asked to
)

// maxFacts is how much of one visit is kept to be shown: how it begins, and how it ends.
const maxFacts = 6

// A reader is a client of the chat that reads as slowly as it is asked to.
type reader struct {
	room  *Room
	index int
	name  string
	gate  *gate
	back  chan struct{} // asked to come back; of capacity 1
	first chan struct{} // closed when it has joined for the first time
	once  sync.Once

	mu      sync.Mutex
	state   string
	session *chat.Session // nil if it has none
	wire    *half         // nil before the first visit
	visits  int           // joined
	last    string        // the cursor to come back with
	peak    int           // bytes of its queue, of this visit
	log     received
	late    latencies
	begin   []fact.Fact // what this visit began with
	ending  []fact.Fact // the Close frames of it
	resume  resume
}

func newReader(r *Room, i int) *reader {
	return &reader{room: r, index: i, name: names[i], gate: newGate(AsTheyCome), back: make(chan struct{}, 1), first: make(chan struct{}), state: Coming}
}

// secret makes the reader the same person on each visit.
func (r *reader) secret() string { return "what " + r.name + " alone knows" }

// run visits the room, and again whenever it is asked to, until ctx ends.
func (r *reader) run(ctx context.Context) {
	for ctx.Err() == nil {
		err := r.visit(ctx)
		if ctx.Err() != nil {
			return
		}
		r.heard(err)
		select {
		case <-r.back:
		case <-ctx.Done():
		}
	}
}

// comeBack asks it to: it reads what comes, and if it was cut, connects anew.
func (r *reader) comeBack() error {
	r.mu.Lock()
	state := r.state
	r.mu.Unlock()
	if state != Cut && state != Away {
		return fmt.Errorf("%s was not cut: it is %s", r.name, state)
	}
	r.gate.set(AsTheyCome) // first it hears that it was cut
	select {
	case r.back <- struct{}{}:
	default: // asked already
	}
	return nil
}

// visit is one connection, from the handshake to its end.
func (r *reader) visit(ctx context.Context) error {
	r.mu.Lock()
	r.state, r.begin, r.ending, r.peak = Coming, nil, nil, 0
	since := r.last
	r.mu.Unlock()
	c, wire, err := r.room.dial(ctx, r.room.plan.Wire, r.trace)
	if err != nil {
		return err
	}
	defer c.CloseNow()
	r.mu.Lock()
	r.wire = wire
	r.mu.Unlock()
	join := map[string]string{"type": "join", "room": roomName, "id": "join"}
	if since != "" {
		join["since"] = since
	}
	if err := say(ctx, c, map[string]string{"type": "hello", "name": r.name, "secret": r.secret()}, join); err != nil {
		return err
	}
	for {
		if err := r.gate.pass(ctx); err != nil {
			return err
		}
		_, data, err := c.Read(ctx)
		if err != nil {
			return err
		}
		asks, err := r.read(data)
		if err == nil && asks != nil {
			err = say(ctx, c, asks)
		}
		if err != nil {
			return err
		}
	}
}

// say sends requests.
func say(ctx context.Context, c *wsnet.Conn, requests ...any) error {
	for _, q := range requests {
		if err := wsnet.WriteJSON(ctx, c, q); err != nil {
			return err
		}
	}
	return nil
}

// An incoming is what the chat's protocol sends, as far as readers look at it.
type incoming struct {
	Type, ID, Cursor, Text, Code string
	Recovered, More              bool
	Messages                     []post
}

// A post is a message of the room, live or in a list.
type post struct{ Cursor, Text string }

// read takes one message in. What it asks for then is not nil.
func (r *reader) read(data []byte) (asks any, err error) {
	var m incoming
	if err := json.Unmarshal(data, &m); err != nil {
		return nil, fmt.Errorf("what the chat said: %w", err)
	}
	now := time.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	switch m.Type {
	case "message":
		r.last = m.Cursor
		if n, ok := numberOf(m.Text); ok {
			r.log.take(n)
			r.late.add(now, now.Sub(r.room.sender.sentAt(n)))
		}
	case "joined":
		return r.joined(&m), nil
	case "history":
		return r.page(&m), nil
	case "error":
		return nil, fmt.Errorf("the chat refuses: %s: %s", m.Code, m.Text)
	}
	return nil, nil
}

// trace keeps what a visit begins with, if it is not the first, and how it ends.
func (r *reader) trace(e ws.TraceEvent) {
	isClose := len(e.Wire) > 0 && e.Header.Opcode == ws.OpClose
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case isClose:
		r.ending = append(r.ending, fact.Of(e))
	case r.visits > 0 && len(r.begin) < maxFacts && (e.Handshake != "" || r.tells(e)):
		r.begin = append(r.begin, fact.Of(e))
	}
}

// tells reports whether a frame is one of those that resume is made of.
func (r *reader) tells(e ws.TraceEvent) bool {
	return e.Sent || bytes.HasPrefix(e.Payload, []byte(`{"type":"joined"`)) || bytes.HasPrefix(e.Payload, []byte(`{"type":"welcome"`))
}

func (r *reader) admitted(s *chat.Session) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.session = s
	context.AfterFunc(s.Context(), func() { r.left(s, s.Err()) })
}

// left is told that the session s is over, at once; the connection may last until its
// closing handshake is done, or given up.
func (r *reader) left(s *chat.Session, reason error) {
	r.mu.Lock()
	if r.session != s || r.room.ctx.Err() != nil {
		r.mu.Unlock()
		return
	}
	r.session = nil
	if r.state == Here || r.state == Coming {
		r.state = Cut
	}
	e := Event{Kind: "cut", Reader: r.name, Reason: chat.EndReason(reason), Peak: r.peak}
	r.mu.Unlock()
	r.room.tell(e)
}

// heard is what the reader itself has heard of the end of its visit.
func (r *reader) heard(err error) {
	r.mu.Lock()
	r.state = Away
	r.late.clear()
	e := Event{Kind: "heard", Reader: r.name, Text: fmt.Sprint(err), Facts: r.ending}
	r.mu.Unlock()
	if closed, ok := errors.AsType[*ws.CloseError](err); ok {
		e.Code, e.Reason = int(closed.Code), closed.Reason
	}
	r.room.tell(e)
}
