package peers

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// TestLabCompression holds the tests of what the lab says of compressed messages.
func TestLabCompression(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	t.Run("messages are predicted, compressed and explained", func(t *testing.T) { testCompression(t, s) })
	t.Run("a browser's own messages", func(t *testing.T) { testCompressionLive(t, s) })
	t.Run("looks", func(t *testing.T) { testCompressionLooks(t, s) })
}

const sizes = "[...document.querySelectorAll('.sizes tbody tr')].map(e => [...e.cells].map(c => c.textContent).join('|'))"

// tokenRow is what stands in the tokens of a message.
func tokenRow(message string) string {
	return "[...document.querySelectorAll('.message:nth-of-type(" + message + ") .token')].map(e => e.className + ' ' + e.textContent)"
}

// fills gives a field of the page a value.
func (c *chatter) fills(id string, value any) {
	c.t.Helper()
	c.must(chromedp.Evaluate[chromedp.Void](withValues("{ const e = document.querySelector(%s); e[e.type === 'checkbox' ? 'checked' : 'value'] = %s; e.dispatchEvent(new Event('input', { bubbles: true })); e.dispatchEvent(new Event('change', { bubbles: true })); }", "#"+id, value)))
}

func testCompression(t *testing.T, s *stage) {
	c := s.bench(t, "compression")
	c.until("asks about the second of two equal messages", "document.querySelector('#question').textContent.includes('Message 2 has 73 bytes, and is the same as the first')")
	c.want("waits for a prediction", "document.querySelector('#go').disabled", true)

	c.fills("messages", "abcabcabcabc\nabcabcabcabc\nxyz")
	c.fills("guess", "12")
	c.must(chromedp.Click(chromedp.CSS("#go")))
	c.until("judges the prediction", benchSaid+" === %s", "Not so: you said 12, it takes 4 bytes.")
	c.want("shows the sizes", sizes, []string{"1|12|7|7|0|compressed", "2|12|4|7|3|compressed", "3|3|5|5|0|compressed, though longer: so both windows stay alike", "all|27|16|19|3|16 bytes"})
	c.want("shows literals and a match", tokenRow("1"), []string{"token literal a", "token literal b", "token literal c", "token match abcabcabc 9←3", "token end end"})
	c.want("shows a match with the message before", tokenRow("2"), []string{"token match earlier abcabcabcabc 12←3", "token end end"})
	c.want("shows the window", "document.querySelector('.message:nth-of-type(3) .window').textContent", "abcabcabcabcabcabcabcabc")

	c.must(chromedp.Evaluate[chromedp.Void]("document.querySelector('.message .token').focus()"))
	c.press(kb.ArrowRight)
	c.press(kb.End)
	c.press(kb.ArrowLeft)
	c.until("goes by the arrow keys, and says what it has come to", "document.activeElement.className === 'token match' && document.querySelector('.message .about').textContent.startsWith('Match “abcabcabc”: length 9, distance 3; bit 27–')")
	c.want("marks where it copies from", "[...document.querySelectorAll('.message:nth-of-type(1) .source')].map(e => e.textContent).join('')", "abc")
	c.want("has one stop for Tab in a block", "document.querySelectorAll('.message:nth-of-type(1) .tokens [tabindex=\"0\"]').length", 1)

	c.fills("keep", false)
	c.want("asks again", "document.querySelector('#go').disabled && document.querySelector('#guess').value === ''", true)
	c.fills("guess", "7")
	c.must(chromedp.SendKeys(chromedp.CSS("#guess"), kb.Enter))
	c.until("judges the prediction", benchSaid+" === %s", "Exactly so: you said 7, it takes 7 bytes.")
	c.want("saves nothing, and sends what is longer as it is", sizes, []string{"1|12|7|7|0|compressed", "2|12|7|7|0|compressed", "3|3|5|5|0|as it is: compressed it is longer", "all|27|19|19|0|17 bytes"})

	for _, example := range value[[]string](c, "[...document.querySelectorAll('#example option')].map(e => e.value)") {
		c.fills("example", example)
		c.fills("guess", "1")
		c.must(chromedp.Click(chromedp.CSS("#go")))
		c.until("explains the example "+example, "document.querySelectorAll('.message .tokens').length >= 2 && !document.querySelector('.message .breach')")
	}

	c.fills("messages", strings.Repeat("x", 5000))
	c.fills("guess", "1")
	c.must(chromedp.Click(chromedp.CSS("#go")))
	c.until("says what is too much", benchSaid+" === %s", "Not compressed: message 1 has 5000 bytes, the limit is 4096")
}

// What Chromium has compressed is explained on the live wire: the second message by the
// first, which the window remembers.
func testCompressionLive(t *testing.T, s *stage) {
	c := s.bench(t, "")
	c.connects()
	c.must(chromedp.Evaluate[chromedp.Void]("{ document.querySelector('#text').value = 'what is said once'; }"))
	for range 2 {
		c.must(chromedp.Click(chromedp.CSS("#send")))
	}
	c.until("has both messages and their echoes", onWire+".filter(e => e.textContent.includes('said once')).length === 4")
	second := onWire + ".filter(e => e.classList.contains('came') && e.textContent.includes('said once'))[1]"
	c.must(chromedp.Evaluate[chromedp.Void](second + ".click()"))
	c.until("copies it from the first", "document.querySelector('#fact .inflate')?.textContent.includes('all of them from earlier messages')")
	c.want("shows the match", "document.querySelector('#fact .token.earlier').textContent", "hat is said once 16←17") // zlib looks for a better match from the second byte on
}

func testCompressionLooks(t *testing.T, s *stage) {
	c := s.bench(t, "compression")
	c.fills("guess", "5")
	c.must(chromedp.Click(chromedp.CSS("#go")))
	c.until("has compressed", "document.querySelector('.message .token')")
	c.must(chromedp.Evaluate[chromedp.Void]("document.querySelectorAll('details').forEach(e => { e.open = true; })"))
	c.looksGood(func(scheme string, width int64) {
		for _, frame := range value[[]string](c, "['literal', 'match', 'end'].map(k => getComputedStyle(document.querySelector('.token.' + k)).borderStyle + getComputedStyle(document.querySelector('.token.' + k)).borderWidth).filter((s, i, all) => all.indexOf(s) !== i)") {
			t.Errorf("%s, %d px: two kinds of tokens have the frame %s", scheme, width, frame)
		}
	})
	c.want("has a named row of tokens a block", "[...document.querySelectorAll('.tokens')].every(e => e.role === 'toolbar' && e.ariaLabel.startsWith('Tokens of block'))", true)
	c.want("has a name a token", "[...document.querySelectorAll('.token')].every(e => /^(Literal|Match|The end|\\d+ byte)/.test(e.ariaLabel))", true)
}
