package report

import (
	"fmt"
	"math"
	"strings"
)

// A Line is a series of medians, each with a line from minimum to maximum.
type Line struct {
	Name string
	Kind Kind
	X    []float64 // ascending, above 0
	Y    []Samples // one for each X; none where it failed
}

// strokes are the colours of peers' lines, one after the other.
var strokes = []string{"#2a6f97", "#6a994e", "#8e5ea2", "#bc8a00", "#3c9d9b", "#a4506c"}

// Lines draws series over two logarithmic axes.
func Lines(title, xName, yName string, lines []Line) string {
	const (
		width, height            = 760.0, 420.0
		left, right, top, bottom = 70.0, 190.0, 70.0, 50.0
	)
	x0, x1, y0, y1 := math.Inf(1), math.Inf(-1), math.Inf(1), math.Inf(-1)
	for _, l := range lines {
		for i, s := range l.Y {
			if len(s) > 0 && s.Min() > 0 {
				x0, x1 = min(x0, l.X[i]), max(x1, l.X[i])
				y0, y1 = min(y0, s.Min()), max(y1, s.Max())
			}
		}
	}
	var d drawing
	d.text(12, 28, "start", `font-size="15" font-weight="600"`, title)
	if x0 > x1 {
		d.text(left, top+40, "start", "", "nothing was measured")
		return d.finish(width, height, title)
	}
	ticks := ticksAround(y0, y1)
	y0, y1 = ticks[0], ticks[len(ticks)-1]
	px := func(v float64) float64 { return left + place(v, x0, x1)*(width-left-right) }
	py := func(v float64) float64 { return height - bottom - place(v, y0, y1)*(height-top-bottom) }

	for _, t := range ticks {
		d.line(left, py(t), width-right, py(t), pale, 1)
		d.text(left-8, py(t)+4, "end", "", short(t))
	}
	for t := math.Pow(10, math.Ceil(math.Log10(x0)-1e-9)); t <= x1*1.001; t *= 10 {
		d.line(px(t), height-bottom, px(t), height-bottom+5, ink, 1)
		d.text(px(t), height-bottom+19, "middle", "", short(t))
	}
	d.line(left, height-bottom, width-right, height-bottom, ink, 1)
	d.text((left+width-right)/2, height-12, "middle", "", xName)
	d.text(12, top-18, "start", "", yName)

	peers := 0
	for i, l := range lines {
		colour := fills[l.Kind]
		if l.Kind == Peer {
			colour = strokes[peers%len(strokes)]
			peers++
		}
		var points []string
		for i, s := range l.Y {
			if len(s) == 0 || s.Min() <= 0 {
				continue
			}
			x := px(l.X[i])
			points = append(points, fmt.Sprintf("%.1f,%.1f", x, py(s.Median())))
			d.line(x, py(s.Min()), x, py(s.Max()), colour, 1)
			fmt.Fprintf(&d, `<circle cx="%.1f" cy="%.1f" r="3" fill="%s"/>`+"\n", x, py(s.Median()), colour)
		}
		fmt.Fprintf(&d, `<polyline points="%s" fill="none" stroke="%s" stroke-width="2"/>`+"\n", strings.Join(points, " "), colour)
		y := top + 10 + 22*float64(i)
		d.line(width-right+20, y, width-right+44, y, colour, 3)
		d.text(width-right+52, y+4, "start", "", l.Name)
	}
	return d.finish(width, height, title)
}

// place is where v is between low and high on a logarithmic axis, 0 to 1.
func place(v, low, high float64) float64 {
	if high <= low {
		return 0.5
	}
	return math.Log(v/low) / math.Log(high/low)
}

// ticksAround are the values 1, 2 and 5 times powers of ten from the last one
// that is not above low to the first one that is not below high.
func ticksAround(low, high float64) []float64 {
	var ticks []float64
	for decade := math.Pow(10, math.Floor(math.Log10(low))); ; decade *= 10 {
		for _, step := range []float64{1, 2, 5} {
			t := step * decade
			if t <= low*(1+1e-9) {
				ticks = ticks[:0]
			}
			ticks = append(ticks, t)
			if t >= high*(1-1e-9) && len(ticks) > 1 {
				return ticks
			}
		}
	}
}

// short is a tick's number, without digits that do not count.
func short(v float64) string {
	if v >= 1000 {
		return grouped(v)
	}
	return fmt.Sprintf("%.4g", v)
}
