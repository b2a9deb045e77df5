package deflate

import (
	"bytes"
	"compress/flate"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"unsafe"
)

// Every window, with and without context, messages of all sizes, whole and in
// parts; what comes out is inflated by the oracle, which also says how far
// back it reaches, and by ours.
func TestRoundTrip(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for bits := minBits; bits <= maxBits; bits++ {
		for _, keep := range []bool{false, true} {
			for _, parts := range []bool{false, true} {
				name := fmt.Sprintf("bits %d, keep %v, parts %v", bits, keep, parts)
				c, d := NewCompressor(bits, keep), NewDecompressor(bits, keep)
				var before []byte
				for i, text := range texts() {
					if (testing.Short() || raceEnabled) && len(text) > 70_000 {
						continue // the oracle is slow
					}
					var wire []byte
					if parts {
						rest := text
						for rng.IntN(4) > 0 {
							n := rng.IntN(min(len(rest), 40_000) + 1)
							wire = c.AppendPart(wire, rest[:n], false)
							rest = rest[n:]
						}
						wire = c.AppendPart(wire, rest, true)
					} else {
						wire = c.Append(wire, text)
						if most := len(text) + 5*(len(text)/maxStored+1) + 1; len(wire) > most {
							t.Errorf("%s, text %d: %d bytes became %d, more than storing takes", name, i, len(text), len(wire))
						}
					}
					if len(text) == 0 && !parts && !bytes.Equal(wire, []byte{0}) {
						t.Errorf("%s: an empty message became % x, want 00 (RFC 7692 §7.2.3.6)", name, wire)
					}
					got, dist, _, err := plainInflate(before, wire)
					if err != nil || !bytes.Equal(got, text) {
						t.Fatalf("%s, text %d of %d bytes: the oracle has %d, %v", name, i, len(text), len(got), err)
					}
					if dist > 1<<bits {
						t.Fatalf("%s, text %d: a distance of %d", name, i, dist)
					}
					if keep {
						before = append(before, text...)
						before = before[max(0, len(before)-1<<maxBits):]
					}
					got, err = inflateMessage(d, wire, 1+rng.IntN(5000), 1+rng.IntN(5000))
					if err != nil || !bytes.Equal(got, text) {
						t.Fatalf("%s, text %d of %d bytes: %d, %v", name, i, len(text), len(got), err)
					}
				}
			}
		}
	}
}

// The window is not only kept to but used, up to its last byte; so is the
// context.
func TestWindowUsed(t *testing.T) {
	for bits := minBits; bits <= maxBits; bits++ {
		for _, over := range []int{0, 1} {
			// Twice the same noise, as far apart as the window is long, or one
			// more.
			text := noise(1<<bits + over)
			twice := append(text[:len(text):len(text)], text...)
			wire := NewCompressor(bits, false).Append(nil, twice)
			_, dist, _, err := plainInflate(nil, wire)
			if want := (1 - over) << bits; dist != want || err != nil {
				t.Errorf("bits %d, %d over: a distance of %d, %v, want %d", bits, over, dist, err, want)
			}
			c := NewCompressor(bits, true)
			c.Append(nil, text)
			_, dist, _, err = plainInflate(text, c.Append(nil, text))
			if want := (1 - over) << bits; dist != want || err != nil {
				t.Errorf("bits %d, %d over, two messages: a distance of %d, %v, want %d", bits, over, dist, err, want)
			}
		}
	}
}

// Each part can be inflated as soon as it is there.
func TestPartsFlushed(t *testing.T) {
	for _, keep := range []bool{false, true} {
		c, d := NewCompressor(12, keep), NewDecompressor(12, keep)
		dst := make([]byte, 1000)
		for range 3 {
			for _, part := range []string{"Hello, ", "", "hello, ", "hello", ""} {
				n, _, err := d.Inflate(dst, c.AppendPart(nil, []byte(part), false))
				if string(dst[:n]) != part || err != nil {
					t.Fatalf("%q, %v; want %q", dst[:n], err, part)
				}
			}
			if c.hist.n == 0 {
				t.Error("no window between two parts")
			}
			wire := c.AppendPart(nil, []byte("hello!"), true)
			if len(wire) > 7 {
				t.Errorf("the last part took %d bytes; it repeats the ones before", len(wire))
			}
			got, err := inflateMessage(d, wire, 100, 100)
			if string(got) != "hello!" || err != nil {
				t.Fatalf("%q, %v", got, err)
			}
			if !keep && c.hist.buf != nil {
				t.Error("a window is held after the message")
			}
		}
	}
}

// Code lengths are those of a complete code, no longer than allowed, and the
// best there are where that allows it.
func TestLengths(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	var h huffman
	for range 3000 {
		n := 2 + rng.IntN(numLit-1)
		limit := []int{maxCode, maxCode, maxLens}[rng.IntN(3)]
		if limit == maxLens {
			n = min(n, numLens)
		}
		freq := make([]uint32, n)
		fib := [2]uint32{1, 1}
		for i := range freq {
			switch rng.IntN(4) {
			case 0:
			case 1:
				freq[i] = uint32(rng.IntN(10))
			case 2:
				freq[i] = uint32(rng.IntN(1000))
			default: // the deepest trees
				freq[i] = fib[0]
				if fib[1] < 20_000 {
					fib[0], fib[1] = fib[1], fib[0]+fib[1]
				}
			}
		}
		lens := make([]uint8, n)
		h.lengths(lens, freq, limit)
		sum := 0
		for i, l := range lens {
			if int(l) > limit || freq[i] > 0 && l == 0 {
				t.Fatalf("a frequency of %d got %d bits; limit %d", freq[i], l, limit)
			}
			if l > 0 {
				sum += 1 << (limit - int(l))
			}
		}
		if sum != 1<<limit {
			t.Fatalf("the codes take %d of %d", sum, 1<<limit)
		}
		// The cost of Huffman's algorithm: what all its joints weigh.
		var heap []int
		for _, f := range freq {
			if f > 0 {
				heap = append(heap, int(f))
			}
		}
		best := 0
		for len(heap) > 1 {
			slices.Sort(heap)
			heap[1] += heap[0]
			best += heap[1]
			heap = heap[1:]
		}
		worst := float64(best)
		if deepest := slices.Max(h.depth[:]); int(deepest) > limit {
			worst *= 1.25
		}
		if got := cost(freq, lens); best > 0 && (got < best || float64(got) > worst) {
			t.Fatalf("%d bits for %v, Huffman has %d", got, freq, best)
		}
		clear(h.depth[:])
	}
}

// Between messages nothing is held but the structs and the windows, which grow
// as they are used.
func TestMemory(t *testing.T) {
	var c Compressor
	var d Decompressor
	t.Logf("without windows: Compressor %d bytes, Decompressor %d", unsafe.Sizeof(c), unsafe.Sizeof(d))
	if size := unsafe.Sizeof(c); size > 40 {
		t.Errorf("a Compressor has %d bytes; doc.go says at most 40", size)
	}
	if size := unsafe.Sizeof(d); size > 72 {
		t.Errorf("a Decompressor has %d bytes; doc.go says at most 72", size)
	}
	if size := unsafe.Sizeof(inflater{}); size > 8<<10 {
		t.Errorf("the state inside a message has %d bytes", size)
	}
	text := texts()[7]
	for bits := minBits; bits <= maxBits; bits++ {
		for _, keep := range []bool{false, true} {
			c, d := NewCompressor(bits, keep), NewDecompressor(bits, keep)
			sent := 0
			for _, n := range []int{0, 1, 500, 600, 1000, 5000, 300_000, 10} {
				if _, err := inflateMessage(d, c.Append(nil, text[:n]), 1000, 1000); err != nil {
					t.Fatal(err)
				}
				sent += n
				most := 0
				if keep && sent > 0 {
					most = min(max(firstRing, 2*sent), 1<<bits)
				}
				if len(c.hist.buf) != cap(c.hist.buf) || cap(c.hist.buf) > most {
					t.Errorf("bits %d, keep %v, after %d bytes: the Compressor holds %d, at most %d", bits, keep, sent, cap(c.hist.buf), most)
				}
				if len(d.hist.buf) != cap(d.hist.buf) || cap(d.hist.buf) > most || d.w != nil {
					t.Errorf("bits %d, keep %v, after %d bytes: the Decompressor holds %d, at most %d, and state %v", bits, keep, sent, cap(d.hist.buf), most, d.w != nil)
				}
			}
			d.Inflate(nil, []byte{2})
			c.Release()
			d.Release()
			if c.hist.buf != nil || d.hist.buf != nil || d.w != nil {
				t.Error("Release has left something")
			}
		}
	}
}

// In the steady state nothing is allocated.
func TestAllocs(t *testing.T) {
	if raceEnabled {
		t.Skip("under the race detector a pool forgets at random")
	}
	text := texts()[7]
	for _, keep := range []bool{false, true} {
		for _, n := range []int{0, 10, 1000, 200_000} {
			c, d := NewCompressor(15, keep), NewDecompressor(15, keep)
			out, dst := make([]byte, 0, 300_000), make([]byte, 300_000)
			pass := func() {
				out = c.Append(out[:0], text[:n])
				got, _, err := d.Inflate(dst, out)
				if err == nil {
					_, _, err = d.End(dst[got:])
				}
				if got != n || err != nil {
					t.Fatal(got, err)
				}
			}
			for range 50 {
				pass() // until the windows are full and the pools have what they need
			}
			if a := testing.AllocsPerRun(50, pass); a > 0 {
				t.Errorf("keep %v, %d bytes: %v allocations a message", keep, n, a)
			}
		}
	}
}

func TestBitsOutOfRange(t *testing.T) {
	for _, bits := range []int{-1, 0, 7, 16} {
		func() {
			defer func() {
				if r := recover(); !strings.Contains(fmt.Sprint(r), "RFC 7692") {
					t.Errorf("%d bits: %v", bits, r)
				}
			}()
			NewCompressor(bits, false)
		}()
	}
}

// compress/flate inflates what we send: all messages of one context, one
// stream.
func TestFlateInflates(t *testing.T) {
	c := NewCompressor(15, true)
	var stream, all bytes.Buffer
	for _, text := range texts() {
		stream.Write(c.Append(nil, text))
		stream.WriteString(tail)
		all.Write(text)
	}
	got, err := io.ReadAll(flate.NewReader(&stream))
	if err != io.ErrUnexpectedEOF || !bytes.Equal(got, all.Bytes()) {
		t.Fatalf("%d bytes, %v; want %d", len(got), err, all.Len())
	}
}

// What a message becomes does not depend on what the pooled state has been
// used for, nor on where the positions have got to.
func TestSameAgain(t *testing.T) {
	for _, n := range []int{3000, 30_000} {
		testSameAgain(t, texts()[7][:n])
	}
}

func testSameAgain(t *testing.T, text []byte) {
	fresh := func(next uint32) []byte {
		w := deflaters.New().(*deflater)
		w.long.next = next
		w.enc.out = bitWriter{}
		w.deflate(new(history), text, 1<<maxBits)
		w.enc.out.put(0, 3)
		w.enc.out.align()
		return w.enc.out.dst
	}
	want := fresh(1 << 16)
	w := deflaters.New().(*deflater)
	for i, other := range append(texts(), text) {
		for _, p := range [][]byte{other, text} {
			w.enc.out = bitWriter{}
			w.deflate(new(history), p, 1<<maxBits)
			w.enc.out.put(0, 3)
			w.enc.out.align()
		}
		if !bytes.Equal(w.enc.out.dst, want) {
			t.Errorf("after text %d it becomes something else", i)
		}
	}
	for _, next := range []uint32{1 << 17, 1<<32 - 1, 1<<32 - 1000, 1<<32 - 1<<15} {
		got, _, _, err := plainInflate(nil, fresh(next))
		if err != nil || !bytes.Equal(got, text) {
			t.Errorf("positions from %d on: %d bytes, %v", next, len(got), err)
		}
	}
}

// A long message is searched in two buffers, the context before the first;
// what is in the first is found from the second.
func TestLongMessage(t *testing.T) {
	block := noise(30_000)
	c := NewCompressor(15, true)
	c.Append(nil, []byte("some context"))
	wire := c.Append(nil, bytes.Repeat(block, 5))
	if most := len(block) * 3 / 2; len(wire) > most {
		t.Errorf("%d bytes, five times, became %d; want at most %d", len(block), len(wire), most)
	}
}
