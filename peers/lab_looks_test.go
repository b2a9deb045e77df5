package peers

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// lessonCount is how many lessons there are.
const lessonCount = 9

// does has a lesson's page do what the lesson is about, and opens all that came of it.
func (c *chatter) does() {
	c.t.Helper()
	c.must(chromedp.Click(chromedp.CSS("#try")))
	c.until("is done", lessonDone)
	c.must(chromedp.Evaluate[chromedp.Void]("document.querySelectorAll('.facts details').forEach(e => { e.open = true; })"))
	c.until("has opened all", "[...document.querySelectorAll('.facts details')].every(e => e.querySelector('.fact'))")
}

// breaks chooses a violation, says what will happen, and has it sent.
func (c *chatter) breaks(id, says string) {
	c.t.Helper()
	c.until("has the violation", "document.querySelector('#which option[value=' + %s + ']')", id)
	c.must(chromedp.Evaluate[chromedp.Void](withValues(`(() => {
		for (const [id, value] of [["which", %s], ["says", %s]]) {
			const e = document.getElementById(id);
			e.value = value;
			e.dispatchEvent(new Event("change", { bubbles: true }));
		}
	})()`, id, says)), chromedp.Click(chromedp.CSS("#play")))
	c.until("shows what came of it", "document.querySelector('#result .where')")
}

// testLessonLooks: contrast, width and what is to be hit, on a phone and a desktop, by day
// and by night, of each lesson with an exercise right and one wrong.
func testLessonLooks(t *testing.T, s *stage) {
	pages := []string{"lessons", "build", "teacher", "source?file=ws/mask.go&name=Mask", "break"}
	for n := range lessonCount {
		pages = append(pages, fmt.Sprintf("lesson-%d", n+1))
	}
	for _, name := range pages {
		c := s.bench(t, name)
		if strings.HasPrefix(name, "lesson-") {
			c.does()
			c.must(chromedp.Evaluate[chromedp.Void](`document.querySelectorAll("form.exercise").forEach((f, i) => { f.querySelector("input").value = i ? "wrong" : JSON.parse(f.dataset.answers)[0]; f.requestSubmit(); })`))
			c.want("has judged", "[...document.querySelectorAll('form.exercise output')].map(e => e.className)", []string{"right", "wrong", "wrong"})
		}
		if name == "break" {
			c.breaks("server-masked", "close 1007") // wrongly predicted
		}
		c.looksGood()
	}
}

// testPhoneBits: at 360 px no field of the figure is narrower than a finger needs, none
// is hidden by scrolling, and a wider window has the RFC's 32 bits to a line again.
func testPhoneBits(t *testing.T, s *stage) {
	c := s.bench(t, "lesson-8") // c1, compressed, from both ends
	c.does()
	per := func(bits int, width int64) {
		t.Helper()
		c.resize(width, 740, width < 500)
		c.until("has its bits to a line", "[...document.querySelectorAll('.bits')].length > 3 && [...document.querySelectorAll('.bits')].every(e => e.tHead.rows[0].cells.length === "+fmt.Sprint(bits)+")")
		if small := value[[]string](c, `[...document.querySelectorAll(".bits td, .bits .field")].map(e => [e.textContent, e.getBoundingClientRect()])
			.filter(([, r]) => r.width < 24 || r.right > innerWidth).map(([text, r]) => text + " is " + r.width + " px wide, and ends at " + r.right)`); len(small) > 0 {
			t.Errorf("at %d px: %s", width, strings.Join(small, "; "))
		}
	}
	per(8, 360)
	per(16, 600)
	per(32, 1280)
	c.must(chromedp.Evaluate[chromedp.Void]("void document.querySelector('.bits .f-mask').focus()"))
	c.resize(1100, 740, false)
	c.want("leaves alone what has room", "document.activeElement.classList.contains('f-mask')", true)
}

// testLessonKeyboard answers an exercise, wrongly and rightly, without a pointer.
func testLessonKeyboard(t *testing.T, s *stage) {
	c := s.bench(t, "lesson-4")
	tabTo := func(selector string) {
		t.Helper()
		for range 60 {
			c.press(kb.Tab)
			if value[bool](c, withValues("document.activeElement.matches(%s)", selector)) {
				if !value[bool](c, "(s => s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) >= 2)(getComputedStyle(document.activeElement))") {
					t.Errorf("one does not see that %s has the focus", selector)
				}
				return
			}
		}
		t.Fatalf("Tab does not come to %s", selector)
	}
	tabTo(".skip")
	tabTo("#try")
	c.press(kb.Enter)
	c.until("is done", lessonDone)
	tabTo("summary")
	wasOpen := value[bool](c, "document.activeElement.parentElement.open")
	c.press(kb.Enter)
	c.want("opens", "document.activeElement.parentElement.open", !wasOpen)
	tabTo("#why ~ ul a")
	tabTo("#code ~ ul a")
	tabTo("#x0")
	const told = "document.querySelector('form.exercise output')"
	c.want("has a region that speaks", told+".ariaLive ?? "+told+".getAttribute('aria-live')", "polite")
	for _, key := range "7e" {
		c.press(string(key))
	}
	c.press(kb.Enter)
	c.want("is told that it is wrong", told+".textContent", "Not yet.")
	c.press(kb.Backspace)
	c.press("f")
	c.press(kb.Enter)
	c.want("is told that it is right", told+".textContent", "Right.")
	c.want("is still there", "document.activeElement.id", "x0")
	tabTo("#x1 ~ button")
	c.press(" ")
	c.want("is asked for an answer", "document.querySelectorAll('form.exercise output')[1].textContent", "Write an answer first.")
}

// testLessonTree: what assistive technology gets of a lesson and of its code has names.
func testLessonTree(t *testing.T, s *stage) {
	for name, want := range map[string][]string{
		"lesson-4": {
			"heading 4. Masking, and why", "region First a question", "region Exercises", "button Do it", "main", "navigation Lab", "navigation Lessons",
			"textbox The byte 48 under the key byte 37: what is on the wire, in hexadecimal?", "button Check", "link §10.3", "link ws/mask.go, Mask", "link The next lesson",
		},
		"source?file=ws/mask.go&name=Mask": {"heading Mask in ws/mask.go", "region The code", "link §10.3", "rowheader 10"},
		"break":                            {"heading Break it", "group What will the server do?", "combobox Violation", "button Send it"},
	} {
		c := s.bench(t, name)
		c.until("is ready", "!document.querySelector('#which') || document.querySelectorAll('#which option').length > 0")
		tree := c.tree()
		for _, w := range want {
			if !slices.Contains(tree, w) {
				t.Errorf("%s: assistive technology does not find %q in\n%s", name, w, strings.Join(tree, "\n"))
			}
		}
		for _, n := range tree {
			role, name, _ := strings.Cut(n, " ")
			if name == "" && slices.Contains([]string{"button", "link", "textbox", "checkbox", "combobox", "heading", "navigation", "region"}, role) {
				t.Errorf("a %s has no name", role)
			}
		}
	}
}

// printWidth is that of A4 between its margins, 174 mm, in CSS pixels.
const printWidth = 657

// onPaper are the faults of a page for paper: what has a colour, and what is cut off.
const onPaper = `(() => {
	const found = [];
	const grey = (color) => { const [r, g, b, a = 1] = color.match(/[\d.]+/g).map(Number); return a === 0 || r === g && g === b; };
	const black = (color) => ["rgb(0, 0, 0)"].includes(color);
	for (const e of document.querySelectorAll("body, body *")) {
		const s = getComputedStyle(e), r = e.getBoundingClientRect();
		if (!e.checkVisibility() || r.width === 0) continue;
		const name = e.tagName.toLowerCase() + "." + e.className + " " + e.textContent.slice(0, 20);
		if (!black(s.color)) found.push(name + " is written in " + s.color);
		if (!["rgba(0, 0, 0, 0)", "rgb(255, 255, 255)"].includes(s.backgroundColor) || s.backgroundImage !== "none") found.push(name + " has a background, " + s.backgroundColor);
		for (const side of ["Top", "Right", "Bottom", "Left"]) if (parseFloat(s["border" + side + "Width"]) > 0 && !grey(s["border" + side + "Color"])) found.push(name + " has a border in " + s["border" + side + "Color"]);
		if (r.right > innerWidth + 1) found.push(name + " is cut");
		if (s.display !== "inline" && s.overflowX !== "visible" && e.scrollWidth > e.clientWidth + 1) found.push(name + " hides a part");
	}
	return found;
})()`

// On A4 a lesson takes a few pages, in black on white, with lines to write on; nothing of
// it is wider than the paper, and each reason has its section.
func testLessonPrint(t *testing.T, s *stage) {
	for n := range lessonCount {
		name := fmt.Sprintf("lesson-%d", n+1)
		c := s.bench(t, name)
		if got := c.pages(); got < 1 || got > 3 {
			t.Errorf("%s takes %d pages", name, got)
		}
		for _, done := range []bool{false, true} {
			if done {
				c.does()
			}
			c.resize(printWidth, 1000, false)
			for _, scheme := range []string{"light", "dark"} {
				c.must(command(emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Media: "print", Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}}))
				c.until("is on paper", "matchMedia('print').matches")
				for _, found := range value[[]string](c, onPaper) {
					t.Errorf("%s, %s: on paper %s", name, scheme, found)
				}
			}
			c.want("has a line for each answer", `[...document.querySelectorAll("form.exercise input")].map(e => getComputedStyle(e)).map(s => [s.display !== "none", parseFloat(s.borderBottomWidth) > 0, parseFloat(s.borderTopWidth), parseFloat(s.borderLeftWidth), parseFloat(s.width) > 200].join())`,
				slices.Repeat([]string{"true,true,0,0,true"}, 3))
			c.want("has no buttons and no navigation", "[...document.querySelectorAll('form button, #try, nav, header')].filter(e => e.checkVisibility()).length", 0)
			c.want("has a section with each reason", "[...document.querySelectorAll('#why ~ ul li')].every(e => /§[\\d.]+$/.test(e.textContent) && e.querySelector('a').checkVisibility())", true)
			c.must(command(emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{}))
		}
	}
}

// pages prints, and counts the pages.
func (c *chatter) pages() (n int) {
	c.t.Helper()
	c.must(chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		r, err := cdp.Call(ctx, target, page.PrintToPDF, page.PrintToPDFParams{PreferCSSPageSize: new(true)})
		n = bytes.Count(r.Data, []byte("/Type /Page\n"))
		return err
	}))
	return n
}
