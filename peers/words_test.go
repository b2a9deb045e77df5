package peers

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
)

// The vocabulary that every driver speaks. It is JSON for the peers that are
// child processes and plain values for the others.

// Message kinds.
const (
	text   = "text"
	binary = "binary"
)

// A Part is payload described instead of carried, so that 16 MiB do not pass
// through the command channel. Exactly one field is used.
type Part struct {
	Text string `json:"text,omitempty"` // these characters as UTF-8
	Hex  string `json:"hex,omitempty"`  // these bytes, valid UTF-8 or not
	Fill int    `json:"fill,omitempty"` // this many bytes of the kind's pattern
}

// Periods of the fill pattern. They are coprime to 4, so bytes masked at a
// wrong offset differ, and text stays printable ASCII.
const (
	binaryPeriod = 251 // byte i is i mod 251
	textPeriod   = 95  // byte i is 0x20 + i mod 95
)

func (p Part) bytes(kind string) []byte {
	switch {
	case p.Fill > 0:
		b := make([]byte, p.Fill)
		if kind == text {
			for i := range b {
				b[i] = byte(0x20 + i%textPeriod)
			}
		} else {
			for i := range b {
				b[i] = byte(i % binaryPeriod)
			}
		}
		return b
	case p.Hex != "":
		b, err := hex.DecodeString(p.Hex)
		if err != nil {
			panic(fmt.Sprintf("peers: the table has bad hex %q", p.Hex))
		}
		return b
	default:
		return []byte(p.Text)
	}
}

// An Action is what one end is told to do.
type Action struct {
	Do     string `json:"do"`               // send, ping, close, abort
	Kind   string `json:"kind,omitempty"`   // send: text or binary
	Parts  []Part `json:"parts,omitempty"`  // send: more than one are fragments of one message
	Pings  bool   `json:"pings,omitempty"`  // send: a ping between every two fragments
	Data   string `json:"data,omitempty"`   // ping: its payload
	Code   int    `json:"code,omitempty"`   // close: 0 sends a close frame without a status
	Reason string `json:"reason,omitempty"` // close
}

func (a Action) String() string {
	s := a.Do
	switch a.Do {
	case "send":
		s += " " + a.Kind
		for _, p := range a.Parts {
			switch {
			case p.Fill > 0:
				s += fmt.Sprintf(" %d bytes", p.Fill)
			case p.Hex != "":
				s += fmt.Sprintf(" hex %s", p.Hex)
			default:
				s += fmt.Sprintf(" %.60q", p.Text)
			}
		}
	case "close":
		s += fmt.Sprintf(" %d %q", a.Code, a.Reason)
	case "ping":
		s += fmt.Sprintf(" %q", a.Data)
	}
	return s
}

// inside is the payload of the ping before fragment i, counted from 0.
func inside(i int) string { return fmt.Sprintf("inside %d", i) }

// payload is the whole message that a send carries.
func (a Action) payload() []byte {
	if len(a.Parts) == 1 {
		return a.Parts[0].bytes(a.Kind)
	}
	var b []byte
	for _, p := range a.Parts {
		b = append(b, p.bytes(a.Kind)...)
	}
	return b
}

// An Event is what one end saw.
type Event struct {
	Event string `json:"event"` // message, pong, closed

	Kind   string `json:"kind,omitempty"`   // message
	Size   int    `json:"size,omitempty"`   // message: bytes
	SHA256 string `json:"sha256,omitempty"` // message
	Head   string `json:"head,omitempty"`   // message: its first bytes in hex, for whoever reads a failure

	Data string `json:"data,omitempty"` // pong: its payload

	// closed: what the other end's close frame said. 1005 is a close frame
	// without a status, 1006 is the end of the stream without a close frame.
	// The end that failed the connection reports its own verdict.
	Code   int    `json:"code,omitempty"`
	Reason string `json:"reason,omitempty"`

	// Frames is how many frames the message came in. Only our own end knows.
	Frames int `json:"-"`
	// Err is the error behind a closed event, for the log.
	Err string `json:"error,omitempty"`
}

const headBytes = 16

// received is the event for a message that came.
func received(kind string, b []byte) Event {
	sum := sha256.Sum256(b)
	return Event{
		Event: "message", Kind: kind, Size: len(b),
		SHA256: hex.EncodeToString(sum[:]), Head: hex.EncodeToString(b[:min(len(b), headBytes)]),
	}
}

// Wildcards in what is wanted.
const (
	anyCode   = -1
	anyReason = "\x00any"
	many      = -1 // Frames: at least two
)
