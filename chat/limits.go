package chat

import (
	"fmt"
	"sync"
	"time"

	"framewright/internal/tokens"
)

// bucket is a token bucket for several goroutines.
type bucket struct {
	mu sync.Mutex
	b  tokens.Bucket
}

// take takes a token, or says how long it is until there is one.
func (b *bucket) take(r Rate, now time.Time) (wait time.Duration, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Take(r.tokens(), 1, now)
}

// tokens is r as package tokens has it. At least one token is there at once.
func (r Rate) tokens() tokens.Rate {
	return tokens.Rate{PerSecond: r.PerSecond, Burst: float64(max(r.Burst, 1))}
}

// limits are the buckets of one session.
type limits struct {
	requests, messages, reads bucket
	patience                  bucket // with those that do not wait

	mu   sync.Mutex
	told time.Time // not to ask again before
}

// early reports whether a refusal meets a client that was told to wait and did
// not, and notes how long it is told to wait now.
func (l *limits) early(now time.Time, wait time.Duration) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	early := now.Before(l.told)
	l.told = now.Add(wait)
	return early
}

// patience is how often a client may ask too early: some requests are on their
// way when it is told to wait.
var patience = Rate{PerSecond: 1, Burst: 100}

// Request counts one request of the client against [Options.RequestRate]. A
// transport calls it for each one that it has read, before it does anything
// about it. The error is an [*Error] with CodeRateLimited, for the client, or,
// when the client does not heed these, wraps [ErrFlood].
func (s *Session) Request() error {
	return s.spend(&s.limits.requests, s.hub.o.RequestRate, "requests", "RequestRate")
}

func (s *Session) spendMessage() error {
	if err := s.spend(&s.limits.messages, s.hub.o.MessageRate, "messages", "MessageRate"); err != nil {
		return err
	}
	return s.spend(&s.owner.messages, s.hub.o.PersonRate, "messages of one person", "PersonRate")
}

func (s *Session) spendRead() error {
	return s.spend(&s.limits.reads, s.hub.o.ReadRate, "joins and histories", "ReadRate")
}

func (s *Session) spend(b *bucket, r Rate, what, option string) error {
	now := time.Now()
	wait, ok := b.take(r, now)
	if ok {
		return nil
	}
	// To the millisecond, as a client will hear it, and never too short.
	wait = (wait + time.Millisecond - 1).Truncate(time.Millisecond)
	if s.limits.early(now, wait) {
		if _, ok := s.limits.patience.take(patience, now); !ok {
			s.end(ErrFlood)
			return ErrFlood
		}
	}
	return &Error{Code: CodeRateLimited, Retry: wait,
		Text: fmt.Sprintf("too many %s: at most %g a second, %d at once (option %s); try again in %v",
			what, r.PerSecond, r.Burst, option, wait)}
}
