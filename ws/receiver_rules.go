package ws

import "math"

// start holds the rules that the first two bytes of a frame can break; length7
// is the length as it stands there. It notes the state after the frame, or returns
// the first rule that is broken. It must not look at more of h, or the verdict
// would depend on how much of the frame has come.
func (r *Receiver) start(h *Header, length7 byte) (broken RuleID) {
	// "MUST be 0 unless an extension is negotiated that defines meanings"
	rsv := h.RSV
	if r.deflate && rsv&RSV1 != 0 {
		// "An endpoint MUST NOT set the "Per-Message Compressed" bit of
		// control frames and non-first fragments of a data message."
		if h.Opcode.IsControl() || h.Opcode == OpContinuation {
			return RuleRSV1
		}
		rsv &^= RSV1
	}
	if rsv != 0 {
		return RuleRSV
	}
	// "If an unknown opcode is received, the receiving endpoint MUST _Fail
	// the WebSocket Connection_."
	if h.Opcode.IsReserved() {
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
	if h.Opcode.IsControl() {
		// "All control frames MUST have a payload length of 125 bytes or
		// less and MUST NOT be fragmented."
		if !h.Fin {
			return RuleControlFin
		}
		if length7 > MaxControlPayload {
			return RuleControlLength
		}
	}
	if r.next, broken = r.state.after(h); broken != "" {
		return broken
	}
	if h.Opcode == OpContinuation && r.fragments >= r.limits.Fragments {
		return RuleFragments
	}
	return ""
}

// startDetail says what was seen of a frame that broke a rule of start's.
// It is apart because it needs so much more stack: a goroutine that waits has
// what its deepest call needed.
//
//go:noinline
func (r *Receiver) startDetail(rule RuleID, h *Header) string {
	name := h.Opcode.String()
	switch rule {
	case RuleRSV1:
		return "RSV1 set on a " + name + " frame"
	case RuleRSV:
		rsv := h.RSV
		if r.deflate {
			rsv &^= RSV1
		}
		return rsvNames(rsv) + " set on a " + name + " frame, but no extension" + thatUses(r.deflate) + " was negotiated"
	case RuleClientMasks:
		return "unmasked " + name + " frame from a client"
	case RuleServerUnmasked:
		return "masked " + name + " frame from a server"
	case RuleControlFin:
		return "fragmented " + name + " frame"
	case RuleControlLength:
		return name + " frame with a payload over 125 bytes"
	case RuleContinuation:
		return "continuation without a message"
	case RuleInterleaved:
		return name + " frame inside a " + r.opcode.String() + " message"
	case RuleAfterClose:
		return name + " frame after a Close frame"
	case RuleFragments:
		return "message of more than " + itoa(int64(r.limits.Fragments)) + " fragments, the limit that MaxFragments sets"
	}
	return name
}

// checkSize holds a data frame against the message limit, before anything is
// read or allocated for it.
func (r *Receiver) checkSize(h *Header) error {
	size := int64(0)
	if h.Opcode == OpContinuation {
		size = r.size
	}
	limit := r.limits.MessageSize
	if r.isCompressed(h) {
		// Content holds the limit, which is on inflated bytes. Stored blocks
		// make a message a little longer than its content; what is much
		// longer has no content.
		limit += min(limit/8+1024, math.MaxInt64-limit)
	}
	if h.Length > limit-size { // size + Length may overflow
		return r.tooBig()
	}
	return nil
}

func thatUses(deflate bool) string {
	if deflate {
		return " that uses it"
	}
	return ""
}

func rsvNames(rsv uint8) string {
	s := ""
	for i, bit := range []uint8{RSV1, RSV2, RSV3} {
		if rsv&bit != 0 {
			if s != "" {
				s += ", "
			}
			s += "RSV" + itoa(int64(i+1))
		}
	}
	return s
}
