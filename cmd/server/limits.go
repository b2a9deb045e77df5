package main

import (
	"cmp"
	"errors"
	"flag"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"framewright/chat"
)

// chatSettings are the limits of the chat.
type chatSettings struct {
	maxText              int
	maxRooms             int
	maxRoomsPerSession   int
	maxRoomsPerAddress   int
	roomRate             rate
	maxSessionsPerPerson int
	maxMembers           int
	maxPresence          int
	maxBadRequests       int
	queue                int
	queueAge             time.Duration
	history              int
	catchUp              int
	presenceGrace        time.Duration
	greeting             greetingText

	reservedNames nameList
	rooms         nameList

	messageRate rate
	personRate  rate
	readRate    rate
	requestRate rate
}

func (s *chatSettings) declare(f *flag.FlagSet) {
	s.messageRate, s.personRate = rate{20, 100}, rate{40, 200}
	s.roomRate = rate{2, 1000}
	s.readRate, s.requestRate = rate{20, 300}, rate{100, 500}

	f.IntVar(&s.maxText, "max-text", 16<<10, "longest text of a chat message, in `BYTES`")
	f.IntVar(&s.maxRooms, "max-rooms", 10_000, "rooms in use at one time; those of -room do not count, and nobody is kept out\nof them")
	f.IntVar(&s.maxRoomsPerAddress, "max-rooms-per-address", 1000, "rooms in use because somebody at one address, or one IPv6 /64, has opened them,\na tenth of -max-rooms unless it is given; 0 for no limit")
	f.Var(&s.roomRate, "room-rate", "rooms opened from one address that were not in use, `RATE/BURST`")
	f.IntVar(&s.maxRoomsPerSession, "max-rooms-per-session", 128, "rooms that one connection may be in")
	f.IntVar(&s.maxSessionsPerPerson, "max-sessions-per-person", 32, "connections of one person; 0 for no limit")
	f.IntVar(&s.maxMembers, "max-members", 500, "people listed to who joins a room")
	f.IntVar(&s.maxPresence, "max-presence", 1000, "people in a room up to which the others are told who comes and goes; 0 for\nno limit")
	f.IntVar(&s.maxBadRequests, "max-bad-requests", 5, "requests that are no requests before a connection is closed")
	f.IntVar(&s.queue, "queue", 1<<20, "`BYTES` that may wait for one connection; a slower reader is cut")
	f.DurationVar(&s.queueAge, "queue-age", 30*time.Second, "how long they may wait")
	f.IntVar(&s.history, "history", 100, "messages shown to who joins a room, and given at once to who asks for\nolder ones; 0 for none on joining")
	f.IntVar(&s.catchUp, "catch-up", 1000, "most missed messages that a client catches up on; who missed more sees\nthe latest")
	f.DurationVar(&s.presenceGrace, "presence-grace", 10*time.Second, "how long a person whose connection was lost still counts as here")
	s.greeting = "Welcome, {name}."
	f.Var(&s.greeting, "greeting", "`TEXT` that greets who connects, with {name} for what it is called; off for none")
	s.rooms = nameList{names: []string{lobby}, byDefault: true, check: chat.CheckRoom}
	s.reservedNames.check = chat.CheckName
	f.Var(&s.reservedNames, "reserved-name", "`NAME` that no guest has, nor one that looks like it, besides Server, System,\nCI, Admin, Moderator and the like, and those that publish; may be repeated")
	f.Var(&s.rooms, "room", "`ROOM` that is there even if nobody is in it: none can be joined that looks\nlike it; may be repeated")
	f.Var(&s.messageRate, "message-rate", "messages of one connection: so many a second in the long run, and at once;\n`RATE/BURST`, here and below; 0 for no limit")
	f.Var(&s.personRate, "person-rate", "messages of one person over all connections, `RATE/BURST`")
	f.Var(&s.readRate, "read-rate", "joins and requests for older messages of one connection, `RATE/BURST`")
	f.Var(&s.requestRate, "request-rate", "requests of any kind of one connection, `RATE/BURST`")
}

// chatBounds are the least values that make sense.
var chatBounds = map[string]int64{
	"max-text": 1, "max-rooms": 1, "max-rooms-per-session": 1, "max-rooms-per-address": 0, "max-sessions-per-person": 0, "max-members": 1, "max-presence": 0,
	"max-bad-requests": 1, "queue": 16 << 10, "history": 0, "catch-up": 1,
}

// options are the hub's, but for its store and its hooks. In a setting 0 is no
// limit; in the options it would be the default.
func (s *chatSettings) options() chat.Options {
	return chat.Options{
		QueueBytes:           s.queue,
		QueueAge:             s.queueAge,
		MaxText:              s.maxText,
		MaxMembers:           s.maxMembers,
		MaxPresence:          cmp.Or(s.maxPresence, -1),
		MaxRooms:             s.maxRooms,
		MaxRoomsPerSession:   s.maxRoomsPerSession,
		MaxRoomsPerAddress:   cmp.Or(s.maxRoomsPerAddress, -1),
		RoomRate:             s.roomRate.limit(),
		MaxSessionsPerPerson: cmp.Or(s.maxSessionsPerPerson, -1),
		History:              cmp.Or(s.history, -1),
		Resume:               s.catchUp,
		ReservedNames:        s.reservedNames.names,
		Rooms:                s.rooms.names,
		Welcome:              s.greeting.welcome,
		PresenceGrace:        cmp.Or(s.presenceGrace, -1),
		MessageRate:          s.messageRate.limit(),
		PersonRate:           s.personRate.limit(),
		ReadRate:             s.readRate.limit(),
		RequestRate:          s.requestRate.limit(),
	}
}

// A nameList is a setting that may be given many times, and have many values. What
// is given takes the place of its default.
type nameList struct {
	names     []string
	byDefault bool
	check     func(string) error
}

func (l *nameList) list()          {}
func (l *nameList) String() string { return strings.Join(l.names, ",") }
func (l *nameList) Set(s string) error {
	if l.byDefault {
		l.names, l.byDefault = nil, false
	}
	for one := range strings.SplitSeq(s, ",") {
		one = strings.TrimSpace(one)
		if err := l.check(one); err != nil {
			return err
		}
		l.names = append(l.names, one)
	}
	return nil
}

// A rate is the setting of a token bucket: so many a second, so many at once.
type rate chat.Rate

func (r *rate) String() string {
	if r.PerSecond <= 0 {
		return "0"
	}
	return strconv.FormatFloat(r.PerSecond, 'g', -1, 64) + "/" + strconv.Itoa(r.Burst)
}

// maxRate is more than any machine does, minRate one in eleven days, and both
// are far from where arithmetic gets inexact.
const (
	maxRate = 1e6
	minRate = 1e-6
)

// Set reads RATE or RATE/BURST; without a burst, five seconds' worth may come
// at once.
func (r *rate) Set(s string) error {
	perSecond, burst, withBurst := strings.Cut(s, "/")
	f, err := strconv.ParseFloat(perSecond, 64)
	if err != nil || f != 0 && !(f >= minRate && f <= maxRate) {
		return fmt.Errorf("a rate is 0, or a number from %g to %g, or two such as 20/100", minRate, maxRate)
	}
	n := max(1, int(5*f))
	if withBurst {
		if n, err = strconv.Atoi(burst); err != nil || n < 1 || n > maxRate {
			return fmt.Errorf("a burst is a whole number from 1 to %g", maxRate)
		}
	}
	*r = rate{f, n}
	return nil
}

// limit is r as the chat's options have it.
func (r rate) limit() chat.Rate {
	if r.PerSecond == 0 {
		return chat.Rate{PerSecond: -1}
	}
	return chat.Rate(r)
}

// A greetingText is what a client is greeted with.
type greetingText string

// maxGreeting bounds it, in bytes: a name takes the place of each {name}.
const maxGreeting = 500

// String implements [flag.Value].
func (g *greetingText) String() string { return string(*g) }

// Set implements [flag.Value].
func (g *greetingText) Set(text string) error {
	switch {
	case strings.TrimSpace(text) == "":
		return errors.New("expected a text, or off for no greeting")
	case len(text) > maxGreeting || !utf8.ValidString(text) || strings.ContainsFunc(text, unicode.IsControl):
		return fmt.Errorf("expected a line of UTF-8, of at most %d bytes", maxGreeting)
	}
	*g = greetingText(text)
	return nil
}

// welcome is the greeting for one person; empty: none.
func (g greetingText) welcome(p chat.Person) string {
	if g == "off" {
		return ""
	}
	return strings.ReplaceAll(string(g), "{name}", p.Name)
}
