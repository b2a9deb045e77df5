package peers

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// An operator is somebody with the operator's page open.
type operator struct{ *chatter }

// Expressions about that page.
const (
	listed    = "[...document.querySelectorAll('#people tr')].map(tr => tr.querySelector('bdi').textContent)"
	spoken    = "[...document.querySelectorAll('#messages tr')].map(tr => tr.querySelector('[data-title=Text]').textContent)"
	loggedIn  = "!document.querySelector('#all').hidden && document.querySelector('#login').hidden"
	loggedOut = "document.querySelector('#all').hidden && !document.querySelector('#login').hidden"
	adminSays = "document.querySelector('#status').textContent"
)

// enters shows a key.
func (o operator) enters(key string) {
	o.t.Helper()
	o.must(chromedp.WaitVisible(chromedp.CSS("#key")), chromedp.SendKeys(chromedp.CSS("#key"), key+kb.Enter))
}

// picks shows a room, or all of them.
func (o operator) picks(room string) {
	o.t.Helper()
	o.until("has the room to pick", "[...document.querySelector('#room').options].some(e => e.value === %s)", room)
	_ = value[chromedp.Void](o.chatter, withValues("void ((e) => { e.value = %s; e.dispatchEvent(new Event('change', { bubbles: true })); })(document.querySelector('#room'))", room))
	o.until("shows that room", "document.querySelector('#said').hidden === %s && document.querySelector('#close').disabled === %s", room == "", room == "")
}

// does presses the button of that name, by what assistive technology calls it,
// and answers what it asks. done is what the page says afterwards.
func (o operator) does(button, question, minutes, reason, done string) {
	o.t.Helper()
	o.until("has the button "+button, "[...document.querySelectorAll('#all button')].some(e => (e.ariaLabel ?? e.textContent) === %s)", button)
	_ = value[chromedp.Void](o.chatter, withValues("[...document.querySelectorAll('#all button')].find(e => (e.ariaLabel ?? e.textContent) === %s).click()", button))
	o.until("asks", "document.querySelector('#ask').open && document.querySelector('#question').textContent.replace(/[\u2066-\u2069]/g, '') === %s", question)
	o.want("asks for minutes and a reason", "['minutes', 'reason'].map(e => !document.querySelector('#' + e + '-row').hidden)", []bool{minutes != "", reason != ""})
	if minutes != "" {
		_ = value[chromedp.Void](o.chatter, withValues("void (document.querySelector('#minutes').value = %s)", minutes))
	}
	if reason != "" {
		o.must(chromedp.SendKeys(chromedp.CSS("#reason"), reason))
	}
	if done == "" {
		o.must(chromedp.Click(chromedp.CSS("#cancel")))
		o.until("asks no more", "!document.querySelector('#ask').open")
		return
	}
	o.must(chromedp.Click(chromedp.CSS("#yes")))
	o.until("says that it is done", "!document.querySelector('#ask').open && "+adminSays+" === %s", done)
}

// testOperator has an operator at work on the page at /admin/, beside people who
// chat.
func testOperator(t *testing.T, s *stage) {
	const key = "the key of the operator's page: ключ"
	file := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(file, []byte(key+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	server := buildServer(t)
	server.args = []string{"-admin-key-file", file}
	server.start(t)
	p, err := s.browser.open(t, "operator", server.url()+"admin/")
	if err != nil {
		t.Fatal(err)
	}
	o := operator{&chatter{p, t, "the operator"}}
	ada := s.chats(t, "Ada", server.url()+"#desk")
	grace := joins(t, server.url(), "Grace", "desk", "attic")
	hal := joins(t, server.url(), "<b>Hal</b>", "attic")
	grace.says("desk", "one", "two", "<i>three</i>")
	ada.sees("<i>three</i>")

	o.expects("401") // which a browser complains of, whatever a page makes of it
	o.enters("not the key of the operator")
	o.until("is told that it is wrong", adminSays+".startsWith('That did not work: expected the header Authorization')")
	o.want("shows nothing", "["+loggedOut+", sessionStorage.length, document.querySelectorAll('#people tr').length]", []any{true, 0, 0})
	o.enters(key)
	o.until("is in", loggedIn)
	o.want("lists who is here", listed, []string{"<b>Hal</b>", "Ada", "Grace"})
	o.want("lists the rooms", "[...document.querySelector('#room').options].map(e => e.textContent)", []string{"all (2)", "attic (2)", "desk (2)"})
	o.must(chromedp.Reload())
	o.until("is in after a reload", loggedIn+" && "+listed+".length === 3")

	o.must(chromedp.SendKeys(chromedp.CSS("#name"), "gra"+kb.Enter))
	o.want("finds people by name", listed, []string{"Grace"})
	o.must(chromedp.SendKeys(chromedp.CSS("#name"), strings.Repeat(kb.Backspace, 3)+kb.Enter))
	o.want("shows all again", listed, []string{"<b>Hal</b>", "Ada", "Grace"})

	o.picks("desk")
	o.want("lists who is in that room", listed, []string{"Ada", "Grace"})
	o.want("shows what was said there, the latest first", spoken, []string{"<i>three</i>", "two", "one"})
	o.does("Delete what Grace said: two", "Delete what Grace said: “two”?", "", "", "")
	o.want("deletes nothing that is cancelled", spoken, []string{"<i>three</i>", "two", "one"})
	// Who is as fast as this asks again before the page hears that it was cancelled.
	_ = value[chromedp.Void](o.chatter, `((button) => {
		button.click();
		document.querySelector('#cancel').click();
		button.click();
	})(document.querySelector('#messages tr:nth-child(2) button'))`)
	o.must(chromedp.Click(chromedp.CSS("#yes")))
	o.until("says that it is done", adminSays+" === 'Done: delete, 1.'")
	o.want("shows it no more", spoken, []string{"<i>three</i>", "one"})
	ada.want("sees it vanish", texts, []string{"one", "<i>three</i>"})

	o.does("Mute Ada", "Mute Ada in desk?", "5", "", "Done: mute, 1.")
	ada.until("is told that it is muted", "document.querySelector('#obstacle-text').textContent.startsWith('You may not write here until')")
	o.does("Unmute Ada", "Let Ada write again in desk?", "", "", "Done: unmute, 1.")
	ada.until("may write again", "document.querySelector('#obstacle').hidden")
	ada.types("free")
	ada.sees("free")

	o.does("Kick Ada", "Take Ada out in desk?", "", "tea for two", "Done: kick, 1.")
	ada.until("is told that it is out", "document.querySelector('#obstacle-text').textContent.includes('tea for two')")
	o.want("does not list it there any more", listed, []string{"Grace"})
	ada.must(chromedp.Click(chromedp.CSS("#rejoin")))
	ada.until("is back", "document.querySelector('#obstacle').hidden")

	o.does("Close this room…", "Take everybody out of desk?", "", "the desk is closed", "Done: close, 2.")
	ada.until("is told that the room is closed", "document.querySelector('#obstacle-text').textContent.includes('the desk is closed')")
	grace.hears("left", "")

	o.picks("")
	o.want("lists everybody again", listed, []string{"<b>Hal</b>", "Ada", "Grace"})
	o.does("Kick Grace", "Take Grace out of the server?", "", "good night", "Done: kick, 1.")
	grace.ends()
	o.want("has two left", listed, []string{"<b>Hal</b>", "Ada"})
	o.does("Ban Ada", "Keep Ada out of the server?", "60", "for an hour", "Done: ban, 1.")
	ada.until("is told that it is disconnected", banner+".startsWith('Disconnected (removed by an operator: for an hour)')")
	ada.want("does not come back by itself", state, "stopped")
	ada.must(chromedp.Click(chromedp.CSS("#retry-now")))
	ada.until("is kept out", state+" === 'refused' || "+state+" === 'waiting'")
	o.does("Ban address 127.0.0.1", "Keep everybody from 127.0.0.1 out?", "60", "for all", "Done: ban, 1.")
	hal.ends()
	o.want("has nobody left", listed, []string{})

	o.must(chromedp.Click(chromedp.CSS("#forget")))
	o.want("has forgotten the key", "["+loggedOut+", sessionStorage.length]", []any{true, 0})
	o.must(chromedp.Reload())
	o.want("asks for it again", loggedOut, true)
}
