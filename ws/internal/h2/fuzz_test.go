package h2_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/http2"

	"framewright/ws/internal/h2"
)

// FuzzEndpoint: any bytes to either end, whole or one by one, come to the same events, the
// same frames and the same error; what is kept stays within the limits; and a connection
// that is over keeps no stream.
func FuzzEndpoint(f *testing.F) {
	for _, in := range [][]string{
		{settings, opened, "00 01 00000001 | 'Hello'"},
		{settings, "01 01 00000001 | 82 86", "09 04 00000001 | 84 41 01 'h'", "03 00 00000001 | 00000008"},
		{"04 00 00000000 | 0004 00000000 0008 00000001", "08 00 00000000 | 00000001", "06 00 00000000 | '12345678'"},
		{settings, "01 04 00000001 | 88", "00 08 00000001 | 02 'x' 0000", "07 00 00000000 | 00000001 00000000"},
		{settings, "01 05 00000001 | " + get, "01 05 00000001 | " + get, "05 00 00000001"},
	} {
		f.Add(true, wire(in...))
		f.Add(false, wire(in...))
	}
	limits := h2.Limits{Streams: 4, HeaderBytes: 1000, SendBuffer: 100}
	f.Fuzz(func(t *testing.T, server bool, in []byte) {
		var seen [2][]string
		for i, each := range []bool{false, true} {
			d := &dialogue{e: h2.NewClient(limits)}
			if server {
				d.e = h2.NewServer(limits)
			}
			d.e.Append(nil, 1<<20)
			if !server {
				for range 2 {
					s, err := d.e.Open(request, false)
					if err != nil {
						t.Fatal(err)
					}
					d.streams = append(d.streams, s)
				}
			}
			d.feed(in, each)
			if d.e.Err() == nil {
				for _, s := range d.streams { // what a program does
					d.e.Headers(s, ok200, false)
					d.e.Write(s, make([]byte, 200))
					if s.Waiting() > 64<<10 || s.Unsent() > limits.SendBuffer {
						t.Errorf("%d bytes wait to be read, %d to be sent", s.Waiting(), s.Unsent())
					}
				}
			}
			for d.e.Pending() {
				b := d.e.Append(nil, 1000)
				if len(b) == 0 {
					t.Fatal("something is pending, and nothing comes")
				}
				seen[i] = append(seen[i], frames(t, b)...)
			}
			for _, s := range d.streams {
				d.e.Release(s)
			}
			d.e.Broken(http2.ConnectionError(http2.ErrCodeNo), 0)
			if n := d.e.Taken(); n != 0 {
				t.Errorf("%d streams are left behind", n)
			}
			seen[i] = append(append(seen[i], d.events...), d.e.Err().Error())
		}
		if diff := cmp.Diff(strings.Join(seen[0], "\n"), strings.Join(seen[1], "\n")); diff != "" {
			t.Errorf("whole and byte by byte (-whole +bytes)\n%s", diff)
		}
	})
}
