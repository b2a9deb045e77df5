package fact

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"framewright/lab/inflate"
)

// An Inflate says what a compressed message is made of (RFC 7692 §7.2.2).
type Inflate struct {
	Compressed int64  `json:"compressed"` // bytes of payload, of all its frames
	Length     int64  `json:"length"`     // bytes that it inflates to
	Words      string `json:"words"`      // what it is made of
	Says       string `json:"says"`       // all of it in a line

	WindowBits int  `json:"windowBits"` // of its direction
	Keep       bool `json:"keep"`       // whether the window is kept from message to message
	Context    int  `json:"context"`    // bytes of earlier messages in it

	Literals int `json:"literals"`
	Matches  int `json:"matches"`
	Copied   int `json:"copied"`  // bytes that the matches copy
	Earlier  int `json:"earlier"` // of those, from earlier messages

	// Alone is how many bytes the message takes without the earlier ones, compressed by
	// this server; 0 if there are none, or not all of the message is known.
	Alone int64 `json:"alone,omitempty"`

	Blocks    []InflateBlock `json:"blocks"`
	AllBlocks int            `json:"allBlocks"`
	AllTokens int            `json:"allTokens"`
	Notes     []string       `json:"notes,omitempty"` // what is not known or not shown
	Error     string         `json:"error,omitempty"` // what is wrong with it, and at which bit
}

// An InflateBlock is an inflate.Block.
type InflateBlock struct {
	Type   string         `json:"type"`
	Final  bool           `json:"final"`
	Tail   bool           `json:"tail"`
	Bit    int            `json:"bit"`
	Head   int            `json:"head"` // bits
	Bits   int            `json:"bits"`
	Bytes  int            `json:"bytes"` // of content
	Codes  []InflateCodes `json:"codes,omitempty"`
	Tokens []InflateToken `json:"tokens"`
}

// InflateCodes are the symbols of a dynamic block that have codes of so many bits.
type InflateCodes struct {
	Of      string `json:"of"` // "literals and lengths" or "distances"
	Bits    int    `json:"bits"`
	Symbols string `json:"symbols"` // "e t end 11–12"
}

// An InflateToken is an inflate.Token. Length, Distance and Earlier are of a match.
type InflateToken struct {
	Kind     string `json:"kind"` // literal, match, raw, end
	Bit      int    `json:"bit"`
	Code     string `json:"code"` // its bits, as they come; of a match "0000010 00100+0": length and distance, each with what is added to it
	Bytes    string `json:"bytes,omitempty"`
	At       int    `json:"at"` // in the content
	Length   int    `json:"length,omitempty"`
	Distance int    `json:"distance,omitempty"`
	Earlier  int    `json:"earlier,omitempty"` // bytes copied from earlier messages
}

// The bounds of an Inflate. Those of its tokens are a Follower's.
const (
	inflateBlocks  = 16
	inflateCodes   = 4   // blocks whose codes are listed
	inflateRaw     = 256 // bytes of a stored block that are shown
	inflateContent = 256 << 10
)

// say makes f.Says.
func (f *Inflate) say() {
	bytes := "bytes inflate"
	if f.Compressed == 1 {
		bytes = "byte inflates"
	}
	f.Says = fmt.Sprintf("%d %s to %d by %s", f.Compressed, bytes, f.Length, f.Words)
	if f.Alone > 0 {
		f.Says += fmt.Sprintf("; without the messages before, this server would need %d", f.Alone)
	}
	if saved := f.Alone - f.Compressed; saved > 0 {
		f.Says += fmt.Sprintf(": the kept window saves %d", saved)
	}
}

// Listed is how many tokens f has.
func (f *Inflate) Listed() (n int) {
	for _, b := range f.Blocks {
		n += len(b.Tokens)
	}
	return n
}

// ofMessage is what a page gets of m, whose payload is that. text is what is known of its
// content.
func ofMessage(m *inflate.Message, payload, text []byte, err error) *Inflate {
	f := &Inflate{
		Words: m.Words(), Context: m.Context,
		Literals: m.Literals, Matches: m.Matches, Copied: m.Copied, Earlier: m.Earlier,
		AllBlocks: m.AllBlocks, AllTokens: m.AllTokens, Blocks: []InflateBlock{},
	}
	for i, b := range m.Blocks {
		out := InflateBlock{Type: b.Type.String(), Final: b.Final, Tail: b.Tail, Bit: b.Bit, Head: b.Head, Bits: b.Bits, Bytes: b.Bytes, Tokens: []InflateToken{}}
		if b.Codes != nil && i < inflateCodes {
			out.Codes = append(codesOf("literals and lengths", b.Codes.Literals, literalName), codesOf("distances", b.Codes.Distances, distanceName)...)
		}
		for _, t := range b.Tokens {
			out.Tokens = append(out.Tokens, ofToken(t, payload, text))
		}
		f.Blocks = append(f.Blocks, out)
	}
	if m.Stop != "" {
		f.Notes = append(f.Notes, m.Stop)
	}
	if e, ok := errors.AsType[*inflate.Error](err); ok {
		f.Error = e.Error()
	}
	return f
}

var tokenKinds = [...]string{"literal", "match", "raw", "end"}

func ofToken(t inflate.Token, payload, text []byte) InflateToken {
	out := InflateToken{Kind: tokenKinds[t.Kind], Bit: t.Bit, At: t.At}
	shown := t.Length
	switch t.Kind {
	case inflate.Match:
		out.Length, out.Distance, out.Earlier = t.Length, t.Distance, t.Earlier
	case inflate.Raw:
		out.Length, shown = t.Length, min(t.Length, inflateRaw)
	}
	out.Bytes = hex.EncodeToString(text[min(t.At, len(text)):min(t.At+shown, len(text))])
	at := t.Bit
	for i, w := range t.Widths {
		if w > 0 {
			out.Code += [...]string{"", "+", " ", "+"}[i] + inflate.Code(payload, at, int(w))
			at += int(w)
		}
	}
	return out
}

// codesOf lists symbols by the lengths of their codes.
func codesOf(of string, lengths []uint8, name func(int) string) (all []InflateCodes) {
	for bits := 1; bits <= 15; bits++ {
		var names []string
		for symbol, n := range lengths {
			if int(n) == bits {
				names = append(names, name(symbol))
			}
		}
		if len(names) > 0 {
			all = append(all, InflateCodes{of, bits, strings.Join(names, " ")})
		}
	}
	return all
}

// literalName is a byte as it prints or in hexadecimal, "end", or the lengths of matches
// that a symbol begins.
func literalName(symbol int) string {
	switch {
	case symbol > ' ' && symbol < 0x7F:
		return string(rune(symbol))
	case symbol == ' ':
		return "space"
	case symbol < 256:
		return "0x" + hex.EncodeToString([]byte{byte(symbol)})
	case symbol == 256:
		return "end"
	}
	return numbers(inflate.Lengths(symbol))
}

func distanceName(symbol int) string { return numbers(inflate.Distances(symbol)) }

// numbers is "3" or "11–12".
func numbers(first, last int) string {
	if first == last {
		return strconv.Itoa(first)
	}
	return strconv.Itoa(first) + "–" + strconv.Itoa(last)
}
