package ws

// A Receiver, made by NewReceiver, judges what arrives at one endpoint. It is fed the
// bytes of the connection in order, cut anywhere: header bytes to Header, payload bytes
// to Payload; or all of them to Next. It does no I/O and keeps no payload but a control
// frame's. After an error it must not be used any further.
type Receiver struct {
	limits  *Limits   // Filled
	deflate *inflater // nil unless permessage-deflate was negotiated, which gives RSV1 a meaning

	role      Role
	state     State
	next      State  // after the current frame
	maskAt    uint8  // offset into the masking key
	header    Header // of the current frame
	remaining int64  // payload bytes of the current frame still to come
	frames    uint64 // that have begun

	// The message that the current frame, or the one before, belongs to.
	opcode     Opcode
	compressed bool // RSV1 was set on its first frame (RFC 7692 §6)
	text       UTF8
	ncontrol   uint8
	control    *[MaxControlPayload]byte // payload of a control frame, made when there is one
	size       int64
	fragments  int

	// What depends on time: see limits.go.
	rates         *rates // made when there is something to count
	until, paused Moment
}

// NewReceiver returns a Receiver for the endpoint that has the given role: a
// server's expects masked frames, a client's unmasked ones.
func NewReceiver(role Role, limits Limits) Receiver {
	l := limits.Filled()
	return NewReceiverSharing(role, &l)
}

// NewReceiverSharing is NewReceiver for limits that Limits.Filled has returned, which
// several Receivers may share, and nobody changes any more.
func NewReceiverSharing(role Role, filled *Limits) Receiver {
	return Receiver{role: role, limits: filled}
}

// SetLimits changes the limits from the next frame on.
func (r *Receiver) SetLimits(l Limits) {
	l = l.Filled()
	r.limits = &l
}

// ShareLimits is SetLimits as NewReceiverSharing has them.
func (r *Receiver) ShareLimits(filled *Limits) { r.limits = filled }

// Limits returns the limits, with defaults filled in.
func (r *Receiver) Limits() Limits { return *r.limits }

// Role returns the end at which the Receiver stands.
func (r *Receiver) Role() Role { return r.role }

// Frame returns the header of the current frame, or the last. It is valid until the
// next header is read.
func (r *Receiver) Frame() *Header { return &r.header }

// Frames returns how many frames have begun, those aside that broke a rule by that.
func (r *Receiver) Frames() uint64 { return r.frames }

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
func (r *Receiver) Control() []byte {
	if r.ncontrol == 0 {
		return nil
	}
	return r.control[:r.ncontrol:r.ncontrol]
}

// CloseFrame returns what the Close frame said, once State is StateClosed.
func (r *Receiver) CloseFrame() (Code, string) {
	code, reason, _ := ParseClose(r.Control()) // it was judged by endFrame
	return code, reason
}

// Header takes the frame header that b begins with, which Frame has then. n == 0 with a
// nil error means that more bytes are needed; a frame that its first two bytes condemn
// fails as soon as those are there. Must be called only while Remaining is 0. An error
// is a *ProtocolError.
func (r *Receiver) Header(b []byte) (n int, err error) {
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
	switch {
	case h.Opcode >= OpClose:
		r.ncontrol = 0
	case h.Opcode != OpContinuation: // the first frame of a message
		if h.Length > r.limits.MessageSize {
			if err := r.checkSize(h); err != nil {
				return n, err
			}
		}
		if r.compressed = r.deflate != nil && h.RSV&RSV1 != 0; r.compressed {
			r.deflate.seen = 0
		}
		r.opcode, r.size, r.fragments = h.Opcode, h.Length, 1 // text is at its beginning, or the last one had failed
	default:
		if err := r.checkSize(h); err != nil {
			return n, err
		}
		r.size += h.Length
		r.fragments++
	}
	r.frames++
	r.remaining, r.maskAt = h.Length, 0
	if h.Length == 0 {
		err = r.endFrame()
	}
	return n, err
}

// start holds the rules that the first two bytes of a frame can break; length7
// is the length as it stands there. It notes the state after the frame, or returns
// the first rule that is broken. It must not look at more of h, or the verdict
// would depend on how much of the frame has come.
func (r *Receiver) start(h *Header, length7 byte) (broken RuleID) {
	// "MUST be 0 unless an extension is negotiated that defines meanings"
	rsv := h.RSV
	if r.deflate != nil && rsv&RSV1 != 0 {
		// "An endpoint MUST NOT set the "Per-Message Compressed" bit of
		// control frames and non-first fragments of a data message."
		if h.Opcode >= OpClose || h.Opcode == OpContinuation {
			return RuleRSV1
		}
		rsv &^= RSV1
	}
	if rsv != 0 {
		return RuleRSV
	}
	// "If an unknown opcode is received, the receiving endpoint MUST _Fail
	// the WebSocket Connection_."
	if kinds[h.Opcode] == aReserved {
		return RuleOpcode
	}
	// "a client MUST mask all frames that it sends"
	if r.role == RoleServer && !h.Masked {
		return RuleClientMasks
	}
	// "A server MUST NOT mask any frames that it sends"
	if r.role == RoleClient && h.Masked {
		return RuleServerUnmasked
	}
	if h.Opcode >= OpClose {
		// "All control frames MUST have a payload length of 125 bytes or
		// less and MUST NOT be fragmented."
		if !h.Fin {
			return RuleControlFin
		}
		if length7 > MaxControlPayload {
			return RuleControlLength
		}
	}
	k := kinds[h.Opcode]
	if !h.Fin { // a data frame, see above
		k++ // a… to a…More
	}
	m := &moves[r.state][k]
	if r.next = m.to; m.rule != "" {
		return m.rule
	}
	if h.Opcode == OpContinuation && r.fragments >= r.limits.Fragments {
		return RuleFragments
	}
	return ""
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
	case r.header.Opcode >= OpClose:
		if r.control == nil {
			r.control = new([MaxControlPayload]byte)
		}
		r.ncontrol += uint8(copy(r.control[r.ncontrol:], p))
	case r.compressed:
		r.deflate.in += int64(len(p))
	case r.opcode == OpText && !r.text.Write(p):
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
	if h.Fin && h.Opcode < OpClose && r.opcode == OpText && !r.compressed && r.text.need > 0 {
		return r.endsInside()
	}
	r.state = r.next
	return nil
}

// An Event is what Next found: a piece of a message, or a control frame.
type Event struct {
	// Opcode is the message's type for a piece of a message, which may be
	// empty; OpPing, OpPong or OpClose for a control frame; and OpContinuation
	// when there is nothing to report yet.
	Opcode  Opcode
	Payload []byte // unmasked; valid until the next call, and as long as the bytes given to Next
	Fin     bool   // the message is complete

	// Compressed says that Payload is of a compressed message: see Inflate.
	Compressed bool
}

// Next takes bytes from the beginning of b, unmasking them in place, and
// returns what they amount to and their number. n == 0 with a nil error means
// that more bytes are needed. What follows a Close frame is taken and ignored
// (§5.5.1). An error is a *ProtocolError.
func (r *Receiver) Next(b []byte) (e Event, n int, err error) {
	if r.state == StateClosed {
		return e, len(b), nil
	}
	if r.remaining == 0 {
		if n, err = r.Header(b); err != nil || n == 0 {
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
	case r.header.Opcode < OpClose:
		return Event{r.opcode, p, r.header.Fin && r.remaining == 0, r.compressed}, n, nil
	case r.remaining == 0:
		return Event{r.header.Opcode, r.Control(), true, false}, n, nil
	}
	return e, n, nil
}
