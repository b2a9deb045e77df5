package ws

import (
	"fmt"
	"slices"
)

// A Row is one thing that a frame says, with the bytes that say it: a field of its
// header, its masking key, its payload as it is on the wire or as it is meant.
type Row struct {
	Kind    RowKind
	At      int    // where its bytes begin on the wire, counted from the frame's first
	Bytes   []byte // those; of a payload without the mask or inflated, what they mean
	Bits    byte   // which bits of the one byte a RowBits is about
	Field   string // "FIN"
	Value   string // "1"; "" where the bytes say it
	Meaning string // "a whole message"
	Section string // "§5.4", "RFC 7692 §6"; "" where there is none to name
}

// A RowKind says what a Row's bytes are.
type RowKind uint8

const (
	RowBits       RowKind = iota // bits of one byte
	RowNumber                    // whole bytes of a header
	RowMasked                    // payload as a mask has made it
	RowCompressed                // payload without the mask, compressed
	RowCode                      // the close code
	RowText                      // text
	RowData                      // other data, which may be text all the same
	RowNote                      // no bytes: what is left out, what follows is inflated
)

// Title is an event in a few words: who does what, where, and what that changes.
func Title(e TraceEvent) string {
	verb := "receives"
	if e.Sent {
		verb = "sends"
	}
	return fmt.Sprintf("%s %s %s at offset %d, %s -> %s", e.Role, verb, e.Header.Opcode, e.Offset, e.Before, e.After)
}

// Explain says what the frame of an event means, in the order of its bytes (§5.2), with
// the sections that say so. Of a data frame's payload it has the first show bytes, of a
// control frame's all. An event without a frame has no rows.
func Explain(e TraceEvent, show int) []Row {
	if len(e.Wire) < 2 {
		return nil
	}
	wire, h := e.Wire, e.Header
	var rows []Row
	bits := func(at int, mask byte, field, value, meaning, section string) {
		rows = append(rows, Row{RowBits, at, wire[at : at+1], mask, field, value, meaning, section})
	}
	bits(0, 0x80, "FIN", itoa(int64(wire[0]>>7)), finMeaning(h), finSection(h))
	meaning, section := rsvMeaning(e)
	bits(0, 0x70, "RSV1-3", itoa(int64(h.RSV)), meaning, section)
	bits(0, 0x0F, "opcode", fmt.Sprintf("%x", uint8(h.Opcode)), h.Opcode.String(), opcodeSection(h.Opcode))
	meaning = "not masked"
	if h.Masked {
		meaning = "a masking key follows"
	}
	bits(1, 0x80, "MASK", itoa(int64(wire[1]>>7)), meaning, "§5.1")
	at, length7 := 2, wire[1]&0x7F
	meaning = "bytes of payload"
	switch length7 {
	case 126:
		at, meaning = 4, "the length takes 16 bits more"
	case 127:
		at, meaning = 10, "the length takes 64 bits more"
	}
	bits(1, 0x7F, "length", itoa(int64(length7)), meaning, "§5.2")
	if length7 >= 126 && len(wire) >= at {
		rows = append(rows, Row{RowNumber, 2, wire[2:at], 0, "extended length", "", itoa(h.Length) + " bytes of payload", "§5.2"})
	}
	if h.Masked && len(wire) >= at+4 {
		rows = append(rows, Row{RowNumber, at, wire[at : at+4], 0, "masking key", "", "masking key", "§5.3"})
	}
	return explainPayload(rows, e, show)
}

// explainPayload adds what the payload means, layer by layer: masked, compressed, plain.
func explainPayload(rows []Row, e TraceEvent, show int) []Row {
	h, at := e.Header, len(e.Wire)
	p := e.Payload
	if !h.Opcode.IsControl() {
		p = p[:min(len(p), show)]
	}
	if len(p) > 0 {
		if h.Masked {
			masked := slices.Clone(p)
			Mask(masked, h.Key, 0)
			rows = append(rows, Row{RowMasked, at, masked, 0, "payload", "", "payload, masked", "§5.3"})
		}
		rest, text := p, isText(e) || h.Opcode == OpClose
		switch {
		case e.Compressed:
			rows = append(rows, Row{RowCompressed, at, p, 0, "payload", "", "compressed", "RFC 7692 §7.2.1"})
			rest = nil
		case h.Opcode == OpClose && len(p) >= 2:
			code := Code(uint16(p[0])<<8 | uint16(p[1]))
			rows = append(rows, Row{RowCode, at, p[:2], 0, "code", itoa(int64(code)), "code " + code.String(), "§7.4"})
			rest, at = p[2:], at+2
		}
		rows = plainRows(rows, rest, at, text, len(p), h.Length)
	}
	if e.Compressed && h.Fin {
		rows = append(rows, Row{Kind: RowNote, At: at, Field: "inflated", Meaning: itoa(e.ContentLength) + " bytes inflated", Section: "RFC 7692 §7.2.2"})
		p := e.Content[:min(len(e.Content), show)]
		rows = plainRows(rows, p, at, isText(e), len(p), e.ContentLength)
	}
	return rows
}

// plainRows adds data as they are meant, and whether those are all of the whole.
func plainRows(rows []Row, p []byte, at int, text bool, shown int, whole int64) []Row {
	if len(p) > 0 {
		kind := RowData
		if text {
			kind = RowText
		}
		rows = append(rows, Row{Kind: kind, At: at, Bytes: p, Field: "payload"})
	}
	if int64(shown) < whole {
		rows = append(rows, Row{Kind: RowNote, At: at + shown, Field: "cut", Meaning: fmt.Sprintf("%d of %d bytes", shown, whole)})
	}
	return rows
}

// isText reports whether a frame's payload is part of a text message (§5.6).
func isText(e TraceEvent) bool {
	return e.Header.Opcode == OpText || e.Header.Opcode == OpContinuation && e.Before == StateInText
}

// finMeaning says what FIN means on a frame like h.
func finMeaning(h Header) string {
	switch {
	case h.Opcode.IsControl() && h.Fin:
		return "not fragmented"
	case h.Opcode.IsControl():
		return "fragmented"
	case h.Fin && h.Opcode == OpContinuation:
		return "the last fragment"
	case h.Fin:
		return "a whole message"
	case h.Opcode == OpContinuation:
		return "more fragments follow"
	}
	return "the first fragment, more follow"
}

func finSection(h Header) string {
	if h.Opcode.IsControl() {
		return "§5.5"
	}
	return "§5.4"
}

func rsvMeaning(e TraceEvent) (meaning, section string) {
	switch rsv := e.Header.RSV; {
	case rsv == RSV1 && e.Compressed:
		return "RSV1: a compressed message", "RFC 7692 §6"
	case rsv != 0:
		return rsvNames(rsv) + " set", "§5.2"
	}
	return "reserved for extensions", "§5.2"
}

func opcodeSection(o Opcode) string {
	switch o {
	case OpContinuation:
		return "§5.4"
	case OpText, OpBinary:
		return "§5.6"
	case OpClose:
		return "§5.5.1"
	case OpPing:
		return "§5.5.2"
	case OpPong:
		return "§5.5.3"
	}
	return "§5.2"
}

// Cost says what it costs to break r.
func (r *Rule) Cost() string {
	switch {
	case r.Code != 0:
		return "close with " + r.Code.String()
	case r.Status != 0:
		return "answer with HTTP " + itoa(int64(r.Status))
	case r.ID == RuleAfterClose:
		return "which is ignored"
	}
	return "the dial fails"
}
