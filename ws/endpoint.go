package ws

import (
	"cmp"
	"errors"
	"iter"

	"framewright/ws/internal/deflate"
)

// An Endpoint is one end of a WebSocket connection after the opening handshake, but for
// the connection: bytes that have come go in, and events come out; what is to be sent
// comes out as bytes. It does no I/O, has no clock and no randomness: those are handed
// in. So a conversation can be held in memory, by a test or by a page that explains it,
// and a Conn of package wsnet, which has a network, makes its decisions by the same code.
//
// It has two halves that share nothing, so that one goroutine may receive by In while
// another sends by Out, as a Conn does; what the halves owe each other is in the Duty
// that Control returns. Receive, the Append methods, Owed, Expire and Lost are for one
// goroutine that does both.
type Endpoint struct {
	In    Receiver
	Out   Sender
	Pings Pings

	alone *conversation // of the methods for one goroutine
}

// A conversation is what an Endpoint needs when nobody keeps it for it.
type conversation struct {
	key       func() [4]byte
	z         *deflate.Compressor // nil without permessage-deflate
	keeps     bool                // its context
	threshold int
	rest      []byte      // came, and is less than a header
	content   []byte      // what a piece of a compressed message inflates to
	some      bool        // the message under way has content
	pong      []byte      // the payload of the pong that is owed; nil: none
	answer    *CloseError // the Close frame that is owed
	sent      *CloseError // the one that was sent
	end       *CloseError
}

// Setup is how NewEndpoint makes an Endpoint. The zero value is a server's.
type Setup struct {
	Role      Role
	Limits    Limits
	Deflate   *DeflateParams // nil: no permessage-deflate
	Threshold int            // of Compression
	Key       func() [4]byte // masking keys of a client, fresh and unpredictable for each frame (§10.3); nil: 0, for tools
}

// NewEndpoint returns an Endpoint whose opening handshake is over.
func NewEndpoint(s Setup) *Endpoint {
	e := &Endpoint{In: NewReceiver(s.Role, s.Limits), Out: NewSender(s.Role),
		alone: &conversation{key: s.Key, threshold: max(0, cmp.Or(s.Threshold, DefaultThreshold))}}
	if s.Deflate != nil {
		e.In.AllowDeflate(*s.Deflate)
		bits, keep := s.Deflate.Sending(s.Role)
		e.alone.z, e.alone.keeps = deflate.NewCompressor(bits, keep), keep
	}
	return e
}

// A Duty is what follows from a control frame, or from a violation.
type Duty struct {
	Owed  Opcode      // of the frame that is owed: OpPong, OpClose, or OpContinuation for none
	Pong  []byte      // a pong's payload, valid as long as the event's
	Close *CloseError // what a Close frame says
	End   *CloseError // the reason for which the connection is over; nil: it goes on
}

// Control says what follows from ev, a control frame that came at now. sent is the Close
// frame that this endpoint has sent, nil if it has sent none; each, if not nil, is called
// with the pings that a pong answers. An error is a *ProtocolError: see Violated.
func (e *Endpoint) Control(ev Event, now Moment, sent *CloseError, each func(Ping)) (d Duty, err error) {
	switch ev.Opcode {
	case OpPing:
		// "Upon receipt of a Ping frame, an endpoint MUST send a Pong frame in
		// response", with "identical "Application data"" (§5.5.2, §5.5.3)
		d.Owed, d.Pong = OpPong, ev.Payload
		err = e.In.ChargePing(now)
	case OpPong:
		// "A response to an unsolicited Pong frame is not expected." (§5.5.3)
		if !e.Pings.Pong(ev.Payload, each) {
			err = e.In.ChargePong(now)
		}
	case OpClose:
		code, reason := e.In.CloseFrame()
		if d.End, d.Close = EndByPeer(code, reason, sent); d.Close != nil {
			d.Owed = OpClose
		}
	}
	return d, err
}

// Violated says what follows from err, a *ProtocolError: the connection fails, and a
// Close frame says why (§7.1.7).
func Violated(err error) Duty {
	end := EndByViolation(err.(*ProtocolError))
	return Duty{Owed: OpClose, Close: end, End: end}
}

// Receive takes b, bytes that came at now, and yields what they amount to: pieces of
// messages, inflated if they were compressed, and control frames. A piece is valid until
// the next, and b is the Endpoint's as long. The last thing of a connection is an error,
// its End. What is owed for all that, Owed appends. Who stops before the end has given
// the Endpoint up.
func (e *Endpoint) Receive(b []byte, now Moment) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		c := e.alone
		e.In.Paused(now)
		if len(c.rest) > 0 {
			b, c.rest = append(c.rest, b...), nil
		}
		for c.end == nil {
			ev, n, err := e.In.Next(b)
			if n == 0 && err == nil {
				break
			}
			b = b[n:]
			if err == nil && ev.Opcode != OpContinuation {
				if err = e.take(ev, now, yield); err == errStopped {
					return
				}
			}
			if err != nil {
				e.perform(Violated(err))
			}
		}
		switch {
		case c.end != nil:
			yield(Event{}, c.end)
			return
		case len(b) > 0 || e.In.Remaining() > 0 || e.In.State() != StateReady:
			e.In.Awaited(now)
		default:
			e.In.Complete()
		}
		c.rest = append([]byte(nil), b...)
	}
}

// errStopped: nobody takes any more events.
var errStopped = errors.New("stopped")

// take yields ev, or what it inflates to, and notes what follows from it.
func (e *Endpoint) take(ev Event, now Moment, yield func(Event, error) bool) error {
	c := e.alone
	switch {
	case ev.Opcode >= OpClose:
		d, err := e.Control(ev, now, c.sent, nil)
		if err != nil {
			return err
		}
		defer e.perform(d)
	case ev.Compressed:
		return e.inflate(ev, now, yield)
	default:
		c.some = c.some || len(ev.Payload) > 0
		if err := e.ends(ev.Fin, now); err != nil {
			return err
		}
	}
	if !yield(ev, nil) {
		return errStopped
	}
	return nil
}

// inflate yields what ev, compressed payload, inflates to.
func (e *Endpoint) inflate(ev Event, now Moment, yield func(Event, error) bool) error {
	c := e.alone
	if c.content == nil {
		c.content = make([]byte, 4<<10)
	}
	for src, more := ev.Payload, false; len(src) > 0 || more; {
		n, used, err := e.In.Inflate(c.content, src)
		if err != nil {
			return err
		}
		src, more, c.some = src[used:], n == len(c.content), c.some || n > 0
		if n > 0 && !yield(Event{Opcode: ev.Opcode, Payload: c.content[:n]}, nil) {
			return errStopped
		}
	}
	for ev.Fin {
		n, done, err := e.In.InflateEnd(c.content, now)
		if err == nil && done {
			err = e.ends(true, now)
		}
		if err != nil {
			return err
		}
		c.some = c.some || n > 0
		if (n > 0 || done) && !yield(Event{Opcode: ev.Opcode, Payload: c.content[:n], Fin: done}, nil) {
			return errStopped
		}
		ev.Fin = !done
	}
	return nil
}

// ends counts a message that is complete, if fin says so.
func (e *Endpoint) ends(fin bool, now Moment) error {
	if !fin {
		return nil
	}
	some := e.alone.some
	e.alone.some = false
	e.In.Complete()
	if some {
		return nil
	}
	return e.In.ChargeEmpty(now)
}

// perform notes a duty. Of several pongs the newest does, "for the most recently
// processed Ping frame" (§5.5.3).
func (e *Endpoint) perform(d Duty) {
	c := e.alone
	switch d.Owed {
	case OpPong:
		c.pong = append(make([]byte, 0, len(d.Pong)), d.Pong...)
	case OpClose:
		c.answer = d.Close
	}
	if d.End != nil && c.end == nil {
		c.end = d.End
	}
}

// Expire is called at the latest at Deadline, when nothing has come: it fails the
// connection for a message that has taken too long, and returns its End.
func (e *Endpoint) Expire(now Moment) error {
	if err := e.In.Late(now); err != nil && e.alone.end == nil {
		e.perform(Violated(err))
	}
	return e.End()
}

// Deadline returns until when the rest of a message must have come; 0 is no limit.
func (e *Endpoint) Deadline() Moment { return e.In.Until() }

// Lost says that the stream below has ended, for the reason err, and returns End.
func (e *Endpoint) Lost(err error) error {
	if e.alone.end == nil {
		e.alone.end = EndByLoss(err, true, e.alone.sent)
	}
	return e.End()
}

// End returns nil as long as the connection goes on, and then always the same
// *CloseError. What Owed appends is still to be sent, and the stream closed after it, by
// a server first (§7.1.1).
func (e *Endpoint) End() error {
	if e.alone.end == nil {
		return nil
	}
	return e.alone.end
}

// Owed appends to dst the frames that are owed for what has come: a pong, the answer to
// a Close frame, the Close frame of a violation. A pong waits for the end of no message,
// since control frames may come between fragments (§5.4).
func (e *Endpoint) Owed(dst []byte) []byte {
	c := e.alone
	if c.pong != nil && c.sent == nil {
		dst, _ = e.append(dst, Header{Fin: true, Opcode: OpPong}, c.pong)
	}
	if c.answer != nil && c.sent == nil {
		dst, _ = e.append(dst, Header{Fin: true, Opcode: OpClose}, AppendClose(nil, c.answer.Code, c.answer.Reason))
	}
	c.pong, c.answer = nil, nil
	return dst
}

// AppendMessage appends p as a whole message of type op to dst, compressed if that was
// negotiated and makes it shorter. The errors are those of CheckMessage; ErrInMessage;
// and End, or the Close frame that was sent.
func (e *Endpoint) AppendMessage(dst []byte, op Opcode, p []byte) ([]byte, error) {
	if err := CheckMessage(op, p); err != nil {
		return dst, err
	}
	h := Header{Fin: true, Opcode: op}
	if c := e.alone; c.z != nil && len(p) >= c.threshold && e.Out.State() == StateReady {
		if z := c.z.Append(nil, p); Compressed(len(p), len(z), c.keeps) {
			h.RSV, p = RSV1, z
		}
	}
	return e.append(dst, h, p)
}

// AppendFragment appends a part of a message to dst, as it is: the first has type op,
// each following OpContinuation, and the last fin (§5.4). Text must be UTF-8 in sum.
func (e *Endpoint) AppendFragment(dst []byte, op Opcode, fin bool, p []byte) ([]byte, error) {
	if op > OpBinary {
		return dst, ErrOpcode
	}
	return e.append(dst, Header{Fin: fin, Opcode: op}, p)
}

// AppendPing appends a ping to dst, which goes out at now. Pings is told of its pong.
func (e *Endpoint) AppendPing(dst []byte, now Moment) ([]byte, error) {
	ping, payload := e.Pings.Send(now, nil)
	dst, err := e.append(dst, Header{Fin: true, Opcode: OpPing}, payload[:])
	if err != nil {
		e.Pings.Forget(ping.Number)
	}
	return dst, err
}

// AppendClose begins the closing handshake (§7.1.2): it appends a Close frame with code
// and reason, as FitClose has them, whose error it returns, to dst. The connection is at
// its End when the peer's Close frame has come.
func (e *Endpoint) AppendClose(dst []byte, code Code, reason string) ([]byte, error) {
	code, reason, mistake := FitClose(code, reason)
	dst, err := e.append(dst, Header{Fin: true, Opcode: OpClose}, AppendClose(nil, code, reason))
	if err != nil {
		return dst, err
	}
	e.alone.sent = &CloseError{Code: code, Reason: reason}
	return dst, mistake
}

// append appends a frame.
func (e *Endpoint) append(dst []byte, h Header, p []byte) ([]byte, error) {
	c := e.alone
	if c.end != nil && c.answer == nil {
		return dst, c.end
	}
	switch e.Out.Begin(&h) {
	case "":
	case RuleAfterClose:
		return dst, c.sent
	default:
		return dst, ErrInMessage
	}
	if h.Masked && c.key != nil {
		h.Key = c.key()
	}
	return AppendFrame(dst, h, p), nil
}
