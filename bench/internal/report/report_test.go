package report

import (
	"encoding/xml"
	"io"
	"math"
	"slices"
	"strings"
	"testing"
)

func TestSamples(t *testing.T) {
	for _, test := range []struct {
		s    Samples
		want string
	}{
		{nil, "–"},
		{Samples{3}, "3.00"},
		{Samples{30, 1, 2}, "2.00 (1.00–30.0)"},
		{Samples{4, 1, 2, 300}, "3.00 (1.00–300)"},
	} {
		before := slices.Clone(test.s)
		if got := test.s.String(); got != test.want {
			t.Errorf("%v: %q, expected %q", test.s, got, test.want)
		}
		if !slices.Equal(before, test.s) {
			t.Errorf("%v was reordered to %v", before, test.s)
		}
	}
	if got := Samples(nil).Median(); !math.IsNaN(got) {
		t.Errorf("the median of nothing is %v", got)
	}
}

func TestNumber(t *testing.T) {
	for v, want := range map[float64]string{
		0: "0.00", 0.126: "0.13", 12.34: "12.3", 123.4: "123", 9876: "9,876", 12345: "12,345", 1234567.8: "1,234,568", -12345: "-12,345", math.NaN(): "–",
	} {
		if got := Number(v); got != want {
			t.Errorf("%v: %q, expected %q", v, got, want)
		}
	}
}

func TestTable(t *testing.T) {
	got := Table([]string{"server", "µs"}, [][]string{{"a", "1"}, {"b", "2"}})
	want := "| server | µs |\n| --- | ---: |\n| a | 1 |\n| b | 2 |\n"
	if got != want {
		t.Errorf("got\n%sexpected\n%s", got, want)
	}
}

func TestTicks(t *testing.T) {
	for _, test := range []struct {
		low, high float64
		want      []float64
	}{
		{3, 40, []float64{2, 5, 10, 20, 50}},
		{0.31, 0.32, []float64{0.2, 0.5}},
		{1, 10, []float64{1, 2, 5, 10}},
		{5, 5, []float64{5, 10}},
	} {
		got := ticksAround(test.low, test.high)
		if !slices.EqualFunc(got, test.want, func(a, b float64) bool { return math.Abs(a-b) < 1e-9 }) {
			t.Errorf("%v to %v: %v, expected %v", test.low, test.high, got, test.want)
		}
	}
}

// Pictures are well-formed, whatever the names and samples, and stay within
// their frame.
func TestPictures(t *testing.T) {
	name := `<a> & "b"`
	for what, svg := range map[string]string{
		"bars":         Bars(name, []Panel{{name, []Bar{{name, Samples{1, 2, 3}, Ours}, {"failed", nil, Peer}, {"zero", Samples{0}, Floor}}}}),
		"nothing":      Bars("", []Panel{{"", []Bar{{"failed", nil, Peer}}}}),
		"lines":        Lines(name, name, name, []Line{{name, Ours, []float64{10, 100}, []Samples{{1}, {2, 3}}}, {"failed", Peer, []float64{10, 100}, []Samples{nil, nil}}}),
		"no lines":     Lines("", "", "", nil),
		"single point": Lines("", "", "", []Line{{"one", Floor, []float64{10}, []Samples{{1}}}}),
	} {
		if strings.Contains(svg, "NaN") || strings.Contains(svg, "Inf") {
			t.Errorf("%s: a coordinate is no number:\n%s", what, svg)
		}
		for d := xml.NewDecoder(strings.NewReader(svg)); ; {
			_, err := d.Token()
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Errorf("%s: %v", what, err)
				break
			}
		}
	}
	svg := Lines("", "", "", []Line{{"up", Ours, []float64{10, 1000}, []Samples{{1}, {100}}}})
	if !strings.Contains(svg, `points="70.0,370.0 570.0,70.0"`) {
		t.Errorf("a line from corner to corner is not there:\n%s", svg)
	}
}
