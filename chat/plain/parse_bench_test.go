package plain

import (
	"strings"
	"testing"
)

// BenchmarkParse is of requests of 64 KiB that are made to cost most. What one
// connection can make of it is ns/B × 256 KiB/s, see Options.ByteRate.
func BenchmarkParse(b *testing.B) {
	const size = 64 << 10
	fill := func(unit string) string { return strings.Repeat(unit, (size-100)/len(unit)) }
	for _, shape := range []struct{ name, x string }{
		{"deep", fill("[[[[[[[[[[[[]]]]]]]]]]]],") + "1"},
		{"long array", fill("1,") + "1"},
		{"many objects", fill(`{"":{}},`) + "1"},
		{"many strings", fill(`"",`) + "1"},
		{"escapes", `"` + fill(`\u00e9`) + `"`},
		{"surrogates", `"` + fill(`\ud83d\ude00`) + `"`},
		{"long string", `"` + fill("é") + `"`},
		{"long number", fill("1")},
		{"spaces", fill(" ") + "1"},
	} {
		b.Run(shape.name, func(b *testing.B) {
			x := shape.x
			if !strings.HasSuffix(x, `"`) && strings.Contains(x, ",") {
				x = "[" + x + "]"
			}
			data := []byte(`{"type":"ping","x":` + x + `}`)
			if _, err := parse(data); err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				parse(data)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(data)), "ns/B")
		})
	}
}
