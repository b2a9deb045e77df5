// Package progress writes a line that changes while something goes on, if the
// output is a terminal, and lines that stay.
package progress

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
)

// A Line is the live line of an output. Several goroutines may use it.
type Line struct {
	Live bool // the output is a terminal

	mu    sync.Mutex
	out   io.Writer
	width int // of the live line that stands there
}

// New returns the line of out.
func New(out io.Writer) *Line {
	l := &Line{out: out}
	if f, ok := out.(*os.File); ok {
		info, err := f.Stat()
		l.Live = err == nil && info.Mode()&os.ModeCharDevice != 0
	}
	return l
}

// Show replaces the live line. Without a terminal it does nothing.
func (l *Line) Show(text string) {
	if !l.Live {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	n := len([]rune(text))
	fmt.Fprintf(l.out, "\r%s%s", text, strings.Repeat(" ", max(0, l.width-n)))
	l.width = n
}

// Println writes a line that stays, above the live one.
func (l *Line) Println(text string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.clear()
	fmt.Fprintln(l.out, text)
}

// Clear takes the live line away.
func (l *Line) Clear() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.clear()
}

func (l *Line) clear() {
	if l.width > 0 {
		fmt.Fprint(l.out, "\r", strings.Repeat(" ", l.width), "\r")
		l.width = 0
	}
}
