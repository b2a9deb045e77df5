package wstest

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	live "framewright/autobahn/internal/progress"
)

// progress counts the cases of a role as the suites begin them, and shows the
// count: a live line on a terminal, else a line every ten seconds.
type progress struct {
	line  *live.Line
	every time.Duration
	now   func() time.Time

	mu    sync.Mutex
	label string
	total int
	begun map[string]bool
	start time.Time
	shown time.Time
}

func newProgress(out io.Writer, label string, total int) *progress {
	p := &progress{line: live.New(out), label: label, total: total, begun: map[string]bool{}, now: time.Now, every: 10 * time.Second}
	if p.line.Live {
		p.every = 100 * time.Millisecond
	}
	p.start = p.now()
	p.shown = p.start
	return p
}

// began notes that a case has begun.
func (p *progress) began(id string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.begun[id] = true
	if now := p.now(); now.Sub(p.shown) >= p.every {
		p.shown = now
		p.show(id)
	}
}

func (p *progress) show(id string) {
	line := fmt.Sprintf("%s: case %-8s %3d of %d, %v", p.label, id, len(p.begun), p.total, p.now().Sub(p.start).Round(time.Second))
	if p.line.Live {
		p.line.Show(line)
		return
	}
	p.line.Println(line)
}

// note tells something on a line of its own.
func (p *progress) note(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.line.Println(p.label + ": " + text)
}

// end closes the live line and says how long it took.
func (p *progress) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.line.Println(fmt.Sprintf("%s: %d of %d cases begun in %v", p.label, len(p.begun), p.total, p.now().Sub(p.start).Round(100*time.Millisecond)))
}

// A watch reads the output of one suite process line by line. Any output is a
// sign of life: without one for the time of stall, the process is given up.
type watch struct {
	began   func(id string)   // a case began
	trouble func(line string) // the suite could not connect; told once, nil: nobody cares
	updated func()            // a client had the reports written; nil: nobody cares
	stall   time.Duration
	cancel  context.CancelCauseFunc

	mu      sync.Mutex
	partial []byte
	last    string // the case begun last
	timer   *time.Timer
}

// arm starts the stall clock, once.
func (w *watch) arm() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.timer == nil && w.stall > 0 {
		w.timer = time.AfterFunc(w.stall, func() {
			w.mu.Lock()
			last := w.last
			w.mu.Unlock()
			if last == "" {
				last = "none (is the opening handshake answered?)"
			}
			w.cancel(fmt.Errorf("no sign of life for %v (-stall), last case begun: %s", w.stall, last))
		})
	}
}

// disarm stops the stall clock for good.
func (w *watch) disarm() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.stall = 0
	if w.timer != nil {
		w.timer.Stop()
	}
}

// maxLine is the longest line of the suite's output that is looked at; the
// lists of all cases it prints at the start are longer and of no interest.
const maxLine = 4096

func (w *watch) Write(p []byte) (int, error) {
	w.mu.Lock()
	if w.timer != nil && w.stall > 0 {
		w.timer.Reset(w.stall)
	}
	var lines []string
	w.partial = append(w.partial, p...)
	for {
		i := bytes.IndexByte(w.partial, '\n')
		if i < 0 {
			break
		}
		lines = append(lines, string(w.partial[:i]))
		w.partial = w.partial[i+1:]
	}
	if len(w.partial) > maxLine {
		w.partial = w.partial[len(w.partial)-maxLine:]
	}
	w.partial = bytes.Clone(w.partial)
	w.mu.Unlock()
	for _, l := range lines {
		w.line(l)
	}
	return len(p), nil
}

func (w *watch) line(l string) {
	if rest, ok := strings.CutPrefix(l, "Running test case ID "); ok {
		id, _, _ := strings.Cut(rest, " ")
		w.mu.Lock()
		w.last = id
		w.mu.Unlock()
		w.began(id)
	}
	if strings.HasPrefix(l, "Connection to ") && w.trouble != nil {
		w.trouble(l)
		w.trouble = nil
	}
	if strings.HasPrefix(l, "Report generation complete") && w.updated != nil {
		w.updated()
	}
}
