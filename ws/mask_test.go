package ws_test

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"framewright/ws"
	"framewright/ws/wstest"
)

// coreMask is the definition in §5.3, byte by byte.
func coreMask(b []byte, key [4]byte, offset int) {
	for i := range b {
		b[i] ^= key[(offset+i)%4]
	}
}

// coreNoise returns n bytes that are the same in every run.
func coreNoise(n int) []byte {
	r := rand.New(rand.NewPCG(6455, 7692))
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

func TestMaskRFC(t *testing.T) {
	b := []byte("Hello")
	if next := ws.Mask(b, wstest.Key, 0); next != 1 {
		t.Errorf("the next offset is %d, want 1", next)
	}
	if want := wstest.MustHex("7f 9f 4d 51 58"); !bytes.Equal(b, want) {
		t.Errorf("got % x, want % x (§5.7)", b, want)
	}
	if ws.Mask(b, wstest.Key, 0); string(b) != "Hello" {
		t.Errorf("masked twice: %q", b)
	}
}

// All lengths up to 300 and some beyond, at every alignment in memory and every offset into
// the key; what lies beside the payload stays as it is.
func TestMaskAgainstNaive(t *testing.T) {
	noise := coreNoise(1200)
	lengths := []int{511, 512, 513, 640, 767, 768, 1000, 1024, 1031}
	for length := range 301 {
		lengths = append(lengths, length)
	}
	for _, length := range lengths {
		for align := range 8 {
			for offset := range 8 {
				got, want := bytes.Clone(noise), bytes.Clone(noise)
				next := ws.Mask(got[align:align+length], wstest.Key, offset)
				coreMask(want[align:align+length], wstest.Key, offset)
				if !bytes.Equal(got, want) {
					t.Fatalf("length %d, alignment %d, offset %d: got % x\nwant % x", length, align, offset, got, want)
				}
				if next != (offset+length)%4 {
					t.Fatalf("length %d, offset %d: the next offset is %d", length, offset, next)
				}
			}
		}
	}
}

// A payload that comes in pieces is masked as if it came whole.
func TestMaskInPieces(t *testing.T) {
	whole := coreNoise(150)
	want := bytes.Clone(whole)
	coreMask(want, wstest.Key, 0)
	for first := range len(whole) + 1 {
		for second := range len(whole) - first + 1 {
			got := bytes.Clone(whole)
			at := ws.Mask(got[:first], wstest.Key, 0)
			at = ws.Mask(got[first:first+second], wstest.Key, at)
			ws.Mask(got[first+second:], wstest.Key, at)
			if !bytes.Equal(got, want) {
				t.Fatalf("pieces of %d, %d and the rest: wrong", first, second)
			}
		}
	}
	got, at := bytes.Clone(whole), 0
	for i := range got {
		at = ws.Mask(got[i:i+1], wstest.Key, at)
	}
	if !bytes.Equal(got, want) {
		t.Error("byte by byte: wrong")
	}
}
