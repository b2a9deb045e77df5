package peers

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// A labStage is one browser and one server for all tests of the wire lab.
type labStage struct {
	*browser
	*program
}

// learns opens a page of the lab.
func (s *labStage) learns(t *testing.T, page string) *chatter {
	t.Helper()
	p, err := s.browser.open(t, page, s.program.url()+"lab/"+page)
	if err != nil {
		t.Fatal(err)
	}
	c := &chatter{p, t, "the page /lab/" + page}
	c.until("is there", "document.querySelectorAll('#nav a').length > 0")
	return c
}

// looksGood holds a page of the lab against what can be measured of its looks (looks.js),
// by day and by night, on a desktop and a phone, and its fields against having a name.
// also is what else is to be looked at each time.
func (c *chatter) looksGood(also ...func(scheme string, width int64)) {
	c.t.Helper()
	c.must(chromedp.Evaluate[chromedp.Void](looksScript))
	for _, scheme := range []string{"light", "dark"} {
		for _, width := range []int64{1280, 360} {
			c.prefers("prefers-color-scheme", scheme)
			c.until("has the scheme", "matchMedia('(prefers-color-scheme: '+%s+')').matches", scheme)
			c.resize(width, 800, width < 500)
			for _, found := range value[[]string](c, "looks()") {
				c.t.Errorf("%s, %s, %d px: %s", c.name, scheme, width, found)
			}
			for _, f := range also {
				f(scheme, width)
			}
		}
	}
	if nameless := value[[]string](c, "[...document.querySelectorAll('input, select, textarea, meter')].filter(e => !e.labels?.length && !e.ariaLabel).map(e => e.outerHTML)"); len(nameless) > 0 {
		c.t.Errorf("%s: without a name: %q", c.name, nameless)
	}
}

// TestLab holds the tests of the lab's pages.
func TestLab(t *testing.T) {
	t.Parallel()
	s := &labStage{startBrowser(t), buildServer(t)}
	s.browser.strict = true
	s.program.start(t)
	for name, test := range map[string]func(*testing.T, *labStage){
		"the live wire, as it looks": testLiveLooks,
		"the live wire":              testLive,
		"the chat's own wire":        testLiveChat,
		"nobody else's wire":         testLiveApart,
		"a violation":                testBreak,
		"a page that is left":        testLeave,
	} {
		t.Run(name, func(t *testing.T) { test(t, s) })
	}
}

const (
	onWire  = "[...document.querySelectorAll('#facts button')]"
	watched = "document.body.dataset.watching === 'true'"
	// shownFields are the rows of the frame that is shown: field and value.
	shownFields = "[...document.querySelectorAll('#fact .fields tbody tr, #fact .fields > tr')].map(e => [...e.cells].slice(1, 3).map(c => c.textContent).join('='))"
)

// connects opens the connection that is chosen, by default the echo.
func (c *chatter) connects() {
	c.t.Helper()
	c.until("watches", watched)
	c.must(chromedp.Click(chromedp.CSS("#open")))
	c.until("is connected", "!document.querySelector('#send').disabled")
}

func testLive(t *testing.T, s *labStage) {
	c := s.learns(t, "")
	c.connects()
	c.until("has both halves of the handshake", onWire+".filter(e => e.textContent.includes('handshake')).length === 2")
	c.must(chromedp.Click(chromedp.CSS("#facts li:nth-child(1) button")))
	c.until("works the accept key out", `(() => {
		const accept = document.querySelector('#fact .answer').textContent;
		document.querySelector('#facts li:nth-child(2) button').click();
		return [...document.querySelectorAll('#fact .head code')].some(e => e.textContent === 'Sec-WebSocket-Accept: ' + accept);
	})()`)

	c.must(chromedp.Click(chromedp.CSS("#send")))
	c.until("has the message and its echo", onWire+".filter(e => e.textContent.includes('Hello')).length === 2")
	c.must(chromedp.Click(chromedp.CSS("#facts li:nth-child(3) button")))
	c.until("shows every field, as the server states it", shownFields+".slice(0, 5).join(' ') === 'FIN=1 RSV1-3=4 opcode=1 MASK=1 length=7'")
	c.until("has the figure", "document.querySelectorAll('#fact .bits .field').length === 7") // the key stands in two lines
	c.until("inflates it", "[...document.querySelectorAll('#fact .payload td')].some(e => e.textContent === 'Hello')")
	c.must(chromedp.Evaluate[chromedp.Void]("void document.querySelector('#fact .bits .f-mask').focus()"))
	c.until("says what a bit is for", "document.querySelector('#fact .about').textContent.includes('MASK = 1') && document.querySelector('#fact .about a').textContent === '§5.1'")
	c.until("knows where both directions stand", "[...document.querySelectorAll('.states [aria-current]')].map(e => e.textContent).join() === 'ready,ready'")

	c.must(chromedp.Click(chromedp.CSS("#pause")), chromedp.Click(chromedp.CSS("#send-binary")))
	c.until("holds what comes", "document.querySelector('#said').textContent === '2 more' && "+onWire+".length === 4")
	c.must(chromedp.Click(chromedp.CSS("#step")))
	c.until("goes on by one", "document.querySelector('#said').textContent === '1 more' && "+onWire+".length === 5")
	c.must(chromedp.Click(chromedp.CSS("#pause")))
	c.until("goes on", onWire+".length === 6")

	c.must(chromedp.Click(chromedp.CSS("#shut")))
	c.until("has both Close frames", onWire+".filter(e => /close.*1000/.test(e.textContent)).length === 2 && "+onWire+".some(e => e.textContent.includes('1000 “bye”'))")
	c.until("shows that it is over", "[...document.querySelectorAll('.states [aria-current]')].map(e => e.textContent).join() === 'closed,closed' && document.querySelector('#state').textContent.startsWith('closed with 1000')")
	c.must(chromedp.Evaluate[chromedp.Void]("(() => { const f = document.querySelector('#filter'); f.value = 'control'; f.dispatchEvent(new Event('change')); })()"))
	c.until("filters", onWire+".length === 2")
	if got := value[string](c, `import(new URL('facts.js', location.href)).then(m => fetch('pcap?secret=' + m.secret)).then(r => r.arrayBuffer())
		.then(b => [...new Uint8Array(b, 0, 4)].map(n => n.toString(16)).join(' ') + (b.byteLength > 500 ? ', long enough' : ''))`); got != "d4 c3 b2 a1, long enough" {
		t.Errorf("what is exported begins %s", got)
	}
}

// A violation is predicted, played, and judged beside the prediction.
func testBreak(t *testing.T, s *labStage) {
	c := s.learns(t, "break")
	set := func(id, value string) {
		t.Helper()
		c.must(chromedp.Evaluate[chromedp.Void](withValues(`(() => { const e = document.querySelector(%s); e.value = %s; e.dispatchEvent(new Event("change", { bubbles: true })); })()`, "#"+id, value)))
	}
	c.until("has the violations", "document.querySelectorAll('#which option').length >= 60")
	c.until("wants a prediction first", "document.querySelector('#play').disabled")
	const verdicts = "[...document.querySelectorAll('#result .prediction tbody tr, #result .prediction > tr')].map(e => [...e.cells].map(c => c.textContent).join('|'))"
	for _, tt := range []struct{ id, says, at, want string }{
		{"unmasked", "close 1002", "2", "the server says|close 1002|close 1002|right it knows after byte|2|2|right who closes||the server|"},
		{"bad-byte", "close 1002", "3", "the server says|close 1002|close 1007|not so it knows after byte|3|9|not so who closes||the server|"},
		{"version-8", "http 426", "", "the server says|http 426|http 426|right"},
		{"server-accept", "refused", "", "the client says|refused|refused|right"},
		{"server-masked", "text", "2", "the client says|text|close 1002|not so it knows after byte|2|2|right who closes||the client|"},
	} {
		set("which", tt.id)
		set("says", tt.says)
		c.must(chromedp.Evaluate[chromedp.Void](withValues("void (document.querySelector('#at').value = %s)", tt.at)), chromedp.Click(chromedp.CSS("#play")))
		c.until("judges "+tt.id, verdicts+".join(' ') === %s", tt.want)
		c.until("says where it stands", `/^ws\/[\w/]+\.go:\d+$/.test(document.querySelector('#result .where').textContent)`)
		c.until("leads to the line", "/^source\\?file=ws\\/[\\w/]+\\.go&line=(\\d+)#L\\1$/.test(document.querySelector('#result .where').getAttribute('href'))")
		c.until("shows the dialogue", "document.querySelectorAll('#result .facts li').length >= 2")
	}
}

// The chat's own connection, with the secret in its address, is seen as well.
func testLiveChat(t *testing.T, s *labStage) {
	c := s.learns(t, "")
	c.must(chromedp.Evaluate[chromedp.Void]("(() => { document.querySelector('#to').value = '../ws'; })()"))
	c.connects()
	c.must(chromedp.Evaluate[chromedp.Void](`(() => { document.querySelector('#text').value = '{"type":"hello","v":1,"name":"Ada"}'; })()`), chromedp.Click(chromedp.CSS("#send")))
	c.until("sees what the chat answers", onWire+".some(e => e.classList.contains('sent') && e.textContent.includes('{\"type\"'))")
}

// What one page does, another does not see.
func testLiveApart(t *testing.T, s *labStage) {
	ada, grace := s.learns(t, ""), s.learns(t, "")
	grace.connects()
	ada.connects()
	ada.must(chromedp.Click(chromedp.CSS("#send")))
	ada.until("has the message and its echo", onWire+".length === 4")
	grace.must(chromedp.Click(chromedp.CSS("#shut")))
	grace.until("sees her own connection only", onWire+".length === 4 && "+onWire+".every(e => !e.textContent.includes('Hello'))")
	if secret := value[string](grace, "import(new URL('facts.js', location.href)).then(m => m.secret)"); len(secret) != 32 || strings.Trim(secret, "0123456789abcdef") != "" {
		t.Errorf("the secret is %q", secret)
	}
}

// A page that is left is forgotten at once, and one that the browser brings back watches again.
func testLeave(t *testing.T, s *labStage) {
	c := s.learns(t, "")
	c.until("watches", watched)
	secret := value[string](c, "import(new URL('facts.js', location.href)).then(m => m.secret)")
	remembered := func() bool {
		resp, err := http.Get(s.program.url() + "lab/pcap?secret=" + secret)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		said, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return !strings.Contains(string(said), "no page watches")
	}
	if !remembered() {
		t.Fatal("what the page sees is not remembered")
	}
	c.must(chromedp.Navigate(s.program.url() + "lab/lessons"))
	c.until("is at the lessons", "document.querySelector('.lessons')")
	for began := time.Now(); remembered(); time.Sleep(20 * time.Millisecond) {
		if time.Since(began) > patience {
			t.Fatal("a page that was left is still remembered")
		}
	}
	c.must(chromedp.Evaluate[chromedp.Void]("void history.back()"))
	c.until("watches again", watched)
}

// The live wire with a message in full, and chosen without a pointer.
func testLiveLooks(t *testing.T, s *labStage) {
	c := s.learns(t, "")
	c.connects()
	c.must(chromedp.Click(chromedp.CSS("#send")))
	c.until("has the message and its echo", onWire+".filter(e => e.textContent.includes('Hello')).length === 2")
	c.must(chromedp.Evaluate[chromedp.Void]("void document.querySelector('#facts').focus()"))
	for range 3 {
		c.press(kb.Tab)
	}
	c.want("is at the third", "document.activeElement === document.querySelector('#facts li:nth-child(3) button')", true)
	c.press(kb.Enter)
	c.until("shows it", "document.querySelector('#fact .bits') && document.activeElement.getAttribute('aria-current') === 'true'")
	c.until("says so", "document.querySelector('#said').textContent.includes('server receives text')")
	c.want("has it in a region", "document.querySelector('#fact').role + ': ' + document.querySelector('#fact').ariaLabel", "region: What is chosen")
	c.looksGood()
}
