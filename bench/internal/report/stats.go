// Package report turns samples into medians, Markdown tables and plots.
package report

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// Samples are the values of one figure, one for each repetition.
type Samples []float64

// Median is the middle value, or the mean of the two in the middle; NaN without
// values.
func (s Samples) Median() float64 {
	if len(s) == 0 {
		return math.NaN()
	}
	v := slices.Sorted(slices.Values(s))
	if n := len(v); n%2 == 0 {
		return (v[n/2-1] + v[n/2]) / 2
	}
	return v[len(v)/2]
}

// Min and Max are NaN without values.
func (s Samples) Min() float64 {
	if len(s) == 0 {
		return math.NaN()
	}
	return slices.Min(s)
}

func (s Samples) Max() float64 {
	if len(s) == 0 {
		return math.NaN()
	}
	return slices.Max(s)
}

// String is "median (minimum–maximum)".
func (s Samples) String() string {
	if len(s) == 0 {
		return "–"
	}
	if len(s) == 1 {
		return Number(s[0])
	}
	return fmt.Sprintf("%s (%s–%s)", Number(s.Median()), Number(s.Min()), Number(s.Max()))
}

// Number has two or three digits that count, and no exponent.
func Number(v float64) string {
	switch a := math.Abs(v); {
	case math.IsNaN(v):
		return "–"
	case a >= 1000:
		return grouped(v)
	case a >= 100:
		return fmt.Sprintf("%.0f", v)
	case a >= 10:
		return fmt.Sprintf("%.1f", v)
	default:
		return fmt.Sprintf("%.2f", v)
	}
}

// Count is a whole number.
func Count(n int) string { return grouped(float64(n)) }

// grouped has a comma between thousands.
func grouped(v float64) string {
	s := fmt.Sprintf("%.0f", v)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// Table is a Markdown table; the first column is text, the others are numbers.
func Table(head []string, rows [][]string) string {
	var b strings.Builder
	line := func(cells []string) {
		b.WriteString("| " + strings.Join(cells, " | ") + " |\n")
	}
	line(head)
	b.WriteString("| --- |" + strings.Repeat(" ---: |", len(head)-1) + "\n")
	for _, r := range rows {
		line(r)
	}
	return b.String()
}
