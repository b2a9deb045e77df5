package room

import (
	"encoding/json"
	"slices"
	"time"

	"framewright/lab/fact"
)

// A State is what a page is shown of a room at a time. Sizes are in bytes, times in
// milliseconds.
type State struct {
	Ms      float64       `json:"ms"` // since the room began
	Rate    float64       `json:"rate"`
	Sent    int           `json:"sent"`
	Acked   int           `json:"acked"`
	Over    string        `json:"over,omitempty"` // why the sender sends no more
	Readers []ReaderState `json:"readers"`
	Events  []Event       `json:"events,omitempty"` // since the last State
}

// A ReaderState is what there is to say of one reader.
type ReaderState struct {
	Name    string  `json:"name"`
	State   string  `json:"state"`
	Speed   float64 `json:"speed"`
	Queue   Queue   `json:"queue"`
	Wire    int     `json:"wire"` // what the network holds
	WireMax int     `json:"wireMax"`
	Read    int     `json:"read"`
	Missing int     `json:"missing"` // acknowledged to the sender, and not read yet
	Twice   int     `json:"twice"`   // read more than once
	Again   int     `json:"again"`   // from the log, since it came back
	Latency Latency `json:"latency"`
}

// A Queue is a chat.Queue.
type Queue struct {
	Packets int     `json:"packets"`
	Bytes   int     `json:"bytes"`
	Max     int     `json:"max"`
	AgeMs   float64 `json:"ageMs"`
	Dropped uint64  `json:"dropped"` // volatile packets
}

// A Latency is from when the sender wrote to when the reader's program has read, of the
// live messages of the last two seconds.
type Latency struct {
	Count  int     `json:"count"`
	Median float64 `json:"median"`
	Max    float64 `json:"max"`
}

// An Event is something that happened to a reader.
type Event struct {
	Ms     float64 `json:"ms"`
	Kind   string  `json:"kind"` // cut: by the server; heard: by the reader; back: has joined again; whole: has what it missed
	Reader string  `json:"reader"`

	Code      int         `json:"code,omitempty"` // heard
	Reason    string      `json:"reason,omitempty"`
	Text      string      `json:"text,omitempty"`
	Peak      int         `json:"peak,omitempty"`      // cut: the most that its queue was seen to hold
	Recovered bool        `json:"recovered,omitempty"` // back, whole
	Count     int         `json:"count"`               // back, whole: messages of the log
	Pages     int         `json:"pages"`               // whole: of history
	Missing   int         `json:"missing"`             // whole: acknowledged and not to be had
	Facts     []fact.Fact `json:"facts,omitempty"`     // the very frames
}

// maxEvents is how many are kept for a page that has not fetched them yet.
const maxEvents = 100

// tell notes an event.
func (r *Room) tell(e Event) {
	e.Ms = ms(time.Since(r.began))
	r.mu.Lock()
	defer r.mu.Unlock()
	r.events = append(r.events, e)
	if len(r.events) > maxEvents {
		r.events = slices.Clone(r.events[1:])
	}
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// State is what there is to show now. Events are given out once.
func (r *Room) State() State {
	now := time.Now()
	s := State{Ms: ms(now.Sub(r.began)), Rate: r.sender.gate.now()}
	for _, one := range r.readers {
		s.Readers = append(s.Readers, one.show(now))
	}
	r.sender.mu.Lock()
	s.Sent, s.Acked, s.Over = len(r.sender.at), r.sender.acks, r.sender.over
	r.sender.mu.Unlock()
	r.mu.Lock()
	defer r.mu.Unlock()
	s.Events, r.events = r.events, nil
	return s
}

// JSON is State as JSON.
func (r *Room) JSON() []byte {
	b, err := json.Marshal(r.State())
	if err != nil {
		panic(err) // numbers and strings can always be written
	}
	return b
}

func (r *reader) show(now time.Time) ReaderState {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := ReaderState{Name: r.name, State: r.state, Speed: r.gate.now(), Queue: Queue{Max: r.room.plan.QueueBytes}, WireMax: r.room.plan.Wire,
		Read: r.log.count, Twice: r.log.twice, Again: r.resume.again, Latency: r.late.of(now)}
	if r.session != nil {
		q := r.session.Queue()
		s.Queue = Queue{q.Packets, q.Bytes, q.MaxBytes, ms(q.Age), q.Dropped}
		r.peak = max(r.peak, q.Bytes)
	}
	if r.wire != nil {
		s.Wire, _ = r.wire.waiting()
	}
	s.Missing = r.room.sender.missing(&r.log, maxNumber)
	return s
}

// window is how far back latencies are looked at.
const window = 2 * time.Second

// latencies are those of the last messages.
type latencies struct{ all []latency }

type latency struct {
	at   time.Time
	took time.Duration
}

func (l *latencies) clear() { l.all = nil }

func (l *latencies) add(at time.Time, took time.Duration) {
	l.forget(at)
	l.all = append(l.all, latency{at, took})
}

// forget drops what is older than the window.
func (l *latencies) forget(now time.Time) {
	old := 0
	for old < len(l.all) && now.Sub(l.all[old].at) > window {
		old++
	}
	l.all = l.all[old:]
}

func (l *latencies) of(now time.Time) Latency {
	l.forget(now)
	if len(l.all) == 0 {
		return Latency{}
	}
	took := make([]time.Duration, len(l.all))
	for i, one := range l.all {
		took[i] = one.took
	}
	slices.Sort(took)
	return Latency{len(took), ms(took[len(took)/2]), ms(took[len(took)-1])}
}
