package peers

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/google/go-cmp/cmp"
)

// More expressions about the page.
const (
	lines     = "[...document.querySelectorAll('.scroller:not([hidden]) .messages > li')]"
	delivered = "[...document.querySelectorAll('.scroller:not([hidden]) .mine')].map(e => e.dataset.delivery)"
	banner    = "(document.querySelector('#banner').hidden ? '' : document.querySelector('#banner-text').textContent)"
	unread    = "Object.fromEntries([...document.querySelectorAll('.place[data-unread]')].map(e => [e.dataset.key, Number(e.dataset.unread)]))"
	scroller  = "document.querySelector('.scroller:not([hidden])')"
	focused   = "document.activeElement.id"
	people    = "[...document.querySelectorAll('#members .member-name')].map(e => e.textContent)"
)

// A stage is one browser and one server, with a gate between them, for all
// tests of the page.
type stage struct {
	*browser
	*program
	gate *gate
	part int
}

// as is a name for this part of the test: the server keeps a name for those who
// have just left.
func (s *stage) as(name string) string { return fmt.Sprint(name, " ", s.part) }

// TestPage holds the page's tests, each with browser contexts and rooms of its own.
func TestPage(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	for _, part := range []struct {
		name string
		test func(*testing.T, *stage)
	}{
		{"rooms and unread counts", testRooms},
		{"a link leads to a room", testDeepLink},
		{"older messages on scrolling up", testHistory},
		{"who is here and who is writing", testPresence},
		{"private messages", testPrivate},
		{"delivery of what is sent", testDelivery},
		{"what is too long is not cut", testLength},
		{"half of a character", testHalves},
		{"Enter that an input method takes", testComposition},
		{"offline, a reload, and online again", testOffline},
		{"two tabs and a third miss nothing and see nothing twice", testResume},
		{"away for long", testGap},
		{"days", testDays},
		{"markup and scripts are text everywhere", testInjection},
		{"the keyboard alone is enough", testKeyboard},
		{"drawers in windows that change", testDrawers},
		{"what assistive technology sees", testAccessibility},
		{"light, dark, wide and narrow", testLooks},
		{"the client on a page of another origin", testImport},
		{"the client of Socket.IO on a page of another origin", testForeignScript},
		{"under a path of a proxy", testPath},
		{"under a path without a slash", testNoSlash},
		{"frames that are reckoned", testReckoned},
		{"frames as they went", testWire},
		{"the server's operators", testModeration},
		{"the operator's page", testOperator},
		{"accounts and guests", testAccounts},
		{"restarts and a crash", testRestart},
	} {
		s.part++
		t.Run(part.name, func(t *testing.T) { part.test(t, s) })
	}
}

// newStage has a browser and a server, and a gate between them.
func newStage(t *testing.T) *stage {
	s := &stage{browser: startBrowser(t), program: buildServer(t)}
	s.browser.strict = true
	s.program.start(t)
	s.gate = newGate(t, s.addr)
	return s
}

// TestPageSilence is the part of TestPage that waits most and works least: a
// connection that dies without a word.
func TestPageSilence(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.part++
	testSilence(t, s)
}

// visit opens the page for somebody new, in a room.
func (s *stage) visit(t *testing.T, name, room string) *chatter {
	t.Helper()
	return s.chats(t, s.as(name), s.gate.url()+"#"+room)
}

func testRooms(t *testing.T, s *stage) {
	ada := s.visit(t, "Ada", "rooms-a")
	ada.joinsRoom("rooms-b")
	ada.joinsRoom("rooms-c")
	ada.want("lists the rooms", "[...document.querySelectorAll('.place')].map(e => e.dataset.key)", []string{"#rooms-a", "#rooms-b", "#rooms-c"})
	grace := joins(t, s.gate.url(), s.as("Grace"), "rooms-a", "rooms-b", "rooms-c")
	grace.says("rooms-a", series("in a", 1, 3)...)
	grace.says("rooms-b", "in b")
	grace.says("rooms-c", "in c")
	ada.want("counts what is elsewhere", unread, map[string]int{"#rooms-a": 3, "#rooms-b": 1})
	ada.want("has it in the title", "document.title", "(4) #rooms-c · Framewright chat")
	ada.sees("in c")

	ada.goesTo("#rooms-a")
	ada.want("has read it", unread, map[string]int{"#rooms-b": 1})
	ada.want("sees the room's messages", texts, series("in a", 1, 3))
	ada.want("sees where the new ones begin", lines+".filter(e => e.matches('.fresh, .message')).map(e => e.className)", []string{"fresh", "message", "message goes-on", "message goes-on"})
	ada.want("has a title", "document.title", "(1) #rooms-a · Framewright chat")

	ada.must(chromedp.SendKeys(chromedp.CSS("#text"), "a draft"))
	ada.must(chromedp.NavigateBack())
	ada.until("went back", "document.querySelector('#title').textContent === '#rooms-c'")
	ada.want("has no draft here", "document.querySelector('#text').value", "")
	ada.goesTo("#rooms-a")
	ada.want("has the draft again", "document.querySelector('#text').value", "a draft")

	// A tab in the background counts, too; the title says it.
	other := ada.beside("other tab", s.gate.url()+"#rooms-a")
	_ = value[chromedp.Void](other, "void 0")
	if value[bool](ada, "document.hidden") {
		grace.says("rooms-a", "for who is away")
		ada.want("counts what is not seen", "document.title", "(2) #rooms-a · Framewright chat")
	}
	other.want("has the same rooms", "[...document.querySelectorAll('.place')].map(e => e.dataset.key)", []string{"#rooms-a", "#rooms-b", "#rooms-c"})
	other.close()

	ada.must(chromedp.Click(chromedp.CSS(`[aria-label="Leave #rooms-a"]`)))
	ada.want("left", "[...document.querySelectorAll('.place')].map(e => e.dataset.key)", []string{"#rooms-b", "#rooms-c"})
	ada.inRoom("rooms-b")
	grace.says("rooms-a", "nobody is here")
	grace.says("rooms-b", "but here")
	ada.sees("but here")
	ada.want("hears nothing from there", unread, map[string]int{})
	ada.must(chromedp.Reload())
	ada.online()
	ada.want("is in its rooms after a reload", "[...document.querySelectorAll('.place')].map(e => e.dataset.key)", []string{"#rooms-b", "#rooms-c"})
}

func testDeepLink(t *testing.T, s *stage) {
	for _, tt := range []struct{ hash, room string }{
		{"deep", "deep"},
		{"caf%C3%A9%20%26%20%E2%98%95", "café & ☕"},
		{"%", "lobby"}, // a broken escape
		{"", "lobby"},
		{"%40somebody", "@somebody"},
		{"@nobody", "@nobody"}, // a private conversation that there is not
	} {
		s.part++
		c := s.visit(t, "Ada", tt.hash)
		c.inRoom(tt.room)
		c.must(chromedp.Navigate(s.gate.url() + "#" + "deeper"))
		c.inRoom("deeper")
		c.close()
	}
	s.part++
	c := s.visit(t, "Ada", "deep")
	_ = value[chromedp.Void](c, withValues("void (location.hash = %s)", strings.Repeat("x", 40)))
	c.until("learns why there is no such room", "document.querySelector('#obstacle-text').textContent.includes('at most 32 characters')")
	c.want("can only try again", "document.querySelector('#rejoin').textContent", "Try again")
	c.until("cannot write there", "document.querySelector('#send').disabled")
	c.must(chromedp.Reload())
	c.online()
	c.until("forgets that room", "document.querySelectorAll('.place').length <= 2")
}

func testHistory(t *testing.T, s *stage) {
	// Somebody may send a hundred at once, so it takes three.
	var all []string
	for i, name := range []string{"Edsger", "Barbara", "Tony"} {
		part := series("line", i*80+1, i*80+80)
		joins(t, s.gate.url(), s.as(name), "old").says("old", part...)
		all = append(all, part...)
	}
	ada := s.visit(t, "Ada", "old")
	ada.sees("line 240")
	if n := value[int](ada, texts+".length"); n > 160 {
		t.Errorf("a join shows %d of 240 messages at once", n)
	}
	if at := value[float64](ada, scroller+".scrollHeight - "+scroller+".scrollTop - "+scroller+".clientHeight"); at > 2 {
		t.Errorf("the list is %v px from its end after a join", at)
	}
	for value[bool](ada, texts+"[0] !== 'line 1'") {
		before := value[int](ada, texts+".length")
		// What is at the top of the window must still be there afterwards.
		_ = value[chromedp.Void](ada, scroller+`.scrollTop = 150; void requestAnimationFrame(() => {
			const top = `+scroller+`.getBoundingClientRect().top;
			window.mark = [...document.querySelectorAll('.scroller:not([hidden]) .message')].find(e => e.getBoundingClientRect().top >= top);
			window.markAt = window.mark.getBoundingClientRect().top;
		})`)
		ada.until("gets older messages", fmt.Sprintf("%s.length > %d && window.mark", texts, before))
		moved := value[float64](ada, "Math.abs(window.mark.getBoundingClientRect().top - window.markAt)")
		if moved > 2 {
			t.Errorf("with %d messages the reader's place moved by %v px when older ones came", before, moved)
		}
	}
	ada.want("has all of them, in order, once", texts, all)
	ada.until("knows the beginning", "!"+scroller+".querySelector('.begin').hidden && "+scroller+".querySelector('.older').hidden")

	// Who reads old messages is left in peace, and told that there is something new.
	_ = value[chromedp.Void](ada, "void ("+scroller+".scrollTop = 400)")
	robot := joins(t, s.gate.url(), s.as("Donald"), "old")
	robot.says("old", "something new")
	ada.until("is told of new messages", "!document.querySelector('#newest').hidden")
	if at := value[float64](ada, scroller+".scrollTop"); at < 390 || at > 410 {
		t.Errorf("a new message moved the reader from 400 px to %v", at)
	}
	ada.must(chromedp.Click(chromedp.CSS("#newest")))
	ada.until("is at the end", scroller+".scrollHeight - "+scroller+".scrollTop - "+scroller+".clientHeight < 2 && document.querySelector('#newest').hidden")

	// The same by keyboard, in a window in which nothing scrolls far enough by itself.
	ada.until("every time has its whole date", "[...document.querySelectorAll('.scroller:not([hidden]) time')].every(e => e.title.length > 15 && !isNaN(Date.parse(e.dateTime)))")
}

func testPresence(t *testing.T, s *stage) {
	ada := s.visit(t, "Ada", "presence")
	grace := s.visit(t, "Grace", "presence")
	ada.want("sees who is here, itself first", people, []string{ada.name, grace.name})
	second := grace.beside("Grace's second tab", s.gate.url()+"#presence")
	second.inRoom("presence")
	ada.want("counts people, not tabs", "document.querySelector('#subtitle').textContent", "2 people here")

	grace.must(chromedp.SendKeys(chromedp.CSS("#text"), "hm"))
	ada.want("sees who is writing", "document.querySelector('#typing').textContent", grace.name+" is writing…")
	grace.must(chromedp.SendKeys(chromedp.CSS("#text"), " so\r"))
	ada.sees("hm so")
	ada.want("sees that it is over", "document.querySelector('#typing').textContent", "")
	if other := value[string](second, "document.querySelector('#typing').textContent"); other != "" {
		t.Errorf("Grace's other tab says %q", other)
	}
	second.want("has it as its own", lines+".filter(e => e.matches('.message')).map(e => e.classList.contains('mine'))", []bool{true})

	// Another name, taken while here.
	grace.must(chromedp.Click(chromedp.CSS("#me-button")), chromedp.WaitVisible(chromedp.CSS("#name")), chromedp.SendKeys(chromedp.CSS("#name"), ada.name+"\r"))
	grace.until("hears that the name is taken", "!document.querySelector('#me-error').hidden && document.querySelector('#me').open")
	grace.must(chromedp.SendKeys(chromedp.CSS("#name"), s.as("Amazing Grace")+"\r"))
	grace.online()
	grace.want("has the name", "document.querySelector('#my-name').textContent", s.as("Amazing Grace"))
	ada.want("sees the new name", people, []string{ada.name, s.as("Amazing Grace")})
	grace.want("still has its messages", texts, []string{"hm so"})

	// Who leaves one tab is still here; who leaves the last is not.
	for _, c := range []*chatter{grace, second} {
		c.must(chromedp.Evaluate[chromedp.Void](`void document.querySelector('[aria-label="Leave #presence"]').click()`))
		c.inRoom("lobby")
		if c == grace {
			ada.want("still sees Grace", people, []string{ada.name, s.as("Amazing Grace")})
		}
	}
	ada.want("sees Grace go", people, []string{ada.name})
	ada.until("is told", lines+".at(-1).textContent.startsWith(%s)", s.as("Amazing Grace")+" left")
}

func testPrivate(t *testing.T, s *stage) {
	ada, grace := s.visit(t, "Ada", "talk"), s.visit(t, "Grace", "talk")
	also := ada.beside("Ada's second tab", s.gate.url()+"#talk")
	also.inRoom("talk")
	ada.until("sees Grace", people+".length === 2")
	ada.must(chromedp.Evaluate[chromedp.Void]("void document.querySelector('button.member').click()"))
	ada.want("talks to Grace", "document.querySelector('#title').textContent", grace.name)
	ada.types("between us")
	ada.want("has sent it", delivered, []string{"sent"})
	grace.until("is told", unread+"[Object.keys("+unread+")[0]] === 1 && Object.keys("+unread+")[0].startsWith('@')")
	grace.must(chromedp.Click(chromedp.CSS("#privates a")))
	grace.want("reads it", texts, []string{"between us"})
	grace.types("yes")
	ada.sees("yes")
	also.must(chromedp.Click(chromedp.CSS("#privates a")))
	also.want("has both in the other tab", texts, []string{"between us", "yes"})
	also.want("and knows whose they are", lines+".filter(e => e.matches('.message')).map(e => e.classList.contains('mine'))", []bool{true, false})
	for _, c := range []*chatter{ada, grace} {
		c.goesTo("#talk")
		c.want("shows nothing of it in the room", texts, []string{})
	}
}

func testDelivery(t *testing.T, s *stage) {
	ada := s.visit(t, "Ada", "delivery")
	ada.types("one")
	ada.want("has sent it", delivered, []string{"sent"})

	ada.expects(lost)
	s.gate.close()
	ada.until("lost the connection", state+" !== 'online'")
	ada.types("two")
	ada.want("still sends", delivered, []string{"sent", "sending"})
	s.gate.open()
	ada.want("has sent it, too", delivered, []string{"sent", "sent"})

	// A private message fails while its receiver is away, and can be sent again.
	grace := joins(t, s.gate.url(), s.as("Grace"), "delivery")
	ada.until("sees Grace", people+".length === 2")
	ada.must(chromedp.Evaluate[chromedp.Void]("void document.querySelector('button.member').click()"))
	if err := grace.c.Close(t.Context(), 1000, ""); err != nil {
		t.Fatal(err)
	}
	ada.types("are you there?")
	ada.want("learns that Grace is away", delivered, []string{"failed"})
	ada.until("learns why", "document.querySelector('[data-delivery=failed] .meta').textContent.includes('is connected')")
	ada.must(chromedp.Click(chromedp.CSS(".retry")))
	ada.want("has failed again", delivered, []string{"failed"})
	ada.must(chromedp.Click(chromedp.CSS(".discard")))
	ada.want("has let go of it", delivered, []string{})
	ada.types("are you there?")
	ada.want("learns once more that Grace is away", delivered, []string{"failed"})
	grace = joins(t, s.gate.url(), s.as("Grace"), "delivery") // the same secret, so the same person
	ada.must(chromedp.Click(chromedp.CSS(".retry")))
	if h := grace.hears("private", ""); h.Text != "are you there?" {
		t.Errorf("Grace got %q", h.Text)
	}
	ada.want("has sent it now", delivered, []string{"sent"})
}

func testOffline(t *testing.T, s *stage) {
	ada, grace := s.visit(t, "Ada", "train"), s.visit(t, "Grace", "train")
	ada.types("at the station")
	grace.sees("at the station")
	ada.expects(lost)
	grace.expects(lost)
	s.gate.close()
	ada.offline(true)
	ada.until("is told that it is offline", banner+".startsWith('You are offline')")
	for _, text := range series("in the tunnel", 1, 3) {
		ada.types(text)
	}
	ada.want("keeps them", delivered, []string{"sent", "sending", "sending", "sending"})
	ada.must(chromedp.Reload()) // the page itself still comes
	ada.want("has them after a reload", delivered, []string{"sending", "sending", "sending"})
	ada.types("in the tunnel 4")
	s.gate.open()
	ada.offline(false)
	ada.online()
	want := append([]string{"at the station"}, series("in the tunnel", 1, 4)...)
	for _, c := range []*chatter{ada, grace} {
		c.want("has all, in order, once", texts, want)
	}
	ada.want("has sent all", delivered, []string{"sent", "sent", "sent", "sent", "sent"})
	ada.want("says nothing of it any more", banner, "")
	ada.must(chromedp.Reload())
	ada.online()
	ada.want("does not send them again", texts, want)
	grace.types("arrived?")
	ada.sees("arrived?")
	grace.want("has nothing twice", texts, append(want, "arrived?"))
}

// testSilence has connections over which nothing comes any more, though nobody
// has closed them: the page finds out by itself, and at once when it is told that
// the network is back.
func testSilence(t *testing.T, s *stage) {
	ada := s.visit(t, "Ada", "silence")
	robot := joins(t, "http://"+s.addr+"/", s.as("Robot"), "silence") // past the gate
	ada.expects(lost)
	for _, tt := range []struct{ why, script string }{
		{"by itself", "void 0"},
		{"told that the network is there", "void dispatchEvent(new Event('online'))"},
		{"seen again", "void document.dispatchEvent(new Event('visibilitychange'))"},
	} {
		robot.says("silence", "heard, "+tt.why)
		ada.sees("heard, " + tt.why)
		_ = value[chromedp.Void](ada, "void (window.noticed = false, new MutationObserver(() => "+state+" !== 'online' && (window.noticed = true)).observe(document.querySelector('#state'), { attributes: true }))")
		s.gate.silence()
		robot.says("silence", "missed, "+tt.why)
		_ = value[chromedp.Void](ada, "new Promise((done) => setTimeout(done, 1100))") // it asks nobody who has just spoken
		_ = value[chromedp.Void](ada, tt.script)
		ada.until("notices, "+tt.why, "window.noticed")
		ada.online()
		ada.sees("missed, " + tt.why)
	}
	ada.want("has all, once", texts, []string{"heard, by itself", "missed, by itself", "heard, told that the network is there", "missed, told that the network is there", "heard, seen again", "missed, seen again"})
}

func testResume(t *testing.T, s *stage) {
	ada := s.visit(t, "Ada", "resume")
	second := ada.beside("Ada's second tab", s.gate.url()+"#resume")
	grace := s.visit(t, "Grace", "resume")
	for _, c := range []*chatter{ada, second, grace} {
		c.expects(lost)
	}
	robot := joins(t, "http://"+s.addr+"/", s.as("Robot"), "resume") // past the gate
	var want []string
	say := func(texts ...string) {
		robot.says("resume", texts...)
		want = append(want, texts...)
	}
	say("before")
	for round := range 5 {
		s.gate.close()
		say(series(fmt.Sprintf("round %d, without them,", round), 1, 6)...)
		s.gate.open()
		say(series(fmt.Sprintf("round %d, on their way back,", round), 1, 3)...)
		s.gate.cut()
		say(fmt.Sprintf("round %d, cut once more", round))
		for _, c := range []*chatter{ada, second, grace} {
			// Nobody waits for the next try: it may be seconds away by now.
			_ = value[chromedp.Void](c, "void document.querySelector('#retry-now').click()")
			c.online()
		}
	}
	for _, c := range []*chatter{ada, second, grace} {
		c.sees(want[len(want)-1])
		if diff := cmp.Diff(want, value[[]string](c, texts)); diff != "" {
			t.Errorf("%s's messages (-want +got):\n%s", c.name, diff)
		}
	}
	ada.want("people did not come and go meanwhile", people, []string{ada.name, grace.name, s.as("Robot")})
	gone := lines + ".filter(e => e.matches('.system') && e.textContent.includes(' left')).length"
	if n := value[int](ada, gone); n != 0 {
		t.Errorf("Ada was told %d times that somebody left, though everybody came back at once", n)
	}
}

func testRestart(t *testing.T, s *stage) {
	server := &stage{browser: s.browser, program: buildServer(t), part: s.part}
	server.args = []string{"-data", t.TempDir()}
	server.program.start(t)
	server.gate = newGate(t, server.addr)
	ada, grace := server.visit(t, "Ada", "restart"), server.visit(t, "Grace", "restart")
	ada.expects(lost, "/lab/facts?secret=") // the stream of her panel
	grace.expects(lost)
	want := []string{"before the restart"}
	ada.types(want[0])
	ada.want("has sent it", delivered, []string{"sent"})
	ada.must(chromedp.Evaluate[chromedp.Void]("void document.querySelector('#frames-button').click()"))
	ada.until("has the lab's parts, which the server gives", "document.querySelector('#frames-how').textContent.startsWith('From here on')")
	const frames = "[...document.querySelectorAll('#frame-list .payload')].map(e => e.textContent)"

	for round := range 3 {
		text := fmt.Sprint("written while it was away ", round)
		if round == 1 { // as a crash would
			server.kill()
			ada.until("is told", banner+" !== ''")
			ada.types(text)
		} else {
			ended := make(chan error, 1)
			go func() { ended <- server.terminate(t) }()
			ada.until("sees the server say so", frames+`.filter(f => f.includes('"type":"restart"')).length > %s`, round/2)
			ada.until("is told", banner+" !== ''")
			ada.types(text)
			if err := <-ended; err != nil {
				t.Fatal(err)
			}
		}
		want = append(want, text)
		server.program.start(t)
		for _, c := range []*chatter{ada, grace} {
			_ = value[chromedp.Void](c, "void document.querySelector('#retry-now').click()")
			c.online()
			c.want("has everything, once", texts, want)
		}
		ada.want("has sent it", delivered+".at(-1)", "sent")
		if again := value[int](ada, lines+".filter(e => e.matches('.gap') || e.textContent.includes('began anew')).length"); again != 0 {
			t.Error("the page says that messages may be missing, though the history is durable")
		}
	}
	margaret := server.visit(t, "Margaret", "restart")
	margaret.want("has the history", texts, want)

	seen := value[[]string](ada, frames)
	if !slices.ContainsFunc(seen, func(f string) bool { return strings.Contains(f, `"since"`) }) {
		t.Error("the page did not ask for what it missed")
	}
	if secret := value[string](ada, "JSON.parse(localStorage.getItem('framewright chat')).secret"); slices.ContainsFunc(seen, func(f string) bool { return strings.Contains(f, secret) }) {
		t.Error("the frames show the secret")
	}
}

func testKeyboard(t *testing.T, s *stage) {
	p, err := s.browser.open(t, "Ada", s.gate.url())
	if err != nil {
		t.Fatal(err)
	}
	ada := &chatter{p, t, "Ada"}
	ada.resize(1280, 800, false)
	// The name has the focus, then the room.
	ada.want("begins at the name", focused, "name")
	ada.must(chromedp.KeyEvent(s.as("Ada") + "\tkeys-a" + kb.Enter))
	ada.inRoom("keys-a")
	ada.want("goes on at the message", focused, "text")
	ada.must(chromedp.KeyEvent("hello" + kb.Enter))
	ada.sees("hello")
	ada.must(chromedp.KeyEvent("two"))
	ada.press(kb.Enter, chromedp.ModifierShift)
	ada.must(chromedp.KeyEvent("lines" + kb.Enter))
	ada.sees("two\nlines")

	tabTo := func(what, is string, modifiers ...chromedp.Modifier) {
		t.Helper()
		for range 30 {
			if value[bool](ada, is) {
				return
			}
			ada.press(kb.Tab, modifiers...)
			if hidden := value[string](ada, `(() => {
				const e = document.activeElement, r = e.getBoundingClientRect(), s = getComputedStyle(e);
				if (e === document.body) return '';
				if (r.width < 2 || r.height < 2 || s.visibility !== 'visible' || r.right < 0 || r.bottom < 0) return 'is not to be seen';
				if (e.matches('#room-name, #text')) return ''; // the frame around it shows it
				return s.outlineStyle === 'none' || parseFloat(s.outlineWidth) < 2 ? 'does not show it' : '';
			})()`); hidden != "" {
				t.Errorf("what has the focus %s: %s", hidden, value[string](ada, "document.activeElement.outerHTML"))
			}
		}
		t.Fatalf("Tab never comes to %s", what)
	}
	tabTo("the box for a room", focused+" === 'room-name'", chromedp.ModifierShift)
	ada.must(chromedp.KeyEvent("keys-b" + kb.Enter))
	ada.inRoom("keys-b")
	ada.want("goes on at the message", focused, "text")
	ada.press(kb.ArrowUp, chromedp.ModifierAlt)
	ada.inRoom("keys-a")
	ada.press(kb.ArrowDown, chromedp.ModifierAlt)
	ada.inRoom("keys-b")
	tabTo("the rooms", "document.activeElement.matches('#rooms a')", chromedp.ModifierShift)
	ada.press(kb.ArrowUp)
	ada.want("walks the list with arrows", "document.activeElement.dataset.key", "#keys-a")
	ada.press(kb.End)
	ada.want("walks to its end", "document.activeElement.dataset.key", "#keys-b")
	ada.press(kb.Home)
	ada.press(kb.Enter)
	ada.inRoom("keys-a")
	ada.press(kb.Escape)
	ada.want("is back at the message", focused, "text")

	tabTo("the frames", focused+" === 'frames-button'")
	ada.press(kb.Enter)
	ada.want("is in the frames", focused, "frame-list")
	ada.press(kb.Escape)
	ada.want("is back where it opened them", focused, "frames-button")
	tabTo("the name", focused+" === 'me-button'", chromedp.ModifierShift)
	ada.press(kb.Enter)
	ada.want("is at the name", focused, "name")
	ada.press(kb.Escape)
	ada.until("has closed the dialog", "!document.querySelector('#me').open && "+focused+" === 'me-button'")

	// In a narrow window the drawers keep the focus.
	ada.resize(500, 700, false)
	tabTo("the drawer's button", focused+" === 'nav-button'")
	ada.press(kb.Enter)
	ada.want("is in the drawer", focused, "nav-close")
	for range 12 {
		ada.press(kb.Tab)
		if !value[bool](ada, "document.activeElement === document.body || document.querySelector('#nav').contains(document.activeElement)") {
			t.Errorf("with the drawer open Tab goes to %s", value[string](ada, "document.activeElement.outerHTML"))
		}
	}
	ada.press(kb.Escape)
	ada.want("is back at the button", focused, "nav-button")
}

// testDrawers changes the width while a drawer is open: it stays as long as
// there is a drawer, and no longer.
func testDrawers(t *testing.T, s *stage) {
	ada := s.visit(t, "Ada", "drawers")
	shown := "document.body.className"
	const blocked = "document.querySelector('#main').inert || !document.querySelector('#veil').hidden"
	for _, tt := range []struct {
		button   string
		from, to int64
		open     bool
	}{
		{"people", 900, 500, true}, {"people", 500, 900, true}, {"people", 900, 1280, false}, {"people", 500, 1280, false},
		{"nav", 500, 700, true}, {"nav", 500, 320, true}, {"nav", 500, 900, false}, {"nav", 500, 1280, false},
	} {
		ada.resize(tt.from, 700, false)
		ada.must(chromedp.Evaluate[chromedp.Void](withValues("void document.querySelector(%s).click()", "#"+tt.button+"-button")))
		open := "show-nav"
		if tt.button == "people" {
			open = "show-side"
		}
		ada.want("has opened it", shown, open)
		ada.resize(tt.to, 700, false)
		if !tt.open {
			open = ""
		}
		if got := value[string](ada, shown); got != open {
			t.Errorf("the drawer of %s, from %d to %d px: the page shows %q, want %q", tt.button, tt.from, tt.to, got, open)
		}
		if got := value[bool](ada, blocked); got != tt.open {
			t.Errorf("the drawer of %s, from %d to %d px: the rest is blocked: %v, want %v", tt.button, tt.from, tt.to, got, tt.open)
		}
		ada.press(kb.Escape)
		ada.want("has closed it", shown, "")
	}
}
