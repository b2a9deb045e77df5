package engineio

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"framewright/internal/queue"
	"framewright/internal/tokens"
	"framewright/ws"
	"framewright/ws/wsnet"
)

// A Socket is the server's end of one session. All methods may be called by
// any number of goroutines at once.
type Socket struct {
	server  *Server
	id      string
	request *http.Request
	address string // as Options.Address said
	remote  string // as Options.Remote said
	ctx     context.Context
	cancel  context.CancelCauseFunc

	mu  sync.Mutex
	err *CloseError // why the session is over

	in     queue.List[Message] // wait to be received
	inWake queue.Signal        // there is a message, or the end
	inRoom queue.Signal        // put can go on

	receiver   Receiver            // nil: there is a handler
	each       func(Message) error // of Each or the receiver, in place of the inbox
	eachErr    error               // what it has returned
	delivering bool                // it is at work
	told       bool                // the receiver hears of the end

	out      []packet // wait to be sent
	outBytes int      // of out, and of what write has taken and not sent yet
	outRoom  queue.Signal

	// The transport: conn, or polling if it is nil.
	conn    *wsnet.Conn
	writing bool // write is running
	poll    *poll
	posting bool // a POST is being served

	next        *wsnet.Conn        // wants to take over
	stopUpgrade context.CancelFunc // gives up on next
	probed      bool               // next has been tried: requests are answered at once

	timer *time.Timer // runs onTimer
	phase phase
	stats wsnet.Stats // of conn, as midMessage saw them
	due   time.Time   // when the timer is meant to fire

	idle  tokens.Bucket // of packets and requests that nothing comes of
	bytes tokens.Bucket
	held  bool // what has come waits for its time

	parts int // of the session that are still there: its handler and its transport
}

// phase is what a session's one timer measures.
type phase uint8

const (
	phaseIdle     phase = iota // until the next ping
	phasePinged                // until the pong
	phaseExtended              // until the pong, and something else has come meanwhile
	phaseClosing               // until what is left need not be delivered any more
	phaseGone
)

// ID returns the session's id, 20 letters, digits, - and _, with 120 random
// bits. Who knows it can speak as the client: it should not be shown to others.
func (s *Socket) ID() string { return s.id }

// Request returns what the handshake's request said: Method, URL, Header,
// Host, RemoteAddr and TLS. It has no body and must not be changed.
func (s *Socket) Request() *http.Request { return s.request }

// Address returns what limits count the client by: see [Options.Address].
func (s *Socket) Address() string { return s.address }

// Remote returns what the log calls the client: see [Options.Remote].
func (s *Socket) Remote() string { return s.remote }

// Transport returns the name of the transport that the session uses now,
// [Polling] or [WebSocket].
func (s *Socket) Transport() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conn != nil {
		return WebSocket
	}
	return Polling
}

// Context returns a context that ends with the session. Its cause is the
// error that Err returns; its values are those that Options.Connect gave, or
// else those of the handshake's request.
func (s *Socket) Context() context.Context { return s.ctx }

// Err returns nil while the session is open, and then always the same
// *[CloseError].
func (s *Socket) Err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err == nil {
		return nil
	}
	return s.err
}

// Close ends the session with [ForcedClose]. What was queued is still
// delivered: to a WebSocket before its closing handshake, to a client that is
// polling with its next request, if that comes within Options.CloseTimeout.
// Close does not wait for that. A session that is over stays as it is.
func (s *Socket) Close() { s.end(&CloseError{Reason: ForcedClose}, true) }

// end ends the session. If it is orderly, what is queued is still delivered.
func (s *Socket) end(why *CloseError, orderly bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.endLocked(why, orderly)
}

func (s *Socket) endLocked(why *CloseError, orderly bool) {
	if s.err != nil {
		if !orderly && s.phase == phaseClosing && s.conn == nil {
			s.gone() // the rest cannot be delivered
		}
		return
	}
	s.err = why
	s.phase = phaseClosing
	s.timer.Stop()
	s.due = time.Time{}
	if why.ours() {
		s.in.Clear()
	}
	if !orderly {
		s.out, s.outBytes = nil, 0
	}
	s.wakeHandler()
	s.inRoom.Raise()
	s.outRoom.Raise()
	if s.next != nil && !s.probed {
		s.stopUpgrade() // a client that was told to go on does not poll for what is left
	}
	if s.conn != nil {
		s.setTimer(s.server.o.CloseTimeout)
	}
	switch {
	case s.conn != nil && !s.writing:
		s.writing = true
		go s.write(s.conn) // and then shut
	case s.conn != nil && !orderly:
		go s.shut(s.conn, why) // write may be stuck
	case s.conn != nil: // write sees to it when the queue is empty
	case s.poll != nil && why.Reason == TransportClose: // the client knows
		s.answerPoll([]packet{noopPacket})
		s.gone()
	case s.poll != nil:
		s.answerPoll(append(s.takeQueue(), closePacket))
		s.gone()
	case orderly:
		s.setTimer(s.server.o.CloseTimeout)
	default:
		s.gone()
	}
	s.cancel(why)
}

// ours reports whether this side wanted the session to end: nothing of the
// client's is received any more.
func (e *CloseError) ours() bool {
	return e.Reason == ForcedClose || e.Reason == ServerShutdown || e.Reason == Flood
}

// ending reports whether this side has closed the session.
func (s *Socket) ending() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err != nil && s.err.ours()
}

// gone takes the session off the server's list: its transport is no more.
// The caller holds s.mu.
func (s *Socket) gone() {
	if s.phase == phaseGone {
		return
	}
	s.phase = phaseGone
	s.timer.Stop()
	if s.next != nil {
		s.stopUpgrade()
	}
	s.out, s.outBytes = nil, 0
	s.server.forget(s)
	s.part()
}

// part counts down what keeps the session in the server's account. The caller
// holds s.mu.
func (s *Socket) part() {
	if s.parts--; s.parts == 0 {
		s.server.release(s.address)
	}
}

// floodTimeout is how long a client that sends too much may take for its part of
// the closing handshake. Until then what it sends is read and dropped.
const floodTimeout = time.Second

// shut closes the WebSocket of a session that is over.
func (s *Socket) shut(conn *wsnet.Conn, why *CloseError) {
	code, text := ws.CodePolicyViolation, string(why.Reason)
	switch why.Reason {
	case ForcedClose:
		code, text = ws.CodeNormal, ""
	case TransportClose:
		code, text = ws.CodeNormal, ""
	case ServerShutdown:
		code = ws.CodeGoingAway
	}
	ctx := context.Background()
	if why.Reason == Flood { // it need not be read from for as long as others
		patient, cancel := context.WithTimeout(ctx, floodTimeout)
		defer cancel()
		ctx = patient
	}
	conn.Close(ctx, code, text)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.gone()
}

// setTimer makes the timer fire after d. The caller holds s.mu.
func (s *Socket) setTimer(d time.Duration) {
	s.due = time.Now().Add(d)
	s.timer.Reset(d)
}

func (s *Socket) onTimer() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.due.IsZero() || time.Now().Before(s.due) {
		return // it fired just before it was set anew
	}
	o := &s.server.o
	switch s.phase {
	case phaseIdle:
		s.phase = phasePinged
		s.midMessage() // only what comes from now on counts
		s.setTimer(o.PingTimeout)
		s.enqueue([]packet{pingPacket}, pingPacket.size())
	case phasePinged, phaseExtended:
		if s.posting || s.holds() || s.midMessage() {
			// The pong may be behind what is under way, or held up by us. The
			// client, for its part, wants to hear a ping.
			s.setTimer(o.PingTimeout)
			s.enqueue([]packet{pingPacket}, pingPacket.size())
			return
		}
		s.endLocked(&CloseError{PingTimeout, fmt.Errorf("no pong within %v of a ping", o.PingTimeout)}, false)
	case phaseClosing:
		if s.conn != nil {
			go s.conn.CloseNow() // write may be stuck with it
		}
		s.gone()
	}
}

// midMessage reports whether a part of a message, but no whole one, has come
// over the WebSocket since it was called before. The caller holds s.mu.
func (s *Socket) midMessage() bool {
	if s.conn == nil {
		return false
	}
	before, now := s.stats, s.conn.Stats()
	s.stats = now
	return now.BytesIn > before.BytesIn && now.MessagesIn == before.MessagesIn
}

// handle takes in one packet from the client. ctx is that of the request, or
// of the connection, that it came by. An error means that nothing further is
// to be read; the session is over, or will be if it is ctx's.
func (s *Socket) handle(ctx context.Context, kind byte, m Message) error {
	s.mu.Lock()
	over := s.err
	if over == nil {
		switch {
		case kind == typePong && s.phase != phaseIdle:
			s.phase = phaseIdle
			s.setTimer(s.server.o.PingInterval)
		case kind == typePong: // nobody asked
			s.idled(1)
		case s.phase == phasePinged: // a sign of life, if not the one that was asked for
			s.phase = phaseExtended
			s.setTimer(s.server.o.PingTimeout)
		}
		if kind == typeOpen || kind == typeUpgrade || kind == typeNoop { // they mean nothing here
			s.idled(1)
		}
		over = s.err
	}
	s.mu.Unlock()
	if over != nil {
		if kind == typeClose {
			s.end(over, false) // the client will not fetch the rest
		}
		return over
	}
	switch kind {
	case typeMessage:
		return s.put(ctx, m)
	case typeClose:
		s.end(&CloseError{TransportClose, errors.New("the client sent a close packet")}, false)
		return s.Err()
	case typePing:
		s.end(&CloseError{TransportError, errors.New("the client sent a ping; in version 4 the server does")}, false)
		return s.Err()
	}
	return nil
}

// undecodable ends the session because of a packet.
func (s *Socket) undecodable(err error) {
	s.end(&CloseError{ParseError, err}, false)
}

// cut ends what is left of a session at once.
func (s *Socket) cut() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.endLocked(&CloseError{Reason: ServerShutdown}, false)
	if s.conn != nil {
		s.conn.CloseNow()
	}
	if s.next != nil {
		s.next.CloseNow()
	}
	s.gone()
}
