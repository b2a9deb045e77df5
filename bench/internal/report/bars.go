package report

import "fmt"

// A Panel is one group of bars with a scale of its own.
type Panel struct {
	Title string
	Bars  []Bar
}

// A Bar shows a median, with a line from minimum to maximum.
type Bar struct {
	Name    string
	Samples Samples // none: "failed"
	Kind    Kind
}

// A Kind decides about a bar's or a line's colour.
type Kind int

const (
	Peer Kind = iota
	Ours
	Floor
)

var fills = map[Kind]string{Peer: "#9db4c8", Ours: "#d9541e", Floor: "#666"}

// Bars draws panels below each other.
func Bars(title string, panels []Panel) string {
	const (
		width, left, right = 760.0, 170.0, 190.0
		step, thick        = 22.0, 14.0
	)
	var d drawing
	y := 28.0
	d.text(12, y, "start", `font-size="15" font-weight="600"`, title)
	for _, p := range panels {
		y += 34
		d.text(12, y, "start", `font-weight="600"`, p.Title)
		y += 8
		longest := 0.0
		for _, b := range p.Bars {
			if len(b.Samples) > 0 {
				longest = max(longest, b.Samples.Max())
			}
		}
		scale := func(v float64) float64 { return v / longest * (width - left - right) }
		for _, b := range p.Bars {
			d.text(left-8, y+thick-2, "end", "", b.Name)
			if len(b.Samples) == 0 || longest <= 0 {
				d.text(left, y+thick-2, "start", "", "failed")
				y += step
				continue
			}
			low, high := left+scale(max(0, b.Samples.Min())), left+scale(b.Samples.Max())
			d.rect(left, y, scale(max(0, b.Samples.Median())), thick, fills[b.Kind])
			d.line(low, y+thick/2, high, y+thick/2, ink, 1)
			d.line(low, y+thick/2-3, low, y+thick/2+3, ink, 1)
			d.line(high, y+thick/2-3, high, y+thick/2+3, ink, 1)
			d.text(high+8, y+thick-2, "start", "", fmt.Sprint(b.Samples))
			y += step
		}
	}
	return d.finish(width, y+14, title)
}
