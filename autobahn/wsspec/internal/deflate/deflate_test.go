package deflate

import (
	"bytes"
	"compress/flate"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"framewright/autobahn/wsspec/internal/inflate"
)

var tail = []byte{0, 0, 0xff, 0xff}

// contents are of several kinds, always the same.
func contents() map[string][]byte {
	r := rand.New(rand.NewPCG(3, 4))
	var text strings.Builder
	for text.Len() < 200<<10 {
		fmt.Fprintf(&text, `{"id": %d, "word": "%s"}, `, r.IntN(1000), strings.Repeat(string(rune('a'+r.IntN(20))), r.IntN(12)))
	}
	noise := make([]byte, 200<<10)
	skewed := make([]byte, 200<<10) // codes as long as they can get
	for i := range noise {
		noise[i] = byte(r.Uint32())
		skewed[i] = byte(r.ExpFloat64() * 2)
	}
	return map[string][]byte{
		"empty":  nil,
		"byte":   []byte("x"),
		"text":   []byte(text.String()),
		"noise":  noise,
		"skewed": skewed,
		"zeros":  make([]byte, 200<<10),
	}
}

// Two readers, ours and compress/flate, find in a message what went in; the longest
// distance keeps to the window and uses it.
func TestAppend(t *testing.T) {
	for name, content := range contents() {
		for window := 8; window <= 15; window++ {
			for _, size := range []int{0, 1, 10, 1000, 70000, len(content)} {
				content := content[:min(size, len(content))]
				packed := Append(nil, nil, content, window)
				got, stats, err := inflate.New(inflate.Options{Window: window, NoContext: true}).Message(nil, packed)
				if err != nil || !bytes.Equal(got, content) {
					t.Fatalf("%s/%d, %d bits: %v, %d bytes came out", name, size, window, err, len(got))
				}
				whole := append(append(bytes.Clone(packed), tail...), 1, 0, 0, 0xff, 0xff)
				if got, err := io.ReadAll(flate.NewReader(bytes.NewReader(whole))); err != nil || !bytes.Equal(got, content) {
					t.Fatalf("%s/%d, %d bits, compress/flate: %v, %d bytes came out", name, size, window, err, len(got))
				}
				if name == "text" && size >= 70000 && stats.Distance < 1<<window*9/10 {
					t.Errorf("%s/%d, %d bits: the longest distance is %d, which does not use the window", name, size, window, stats.Distance)
				}
			}
		}
	}
}

// A message refers to the one before, and cannot be read without it.
func TestAppendHistory(t *testing.T) {
	content := contents()["text"]
	for window := 8; window <= 15; window++ {
		d := inflate.New(inflate.Options{Window: window})
		for at := 0; at < 100000; at += 1000 {
			packed := Append(nil, content[:at], content[at:at+1000], window)
			got, stats, err := d.Message(nil, packed)
			if err != nil || !bytes.Equal(got, content[at:at+1000]) {
				t.Fatalf("%d bits, at %d: %v, %d bytes came out", window, at, err, len(got))
			}
			if at > 0 && stats.Before == 0 {
				t.Errorf("%d bits, at %d: the message needs none before it", window, at)
			}
		}
	}
}

// Dense as compress/flate is: within a tenth, or a few bytes.
func TestDensity(t *testing.T) {
	for name, content := range contents() {
		var b bytes.Buffer
		w, _ := flate.NewWriter(&b, 6)
		w.Write(content)
		w.Flush()
		if got := len(Append(nil, nil, content, 15)); got > b.Len()*11/10+20 {
			t.Errorf("%s: %d bytes, and %d by compress/flate", name, got, b.Len())
		}
	}
}

func TestWriter(t *testing.T) {
	var w Writer
	w.Stored(false, []byte("ab"))
	w.Fixed(false)
	w.Literals("cd")
	w.Match(258, 4)
	w.Match(3, 1)
	w.EndBlock()
	w.Stored(true, bytes.Repeat([]byte("x"), 70000))
	w.Stored(false, nil)
	got, stats, err := inflate.New(inflate.Options{}).Message(nil, w.Message())
	want := strings.Repeat("abcd", 65) + "abbbb" + strings.Repeat("x", 70000)
	if err != nil || string(got) != want {
		t.Errorf("%v, got %d bytes %.300q, want %.300q", err, len(got), got, want)
	}
	if stats.Final != 1 || stats.Stored != 5 || stats.Fixed != 1 || stats.Distance != 4 {
		t.Errorf("stats %+v", stats)
	}
}

// RFC 7692 §7.2.3 has these.
func TestWriterRFC(t *testing.T) {
	var w Writer
	w.Fixed(false)
	w.Literals("Hello")
	w.EndBlock()
	if got, want := w.Message(), []byte{0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00}; !bytes.Equal(got, want) {
		t.Errorf("got %x, want %x", got, want)
	}
	w.Fixed(false)
	w.Literals("H")
	w.Match(4, 5)
	w.EndBlock()
	if got, want := w.Message(), []byte{0xf2, 0x00, 0x11, 0x00, 0x00}; !bytes.Equal(got, want) {
		t.Errorf("got %x, want %x", got, want)
	}
	if got := w.Message(); !bytes.Equal(got, []byte{0}) {
		t.Errorf("an empty message is %x", got)
	}
}

func FuzzAppend(f *testing.F) {
	f.Add([]byte("hello hello"), []byte("hello, hello"), uint8(0))
	f.Fuzz(func(t *testing.T, history, content []byte, bits uint8) {
		window := 8 + int(bits%8)
		d := inflate.New(inflate.Options{Window: window})
		d.SetHistory(history)
		got, _, err := d.Message(nil, Append(nil, history, content, window))
		if err != nil || !bytes.Equal(got, content) {
			t.Fatalf("%d bits: %v, got %x", window, err, got)
		}
	})
}

func BenchmarkAppend(b *testing.B) {
	for name, content := range contents() {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(content)))
			for b.Loop() {
				Append(nil, nil, content, 15)
			}
		})
	}
}
