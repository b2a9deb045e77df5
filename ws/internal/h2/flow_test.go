package h2_test

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"framewright/ws/internal/h2"
)

// tunnelled is a server with stream 1 open for both.
func tunnelled(t *testing.T, l h2.Limits) (*dialogue, *h2.Stream) {
	t.Helper()
	d := serverDialogue(l)
	d.feed(wire(settings, opened), false)
	if len(d.streams) != 1 {
		t.Fatal(d.err)
	}
	s := d.streams[0]
	d.e.Headers(s, []hpack.HeaderField{{Name: ":status", Value: "200"}}, false)
	d.sent(t)
	return d, s
}

func (d *dialogue) want(t *testing.T, why string, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, d.sent(t)); diff != "" {
		t.Errorf("%s (-want +got)\n%s", why, diff)
	}
}

// A stream that nobody reads stops, the connection and its other streams do not; reading
// opens it again.
func TestWindowsAreBackpressure(t *testing.T) {
	d, s := tunnelled(t, h2.Limits{})
	for range 4 {
		d.feed(wire("00 00 00000001 | 'x'*16384"), false)
	}
	d.want(t, "all of one window came")
	if s.Waiting() != 64<<10 {
		t.Errorf("%d bytes wait", s.Waiting())
	}
	for id := byte(3); id < 35; id += 2 { // 32 streams' worth, 2 MiB, on others that are read
		d.feed(wire("01 04 000000"+string("0123456789abcdef"[id>>4])+string("0123456789abcdef"[id&15])+" | "+post), false)
		other := d.streams[len(d.streams)-1]
		for range 8 {
			d.feed(append([]byte{0, 64, 0, 0, 0, 0, 0, 0, id}, make([]byte, 16384)...), false)
			if n, err := io.ReadFull(reader{d.e, other}, make([]byte, 16384)); n != 16384 || err != nil {
				t.Fatal(n, err)
			}
		}
	}
	updates := map[string]int{}
	for _, line := range d.sent(t) {
		updates[line[:strings.IndexByte(line, '+')]]++
	}
	if updates["WINDOW_UPDATE 1 "] != 0 || updates["WINDOW_UPDATE 0 "] < 3 || updates["WINDOW_UPDATE 3 "] < 2 {
		t.Errorf("updates: %v", updates)
	}
	io.ReadFull(reader{d.e, s}, make([]byte, 32<<10))
	d.want(t, "half a window was read", "WINDOW_UPDATE 1 +32768")
}

type reader struct {
	e *h2.Endpoint
	s *h2.Stream
}

func (r reader) Read(p []byte) (int, error) {
	n, err := r.e.Read(r.s, p)
	if n == 0 && err == nil {
		err = errors.New("nothing there")
	}
	return n, err
}

// What is written waits for the windows of the stream and of the connection, and streams
// take turns.
func TestSendingWaitsForWindows(t *testing.T) {
	d, s := tunnelled(t, h2.Limits{SendBuffer: 100_000})
	if n, err := d.e.Write(s, make([]byte, 200_000)); n != 100_000 || err != nil {
		t.Fatal(n, err)
	}
	if n, err := d.e.Write(s, []byte("x")); n != 0 || err != nil {
		t.Errorf("there is room for %d, %v", n, err)
	}
	d.want(t, "both windows are 65,535 bytes", "DATA 1 16384", "DATA 1 16384", "DATA 1 16384", "DATA 1 16383")
	if d.e.Pending() {
		t.Error("there is something to send without a window")
	}
	d.feed(wire("08 00 00000001 | 00000064"), false)
	d.want(t, "the connection's window is still closed")
	d.feed(wire("08 00 00000000 | 0000000a"), false)
	if !d.e.Pending() {
		t.Error("nothing to send")
	}
	d.want(t, "10 bytes more", "DATA 1 10")
	d.feed(wire("08 00 00000000 | 00010000", "04 00 00000000 | 0004 00000000"), false)
	d.want(t, "the peer's initial window is 0 now, the stream's below that", "SETTINGS ACK")
	d.feed(wire("01 04 00000003 | "+post, "08 00 00000003 | 00008000", "08 00 00000001 | 0001ffff"), false)
	two := d.streams[1]
	d.e.Headers(two, []hpack.HeaderField{{Name: ":status", Value: "200"}}, false)
	d.e.Write(two, make([]byte, 20_000))
	d.e.CloseWrite(two)
	d.want(t, "two take turns", "HEADERS 3", "DATA 1 16384", "DATA 3 16384", "DATA 1 16384", "DATA 3 3616 END", "DATA 1 1687")
	if _, err := d.e.Write(two, []byte("x")); err != h2.ErrClosed {
		t.Error(err)
	}
}

// How streams end, and what is counted.
func TestEnds(t *testing.T) {
	for _, tt := range []struct {
		name string
		do   func(*dialogue, *h2.Stream)
		want []string
	}{
		{"the peer first", func(d *dialogue, s *h2.Stream) {
			d.feed(wire("00 01 00000001 | 'bye'"), false)
			d.e.Write(s, []byte("bye"))
			d.e.CloseWrite(s)
		}, []string{"DATA 1 3 END"}},
		{"this end first", func(d *dialogue, s *h2.Stream) {
			d.e.CloseWrite(s)
			d.e.Append(nil, 1<<20)
			d.feed(wire("00 01 00000001 | 'bye'"), false)
		}, nil},
		{"this end alone", func(d *dialogue, s *h2.Stream) {
			d.e.Write(s, []byte("bye"))
		}, []string{"DATA 1 3 END", "RST_STREAM 1 CANCEL"}},
		{"this end, twice", func(d *dialogue, s *h2.Stream) { d.e.CloseWrite(s); d.e.CloseWrite(s); d.e.Release(s) }, []string{"DATA 1 0 END", "RST_STREAM 1 CANCEL"}},
		{"a reset by this end", func(d *dialogue, s *h2.Stream) { d.e.Write(s, []byte("x")); d.e.Reset(s, http2.ErrCodeInternal) }, []string{"RST_STREAM 1 INTERNAL_ERROR"}},
		{"a reset by the peer", func(d *dialogue, s *h2.Stream) {
			d.e.Write(s, []byte("x"))
			d.feed(wire("03 00 00000001 | 00000008"), false)
		}, nil},
		{"a reset by both", func(d *dialogue, s *h2.Stream) {
			d.e.Reset(s, http2.ErrCodeCancel)
			d.feed(wire("03 00 00000001 | 00000008", "00 00 00000001 | 'late'", "01 05 00000001 | 40 01 'a' 01 'b'"), false)
		}, []string{"RST_STREAM 1 CANCEL"}},
	} {
		d, s := tunnelled(t, h2.Limits{})
		tt.do(d, s)
		if d.e.Taken() != 1 {
			t.Errorf("%s: %d streams are taken", tt.name, d.e.Taken())
		}
		d.e.Release(s)
		d.want(t, tt.name, tt.want...)
		if d.e.Taken() != 0 || d.e.Err() != nil {
			t.Errorf("%s: %d streams are taken, %v", tt.name, d.e.Taken(), d.e.Err())
		}
		if _, err := d.e.Read(s, make([]byte, 1)); err != h2.ErrClosed {
			t.Errorf("%s: a read of what was released: %v", tt.name, err)
		}
	}
}

// What came before an end is read first.
func TestReadBeforeTheEnd(t *testing.T) {
	for _, tt := range []struct {
		in   string
		want func(error) bool
	}{
		{"00 01 00000001", func(err error) bool { return err == io.EOF }},
		{"03 00 00000001 | 00000008", func(err error) bool {
			e, ok := errors.AsType[*h2.Error](err)
			return ok && e.Remote && e.Stream == 1 && e.Code == http2.ErrCodeCancel
		}},
		{"05 00 00000001 | 00000001", func(err error) bool {
			e, ok := errors.AsType[*h2.Error](err)
			return ok && !e.Remote && e.Stream == 0
		}},
	} {
		d, s := tunnelled(t, h2.Limits{})
		woken := 0
		s.Wake = func() { woken++ }
		p := make([]byte, 10)
		if n, err := d.e.Read(s, p); n != 0 || err != nil {
			t.Fatal(n, err)
		}
		d.feed(wire("00 00 00000001 | 'Hello'", tt.in), false)
		if woken < 2 {
			t.Errorf("%s: woken %d times", tt.in, woken)
		}
		if n, err := d.e.Read(s, p); string(p[:n]) != "Hello" || err != nil {
			t.Errorf("%s: %q, %v", tt.in, p[:n], err)
		}
		if n, err := d.e.Read(s, p); n != 0 || !tt.want(err) {
			t.Errorf("%s: %d bytes, %v", tt.in, n, err)
		}
	}
}

// Floods end the connection, whatever they are made of; a browser's load does not.
func TestFloods(t *testing.T) {
	many := func(frame string) []byte { return bytes.Repeat(wire(frame), 1200) }
	rapid := func() (b []byte) { // open and reset, without end
		for id := uint32(3); id < 3000; id += 2 {
			for _, f := range [][]byte{wire("01 05 00000000 | " + get), wire("03 00 00000000 | 00000008")} {
				f[5], f[6], f[7], f[8] = byte(id>>24), byte(id>>16), byte(id>>8), byte(id)
				b = append(b, f...)
			}
		}
		return b
	}
	for _, tt := range []struct {
		name string
		in   []byte
	}{
		{"pings", many("06 00 00000000 | '12345678'")},
		{"settings", many("04 00 00000000")},
		{"settings' acknowledgements", many("04 01 00000000")},
		{"settings with many settings", bytes.Repeat(wire("04 00 00000000 | 000300000064*2000"), 5)},
		{"priorities", many("02 00 00000005 | 00000000 ff")},
		{"DATA without data", many("00 00 00000001")},
		{"padding alone", many("00 08 00000001 | 00")},
		{"window updates", many("08 00 00000001 | 00000001")},
		{"what nobody knows", many("fe 00 00000000")},
		{"goodbyes", many("07 00 00000000 | 00000000 00000000")},
		{"rapid resets", rapid()},
		{"DATA for a stream that is over", append(wire("03 00 00000001 | 00000008"), many("00 00 00000001")...)},
	} {
		d, _ := tunnelled(t, h2.Limits{})
		d.feed(tt.in, false)
		if e, ok := errors.AsType[*h2.Error](d.e.Err()); !ok || e.Code != http2.ErrCodeEnhanceYourCalm {
			t.Errorf("%s: %v", tt.name, d.e.Err())
		}
		if n := len(d.e.Append(nil, 1<<30)); n > 100_000 {
			t.Errorf("%s: %d bytes of answers were kept", tt.name, n)
		}
	}
	// In time, all of it is harmless.
	d, _ := tunnelled(t, h2.Limits{})
	for range 10_000 {
		d.now += 1e7
		d.feed(wire("06 00 00000000 | '12345678'"), false)
		d.e.Append(nil, 1<<20)
	}
	// What is sent pays for its window updates.
	for range 50_000 {
		d.e.Write(d.streams[0], make([]byte, 1000))
		d.e.Append(nil, 1<<20)
		d.feed(wire("08 00 00000001 | 000003e8", "08 00 00000000 | 000003e8"), false)
	}
	if d.e.Err() != nil {
		t.Error(d.e.Err())
	}
}

// A connection that goes away takes no more streams, and finishes those that there are.
func TestGoAway(t *testing.T) {
	d, s := tunnelled(t, h2.Limits{})
	d.e.GoAway(http2.ErrCodeNo, "bye")
	d.e.GoAway(http2.ErrCodeNo, "bye")
	d.feed(wire("01 05 00000003 | "+get, "00 01 00000001 | 'x'"), false)
	d.e.Write(s, []byte("y"))
	d.e.Release(s)
	d.want(t, "going away", "GOAWAY 1 NO_ERROR", "RST_STREAM 3 REFUSED_STREAM", "DATA 1 1 END")
	if !d.e.Leaving() || d.e.Taken() != 0 {
		t.Error(d.e.Taken())
	}
	d, s = tunnelled(t, h2.Limits{})
	d.feed(wire("00 00 00000001 | 'x'"), false)
	broken := errors.New("cable")
	if err := d.e.Broken(broken, 0); err == nil || !strings.Contains(err.Error(), "cable") {
		t.Error(err)
	}
	if _, err := d.e.Write(s, []byte("x")); err == nil {
		t.Error("a write on a broken connection")
	}
	d.want(t, "there is nobody to tell")
}
