package chat

import (
	"sync"
	"time"
)

// Person is who speaks. The ID is public, stable over the person's connections,
// and not a secret; the Name is what others see. An ID that begins with
// [GuestPrefix] is a guest's.
type Person struct {
	ID   string
	Name string

	// Account says that the name was not the client's choice: whoever the
	// program trusts (a token, a cookie, the program itself) vouches for it.
	// It goes before the name of a guest, see [Renamed].
	Account bool
}

// Message is one entry of a room's order. It does not change once it is stored;
// everyone who gets it shares it.
type Message struct {
	Room   string
	Cursor Cursor
	Time   time.Time
	From   Person
	ID     string // the sender's own name for it; unique per person
	Text   string
}

// A Body is what an [Event] says. The types below are the ones that the hub
// makes; a program may send bodies of its own if its codec knows them.
type Body interface{ EventName() string }

// Welcome greets the one session that has just connected.
type Welcome struct {
	You     Person
	Text    string
	Expires time.Time // when the session ends unless it is refreshed; zero: never
	MaxText int       // bytes that a message may have: [Options.MaxText]
}

// Renamed tells a session that its person goes by another name from here on:
// the one that it had, or one that looked like it, is an account's. The members
// of its rooms get a [Presence].
type Renamed struct {
	You  Person
	Was  string // the name that it had
	Text string
}

// Joined answers [Session.Join].
type Joined struct {
	Ref       string // as given to Join
	Room      string
	Cursor    Cursor     // the room's place now; the next live message is the one after it
	Recovered bool       // Messages is exactly what was missed since the given cursor
	Messages  []*Message // oldest first
	Deleted   []Cursor   // with Recovered: messages up to the given cursor that were deleted after it was taken
	Members   []Person   // by name, at most [Options.MaxMembers]
	People    int        // how many members there are
}

// History answers [Session.History].
type History struct {
	Ref      string
	Room     string
	Messages []*Message // oldest first
	More     bool       // there are older ones
}

// Left answers [Session.Leave], or tells that the session was taken out of the
// room by [Hub.Kick].
type Left struct {
	Ref    string
	Room   string
	Reason string // empty: as the client asked
}

// Posted is a message in a room, live.
type Posted struct{ Message *Message }

// Private is a message from one person to another, to all sessions of both. It
// is in no room and in no history.
type Private struct {
	From Person
	To   Person
	ID   string // the sender's own name for it
	Text string
	Time time.Time
}

// Deleted tells a room's members that a message was taken out of its history.
type Deleted struct {
	Room   string
	Cursor Cursor
}

// Muted tells a person that what it sends is refused for some time.
type Muted struct {
	Room  string    // empty: everywhere
	Until time.Time // past: no longer
}

// Refreshed answers [Session.Refresh].
type Refreshed struct {
	Ref     string
	Expires time.Time // zero: never
}

// Restart tells that the connection is about to be closed because the server
// restarts, and when to come back.
type Restart struct{ Retry time.Duration }

// Ack answers [Session.Send]: the message is stored. A repeated send gets the
// first one's Cursor and Time. For a [Session.Private] it has no Room and no
// Cursor.
type Ack struct {
	ID     string
	Room   string
	Cursor Cursor
	Time   time.Time
}

// Presence tells a room's members that a person came or went, or has another
// name now.
type Presence struct {
	Room   string
	Who    Person
	Here   bool   // came, or is here under another name; otherwise went
	Was    string // the name that it had here until now; empty: it came, or went
	People int    // how many are here now
	Time   time.Time
}

// Typing tells a room's members that a person is writing. It is volatile.
type Typing struct {
	Room string
	Who  Person
}

// Notice is a line from the server itself, to one, to a room, or to all.
type Notice struct {
	Room string // empty: not about a room
	Text string
}

// Refusal tells a session that a request was refused, and why.
type Refusal struct {
	Ref  string // the request's, if it had one
	Code ErrorCode
	Text string
	// Retry, if not zero, is how long to wait before asking again.
	Retry time.Duration
}

// EventName implements [Body].
func (Welcome) EventName() string   { return "welcome" }
func (Renamed) EventName() string   { return "renamed" }
func (Joined) EventName() string    { return "joined" }
func (Left) EventName() string      { return "left" }
func (Posted) EventName() string    { return "message" }
func (Ack) EventName() string       { return "ack" }
func (Presence) EventName() string  { return "presence" }
func (Typing) EventName() string    { return "typing" }
func (Notice) EventName() string    { return "notice" }
func (Refusal) EventName() string   { return "error" }
func (History) EventName() string   { return "history" }
func (Private) EventName() string   { return "private" }
func (Deleted) EventName() string   { return "deleted" }
func (Muted) EventName() string     { return "muted" }
func (Refreshed) EventName() string { return "refreshed" }
func (Restart) EventName() string   { return "restart" }

// A Codec writes events in one wire format. Its value is the key under which an
// event keeps the encoded form, so it must be comparable, and equal codecs must
// encode alike. Encode may be called from any goroutine and must not keep e.
type Codec interface {
	Encode(e *Event) (Packet, error)
}

// Packet is one event in one wire format: the unit of a session's queue. Value
// belongs to the codec and its transport; it is shared by every receiver and
// must not be changed. A form that needs several frames keeps them in one
// packet, so that a queue never drops half of it.
type Packet struct {
	Size  int // bytes that count against [Options.QueueBytes]
	Value any
}

// Event is a body on its way to any number of sessions. It is encoded at most
// once for each codec.
type Event struct {
	Body     Body
	Volatile bool // may be dropped when a receiver is slow

	mu      sync.Mutex
	encoded []encoded // one per codec; there are few
}

type encoded struct {
	codec  Codec
	packet Packet
	err    error
}

// NewEvent returns an event that says b.
func NewEvent(b Body) *Event { return &Event{Body: b} }

// NewVolatile returns an event that says b and that a full queue may drop.
func NewVolatile(b Body) *Event { return &Event{Body: b, Volatile: true} }

// Packet returns e in c's format, encoding it the first time only.
func (e *Event) Packet(c Codec) (Packet, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for i := range e.encoded {
		if e.encoded[i].codec == c {
			return e.encoded[i].packet, e.encoded[i].err
		}
	}
	p, err := c.Encode(e)
	e.encoded = append(e.encoded, encoded{c, p, err})
	return p, err
}

// now is the time of a message: to the millisecond, so that it is the same
// whichever store and wire it went through.
func now() time.Time { return time.Now().UTC().Truncate(time.Millisecond) }
