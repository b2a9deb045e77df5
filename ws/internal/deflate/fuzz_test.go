package deflate

import (
	"bytes"
	"compress/flate"
	"errors"
	"io"
	"math/rand/v2"
	"testing"
)

// FuzzInflate: arbitrary bytes, chunked anyhow, in any window. The oracle and
// we agree on what they are, in a window of 32 KiB compress/flate does too, in
// smaller ones the longest distance decides.
func FuzzInflate(f *testing.F) {
	for _, text := range texts() {
		for _, level := range []int{flate.HuffmanOnly, 0, 1, 9} {
			var b bytes.Buffer
			w, _ := flate.NewWriter(&b, level)
			w.Write(text[:min(len(text), 2000)])
			w.Flush()
			f.Add(bytes.TrimSuffix(b.Bytes(), tailBytes), uint64(level), uint8(level))
		}
	}
	f.Add(unhex("f2 48 05 00 00 00 ff ff ca c9 c9 07 00"), uint64(0), uint8(15))
	f.Add(unhex("31"), uint64(0), uint8(0)) // BFINAL set in the block that the tail ends
	f.Add(unhex("01 0100 feff 61 01 0100 feff 62"), uint64(0), uint8(15))
	f.Fuzz(func(t *testing.T, wire []byte, seed uint64, bits uint8) {
		if len(wire) > 4000 {
			return // a bit at a time, for as much as 1000 times the output
		}
		bits = minBits + bits%(maxBits-minBits+1)
		rng := rand.New(rand.NewPCG(seed, 0))
		d := NewDecompressor(int(bits), false)
		got, err := inflateMessage(d, wire, 1+rng.IntN(50), 1+rng.IntN(500))
		blocks := d.Blocks()
		whole, wholeErr := inflateMessage(NewDecompressor(int(bits), false), wire, 1<<20, 1<<20)
		if !bytes.Equal(got, whole) || (err == nil) != (wholeErr == nil) || err != nil && err.Error() != wholeErr.Error() && !errors.Is(err, ErrDistance) {
			t.Fatalf("chunked: %d bytes, %v; whole: %d bytes, %v", len(got), err, len(whole), wholeErr)
		}

		plain, dist, plainBlocks, plainErr := plainInflate(nil, wire)
		far := dist > 1<<bits
		if bad := plainErr != nil || far; (err != nil) != bad {
			t.Fatalf("%v; the oracle: %v, longest distance %d, window %d", err, plainErr, dist, 1<<bits)
		}
		if err == nil && (!bytes.Equal(got, plain) || blocks != plainBlocks) {
			t.Fatalf("%d bytes, %d blocks; the oracle: %d, %d", len(got), blocks, len(plain), plainBlocks)
		}

		std, stdErr := flateInflate(wire)
		switch {
		case err == nil && stdErr == nil:
			if !bytes.Equal(got, std) {
				t.Fatalf("compress/flate has other bytes")
			}
		case far && errors.Is(err, ErrDistance):
		case errors.Is(err, ErrLengths) && stdErr == nil:
			// It does not ask for a code for the end of the block, and takes
			// a lone code among the code lengths.
		case (err == nil) != (stdErr == nil):
			t.Fatalf("%v; compress/flate: %v", err, stdErr)
		}
	})
}

// flateInflate inflates a message with compress/flate, which stops after a
// block with BFINAL, and cannot say whether a stream that stops does so
// between two blocks. So it is set on again after the one; and for the other,
// is shown a last block to see if that ends the stream.
func flateInflate(message []byte) ([]byte, error) {
	if len(message) == 0 {
		return nil, nil
	}
	run := func(stream []byte) (out []byte, rest int, final bool, err error) {
		src := bytes.NewReader(stream)
		for {
			dict := out[max(0, len(out)-1<<maxBits):]
			p, err := io.ReadAll(flate.NewReaderDict(src, dict))
			out = append(out, p...)
			switch {
			case err != nil:
				return out, src.Len(), false, err
			case src.Len() == len(tail)+5 && len(stream) > len(tail)+5:
				return out, src.Len(), true, nil // the message is over
			case src.Len() == 0:
				return out, 0, false, nil
			}
		}
	}
	last := "\x01\x00\x00\xff\xff"
	out, _, final, err := run(append(append(bytes.Clone(message), tail...), last...))
	if err != nil || final {
		return out, err
	}
	without, _, _, _ := run(append(bytes.Clone(message), tail...))
	if !bytes.Equal(out, without) { // it was taken for something else
		return out, io.ErrUnexpectedEOF
	}
	return out, nil
}

// FuzzRoundTrip: any messages, in parts, through every parameter set.
func FuzzRoundTrip(f *testing.F) {
	for i, text := range texts() {
		f.Add(text[:min(len(text), 5000)], text[:min(len(text), 100)], uint64(i), uint8(i))
	}
	f.Fuzz(func(t *testing.T, a, b []byte, seed uint64, set uint8) {
		bits, keep := minBits+int(set>>1)%(maxBits-minBits+1), set&1 == 1
		rng := rand.New(rand.NewPCG(seed, 0))
		c, d := NewCompressor(bits, keep), NewDecompressor(bits, keep)
		var before []byte
		for _, text := range [][]byte{a, b, append(bytes.Clone(b), a...), nil, a} {
			var wire []byte
			rest := text
			for rng.IntN(3) == 0 {
				n := rng.IntN(len(rest) + 1)
				wire = c.AppendPart(wire, rest[:n], false)
				rest = rest[n:]
			}
			wire = c.AppendPart(wire, rest, true)
			got, err := inflateMessage(d, wire, 1+rng.IntN(1000), 1+rng.IntN(1000))
			if err != nil || !bytes.Equal(got, text) {
				t.Fatalf("%d bytes, %v; want %d", len(got), err, len(text))
			}
			std, err := io.ReadAll(flate.NewReaderDict(bytes.NewReader(append(wire, tail...)), before))
			if err != io.ErrUnexpectedEOF || !bytes.Equal(std, text) {
				t.Fatalf("compress/flate: %d bytes, %v; want %d", len(std), err, len(text))
			}
			if keep {
				before = append(before, text...)
				before = before[max(0, len(before)-1<<bits):]
			}
		}
	})
}
