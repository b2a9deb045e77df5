package lab

import (
	"bytes"
	"errors"
	"time"

	"framewright/lab/fact"
	"framewright/ws"
)

// A half is one direction of a connection that is decoded, judged by the Receiver of the
// end at which it arrives.
type half struct {
	d  *decoder
	rx ws.Receiver

	open   bool           // frames come, no handshake any more
	over   bool           // nothing is judged any more: a rule is broken, or the limit reached
	rest   []byte         // of the handshake, or of a header, whose end has not come
	offset int64          // of rest, since the handshake
	follow *fact.Follower // of compressed messages; nil without permessage-deflate

	e        ws.TraceEvent // the frame that is under way
	at       time.Duration
	content  []byte // what its message inflates to, the beginning
	length   int64
	scratch  []byte
	afterEnd int64 // bytes behind a Close frame
}

func newHalf(d *decoder, role ws.Role) *half {
	return &half{d: d, rx: ws.NewReceiver(role, ws.Limits{
		MessageSize: decodeMessage, Fragments: -1, PingRate: -1, EmptyRate: -1, InflateRate: -1,
	})}
}

// allow says that permessage-deflate was negotiated.
func (h *half) allow(agreed ws.DeflateParams) {
	h.rx.AllowDeflate(agreed)
	h.follow = fact.NewFollower(agreed.Receiving(h.rx.Role()))
}

// take decodes the next bytes of the direction.
func (h *half) take(b []byte, at time.Duration) {
	if h.over || h.d.full {
		return
	}
	if h.rest = append(h.rest, b...); !h.open {
		if !h.handshake(at) {
			return
		}
	}
	for len(h.rest) > 0 && !h.over && !h.d.full {
		if h.rx.State() == ws.StateClosed {
			h.afterEnd += int64(len(h.rest))
			h.rest = nil
			return
		}
		n := h.next(at)
		if n == 0 {
			break
		}
		h.rest, h.offset = h.rest[n:], h.offset+int64(n)
	}
	h.rest = bytes.Clone(h.rest)
}

// next takes what the Receiver does of rest, and tells of it.
func (h *half) next(at time.Duration) (n int) {
	starts, before := h.rx.Remaining() == 0, h.rx.State()
	wire := h.rest[:min(len(h.rest), ws.MaxHeaderSize)]
	head := bytes.Clone(wire) // Next unmasks what follows the header
	ev, n, err := h.rx.Next(h.rest)
	if n == 0 && err == nil {
		return 0
	}
	size := 0
	if starts {
		f := h.rx.Frame()
		size = headerSize(head)
		h.begin(before, *f, head[:size], at)
	}
	if size < n && !brokenByHeader(err) {
		h.payload(h.rest[size:n])
	}
	if err == nil && ev.Compressed {
		err = h.inflate(ev)
	}
	if err != nil {
		h.broken(err)
		return n
	}
	if h.rx.Remaining() == 0 && !h.over {
		h.end()
	}
	return n
}

// headerSize is how many bytes of b, which begins a frame, are its header, or as much of
// it as is there. It goes by the bits alone: the length may be one that breaks a rule.
func headerSize(b []byte) int {
	if len(b) < 2 {
		return len(b)
	}
	size := 2
	switch b[1] & 0x7F {
	case 126:
		size += 2
	case 127:
		size += 8
	}
	if b[1]&0x80 != 0 {
		size += 4
	}
	return min(size, len(b))
}

// begin notes the header of a frame.
func (h *half) begin(before ws.State, f ws.Header, wire []byte, at time.Duration) {
	h.e = ws.TraceEvent{Offset: h.offset, Header: f, Wire: wire, Before: before, After: before}
	h.at = at
	if h.follow != nil && !f.Opcode.IsControl() {
		h.e.Compressed = h.rx.Compressed()
		if f.Opcode != ws.OpContinuation {
			h.content, h.length = nil, 0
		}
	}
}

func (h *half) payload(p []byte) {
	h.e.Payload = append(h.e.Payload, p[:min(len(p), decodePayload-len(h.e.Payload))]...)
	if h.e.Compressed {
		h.follow.Add(p, int64(len(p)))
	}
}

// end tells of a whole frame.
func (h *half) end() {
	h.e.After = h.rx.State()
	if h.e.Compressed && h.e.Header.Fin {
		h.e.Content, h.e.ContentLength = h.content, h.length
	}
	h.d.add(h, Moment{At: h.at, Event: h.e, Inflate: h.inflated()})
}

// inflated explains the message that ends with the frame under way, or with the breach of
// a rule in it, if it is compressed.
func (h *half) inflated() *fact.Inflate {
	if !h.e.Compressed || !h.e.Header.Fin && h.e.Rule == "" || h.d.full {
		return nil
	}
	if !h.e.Header.Fin || h.rx.Remaining() > 0 {
		h.follow.Lacks()
	}
	f := h.follow.End(h.content, h.length, min(fact.FollowedTokens, h.d.left.tokens))
	h.d.left.tokens -= f.Listed()
	return f
}

// broken tells of a frame that breaks a rule, with which the direction ends.
func (h *half) broken(err error) {
	h.over = true
	var pe *ws.ProtocolError
	if !errors.As(err, &pe) {
		h.d.note("%v", err)
		return
	}
	h.e.Rule, h.e.Detail = pe.Rule, pe.Detail
	h.e.Content, h.e.ContentLength = h.content, h.length
	h.d.add(h, Moment{At: h.at, Event: h.e, Inflate: h.inflated()})
	h.d.note("the %s breaks a rule at offset %d: what it sends from there on is not explained", sender(h), h.e.Offset)
}

// sender is who sends in this direction.
func sender(h *half) ws.Role { return 1 - h.rx.Role() }

// inflate reads what a piece of a compressed message is, and all of it at its end.
func (h *half) inflate(ev ws.Event) error {
	if h.scratch == nil {
		h.scratch = make([]byte, 4096)
	}
	for src := ev.Payload; ; {
		n, used, err := h.rx.Inflate(h.scratch, src)
		h.came(h.scratch[:n])
		if err != nil || h.over {
			return err
		}
		if src = src[used:]; len(src) == 0 && n < len(h.scratch) {
			break
		}
	}
	for ev.Fin {
		n, done, err := h.rx.InflateEnd(h.scratch, 0)
		h.came(h.scratch[:n])
		if err != nil || done || h.over {
			return err
		}
	}
	return nil
}

func (h *half) came(p []byte) {
	h.content = append(h.content, p[:min(len(p), decodePayload-len(h.content))]...)
	h.length += int64(len(p))
	if h.d.left.inflate -= len(p); h.d.left.inflate < 0 && !h.over {
		h.over = true
		h.d.note("what follows from the %s is not explained: the capture inflates to more than %d bytes", sender(h), decodeInflate)
	}
}

// headerOnly judges a frame whose header alone is known: its payload is taken for one
// that breaks no rule.
func (h *half) headerOnly(header []byte, at time.Duration) {
	if h.over || h.d.full || h.rx.State() == ws.StateClosed {
		h.afterEnd++
		return
	}
	f, _, err := ws.ParseHeader(header)
	before := h.rx.State()
	short := f // no rule cares how long a payload is, beyond that of a control frame
	short.Length = min(f.Length, ws.MaxControlPayload+1)
	if err == nil {
		_, err = h.rx.Header(ws.AppendHeader(nil, short))
	}
	h.begin(before, f, header, at)
	h.e.Compressed = false // nothing is known of what it inflates to
	if err == nil && h.rx.Remaining() > 0 {
		err = h.rx.Payload(filler(short))
	}
	if err != nil {
		h.broken(err)
		return
	}
	h.e.After = h.rx.State()
	h.d.event(h, h.e, at, true)
	h.offset += int64(len(header)) + h.e.Header.Length
}

// filler is a payload for a frame that breaks no rule.
func filler(f ws.Header) []byte {
	p := bytes.Repeat([]byte("x"), int(f.Length))
	if f.Opcode == ws.OpClose && len(p) >= 2 {
		p[0], p[1] = 0x03, 0xE8 // 1000
	}
	if f.Masked {
		ws.Mask(p, f.Key, 0)
	}
	return p
}

// finish tells what the capture ends inside of.
func (h *half) finish() {
	switch {
	case h.afterEnd > 0 && !h.over:
		e := ws.TraceEvent{Before: ws.StateClosed, After: ws.StateClosed, Rule: ws.RuleAfterClose}
		h.d.event(h, e, h.at, false)
		h.d.note("%d bytes follow the Close frame of the %s: they are ignored", h.afterEnd, sender(h))
	case h.over:
	case !h.open && len(h.rest) > 0:
		h.d.note("the capture ends inside the opening handshake of the %s, after %d bytes", sender(h), len(h.rest))
	case h.rx.Remaining() > 0:
		h.d.event(h, h.e, h.at, false)
		h.d.note("the capture ends inside a frame of the %s: %d bytes of its payload are missing", sender(h), h.rx.Remaining())
	case len(h.rest) > 0:
		f, _, _ := ws.ParseHeader(h.rest)
		h.begin(h.rx.State(), f, h.rest, h.at)
		h.d.event(h, h.e, h.at, false)
		h.d.note("the capture ends inside the header of a frame of the %s, after %d bytes", sender(h), len(h.rest))
	}
}

// brokenByHeader reports whether it was a frame's header, and not its payload, that broke
// a rule.
func brokenByHeader(err error) bool {
	var pe *ws.ProtocolError
	if !errors.As(err, &pe) {
		return false
	}
	switch pe.Rule {
	case ws.RuleTextUTF8, ws.RuleCloseLength, ws.RuleCloseUTF8, ws.RuleCloseCode, ws.RuleDeflate, ws.RuleEmptyBlocks:
		return false
	}
	return true
}
