package ws

import (
	"testing"

	"framewright/ws/internal/http1"
)

// A request that is used again holds nothing of the one before, nor keeps it in memory.
func TestRequestReset(t *testing.T) {
	r := &Request{}
	if err := r.Parse([]byte("GET /a HTTP/1.1\r\nHost: b\r\nCookie: c\r\nCookie: d\r\n\r\n")); err != nil {
		t.Fatal(err)
	}
	r.Values("Cookie")
	r.Reset()
	if r.Method != "" || r.Target != "" || r.Host != "" || r.Major != 0 || len(r.Values("Cookie")) != 0 {
		t.Errorf("%+v", r)
	}
	if got := r.Fields(); len(got) > 0 {
		t.Errorf("it has fields: %v", got)
	}
	if cap(r.head.Fields) < 2 {
		t.Errorf("its memory is gone: room for %d fields", cap(r.head.Fields))
	}
	for _, f := range r.head.Fields[:cap(r.head.Fields)] {
		if f != (http1.Field{}) {
			t.Errorf("it keeps %v", f)
		}
	}
}

// One that was never used has no memory to keep.
func TestRequestResetFirst(t *testing.T) {
	r := &Request{}
	r.Reset()
	if err := r.Parse([]byte("GET /a HTTP/1.1\r\nHost: b\r\n\r\n")); err != nil || r.Target != "/a" {
		t.Errorf("%+v, %v", r, err)
	}
}
