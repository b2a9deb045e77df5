package peers

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// TestLabLessons does what a learner does: something live, something by frames, an
// exercise, and printing.
func TestLabLessons(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	t.Run("the browser's own frames", func(t *testing.T) { testLessonLive(t, s) })
	t.Run("the chat's own frames", func(t *testing.T) { testLessonChat(t, s) })
	t.Run("an exercise, and what is kept of it", func(t *testing.T) { testLessonExercise(t, s) })
	t.Run("answers as people write them", func(t *testing.T) { testLessonAnswers(t, s) })
	t.Run("from a lesson to its code", func(t *testing.T) { testLessonSource(t, s) })
	t.Run("the pages around them", func(t *testing.T) {
		for _, name := range []string{"build", "teacher"} {
			s.bench(t, name).until("has a heading", "document.querySelector('main h2')")
		}
	})
	t.Run("every lesson prints", func(t *testing.T) { testLessonPrint(t, s) })
}

const lessonDone = "document.querySelector('#status').textContent === 'Done. Each line opens.'"

func testLessonLive(t *testing.T, s *stage) {
	c := s.bench(t, "lesson-1")
	c.must(chromedp.Click(chromedp.CSS("#try")))
	c.until("is done", lessonDone)
	c.until("shows two lines of handshake, two messages each way, two closes", summaries+".length === 8")
}

func testLessonChat(t *testing.T, s *stage) {
	c := s.bench(t, "lesson-9")
	c.must(chromedp.Click(chromedp.CSS("#try")))
	c.until("is done", lessonDone)
	c.until("shows the welcome", summaries+".some(e => e.includes('welcome'))")
}

func testLessonExercise(t *testing.T, s *stage) {
	c := s.bench(t, "lesson-4")
	c.must(chromedp.Click(chromedp.CSS("#try")))
	c.until("shows the rule that was broken", summaries+".some(e => e.includes('5.1-client-masks'))")
	answer := func(text string) {
		c.must(chromedp.Evaluate[chromedp.Void](withValues("(() => { const f = document.querySelector('form.exercise'); f.querySelector('input').value = %s; f.requestSubmit(); })()", text)))
	}
	answer("7e")
	c.until("says that it is wrong", "document.querySelector('form.exercise output').textContent === 'Not yet.'")
	answer(" 7F ")
	c.until("says that it is right, and why", "document.querySelector('form.exercise output').textContent === 'Right.' && !document.querySelector('.because').hidden")
	again := s.bench(t, "lessons")
	if got := value[string](again, "localStorage.getItem('framewright.lessons') ?? ''"); got != "" && !strings.Contains(got, `"4":[0]`) {
		t.Errorf("kept: %s", got)
	}
	c.must(chromedp.Evaluate[chromedp.Void]("void location.reload()"))
	c.until("remembers", "document.querySelector('form.exercise output')?.textContent === 'Solved before.'")
}

// On A4 a lesson takes a few pages, and nothing of it is wider than the paper.
func testLessonPrint(t *testing.T, s *stage) {
	for n := range 9 {
		name := fmt.Sprintf("lesson-%d", n+1)
		c := s.bench(t, name)
		var pages int
		c.must(chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
			r, err := cdp.Call(ctx, target, page.PrintToPDF, page.PrintToPDFParams{PreferCSSPageSize: new(true)})
			pages = bytes.Count(r.Data, []byte("/Type /Page\n"))
			return err
		}))
		if pages < 1 || pages > 4 {
			t.Errorf("%s takes %d pages", name, pages)
		}
		c.resize(printWidth, 1000, false)
		c.must(command(emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Media: "print"}))
		if cut := value[string](c, "[...document.querySelectorAll('main *')].filter(e => e.getBoundingClientRect().right > innerWidth + 1).map(e => e.textContent.slice(0, 40)).join('; ')"); cut != "" {
			t.Errorf("%s: on paper this is cut: %s", name, cut)
		}
	}
}

// printWidth is that of A4 between its margins, 174 mm, in CSS pixels.
const printWidth = 657
