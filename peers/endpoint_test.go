package peers

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"framewright/ws/wsnet"
)

// patience bounds every single thing a test waits for. It is far above what
// anything here needs, 16 MiB through an interpreter under the race detector
// on a busy machine included: reaching it means that something hangs.
const patience = 60 * time.Second

// defaultLimit is the message limit of both ends where an exchange sets none.
const defaultLimit = 32 << 20

// Options are what an exchange asks of one end. Every driver honours all of
// them, or names the Ability that it lacks.
type Options struct {
	Protocols []string // server: supported; client: offered
	Limit     int64    // largest message to accept, bytes; 0 means defaultLimit
	Fragments bool     // messages will be sent in fragments: use buffers that let them out
	Invalid   bool     // text that is not UTF-8 will be sent: check nothing
	Greeting  *Action  // server: sent as soon as the handshake is done, before anything is read
	Deflate   *Deflate // permessage-deflate; nil is off
	TLS       *authority
}

func (o Options) limit() int64 {
	if o.Limit == 0 {
		return defaultLimit
	}
	return o.Limit
}

// An Endpoint is one implementation of WebSocket, able to take the server's
// role, the client's or both.
type Endpoint interface {
	// Listen serves on a loopback port until the test ends.
	Listen(t *testing.T, o Options) *Listener
	// Dial connects; the session ends with the test at the latest.
	Dial(t *testing.T, url string, o Options) (*Session, error)
	// Lacks says what this implementation's API has no way to do.
	Lacks() map[Ability]string
}

// A Listener hands out the sessions of the connections that came in.
type Listener struct {
	URL      string // ws:// or wss://
	Accepted <-chan *Session
}

// A Session is one end of one connection.
type Session struct {
	Protocol string // the subprotocol agreed on
	// Extension is what the peer says about extensions; extensionHidden is set
	// where its API has no word for it.
	Extension       string
	extensionHidden bool
	conn            *wsnet.Conn // our own end's
	// Do carries out an action and returns when the bytes are handed over. A
	// close may also wait for the closing handshake.
	Do func(ctx context.Context, a Action) error

	mu     sync.Mutex
	events []Event
	more   chan struct{} // capacity 1: there may be something new
	ended  bool
	done   chan struct{} // closed once the closed event is in
}

func newSession() *Session {
	return &Session{more: make(chan struct{}, 1), done: make(chan struct{})}
}

// report adds an event. It never blocks, so that a slow test cannot change
// what goes over the wire. Only the first closed event counts.
func (s *Session) report(e Event) {
	s.mu.Lock()
	if s.ended {
		s.mu.Unlock()
		return
	}
	s.events = append(s.events, e)
	if e.Event == "closed" {
		s.ended = true
		close(s.done)
	}
	s.mu.Unlock()
	select {
	case s.more <- struct{}{}:
	default:
	}
}

// next takes the oldest event, waiting for it if need be.
func (s *Session) next(ctx context.Context) (Event, error) {
	for {
		s.mu.Lock()
		if len(s.events) > 0 {
			e := s.events[0]
			s.events = slices.Delete(s.events, 0, 1)
			s.mu.Unlock()
			return e, nil
		}
		s.mu.Unlock()
		select {
		case <-s.more:
		case <-ctx.Done():
			return Event{}, ctx.Err()
		}
	}
}

// pending returns the events that nobody has taken.
func (s *Session) pending() []Event {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.events)
}

// An Ability is something an exchange needs of the peer that not every API
// offers.
type Ability int

const (
	Serves        Ability = iota // can be a server
	Pings                        // can send a ping and tell that the pong came
	Fragments                    // can cut a message where it is told
	LongFragments                // can send a long message in several frames, wherever it cuts
	PingInside                   // can send a ping between two fragments
	Invalid                      // can send a text message that is not UTF-8
	Limits                       // closes with 1009 on a message over its limit
	AnyCode                      // can close with any valid code, 1001 for one
	EmptyClose                   // can send a close frame without a status
	Aborts                       // can drop the connection without a close frame
	Unagreed                     // as a client, accepts a server that picks none of its subprotocols
	abilities
)

func (a Ability) String() string {
	return [...]string{
		"serves", "pings", "fragments", "fragments of a long message", "ping inside a message",
		"sends invalid UTF-8", "limits messages", "closes with any code", "closes without a status",
		"aborts", "goes on without a subprotocol",
	}[a]
}
