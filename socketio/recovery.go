package socketio

import (
	"bytes"
	"cmp"
	"container/list"
	"context"
	"slices"
	"strconv"
	"time"
)

// Recovery are the settings of connection state recovery: a client whose
// connection was cut, and that comes back in time to the same server, has its
// ID, its rooms and its values again, and gets the events that it missed before
// it is told that it is connected. In the client, socket.recovered is then
// true. A client can come back before it has received any event. With Seal and
// Open it may come back to another run of the server, too.
//
// Every event but those that are volatile, binary or want an acknowledgement
// has a place in the namespace's log, and carries it as one more argument at
// its end, an opaque string. The JavaScript client (since 4.6) brings the last
// one back; others do not, and see the argument. The others of these events
// are not recovered.
//
// A zero field has its default.
type Recovery struct {
	Window time.Duration // how long after the cut a client may come back; default 2 min

	// The log and the sessions kept are bounded for each namespace; what is
	// forgotten early is not recovered.
	MaxEvents   int // default 10,000
	MaxBytes    int // of the log; default 16 MiB
	MaxSessions int // that are cut; default 10,000

	// MaxSessionsPerAddress bounds those from one address (see
	// [engineio.Options].Address): past it, its own oldest is forgotten. Default
	// a tenth of MaxSessions.
	MaxSessionsPerAddress int

	// CheckAgain runs the namespace's Use functions for a client that comes
	// back, too. Without it only the secret that it was given counts, as with
	// the reference server's skipMiddlewares.
	CheckAgain bool

	// Seal and Open, if there are both, let clients come back to another run of the
	// server, in a namespace that has an OnRecover, and so a history that lasts.
	//
	// Seal returns the secret with which a socket's client may come back, made of
	// all that another run needs; "" is a secret of this run alone. Like Want it is
	// asked after the Use functions. Open reads a secret that this run does not
	// know: it sets the socket's values, and returns which socket it was. An error
	// means that the client is connected as a new one. Open sees to it that a
	// secret is good for a bounded time, and only once in a run: one that was taken,
	// or whose socket was disconnected since, is among those that are not known.
	Seal func(s *Socket) string
	Open func(s *Socket, secret string) (Past, error)

	// Want, if not nil, says which sockets take part: a client that does not
	// expect one more argument should not. It is asked after the Use
	// functions.
	Want func(s *Socket) bool
}

// A Past is what a socket was in another run of the server.
type Past struct {
	ID    string
	Rooms []string // without its own
}

func (r Recovery) withDefaults() *Recovery {
	r.Window = cmp.Or(r.Window, 2*time.Minute)
	r.MaxEvents = cmp.Or(r.MaxEvents, 10_000)
	r.MaxBytes = cmp.Or(r.MaxBytes, 16<<20)
	r.MaxSessions = cmp.Or(r.MaxSessions, 10_000)
	r.MaxSessionsPerAddress = cmp.Or(r.MaxSessionsPerAddress, max(r.MaxSessions/10, 1))
	return &r
}

// eventLog is what a namespace keeps for clients that come back. The
// namespace's mu guards it.
type eventLog struct {
	o       *Recovery // nil: there is none
	epoch   uint64
	seq     uint64 // of the latest event
	foreign bool   // OnRecover: nothing is logged here
	size    int
	kept    []logged

	live map[string]*Socket       // by pid
	gone map[string]*list.Element // by pid, of *session
	old  list.List                // of *session, the one that went first in front
	from map[string]*list.List    // the same, by address
}

type logged struct {
	seq    uint64
	time   time.Time
	target Target
	event  *encoded
}

// A session is what is left of a socket whose connection was cut.
type session struct {
	pid, id string
	address string
	inFrom  *list.Element
	rooms   []string
	values  context.Context
	base    string // where the socket was before its first event
	virgin  bool   // it was sent no event with an offset since
	until   time.Time
}

func (l *eventLog) init(o *Recovery) {
	if o != nil {
		l.o, l.epoch = o, newEpoch()
		l.live, l.gone = make(map[string]*Socket), make(map[string]*list.Element)
		l.from = make(map[string]*list.List)
	}
}

// offset is the place in the log after the latest event.
func (l *eventLog) offset() string { return place{l.epoch, l.seq}.String() }

const logOverhead = 200 // bytes that an entry counts besides its text

// add gives e to t a place in the log, and returns it with its offset.
func (l *eventLog) add(e *encoded, t Target) *encoded {
	if l.o == nil || l.foreign {
		return e
	}
	if t.volatile || len(e.attachments) > 0 || e.asks {
		// The client takes a string at an event's end for an offset, whatever
		// it is. Better it is one.
		if bytes.HasSuffix(e.text, []byte(`"]`)) && !e.asks {
			e.marked = e.withOffset(l.offset())
			e.marked.place = false
		}
		return e
	}
	now := time.Now()
	l.seq++
	e.marked = e.withOffset(l.offset())
	l.kept = append(l.kept, logged{l.seq, now, t, e.marked})
	l.size += len(e.marked.text) + logOverhead
	drop := 0
	for drop < len(l.kept) && (len(l.kept)-drop > l.o.MaxEvents || l.size > l.o.MaxBytes || now.Sub(l.kept[drop].time) > l.o.Window) {
		l.size -= len(l.kept[drop].event.text) + logOverhead
		drop++
	}
	clear(l.kept[:drop])
	l.kept = l.kept[drop:]
	return e
}

// withOffset is e with one more argument.
func (e *encoded) withOffset(offset string) *encoded {
	text := make([]byte, 0, len(e.text)+len(offset)+3)
	text = append(text, e.text[:len(e.text)-1]...)
	text = append(text, ',')
	text = strconv.AppendQuote(text, offset)
	m, err := prepare(append(text, ']'), e.attachments)
	if err != nil {
		return e // the offset is ASCII; what was fine before still is
	}
	m.place = true
	return m
}

func (x *session) roomSet() map[string]struct{} {
	m := map[string]struct{}{x.id: {}}
	for _, r := range x.rooms {
		m[r] = struct{}{}
	}
	return m
}

// keep remembers a socket whose connection was cut.
func (l *eventLog) keep(s *Socket) {
	x := &session{pid: s.pid, id: s.id, rooms: s.roomList(), values: s.ownValues(), base: s.base, virgin: s.virgin, until: time.Now().Add(l.o.Window)}
	x.address = s.client.engine.Address()
	l.gone[x.pid] = l.old.PushBack(x)
	from := l.from[x.address]
	if from == nil {
		from = list.New()
		l.from[x.address] = from
	}
	x.inFrom = from.PushBack(x)
	if from.Len() > l.o.MaxSessionsPerAddress {
		l.take(from.Front().Value.(*session).pid)
	}
	l.expire()
}

// expire forgets the sessions whose time is over, and the oldest of too many.
func (l *eventLog) expire() {
	now := time.Now()
	for e := l.old.Front(); e != nil && (l.old.Len() > l.o.MaxSessions || now.After(e.Value.(*session).until)); e = l.old.Front() {
		l.take(e.Value.(*session).pid)
	}
}

// take returns the session of a pid, which then is the caller's.
func (l *eventLog) take(pid string) *session {
	e := l.gone[pid]
	if e == nil {
		return nil
	}
	delete(l.gone, pid)
	x := l.old.Remove(e).(*session)
	from := l.from[x.address]
	if from.Remove(x.inFrom); from.Len() == 0 {
		delete(l.from, x.address)
	}
	return x
}

// since says where x is to go on, if its client has brought an offset, or none
// (""). It is "" if nobody can say.
//
// A client keeps its last offset when it gets a new session, so it may bring
// one from before this session began, or of a server before. If this session
// was not sent any event, its beginning is where it is.
func (x *session) since(offset string) string {
	if offset == "" || x.virgin {
		return x.base
	}
	at, ok1 := parsePlace(offset)
	base, ok2 := parsePlace(x.base)
	if ok1 && ok2 && at.epoch == base.epoch && at.seq < base.seq {
		return x.base
	}
	return offset
}

// missed returns the events after since that were for a socket in rooms; ok is
// false if the log does not have them all.
func (l *eventLog) missed(since string, rooms map[string]struct{}) (events []*encoded, ok bool) {
	at, known := parsePlace(since)
	if !known || at.epoch != l.epoch || at.seq > l.seq || at.seq+uint64(len(l.kept)) < l.seq {
		return nil, false
	}
	first, _ := slices.BinarySearchFunc(l.kept, at.seq+1, func(e logged, seq uint64) int { return cmp.Compare(e.seq, seq) })
	for _, e := range l.kept[first:] {
		if e.target.includes(rooms) {
			events = append(events, e.event)
		}
	}
	return events, true
}
