package lab

import (
	"fmt"
	"time"

	"framewright/lab/capture"
	"framewright/lab/fact"
	"framewright/ws"
)

// The bounds of a decoding, beside those of capture.Limits.
const (
	decodePayload = 1024     // bytes of a frame's payload that are shown
	decodeFrames  = 1000     // of one connection that are explained
	decodeAll     = 2000     // of all connections of a capture
	decodeHead    = 64 << 10 // bytes of one half of an opening handshake
	decodeMessage = 8 << 20  // bytes that a message may inflate to, or have
	decodeInflate = 32 << 20 // bytes that a capture may inflate to
	decodeTokens  = 20_000   // of all its compressed messages that are listed
)

// A Decoded is a capture, explained.
type Decoded struct {
	Format  capture.Format
	Streams []*DecodedStream
	Notes   []string
}

// A DecodedStream is one connection of a capture: what ws's own trace would have said of
// it at the end that looks on, and what cannot be said.
type DecodedStream struct {
	Name   string
	Moment []Moment
	Notes  []string
}

// A Moment is an event of a connection, and when it was.
type Moment struct {
	At    time.Duration // since the capture began
	Event ws.TraceEvent

	// HeaderOnly says that the payload of the frame is not known.
	HeaderOnly bool

	// Inflate says what a compressed message is made of, with its last frame, if the
	// connection was decoded.
	Inflate *fact.Inflate
}

// Decode reads data, in any form that capture.Parse knows, as the endpoint with the given
// role sees it: a server receives what a client sends, and judges it. Both directions are
// judged, each as its receiver would, up to the first rule that is broken. Hexadecimal
// without directions is what the role receives.
func Decode(data []byte, role ws.Role, limits capture.Limits) (*Decoded, error) {
	c, err := capture.Parse(data, limits)
	if err != nil {
		return nil, err
	}
	d := &Decoded{Format: c.Format, Notes: c.Notes}
	left := fullBudget()
	for i, s := range c.Streams {
		if c.Format == capture.Hex {
			for i := range s.Pieces {
				s.Pieces[i].FromClient = role == ws.RoleServer
			}
		}
		d.Streams = append(d.Streams, decodeStream(s, role, uint64(i+1), len(c.Streams) == 1, left))
	}
	return d, nil
}

// A budget is what is left of the bounds of a whole capture.
type budget struct {
	inflate int // bytes
	frames  int
	tokens  int
}

func fullBudget() *budget { return &budget{decodeInflate, decodeAll, decodeTokens} }

// A decoder explains one connection.
type decoder struct {
	out    *DecodedStream
	role   ws.Role // of the end that looks on
	conn   uint64
	halves [2]*half // what the server receives, and what the client does
	frames int
	full   bool
	left   *budget

	request *ws.Request // nil until it has come
}

func newDecoder(s *capture.Stream, role ws.Role, conn uint64, left *budget) *decoder {
	d := &decoder{out: &DecodedStream{Name: s.Name, Notes: s.Notes}, role: role, conn: conn, left: left}
	d.halves[0], d.halves[1] = newHalf(d, ws.RoleServer), newHalf(d, ws.RoleClient)
	return d
}

// decodeStream explains a connection of a capture. only says that it has no other.
func decodeStream(s *capture.Stream, role ws.Role, conn uint64, only bool, left *budget) *DecodedStream {
	return newDecoder(s, role, conn, left).decode(s, only)
}

// decodeWith explains frames without a handshake, which may have agreed to compression.
func decodeWith(s *capture.Stream, role ws.Role, deflate bool) *DecodedStream {
	d := newDecoder(s, role, 0, fullBudget())
	if deflate {
		d.allow(ws.DeflateParams{})
	}
	return d.decode(s, true)
}

// allow says that permessage-deflate was negotiated.
func (d *decoder) allow(agreed ws.DeflateParams) {
	for _, h := range d.halves {
		h.allow(agreed)
	}
}

// agreed allows what an answer says that was negotiated, "" for nothing.
func (d *decoder) agreed(extensions string) {
	if extensions == "" {
		return
	}
	agreed, err := ws.CheckDeflate([]string{extensions}, &ws.Compression{SendContext: true, ReceiveContext: true})
	if err != nil {
		d.note("%v", err)
	} else if agreed != nil {
		d.allow(*agreed)
	}
}

func (d *decoder) decode(s *capture.Stream, only bool) *DecodedStream {
	defer d.halves[0].rx.Release()
	defer d.halves[1].rx.Release()
	if s.Rebuilt != "" {
		d.note("%s", s.Rebuilt)
		d.halves[0].open, d.halves[1].open = true, true
		d.agreed(s.Extensions)
	} else if note := d.begins(s.Pieces, only); note != "" {
		d.note("%s", note)
		return d.out
	}
	for _, p := range s.Pieces {
		h := d.halves[1]
		if p.FromClient {
			h = d.halves[0]
		}
		if p.HeaderOnly {
			h.headerOnly(p.Data, p.At)
		} else {
			h.take(p.Data, p.At)
		}
	}
	for _, h := range d.halves {
		h.finish()
	}
	if d.full {
		d.note("only the first %d frames are explained: the limits are %d for one connection and %d for a capture", d.frames, decodeFrames, decodeAll)
	}
	return d.out
}

func (d *decoder) note(format string, args ...any) {
	d.out.Notes = append(d.out.Notes, fmt.Sprintf(format, args...))
}

// event adds e, and completes it.
func (d *decoder) event(h *half, e ws.TraceEvent, at time.Duration, headerOnly bool) {
	d.add(h, Moment{At: at, Event: e, HeaderOnly: headerOnly})
}

func (d *decoder) add(h *half, m Moment) {
	e := &m.Event
	if d.full {
		return
	}
	if len(e.Wire) > 0 {
		if d.frames == decodeFrames || d.left.frames == 0 {
			d.full = true
			return
		}
		d.frames++
		d.left.frames--
	}
	e.Conn, e.Role, e.Sent = d.conn, d.role, h.rx.Role() != d.role
	d.out.Moment = append(d.out.Moment, m)
}
