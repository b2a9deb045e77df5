package socketio

import (
	"strings"
	"testing"
)

// BenchmarkParse is of packets of 64 KiB that are made to cost most.
func BenchmarkParse(b *testing.B) {
	const size = 64 << 10
	fill := func(unit string) string { return strings.Repeat(unit, (size-100)/len(unit)) }
	o, err := Options{}.withDefaults()
	if err != nil {
		b.Fatal(err)
	}
	for _, shape := range []struct{ name, x string }{
		{"deep", "[" + fill("[[[[[[[[[[[[]]]]]]]]]]]],") + "1]"},
		{"long array", "[" + fill("1,") + "1]"},
		{"many objects", "[" + fill(`{"":{}},`) + "1]"},
		{"many keys", "{" + fill(`"":1,`) + `"":1}`},
		{"escapes", `"` + fill(`\u00e9`) + `"`},
		{"long string", `"` + fill("é") + `"`},
		{"long number", fill("1")},
	} {
		b.Run(shape.name, func(b *testing.B) {
			data := []byte(`2["message",` + shape.x + `]`)
			if _, err := parsePacket(data, o.limits()); err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				parsePacket(data, o.limits())
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(data)), "ns/B")
		})
	}
}
