package engineio

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"iter"
	"maps"
	"net/http"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"framewright/internal/admission"
	"framewright/internal/tokens"
)

// A Server is an http.Handler that serves Engine.IO sessions at whatever path
// it is mounted, with a slash at its end.
type Server struct {
	handler func(context.Context, *Socket) error // nil: there is opened
	opened  func(context.Context, *Socket) Receiver
	o       Options
	polls   bool                 // Options.Transports has Polling
	newID   func() string        // of a session
	bytes   tokens.Table[string] // by address

	account admission.Control // of the sessions in the list, and of those whose handler still runs

	mu       sync.Mutex
	sessions map[string]*Socket
}

// NewServer returns a server that runs handler on every session, in a
// goroutine of the session's own. ctx ends with the session. When handler
// returns, the session is closed as by [Socket.Close]; an error that is not
// the session's own end is logged, and so is a panic. o may be nil. The error
// says which option is wrong.
//
// handler must receive until the session is over, by [Socket.Receive] or
// [Socket.Each], or the client is held up.
func NewServer(handler func(ctx context.Context, s *Socket) error, o *Options) (*Server, error) {
	v, err := newServer(o)
	if err == nil {
		v.handler = handler
	}
	return v, err
}

func newServer(o *Options) (*Server, error) {
	opts, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	return &Server{
		o:        opts,
		polls:    slices.Contains(opts.Transports, Polling),
		newID:    newID,
		bytes:    tokens.Table[string]{Rate: tokens.PerSecond(opts.AddressByteRate)},
		account:  admission.Control{Max: opts.MaxSessions, PerAddress: opts.MaxSessionsPerAddress},
		sessions: map[string]*Socket{},
	}, nil
}

// newID returns an id that nobody guesses.
func newID() string {
	var b [15]byte
	rand.Read(b[:]) // never fails
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// start puts s on the list and begins to serve it.
func (v *Server) start(s *Socket) {
	if v.handler == nil {
		s.receive() // nothing comes yet
	}
	s.mu.Lock()
	s.due = time.Now().Add(v.o.PingInterval) // first: a timer that fires before it is due is ignored
	s.timer = time.AfterFunc(v.o.PingInterval, s.onTimer)
	v.mu.Lock()
	v.sessions[s.id] = s
	v.mu.Unlock()
	s.flush()
	if v.account.IsClosed() { // Shutdown did not see it
		s.endLocked(&CloseError{Reason: ServerShutdown}, true)
	}
	s.wakeReceiver() // if it has failed already
	s.mu.Unlock()
	if v.handler != nil {
		go v.serve(s, func() error { return v.handler(s.ctx, s) })
	}
}

// serve runs the handler, or the last of a receiver.
func (v *Server) serve(s *Socket, handler func() error) {
	defer func() {
		s.Close()
		s.mu.Lock()
		defer s.mu.Unlock()
		s.part()
	}()
	err := contained(handler)
	if over := s.Err(); err == nil || over != nil && (errors.Is(err, over) || errors.Is(err, context.Canceled)) {
		return
	}
	v.o.Logger.Error("engineio: handler failed", "remote", s.remote, "err", err)
}

// contained makes an error of f's panic.
func contained(f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	return f()
}

// nowhere is the address of those that Options.Address has none for: they count
// together.
const nowhere = "nowhere"

// admit counts a session in, or says why not.
func (v *Server) admit(address string) *refusal {
	switch v.account.Admit(cmp.Or(address, nowhere)) {
	case admission.Closed:
		return full(http.StatusServiceUnavailable, "the server is shutting down")
	case admission.AddressFull:
		return full(http.StatusTooManyRequests, "your address has all the sessions that Options.MaxSessionsPerAddress allows, %d", v.o.MaxSessionsPerAddress)
	case admission.Full:
		return full(http.StatusServiceUnavailable, "the server has all the sessions that Options.MaxSessions allows, %d", v.o.MaxSessions)
	}
	return nil
}

// release counts out what admit counted in.
func (v *Server) release(address string) { v.account.Release(cmp.Or(address, nowhere)) }

// forget takes s off the list.
func (v *Server) forget(s *Socket) {
	v.mu.Lock()
	defer v.mu.Unlock()
	delete(v.sessions, s.id)
}

// Sockets returns the sessions at this moment, in no particular order.
func (v *Server) Sockets() iter.Seq[*Socket] {
	v.mu.Lock()
	defer v.mu.Unlock()
	return slices.Values(slices.Collect(maps.Values(v.sessions)))
}

// Count returns the number of sessions.
func (v *Server) Count() int {
	v.mu.Lock()
	defer v.mu.Unlock()
	return len(v.sessions)
}

// Has reports whether there is a session of this id.
func (v *Server) Has(id string) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.sessions[id] != nil
}

// Shutdown refuses new sessions with 503, ends every session with
// [ServerShutdown], what was queued still being delivered, and waits until
// all are gone and their handlers have returned. When ctx ends first, it cuts
// those that are left and returns the context's error. A Server that was shut
// down stays so.
func (v *Server) Shutdown(ctx context.Context) error {
	empty := v.account.Close()
	for s := range v.Sockets() {
		s.end(&CloseError{Reason: ServerShutdown}, true)
	}
	select {
	case <-empty:
		return nil
	case <-ctx.Done():
	}
	for s := range v.Sockets() {
		s.cut()
	}
	return fmt.Errorf("engineio: shutdown: %w", ctx.Err())
}

// Close is Shutdown without the wait: it cuts every session at once.
func (v *Server) Close() {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	v.Shutdown(ctx)
}
