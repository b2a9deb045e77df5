package peers

import (
	"strings"
	"testing"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"

	"framewright/chat"
)

// pastes puts text where the cursor is, as a paste does: a maxlength would cut it.
func (c *chatter) pastes(css, text string) {
	c.t.Helper()
	c.must(chromedp.Focus(chromedp.CSS(css)))
	_ = value[bool](c, withValues("document.execCommand('insertText', false, %s)", text))
}

// enter presses Enter as one event, as a keyboard does. (Of the two that KeyEvent
// makes of it the second goes by a page that has taken the first.)
func (c *chatter) enter() {
	c.t.Helper()
	for _, kind := range []string{"keyDown", "keyUp"} {
		k := input.DispatchKeyEventParams{Type: input.DispatchKeyEventType(kind), Key: "Enter", Code: "Enter", WindowsVirtualKeyCode: 13}
		if kind == "keyDown" {
			k.Text = "\r"
		}
		c.must(command(input.DispatchKeyEvent, k))
	}
}

// testLength pastes what is long and what is too long, in letters of one to four
// bytes: nothing of it is lost, and what the server would refuse is not sent.
func testLength(t *testing.T, s *stage) {
	_, gate := hubBehindPage(t, s, chat.Options{MaxText: 6000})
	ada := s.chats(t, "Ada", gate.url()+"#long")
	const (
		box   = "document.querySelector('#text').value"
		note  = "document.querySelector('#text-note').textContent"
		state = "[document.querySelector('#send').disabled, document.querySelector('#text').getAttribute('aria-invalid'), document.querySelector('#text-note').hidden]"
	)
	var sent []string
	for _, tt := range []struct {
		text, words string
		over        bool
	}{
		{strings.Repeat("x", 4800), "", false},
		{strings.Repeat("x", 5000), "5,000 of 6,000 characters", false},
		{strings.Repeat("x", 6000), "6,000 of 6,000 characters", false},
		{strings.Repeat("x", 6001), "6,001 of 6,000 characters: 1 too many.", true},
		{strings.Repeat("ä", 3000), "6,000 of 6,000 bytes", false},
		{strings.Repeat("ä", 3001), "6,002 of 6,000 bytes: 2 too many (most letters besides a to z take two or three).", true},
		{strings.Repeat("語", 2000), "6,000 of 6,000 bytes", false},
		{strings.Repeat("👋", 1501), "6,004 of 6,000 bytes: 4 too many (most letters besides a to z take two or three).", true},
		{"   " + strings.Repeat("x", 6000) + "   ", "6,000 of 6,000 characters", false}, // goes out without the spaces
	} {
		ada.pastes("#text", tt.text)
		ada.want("says how long it is", note, tt.words)
		ada.want("marks it", state, []any{tt.over, map[bool]string{true: "true", false: "false"}[tt.over], tt.words == ""})
		ada.enter()
		if tt.over {
			ada.want("keeps what is too long", box, tt.text)
			ada.until("hears of it", "document.querySelector('#announcer').textContent.startsWith('Too long to be sent')")
			ada.must(chromedp.Click(chromedp.CSS("#text")))
			_ = value[chromedp.Void](ada, "void document.querySelector('#form').requestSubmit()")
			ada.want("still keeps it", box, tt.text)
			_ = value[bool](ada, "document.execCommand('selectAll') && document.execCommand('delete')")
			ada.want("marks it no longer", state, []any{false, "false", true})
			continue
		}
		sent = append(sent, strings.TrimSpace(tt.text))
		if got := value[string](ada, box); got != "" {
			t.Fatalf("%d bytes were not sent: the box still holds %q", len(tt.text), got)
		}
		ada.want("has sent all of it", texts, sent)
	}
	ada.want("had nothing refused", "document.querySelectorAll('[data-delivery=failed]').length", 0)

	// Names, of rooms and of people, are counted in characters.
	for _, tt := range []struct {
		text, words string
	}{
		{strings.Repeat("ab", 17), "34 of 32 characters: 2 too many."},
		{strings.Repeat("👋", 33), "33 of 32 characters: 1 too many."},
		{"#" + strings.Repeat("👋", 31), "31 of 32 characters"},
	} {
		ada.pastes("#room-name", tt.text)
		ada.want("says how long the room's name is", "document.querySelector('#room-note').textContent", tt.words)
		ada.enter()
		if strings.Contains(tt.words, "too many") {
			ada.want("keeps the name", "document.querySelector('#room-name').value", tt.text)
			ada.want("stays in its room", "document.querySelector('#title').textContent", "#long")
			_ = value[chromedp.Void](ada, "void document.querySelector('#room-name').select()")
			continue
		}
		ada.inRoom(strings.TrimPrefix(tt.text, "#"))
	}
	ada.must(chromedp.Click(chromedp.CSS("#me-button")), chromedp.WaitVisible(chromedp.CSS("#name")))
	ada.pastes("#name", strings.Repeat("é", 40))
	ada.enter()
	ada.want("keeps the name", "[document.querySelector('#me').open, document.querySelector('#name').value.length, document.querySelector('#name-note').textContent]", []any{true, 40, "40 of 32 characters: 8 too many."})
	_ = value[chromedp.Void](ada, "void document.querySelector('#name').select()")
	ada.pastes("#name", strings.Repeat("é", 32))
	ada.enter()
	ada.want("has a name of 32", "document.querySelector('#my-name').textContent", strings.Repeat("é", 32))
}

// testHalves puts half of a surrogate pair into every box: nothing of it goes to
// the server, which would close for it, and nothing is lost.
func testHalves(t *testing.T, s *stage) {
	ada := s.visit(t, "Ada", "halves")
	put := func(css, before, unit, after string) {
		t.Helper()
		_ = value[chromedp.Void](ada, withValues("void ((e) => { e.focus(); e.value = %s + "+unit+" + %s; e.dispatchEvent(new Event('input', { bubbles: true })); })(document.querySelector(%s))", before, after, css))
	}
	const half = "'\\ud83d'"
	for _, tt := range []struct{ before, unit, after, words string }{
		{"Hello 👋 ", half, "", "Half of a character, which cannot be sent, is after “Hello 👋”. Delete it."},
		{"a long text before ", "'\\udc4b'", " it", "Half of a character, which cannot be sent, is after “text before ”. Delete it."},
		{"", half, "x", "Half of a character, which cannot be sent, is at the beginning. Delete it."},
		{"both, the wrong way round ", "'\\udc4b\\ud83d'", "", "Half of a character, which cannot be sent, is after “ way round ”. Delete it."},
	} {
		put("#text", tt.before, tt.unit, tt.after)
		words := value[string](ada, "document.querySelector('#text-note').textContent")
		if !strings.HasPrefix(words, "Half of a character, which cannot be sent, is ") {
			t.Errorf("%q: the page says %q, want something like %q", tt.before, words, tt.words)
		}
		ada.enter()
		_ = value[chromedp.Void](ada, "void document.querySelector('#form').requestSubmit()")
		if !value[bool](ada, withValues("document.querySelector('#text').value === %s + "+tt.unit+" + %s", tt.before, tt.after)) {
			t.Errorf("%q: it is not in the box any more", tt.before)
		}
	}
	put("#room-name", "a room ", half, "")
	ada.enter()
	ada.want("stays in its room", "document.querySelector('#title').textContent", "#halves")
	ada.until("says why", "document.querySelector('#room-note').textContent.startsWith('Half of a character')")
	put("#room-name", "", "''", "")
	ada.must(chromedp.Click(chromedp.CSS("#me-button")), chromedp.WaitVisible(chromedp.CSS("#name")))
	put("#name", "Ada ", half, "")
	ada.enter()
	ada.until("says why", "document.querySelector('#me').open && document.querySelector('#name-note').textContent.startsWith('Half of a character')")
	ada.must(chromedp.Click(chromedp.CSS("#me-cancel")))
	put("#text", "whole 👋", "''", "")
	ada.enter()
	ada.want("sends what is whole", texts, []string{"whole 👋"})
	ada.want("was never disconnected", "document.querySelectorAll('#frame-list').length && "+state, "online")
	ada.must(chromedp.Evaluate[chromedp.Void]("void document.querySelector('#frames-button').click()"))
	ada.want("was welcomed once, and refused nothing", "[...document.querySelectorAll('#frame-list .payload')].map(e => JSON.parse(e.textContent).type).filter(e => ['welcome', 'error'].includes(e))", []string{"welcome"})

	// A page of one's own that uses the client only: the same, by itself.
	_ = value[chromedp.Void](ada, `(async () => {
		const { Chat } = await import('./client.js');
		window.told = [];
		const chat = new Chat('ws://' + location.host + '/ws', { name: `+"`${'Robot'} ${Date.now() % 1000}`"+` });
		for (const name of ['delivery', 'left', 'error', 'state']) chat.on(name, (e) => window.told.push([name, e.state ?? '', e.text ?? '', e.reason ?? ''].join('|')));
		chat.join('halves');
		chat.join('\ud83d');
		chat.send('halves', 'x\ud83d');
		chat.retry(chat.outbox[0].id);
		chat.send('halves', 'after it');
	})()`)
	ada.sees("after it")
	ada.until("it has failed, twice", "window.told.filter(e => e.startsWith('delivery|failed|x')).length === 2")
	ada.until("it is not in the room", "window.told.some(e => e.startsWith('left|') && e.includes('half of a character'))")
	ada.until("it stays connected", "window.told.filter(e => e.startsWith('state|online')).length === 1 && !window.told.some(e => e.startsWith('error'))")
}

// testComposition presses Enter as input methods of several browsers have it.
func testComposition(t *testing.T, s *stage) {
	ada := s.visit(t, "Ada", "ime")
	const box = "document.querySelector('#text').value"
	// A real composition of this browser: its Enter comes as a key of the input method.
	ada.must(chromedp.Focus(chromedp.CSS("#text")),
		command(input.ImeSetComposition, input.ImeSetCompositionParams{Text: "にほんご", SelectionStart: 4, SelectionEnd: 4}))
	ada.must(command(input.DispatchKeyEvent, input.DispatchKeyEventParams{Type: "rawKeyDown", Key: "Enter", Code: "Enter", WindowsVirtualKeyCode: 229}))
	ada.must(command(input.InsertText, input.InsertTextParams{Text: "日本語"}))
	ada.want("has what was composed, not sent", box, "日本語")

	// As others tell of it, in the order in which they do.
	var sent []string
	for _, tt := range []struct {
		what, events string
		sends        bool
	}{
		{"Chrome and Firefox", "key({ isComposing: true, keyCode: 229 }); end()", false},
		{"Safari", "end(); key({ keyCode: 229 })", false},
		{"the end of it right before a key that is like any other", "end(); key({ keyCode: 13 })", false},
		{"Korean, whose Enter ends the composition and is passed on", "key({ isComposing: true, keyCode: 229, key: 'Process' }); end(); key({ keyCode: 13 })", true},
		{"Korean, on the keys of numbers", "key({ isComposing: true, keyCode: 229, code: 'NumpadEnter', key: 'Process' }); end(); key({ keyCode: 13, code: 'NumpadEnter' })", true},
		{"Chinese, whose Enter hands over the letters", "key({ isComposing: true, keyCode: 229 }); end(); up()", false},
		{"Safari, after a word that another key began", "key({ key: 'n', code: 'KeyN', isComposing: true, keyCode: 229 }); up({ key: 'n', code: 'KeyN' }); end(); key({ keyCode: 229 })", false},
		{"after a candidate that was clicked", "end(); await new Promise((done) => setTimeout(done, 60)); key({ keyCode: 13 })", true},
		{"a key whose event has no code, as filling in makes them", "text.dispatchEvent(Object.assign(new Event('keydown', { bubbles: true }), { keyCode: 13 })); end(); key({ keyCode: 229 })", false},
		{"with Shift", "key({ keyCode: 13, shiftKey: true })", false},
		{"a key of its own, later", "end(); await new Promise((done) => setTimeout(done, 100)); key({ keyCode: 13 })", true},
	} {
		_ = value[chromedp.Void](ada, withValues("void (document.querySelector('#text').value = %s)", tt.what))
		_ = value[chromedp.Void](ada, `(async () => {
			const text = document.querySelector('#text');
			const key = (o) => text.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', code: 'Enter', bubbles: true, cancelable: true, ...o }));
			const up = (o) => text.dispatchEvent(new KeyboardEvent('keyup', { key: 'Enter', code: 'Enter', bubbles: true, ...o }));
			const end = () => text.dispatchEvent(new CompositionEvent('compositionend', { data: 'x', bubbles: true }));
			text.dispatchEvent(new CompositionEvent('compositionstart', { bubbles: true }));
			`+tt.events+`;
		})()`)
		if left := value[string](ada, box); (left == "") != tt.sends {
			t.Errorf("%s: the box holds %q; want it sent: %v", tt.what, left, tt.sends)
		}
		if tt.sends {
			sent = append(sent, tt.what)
		}
	}
	ada.want("has sent those", texts, sent)
}
