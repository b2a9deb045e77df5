package deflate

import (
	"bytes"
	"compress/flate"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// inflateMessage inflates one message, given in pieces of at most in bytes,
// into room for at most out bytes at a time.
func inflateMessage(d *Decompressor, payload []byte, in, out int) ([]byte, error) {
	var got []byte
	dst := make([]byte, out)
	for len(payload) > 0 {
		src := payload[:min(in, len(payload))]
		for {
			n, used, err := d.Inflate(dst, src)
			got = append(got, dst[:n]...)
			if err != nil {
				return got, err
			}
			src, payload = src[used:], payload[used:]
			if n < len(dst) {
				if len(src) > 0 {
					return got, fmt.Errorf("room for %d, and %d bytes not consumed", len(dst)-n, len(src))
				}
				break
			}
		}
	}
	for {
		n, done, err := d.End(dst)
		got = append(got, dst[:n]...)
		if done || err != nil {
			return got, err
		}
	}
}

// unhex reads bytes; all but hex digits is for the reader.
func unhex(s string) []byte {
	b, err := hex.DecodeString(strings.NewReplacer(" ", "", "|", "").Replace(s))
	if err != nil {
		panic(err)
	}
	return b
}

// The examples of RFC 7692 §7.2.3, one message or several in one context.
func TestRFC7692Examples(t *testing.T) {
	for _, c := range []struct {
		what, wire, want string
	}{
		{"one block", "f2 48 cd c9 c9 07 00", "Hello"},
		{"shared window", "f2 48 cd c9 c9 07 00 / f2 00 11 00 00", "HelloHello"},
		{"no compression", "00 05 00 fa ff 48 65 6c 6c 6f 00", "Hello"},
		{"BFINAL", "f3 48 cd c9 c9 07 00 00", "Hello"},
		{"BFINAL, no block after it", "f3 48 cd c9 c9 07 00", "Hello"},
		{"two blocks", "f2 48 05 00 00 00 ff ff ca c9 c9 07 00", "Hello"},
		{"empty", "00", ""},
		{"empty, no bytes at all", "", ""},
		{"empty, BFINAL", "03 00", ""},
		{"empty, BFINAL, and an empty block", "03 00 00", ""},
	} {
		for _, size := range []int{1, 2, 3, 100} {
			d := NewDecompressor(15, true)
			var got []byte
			for wire := range strings.SplitSeq(c.wire, "/") {
				p, err := inflateMessage(d, unhex(wire), size, size)
				if err != nil {
					t.Errorf("%s, %d at a time: %v", c.what, size, err)
				}
				got = append(got, p...)
			}
			if string(got) != c.want {
				t.Errorf("%s, %d at a time: %q, want %q", c.what, size, got, c.want)
			}
		}
	}
}

// compress/flate's output, at every level, chunked anyhow.
func TestInflateFlate(t *testing.T) {
	for _, text := range texts() {
		for level := -2; level <= 9; level++ {
			var b bytes.Buffer
			w, _ := flate.NewWriter(&b, level)
			w.Write(text)
			w.Flush()
			for _, keep := range []bool{false, true} {
				d := NewDecompressor(15, keep)
				for range 3 {
					in, out := 1+rand.IntN(1000), 1+rand.IntN(1000)
					got, err := inflateMessage(d, bytes.TrimSuffix(b.Bytes(), tailBytes), in, out)
					if err != nil || !bytes.Equal(got, text) {
						t.Fatalf("%d bytes, level %d, %d in, %d out: %d bytes, %v", len(text), level, in, out, len(got), err)
					}
				}
			}
		}
	}
}

// texts are inputs of several sizes and kinds.
func texts() [][]byte {
	rng := rand.New(rand.NewPCG(1, 2))
	noise := make([]byte, 100_000)
	for i := range noise {
		noise[i] = byte(rng.Uint32())
	}
	var words bytes.Buffer
	for words.Len() < 300_000 {
		fmt.Fprintf(&words, "{\"id\":%d,\"name\":\"%x\",\"text\":\"%s\"}\n", rng.IntN(1000), rng.IntN(100), strings.Repeat("ab ", rng.IntN(20)))
	}
	all := [][]byte{{}, {'x'}, []byte("Hello"), bytes.Repeat([]byte{0}, 70_000), bytes.Repeat([]byte("abc"), 30_000), noise, noise[:1000], words.Bytes()}
	for _, n := range []int{2, 3, 4, 100, 255, 256, 257, 1000, 1023, 1024, 32767, 32768, 32769, 65536, 100_000} {
		all = append(all, words.Bytes()[:n])
	}
	return all
}
