package inflate

import (
	"bytes"
	"compress/flate"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"framewright/autobahn/wsspec/internal/deflate"
)

func unhex(tb testing.TB, s string) []byte {
	tb.Helper()
	b, err := hex.DecodeString(strings.NewReplacer(" ", "", "|", "").Replace(s))
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

// each runs f with a message in pieces of several sizes: all at once, byte by byte,
// and in between.
func each(t *testing.T, message []byte, f func(t *testing.T, write func(*Decoder, func([]byte) error) error)) {
	for _, size := range []int{len(message), 1, 2, 7, 100} {
		t.Run(fmt.Sprintf("by%d", size), func(t *testing.T) {
			f(t, func(d *Decoder, out func([]byte) error) error {
				for b := message; len(b) > 0; {
					n := min(max(size, 1), len(b))
					if err := d.Write(b[:n], out); err != nil {
						return err
					}
					b = b[n:]
				}
				return nil
			})
		})
	}
}

func TestMessages(t *testing.T) {
	for _, tt := range []struct {
		name, message, want string
		stats               Stats
	}{
		// RFC 7692 §7.2.3.1, §7.2.3.3, §7.2.3.4, §7.2.3.5, and §7.2.3.6.
		{"the RFC's Hello", "f2 48 cd c9 c9 07 00", "Hello", Stats{Stored: 1, Fixed: 1}},
		{"stored", "00 | 05 00 | fa ff | 48 65 6c 6c 6f | 00", "Hello", Stats{Stored: 2}},
		{"a final block", "f3 48 cd c9 c9 07 00 | 00", "Hello", Stats{Stored: 1, Fixed: 1, Final: 1}},
		{"two blocks", "f2 48 05 00 00 00 ff ff ca c9 c9 07 00", "Hello", Stats{Stored: 2, Fixed: 2}},
		{"empty", "00", "", Stats{Stored: 1}},
		{"empty in a fixed block", "02 00", "", Stats{Stored: 1, Fixed: 1}},
		{"a final block and no byte behind it", "f3 48 cd c9 c9 07 00", "Hello", Stats{Fixed: 1, Final: 1}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			message := unhex(t, tt.message)
			each(t, message, func(t *testing.T, write func(*Decoder, func([]byte) error) error) {
				d := New(Options{})
				for range 2 { // the second shows that the first left nothing behind
					var got []byte
					out := func(b []byte) error { got = append(got, b...); return nil }
					if err := write(d, out); err != nil {
						t.Fatal(err)
					}
					stats, err := d.End(out)
					if err != nil {
						t.Fatal(err)
					}
					want := tt.stats
					want.In, want.Out = int64(len(message)), int64(len(tt.want))
					if diff := cmp.Diff(want, stats); diff != "" || string(got) != tt.want {
						t.Errorf("got %q, want %q (-want +got)\n%s", got, tt.want, diff)
					}
				}
			})
		})
	}
}

// The second message is one reference to the first (RFC 7692 §7.2.3.2).
func TestContext(t *testing.T) {
	first, second := unhex(t, "f2 48 cd c9 c9 07 00"), unhex(t, "f2 00 11 00 00")
	d := New(Options{})
	if _, _, err := d.Message(nil, first); err != nil {
		t.Fatal(err)
	}
	got, stats, err := d.Message(nil, second)
	if err != nil || string(got) != "Hello" || stats.Distance != 5 || stats.Before != 4 {
		t.Errorf("got %q, %+v, %v", got, stats, err)
	}
	d.SetHistory([]byte("xHello"))
	if got, _, err := d.Message(nil, second); err != nil || string(got) != "Hello" {
		t.Errorf("with a history that was set: %q, %v", got, err)
	}
	d.Reset(Options{NoContext: true})
	d.Message(nil, first)
	if _, _, err := d.Message(nil, second); !errors.Is(err, ErrHistory) {
		t.Errorf("without context: %v", err)
	}
	d.Reset(Options{})
	if _, _, err := d.Message(nil, second); !errors.Is(err, ErrHistory) {
		t.Errorf("as the first message: %v", err)
	}
}

func TestFaults(t *testing.T) {
	for _, tt := range []struct {
		name, message string
		kind          error
		at            int64 // bits
	}{
		{"the reserved type", "06", ErrCorrupt, 0},
		{"the reserved type behind a block", "f2 48 cd c9 c9 07 18", ErrCorrupt, 50},
		{"LEN and NLEN do not match", "00 | 05 00 | fa fe | 48 65 6c 6c 6f", ErrCorrupt, 40},
		{"before the history", "02 43 | 00 00", ErrHistory, -1},
		{"too many literal codes", "f4 07 00 00", ErrCorrupt, -1},
		{"too many distance codes", "04 1f 00 00", ErrCorrupt, -1},
		{"code lengths' code over-subscribed", "04 c0 49 92 24 00 00 00", ErrCorrupt, -1},
		{"code lengths' code incomplete", "04 00 04 00 00 00 00 00", ErrCorrupt, -1},
		{"ends in a stored block", "00 | 15 00 | ea ff | 48", ErrUnfinished, -1},
		{"nothing at all, where an empty message has a byte (RFC 7692 §7.2.3.6)", "", ErrUnfinished, -1},
		{"the four bytes that end a message are still there", "f2 48 cd c9 c9 07 00 00 00 ff ff", ErrUnfinished, -1},
		{"nothing but half a block", "f2 48 cd c9 c9", ErrUnfinished, -1},
		{"literal/length symbol 286", "1b 03 00 00", ErrCorrupt, -1},
		{"distance symbol 30", "02 3f 00 00", ErrCorrupt, -1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			each(t, unhex(t, tt.message), func(t *testing.T, write func(*Decoder, func([]byte) error) error) {
				d := New(Options{})
				out := func([]byte) error { return nil }
				err := write(d, out)
				if err == nil {
					_, err = d.End(out)
				}
				var e *Error
				if !errors.Is(err, tt.kind) || !errors.As(err, &e) {
					t.Fatalf("got %v, want one that is %q", err, tt.kind)
				}
				if at := e.Byte*8 + int64(e.Bit); tt.at >= 0 && at != tt.at {
					t.Errorf("at bit %d, want %d: %v", at, tt.at, err)
				}
				if again := d.Write([]byte{0}, out); again != err {
					t.Errorf("afterwards: %v, want the same", again)
				}
			})
		})
	}
}

// A distance is held against the window that was agreed on, to the byte.
func TestWindow(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	content := make([]byte, 3000)
	for i := range content {
		content[i] = byte(r.Uint32())
	}
	for bits := 8; bits <= 11; bits++ {
		for _, over := range []int{0, 1} {
			distance := 1<<bits + over
			packed := squeeze(t, 9, nil, append(bytes.Clone(content[:distance]), content[:distance]...)[:distance+min(distance, 60)])
			got, stats, err := New(Options{Window: bits}).Message(nil, packed)
			if stats.Distance != distance {
				t.Errorf("%d bits: measured %d, want %d", bits, stats.Distance, distance)
			}
			if over == 0 && err != nil || over == 1 && !errors.Is(err, ErrWindow) {
				t.Errorf("%d bits, distance %d: %v after %d bytes", bits, distance, err, len(got))
			}
			if _, _, err := New(Options{Window: bits, Lenient: true}).Message(nil, packed); err != nil {
				t.Errorf("lenient, %d bits, distance %d: %v", bits, distance, err)
			}
			// As a second message it is too far for zlib, too.
			d := New(Options{Window: bits, Lenient: true})
			d.SetHistory(content[:distance])
			if _, _, err := d.Message(nil, squeeze(t, 9, content[:distance], content[:60])); over == 1 != errors.Is(err, ErrWindow) {
				t.Errorf("lenient, %d bits, distance %d into the message before: %v", bits, distance, err)
			}
		}
	}
}

// A distance may go back to the first byte that is known, and not to the one before.
func TestHistoryEdge(t *testing.T) {
	long := strings.Repeat("0123456789abcdef", 120000/16)
	for _, tt := range []struct {
		name     string
		before   string // the message before
		literals int
		distance int
		want     error
	}{
		{"to the start", "", 2, 2, nil},
		{"to before the start", "", 2, 3, ErrHistory},
		{"to the start of a later message", "Hello", 2, 2, nil},
		{"into the message before", "Hello", 2, 3, ErrHistory},
		{"to the start, much later", long, 20000, 20000, nil}, // the history has moved meanwhile
		{"into the message before, much later", long, 20000, 20001, ErrHistory},
	} {
		d := New(Options{NoContext: true})
		var w deflate.Writer
		if tt.before != "" {
			w.Stored(false, []byte(tt.before))
			if _, _, err := d.Message(nil, w.Message()); err != nil {
				t.Fatal(err)
			}
		}
		w.Fixed(false)
		w.Literals(long[:tt.literals])
		w.Match(3, tt.distance)
		w.EndBlock()
		if _, _, err := d.Message(nil, w.Message()); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
		}
	}
}

// zlib puts out 16 KiB first. What is behind that may go back no further than a window
// before it, whatever was allowed earlier.
func TestLenientMarks(t *testing.T) {
	filler := strings.Repeat("0123456789abcdef", 1024)
	for _, tt := range []struct {
		name string
		at   []int // where there is a match from 2,000 bytes back
		want bool  // that it is taken
	}{
		{"in the first 16 KiB", []int{3000, 16000}, true},
		{"behind them", []int{3000, 16384 + 1400}, false},
		{"behind them, as far as the window reaches", []int{3000, 16384 + 1488}, true},
		{"behind the next 16 KiB", []int{3000, 30000, 32768 + 100}, false},
		{"in the 32 KiB behind that", []int{3000, 30000, 32768 + 1500, 65000}, true},
		{"behind them", []int{40000, 65536 + 100}, false},
	} {
		var w deflate.Writer
		w.Fixed(false)
		done := 0
		for _, at := range tt.at {
			for done < at {
				n := min(at-done, len(filler))
				w.Literals(filler[:n])
				done += n
			}
			w.Match(100, 2000)
			done += 100
		}
		w.EndBlock()
		_, _, err := New(Options{Window: 9, Lenient: true}).Message(nil, w.Message())
		if tt.want != (err == nil) || err != nil && !errors.Is(err, ErrWindow) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

func TestLimit(t *testing.T) {
	content := make([]byte, 1<<20)
	packed := squeeze(t, 9, nil, content)
	for _, limit := range []int64{1, 1000, 1<<20 - 1, 1 << 20} {
		d := New(Options{Limit: limit})
		var n int64
		out := func(b []byte) error { n += int64(len(b)); return nil }
		err := d.Write(packed, out)
		if n != limit {
			t.Errorf("limit %d: %d bytes came out", limit, n)
		}
		if want := limit < 1<<20; want != errors.Is(err, ErrLimit) {
			t.Errorf("limit %d: %v", limit, err)
		}
	}
}

// What the reader of the content says is what Write says.
func TestOutError(t *testing.T) {
	enough := errors.New("enough")
	d := New(Options{})
	if err := d.Write(unhex(t, "f2 48 cd c9 c9 07 00"), func([]byte) error { return enough }); err != enough {
		t.Errorf("got %v", err)
	}
}

// Many messages of all lengths, with context, in pieces, against what went in.
func TestRoundTrips(t *testing.T) {
	for name, content := range texts(400 << 10) {
		for level := -2; level <= 9; level++ {
			t.Run(fmt.Sprintf("%s/level%d", name, level), func(t *testing.T) {
				t.Parallel()
				r := rand.New(rand.NewPCG(7, uint64(level+10)))
				var b bytes.Buffer
				w, _ := flate.NewWriter(&b, level)
				d := New(Options{})
				for rest := content; len(rest) > 0; {
					n := min(len(rest), 1<<r.IntN(18)+r.IntN(20))
					b.Reset()
					w.Write(rest[:n])
					w.Flush()
					packed := bytes.TrimSuffix(b.Bytes(), tail)
					var got []byte
					out := func(b []byte) error { got = append(got, b...); return nil }
					for len(packed) > 0 {
						k := min(len(packed), 1<<r.IntN(18))
						if err := d.Write(packed[:k], out); err != nil {
							t.Fatal(err)
						}
						packed = packed[k:]
					}
					if _, err := d.End(out); err != nil {
						t.Fatal(err)
					}
					if !bytes.Equal(got, rest[:n]) {
						t.Fatalf("%d bytes came out changed, at %d", n, len(content)-len(rest))
					}
					rest = rest[n:]
				}
			})
		}
	}
}

func TestNoAllocation(t *testing.T) {
	packed := squeeze(t, 6, nil, texts(10000)["json"])
	d := New(Options{})
	out := func([]byte) error { return nil }
	if n := testing.AllocsPerRun(100, func() {
		d.Write(packed[:100], out)
		d.Write(packed[100:], out)
		d.End(out)
	}); n != 0 {
		t.Errorf("%v allocations a message, want none", n)
	}
}

// FuzzInflate holds the decoder against compress/flate: the same content, the same
// verdict, however the data is cut.
func FuzzInflate(f *testing.F) {
	for _, s := range []string{"f2 48 cd c9 c9 07 00", "f2 00 11 00 00", "00 05 00 fa ff 48 65 6c 6c 6f 00", "06", "04 00 04"} {
		f.Add(unhex(f, s), uint8(3))
	}
	for _, content := range texts(3000) {
		for _, level := range []int{-2, 1, 9} {
			f.Add(squeeze(f, level, nil, content), uint8(50))
		}
	}
	f.Fuzz(func(t *testing.T, data []byte, cut uint8) {
		const limit = 1 << 20
		whole := append(append(bytes.Clone(data), tail...), 1, 0, 0, 0xff, 0xff)
		src := bytes.NewReader(whole)
		r := flate.NewReader(src)
		want, theirErr := io.ReadAll(io.LimitReader(r, limit+1))
		if len(want) > limit || theirErr == nil && src.Len() > 0 {
			return // too long, or a final block in the middle, at which theirs stops
		}
		got, ourErr := pieces(data, max(int(cut), 1), limit)
		again, _ := pieces(data, len(data)+1, limit)
		if !bytes.Equal(got, again) {
			t.Errorf("cut into %d: %q, whole: %q", cut, got, again)
		}
		if errors.Is(ourErr, ErrCorrupt) && theirErr == nil && laxer(ourErr) {
			return
		}
		if (ourErr == nil) != (theirErr == nil) {
			t.Fatalf("ours: %v, theirs: %v\n%x", ourErr, theirErr, data)
		}
		if ourErr == nil && !bytes.Equal(got, want) {
			t.Errorf("ours: %q, theirs: %q", got, want)
		}
	})
}

// laxer: compress/flate takes codes that zlib refuses, as we do.
func laxer(err error) bool {
	s := err.Error()
	return strings.Contains(s, "incomplete") || strings.Contains(s, "without a code for its end")
}

func pieces(data []byte, size int, limit int64) (got []byte, err error) {
	d := New(Options{Limit: limit})
	out := func(b []byte) error { got = append(got, b...); return nil }
	for len(data) > 0 {
		n := min(size, len(data))
		if err := d.Write(data[:n], out); err != nil {
			return got, err
		}
		data = data[n:]
	}
	_, err = d.End(out)
	return got, err
}
