package ws

import (
	"encoding/hex"
	"math"
)

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
		if r.deflate != nil {
			rsv &^= RSV1
		}
		return rsvNames(rsv) + " set on a " + name + " frame, but no extension" + thatUses(r.deflate != nil) + " was negotiated"
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

// isCompressed reports whether the message that h begins or continues is
// compressed.
func (r *Receiver) isCompressed(h *Header) bool {
	if h.Opcode == OpContinuation {
		return r.compressed
	}
	return r.deflate != nil && h.RSV&RSV1 != 0
}

//go:noinline
func (r *Receiver) endsInside() error {
	size := r.size
	if r.compressed {
		size = r.deflate.seen
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
