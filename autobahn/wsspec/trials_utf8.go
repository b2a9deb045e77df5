package wsspec

import (
	"fmt"
	"unicode/utf8"
)

const (
	saysValidText  = "[§8.1] When an endpoint is to interpret a byte stream as UTF-8 but finds that the byte stream is not, in fact, a valid UTF-8 stream, that endpoint MUST _Fail the WebSocket Connection_."
	saysCutAnyhow  = "Note that a particular text frame might include a partial UTF-8 sequence; however, the whole message MUST contain valid UTF-8."
	saysEmptyIsOne = "[§5.4] A fragmented message is conceptually equivalent to a single larger message whose payload is equal to the concatenation of the payloads of the fragments in order"
)

// Texts of 6.2 to 6.4. Greek is the word κόσμε.
const (
	greek = "\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5"
	latin = "Hello-µ@ßöäüàá-UTF-8!!"
)

// piecewise are the frames of a text in fragments of one byte. As the testsuite makes
// them, an empty one ends them.
func piecewise(s string) []Frame {
	frames := []Frame{begun(s[:1])}
	for i := 1; i < len(s); i++ {
		frames = append(frames, more(s[i:i+1]))
	}
	return append(frames, last(""))
}

// textTrials are 6.1 to 6.4.
func textTrials() []*trial {
	echoed := func(id, title, clause, text string, do acts) *trial {
		return &trial{id: id, title: title, clause: clause, do: do.closeIn(1), outcomes: ok(gotText(text)), end: normal}
	}
	bad := greek + "\xed\xa0\x80" + "edited"
	return append([]*trial{
		echoed("6.1.1", "an empty text", saysEmptyIsOne, "", first.send(Text(""))),
		echoed("6.1.2", "a text of three empty fragments", saysEmptyIsOne, "", first.send(begun(""), more(""), last(""))),
		echoed("6.1.3", "a text of three fragments, the outer ones empty", saysEmptyIsOne, "middle frame payload",
			first.send(begun(""), more("middle frame payload"), last(""))),
		echoed("6.2.1", "a text beyond ASCII", saysValidText, latin, first.send(Text(latin))),
		echoed("6.2.2", "a text cut between two characters", saysCutAnyhow, latin, first.send(begun("Hello-µ@ßöä"), last("üàá-UTF-8!!"))),
		echoed("6.2.3", "a text in fragments of one byte", saysCutAnyhow, latin, first.send(piecewise(latin)...)),
		echoed("6.2.4", "a Greek text in fragments of one byte", saysCutAnyhow, greek, first.send(piecewise(greek)...)),
		{id: "6.3.1", title: "a surrogate inside a text", clause: saysValidText, do: first.send(Text(bad)).kill(1), outcomes: ok(), end: notText},
		{id: "6.3.2", title: "a surrogate inside a text in fragments of one byte", clause: saysValidText,
			do: first.send(piecewise(bad)...).kill(1), outcomes: ok(), end: notText},
	}, failFastTrials()...)
}

// failFastTrials are 6.4: a text that goes wrong in its second part. A testee need
// not wait for the third to know, and should not: the first pause it has to let pass,
// the second it should not.
func failFastTrials() []*trial {
	bad := greek + "\xf4\x90\x80\x80" + "edited" // beyond U+10FFFF
	var all []*trial
	for i, p := range []struct {
		title     string
		one, two  int // where the parts end
		oneFrame  bool
		thirdWord string
	}{
		{title: "a text that goes wrong in its second fragment", one: 11, two: 15},
		{title: "a text that goes wrong with the byte that is its second fragment", one: 12, two: 13},
		{title: "a text that goes wrong in the second part of its frame", one: 11, two: 15, oneFrame: true},
		{title: "a text that goes wrong with the byte that is the second part of its frame", one: 12, two: 13, oneFrame: true},
	} {
		first1 := first.send(begun(bad[:p.one]))
		second := first.send(more(bad[p.one:p.two]))
		third := first.send(last(bad[p.two:]))
		if p.oneFrame {
			first1 = first.sendHead(begun(bad), p.one)
			second = first.sendRest(p.two - p.one)
			third = first.sendRest(-1).send(last(""))
		}
		a, b := event{aPause, "A"}, event{aPause, "B"}
		all = append(all, &trial{
			id: fmt.Sprintf("6.4.%d", i+1), title: p.title, clause: saysValidText, tags: []string{"pause"},
			do:       first1.linger("A", false, second.linger("B", true, third.kill(1))),
			outcomes: []outcome{{vOK, []event{a}}, {vWeak, []event{a, b}}}, end: notText,
		})
	}
	return all
}

// sequenceTrials are 6.5 to 6.23: texts that are UTF-8 or are not.
func sequenceTrials() []*trial {
	var all []*trial
	for i, group := range sequences() {
		for j, s := range group.texts {
			t := &trial{
				id: fmt.Sprintf("6.%d.%d", i+5, j+1), title: fmt.Sprintf("%s: %+q", group.what, s), clause: saysValidText,
				do: first.send(Text(s)).kill(0.5), outcomes: ok(), end: notText,
			}
			if utf8.ValidString(s) {
				t.outcomes, t.end = ok(gotText(s)), normal
			}
			all = append(all, t)
		}
	}
	return all
}

// A sequenceGroup is a part of Markus Kuhn's stress test for decoders of UTF-8.
type sequenceGroup struct {
	what  string
	texts []string
}

func sequences() []sequenceGroup {
	incomplete := []string{"\xc0", "\xe0\x80", "\xf0\x80\x80", "\xf8\x80\x80\x80", "\xfc\x80\x80\x80\x80",
		"\xdf", "\xef\xbf", "\xf7\xbf\xbf", "\xfb\xbf\xbf\xbf", "\xfd\xbf\xbf\xbf\xbf"}
	var prefixes, lonely []string
	for i := range len(greek) {
		prefixes = append(prefixes, greek[:i+1])
	}
	continuations := []string{"\x80", "\xbf"}
	for n := 2; n <= 6; n++ {
		continuations = append(continuations, repeat("\x80\xbf", 3)[:n])
	}
	continuations = append(continuations, byteRange(0x80, 0xBF, ""))
	for _, r := range [][2]byte{{0xC0, 0xDF}, {0xE0, 0xEF}, {0xF0, 0xF7}, {0xF8, 0xFB}, {0xFC, 0xFD}} {
		lonely = append(lonely, byteRange(r[0], r[1], " "))
	}
	var all string
	for _, s := range incomplete {
		all += s
	}
	return []sequenceGroup{
		{"valid characters", []string{"hello$world", "hello¢world", "hello€world", "hello\U00024b62world", greek}},
		{"a beginning of a Greek text", prefixes},
		{"the first character of a length", []string{"\x00", "\u0080", "\u0800", "\U00010000"}},
		{"the first sequence of 5 or 6 bytes", []string{"\xf8\x88\x80\x80\x80", "\xfc\x84\x80\x80\x80\x80"}},
		{"the last character of a length", []string{"\x7f", "\u07ff", "\uffff", "\U0010ffff"}},
		{"the last sequence of 4, 5 or 6 bytes", []string{"\xf7\xbf\xbf\xbf", "\xfb\xbf\xbf\xbf\xbf", "\xfd\xbf\xbf\xbf\xbf\xbf"}},
		{"a boundary", []string{"\ud7ff", "\ue000", "\ufffd", "\U0010ffff", "\xf4\x90\x80\x80"}},
		{"continuation bytes without a start", continuations},
		{"start bytes that nothing continues", lonely},
		{"a sequence whose last byte is missing", incomplete},
		{"incomplete sequences in a row", []string{all}},
		{"bytes that never occur", []string{"\xfe", "\xff", "\xfe\xfe\xff\xff"}},
		{"an overlong slash", []string{"\xc0\xaf", "\xe0\x80\xaf", "\xf0\x80\x80\xaf", "\xf8\x80\x80\x80\xaf", "\xfc\x80\x80\x80\x80\xaf"}},
		{"the highest overlong sequence", []string{"\xc1\xbf", "\xe0\x9f\xbf", "\xf0\x8f\xbf\xbf", "\xf8\x87\xbf\xbf\xbf", "\xfc\x83\xbf\xbf\xbf\xbf"}},
		{"an overlong NUL", []string{"\xc0\x80", "\xe0\x80\x80", "\xf0\x80\x80\x80", "\xf8\x80\x80\x80\x80", "\xfc\x80\x80\x80\x80\x80"}},
		{"a surrogate", []string{"\xed\xa0\x80", "\xed\xad\xbf", "\xed\xae\x80", "\xed\xaf\xbf", "\xed\xb0\x80", "\xed\xbe\x80", "\xed\xbf\xbf"}},
		{"a pair of surrogates", surrogatePairs()},
		{"a noncharacter, which is valid", noncharacters()},
		{"a special character, which is valid", []string{"\ufff9", "\ufffa", "\ufffb", "\ufffc", "\ufffd", "\ufffe", "\uffff"}},
	}
}

// byteRange is the bytes of a range, each with something behind it, but the last: the
// testsuite leaves it out.
func byteRange(from, to byte, behind string) string {
	var b []byte
	for c := from; c < to; c++ {
		b = append(append(b, c), behind...)
	}
	return string(b)
}

func surrogatePairs() []string {
	var all []string
	for _, high := range []string{"\xed\xa0\x80", "\xed\xad\xbf", "\xed\xae\x80", "\xed\xaf\xbf"} {
		for _, low := range []string{"\xed\xb0\x80", "\xed\xbf\xbf"} {
			all = append(all, high+low)
		}
	}
	return all
}

// noncharacters are U+FFFE and U+FFFF, and of the other planes the last two of each
// 65,536, in the testsuite's order.
func noncharacters() []string {
	all := []string{"\ufffe", "\uffff"}
	for plane := rune(1); plane <= 16; plane++ {
		all = append(all, string(plane<<16|0xFFFE), string(plane<<16|0xFFFF))
	}
	return all
}
