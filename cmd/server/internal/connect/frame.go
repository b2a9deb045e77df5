package connect

import (
	"encoding/hex"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"framewright/ws"
)

// maxRaw is how much a line of -raw may come to, in bytes.
const maxRaw = 16 << 20

// parseRaw returns the bytes that a line of -raw stands for. It has bytes, strings and
// frames, one after the other:
//
//	81 05 "Hello"                 bytes in hexadecimal; strings as in Go
//	text "Hello"                  a frame, masked with a key from rand
//	text fin=0 "Hel"              the first fragment
//	continuation key=37fa213d "lo"
//	ping mask=0 00 01             not masked, which breaks §5.1
//	close 1000 "bye"
//	opcode=b rsv=4 len=126:5 ""   reserved opcode, RSV1, a length of 5 in 16 bits
//
// A frame goes on until the next word that names one, or a semicolon. mask=0 and mask=1,
// key=HEX, fin=0 and fin=1, rsv=0 to 7, and len=N, len=126:N, len=127:N, which need not be
// what follows, stand behind its name and before its payload.
func parseRaw(line string, rand io.Reader) ([]byte, error) {
	p := &rawParser{rest: line, line: line, rand: rand}
	for {
		word, err := p.next()
		if err != nil {
			return nil, err
		}
		if word.kind == end {
			p.flush()
			if len(p.out) == 0 {
				return nil, fmt.Errorf("there is nothing to send: want bytes such as 81 05, strings, or a frame such as text \"Hello\"")
			}
			return p.out, p.err
		}
		if err := p.take(word); err != nil {
			return nil, p.at(word.from, "%w", err)
		}
		if p.err != nil {
			return nil, p.err
		}
		if len(p.out)+len(p.payload) > maxRaw {
			return nil, p.at(word.from, "the line comes to more than %d bytes", maxRaw)
		}
	}
}

// A rawWord is one part of a line.
type rawWord struct {
	kind rawKind
	text string // of a word or option: it; of a string: what it means
	from int    // in bytes
}

type rawKind int

const (
	end rawKind = iota
	bare
	quoted
	semicolon
)

type rawParser struct {
	line, rest string
	rand       io.Reader
	out        []byte
	err        error

	frame   *ws.Header // under way
	declare bool       // its length was given, and does not follow from the payload
	form    int        // of that: 0 the shortest, 126 or 127
	mask    bool
	key     bool // was given
	payload []byte
	coded   bool // a close that has its code
}

// at is an error with its column, from 1, in characters.
func (p *rawParser) at(from int, format string, args ...any) error {
	return fmt.Errorf("column %d: %w", 1+utf8.RuneCountInString(p.line[:from]), fmt.Errorf(format, args...))
}

func (p *rawParser) next() (rawWord, error) {
	p.rest = strings.TrimLeftFunc(p.rest, unicode.IsSpace)
	at := len(p.line) - len(p.rest)
	switch {
	case p.rest == "":
		return rawWord{end, "", at}, nil
	case p.rest[0] == ';':
		p.rest = p.rest[1:]
		return rawWord{semicolon, ";", at}, nil
	case p.rest[0] == '"' || p.rest[0] == '`':
		q, err := strconv.QuotedPrefix(p.rest)
		if err != nil {
			return rawWord{}, p.at(at, "a string that does not end, or an escape that Go does not know")
		}
		p.rest = p.rest[len(q):]
		s, err := strconv.Unquote(q)
		return rawWord{quoted, s, at}, err
	}
	n := strings.IndexFunc(p.rest, func(r rune) bool { return unicode.IsSpace(r) || r == ';' || r == '"' || r == '`' })
	if n < 0 {
		n = len(p.rest)
	}
	w := rawWord{bare, p.rest[:n], at}
	p.rest = p.rest[n:]
	return w, nil
}

var opcodes = map[string]ws.Opcode{
	"continuation": ws.OpContinuation, "text": ws.OpText, "binary": ws.OpBinary,
	"close": ws.OpClose, "ping": ws.OpPing, "pong": ws.OpPong,
}

func (p *rawParser) take(w rawWord) error {
	switch w.kind {
	case semicolon:
		p.flush()
		return nil
	case quoted:
		p.add([]byte(w.text))
		return nil
	}
	if op, ok := opcodes[w.text]; ok {
		p.begin(op)
		return nil
	}
	if name, value, ok := strings.Cut(w.text, "="); ok {
		return p.option(name, value)
	}
	if p.frame != nil && p.frame.Opcode == ws.OpClose && !p.coded && len(p.payload) == 0 && len(w.text) >= 3 {
		if code, err := strconv.ParseUint(w.text, 10, 16); err == nil {
			p.coded = true
			p.add([]byte{byte(code >> 8), byte(code)})
			return nil
		}
	}
	b, err := hex.DecodeString(w.text)
	if err != nil {
		return fmt.Errorf("%q is neither bytes in hexadecimal nor a frame (continuation, text, binary, close, ping, pong, opcode=N)", w.text)
	}
	p.add(b)
	return nil
}

func (p *rawParser) begin(op ws.Opcode) {
	p.flush()
	p.frame, p.mask = &ws.Header{Fin: true, Opcode: op}, true
}

func (p *rawParser) add(b []byte) {
	if p.frame == nil {
		p.out = append(p.out, b...)
		return
	}
	p.payload = append(p.payload, b...)
}

func (p *rawParser) option(name, value string) error {
	number := func(base int, most uint64) (uint64, error) {
		n, err := strconv.ParseUint(value, base, 64)
		if err != nil || n > most {
			return 0, fmt.Errorf("%s=%s: want a number from 0 to %s", name, value, strconv.FormatUint(most, base))
		}
		return n, nil
	}
	if name == "opcode" {
		n, err := number(16, 15)
		if err == nil {
			p.begin(ws.Opcode(n))
		}
		return err
	}
	if p.frame == nil {
		return fmt.Errorf("%s=%s belongs behind the name of a frame, such as text", name, value)
	}
	switch name {
	case "fin", "mask":
		n, err := number(10, 1)
		if name == "fin" {
			p.frame.Fin = n == 1
		} else {
			p.mask = n == 1
		}
		return err
	case "rsv":
		n, err := number(10, 7)
		p.frame.RSV = uint8(n)
		return err
	case "key":
		b, err := hex.DecodeString(value)
		if err != nil || len(b) != 4 {
			return fmt.Errorf("key=%s: want 8 hexadecimal digits", value)
		}
		p.frame.Key, p.key, p.mask = [4]byte(b), true, true
		return nil
	case "len":
		form, digits, ok := strings.Cut(value, ":")
		if !ok {
			form, digits = "0", value
		}
		most := map[string]uint64{"0": 1<<64 - 1, "126": 1<<16 - 1, "127": 1<<64 - 1}[form]
		if most == 0 {
			return fmt.Errorf("len=%s: want len=N, len=126:N (16 bits) or len=127:N (64 bits)", value)
		}
		value = digits
		n, err := number(10, most)
		p.form, _ = strconv.Atoi(form)
		p.frame.Length, p.declare = int64(n), true
		return err
	}
	return fmt.Errorf("there is no %s=: a frame has fin, rsv, mask, key and len", name)
}

// flush ends the frame under way.
func (p *rawParser) flush() {
	h := p.frame
	if h == nil {
		return
	}
	if !p.declare {
		h.Length = int64(len(p.payload))
	}
	if h.Masked = p.mask; h.Masked && !p.key {
		if _, err := io.ReadFull(p.rand, h.Key[:]); err != nil {
			p.err = err
			return
		}
	}
	p.out = appendHeader(p.out, *h, p.form)
	if h.Masked {
		ws.Mask(p.payload, h.Key, 0)
	}
	p.out = append(p.out, p.payload...)
	p.frame, p.declare, p.form, p.key, p.payload, p.coded = nil, false, 0, false, nil, false
}

// appendHeader is Header.Append for any length, in any of its forms (§5.2).
func appendHeader(dst []byte, h ws.Header, form int) []byte {
	n := uint64(h.Length)
	if form == 0 && n <= 1<<63-1 {
		return h.Append(dst)
	}
	h.Length = 0
	short := h.Append(nil)
	key := short[2:]
	switch form {
	case 126:
		dst = append(dst, short[0], short[1]|126, byte(n>>8), byte(n))
	default:
		dst = append(dst, short[0], short[1]|127)
		for shift := 56; shift >= 0; shift -= 8 {
			dst = append(dst, byte(n>>shift))
		}
	}
	return append(dst, key...)
}
