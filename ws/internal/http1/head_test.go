package http1

import (
	"testing"
)

// A head that is used again holds nothing of the one before, nor keeps it in memory.
func TestHeadReset(t *testing.T) {
	r := &Head{}
	if err := r.Parse([]byte("GET /a HTTP/1.1\r\nHost: b\r\nCookie: c\r\nCookie: d\r\n\r\n")); err != nil {
		t.Fatal(err)
	}
	r.Values("Cookie")
	r.Reset()
	if r.Method != "" || r.Target != "" || r.Host != "" || r.Major != 0 || len(r.Values("Cookie")) != 0 {
		t.Errorf("%+v", r)
	}
	if cap(r.Fields) < 2 || cap(r.scratch) < 2 {
		t.Errorf("its memory is gone: room for %d fields and %d values", cap(r.Fields), cap(r.scratch))
	}
	for _, f := range r.Fields[:cap(r.Fields)] {
		if f != (Field{}) {
			t.Errorf("it keeps %v", f)
		}
	}
	for _, v := range r.scratch[:cap(r.scratch)] {
		if v != "" {
			t.Errorf("it keeps %q", v)
		}
	}
}
