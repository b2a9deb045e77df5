package ws

import (
	"strings"
	"testing"
)

// A reason is cut between two code points, at 123 bytes at the most, and what is
// not UTF-8 in it becomes U+FFFD, also where that makes it longer or shorter.
func TestFitReason(t *testing.T) {
	repeat := strings.Repeat
	for _, tt := range []struct{ name, reason, want string }{
		{"nothing", "", ""},
		{"as long as may be", repeat("a", 123), repeat("a", 123)},
		{"one more", repeat("a", 124), repeat("a", 123)},
		{"as long as may be, of two bytes each", "a" + repeat("é", 61), "a" + repeat("é", 61)},
		{"cut inside of two", repeat("é", 62), repeat("é", 61)},
		{"cut inside of three", "a" + repeat("€", 41), "a" + repeat("€", 40)},
		{"cut inside of four", repeat("😀", 31), repeat("😀", 30)},
		{"not UTF-8", "a\xffb\xc3", "a\uFFFDb\uFFFD"},
		{"repaired, and then too long", repeat("a\xff", 60), repeat("a\uFFFD", 30) + "a"},
		{"shorter when repaired", repeat("\xff", 200) + "a", "\uFFFDa"},
		{"longer than anybody looks at", repeat("\xff", 400) + "a" + repeat("€", 100), "\uFFFDa" + repeat("€", 30)},
		{"and cut behind a code point", repeat("\xff", 399) + repeat("€", 100), "\uFFFD" + repeat("€", 31)},
		{"nothing but the middle of code points", repeat("\x80", 1000), "\uFFFD"},
		{"very long", repeat("a", 1<<20), repeat("a", 123)},
	} {
		if got := FitReason(tt.reason); got != tt.want {
			t.Errorf("%s: %q (%d bytes), want %q", tt.name, got, len(got), tt.want)
		}
	}
}
