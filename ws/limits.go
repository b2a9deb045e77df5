package ws

import (
	"cmp"
	"math"

	"framewright/internal/bucket"
)

// A Moment is a time in nanoseconds, on a clock that does not go back. 0 is no time at
// all. Whoever uses this package has the clock.
type Moment int64

const second = 1_000_000_000 // nanoseconds

// Add returns the moment ns nanoseconds, 0 or more, after m, or the last one of all.
func (m Moment) Add(ns int64) Moment {
	if sum := m + Moment(ns); sum >= m {
		return sum
	}
	return math.MaxInt64
}

// Limits bound what a Receiver lets through (§10.4). A value below 0 is no limit, 0 is
// the default. Of a rate, ten seconds' worth may come at once.
type Limits struct {
	MessageSize int64 // bytes of payload in one message; default 1 MiB
	Fragments   int   // frames in one message, empty ones included; default 1,024, and one for each KiB of MessageSize
	MessageTime int64 // nanoseconds from a message's first byte to its last, as far as they are waited for; default 30 s
	PingRate    int   // pings, and pongs that no ping asked for, a second; default 20
	EmptyRate   int   // messages without content a second; default 200
	InflateRate int   // bytes a second that messages inflate to beyond 32 times their size; default 4 MiB
}

// The defaults of Limits.
const (
	DefaultMessageSize = 1 << 20 // a chat message is far below, a photo above
	DefaultFragments   = 1024    // 1 MiB in the 1 KiB fragments of a streaming sender
	defaultMessageTime = 30 * second
	defaultPingRate    = 20
	defaultEmptyRate   = 200
	defaultInflateRate = 4 << 20
)

// Filled returns l with the defaults filled in, and what stands for no limit in place of
// values below 0.
func (l Limits) Filled() Limits {
	if l.MessageSize = cmp.Or(l.MessageSize, DefaultMessageSize); l.MessageSize < 0 {
		l.MessageSize = math.MaxInt64
	}
	switch {
	case l.Fragments == 0:
		l.Fragments = int(max(DefaultFragments, min(l.MessageSize>>10, math.MaxInt)))
	case l.Fragments < 0:
		l.Fragments = math.MaxInt
	}
	l.MessageTime = max(0, cmp.Or(l.MessageTime, defaultMessageTime))
	l.PingRate = max(0, cmp.Or(l.PingRate, defaultPingRate))
	l.EmptyRate = max(0, cmp.Or(l.EmptyRate, defaultEmptyRate))
	l.InflateRate = max(0, cmp.Or(l.InflateRate, defaultInflateRate))
	return l
}

// rates are what comes against PingRate and EmptyRate.
type rates struct{ pings, empties bucket.Bucket }

func (r *Receiver) counted() *rates {
	if r.rates == nil {
		r.rates = &rates{}
	}
	return r.rates
}

// take takes n tokens from a bucket of ten seconds' worth, if there are so many. A rate
// of 0 is no limit.
func take(b *bucket.Bucket, now Moment, rate int, n float64) bool {
	if rate == 0 {
		return true
	}
	if b.Left(float64(rate), 10*float64(rate), int64(now)) < n {
		return false
	}
	b.Spend(n)
	return true
}

// ChargePing counts the ping that has just come against Limits.PingRate. An error is a
// *ProtocolError.
func (r *Receiver) ChargePing(now Moment) error {
	if take(&r.counted().pings, now, r.limits.PingRate, 1) {
		return nil
	}
	return RulePingRate.Violation("more pings than PingRate allows, " + itoa(int64(r.limits.PingRate)) + " a second")
}

// ChargePong does the same with a pong that no ping has asked for.
func (r *Receiver) ChargePong(now Moment) error {
	if take(&r.counted().pings, now, r.limits.PingRate, 1) {
		return nil
	}
	return RulePongRate.Violation("more pongs that no ping asked for than PingRate allows, " + itoa(int64(r.limits.PingRate)) + " a second")
}

// ChargeEmpty counts a message without content against Limits.EmptyRate: it costs as
// much as others, and counts nothing against any limit in bytes.
func (r *Receiver) ChargeEmpty(now Moment) error {
	if take(&r.counted().empties, now, r.limits.EmptyRate, 1) {
		return nil
	}
	return RuleEmptyRate.Violation("more empty messages than EmptyRate allows, " + itoa(int64(r.limits.EmptyRate)) + " a second")
}

// Awaited says that somebody begins to wait for the rest of a message, or of a frame,
// and returns until when that may come, 0 if there is no limit, and whether that is
// another moment than at the last call. The time between two waits is not the peer's;
// only a long one is made up for, to spare a socket many small moves of its deadline.
func (r *Receiver) Awaited(now Moment) (until Moment, moved bool) {
	limit := r.limits.MessageTime
	switch {
	case limit == 0:
		return 0, false
	case r.until == 0:
		r.until = now.Add(limit)
	case int64(now-r.paused) > limit/16:
		r.until = r.until.Add(int64(now - r.paused))
	default:
		return r.until, false
	}
	return r.until, true
}

// Until is what Awaited has returned, 0 after Complete.
func (r *Receiver) Until() Moment { return r.until }

// Paused says that nobody waits any more.
func (r *Receiver) Paused(now Moment) { r.paused = now }

// Late is asked when something was awaited in vain. An error is a *ProtocolError.
func (r *Receiver) Late(now Moment) error {
	if r.until == 0 || now < r.until {
		return nil
	}
	return RuleMessageTime.Violation("message unfinished after " + span(r.limits.MessageTime) + ", the limit that MessageTimeout sets")
}

// Complete says that what was awaited is all there: the message, or a control frame
// between two.
func (r *Receiver) Complete() { r.until = 0 }

// span shows nanoseconds in the largest unit in which they are whole.
func span(ns int64) string {
	switch {
	case ns%second == 0:
		return itoa(ns/second) + "s"
	case ns%1_000_000 == 0:
		return itoa(ns/1_000_000) + "ms"
	}
	return itoa(ns) + "ns"
}
