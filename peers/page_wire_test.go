package peers

import (
	"testing"

	"github.com/chromedp/chromedp"
)

// testWire has the server say what goes over the page's own connection, from when the
// panel is opened, with the handshake before; what is above is reckoned.
func testWire(t *testing.T, s *stage) {
	server := buildServer(t)
	server.args = []string{"-compress"}
	server.start(t)
	for url, compressed := range map[string]bool{server.url(): true, s.gate.url(): false} {
		s.part++
		ada, grace := s.chats(t, s.as("Ada"), url+"#wire"), s.chats(t, s.as("Grace"), url+"#wire")
		ada.types("before")
		ada.want("has sent it", delivered, []string{"sent"})
		ada.must(chromedp.Evaluate[chromedp.Void]("void document.querySelector('#frames-button').click()"))
		const real = "[...document.querySelectorAll('#frame-list summary')]"
		ada.until("has both halves of the handshake", real+".map(e => e.querySelector('.payload').textContent).slice(0, 2).map(e => e.slice(0, 12)).join('|') === 'GET /ws?lab=|HTTP/1.1 101'")
		ada.until("keeps apart what was reckoned", "document.querySelector('#frame-list em').textContent.startsWith('above: reckoned') && document.querySelector('#frames-how').textContent.includes('really goes')")
		grace.types("from Grace")
		ada.types("from Ada")
		const sent, received = real + ".findLast(e => e.closest('.sent') && e.textContent.includes('from Ada'))", real + ".find(e => e.closest('.received') && e.textContent.includes('from Grace'))"
		ada.until("sees both go", "!!("+sent+") && !!("+received+")")
		first, header := "81", "/^81 [\\da-f]{2}( [\\da-f]{2}){4,6}$/"
		if compressed {
			first, header = "c1", "/^c1 [\\da-f]{2}( [\\da-f]{2}){4,6}$/"
		}
		ada.until("sees its own masking key", header+".test("+sent+".querySelector('.head').textContent)")
		ada.until("sees that a server does not mask", "/^"+first+" [0-7][\\da-f]( [\\da-f]{2}){0,2}$/.test("+received+".querySelector('.head').textContent)")
		ada.must(chromedp.Evaluate[chromedp.Void]("void " + sent + ".click()"))
		ada.until("opens it bit by bit", "document.querySelectorAll('#frame-list details[open] .bits .field').length >= 6 && [...document.querySelectorAll('#frame-list details[open] .fields td')].some(e => e.textContent === 'MASK')")
		ada.until("has its style", "getComputedStyle(document.querySelector('#frame-list details[open] .bits')).tableLayout === 'fixed'")
		ada.looksGood()
		if value[bool](ada, "[...document.querySelectorAll('#frame-list .payload')].some(e => e.textContent.includes('Grace') && e.textContent.includes('\"hello\"'))") {
			t.Error("the panel shows what another page has sent")
		}
		if compressed {
			ada.until("says what a compressed message is made of", "document.querySelector('#frame-list details[open] .inflate .token.literal')?.getBoundingClientRect().width >= 24")
			// "abc" is the secret; nothing that is made of the content may show it.
			if got := value[string](ada, "import(new URL('wire.js', location.href)).then(m => m.without({ content: '7b616263', rows: [], compressed: true, inflate: {} }, 'abc')).then(f => f.content + (f.inflate ? ' and its tokens' : ''))"); got != "7b2a2a2a" {
				t.Errorf("with a secret the panel shows %s", got)
			}
		}
		ada.must(chromedp.Evaluate[chromedp.Void]("(() => { for (let i = 0; i < 2; i++) document.querySelector('#frames-button').click(); })()"))
		ada.until("has them again", real+".some(e => e.textContent.includes('from Grace'))")
		ada.quiet(t)
	}
}
