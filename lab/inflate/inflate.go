package inflate

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
)

// Options are what Explain is to know beside the message. The zero value is a message
// without context in a window of 32 KiB.
type Options struct {
	// Context is what the messages before came to, if it is kept (RFC 7692 §7.1.1): its
	// last 2^Bits bytes count.
	Context []byte

	Bits int // base-2 logarithm of the window, 8 to 15 (RFC 7692 §7.1.2); 0 is 15

	MaxContent int // bytes that are inflated; 0 is DefaultContent
	MaxTokens  int // that are listed; 0 is DefaultTokens
	MaxBlocks  int // that are listed; 0 is DefaultBlocks

	// Partial says that the payload is the beginning of a message's: where it ends is no
	// mistake.
	Partial bool
}

// The defaults of Options.
const (
	DefaultContent = 1 << 20
	DefaultTokens  = 10_000
	DefaultBlocks  = 1000
)

// A Message is what Explain finds.
type Message struct {
	Content []byte
	Blocks  []Block
	Context int // bytes of it that a match could reach at the beginning

	// Of all blocks, whether listed or not.
	Literals int
	Matches  int
	Stored   int // bytes of stored blocks
	Copied   int // bytes that matches copy
	Earlier  int // of those, from the messages before

	AllBlocks int    // how many blocks there are
	AllTokens int    // and tokens
	Stop      string // why the message is not explained to its end; "" if it is
}

// A Block is a part of a message that has its own codes (RFC 1951 §3.2.3).
type Block struct {
	Final bool // BFINAL: no block need follow
	Type  Type
	Bit   int    // where it begins, counted from the first of the message
	Head  int    // bits before its tokens: BFINAL, BTYPE; LEN and NLEN; the codes of a dynamic one
	Bits  int    // in all
	At    int    // in the content
	Bytes int    // of content
	Tail  bool   // it ends in the four bytes that every message is thought to end with (RFC 7692 §7.2.2)
	Codes *Codes // of a dynamic one

	Tokens []Token // the first ones, of those that MaxTokens allows in all
}

// A Type is that of a block: BTYPE.
type Type uint8

// The types (RFC 1951 §3.2.3).
const (
	Stored Type = iota
	Fixed
	Dynamic
)

func (t Type) String() string { return [...]string{"stored", "fixed", "dynamic", "reserved"}[t&3] }

// Codes are what a dynamic block says of its codes (§3.2.7): how many bits that of each
// symbol has, 0 for none. The code itself follows from that (§3.2.2).
type Codes struct {
	Literals  []uint8 // and lengths, and the end of the block
	Distances []uint8
	Lengths   []uint8 // of the codes that those are written with
}

// A Token is a literal, a match, the bytes of a stored block, or the end of a block.
type Token struct {
	Kind Kind
	Bit  int // where it begins, counted from the first of the message
	At   int // in the content

	Length   int // bytes of content
	Distance int // of a Match: how many bytes before At it copies from
	Earlier  int // of a Match: how many bytes are copied from the messages before

	// Widths are how many bits it has: those of the code; of a match, of the code for
	// the length, what is added to that, of the code for the distance, what is added to
	// that.
	Widths [4]uint8
}

// Bits is how many bits a token has.
func (t Token) Bits() (n int) {
	if t.Kind == Raw {
		return 8 * t.Length
	}
	for _, w := range t.Widths {
		n += int(w)
	}
	return n
}

// A Kind is that of a Token.
type Kind uint8

// The kinds.
const (
	Literal Kind = iota // a byte
	Match
	Raw // the bytes of a stored block
	End // of a block with codes
)

// An Error says what is wrong with a message, and at which bit, counted from its first.
type Error struct {
	Bit     int
	What    string
	Section string // "RFC 1951 §3.2.3"
}

func (e *Error) Error() string {
	return fmt.Sprintf("bit %d: %s (%s)", e.Bit, e.What, e.Section)
}

// tail is what a sender takes off the end of each message (RFC 7692 §7.2.1).
const tail = "\x00\x00\xff\xff"

// errEnough says that there is more content than is wanted.
var errEnough = errors.New("enough")

// Explain says what the payload of one compressed message is made of, all its frames
// together. Its work and memory are bounded by the payload and o. An error is an *Error;
// the Message then has what stands before it.
func Explain(payload []byte, o Options) (*Message, error) {
	if o.Bits != 0 && (o.Bits < 8 || o.Bits > 15) {
		return &Message{}, &Error{0, fmt.Sprintf("a window of %d bits, expected 8 to 15", o.Bits), "RFC 7692 §7.1.2"}
	}
	x := newExplainer(payload, o)
	m := x.m
	err := x.message(8 * len(payload))
	m.Content = x.out[m.Context:]
	switch {
	case err == nil:
	case err == errEnough:
		m.Stop = fmt.Sprintf("explained up to %d bytes of content", len(m.Content))
	case err == errShort && o.Partial:
		m.Stop = fmt.Sprintf("only the first %d bytes of the payload are known", len(payload))
	case err == errShort:
		err = &Error{8 * len(x.in.data), "the message ends inside a " + x.where, "RFC 7692 §7.2.2"}
		return m, err
	default:
		return m, err
	}
	return m, nil
}

// An explainer explains one message.
type explainer struct {
	in     bits
	window int
	out    []byte // the context and the content
	most   int    // bytes of out
	tokens int    // that may still be listed
	blocks int
	m      *Message
	b      Block  // the one under way
	where  string // what that is
}

func newExplainer(payload []byte, o Options) *explainer {
	window := 1 << cmp.Or(o.Bits, 15)
	context := o.Context[max(0, len(o.Context)-window):]
	x := &explainer{
		in: bits{data: payload}, window: window, out: bytes.Clone(context),
		most:   len(context) + cmp.Or(o.MaxContent, DefaultContent),
		tokens: cmp.Or(o.MaxTokens, DefaultTokens),
		blocks: cmp.Or(o.MaxBlocks, DefaultBlocks),
		m:      &Message{Context: len(context)},
	}
	if !o.Partial && len(payload) > 0 { // no bytes at all are an empty message
		x.in.data = append(payload[:len(payload):len(payload)], tail...)
	}
	return x
}

// message explains blocks up to the end: that of the tail, or that of the payload, whose
// first so many bits are its own, behind a block with BFINAL set (RFC 7692 §7.2.3.4).
func (x *explainer) message(own int) error {
	for x.in.left() > 0 && !(x.b.Final && x.in.at == own) {
		x.b = Block{Bit: x.in.at, At: x.at()}
		err := x.block()
		x.b.Bits, x.b.Bytes = x.in.at-x.b.Bit, x.at()-x.b.At
		x.b.Tail = x.in.at > own
		x.m.AllBlocks++
		if x.blocks > 0 {
			x.blocks--
			x.m.Blocks = append(x.m.Blocks, x.b)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// at is the place in the content.
func (x *explainer) at() int { return len(x.out) - x.m.Context }

// add notes a token, and counts it.
func (x *explainer) add(t Token) {
	x.m.AllTokens++
	switch t.Kind {
	case Literal:
		x.m.Literals++
	case Match:
		x.m.Matches++
		x.m.Copied += t.Length
		x.m.Earlier += t.Earlier
	case Raw:
		x.m.Stored += t.Length
	}
	if x.tokens > 0 && x.blocks > 0 {
		x.tokens--
		x.b.Tokens = append(x.b.Tokens, t)
	}
}
