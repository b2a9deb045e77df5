package wsspec

import (
	"strings"
	"testing"

	"framewright/autobahn/wsspec/internal/deflate"
)

// The corpora compress about as Autobahn's own files do, and its text is text.
func TestCorpora(t *testing.T) {
	for i, want := range []float64{0.044, 0.852, 0.389, 0.055, 0.757} {
		c := corpora[i]
		text := c.part(0, 256<<10)
		ratio := float64(len(deflate.Append(nil, nil, []byte(text), 15))) / float64(len(text))
		if ratio < want*0.8 || ratio > want*1.2 {
			t.Errorf("%s comes to %.3f of itself, Autobahn's to %.3f", c.name, ratio, want)
		}
		if !c.binary && strings.ContainsFunc(text, func(r rune) bool { return r > 0x7f }) {
			t.Errorf("%s is not ASCII, so a message of text could be cut inside a character", c.name)
		}
	}
}

// A message at the start of the corpus refers to its end once that has been sent.
func TestSalvoComesRound(t *testing.T) {
	s := newSalvo(salvoKey{corpora[0], 16 << 10, 0, 12, true, false})
	round := corpusSize / s.length
	if string(s.wire(0)) == string(s.wire(round)) || string(s.wire(1)) != string(s.wire(round+1)) {
		t.Error("the first message is the same as one round later, or the second is not")
	}
	if s.content(0) != s.content(round) {
		t.Error("the content is another one round later")
	}
}
