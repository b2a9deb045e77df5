package inflate

import (
	"bytes"
	"compress/flate"
	"fmt"
	"io"
	"math/rand/v2"
	"testing"
)

// texts are contents of several kinds, always the same.
func texts(size int) map[string][]byte {
	r := rand.New(rand.NewPCG(1, 2))
	words := make([]string, 3000)
	for i := range words {
		b := make([]byte, 2+r.IntN(9))
		for j := range b {
			b[j] = "etaoinshrdlucmfwypvbgkjqxz"[min(r.IntN(26), r.IntN(26))]
		}
		words[i] = string(b)
	}
	word := func() string { return words[min(r.IntN(len(words)), r.IntN(len(words)), r.IntN(len(words)))] }
	var prose, json bytes.Buffer
	for prose.Len() < size {
		prose.WriteString(word() + " ")
	}
	for i := 0; json.Len() < size; i++ {
		fmt.Fprintf(&json, `{"id":%d,"name":"%s %s","active":%t,"balance":%d.%02d,"tags":["%s","%s"]},`+"\n", i, word(), word(), i%3 == 0, r.IntN(5000), r.IntN(100), word(), word())
	}
	noise := make([]byte, size)
	for i := range noise {
		noise[i] = byte(100 + r.IntN(30) + r.IntN(30))
	}
	return map[string][]byte{
		"prose":  prose.Bytes()[:size],
		"json":   json.Bytes()[:size],
		"noise":  noise,
		"repeat": bytes.Repeat([]byte("abcdefgh ijklmnop. "), size/19+1)[:size],
	}
}

// squeeze is a whole message by compress/flate, without its last four bytes.
func squeeze(tb testing.TB, level int, history, content []byte) []byte {
	tb.Helper()
	var b bytes.Buffer
	w, err := flate.NewWriterDict(&b, level, history)
	if err != nil {
		tb.Fatal(err)
	}
	w.Write(content)
	w.Flush()
	return bytes.TrimSuffix(b.Bytes(), tail)
}

// BenchmarkInflate has compress/flate beside it, in the same run.
func BenchmarkInflate(b *testing.B) {
	const size = 128 << 10
	for name, content := range texts(size) {
		for _, length := range []int{64, 1 << 10, 16 << 10, size} {
			packed := squeeze(b, 6, nil, content[:length])
			name := fmt.Sprintf("%s/%d", name, length)
			b.Run("ours/"+name, func(b *testing.B) {
				d := New(Options{})
				n := 0
				out := func(p []byte) error { n += len(p); return nil }
				b.SetBytes(int64(length))
				for b.Loop() {
					if err := d.Write(packed, out); err != nil {
						b.Fatal(err)
					}
					if _, err := d.End(out); err != nil {
						b.Fatal(err)
					}
				}
				if n != b.N*length {
					b.Fatal(n, b.N*length)
				}
			})
			b.Run("flate/"+name, func(b *testing.B) {
				whole := append(bytes.Clone(packed), "\x00\x00\xff\xff\x01\x00\x00\xff\xff"...)
				src := bytes.NewReader(nil)
				f := flate.NewReader(src)
				buf := make([]byte, 32<<10)
				b.SetBytes(int64(length))
				for b.Loop() {
					src.Reset(whole)
					f.(flate.Resetter).Reset(src, nil)
					n := 0
					for {
						k, err := f.Read(buf)
						n += k
						if err == io.EOF {
							break
						}
						if err != nil {
							b.Fatal(err)
						}
					}
					if n != length {
						b.Fatal(n)
					}
				}
			})
		}
	}
}
