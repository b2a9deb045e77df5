package peers

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"framewright/chat"
	"framewright/chat/plain"
	"framewright/ws/wsnet"
)

// payloads are a hundred ways to bring a script into a page. Each sets
// window.ran if it runs.
func payloads() []string {
	const run = "window.ran=1"
	fixed := []string{
		"<script>" + run + "</script>", "<ScRiPt>" + run + "</sCrIpT>", "<script src=data:text/javascript," + run + "></script>",
		"<script\n>" + run + "</script\n>", "<scr<script>ipt>" + run + "</scr</script>ipt>", "<script/x>" + run + "</script>",
		"</li></ol></div><script>" + run + "</script>", "</textarea><script>" + run + "</script>", "</title><script>" + run + "</script>",
		"--><script>" + run + "</script><!--", "]]><script>" + run + "</script>", "<![CDATA[<script>" + run + "</script>]]>",
		"<noscript><p title=\"</noscript><img src=x onerror=" + run + ">\">", "<template><script>" + run + "</script></template>",
		"<iframe srcdoc='<script>parent." + run + "</script>'></iframe>", "<iframe src=\"javascript:parent." + run + "\"></iframe>",
		"<object data=\"javascript:" + run + "\"></object>", "<embed src=\"javascript:" + run + "\">",
		"<form action=\"javascript:" + run + "\"><button>go</button></form>", "<button formaction=\"javascript:" + run + "\" form=form>x</button>",
		"<a href=\"javascript:" + run + "\">x</a>", "<a href=\" &#14; javascript:" + run + "\">x</a>", "<a href=\"jav&#x09;ascript:" + run + "\">x</a>",
		"javascript:" + run, "data:text/html,<script>" + run + "</script>", "vbscript:" + run, "<base href=\"javascript:" + run + "//\">",
		"<meta http-equiv=refresh content=\"0;url=javascript:" + run + "\">", "<link rel=import href=\"data:text/html,<script>" + run + "</script>\">",
		"<style>@import 'javascript:" + run + "';</style>", "<style>*{background:url('javascript:" + run + "')}</style>",
		"<svg><script>" + run + "</script></svg>", "<svg><animate onbegin=" + run + " attributeName=x dur=1s>", "<svg><a xlink:href=\"javascript:" + run + "\"><text y=20>x</text></a></svg>",
		"<svg><foreignObject><script>" + run + "</script></foreignObject></svg>", "<svg><use href=\"data:image/svg+xml,<svg id='x' onload='" + run + "'/>#x\"/></svg>",
		"<math><mtext><table><mglyph><style><img src=x onerror=" + run + "></style></mglyph></table></mtext></math>",
		"<math href=\"javascript:" + run + "\">x</math>", "<table background=\"javascript:" + run + "\">", "<isindex action=\"javascript:" + run + "\">",
		"\"><img src=x onerror=" + run + ">", "'><img src=x onerror=" + run + ">", "`><img src=x onerror=" + run + ">",
		"\" onfocus=" + run + " autofocus x=\"", "' onmouseover=" + run + " x='", "x onclick=" + run,
		"${" + run + "}", "{{constructor.constructor('" + run + "')()}}", "#{" + run + "}", "<%= " + run + " %>",
		"\\u003cimg src=x onerror=" + run + "\\u003e", "\\x3cscript\\x3e" + run + "\\x3c/script\\x3e", "&lt;script&gt;" + run + "&lt;/script&gt;",
		"&#60;script&#62;" + run + "&#60;/script&#62;", "%3Cscript%3E" + run + "%3C/script%3E", "＜script＞" + run + "＜/script＞",
		"http://example.com/\"onmouseover=" + run + "//", "https://example.com/<script>" + run + "</script>", "http://javascript:" + run + "@example.com/",
		"https://example.com/'><img src=x onerror=" + run + ">", "HTTP://[::1]:x/<svg onload=" + run + ">", "[x](javascript:" + run + ")",
		"__proto__", "constructor", "{\"type\":\"message\",\"text\":\"<img src=x onerror=" + run + ">\"}",
	}
	for _, tag := range []string{"img", "video", "audio", "input", "body", "details", "marquee", "svg", "select", "object", "image", "track"} {
		fixed = append(fixed, fmt.Sprintf("<%s src=x onerror=%s onload=%s onfocus=%s ontoggle=%s onstart=%s autofocus open>", tag, run, run, run, run, run),
			fmt.Sprintf("<%s/src='x'/onerror='%s'/onload='%s'>", tag, run, run))
	}
	for i := 0; len(fixed) < 100; i++ {
		fixed = append(fixed, fmt.Sprintf("<x id=p%d tabindex=%d onfocus=%s style=animation:pulse onanimationstart=%s>", i, i, run, run))
	}
	return fixed
}

// tripwires report what a script in a message would do: run, or be kept from it
// by the page's policy.
const tripwires = `void (() => {
	window.tripped = [];
	for (const f of ['alert', 'confirm', 'prompt', 'open']) window[f] = () => void window.tripped.push(f);
	document.addEventListener('securitypolicyviolation', (e) => window.tripped.push(e.violatedDirective + ' ' + e.sample));
	window.addEventListener('error', (e) => window.tripped.push(e.message));
	window.addEventListener('unhandledrejection', (e) => window.tripped.push(String(e.reason)));
})()`

func testInjection(t *testing.T, s *stage) {
	all := payloads()
	if len(all) < 100 {
		t.Fatalf("only %d payloads", len(all))
	}
	ada, grace := s.visit(t, "Ada", "safe"), s.visit(t, "Grace", "safe")
	for _, c := range []*chatter{ada, grace} {
		_ = value[chromedp.Void](c, tripwires)
	}
	// As texts, typed on one page and shown on both.
	for _, p := range all {
		_ = value[chromedp.Void](ada, withValues("(document.querySelector('#text').value = %s, document.querySelector('#form').requestSubmit())", p))
	}
	for _, c := range []*chatter{ada, grace} {
		c.want("has all as text", texts, all)
	}
	// As names, of people who come, write, are listed, and can be written to.
	n := 0
	taken := make(map[string]bool)
	for _, p := range all {
		name := strings.TrimSpace(string([]rune(p)[:min(len([]rune(p)), 32)]))
		if n == 12 || !strings.ContainsAny(name, "<\"'") || chat.CheckName(name) != nil || taken[strings.ToLower(name)] {
			continue
		}
		taken[strings.ToLower(name)] = true
		n++
		r := joins(t, s.gate.url(), name, "safe")
		r.says("safe", "I am "+name)
		r.asks(map[string]any{"type": "typing", "room": "safe"})
		grace.until("sees "+name, people+".includes(%s)", name)
		grace.must(chromedp.Evaluate[chromedp.Void](withValues(`void [...document.querySelectorAll('button.member')].find(e => e.textContent.includes(%s)).click()`, name)))
		grace.want("talks to "+name, "document.querySelector('#title').textContent", name)
		grace.goesTo("#safe")
		r.c.CloseNow()
	}
	if n < 10 {
		t.Errorf("only %d payloads could be names", n)
	}
	// As rooms, by the form and by the address.
	n = 0
	for _, p := range all {
		room := strings.Join(strings.Fields(string([]rune(p)[:min(len([]rune(p)), 32)])), " ")
		if n == 12 || chat.CheckRoom(room) != nil {
			continue
		}
		n++
		if n%2 == 0 {
			_ = value[chromedp.Void](grace, withValues("void (location.hash = encodeURIComponent(%s))", room))
		} else {
			_ = value[chromedp.Void](grace, withValues("(document.querySelector('#room-name').value = %s, document.querySelector('#room-form').requestSubmit())", room))
		}
		grace.inRoom(strings.TrimPrefix(room, "#"))
	}
	for _, hash := range []string{"<img src=x onerror=window.ran=1>", "javascript:window.ran=1", "%3Cscript%3Ewindow.ran=1%3C/script%3E", "@<svg onload=window.ran=1>", "%00%FF", "\"><script>window.ran=1</script>"} {
		_ = value[chromedp.Void](grace, withValues("void (location.hash = %s)", hash))
		grace.until("is somewhere", "document.querySelector('#title').textContent !== ''")
	}
	grace.must(chromedp.Evaluate[chromedp.Void]("void document.querySelector('#frames-button').click()"))
	grace.until("shows frames", "document.querySelectorAll('#frame-list .payload').length > 10")
	for _, c := range []*chatter{ada, grace} {
		c.goesTo("#safe")
		if value[bool](c, "'ran' in window") {
			t.Errorf("a script ran in %s's page", c.name)
		}
		if tripped := value[[]string](c, "window.tripped"); len(tripped) > 0 {
			t.Errorf("%s's page tried: %q", c.name, tripped)
		}
		if n := value[int](c, `document.querySelectorAll('body script, iframe, object, embed, #logs img, #logs svg, #logs form, #logs .text :not(a), [onerror], [onload], [onfocus], [style]:not(#text)').length`); n != 0 {
			t.Errorf("%s's page has %d elements that a message brought", c.name, n)
		}
		if bad := value[[]string](c, `[...document.querySelectorAll('#logs .text a')].filter(a => !/^https?:$/.test(a.protocol) || !a.rel.includes('noopener')).map(a => a.outerHTML)`); len(bad) > 0 {
			t.Errorf("%s's page has links %q", c.name, bad)
		}
	}
	for _, c := range []*chatter{ada, grace} {
		c.quiet(t)
	}
	// And should a mistake ever let markup in: the policy stops it.
	if got := value[string](ada, "(() => { try { document.querySelector('#typing').innerHTML = '<b>x</b>'; return 'taken' } catch (e) { return e.name } })()"); got != "TypeError" {
		t.Errorf("innerHTML is %s, want a TypeError by Trusted Types", got)
	}
	_ = value[chromedp.Void](ada, "void (() => { const s = document.createElement('script'); try { s.text = 'window.ran = 1'; document.body.append(s); } catch {} })()")
	if value[bool](ada, "'ran' in window") {
		t.Error("an inline script runs, though the policy forbids it")
	}
	if said := ada.complaints.take(); len(said) != 2 || !strings.Contains(said[0], "TrustedHTML") {
		t.Errorf("the browser complains %q, want once of markup and once of the script", said)
	}
}

// testImport uses the client module on a page of another origin.
func testImport(t *testing.T, s *stage) {
	const example = `<!doctype html>
<title>Another page</title>
<ul id="messages"></ul>
<script type="module">
  import { Chat } from "SERVER/client.js";
  const chat = new Chat("SERVER/ws".replace("http", "ws"), { name: "NAME" });
  chat.on("message", (m) => {
    const li = document.createElement("li");
    li.textContent = m.from.name + ": " + m.text;
    document.querySelector("#messages").append(li);
  });
  chat.on("state", ({ state }) => document.body.dataset.state = state);
  chat.join("elsewhere");
  chat.send("elsewhere", "Hello from another page");
</script>`
	allowed := buildServer(t)
	page := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		server := allowed.url()
		if r.URL.Path == "/refused" {
			server = s.url()
		}
		_, _ = io.WriteString(w, strings.NewReplacer("SERVER", strings.TrimSuffix(server, "/"), "NAME", s.as("Ada")).Replace(example))
	}))
	t.Cleanup(page.Close)
	allowed.args = []string{"-origin", strings.TrimPrefix(page.URL, "http://")}
	allowed.start(t)

	p, err := s.browser.open(t, "another page", page.URL)
	if err != nil {
		t.Fatal(err)
	}
	c := &chatter{p, t, "another page"}
	c.want("chats", "[...document.querySelectorAll('li')].map(e => e.textContent)", []string{s.as("Ada") + ": Hello from another page"})
	joins(t, allowed.url(), s.as("Grace"), "elsewhere").says("elsewhere", "Hello to it")
	c.want("hears others", "[...document.querySelectorAll('li')].map(e => e.textContent)", []string{s.as("Ada") + ": Hello from another page", s.as("Grace") + ": Hello to it"})

	// A server that does not know the page refuses it at the handshake.
	c.expects(lost)
	c.must(chromedp.Navigate(page.URL + "/refused"))
	c.until("is refused", "document.body?.dataset.state === 'waiting' && document.querySelectorAll('li').length === 0")
}

// hubBehindPage serves the real page, and a chat whose hub the test has in its
// own hands.
func hubBehindPage(t *testing.T, s *stage, o chat.Options) (*chat.Hub, *gate) {
	t.Helper()
	real, err := url.Parse(s.url())
	if err != nil {
		t.Fatal(err)
	}
	hub := chat.New(o)
	sockets := wsnet.Handler(plain.Handler(hub, nil))
	sockets.Options.Subprotocols = []string{plain.Subprotocol}
	mux := http.NewServeMux()
	mux.Handle("/ws", sockets)
	mux.Handle("/", httputil.NewSingleHostReverseProxy(real))
	server := httptest.NewServer(mux)
	t.Cleanup(func() {
		server.Close()
		_ = hub.Close()
	})
	return hub, newGate(t, server.Listener.Addr().String())
}

// published puts texts in a room.
func published(t *testing.T, hub *chat.Hub, room string, texts ...string) (last *chat.Message) {
	t.Helper()
	for _, text := range texts {
		m, err := hub.Publish(room, chat.Person{ID: "bot", Name: "Bot"}, text, text)
		if err != nil {
			t.Fatal(err)
		}
		last = m
	}
	return last
}

// testGap has somebody away for longer than a join catches up on.
func testGap(t *testing.T, s *stage) {
	hub, gate := hubBehindPage(t, s, chat.Options{Resume: 5, History: 20})
	ada := s.chats(t, "Ada", gate.url()+"#far")
	deleted := published(t, hub, "far", "seen 1", "to be deleted")
	published(t, hub, "far", "seen 2")
	want := []string{"seen 1", "to be deleted", "seen 2"}
	ada.want("sees what there is", texts, want)

	ada.expects(lost)
	gate.close()
	ada.until("lost the connection", state+" !== 'online'")
	if found, err := hub.Delete("far", deleted.Cursor); err != nil || !found {
		t.Fatal(found, err)
	}
	gate.open()
	back := func() {
		t.Helper()
		_ = value[chromedp.Void](ada, "void document.querySelector('#retry-now').click()")
		ada.online()
	}
	back()
	ada.want("sees the deleted one vanish", texts, []string{"seen 1", "seen 2"})

	gate.close()
	ada.until("lost the connection", state+" !== 'online'")
	missed := series("missed", 1, 90)
	published(t, hub, "far", missed...)
	gate.open()
	back()
	ada.want("sees the latest, and that there is more", texts, append([]string{"seen 1", "seen 2"}, missed[70:]...))
	for _, from := range []int{50, 30, 10, 0} {
		ada.must(chromedp.Evaluate[chromedp.Void]("void document.querySelector('.gap button').click()"))
		ada.want("gets what was missed, piece by piece", texts, append([]string{"seen 1", "seen 2"}, missed[from:]...))
	}
	ada.until("has no gap any more", "!document.querySelector('.gap')")

	// More than a join catches up on, but the latest history reaches back to what
	// was seen: nothing is missing, and nothing is there twice.
	gate.close()
	ada.until("lost the connection", state+" !== 'online'")
	overlap := series("overlap", 1, 8)
	published(t, hub, "far", overlap...)
	gate.open()
	back()
	missed = append(missed, overlap...)
	ada.want("has all once", texts, append([]string{"seen 1", "seen 2"}, missed...))
	ada.want("knows that nothing is missing", "document.querySelectorAll('.gap').length", 0)

	// The page keeps no more lines than it should, and gets the older ones back.
	all := append([]string{"seen 1", "seen 2"}, missed...)
	more := series("more", 1, 600)
	published(t, hub, "far", more...)
	all = append(all, more...)
	ada.sees("more 600")
	if n := value[int](ada, lines+".length"); n > 510 {
		t.Errorf("the page keeps %d lines", n)
	}
	_ = value[chromedp.Void](ada, "void ("+scroller+".scrollTop = 0)")
	ada.until("gets older ones back", `((list) => {
		if (list[0] === 'seen 1') return true;
		`+scroller+`.scrollTop = 0;
		return false;
	})(`+texts+`)`)
	ada.want("has all again", texts, all)
}

// testDays has messages of three days, in two pieces: each day is named once.
func testDays(t *testing.T, s *stage) {
	store := new(chat.Memory)
	now := time.Now()
	noon := time.Date(now.Year(), now.Month(), now.Day(), 12, 0, 0, 0, time.Local)
	var stored []*chat.Message
	for i, days := range []int{2, 2, 1, 1, 1} {
		stored = append(stored, &chat.Message{Room: "days", ID: fmt.Sprint(i), From: chat.Person{ID: "bot", Name: "Bot"},
			Text: fmt.Sprint("day ", -days, " line ", i), Time: noon.AddDate(0, 0, -days).Add(time.Duration(i) * time.Minute).UTC()})
	}
	if _, err := store.Append("days", stored); err != nil {
		t.Fatal(err)
	}
	hub, gate := hubBehindPage(t, s, chat.Options{Store: store, History: 4})
	ada := s.chats(t, "Ada", gate.url()+"#days")
	published(t, hub, "days", "today")
	ada.until("has them all", texts+".length === 6 && "+texts+".at(-1) === 'today'")
	name := func(days int) string { // in the browser's language
		return value[string](ada, withValues("new Date(%s).toLocaleDateString([], { weekday: 'long', day: 'numeric', month: 'long', year: 'numeric' })", noon.AddDate(0, 0, -days)))
	}
	const rows = lines + ".filter(e => e.matches('.day, .message')).map(e => e.matches('.day') ? e.textContent : e.classList.contains('goes-on'))"
	ada.want("names each day once", rows, []any{name(2), false, true, name(1), false, true, true, "Today", false})
	ada.want("has the whole time of each", lines+".find(e => e.matches('.message')).querySelector('time').dateTime", stored[0].Time.Format("2006-01-02T15:04:05.000Z"))

	// Another day begins while the page is open: it is another that is called today.
	const nextDay = `(() => {
		const [now, parse, day] = [performance.now.bind(performance), Date.parse, 24 * 3600_000];
		performance.now = () => now() + day;
		Date.parse = (text) => parse(text) + day; // what the server says that it is
		document.dispatchEvent(new Event("visibilitychange"));
	})()`
	ada.must(chromedp.Evaluate[chromedp.Void](nextDay))
	ada.want("calls it by its date", rows, []any{name(2), false, true, name(1), false, true, true, name(0), false})
	hub.ToRoom("days", chat.Notice{Room: "days", Text: "a new day"})
	ada.want("calls the new one today", lines+".slice(-2).map(e => e.matches('.day') ? e.textContent : e.firstChild.textContent)", []string{"Today", "a new day"})

	// Also in a room that has but messages of today, and so named no day.
	young := s.chats(t, "Grace", gate.url()+"#young")
	published(t, hub, "young", "of today")
	young.want("names no day", rows, []any{false})
	young.must(chromedp.Evaluate[chromedp.Void](nextDay))
	young.want("names it when it is over", rows, []any{name(0), false})
}

// testModeration has the hub in this process, behind the real page, because the
// server's program has no commands for operators.
func testModeration(t *testing.T, s *stage) {
	hub, gate := hubBehindPage(t, s, chat.Options{PresenceGrace: -1})
	ada := s.chats(t, "Ada", gate.url()+"#desk")
	grace := joins(t, gate.url(), "Grace", "desk")
	published(t, hub, "desk", "one", "two", "three")
	ada.types("mine")
	ada.want("has all", texts, []string{"one", "two", "three", "mine"})
	ada.until("knows their places", lines+".filter(e => e.matches('.message')).every(e => e.dataset.cursor)")
	me := hub.Sessions()[0].Person()
	for _, session := range hub.Sessions() {
		if session.Person().Name == "Ada" {
			me = session.Person()
		}
	}

	// A deleted message vanishes, the first of a group and an own one, too.
	for _, text := range []string{"one", "mine"} {
		cursor := value[string](ada, withValues(lines+".find(e => e.querySelector('.text')?.textContent === %s).dataset.cursor", text))
		c, err := chat.ParseCursor(cursor)
		if err != nil {
			t.Fatal(err)
		}
		if found, err := hub.Delete("desk", c); err != nil || !found {
			t.Fatal(found, err)
		}
	}
	ada.want("sees them vanish", texts, []string{"two", "three"})
	ada.want("still sees who wrote the rest", lines+".find(e => e.matches('.message')).classList.contains('goes-on')", false)

	hub.Mute("desk", me.ID, time.Now().Add(time.Hour))
	ada.until("is told that it is muted", "document.querySelector('#obstacle-text').textContent.startsWith('You may not write here until') && document.querySelector('#send').disabled")
	hub.Mute("desk", me.ID, time.Now().Add(-time.Second))
	ada.until("may write again", "document.querySelector('#obstacle').hidden && !document.querySelector('#send').disabled")
	ada.types("free")
	ada.sees("free")

	hub.ToRoom("desk", chat.Notice{Room: "desk", Text: "<b>Tea</b> at four"})
	ada.until("sees a notice", lines+".some(e => e.matches('.system') && e.textContent.startsWith('<b>Tea</b> at four'))")

	hub.Kick("desk", me.ID, "too much tea")
	ada.until("is told that it is out", "document.querySelector('#obstacle-text').textContent.includes('too much tea') && document.querySelector('#send').disabled")
	grace.says("desk", "without Ada")
	ada.must(chromedp.Click(chromedp.CSS("#rejoin")))
	ada.want("is back and has what was said", texts, []string{"two", "three", "free", "without Ada"})
	ada.types("back")
	ada.sees("back")

	hub.Kick("", me.ID, "enough")
	ada.until("is told that it is disconnected", banner+".startsWith('Disconnected')")
	ada.want("does not come back by itself", state, "stopped")
	ada.must(chromedp.Click(chromedp.CSS("#retry-now")))
	ada.online()
	ada.types("by hand")
	ada.sees("by hand")
}
