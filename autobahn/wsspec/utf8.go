package wsspec

import (
	"errors"
	"fmt"
	"strings"
)

const (
	mustBeUTF8  = `When an endpoint is to interpret a byte stream as UTF-8 but finds that the byte stream is not, in fact, a valid UTF-8 stream, that endpoint MUST _Fail the WebSocket Connection_. This rule applies both during the opening handshake and during subsequent data exchange.`
	partialUTF8 = `[§5.6] Note that a particular text frame might include a partial UTF-8 sequence; however, the whole message MUST contain valid UTF-8.`
	anyBinary   = `The "Payload data" is arbitrary binary data whose interpretation is solely up to the application layer.`
	fastWhy     = "The RFC does not say when: a peer may look at the text once it has all of it."
)

// characters are at the bounds of what UTF-8 has for each length.
var characters = []struct{ word, s string }{
	{"0000", "\x00"}, {"007f", "\x7f"},
	{"0080", "\u0080"}, {"07ff", "\u07ff"},
	{"0800", "\u0800"}, {"0fff", "\u0fff"}, {"d7ff", "\ud7ff"}, {"e000", "\ue000"}, {"feff", "\ufeff"}, {"fffd", "\ufffd"}, {"fffe", "\ufffe"}, {"ffff", "\uffff"},
	{"10000", "\U00010000"}, {"3ffff", "\U0003ffff"}, {"fffff", "\U000fffff"}, {"10ffff", "\U0010ffff"},
}

// badText are byte sequences that no UTF-8 has, or that end too early.
var badText = []struct{ word, title, s string }{
	{"lone-80", "a lone continuation byte", "\x80"},
	{"lone-bf", "a lone continuation byte", "\xbf"},
	{"second-continuation", "a continuation byte too many", "\xc3\xa9\x80"},
	{"2-then-ascii", "a character of 2 bytes that lacks one", "\xc3z"},
	{"3-then-ascii", "a character of 3 bytes that lacks one", "\xe2\x82z"},
	{"3-then-2", "a character of 3 bytes that lacks two", "\xe2\xc3\xa9"},
	{"4-then-ascii", "a character of 4 bytes that lacks one", "\xf0\x9f\x92z"},
	{"4-then-3", "a character of 4 bytes that lacks two", "\xf0\x9f\xe2\x82\xac"},
	{"overlong-2-nul", "NUL in 2 bytes", "\xc0\x80"},
	{"overlong-2-slash", "a slash in 2 bytes", "\xc0\xaf"},
	{"overlong-2-max", "U+007F in 2 bytes", "\xc1\xbf"},
	{"overlong-3-slash", "a slash in 3 bytes", "\xe0\x80\xaf"},
	{"overlong-3-max", "U+07FF in 3 bytes", "\xe0\x9f\xbf"},
	{"overlong-4-slash", "a slash in 4 bytes", "\xf0\x80\x80\xaf"},
	{"overlong-4-max", "U+FFFF in 4 bytes", "\xf0\x8f\xbf\xbf"},
	{"surrogate-d800", "the first surrogate", "\xed\xa0\x80"},
	{"surrogate-dbff", "the last high surrogate", "\xed\xaf\xbf"},
	{"surrogate-dc00", "the first low surrogate", "\xed\xb0\x80"},
	{"surrogate-dfff", "the last surrogate", "\xed\xbf\xbf"},
	{"surrogate-pair", "a pair of surrogates", "\xed\xa0\xbd\xed\xb8\x80"},
	{"above-110000", "U+110000", "\xf4\x90\x80\x80"},
	{"above-13ffff", "U+13FFFF", "\xf4\xbf\xbf\xbf"},
	{"f5", "a character that begins with F5", "\xf5\x80\x80\x80"},
	{"f7", "a character that begins with F7", "\xf7\xbf\xbf\xbf"},
	{"5-bytes", "a character of 5 bytes", "\xf8\x88\x80\x80\x80"},
	{"6-bytes", "a character of 6 bytes", "\xfc\x84\x80\x80\x80\x80"},
	{"fe", "the byte FE", "\xfe"},
	{"ff", "the byte FF", "\xff"},
}

var cutText = []struct{ word, title, s string }{
	{"2", "1 byte of a character of 2", "\xc3"},
	{"3-1", "1 byte of a character of 3", "\xe2"}, {"3-2", "2 bytes of a character of 3", "\xe2\x82"},
	{"4-1", "1 byte of a character of 4", "\xf0"}, {"4-2", "2 bytes of a character of 4", "\xf0\x9f"}, {"4-3", "3 bytes of a character of 4", "\xf0\x9f\x92"},
}

// fragmentsOf cuts a text into fragments of so many bytes.
func fragmentsOf(s string, size int) []Frame {
	f := begun(s[:min(size, len(s))])
	out := frames(f)
	for i := size; i < len(s); i += size {
		out = append(out, more(s[i:min(i+size, len(s))]))
	}
	out[len(out)-1].Fin = true
	return out
}

// utf8Chapter is §8.1: which texts are right, however they come, and which are not.
func utf8Chapter() []*Case {
	ch := &chapter{name: "utf8", roles: Both}
	ch.goodText()
	ch.wrongText()
	ch.failFast()
	return ch.cases
}

func (ch *chapter) goodText() {
	ch.at("8.1", partialUTF8)
	all := ""
	for _, c := range characters {
		all += c.s
		name := "U+" + strings.ToUpper(c.word)
		ch.script("u-"+c.word, name+" between two letters", script{main: frames(Text("a" + c.s + "z"))})
		if len(c.s) > 1 {
			ch.script("u-"+c.word+"-fragments", name+" in fragments of a byte", script{main: fragmentsOf(c.s, 1)})
		}
	}
	for size := range 5 {
		ch.script(fmt.Sprintf("all-in-fragments-%d", size+1), fmt.Sprintf("characters of all lengths in fragments of %d bytes", size+1),
			script{main: fragmentsOf(all, size+1)})
	}
	ch.script("all-by-byte", "characters of all lengths in segments of a byte", script{main: frames(Text(all)), cut: byByte})
	ch.script("all-by-byte-in-fragments", "characters of all lengths in fragments and segments of a byte", script{main: fragmentsOf(all, 1), cut: byByte})
	var pings []Frame
	for i, f := range fragmentsOf(all, 1) {
		pings = append(pings, f)
		if !f.Fin && i%3 == 0 {
			pings = append(pings, Ping("between"), more(""))
		}
	}
	ch.script("all-with-pings", "pings and empty fragments inside characters", script{main: pings})
	ch.script("fresh-after-text", "two texts, each checked by itself", script{main: frames(Text("a\u00e9"), Text("\u00e9a"))})

	ch.at("5.6", anyBinary)
	bad := ""
	for _, b := range badText {
		bad += b.s
	}
	ch.script("binary", "a binary message of bytes that are no UTF-8", script{main: frames(Binary([]byte(bad)))})
	ch.script("binary-fragments", "a binary message of bytes that are no UTF-8, in fragments", script{main: frames(
		Frame{Opcode: OpBinary, Payload: []byte("\xff")}, more("\xc0"), last("\xe2\x82"))})
	ch.script("binary-then-text", "a binary message that ends inside a character, and a text", script{main: frames(Binary([]byte("\xe2\x82")), Text("\u20ac"))})
}

func (ch *chapter) wrongText() {
	ch.at("8.1", mustBeUTF8)
	bad := func(word, title string, s script) {
		s.want, s.codes = fails, []int{1007}
		ch.script(word, title, s)
	}
	for _, b := range badText {
		s := "a\u00e9" + b.s + "z"
		bad(b.word, b.title, script{main: frames(Text(s))})
		bad(b.word+"-fragments", b.title+", in fragments of a byte", script{main: fragmentsOf(s, 1)})
		bad(b.word+"-by-byte", b.title+", in segments of a byte", script{main: frames(Text(s)), cut: byByte})
	}
	for _, c := range cutText {
		s := "a\u00e9" + c.s
		bad("cut-"+c.word, "a text that ends behind "+c.title, script{main: frames(Text(s))})
		bad("cut-"+c.word+"-fragments", "a text that ends behind "+c.title+", in fragments of a byte", script{main: fragmentsOf(s, 1)})
		bad("cut-"+c.word+"-last-empty", "a text that ends behind "+c.title+" and an empty fragment", script{main: frames(begun(s), last(""))})
	}
	bad("cut-then-rest", "a text that ends inside a character, and the rest of it in the next", script{main: frames(Text("\xe2\x82"), Text("\xac"))})
	bad("second-text", "a wrong text after a right one", script{lead: frames(Text("\u20ac")), main: frames(Text("\xff"))})
	bad("after-binary", "a wrong text after a binary message", script{lead: frames(Binary([]byte("\xff"))), main: frames(Text("\xff"))})
	bad("glued", "a right and a wrong text in one write", script{near: frames(Text("\u20ac")), main: frames(Text("\xff"))})
	bad("64-kib", "64 KiB of text whose last byte is wrong", script{main: frames(Text(string(letters(65536)) + "\xff"))})
}

// failFast looks when wrong text is noticed: the byte with which it cannot be right
// any more is there, and what belongs behind it has not come.
func (ch *chapter) failFast() {
	ch.at("8.1", mustBeUTF8)
	for _, b := range badText {
		switch b.word {
		case "lone-80", "2-then-ascii", "overlong-2-slash", "overlong-3-max", "overlong-4-max", "surrogate-d800", "above-110000", "f5":
		default:
			continue
		}
		s := "a\u00e9" + b.s
		at := firstBad(s)
		ch.add("fast-"+b.word+"-fragment", b.title+" in a fragment; the last one comes later", fast{s, at, true}.play, info(fastWhy), tagged("fast"))
		ch.add("fast-"+b.word+"-frame", b.title+" in a frame whose rest comes later", fast{s, at, false}.play, info(fastWhy), tagged("fast"))
	}
}

// firstBad is how many bytes there are up to the first that cannot be right.
func firstBad(s string) int {
	var c textCheck
	for i := range len(s) {
		if !c.add([]byte{s[i]}) {
			return i + 1
		}
	}
	return len(s)
}

// A fast is a wrong text in two parts: the first ends with the byte that is wrong.
type fast struct {
	text     string
	at       int
	fragment bool // the parts are fragments, or else of one frame
}

func (f fast) play(d *Dialogue) Verdict {
	s := script{want: fails, codes: []int{1007}}
	if err := d.Open(); err != nil {
		return Fail(s.expected(), "%v", err)
	}
	s.lead = frames(Text("good"))
	h := &hearing{mute: true}
	d.Send(s.lead...)
	if !h.await(d, s.lead) {
		return h.fail(s.expected())
	}
	first, rest := d.Encode(begun(f.text[:f.at])), d.Encode(last(f.text[f.at:]+"rest"))
	if !f.fragment {
		b := d.Encode(Text(f.text + "rest"))
		cut := len(b) - len(f.text) - len("rest") + f.at
		first, rest = b[:cut], b[cut:]
	}
	d.Write(first)
	when := "at once: "
	if e := d.NextIn(d.Patience / 5); errors.Is(e.Err, ErrSilent) {
		when = "when the message has ended: "
		d.Write(rest)
	} else if e.Err != nil {
		h.end = e.Err
	} else {
		h.take(e)
	}
	v := s.failed(d, h)
	v.Hard = v.Outcome == Failed
	v.Actual = when + v.Actual
	return v
}
