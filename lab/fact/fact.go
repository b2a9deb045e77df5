// Package fact is what the wire lab shows, as JSON: one thing that went over a
// connection, with every value that a page has of it. Pages show these values and make
// none of their own.
package fact

import (
	"encoding/hex"

	"framewright/ws"
)

// A Fact is a ws.TraceEvent with its explanation. Bytes are in hexadecimal.
type Fact struct {
	Seq  uint64  `json:"seq"` // from 1, of those that one page sees
	Ms   float64 `json:"ms"`  // since the page began to watch
	Kind Kind    `json:"kind"`
	Conn uint64  `json:"conn"`
	Role string  `json:"role"` // of the endpoint that looks on: "server" or "client"
	Sent bool    `json:"sent"` // by that endpoint

	Title string `json:"title"`
	Head  string `json:"head,omitempty"` // of a Handshake: its text

	// Of a Handshake: its lines, and with a request what its key comes to. Parsed says
	// that the order and spelling of the lines are not known: net/http has read them.
	Lines  []Line  `json:"lines,omitempty"`
	Accept *Accept `json:"accept,omitempty"`
	Parsed bool    `json:"parsed,omitempty"`

	// Of a Frame.
	Offset  int64  `json:"offset"` // of its first byte since the handshake
	Wire    string `json:"wire,omitempty"`
	Payload string `json:"payload,omitempty"` // without the mask; the beginning, if Length is more
	Length  int64  `json:"length"`
	Opcode  int    `json:"opcode"`
	Fin     bool   `json:"fin"`
	Masked  bool   `json:"masked"`
	Key     string `json:"key,omitempty"` // the masking key
	Before  string `json:"before,omitempty"`
	After   string `json:"after,omitempty"`
	Rows    []Row  `json:"rows,omitempty"`

	Compressed    bool   `json:"compressed,omitempty"`
	Content       string `json:"content,omitempty"` // with the last frame of a compressed message: what it inflates to
	ContentLength int64  `json:"contentLength,omitempty"`

	Inflate *Inflate `json:"inflate,omitempty"` // of the same: what it is made of

	Rule *Rule `json:"rule,omitempty"` // that was broken
	Gap  int   `json:"gap,omitempty"`  // of a Gap: how many are missing
}

// A Kind says what a Fact is.
type Kind string

// The kinds.
const (
	Frame     Kind = "frame"
	Handshake Kind = "handshake" // one half of one
	Breach    Kind = "breach"    // of a rule, outside of any frame
	Gap       Kind = "gap"       // facts are missing here: a page was slower than the wire
)

// A Row is a ws.Row.
type Row struct {
	Kind    string `json:"kind"`
	At      int    `json:"at"`  // byte of the frame, from 0
	Len     int    `json:"len"` // in bytes
	Bit     int    `json:"bit"` // of the one byte, from 0, the leftmost
	Width   int    `json:"width"`
	Field   string `json:"field"`
	Value   string `json:"value,omitempty"`
	Bytes   string `json:"bytes"`
	Meaning string `json:"meaning,omitempty"`
	Section string `json:"section,omitempty"`
}

// A Rule is a ws.Rule that was broken.
type Rule struct {
	ID      string `json:"id"`
	Text    string `json:"text"`
	Section string `json:"section"`
	Cost    string `json:"cost"`
	Detail  string `json:"detail,omitempty"`
}

// kinds are the names of ws.RowKind.
var kinds = [...]string{"bits", "number", "masked", "compressed", "code", "text", "data", "note"}

// Of explains an event. What it returns shares no memory with e.
func Of(e ws.TraceEvent) Fact {
	f := Fact{Conn: e.Conn, Role: e.Role.String(), Sent: e.Sent, Offset: e.Offset}
	switch {
	case e.Handshake != "":
		f.Kind, f.Head, f.Parsed = Handshake, e.Handshake, e.Parsed
		handshake(&f)
	case len(e.Wire) == 0:
		f.Kind, f.Before = Breach, e.Before.String()
		f.Title = "no frame"
	default:
		frame(&f, e)
	}
	if r := e.Rule.Rule(); r != nil {
		f.Rule = &Rule{ID: string(r.ID), Text: r.Text, Section: r.Section, Cost: r.Cost(), Detail: e.Detail}
	}
	return f
}

func frame(f *Fact, e ws.TraceEvent) {
	h := e.Header
	f.Kind, f.Title = Frame, ws.Title(e)
	f.Wire, f.Payload = hex.EncodeToString(e.Wire), hex.EncodeToString(e.Payload)
	f.Length, f.Opcode, f.Fin, f.Masked = h.Length, int(h.Opcode), h.Fin, h.Masked
	f.Before, f.After = e.Before.String(), e.After.String()
	if h.Masked {
		f.Key = hex.EncodeToString(h.Key[:])
	}
	if f.Compressed = e.Compressed; e.Compressed {
		f.Content, f.ContentLength = hex.EncodeToString(e.Content), e.ContentLength
	}
	for _, r := range ws.Explain(e, ws.TracePayload) {
		bit, width := 0, 8*len(r.Bytes)
		if r.Kind == ws.RowBits {
			bit, width = span(r.Bits)
		}
		f.Rows = append(f.Rows, Row{kinds[r.Kind], r.At, len(r.Bytes), bit, width, r.Field, r.Value, hex.EncodeToString(r.Bytes), r.Meaning, r.Section})
	}
}

// span is where the bits of a mask begin, from the left, and how many they are.
func span(mask byte) (bit, width int) {
	for mask&0x80 == 0 && bit < 8 {
		bit, mask = bit+1, mask<<1
	}
	for mask&0x80 != 0 {
		width, mask = width+1, mask<<1
	}
	return bit, width
}
