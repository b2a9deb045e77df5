package wsspec

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
)

// A corpus is what the messages of groups 12 and 13 are cut from: one after the
// other, and from the start again at the end. The Autobahn testsuite has files of a
// JSON list, a bitmap, a book, an HTML page and a PDF; these here are made to be of the
// same kind and to compress as those do. No verdict depends on what they say.
type corpus struct {
	name   string
	binary bool
	make   func(*rand.Rand, *strings.Builder)
	once   sync.Once
	twice  string // the content two times over, so that any message is a part of it
}

// corpusSize is a corpus's length in bytes. It is a multiple of all message lengths, so
// that there are few different messages, and each is compressed once.
const corpusSize = 512 << 10

// The corpora in Autobahn's order.
var corpora = []*corpus{
	{name: "a JSON list", make: makeJSON},
	{name: "a bitmap", binary: true, make: makeBitmap},
	{name: "a book", binary: true, make: makeBook},
	{name: "an HTML page", make: makeHTML},
	{name: "a PDF", binary: true, make: makePDF},
}

// part returns n bytes from a place on.
func (c *corpus) part(at, n int) string {
	c.once.Do(func() {
		var b strings.Builder
		r := rand.New(rand.NewPCG(12, 13))
		for b.Len() < corpusSize {
			c.make(r, &b)
		}
		once := b.String()[:corpusSize]
		c.twice = once + once
	})
	return c.twice[at : at+n]
}

// pick takes one of them, the first ones more often.
func pick(r *rand.Rand, words []string) string {
	return words[min(r.IntN(len(words)), r.IntN(len(words)), r.IntN(len(words)))]
}

var syllables = strings.Fields("e en er ich der un die ein ge ver auf los ste hal wo mit sein kam tra leb wen fal blu nach sum licht qual burg zorn mai")

func makeWord(r *rand.Rand) string {
	var b strings.Builder
	for range 1 + r.IntN(4) {
		b.WriteString(pick(r, syllables))
	}
	return b.String()
}

// The records of a list are alike and some of their values are.
func makeJSON(r *rand.Rand, b *strings.Builder) {
	kinds := []string{"reading", "alarm", "status"}
	site := makeWord(r)
	for i := range 40 {
		fmt.Fprintf(b, `{"type": "%s", "site": "%s", "sequence": %d, "value": %d.5, "unit": "kWh", "flags": {"valid": true, "estimated": false, "retransmitted": false}, "source": "urn:meter:%s:main"},`+"\n",
			pick(r, kinds), site, 100+i, r.IntN(300), site)
	}
}

// A row's grey values change slowly, with noise.
func makeBitmap(r *rand.Rand, b *strings.Builder) {
	grey := 60 + r.IntN(120)
	for range 512 {
		grey = min(max(grey+r.IntN(5)-2, 40), 200)
		b.WriteByte(byte(grey + r.IntN(28) + r.IntN(28)))
	}
}

var bookWords = func() []string {
	r := rand.New(rand.NewPCG(14, 15))
	words := make([]string, 2500)
	for i := range words {
		words[i] = makeWord(r)
	}
	return words
}()

func makeBook(r *rand.Rand, b *strings.Builder) {
	for range 6 + r.IntN(3) {
		b.WriteString(pick(r, bookWords))
		b.WriteByte(" ,;"[min(r.IntN(3), r.IntN(3), r.IntN(3))])
	}
	b.WriteString("\r\n")
}

func makeHTML(r *rand.Rand, b *strings.Builder) {
	name := pick(r, bookWords)
	fmt.Fprintf(b, "<tr class=\"result\">\n   <td class=\"name\"><a href=\"#%s\">%s</a></td>\n   <td class=\"good\">Pass</td><td class=\"number\">%d ms</td>\n   <td class=\"close\"><span class=\"label\">clean</span></td>\n</tr>\n", name, name, r.IntN(90))
}

// Some text, and streams that are compressed already.
func makePDF(r *rand.Rand, b *strings.Builder) {
	n := 700 + r.IntN(400)
	fmt.Fprintf(b, "%d 0 obj\n<< /Length %d /Filter /FlateDecode >>\nstream\n", r.IntN(999), n)
	for range n {
		b.WriteByte(byte(r.Uint32()))
	}
	b.WriteString("\nendstream\nendobj\n")
	for range 12 {
		fmt.Fprintf(b, "%010d 00000 n\n", r.IntN(1000000))
	}
}
