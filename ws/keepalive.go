package ws

import (
	"encoding/binary"
	"slices"
)

// Pings are those that an endpoint has sent and that wait for their pongs (RFC 6455
// §5.5.2, §5.5.3). The payload of each is its number in eight bytes.
type Pings struct {
	last    uint64
	waiting []Ping // oldest first
}

// A Ping is one that waits.
type Ping struct {
	Number uint64
	Sent   Moment
	For    any // whom the answer is for; nil: keepalive
}

// Send notes a ping that is about to go out, and returns it with its payload. Those of
// keepalive do not heap up at a peer that never answers: only the last one waits.
func (p *Pings) Send(now Moment, whom any) (ping Ping, payload [8]byte) {
	p.last++
	if whom == nil {
		p.waiting = slices.DeleteFunc(p.waiting, func(w Ping) bool { return w.For == nil })
	}
	ping = Ping{p.last, now, whom}
	p.waiting = append(p.waiting, ping)
	binary.BigEndian.PutUint64(payload[:], p.last)
	return ping, payload
}

// Forget takes a ping back that was not sent, or that nobody waits for any more.
func (p *Pings) Forget(number uint64) {
	p.waiting = slices.DeleteFunc(p.waiting, func(w Ping) bool { return w.Number == number })
}

// Pong takes a pong's payload. It answers the ping whose payload it has, and those
// before it, since an endpoint may answer only the newest (§5.5.3): each is called with
// them. If nobody has asked for it, Pong returns false; then it counts against
// Limits.PingRate.
func (p *Pings) Pong(payload []byte, each func(Ping)) bool {
	if len(payload) != 8 {
		return false
	}
	number := binary.BigEndian.Uint64(payload)
	n := 1 + slices.IndexFunc(p.waiting, func(w Ping) bool { return w.Number == number })
	if each != nil {
		for _, w := range p.waiting[:n] {
			each(w)
		}
	}
	p.waiting = append(p.waiting[:0], p.waiting[n:]...)
	return n > 0
}

// A Keepalive decides when to send a ping of its own, and when a peer is dead. It looks
// at the Signs of life every interval. It sends a ping when there was none since the
// last look; when there is none for a timeout after that, and somebody has listened
// meanwhile, the peer is taken for dead. It goes on looking every interval while it
// waits: a sign of life ends the waiting.
type Keepalive struct {
	bytes   uint64 // that had come at the last look
	waits   uint32
	idle    uint32 // when overdue was set
	expects bool   // a ping is out
	overdue bool   // and its time was up, but nobody was listening
	looks   uint32 // still to come before the time of the ping is up
}

// Signs are what a Keepalive goes by.
type Signs struct {
	Bytes uint64 // that have come so far
	Waits uint32 // how often a reader has begun or ended to wait for some: odd while one waits
	Idle  uint32 // how often one has found that there was nothing
}

// A Look says what a Keepalive has found.
type Look uint8

// What to do after a look.
const (
	LookAgain Look = iota // after the span that comes with it
	LookPing              // send a ping, and tell Pinged
	LookDead              // the peer is dead
)

// Spans are how a Keepalive waits: interval between two looks, and timeout for a sign of
// life after a ping, both in nanoseconds and above 0.
type Spans struct{ Interval, Timeout int64 }

// looks returns how many looks a timeout takes, and the last span, which may be shorter.
func (s Spans) looks() (n uint32, last int64) {
	whole, rest := s.Timeout/s.Interval, s.Timeout%s.Interval
	if rest > 0 {
		return uint32(min(whole+1, 1<<32-1)), rest
	}
	return uint32(min(whole, 1<<32-1)), s.Interval
}

// until returns how long to wait when, that waiting included, n looks are left.
func (s Spans) until(n uint32) int64 {
	if _, last := s.looks(); n == 1 {
		return last
	}
	return s.Interval
}

// Look looks at the signs of life, and says what is to be done, and after what span to
// look again.
func (k *Keepalive) Look(now Signs, s Spans) (do Look, after int64) {
	after = s.Interval
	switch {
	case now.Bytes != k.bytes: // a sign of life
		k.expects, k.overdue = false, false
	case !k.expects:
		k.waits = now.Waits
		return LookPing, 0
	case k.looks > 1:
		k.looks--
		return LookAgain, s.until(k.looks)
	case now.Waits == k.waits && now.Waits%2 == 1, // somebody was listening all the time
		k.overdue && now.Idle != k.idle: // or has found that nothing lies unread
		return LookDead, 0
	default:
		if s.Timeout < s.Interval {
			after = s.Timeout
		}
		k.overdue, k.idle = true, now.Idle
	}
	k.bytes, k.waits = now.Bytes, now.Waits
	return LookAgain, after
}

// Pinged says whether the ping is out that Look has asked for. If something else was
// being written, that finds out whether the peer is there. It returns after what span to
// look again.
func (k *Keepalive) Pinged(sent bool, s Spans) (after int64) {
	if k.expects = sent; !sent {
		return s.Interval
	}
	k.looks, _ = s.looks()
	return s.until(k.looks)
}
