package peers

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
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

// until waits until a JavaScript expression is true in the page. Its arguments
// become JavaScript values.
func (c *chatter) until(what, expression string, args ...any) {
	c.t.Helper()
	expression = withValues(expression, args...)
	ctx, cancel := context.WithTimeout(c.t.Context(), patience)
	defer cancel()
	_, err := evaluate[bool](ctx, c.tab, `new Promise((done) => {
		const timer = setInterval(check, 20);
		function check() {
			if (!(`+expression+`)) return;
			clearInterval(timer);
			done(true);
		}
		check();
	})`)
	if err != nil {
		if ctx.Err() != nil {
			err = fmt.Errorf("not within %v", patience)
		}
		c.t.Fatalf("%s: %s: %v\nthe page shows: %s", c.name, what, err, strings.Join(value[[]string](c, "[document.body.innerText]"), ""))
	}
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
