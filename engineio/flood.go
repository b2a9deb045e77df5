package engineio

import (
	"context"
	"fmt"
	"time"

	"framewright/internal/tokens"
)

// upgradeCosts is what an upgrade counts against IdleRate: a connection, a
// handshake and a goroutine.
const upgradeCosts = 10

// idled counts a packet or a request of which nothing comes, and reports
// whether that was one too many, which has ended the session. The caller holds
// s.mu.
func (s *Socket) idled(n float64) bool {
	rate := s.server.o.IdleRate
	if s.err != nil {
		return false
	}
	if _, ok := s.idle.Take(tokens.PerSecond(rate), n, time.Now()); ok {
		return false
	}
	s.endLocked(flood(rate), false)
	return true
}

func flood(rate int) *CloseError {
	return &CloseError{Flood, fmt.Errorf("more than %d packets or requests a second of which nothing comes (option IdleRate)", rate)}
}

// Abort ends the session with [Flood] because of what the client sends, for the
// reason of err. What was queued is not delivered, nor is what was not received
// yet.
func (s *Socket) Abort(err error) { s.end(&CloseError{Flood, err}, false) }

// hold waits until as many bytes and packets of the client's have their time, or
// the session is over. ctx is that of the request or connection by which they
// came.
func (s *Socket) hold(ctx context.Context, bytes, packets int) error {
	now, cost := time.Now(), float64(bytes+packets*packetOverhead)
	wait := s.server.bytes.Spend(s.address, cost, now)
	s.mu.Lock()
	wait = max(wait, s.bytes.Spend(tokens.PerSecond(s.server.o.ByteRate), cost, now))
	s.held = wait > 0
	s.mu.Unlock()
	if wait == 0 {
		return nil
	}
	defer func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.held = false
		s.allowPong()
	}()
	both, cancel := context.WithCancelCause(s.ctx)
	defer cancel(nil)
	defer context.AfterFunc(ctx, func() { cancel(context.Cause(ctx)) })()
	return tokens.Sleep(both, wait)
}

// holds reports whether this side makes the client wait with what it sends. The
// caller holds s.mu.
func (s *Socket) holds() bool {
	return s.held || s.delivering || s.in.Size() > s.server.o.MaxPayload
}

// allowPong gives a client that was pinged time anew: its pong may be among what
// was held up. The caller holds s.mu.
func (s *Socket) allowPong() {
	if s.phase == phasePinged || s.phase == phaseExtended {
		s.setTimer(s.server.o.PingTimeout)
	}
}
