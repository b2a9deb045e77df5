package report

import (
	"encoding/xml"
	"fmt"
	"strings"
)

// A drawing collects the elements of an SVG picture. Coordinates are pixels.
type drawing struct{ strings.Builder }

const (
	font = "system-ui, sans-serif"
	ink  = "#222"
	pale = "#ccc"
)

// finish returns the picture, on white so that it can be read on a dark page.
func (d *drawing) finish(width, height float64, title string) string {
	return fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %.0f %.0f" width="%.0f" height="%.0f" font-family="%s" font-size="12" role="img">`+"\n<title>%s</title>\n"+`<rect width="100%%" height="100%%" fill="#fff"/>`+"\n%s</svg>\n",
		width, height, width, height, font, escape(title), d.String())
}

func escape(s string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(s))
	return b.String()
}

// text writes s; anchor is start, middle or end, and extra more attributes.
func (d *drawing) text(x, y float64, anchor, extra, s string) {
	fmt.Fprintf(d, `<text x="%.1f" y="%.1f" text-anchor="%s" fill="%s" %s>%s</text>`+"\n", x, y, anchor, ink, extra, escape(s))
}

func (d *drawing) rect(x, y, w, h float64, fill string) {
	fmt.Fprintf(d, `<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" fill="%s"/>`+"\n", x, y, w, h, fill)
}

func (d *drawing) line(x1, y1, x2, y2 float64, stroke string, width float64) {
	fmt.Fprintf(d, `<line x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f" stroke="%s" stroke-width="%.1f"/>`+"\n", x1, y1, x2, y2, stroke, width)
}
