package peers

import (
	"strings"
	"testing"

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
	t.Run("looks", func(t *testing.T) { testLessonLooks(t, s) })
	t.Run("bits are wide enough on a phone", func(t *testing.T) { testPhoneBits(t, s) })
	t.Run("by the keyboard alone", func(t *testing.T) { testLessonKeyboard(t, s) })
	t.Run("names and roles", func(t *testing.T) { testLessonTree(t, s) })
	t.Run("every lesson prints", func(t *testing.T) { testLessonPrint(t, s) })
}

const lessonDone = "document.querySelector('#status').textContent === 'Done. Each line opens.'"

func testLessonLive(t *testing.T, s *stage) {
	c := s.bench(t, "lesson-1")
	c.must(chromedp.Click(chromedp.CSS("#try")))
	c.until("is done", lessonDone)
	c.until("shows two lines of handshake, two messages each way, two closes", summaries+".length === 8")
	c.must(chromedp.Click(chromedp.CSS("#try")))
	c.until("does it once more, with a new connection", summaries+".length === 8 && "+lessonDone+" && document.querySelector('#facts').childElementCount === 1")
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
