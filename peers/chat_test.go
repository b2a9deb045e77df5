package peers

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/google/go-cmp/cmp"
)

// TestChatPage is the main job: two people in two browser contexts chat on the
// page of cmd/server. The parts build on each other.
func TestChatPage(t *testing.T) {
	b := startBrowser(t)
	b.strict = true
	server := buildServer(t)
	server.start(t)

	ada := b.chats(t, "Ada", server.url())
	if n := value[int](ada, welcomes+".length"); n != 1 {
		t.Errorf("Ada was welcomed %d times, want once", n)
	}
	grace := b.chats(t, "Grace", server.url())

	part := func(name string, f func(t *testing.T)) {
		t.Helper()
		if t.Failed() {
			return // what follows would only repeat it
		}
		t.Run(name, func(t *testing.T) {
			ada.t, grace.t = t, t
			t.Cleanup(func() {
				if t.Failed() { // now, not when everything is over
					ada.screenshot(t, "Ada")
					grace.screenshot(t, "Grace")
				}
			})
			f(t)
		})
		ada.t, grace.t = t, t
	}

	part("the welcome goes to who connects only", func(t *testing.T) {
		ada.until("sees Grace come", "[...document.querySelectorAll('#logs .system')].some(e => e.textContent.startsWith('Grace joined'))")
		for _, c := range []*chatter{ada, grace} {
			if n := value[int](c, welcomes+".length"); n != 1 {
				t.Errorf("%s has %d welcomes on the page, want 1", c.name, n)
			}
		}
	})

	part("two people chat", func(t *testing.T) {
		ada.types("Hello, Grace")
		grace.sees("Hello, Grace")
		ada.sees("Hello, Grace")
		if v := value[string](ada, "document.querySelector('#text').value"); v != "" {
			t.Errorf("after Send the box holds %q, want it empty", v)
		}
		if from := value[string](grace, "[...document.querySelectorAll('#logs .message')].at(-1).querySelector('.from').textContent"); !strings.HasPrefix(from, "Ada") {
			t.Errorf("Grace sees the message as from %q, want Ada", from)
		}
		grace.must(chromedp.SendKeys(chromedp.CSS("#text"), "Hello, Ada: grüße 世界 👋\r")) // Enter sends too
		ada.sees("Hello, Ada: grüße 世界 👋")
	})

	part("an empty message is not sent", func(t *testing.T) {
		before := value[[]string](ada, texts)
		ada.types("")
		ada.types("   ")
		ada.types("after nothing") // comes after whatever the two above would have sent
		grace.sees("after nothing")
		ada.sees("after nothing")
		for _, c := range []*chatter{ada, grace} { // Ada would also see what the server refused
			if diff := cmp.Diff(append(before, "after nothing"), value[[]string](c, texts)); diff != "" {
				t.Errorf("%s's messages (-want +got):\n%s", c.name, diff)
			}
		}
	})

	part("markup is text", func(t *testing.T) {
		payloads := []string{
			`<img src="x" onerror="window.ran = 1">`,
			`<script>window.ran = 1</script>`,
			`"><svg onload="window.ran = 1"><a href="javascript:window.ran=1">x</a>`,
			`</li></ol><iframe srcdoc="<script>parent.ran = 1</script>"></iframe>`,
		}
		for _, p := range payloads {
			ada.types(p)
			grace.sees(p)
		}
		for _, c := range []*chatter{ada, grace} {
			got := value[[]string](c, texts)
			if diff := cmp.Diff(payloads, got[max(0, len(got)-len(payloads)):]); diff != "" {
				t.Errorf("%s's messages (-want +got):\n%s", c.name, diff)
			}
			if n := value[int](c, "document.querySelectorAll('#logs .text *, #logs img, #logs script, #logs iframe').length"); n != 0 {
				t.Errorf("%s's list has %d elements that a message brought", c.name, n)
			}
			if value[bool](c, "'ran' in window") {
				t.Errorf("a script from a message ran in %s's page", c.name)
			}
		}
	})

	part("the list follows the newest message", func(t *testing.T) {
		lines := make([]string, 40)
		for i := range lines {
			lines[i] = fmt.Sprintf("line %d of many", i+1)
		}
		for _, line := range lines {
			_ = value[chromedp.Void](ada, withValues("(document.querySelector('#text').value = %s, document.querySelector('#form').requestSubmit())", line))
		}
		for _, c := range []*chatter{ada, grace} {
			c.sees(lines[len(lines)-1])
			c.until("the list is longer than its window", "document.querySelector('.scroller:not([hidden])').scrollHeight > document.querySelector('.scroller:not([hidden])').clientHeight")
			c.until("the newest message is in view", `(() => {
				const box = document.querySelector('.scroller:not([hidden])').getBoundingClientRect();
				const last = [...document.querySelectorAll('.scroller:not([hidden]) .messages > li')].at(-1).getBoundingClientRect();
				return last.top >= box.top && last.bottom <= box.bottom + 1;
			})()`)
			got := value[[]string](c, texts)
			if diff := cmp.Diff(lines, got[max(0, len(got)-len(lines)):]); diff != "" {
				t.Errorf("%s's last messages (-want +got):\n%s", c.name, diff)
			}
		}
	})

	part("the page connects again after the server was killed", func(t *testing.T) {
		for _, c := range []*chatter{ada, grace} {
			_ = value[chromedp.Void](c, "void (window.loadedOnce = true)")
		}
		ada.expects(lost, "ERR_CONNECTION")
		grace.expects(lost, "ERR_CONNECTION")
		server.kill()
		for _, c := range []*chatter{ada, grace} {
			c.until("notices that the server is gone", state+" !== 'online'")
		}
		ada.types("written while the server was away")
		server.start(t)
		for _, c := range []*chatter{ada, grace} {
			c.online()
		}
		for _, c := range []*chatter{ada, grace} {
			c.sees("written while the server was away")
		}
		grace.types("and we go on")
		ada.sees("and we go on")
		for _, c := range []*chatter{ada, grace} {
			once := slices.DeleteFunc(value[[]string](c, texts), func(s string) bool { return s != "written while the server was away" })
			if len(once) != 1 {
				t.Errorf("%s sees the message from the time without a server %d times, want once", c.name, len(once))
			}
			if !value[bool](c, "window.loadedOnce === true") {
				t.Errorf("%s's page was loaded anew", c.name)
			}
			if name := value[string](c, "document.querySelector('#my-name').textContent"); name != c.name {
				t.Errorf("%s is now called %q", c.name, name)
			}
		}
	})

	part("who closes the page leaves", func(t *testing.T) {
		grace.close()
		ada.until("sees Grace go", "[...document.querySelectorAll('#logs .system')].some(e => e.textContent.startsWith('Grace left'))")
	})

	part("the server says who came, spoke and went", func(t *testing.T) {
		log := server.logged()
		for _, want := range []string{"msg=join", "msg=message", "msg=disconnect", "Ada", "Grace"} {
			if !strings.Contains(log, want) {
				t.Errorf("the log lacks %q", want)
			}
		}
		if strings.Contains(log, "Hello, Grace") {
			t.Error("the log has what people wrote, which it should not at its default level")
		}
	})

	part("SIGTERM ends the server in an orderly way", func(t *testing.T) {
		if err := server.terminate(t); err != nil {
			t.Errorf("the server ended with %v, want status 0", err)
		}
		ada.until("notices that the server is gone", state+" !== 'online'")
	})
}
