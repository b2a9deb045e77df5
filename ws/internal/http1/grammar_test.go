package http1

import (
	"testing"
)

// Letters are the same in both cases, and nothing else is.
func TestEqualFold(t *testing.T) {
	for c := range 256 {
		for want := range 256 {
			if 'A' <= want && want <= 'Z' {
				continue // want is in lower case
			}
			equal := c == want || 'A' <= c && c <= 'Z' && c+'a'-'A' == want
			if got := EqualFold("x"+string([]byte{byte(c)}), "x"+string([]byte{byte(want)})); got != equal {
				t.Errorf("%#x and %#x: %v", c, want, got)
			}
		}
	}
	if EqualFold("upgrade", "upgrad") || EqualFold("upgrad", "upgrade") || !EqualFold("", "") {
		t.Error("a part is not the whole")
	}
}

// What an error shows of a header's values, and how much.
func TestQuoteValues(t *testing.T) {
	long := "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567" // 118
	for _, tt := range []struct {
		values []string
		want   string
	}{
		{nil, "missing"},
		{[]string{}, "missing"},
		{[]string{""}, `""`},
		{[]string{"a", "b\r"}, `"a, b\r"`},
		{[]string{long}, `"` + long + `"`},
		{[]string{long + "8"}, `"` + long + "8…"},
	} {
		if got := QuoteValues(tt.values); got != tt.want {
			t.Errorf("%q: got %s, want %s", tt.values, got, tt.want)
		}
	}
}
