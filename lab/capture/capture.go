// Package capture reads what people save or paste of a WebSocket connection: hexadecimal
// dumps, pcap and pcapng files, HAR files and Chromium's NetLog. It knows which bytes
// went which way and when, and nothing of what they mean: that is for who judges them.
//
// Everything is bounded by Limits, and an input that is not what it seems to be gives an
// error that says what was found, what was expected, and where.
package capture

import (
	"bytes"
	"errors"
	"fmt"
	"time"
)

// Limits bound what Parse takes. A value of 0 is the default.
type Limits struct {
	Input   int // bytes of the whole input; default 8 MiB
	Streams int // connections; default 32. What is beyond is left out, with a note
	Bytes   int // of one connection, both ways together; default 4 MiB. The same
}

func (l Limits) filled() Limits {
	def := func(v *int, d int) {
		if *v <= 0 {
			*v = d
		}
	}
	def(&l.Input, 8<<20)
	def(&l.Streams, 32)
	def(&l.Bytes, 4<<20)
	return l
}

// A Format is a form in which a connection is written down.
type Format string

// The formats that Parse knows.
const (
	Hex    Format = "hex"
	Pcap   Format = "pcap"
	PcapNG Format = "pcapng"
	HAR    Format = "har"
	NetLog Format = "netlog"
)

// A Capture is what Parse has read.
type Capture struct {
	Format  Format
	Streams []*Stream
	Notes   []string // what was left out, and why
}

// A Stream is what one connection carried, in the order in which it was seen.
type Stream struct {
	Name   string
	Pieces []Piece
	Notes  []string // what is missing, and why

	// Rebuilt says why the bytes are not those of the wire, if they are not: the
	// file had messages or headers only, and the frames are the shortest that say
	// the same. Then the opening handshake is not in Pieces.
	Rebuilt string

	// Extensions is what the answer to the opening handshake had as
	// Sec-WebSocket-Extensions, if the file says so and Pieces do not.
	Extensions string

	size int
	full bool
}

// A Piece is some bytes that went one way. For a dump without directions FromClient is
// false, and the role of the reader says who sent them.
type Piece struct {
	FromClient bool
	At         time.Duration // since the first of the capture
	Data       []byte

	// HeaderOnly says that Data is a frame's header, whose payload the file does not
	// have.
	HeaderOnly bool
}

// add appends a piece, as far as the limit lets it.
func (s *Stream) add(p Piece, l Limits) {
	if s.full || len(p.Data) == 0 {
		return
	}
	if room := l.Bytes - s.size; len(p.Data) > room {
		s.full = true
		s.note("only the first %d bytes of this connection are read: the limit for one", l.Bytes)
		if p.HeaderOnly || s.Rebuilt != "" {
			return // half a frame would be one that nobody sent
		}
		p.Data = p.Data[:room]
	}
	s.size += len(p.Data)
	s.Pieces = append(s.Pieces, p)
}

func (s *Stream) note(format string, args ...any) {
	s.Notes = append(s.Notes, fmt.Sprintf(format, args...))
}

func (c *Capture) note(format string, args ...any) {
	c.Notes = append(c.Notes, fmt.Sprintf(format, args...))
}

// errNothing: what was pasted is white space.
var errNothing = errors.New("there is nothing to read: paste bytes in hexadecimal, or choose a pcap, pcapng, HAR or NetLog file")

// Parse finds out which format data has, and reads it.
func Parse(data []byte, l Limits) (*Capture, error) {
	l = l.filled()
	if len(data) > l.Input {
		return nil, fmt.Errorf("the input has %d bytes, the limit is %d: filter the capture for one connection first", len(data), l.Input)
	}
	text := bytes.TrimSpace(bytes.TrimPrefix(data, []byte("\uFEFF")))
	switch {
	case len(text) == 0:
		return nil, errNothing
	case pcapOrder(data) != nil:
		return parsePcap(data, l)
	case bytes.HasPrefix(data, []byte{0x0A, 0x0D, 0x0D, 0x0A}):
		return parsePcapNG(data, l)
	case text[0] == '{':
		return parseJSON(text, l)
	case bytes.HasPrefix(data, []byte{0x1F, 0x8B}):
		return nil, errors.New("the file is compressed with gzip: unpack it first")
	}
	b, err := ParseHex(string(text))
	if err != nil {
		return nil, err
	}
	s := &Stream{Name: fmt.Sprintf("%d bytes in hexadecimal", len(b))}
	s.add(Piece{Data: b}, l)
	return &Capture{Format: Hex, Streams: []*Stream{s}}, nil
}

// stream appends a new one, or returns nil with a note if there are too many.
func (c *Capture) stream(name string, l Limits) *Stream {
	if len(c.Streams) == l.Streams {
		const note = "only the first %d connections are read: filter the capture for the one that matters"
		if text := fmt.Sprintf(note, l.Streams); len(c.Notes) == 0 || c.Notes[len(c.Notes)-1] != text {
			c.Notes = append(c.Notes, text)
		}
		return nil
	}
	s := &Stream{Name: name}
	c.Streams = append(c.Streams, s)
	return s
}
