package peers

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// A chatter is somebody with the chat page open.
type chatter struct {
	*tab
	t    *testing.T
	name string
}

// chats opens the page for the first time, and takes a name and, unless the
// address has one, a room there.
func (b *browser) chats(t *testing.T, name, url string) *chatter {
	t.Helper()
	p, err := b.open(t, name, url)
	if err != nil {
		t.Fatalf("%s cannot open %s: %v", name, url, err)
	}
	c := &chatter{p, t, name}
	c.must(
		chromedp.WaitVisible(chromedp.CSS("#name")),
		chromedp.SendKeys(chromedp.CSS("#name"), name), // it is selected, so this takes its place
		chromedp.Click(chromedp.CSS("#me-ok")),
	)
	c.until("has the name", "document.querySelector('#my-name').textContent === %s", name)
	c.online()
	c.until("is in the room", "document.querySelectorAll('#members li').length > 0 && "+welcomes+".length > 0")
	return c
}

func (c *chatter) must(steps ...chromedp.Action[chromedp.Void]) {
	c.t.Helper()
	if err := c.do(steps...); err != nil {
		c.t.Fatalf("%s: %v", c.name, err)
	}
}

// Expressions about the page.
const (
	// texts are the messages, oldest first, without those who wrote them.
	texts = "[...document.querySelectorAll('#logs .scroller:not([hidden]) .message .text')].map(e => e.textContent)"
	// welcomes are the lines with which the server greets who connects.
	welcomes = "[...document.querySelectorAll('#logs .scroller:not([hidden]) .system')].filter(e => e.textContent.startsWith('Welcome'))"
	state    = "document.querySelector('#state').dataset.state"
)

// until waits until a JavaScript expression is true in the page, or in the one that
// takes its place meanwhile. Its arguments become JavaScript values.
func (c *chatter) until(what, expression string, args ...any) {
	c.t.Helper()
	expression = withValues(expression, args...)
	ctx, cancel := context.WithTimeout(c.t.Context(), patience)
	defer cancel()
	script := `new Promise((done) => {
		const timer = setInterval(check, 20);
		function check() {
			if (!(` + expression + `)) return;
			clearInterval(timer);
			done(true);
		}
		check();
	})`
	_, err := evaluate[bool](ctx, c.tab, script)
	for navigated(err) && ctx.Err() == nil {
		_, err = evaluate[bool](ctx, c.tab, script)
	}
	if err != nil {
		if ctx.Err() != nil {
			err = fmt.Errorf("not within %v", patience)
		}
		c.t.Fatalf("%s: %s: %v\nthe page shows: %s", c.name, what, err, strings.Join(value[[]string](c, "[document.body?.innerText ?? '']"), ""))
	}
}

// navigated reports whether a script came to nothing because its page was left.
func navigated(err error) bool {
	return err != nil && slices.ContainsFunc([]string{
		"Inspected target navigated or closed", "Execution context was destroyed", "Cannot find context", "Cannot find default execution context",
	}, func(words string) bool { return strings.Contains(err.Error(), words) })
}

// The page that is waited for may be another than the one that is there yet.
func TestUntilOutlivesNavigation(t *testing.T) {
	b := startBrowser(t)
	p, err := b.open(t, "a page", servePage(t, "<!doctype html><title>a page</title>", nil)+"?one")
	if err != nil {
		t.Fatal(err)
	}
	c := &chatter{p, t, "a page"}
	c.until("is at the other page", "(location.search === '?two' || (window.going ??= (location.search = '?two'), false))")
}

func withValues(expression string, args ...any) string {
	for i, a := range args {
		b, err := json.Marshal(a)
		if err != nil {
			panic(err) // strings, numbers and lists of them come here
		}
		args[i] = string(b)
	}
	return fmt.Sprintf(expression, args...)
}

// value is an expression's value right now.
func value[T any](c *chatter, expression string) T {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	v, err := evaluate[T](ctx, c.tab, expression)
	if err != nil {
		c.t.Errorf("%s: %s: %v", c.name, expression, err)
	}
	return v
}

func (c *chatter) online() {
	c.t.Helper()
	c.until("is online", state+" === 'online'")
}

// types puts text in the box, key by key, and presses Send.
func (c *chatter) types(text string) {
	c.t.Helper()
	if text != "" {
		c.must(chromedp.SendKeys(chromedp.CSS("#text"), text))
	}
	c.must(chromedp.Click(chromedp.CSS("#send")))
}

// sees waits for a message to be the newest one.
func (c *chatter) sees(text string) {
	c.t.Helper()
	c.until(fmt.Sprintf("sees %q", text), texts+".at(-1) === %s", text)
}

// joinsRoom joins a room by the form beside the rooms, and waits until it is there.
func (c *chatter) joinsRoom(room string) {
	c.t.Helper()
	c.must(chromedp.SendKeys(chromedp.CSS("#room-name"), room+kb.Enter))
	c.inRoom(room)
}

func (c *chatter) inRoom(room string) {
	c.t.Helper()
	c.until("is in "+room, "document.querySelector('#title').textContent === %s && document.querySelectorAll('#members li').length > 0", "#"+room)
}

// goesTo clicks a conversation, by its key.
func (c *chatter) goesTo(key string) {
	c.t.Helper()
	_ = value[chromedp.Void](c, withValues("document.querySelector(`.place[data-key=${CSS.escape(%s)}]`).click()", key))
	c.until("is at "+key, "document.querySelector('.place[aria-current]')?.dataset.key === %s", key)
}

// press presses a key, with modifiers.
func (c *chatter) press(key string, modifiers ...chromedp.Modifier) {
	c.t.Helper()
	c.must(chromedp.KeyEvent(key, chromedp.KeyModifiers(modifiers...)))
}

// beside opens another tab of the same browser profile.
func (c *chatter) beside(name, url string) *chatter {
	c.t.Helper()
	heard := new(complaints)
	ctx, cancel := chromedp.NewContext(c.ctx, chromedp.WithListener(heard.listen))
	d := &chatter{&tab{ctx, cancel, heard}, c.t, name}
	c.t.Cleanup(func() {
		d.quiet(c.t)
		if c.t.Failed() {
			d.screenshot(c.t, name)
		}
		cancel()
	})
	if err := chromedp.Do(ctx); err != nil {
		c.t.Fatal(err)
	}
	d.must(chromedp.Navigate(url))
	d.online()
	return d
}

// prefers sets a preference that style sheets ask for.
func (c *chatter) prefers(feature, is string) {
	c.t.Helper()
	c.must(command(emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: feature, Value: is}}}))
}

// offline makes the page believe that the network is gone, or back.
func (c *chatter) offline(is bool) {
	c.t.Helper()
	c.must(command(network.OverrideNetworkState, network.OverrideNetworkStateParams{
		Offline: is, Latency: 0, DownloadThroughput: -1, UploadThroughput: -1,
	}))
}

// command is a DevTools command as a step.
func command[P, R any](c cdp.Command[P, R], params P) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, c, params)
		return err
	})
}

// resize gives the page the size of a window, or of a phone's screen, and waits
// until the page has been told: media queries report a change in the next frame.
func (c *chatter) resize(width, height int64, phone bool) {
	c.t.Helper()
	var options []chromedp.EmulateViewportOption
	if phone {
		options = append(options, chromedp.EmulateMobile, chromedp.EmulateTouch)
	}
	c.must(chromedp.EmulateViewport(width, height, options...))
	c.until("has its size", "innerWidth === %s", width)
	_ = value[chromedp.Void](c, "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done())))")
}

// want compares an expression's value with what it must become.
func (c *chatter) want(what, expression string, want any) {
	c.t.Helper()
	c.until(what, "JSON.stringify("+expression+") === JSON.stringify(%s)", want)
}
