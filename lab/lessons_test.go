package lab

import (
	"encoding/hex"
	"strings"
	"testing"
)

// What a lesson says of bytes is so: its frames are the bytes of its text, and package ws
// answers them as it says.
func TestLessonsBytes(t *testing.T) {
	for _, l := range lessons {
		if l.Try.Plan == nil {
			continue
		}
		x, err := l.Try.Plan.Experiment()
		if err != nil {
			t.Fatalf("%s: %v", l.Title, err)
		}
		var wire []string
		for _, s := range x.Steps {
			wire = append(wire, hex.EncodeToString(s.Bytes))
		}
		if got := strings.Join(wire, " | "); got != l.Try.Wire {
			t.Errorf("%s: the frames are %s, its text says %s", l.Title, got, l.Try.Wire)
		}
		d, err := x.Run(t.Context())
		if err != nil {
			t.Fatalf("%s: %v", l.Title, err)
		}
		if d.Outcome != l.Try.Outcome {
			t.Errorf("%s: the outcome is %q, the lesson has %q", l.Title, d.Outcome, l.Try.Outcome)
		}
	}
}

// Each lesson is whole, and the code that it names is there.
func TestLessonsWhole(t *testing.T) {
	for _, l := range lessons {
		if l.Question == "" || len(l.Happened) == 0 || len(l.Why) == 0 || len(l.Code) == 0 || len(l.Do) != 3 {
			t.Errorf("%s: something is missing", l.Title)
		}
		for _, p := range l.Code {
			if sourceOf(p.File, p.Name, 0) == nil {
				t.Errorf("%s: %s of %s is not shown", l.Title, p.Name, p.File)
			}
		}
	}
}
