package ws

import (
	"encoding/hex"
	"math"
)

// Limits bound what a Receiver lets through (§10.4). A value below 0 is no
// limit, 0 is the default.
type Limits struct {
	MessageSize int64 // bytes of payload in one message; default 1 MiB
	Fragments   int   // frames in one message, empty ones included; default 1,024, and one for each KiB of MessageSize
}

// The defaults of Limits.
const (
	DefaultMessageSize = 1 << 20 // bytes; a chat message is far below, a photo above
	DefaultFragments   = 1024    // 1 MiB in the 1 KiB fragments of a streaming sender
)

// A Receiver judges what arrives at one endpoint. It is fed the bytes of the
// connection in order, cut anywhere: header bytes to Header, payload bytes to
// Payload; or all of them to Next. It does no I/O and keeps no payload but a
// control frame's. After an error it must not be used any further.
type Receiver struct {
	role    Role
	deflate bool // permessage-deflate was negotiated: RSV1 has a meaning
	limits  Limits

	state     State
	next      State  // after the current frame
	header    Header // of the current frame
	remaining int64  // payload bytes of the current frame still to come
	maskAt    uint8  // offset into the masking key

	// The message that the current frame, or the one before, belongs to.
	opcode     Opcode
	compressed bool // RSV1 was set on its first frame (RFC 7692 §6)
	text       UTF8
	size       int64
	fragments  int
	inflated   int64 // bytes that Content has seen of it

	control []byte // payload of a control frame, made when there is one
}

// NewReceiver returns a Receiver for the endpoint that has the given role: a
// server's expects masked frames, a client's unmasked ones.
func NewReceiver(role Role, limits Limits) Receiver {
	r := Receiver{role: role}
	r.SetLimits(limits)
	return r
}

// SetLimits changes the limits from the next frame on.
func (r *Receiver) SetLimits(l Limits) {
	if l.MessageSize == 0 {
		l.MessageSize = DefaultMessageSize
	} else if l.MessageSize < 0 {
		l.MessageSize = math.MaxInt64
	}
	if l.Fragments == 0 {
		l.Fragments = int(max(DefaultFragments, min(l.MessageSize>>10, math.MaxInt)))
	} else if l.Fragments < 0 {
		l.Fragments = math.MaxInt
	}
	r.limits = l
}

// AllowDeflate says that permessage-deflate was negotiated: a message may be
// compressed. What it inflates to is then shown to Content, which judges it,
// instead of what is given to Payload.
func (r *Receiver) AllowDeflate() { r.deflate = true }

// Compressed reports whether the current message, or the last, is compressed.
func (r *Receiver) Compressed() bool { return r.compressed }

// Role returns the end at which the Receiver stands.
func (r *Receiver) Role() Role { return r.role }

// Frame returns the header of the current frame, or the last. It is valid until the
// next header is read.
func (r *Receiver) Frame() *Header { return &r.header }

// State returns where the incoming direction stands.
func (r *Receiver) State() State { return r.state }

// Remaining returns how many payload bytes of the current frame are still to
// come; 0 means that a header comes next.
func (r *Receiver) Remaining() int64 { return r.remaining }

// Opcode returns the type of the current or, between messages, the last
// message.
func (r *Receiver) Opcode() Opcode { return r.opcode }

// Control returns the payload of the control frame that was just completed.
// It is valid until the next call of Header.
func (r *Receiver) Control() []byte { return r.control[:len(r.control):len(r.control)] }

// Close returns what the Close frame said, once State is StateClosed.
func (r *Receiver) Close() (Code, string) {
	code, reason, _ := ParseClose(r.Control()) // it was judged by endFrame
	return code, reason
}

// Header takes the frame header that b begins with. n == 0 with a nil error
// means that more bytes are needed; a frame that its first two bytes condemn
// fails as soon as those are there. Must be called only while Remaining is 0.
// An error is a *ProtocolError.
func (r *Receiver) Header(b []byte) (h Header, n int, err error) {
	n, err = r.ReadHeader(b)
	return r.header, n, err
}

// ReadHeader is Header without a copy: Frame has the header.
func (r *Receiver) ReadHeader(b []byte) (n int, err error) {
	h := &r.header
	n, err = h.parse(b)
	if len(b) < 2 {
		return 0, nil
	}
	if rule := r.start(h, b[1]&0x7F); rule != "" {
		return n, rule.Violation(r.startDetail(rule, h))
	}
	if err != nil || n == 0 {
		return n, err
	}
	if !h.Opcode.IsControl() {
		if err := r.checkSize(h); err != nil {
			return n, err
		}
	}

	r.remaining, r.maskAt = h.Length, 0
	switch {
	case h.Opcode.IsControl():
		r.control = r.control[:0]
	case h.Opcode != OpContinuation: // the first frame of a message
		r.compressed, r.inflated = r.isCompressed(h), 0
		r.opcode, r.size, r.fragments = h.Opcode, h.Length, 1 // text is at its beginning, or the last one had failed
	default:
		r.size += h.Length
		r.fragments++
	}
	if h.Length == 0 {
		err = r.endFrame()
	}
	return n, err
}

// isCompressed reports whether the message that h begins or continues is
// compressed.
func (r *Receiver) isCompressed(h *Header) bool {
	if h.Opcode == OpContinuation {
		return r.compressed
	}
	return r.deflate && h.RSV&RSV1 != 0
}

// Content takes the next bytes that the current message inflates to, and holds
// them against the limit and, for text, against UTF-8, as Payload does with a
// message that is not compressed. An error is a *ProtocolError.
func (r *Receiver) Content(p []byte) error {
	// What is wrong first counts, however much p is at a time.
	fits := p[:min(int64(len(p)), r.limits.MessageSize-r.inflated)]
	at, before := r.inflated, r.text
	r.inflated += int64(len(fits))
	if r.opcode == OpText && !r.text.Write(fits) {
		return notUTF8(RuleTextUTF8, "text message", before, fits, at)
	}
	if len(fits) < len(p) {
		return r.tooBig()
	}
	return nil
}

// ContentEnd says that the current message has inflated to what Content has
// seen and nothing more.
func (r *Receiver) ContentEnd() error {
	if r.opcode == OpText && !r.text.Done() {
		return r.endsInside()
	}
	return nil
}

//go:noinline
func (r *Receiver) endsInside() error {
	size := r.size
	if r.compressed {
		size = r.inflated
	}
	return RuleTextUTF8.Violation("text message of " + itoa(size) + " bytes ends inside a UTF-8 sequence")
}

// notUTF8 says which byte of p, which begins at offset at of a text that before
// has seen the rest of, is wrong.
//
//go:noinline
func notUTF8(rule RuleID, what string, before UTF8, p []byte, at int64) error {
	i := before.firstBad(p)
	if i == len(p) {
		return rule.Violation(what + " of " + itoa(at+int64(i)) + " bytes ends inside a UTF-8 sequence")
	}
	return rule.Violation(what + " is not UTF-8: byte 0x" + hex.EncodeToString(p[i:i+1]) + " at offset " + itoa(at+int64(i)))
}

func (r *Receiver) tooBig() error {
	return RuleMessageSize.Violation("message of more than " + itoa(r.limits.MessageSize) + " bytes, the limit that MaxMessage sets")
}

// Payload takes the next bytes of the current frame's payload, Remaining at
// the most, and unmasks them in place. An error is a *ProtocolError; text
// fails at its first bad byte, before the message is complete (§8.1).
func (r *Receiver) Payload(p []byte) error {
	if r.header.Masked {
		r.maskAt = uint8(Mask(p, r.header.Key, int(r.maskAt)))
	}
	r.remaining -= int64(len(p))
	before := r.text
	switch {
	case r.header.Opcode.IsControl():
		if int64(cap(r.control)) < r.header.Length {
			r.control = make([]byte, 0, r.header.Length)
		}
		r.control = append(r.control, p...)
	case r.opcode == OpText && !r.compressed && !r.text.Write(p):
		return notUTF8(RuleTextUTF8, "text message", before, p, r.size-r.remaining-int64(len(p)))
	}
	if r.remaining > 0 {
		return nil
	}
	return r.endFrame()
}

// endFrame does what is due when the last byte of a frame was seen.
func (r *Receiver) endFrame() (err error) {
	h := &r.header
	if h.Opcode == OpClose {
		if _, _, err = ParseClose(r.Control()); err != nil {
			return err
		}
	}
	if h.Fin && !h.Opcode.IsControl() && !r.compressed {
		if err := r.ContentEnd(); err != nil {
			return err
		}
	}
	r.state = r.next
	return nil
}

// An Event is what Next found: a piece of a message, or a control frame.
type Event struct {
	// Opcode is the message's type for a piece of a message, OpPing, OpPong
	// or OpClose for a control frame, and OpContinuation when there is
	// nothing to report yet.
	Opcode  Opcode
	Payload []byte // unmasked; valid until the next call, and as long as the bytes given to Next
	Fin     bool   // the message is complete
}

// Next takes bytes from the beginning of b, unmasking them in place, and
// returns what they amount to and their number. n == 0 with a nil error means
// that more bytes are needed, or that the connection is closed: what follows
// a Close frame is ignored (§5.5.1). An error is a *ProtocolError.
func (r *Receiver) Next(b []byte) (e Event, n int, err error) {
	if r.state == StateClosed {
		return e, 0, nil
	}
	if r.remaining == 0 {
		if n, err = r.ReadHeader(b); err != nil || n == 0 {
			return e, n, err
		}
	}
	end := n + int(min(int64(len(b)-n), r.remaining))
	p := b[n:end:end] // what follows is not the application's
	if len(p) > 0 {
		n += len(p)
		if err := r.Payload(p); err != nil {
			return e, n, err
		}
	}
	switch {
	case !r.header.Opcode.IsControl():
		if len(p) == 0 && !(r.header.Fin && r.remaining == 0) {
			return e, n, nil
		}
		return Event{r.opcode, p, r.header.Fin && r.remaining == 0}, n, nil
	case r.remaining == 0:
		return Event{r.header.Opcode, r.Control(), true}, n, nil
	}
	return e, n, nil
}
