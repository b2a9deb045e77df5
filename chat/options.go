package chat

import (
	"cmp"
	"context"
	"time"
)

// Options are a hub's limits and hooks. A zero limit means its default; a
// negative one, where that is said, none.
//
// # Hooks
//
// Authenticate and the Allow hooks decide: they run on the goroutine of the
// request, with no lock held, before anything is done. The others are told:
// they run for each session one after the other, in the order of what happened,
// on a goroutine of the session's own, so that a slow one delays its own
// session only, and one that panics ends its own session only (with
// [ErrPanic]). All of them may use the session and the hub.
type Options struct {
	Store Store // default: a new [Memory]

	QueueBytes int           // waiting for one session; default 1 MiB, at least 16 KiB
	QueueAge   time.Duration // of the oldest waiting packet; default 30 s
	MaxText    int           // bytes of one message; default 16 KiB
	MaxMembers int           // listed in a Joined, as far as an eighth of QueueBytes goes; default 500, negative: none
	// MaxPresence is the most people in a room whose coming and going is told
	// to the others: n people who all come at once are n² events. Default
	// 1000, negative: no limit.
	MaxPresence int
	History     int // messages given on a join, and the most that a History has; default 100, negative: none on a join
	Resume      int // the most missed messages that a join catches up on; default 1000

	MaxRooms              int // with members at the same time; default 10,000
	MaxRoomsPerSession    int // default 128
	MaxRoomsPerAddress    int // of those that are in use because a session from there was the first; default a tenth of MaxRooms, negative: no limit
	MaxSessionsPerPerson  int // default 32, negative: no limit
	MaxSessionsPerAddress int // default 256, negative: no limit

	MessageRate Rate // of one connection's messages; default 20 a second, 100 at once
	PersonRate  Rate // the same over all connections of a person; default 40 a second, 200 at once
	ReadRate    Rate // of one connection's joins and histories, which cost the store; default 20 a second, 300 at once
	RoomRate    Rate // of rooms that sessions of one address open: that were not in use, and may push others out of the store; default 2 a second, 1000 at once
	RequestRate Rate // of one connection's requests of every kind; default 100 a second, 500 at once

	// PresenceGrace is how long a person whose last connection was lost still
	// counts as here, so that a reload is no coming and going. It holds the
	// person's name, too. Default 10 s, negative: none. A person without an ID
	// of its own cannot come back, and has none.
	PresenceGrace time.Duration

	// ReservedNames are names that no guest has, nor one that looks like them,
	// besides [HouseNames] and those under which the program has published as
	// an account (see [Hub.Publish]).
	ReservedNames []string

	// Rooms are there as far as look-alikes go, whether anybody is in them or
	// not: a room that looks like one of them cannot be joined. Neither MaxRooms
	// nor MaxRoomsPerAddress counts them, so nobody is kept out of them.
	Rooms []string

	// Welcome is what greets the one who connects; default "Welcome, NAME." An
	// empty text is no greeting.
	Welcome func(p Person) string

	// Authenticate says who a client is; ctx is its connection's. An [*Error]
	// goes to the client. Default: [PersonFromSecret] of what it shows.
	Authenticate func(ctx context.Context, c Credentials) (Identity, error)

	// A non-nil error of these refuses; its text goes to the client.
	AllowJoin    func(s *Session, room string) error
	AllowSend    func(s *Session, room, text string) error
	AllowHistory func(s *Session, room string) error
	AllowPrivate func(s *Session, to Person, text string) error

	Connected    func(s *Session)
	Disconnected func(s *Session, reason error) // after it has left its rooms; nil: the client simply went
	Joined       func(s *Session, room string)
	Left         func(s *Session, room string)
	Renamed      func(s *Session, was string) // see [Renamed]
	Message      func(s *Session, m *Message) // stored and sent to the room; not called for a repeated send

	Observer Observer
}

// Rate is a token bucket: so many at once, and so many a second in the long
// run. The zero Rate is the default of its option; a negative PerSecond is no
// limit.
type Rate struct {
	PerSecond float64
	Burst     int
}

const minQueueBytes = 16 << 10

func (o Options) withDefaults() Options {
	if o.Store == nil {
		o.Store = new(Memory)
	}
	if o.Welcome == nil {
		o.Welcome = func(p Person) string { return "Welcome, " + p.Name + "." }
	}
	o.QueueBytes = max(cmp.Or(o.QueueBytes, 1<<20), minQueueBytes)
	o.QueueAge = cmp.Or(o.QueueAge, 30*time.Second)
	o.MaxText = cmp.Or(o.MaxText, 16<<10)
	o.MaxRooms = cmp.Or(o.MaxRooms, 10_000)
	o.MaxRoomsPerSession = cmp.Or(o.MaxRoomsPerSession, 128)
	o.MaxRoomsPerAddress = cmp.Or(o.MaxRoomsPerAddress, max(o.MaxRooms/10, 1))
	o.MaxSessionsPerPerson = cmp.Or(o.MaxSessionsPerPerson, 32)
	o.MaxSessionsPerAddress = cmp.Or(o.MaxSessionsPerAddress, 256)
	o.MaxMembers = max(cmp.Or(o.MaxMembers, 500), 0)
	o.MaxPresence = cmp.Or(o.MaxPresence, 1000)
	o.History = cmp.Or(o.History, 100)
	o.Resume = cmp.Or(o.Resume, 1000)
	o.MessageRate = cmp.Or(o.MessageRate, Rate{20, 100})
	o.PersonRate = cmp.Or(o.PersonRate, Rate{40, 200})
	o.ReadRate = cmp.Or(o.ReadRate, Rate{20, 300})
	o.RoomRate = cmp.Or(o.RoomRate, Rate{2, 1000})
	o.RequestRate = cmp.Or(o.RequestRate, Rate{100, 500})
	o.PresenceGrace = max(cmp.Or(o.PresenceGrace, 10*time.Second), 0)
	return o
}
