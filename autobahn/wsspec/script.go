package wsspec

import (
	"fmt"
	"strings"
	"time"
)

// A script is a dialogue on an open connection as data: what the suite sends, and
// which outcomes are allowed.
type script struct {
	lead []Frame // right; what they ask for has come before anything else is sent
	near []Frame // right; sent in the same write as main
	main []Frame // what the case is about
	tail []byte  // bytes behind main, for frames that are not sent to their end
	cut  cut     // how near, main and tail are divided into writes
	half bool    // the suite's direction of TCP ends after them

	want  want
	codes []int // of the Close frame that is wanted; nil: any that may be sent
	mild  bool  // with fails: the RFC leaves it free whether there is a Close frame
}

// A want is the kind of outcome that a script has.
type want byte

const (
	// answers: all of it is right. Messages come back, the last ping gets its pong,
	// and a Close of the suite's is answered.
	answers want = iota
	// fails: main breaks a rule. Nothing of it comes back, and the connection ends.
	fails
	// closes: main begins with a Close. It is answered, nothing behind it is.
	closes
)

// A cut divides bytes into writes.
type cut struct {
	every int   // so many bytes each, 0: no such cut
	at    []int // before these; below 0 counts from the end
}

var byByte = cut{every: 1}

// pieces are the writes.
func (c cut) pieces(b []byte) [][]byte {
	var out [][]byte
	switch {
	case c.every > 0:
		for len(b) > c.every {
			out, b = append(out, b[:c.every]), b[c.every:]
		}
	default:
		from := 0
		for _, at := range c.at {
			if at < 0 {
				at += len(b)
			}
			if at > from && at < len(b) {
				out, from = append(out, b[from:at]), at
			}
		}
		b = b[from:]
	}
	return append(out, b)
}

// between is the pause from one piece to the next. It makes it likely that they are
// read apart; no verdict depends on that.
const between = time.Millisecond

func pause(d *Dialogue) {
	select {
	case <-time.After(between):
	case <-d.Ctx.Done():
	}
}

func (d *Dialogue) writeCut(b []byte, c cut) {
	for i, piece := range c.pieces(b) {
		if i > 0 && i < 64 {
			pause(d)
		}
		d.Write(piece)
	}
}

// play opens a connection and plays the script on it.
func (s script) play(d *Dialogue) Verdict {
	if err := d.Open(); err != nil {
		return Fail("an opening handshake", "%v", err)
	}
	return s.on(d)
}

// on plays the script on an open connection.
func (s script) on(d *Dialogue) Verdict {
	h := &hearing{}
	if len(s.lead) > 0 {
		d.Send(s.lead...)
		if !h.await(d, s.lead) {
			return h.fail(s.expected())
		}
	}
	h.mute = s.want != answers
	d.writeCut(append(d.Encode(append(s.near[:len(s.near):len(s.near)], s.main...)...), s.tail...), s.cut)
	if s.half {
		if err := d.CloseWrite(); err != nil {
			return Skip("%v", err)
		}
	}
	switch s.want {
	case answers:
		return s.answered(d, h)
	case fails:
		return s.failed(d, h)
	}
	return s.closed(d, h)
}

// await hears the testee until right frames are answered, and reports whether they
// were, exactly.
func (h *hearing) await(d *Dialogue, frames []Frame) bool {
	messages, pings := owed(frames)
	h.listen(d, func() bool {
		return h.close != nil || len(h.faults) > 0 || !prefix(h.messages, messages) ||
			len(h.messages) == len(messages) && h.ponged(pings)
	})
	return h.end == nil && h.close == nil && len(h.faults) == 0 &&
		len(h.messages) == len(messages) && prefix(h.messages, messages)
}

// ponged reports whether the last ping has its pong. Those before it need none
// (§5.5.3).
func (h *hearing) ponged(pings []string) bool {
	if len(pings) == 0 {
		return true
	}
	for _, p := range h.pongs {
		if p == pings[len(pings)-1] {
			return true
		}
	}
	return false
}

// answered judges a script of right frames.
func (s script) answered(d *Dialogue, h *hearing) Verdict {
	all := append(append(s.lead[:len(s.lead):len(s.lead)], s.near...), s.main...)
	if !h.await(d, all) {
		return h.fail(s.expected())
	}
	d.Send(CloseFrame(1000, ""))
	h.listen(d, func() bool { return h.close != nil })
	messages, _ := owed(all)
	switch {
	case h.close == nil, len(h.faults) > 0, len(h.messages) != len(messages):
		return h.fail(s.expected())
	case failure(h.close.CloseCode()):
		return Fail(s.expected(), "the connection was failed: %v", h)
	}
	return h.pass(s.expected())
}

// failure reports whether a Close code says that something was wrong.
func failure(code int) bool { return code >= 1002 && code <= 1011 }

// failed judges a script whose main part breaks a rule.
func (s script) failed(d *Dialogue, h *hearing) Verdict {
	right := append(s.lead[:len(s.lead):len(s.lead)], s.near...)
	allowed, _ := owed(right)
	_, bad := owed(s.main)
	answered := func() bool {
		if !prefix(h.messages, allowed) || h.open != nil && len(h.messages) == len(allowed) {
			return true
		}
		for _, p := range bad {
			if p != "" && h.ponged([]string{p}) {
				return true
			}
		}
		return false
	}
	h.listen(d, func() bool { return h.close != nil || len(h.faults) > 0 || answered() })
	s.end(d, h)
	switch {
	case len(h.faults) > 0:
		return h.fail(s.expected())
	case answered():
		return Fail(s.expected(), "what should have failed the connection was answered: %v", h)
	case !h.over():
		return Fail(s.expected(), "the connection does not end: %v", h)
	case h.close != nil && !s.codeFits(h.close.CloseCode()):
		return h.weak(s.expected())
	case h.close == nil && !h.reset() && !s.mild: // a reset may have overtaken a Close
		return h.weak(s.expected())
	}
	return h.pass(s.expected())
}

// end answers a Close of the testee's and hears it to the end of the connection.
func (s script) end(d *Dialogue, h *hearing) {
	if h.close != nil && h.end == nil {
		if s.want == fails {
			d.Send(CloseFrame(h.close.CloseCode(), ""))
		}
		if d.Testee == Client && !s.half {
			d.CloseWrite() // the server ends TCP first (§7.1.1)
		}
	}
	if len(h.faults) == 0 {
		h.listen(d, func() bool { return len(h.faults) > 0 || h.close == nil })
	}
}

// codeFits reports whether the testee's Close has a code that is wanted.
func (s script) codeFits(code int) bool {
	for _, c := range s.codes {
		if c == code {
			return true
		}
	}
	return len(s.codes) == 0
}

// closed judges a script whose main part begins with a Close.
func (s script) closed(d *Dialogue, h *hearing) Verdict {
	allowed, _ := owed(append(s.lead[:len(s.lead):len(s.lead)], s.near...))
	h.listen(d, func() bool { return h.close != nil || len(h.faults) > 0 || !prefix(h.messages, allowed) })
	s.end(d, h)
	// What is behind the Close may stay unread, and then a reset overtakes the answer.
	more := len(s.main) > 1 || len(s.tail) > 0
	switch {
	case len(h.faults) > 0:
		return h.fail(s.expected())
	case !prefix(h.messages, allowed):
		return Fail(s.expected(), "something came back that was sent behind the Close: %v", h)
	case h.close == nil && !(more && h.reset()):
		return Fail(s.expected(), "the Close has no answer: %v", h)
	case !h.over():
		return Fail(s.expected(), "the connection does not end: %v", h)
	case h.close != nil && !s.codeFits(h.close.CloseCode()):
		return h.weak(s.expected())
	}
	return h.pass(s.expected())
}

// expected is the outcome in words.
func (s script) expected() string {
	back, _ := owed(append(s.lead[:len(s.lead):len(s.lead)], s.near...))
	var words []string
	switch s.want {
	case answers:
		all := append(append(s.lead[:len(s.lead):len(s.lead)], s.near...), s.main...)
		back, pings := owed(all)
		words = append(words, frameWords(back)...)
		if len(pings) > 0 {
			words = append(words, "a pong for the last ping")
		}
		words = append(words, "a Close as the answer to 1000")
	case fails:
		for _, w := range frameWords(back) {
			words = append(words, "perhaps "+w)
		}
		words = append(words, "nothing of what is wrong comes back")
		if s.mild {
			words = append(words, "the end of the connection, with or without a Close"+codeWords(s.codes))
		} else {
			words = append(words, "a Close"+codeWords(s.codes)+" (SHOULD)", "the end of the connection")
		}
	case closes:
		for _, w := range frameWords(back) {
			words = append(words, "perhaps "+w)
		}
		words = append(words, "a Close"+codeWords(s.codes), "the end of the connection")
	}
	return strings.Join(words, ", ")
}

func frameWords(frames []Frame) []string {
	var words []string
	for _, f := range frames {
		words = append(words, f.String())
	}
	if len(words) > 4 {
		words = append(words[:3:3], fmt.Sprintf("%d more", len(words)-3))
	}
	return words
}

func codeWords(codes []int) string {
	var words []string
	for _, c := range codes {
		if c == 0 {
			words = append(words, "no code")
		} else {
			words = append(words, fmt.Sprint(c))
		}
	}
	if len(words) == 0 {
		return ""
	}
	return " with " + strings.Join(words, " or ")
}
