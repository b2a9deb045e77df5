package peers

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/chromedp"
)

// looks.js defines looks: what of a page is hard to read, too wide or too small.
//
//go:embed looks.js
var looksScript string

// tree is what assistive technology gets of the page: "role name" of each node.
func (c *chatter) tree() []string {
	c.t.Helper()
	var nodes []string
	err := within(c.ctx, func(ctx context.Context) error {
		return chromedp.Do(ctx, chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
			tree, err := cdp.Call(ctx, t, accessibility.GetFullAXTree, accessibility.GetFullAXTreeParams{})
			for _, n := range tree.Nodes {
				if n.Ignored || said(n.Role) == "InlineTextBox" || said(n.Role) == "StaticText" {
					continue
				}
				nodes = append(nodes, strings.TrimSpace(said(n.Role)+" "+said(n.Name)))
			}
			return err
		}))
	})
	if err != nil {
		c.t.Fatal(err)
	}
	return nodes
}

func said(v *accessibility.Value) string {
	if v == nil {
		return ""
	}
	var s string
	_ = json.Unmarshal(v.Value, &s)
	return s
}

func testAccessibility(t *testing.T, s *stage) {
	robot := joins(t, s.gate.url(), s.as("Robot"), "heard", "aside")
	robot.says("heard", series("old", 1, 40)...)
	ada := s.visit(t, "Ada", "heard")
	ada.resize(1280, 800, false)
	ada.sees("old 40")
	ada.joinsRoom("aside")
	ada.goesTo("#heard")
	ada.types("hello")
	ada.want("has sent it", delivered, []string{"sent"})
	ada.want("has both listed", people+".length", 2)

	tree := ada.tree()
	for _, want := range []string{
		"navigation Conversations", "main", "complementary People and frames", "region Messages in #heard", "list Messages", "status",
		"heading heard", "heading Rooms", "heading Here now", "link heard", "link aside", "button Leave #heard", "textbox Room to join", "button Join",
		"textbox Message", "button Send", "button " + s.as("Robot") + " write in private", "button Frames see what goes over the wire",
	} {
		if !slices.Contains(tree, want) {
			t.Errorf("assistive technology does not find %q", want)
		}
	}
	for _, n := range tree {
		role, name, _ := strings.Cut(n, " ")
		if name == "" && slices.Contains([]string{"button", "link", "textbox", "checkbox", "dialog", "heading", "image", "navigation", "region"}, role) {
			t.Errorf("a %s has no name", role)
		}
	}
	if t.Failed() {
		t.Logf("all:\n%s", strings.Join(tree, "\n"))
	}
	// One region speaks, and it did not read out the history.
	const speaking = "[...document.querySelectorAll('[aria-live], [role=status], [role=log], [role=alert], output')].map(e => e.id)"
	ada.want("has one region that speaks, and the dialog's error", speaking, []string{"announcer", "me-error"})
	if told := value[string](ada, "document.querySelector('#announcer').textContent"); strings.Contains(told, "old") {
		t.Errorf("the history was read out: %q", told)
	}
	const announcer = "document.querySelector('#announcer').textContent"
	robot.says("heard", "a single one")
	ada.until("is told of a message", announcer+".includes(': a single one')")
	robot.asks(map[string]any{"type": "send", "room": "aside", "id": "aside", "text": "elsewhere"})
	ada.until("is told of another room", announcer+".includes('New message in #aside')")
	_ = value[chromedp.Void](ada, `void (window.told = [], new MutationObserver(() => window.told.push(`+announcer+`)).observe(document.querySelector('#announcer'), { childList: true, subtree: true, characterData: true }))`)
	const burst = 30
	for i := range burst {
		robot.asks(map[string]any{"type": "send", "room": "heard", "id": fmt.Sprint("burst ", i), "text": fmt.Sprint("burst ", i)})
	}
	ada.sees(fmt.Sprint("burst ", burst-1))
	ada.until("is told how many", "window.told.some(s => s.includes('new messages'))")
	if n := value[int](ada, "window.told.length"); n > burst/2 {
		t.Errorf("%d messages at once were announced in %d pieces", burst, n)
	}

	// The dialog.
	ada.must(chromedp.Click(chromedp.CSS("#me-button")), chromedp.WaitVisible(chromedp.CSS("#name")))
	tree = ada.tree()
	for _, want := range []string{"dialog Your name", "textbox Your name", "checkbox Be somebody else in this tab only Otherwise all tabs of this browser are one person.", "button Cancel", "button Save"} {
		if !slices.Contains(tree, want) {
			t.Errorf("in the dialog assistive technology does not find %q in:\n%s", want, strings.Join(tree, "\n"))
		}
	}
}

func testLooks(t *testing.T, s *stage) {
	robot := joins(t, s.gate.url(), s.as("Robot"), "looks", "aside")
	ada := s.visit(t, "Ada", "looks")
	ada.joinsRoom("aside")
	ada.goesTo("#looks")
	robot.says("looks", "A line with an address: https://example.com/a/long/path and some more words that make it wrap.", strings.Repeat("wide", 60), "短い 👋")
	robot.says("aside", "unread")
	ada.types("A line of my own")
	ada.want("has sent it", delivered, []string{"sent"})
	ada.expects(lost)
	s.gate.close()
	t.Cleanup(s.gate.open)
	ada.until("has a banner", banner+" !== ''")
	ada.types("One that is on its way")
	ada.want("is on its way", delivered, []string{"sent", "sending"})
	_ = value[chromedp.Void](ada, looksScript)
	for fault, plant := range map[string]string{
		"contrast": "document.body.style.setProperty('--soft', '#9aa')", "wide": "document.querySelector('#main').style.minWidth = '3000px'",
		"2 by 2 px": "document.querySelector('#send').style.cssText = 'width: 2px; height: 2px'",
	} {
		_ = value[chromedp.Void](ada, "void ("+plant+")")
		if found := strings.Join(value[[]string](ada, "looks()"), "\n"); !strings.Contains(found, fault) {
			t.Errorf("looks does not find a fault of %s that was planted, only: %s", fault, found)
		}
		_ = value[chromedp.Void](ada, "document.querySelectorAll('body, #main, #send').forEach(e => e.removeAttribute('style'))")
	}
	for _, size := range []struct {
		name          string
		width, height int64
		phone         bool
	}{{"desktop", 1280, 800, false}, {"tablet", 900, 700, false}, {"phone", 390, 844, true}, {"small phone", 320, 568, true}} {
		ada.resize(size.width, size.height, size.phone)
		for _, scheme := range []string{"light", "dark"} {
			ada.prefers("prefers-color-scheme", scheme)
			ada.until("has the scheme", "matchMedia('(prefers-color-scheme: '+%s+')').matches", scheme)
			check := func(view string) {
				t.Helper()
				for _, what := range value[[]string](ada, "looks()") {
					t.Errorf("%s, %s, %s: %s", size.name, scheme, view, what)
				}
			}
			check("conversation")
			for _, drawer := range []string{"nav", "people"} {
				if value[bool](ada, withValues("document.querySelector(%s).offsetParent === null", "#"+drawer+"-button")) {
					continue
				}
				ada.must(chromedp.Click(chromedp.CSS("#" + drawer + "-button")))
				ada.until("has opened "+drawer, "!document.querySelector('#veil').hidden")
				check(drawer)
				ada.must(chromedp.Evaluate[chromedp.Void]("void document.querySelector('#veil').click()"))
			}
			ada.must(chromedp.Evaluate[chromedp.Void]("void document.querySelector('#frames-button').click()"))
			check("frames")
			ada.must(chromedp.Evaluate[chromedp.Void]("void document.querySelector('#frames-close').click()"))
			ada.must(chromedp.Evaluate[chromedp.Void]("void document.querySelector('#me-button').click()"))
			check("dialog")
			ada.must(chromedp.Evaluate[chromedp.Void]("void document.querySelector('#me-cancel').click()"))
		}
	}
	dark := value[string](ada, "getComputedStyle(document.body).backgroundColor")
	ada.prefers("prefers-color-scheme", "light")
	ada.until("is lighter by day", "getComputedStyle(document.body).backgroundColor !== %s", dark)
	moving := "[...document.querySelectorAll('*')].filter(e => getComputedStyle(e).animationName !== 'none').length"
	ada.until("moves while something is on its way", moving+" > 0")
	ada.prefers("prefers-reduced-motion", "reduce")
	ada.want("does not move for who does not want it", moving, 0)
}
