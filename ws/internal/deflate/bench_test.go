package deflate

import (
	"bytes"
	"compress/flate"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
)

// chatJSON is n bytes of what chats send: some of it always the same, some
// words, some numbers that never repeat.
func chatJSON(rng *rand.Rand, n int) []byte {
	words := strings.Fields("the quick brown fox jumps over lazy dog hello there how are you today meeting at noon please send report deploy failed again tests green merge branch release tomorrow lunch coffee anyone seen bug fixed in staging server restart memory usage looks fine thanks great work everyone")
	var b bytes.Buffer
	b.WriteString(`{"type":"history","items":[`)
	for id := 100_000 + rng.IntN(900_000); b.Len() < n; id += 1 + rng.IntN(5) {
		var text []string
		for range 3 + rng.IntN(12) {
			text = append(text, words[rng.IntN(len(words))])
		}
		fmt.Fprintf(&b, `{"id":%d,"room":"room-%d","from":{"user":"%s","tab":"%012x"},"ts":"2026-03-%02dT%02d:%02d:%02d.%03dZ","text":"%s","likes":%d},`,
			id, rng.IntN(8), words[rng.IntN(30)], rng.Uint64()>>16, 1+rng.IntN(28), rng.IntN(24), rng.IntN(60), rng.IntN(60), rng.IntN(1000), strings.Join(text, " "), rng.IntN(40))
	}
	return b.Bytes()[:n]
}

func messages(n int) [][]byte {
	rng := rand.New(rand.NewPCG(7, uint64(n)))
	all := make([][]byte, max(8, (256<<10)/n))
	for i := range all {
		all[i] = chatJSON(rng, n)
	}
	return all
}

// BenchmarkAppend compresses; "wire" is bytes a message on average.
func BenchmarkAppend(b *testing.B) {
	for _, n := range []int{100, 1 << 10, 64 << 10} {
		all := messages(n)
		bench := func(name string, pass func(p []byte) int) {
			b.Run(fmt.Sprintf("%d/%s", n, name), func(b *testing.B) {
				b.SetBytes(int64(n))
				b.ReportAllocs()
				wire := 0
				for _, p := range all { // a window full of context first
					pass(p)
				}
				for _, p := range all {
					wire += pass(p)
				}
				for i := 0; b.Loop(); i++ {
					pass(all[i%len(all)])
				}
				b.ReportMetric(float64(wire)/float64(len(all)), "wire")
			})
		}
		ours := func(bits int, keep bool) func(p []byte) int {
			c := NewCompressor(bits, keep)
			var out []byte
			return func(p []byte) int {
				out = c.Append(out[:0], p)
				return len(out)
			}
		}
		std := func(level int, keep bool) func(p []byte) int {
			var out bytes.Buffer
			w, _ := flate.NewWriter(&out, level)
			return func(p []byte) int {
				out.Reset()
				if !keep {
					w.Reset(&out)
				}
				w.Write(p)
				w.Flush()
				return out.Len() - len(tail)
			}
		}
		bench("none", ours(15, false))
		for _, level := range []int{1, 3, 6} {
			bench(fmt.Sprintf("none/flate%d", level), std(level, false))
		}
		for _, bits := range []int{9, 10, 12, 15} {
			bench(fmt.Sprintf("context%d", bits), ours(bits, true))
		}
		for _, level := range []int{1, 3, 6} { // 15 bits, and a writer a connection
			bench(fmt.Sprintf("context15/flate%d", level), std(level, true))
		}
	}
}

func BenchmarkInflate(b *testing.B) {
	for _, n := range []int{100, 1 << 10, 64 << 10} {
		var wires [][]byte
		for _, p := range messages(n) {
			wires = append(wires, append(NewCompressor(15, false).Append(nil, p), tail...))
		}
		dst := make([]byte, n)
		for _, keep := range []bool{false, true} {
			b.Run(fmt.Sprintf("%d/keep=%v", n, keep), func(b *testing.B) {
				b.SetBytes(int64(n))
				b.ReportAllocs()
				d := NewDecompressor(15, keep)
				for i := 0; b.Loop(); i++ {
					wire := wires[i%len(wires)]
					got, _, err := d.Inflate(dst, wire[:len(wire)-len(tail)])
					if got != n || err != nil {
						b.Fatal(got, err)
					}
					if _, done, err := d.End(make([]byte, 1)); !done || err != nil {
						b.Fatal(done, err)
					}
				}
			})
		}
		b.Run(fmt.Sprintf("%d/flate", n), func(b *testing.B) {
			b.SetBytes(int64(n))
			b.ReportAllocs()
			r := flate.NewReader(nil)
			var src bytes.Reader
			for i := 0; b.Loop(); i++ {
				src.Reset(wires[i%len(wires)])
				r.(flate.Resetter).Reset(&src, nil)
				if _, err := io.ReadFull(r, dst); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkChoices is what bench/COMPRESSION.md says of each window, with
// context and without: bytes a message on average, and the time to compress
// and to inflate one, in a steady stream of messages that resemble each other.
func BenchmarkChoices(b *testing.B) {
	for _, n := range []int{200, 1 << 10, 16 << 10} {
		all := messages(n)
		for _, keep := range []bool{false, true} {
			for bits := minBits; bits <= maxBits; bits++ {
				c := NewCompressor(bits, keep)
				var wires [][]byte
				sum := 0
				for _, p := range all {
					wires = append(wires, c.Append(nil, p))
					sum += len(wires[len(wires)-1])
				}
				name := fmt.Sprintf("%d/context=%v/%d", n, keep, bits)
				b.Run(name+"/append", func(b *testing.B) {
					var out []byte
					for i := 0; b.Loop(); i++ {
						out = c.Append(out[:0], all[i%len(all)])
					}
					b.ReportMetric(float64(sum)/float64(len(all)), "wire")
				})
				b.Run(name+"/inflate", func(b *testing.B) {
					d := NewDecompressor(bits, keep)
					dst := make([]byte, n+1)
					for i := 0; b.Loop(); i++ {
						if i%len(all) == 0 {
							d.Release() // as the stream begins
						}
						got, _, err := d.Inflate(dst, wires[i%len(all)])
						if got != n || err != nil {
							b.Fatal(got, err)
						}
						if _, done, err := d.End(dst); !done || err != nil {
							b.Fatal(done, err)
						}
					}
				})
			}
		}
	}
}
