package main

import (
	"fmt"
	"net"
	"os"
	"strings"
	"testing"

	"framewright/autobahn/wsspec"
)

// Every step names cases that are there.
func TestTrackCases(t *testing.T) {
	for _, s := range track {
		if _, err := wsspec.Select(wsspec.Cases(), s.cases); err != nil {
			t.Errorf("%s: %v", s.name, err)
		}
	}
}

// A learner's server that has come to a step is told that it has, and what the next asks
// for: from an empty listener to the last step.
func TestTrack(t *testing.T) {
	next := []string{"4.2.2/", "", "", "5.1/unmasked", "5.", "", "7.", "6."} // beginnings of the case that is shown
	for level := range len(track) + 1 {
		t.Run(fmt.Sprintf("step %d is reached", level), func(t *testing.T) {
			code, out := command(t, "-track", "-patience", "3s", "-url", listenFor(t, func(c net.Conn) { (&learner{Conn: c, level: level}).serve() }))
			var want []string
			for i, s := range track[:level] {
				want = append(want, fmt.Sprintf("step %d of %d, %s: reached", i+1, len(track), s.name))
			}
			if level == len(track) {
				want = append(want, "All steps are reached")
			} else {
				s := track[level]
				want = append(want, fmt.Sprintf("step %d of %d, %s: ", level+1, len(track), s.name), "cases fail", s.do, "next: "+next[level], "expected: ", "again: ")
			}
			if (code == 0) != (level == len(track)) {
				t.Errorf("the status is %d", code)
			}
			for _, w := range want {
				if !strings.Contains(out, w) {
					t.Errorf("want %q in\n%s", w, out)
				}
			}
		})
	}
	t.Run("a whole server", func(t *testing.T) {
		if code, out := command(t, "-track", "-url", echoServer(t)); code != 0 || !strings.Contains(out, "All steps are reached") {
			t.Errorf("the status is %d:\n%s", code, out)
		}
	})
	t.Run("without a URL", func(t *testing.T) {
		if code, out := command(t, "-track"); code != 2 || !strings.Contains(out, "-track needs the -url") {
			t.Errorf("the status is %d:\n%s", code, out)
		}
	})
}

// listenFor serves each connection, until the test ends.
func listenFor(t *testing.T, serve func(net.Conn)) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				serve(c)
			}()
		}
	}()
	return "ws://" + l.Addr().String() + "/"
}

// The lab's page has the same steps in the same words.
func TestTrackPage(t *testing.T) {
	page, err := os.ReadFile("../lab/web/build.html")
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range track {
		if want := "<li><strong>" + s.name + "</strong>: " + s.do + "</li>"; !strings.Contains(string(page), want) {
			t.Errorf("build.html has no %q", want)
		}
	}
}
