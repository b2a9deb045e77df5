package http1

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseList(t *testing.T) {
	for _, tt := range []struct {
		values []string
		want   []Element // nil: it is no list
	}{
		{[]string{"a"}, []Element{{Name: "a"}}},
		{[]string{" a ,, b", "c"}, []Element{{Name: "a"}, {Name: "b"}, {Name: "c"}}},
		{[]string{"a; p ;q = 1; r=\"x\\y\", b"}, []Element{{Name: "a", Params: []Param{{Name: "p"}, {"q", "1", true}, {"r", "xy", true}}}, {Name: "b"}}},
		{[]string{"a b"}, nil},
		{[]string{"a;"}, nil},
		{[]string{"a; =1"}, nil},
		{[]string{"a; p="}, nil},
		{[]string{`a; p="`}, nil},
		{[]string{`a; p="x y"`}, nil},
		{[]string{`a; p=""`}, nil},
		{[]string{"; p"}, nil},
	} {
		got, ok := ParseList(tt.values)
		if ok != (tt.want != nil) {
			t.Errorf("%q: %v", tt.values, ok)
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%q (-want +got):\n%s", tt.values, diff)
		}
	}
}
