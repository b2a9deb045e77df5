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
	for _, tt := range []struct {
		what, events string
		sends        bool
	}{
		{"Chrome and Firefox", "key({ isComposing: true, keyCode: 229 }); end()", false},
		{"Safari", "end(); key({ keyCode: 229 })", false},
		{"the end of it right before a key that is like any other", "end(); key({ keyCode: 13 })", false},
		{"with Shift", "key({ keyCode: 13, shiftKey: true })", false},
		{"a key of its own, later", "end(); await new Promise((done) => setTimeout(done, 100)); key({ keyCode: 13 })", true},
	} {
		_ = value[chromedp.Void](ada, withValues("void (document.querySelector('#text').value = %s)", tt.what))
		_ = value[chromedp.Void](ada, `(async () => {
			const text = document.querySelector('#text');
			const key = (o) => text.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', code: 'Enter', bubbles: true, cancelable: true, ...o }));
			const end = () => text.dispatchEvent(new CompositionEvent('compositionend', { data: 'x', bubbles: true }));
			text.dispatchEvent(new CompositionEvent('compositionstart', { bubbles: true }));
			`+tt.events+`;
		})()`)
		if left := value[string](ada, box); (left == "") != tt.sends {
			t.Errorf("%s: the box holds %q; want it sent: %v", tt.what, left, tt.sends)
		}
	}
	ada.want("has sent one", texts, []string{"a key of its own, later"})
}
