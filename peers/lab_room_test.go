package peers

import (
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// TestLabRoom holds the tests of the page with the slow readers.
func TestLabRoom(t *testing.T) {
	t.Parallel()
	s := &labStage{startBrowser(t), buildServer(t)}
	s.browser.strict = true
	s.program.start(t)
	for _, part := range []struct {
		name string
		test func(*testing.T, *labStage)
	}{
		{"a reader stops, is cut, and comes back", testRoomCut},
		{"with keys alone", testRoomKeys},
		{"mistakes are explained", testRoomMistakes},
		{"light, dark, wide and narrow", testRoomLooks},
	} {
		t.Run(part.name, func(t *testing.T) { part.test(t, s) })
	}
}

const (
	roomStates = "[...document.querySelectorAll('.reader .state')].map(e => e.textContent)"
	roomLog    = "document.querySelector('#log').textContent"
	roomStatus = "document.querySelector('#status').textContent"
)

// settles chooses values of the page's controls.
func (c *chatter) settles(values map[string]string) {
	c.t.Helper()
	for id, v := range values {
		c.must(chromedp.Evaluate[chromedp.Void](withValues("{ const e = document.getElementById(%s); e.value = %s; e.dispatchEvent(new Event('change', { bubbles: true })); }", id, v)))
	}
}

// enters opens a room, after a prediction, whose queues are full in two seconds: soon, and
// not so soon that a busy machine could fill those of readers that are not slow.
func (c *chatter) enters() {
	c.t.Helper()
	c.until("wants a prediction first", "document.querySelector('#open').disabled")
	c.settles(map[string]string{"say-others": "go on", "say-end": "stays", "say-log": "all",
		"set-readers": "3", "set-rate": "25", "set-text": "1000", "set-queue": "49152", "set-close": "10000", "set-wire": "4096"})
	c.must(chromedp.Click(chromedp.CSS("#open")))
	c.until("has the room", "document.body.dataset.room === 'open'")
	c.until("has everybody in it, and reading", roomStates+".join() === 'here,here,here' && [...document.querySelectorAll('.reader .latency')].every(e => e.textContent.includes('median'))")
}

// speed is the button that has a reader read so.
func roomSpeed(reader, speed string) string {
	return withValues("[...document.querySelectorAll('.reader[aria-label=' + %s + '] button')].find(e => e.textContent === %s)", reader, speed)
}

func testRoomCut(t *testing.T, s *labStage) {
	c := s.learns(t, "room")
	c.enters()
	c.must(chromedp.Evaluate[chromedp.Void](roomSpeed("Barbara", "stopped") + ".click()"))
	// It comes back at once, so that the Close frame still finds it.
	c.until("sees it cut, and lets it come back", "(() => { const back = document.querySelector('.reader[aria-label=Barbara] .back'); if (back.hidden) return false; back.click(); return true; })()")
	c.until("reads why", roomLog+".includes('Barbara reads why: close 4008, “reads too slowly”')")
	c.until("shows that very frame", `(() => {
		const close = [...document.querySelectorAll('#log .facts details')].find(e => e.textContent.includes('4008'));
		return close?.open && [...close.querySelectorAll('.fields tr')].some(e => [...e.cells].slice(1, 3).map(c => c.textContent).join('=') === 'opcode=8');
	})()`)
	c.until("asks to come back, or is asked again", "(() => { const back = document.querySelector('.reader[aria-label=Barbara] .back'); if (!back.hidden) back.click(); return "+roomLog+".includes('Barbara is back'); })()")
	c.until("has everything", `/Barbara has everything\. [\d,]+ messages? came from the log/.test(`+roomLog+")")
	c.until("is as the others", roomStates+".join() === 'here,here,here'")
	c.until("says what its join was answered", "[...document.querySelectorAll('#log .facts summary')].some(e => e.textContent.includes('joined'))")
	c.until("judges the prediction", `(() => {
		const rows = [...document.querySelectorAll('#verdicts tbody tr')].map(e => [...e.cells].map(c => c.textContent));
		return rows.length === 3 && rows[1][2] === 'is cut off by the server' && rows[1][3] === 'not so' && rows[2][2].startsWith('comes, all of it') && rows[2][3] === 'right';
	})()`)
	c.want("has no message twice", "[...document.querySelectorAll('.reader .read')].every(e => e.textContent.includes('none twice'))", true)
	c.must(chromedp.Click(chromedp.CSS("#shut")))
	c.until("closes the room", "document.body.dataset.room === 'over' && "+roomStatus+" === 'The room is closed.'")
	c.until("may open another", "!document.querySelector('#open').disabled")
}

// testRoomKeys goes through the page as somebody does who has no pointer.
func testRoomKeys(t *testing.T, s *labStage) {
	c := s.learns(t, "room")
	c.enters()
	c.must(chromedp.Evaluate[chromedp.Void](roomSpeed("Ada", "stopped")+".focus()"), chromedp.KeyEvent(" "))
	c.until("has stopped her", roomSpeed("Ada", "stopped")+".getAttribute('aria-pressed') === 'true'")
	c.until("sees her cut", "!document.querySelector('.reader[aria-label=Ada] .back').hidden")
	c.must(chromedp.Evaluate[chromedp.Void]("document.querySelector('.reader[aria-label=Ada] .back').focus()"), chromedp.KeyEvent(kb.Enter))
	c.until("keeps the others", roomStates+".slice(1).join() === 'here,here'")
	c.must(chromedp.Evaluate[chromedp.Void]("document.querySelector('#rate').focus()"), chromedp.KeyEvent(kb.End))
	c.until("has changed the rate", "document.querySelector('#rate-is').textContent === '200'")
	c.want("can be moved to, control by control", "[...document.querySelectorAll('main button, main select, main input, main summary')].every(e => e.tabIndex === 0)", true)
	c.want("names what it measures", "[...document.querySelectorAll('meter')].every(e => /^(Queue of|Network to) /.test(e.ariaLabel))", true)
	c.want("says aloud one thing only", "document.querySelectorAll('main [aria-live]:not(.about)').length", 1.0)
	c.must(chromedp.Click(chromedp.CSS("#shut")))
}

func testRoomMistakes(t *testing.T, s *labStage) {
	c := s.learns(t, "room")
	c.settles(map[string]string{"say-others": "wait", "say-end": "cut", "say-log": "lost"})
	c.must(chromedp.Evaluate[chromedp.Void]("{ document.querySelector('#form').noValidate = true; document.querySelector('#set-queue').value = 5; }"), chromedp.Click(chromedp.CSS("#open")))
	c.until("says what is wrong", roomStatus+".startsWith('No room: queue: 5, but 16384 to 1048576 bytes are expected')")
	c.until("may try again", "!document.querySelector('#open').disabled")
}

func testRoomLooks(t *testing.T, s *labStage) {
	c := s.learns(t, "room")
	c.must(chromedp.Evaluate[chromedp.Void]("void (document.querySelector('#form details').open = true)"))
	c.enters()
	c.must(chromedp.Evaluate[chromedp.Void](roomSpeed("Barbara", "2 a second") + ".click()"))
	c.until("sees it cut", "!document.querySelector('.reader[aria-label=Barbara] .back').hidden")
	c.looksGood()
	c.must(chromedp.Click(chromedp.CSS("#shut")))
}
