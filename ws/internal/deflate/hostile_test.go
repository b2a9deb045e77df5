package deflate

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// bitsOf writes a stream as the RFC draws it: fields of bits, each as
// "value/width", least significant bit first, or as a code "0101", most
// significant bit first.
func bitsOf(s string) []byte {
	var w bitWriter
	for f := range strings.FieldsSeq(s) {
		var v uint64
		var n uint
		if _, err := fmt.Sscanf(f, "%d/%d", &v, &n); err == nil {
			w.put(v, n)
			continue
		}
		for _, c := range f {
			w.put(uint64(c-'0'), 1)
		}
	}
	w.align()
	return w.dst
}

// A dynamic header in which each code length from 0 to 15 has a code of four
// bits, and the repeats none: 19 lengths, in lenOrder.
const flatLens = " 15/4 0/3 0/3 0/3" + " 4/3 4/3 4/3 4/3 4/3 4/3 4/3 4/3 4/3 4/3 4/3 4/3 4/3 4/3 4/3 4/3 "

// lensOf is code lengths under flatLens.
func lensOf(lens ...int) string {
	var b strings.Builder
	for _, n := range lens {
		fmt.Fprintf(&b, "%04b ", n)
	}
	return b.String()
}

func zeros(n int) []int { return make([]int, n) }

func TestHostileStreams(t *testing.T) {
	lit := func(more ...int) []int { return append(zeros(256), more...) }
	for _, c := range []struct {
		what   string
		stream []byte
		want   error
	}{
		{"reserved block type", bitsOf("0/1 3/2"), ErrBlockType},
		{"stored length without its complement", unhex("00 0500 0500"), ErrStored},
		{"stored block cut short", unhex("00 0900 f6ff 48"), ErrTruncated},
		{"a byte less than the tail needs", unhex("f2 48 cd c9 c9 07"), ErrTruncated},
		{"fixed block without an end", bitsOf("0/1 1/2 00110000 00110001"), ErrTruncated},
		{"287 literal codes", bitsOf("0/1 2/2 30/5 0/5 0/4"), ErrLengths},
		{"31 distance codes", bitsOf("0/1 2/2 0/5 30/5 0/4"), ErrLengths},
		{"no code length codes", bitsOf("0/1 2/2 0/5 0/5 0/4 0/3 0/3 0/3 0/3"), ErrLengths},
		{"one code length code", bitsOf("0/1 2/2 0/5 0/5 0/4 0/3 0/3 0/3 1/3"), ErrLengths},
		{"too many code length codes", bitsOf("0/1 2/2 0/5 0/5 0/4 1/3 1/3 1/3 0/3"), ErrLengths},
		{"a repeat first", bitsOf("0/1 2/2 0/5 0/5 0/4 1/3 0/3 0/3 1/3 1 0/2"), ErrLengths},
		{"a repeat past the last", bitsOf("0/1 2/2 0/5 0/5 0/4 0/3 0/3 1/3 1/3 1 127/7 1 127/7"), ErrLengths},
		{"no code for the end of the block", bitsOf("0/1 2/2 0/5 0/5" + flatLens + lensOf(append([]int{1, 1}, zeros(256)...)...)), ErrLengths},
		{"too many literal codes", bitsOf("0/1 2/2 0/5 0/5" + flatLens + lensOf(append([]int{1, 1}, append(zeros(254), 1, 1)...)...)), ErrLengths},
		{"incomplete literal codes", bitsOf("0/1 2/2 0/5 0/5" + flatLens + lensOf(append(lit(2), 1)...)), ErrLengths},
		{"too many distance codes", bitsOf("0/1 2/2 0/5 2/5" + flatLens + lensOf(append(lit(1), 1, 1, 1)...)), ErrLengths},
		{"incomplete distance codes", bitsOf("0/1 2/2 0/5 0/5" + flatLens + lensOf(append(lit(1), 2)...)), ErrLengths},
		{"the bit that a lone code leaves", bitsOf("0/1 2/2 0/5 0/5" + flatLens + lensOf(append(lit(1), 0)...) + "1"), ErrSymbol},
		{"a length, and no distance codes", bitsOf("0/1 2/2 1/5 0/5" + flatLens + lensOf(append(lit(1, 1), 0)...) + "1 0 0"), ErrSymbol},
		{"length symbol 286", bitsOf("0/1 1/2 11000110"), ErrSymbol},
		{"length symbol 287", bitsOf("0/1 1/2 11000111"), ErrSymbol},
		{"distance symbol 30", bitsOf("0/1 1/2 00110000 0000001 11110"), ErrSymbol},
		{"distance symbol 31", bitsOf("0/1 1/2 00110000 0000001 11111"), ErrSymbol},
		{"a distance before anything", bitsOf("0/1 1/2 0000001 00000"), ErrDistance},
		{"a distance before the first byte", bitsOf("0/1 1/2 00110000 0000001 00001"), ErrDistance},
	} {
		for _, size := range []int{1, 3, 1000} {
			// The second time with so much input that the fast path sees it.
			for _, more := range []int{0, 100} {
				if more > 0 && c.want == ErrTruncated {
					continue
				}
				d := NewDecompressor(15, false)
				_, err := inflateMessage(d, append(c.stream[:len(c.stream):len(c.stream)], make([]byte, more)...), size, 1000)
				if !errors.Is(err, c.want) {
					t.Errorf("%s, %d at a time: %v, want %v", c.what, size, err, c.want)
				}
				if _, _, again := d.Inflate(make([]byte, 10), []byte{0}); again != err {
					t.Errorf("%s: then %v", c.what, again)
				}
				if d.w != nil || d.hist.buf != nil {
					t.Errorf("%s: buffers held after an error", c.what)
				}
			}
		}
		if _, _, _, err := plainInflate(nil, c.stream); err == nil {
			t.Errorf("%s: the oracle accepts it", c.what)
		}
	}
}

// What zlib takes, though it is odd.
func TestOddStreams(t *testing.T) {
	lit := func(more ...int) []int { return append(zeros(256), more...) }
	for _, c := range []struct {
		what   string
		stream []byte
		want   string
	}{
		{"a lone end of block", bitsOf("0/1 2/2 0/5 0/5" + flatLens + lensOf(append(lit(1), 0)...) + "0 0/3"), ""},
		{"a lone distance code", bitsOf("0/1 1/2 10010001 0000000 0/1 2/2 1/5 0/5" + flatLens + lensOf(append(lit(1, 1), 1)...) + "1 0 0 0/3"), "aaaa"},
		{"258 as 284 and 31", bitsOf("0/1 1/2 10010001 11000100 31/5 00000 0000000 0/3"), strings.Repeat("a", 259)},
		{"an empty fixed block", bitsOf("0/1 1/2 0000000 0/3"), ""},
		{"the tail as the data of a stored block", unhex("00 0400 fbff"), tail},
		{"two blocks with BFINAL", unhex("01 0100 feff 61 01 0100 feff 62"), "ab"},
	} {
		for _, size := range []int{1, 1000} {
			got, err := inflateMessage(NewDecompressor(15, false), c.stream, size, size)
			if err != nil || string(got) != c.want {
				t.Errorf("%s: %q, %v", c.what, got, err)
			}
		}
	}
}

// A distance may be as long as the window and as what is there, and no longer.
func TestDistances(t *testing.T) {
	for bits := minBits; bits <= maxBits; bits++ {
		window := 1 << bits
		for _, keep := range []bool{false, true} {
			for _, before := range []int{1, 2, 1000, window - 1, window, window + 1, 3 * window} {
				for _, dist := range []int{1, 2, before - 1, before, before + 1, window - 1, window, window + 1} {
					if dist < 1 || dist > 1<<maxBits {
						continue
					}
					// The bytes before, stored; then a match of three.
					var w bitWriter
					w.stored(noise(before))
					first := bytes.TrimSuffix(append([]byte(nil), w.dst...), tailBytes)
					w = bitWriter{}
					code := distCode(uint(dist - 1))
					w.put(1<<1, 3)
					w.put(uint64(fixedCodes.len[0]>>8), 7)
					w.put(uint64(fixedCodes.dist[code]>>8), 5)
					w.put(uint64(dist-int(distBase[code])), uint(distExtra[code]))
					w.put(0, 7)
					w.put(0, 3)
					w.align()
					for _, apart := range []bool{false, true} { // in one message, or two
						for _, size := range []int{1, 100, 1 << 20} {
							d := NewDecompressor(bits, keep)
							var err error
							if apart {
								if _, err = inflateMessage(d, append(first[:len(first):len(first)], 0), size, size); err != nil {
									t.Fatal(err)
								}
								_, err = inflateMessage(d, w.dst, size, size)
							} else {
								_, err = inflateMessage(d, append(first[:len(first):len(first)], w.dst...), size, size)
							}
							bad := dist > window || dist > before || apart && !keep
							if errors.Is(err, ErrDistance) != bad || (err != nil) != bad {
								t.Fatalf("bits %d, keep %v, %d bytes before, apart %v, %d at a time: distance %d: %v", bits, keep, before, apart, size, dist, err)
							}
						}
					}
				}
			}
		}
	}
}

// noise is n bytes in which nothing repeats for long.
func noise(n int) []byte {
	rng := rand.New(rand.NewPCG(uint64(n), 1))
	p := make([]byte, n)
	for i := range p {
		p[i] = byte(rng.Uint32())
	}
	return p
}

// Endless empty blocks: no output, but they are counted.
func TestBlocks(t *testing.T) {
	d := NewDecompressor(15, false)
	empty := bytes.Repeat(unhex("00 0000 ffff"), 1000)
	for i := range 3 {
		if n, used, err := d.Inflate(make([]byte, 10), empty); n != 0 || used != len(empty) || err != nil {
			t.Fatal(n, used, err)
		}
		if got := d.Blocks(); got != 1000*(i+1) {
			t.Fatalf("%d blocks, want %d", got, 1000*(i+1))
		}
	}
	d.Inflate(nil, []byte{0})
	if _, done, err := d.End(nil); !done || err != nil {
		t.Fatal(done, err)
	}
	if got := d.Blocks(); got != 3001 {
		t.Fatalf("%d blocks after the end, want 3001", got)
	}
	inflateMessage(d, []byte{0}, 1, 1)
	if got := d.Blocks(); got != 1 {
		t.Fatalf("%d blocks in the next message, want 1", got)
	}
}
