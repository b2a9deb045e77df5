package lab

import (
	"encoding/hex"
	"net/http/httptest"
	"regexp"
	"slices"
	"strconv"
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

// What a lesson sends one on to is there.
func TestLessonsMore(t *testing.T) {
	l := New(&Options{})
	for i, lesson := range lessons {
		if len(lesson.More) == 0 {
			t.Errorf("lesson %d leads nowhere", i+1)
		}
		for _, m := range lesson.More {
			if m.Page == "../" { // the chat's own
				continue
			}
			w := httptest.NewRecorder()
			l.ServeHTTP(w, httptest.NewRequest("GET", "/lab/"+m.Page, nil))
			if w.Code != 200 {
				t.Errorf("lesson %d leads to %s: HTTP %d", i+1, m.Page, w.Code)
			}
		}
	}
}

// The README says which lesson is about which file.
func TestLessonsInReadme(t *testing.T) {
	rows := regexp.MustCompile(`(?m)^\| (\d) \|[^|]*\|([^|]*)\|`).FindAllStringSubmatch(read(t, "README.md"), -1)
	if len(rows) < 8 {
		t.Errorf("%d lessons in the README", len(rows))
	}
	for _, row := range rows {
		n, _ := strconv.Atoi(row[1])
		for _, file := range regexp.MustCompile(`\(([^)]*)\)`).FindAllStringSubmatch(row[2], -1) {
			if !slices.ContainsFunc(lessons[n-1].Code, func(p Place) bool { return p.File == file[1] }) {
				t.Errorf("lesson %d, %s, does not speak of %s", n, lessons[n-1].Title, file[1])
			}
		}
	}
}
