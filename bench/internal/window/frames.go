//go:build linux

package window

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"io"
	"math/rand/v2"
	"strings"
)

const (
	fin     = 0x80
	rsv1    = 0x40
	textMsg = 0x1
	binMsg  = 0x2
)

// A script is what a connection sends, over and over: whole frames, made
// beforehand, no two alike.
type script struct {
	out    []byte
	begins []int // of each frame in out, and the end
	count  int   // frames before they repeat
	reply  []int // bytes of the reply to each frame; not known if compressed
}

// scriptBytes is about how much content a script has, so that it lies in no
// core's own cache.
const scriptBytes = 4 << 20

// newScript makes a script for w. Behind the last frame stand the first ones
// again, so that any InFlight frames in a row are one slice.
func newScript(w Work) *script {
	s := &script{begins: []int{0}}
	total := 0
	for _, size := range w.Sizes {
		total += size
	}
	s.count = len(w.Sizes) * min(max(scriptBytes/max(total, 1), 2), 64)
	rnd := rand.New(rand.NewPCG(1, uint64(total)))
	for i := range s.count {
		payload := content(rnd, w.Sizes[i%len(w.Sizes)], w.Text)
		first := byte(fin | binMsg)
		if w.Text {
			first = fin | textMsg
		}
		s.reply = append(s.reply, headerSize(len(payload))+len(payload))
		if w.Compressed {
			payload, first = deflated(payload), first|rsv1
		}
		var key [4]byte
		binary.LittleEndian.PutUint32(key[:], rnd.Uint32())
		s.out = appendMasked(s.out, first, key, payload)
		s.begins = append(s.begins, len(s.out))
		if w.Raw {
			s.reply[i] = s.begins[i+1] - s.begins[i]
		}
	}
	for i := range w.InFlight {
		s.out = append(s.out, s.out[s.begins[i]:s.begins[i+1]]...)
		s.begins = append(s.begins, len(s.out))
	}
	return s
}

// frames are n frames from the kth on.
func (s *script) frames(k, n int) []byte {
	k %= s.count
	return s.out[s.begins[k]:s.begins[k+n]]
}

// content is random bytes, or random words: text that compresses as text does.
func content(rnd *rand.Rand, size int, text bool) []byte {
	p := make([]byte, 0, size+16)
	if !text {
		for len(p) < size {
			p = binary.LittleEndian.AppendUint64(p, rnd.Uint64())
		}
		return p[:size]
	}
	words := []string{"naïve ", "peer ", "frame ", "größer ", "message ", "日本語 ", "window ", "socket ", "{\"id\":", "0123", "\"text\":"}
	for len(p) < size {
		if rnd.IntN(3) > 0 {
			p = append(p, words[rnd.IntN(len(words))]...)
		} else {
			p = append(p, byte('a'+rnd.IntN(26)), byte('0'+rnd.IntN(10)))
		}
	}
	return bytes.ToValidUTF8(p[:size], []byte("-"))
}

// deflated is p as a message of permessage-deflate, without the end that is left
// out (RFC 7692 §7.2.1).
func deflated(p []byte) []byte {
	var b bytes.Buffer
	z, err := flate.NewWriter(&b, flate.DefaultCompression)
	if err != nil {
		panic(err)
	}
	_, _ = z.Write(p) // into memory
	_ = z.Flush()
	return bytes.TrimSuffix(b.Bytes(), []byte{0, 0, 0xff, 0xff})
}

// inflate is the opposite.
func inflate(p []byte) ([]byte, error) {
	r := flate.NewReader(io.MultiReader(bytes.NewReader(p), strings.NewReader("\x00\x00\xff\xff\x01\x00\x00\xff\xff")))
	return io.ReadAll(r)
}

// unmasked is a client's frame as a server sends it.
func unmasked(frame []byte) []byte {
	n := headerLength(frame)
	b := append(bytes.Clone(frame[:n]), frame[n+4:]...)
	b[1] &^= 0x80
	for i := range b[n:] {
		b[n+i] ^= frame[n+i&3]
	}
	return b
}

// headerLength is the length of a frame's header without a key.
func headerLength(b []byte) int {
	switch b[1] & 0x7f {
	case 126:
		return 4
	case 127:
		return 10
	}
	return 2
}

// headerSize is that of a frame with n bytes of payload.
func headerSize(n int) int {
	switch {
	case n < 126:
		return 2
	case n < 1<<16:
		return 4
	}
	return 10
}

// appendMasked appends a client's frame (RFC 6455 §5.2).
func appendMasked(dst []byte, first byte, key [4]byte, payload []byte) []byte {
	dst = append(dst, first)
	switch n := len(payload); headerSize(n) {
	case 2:
		dst = append(dst, 0x80|byte(n))
	case 4:
		dst = binary.BigEndian.AppendUint16(append(dst, 0x80|126), uint16(n))
	default:
		dst = binary.BigEndian.AppendUint64(append(dst, 0x80|127), uint64(n))
	}
	dst = append(dst, key[:]...)
	begin := len(dst)
	dst = append(dst, payload...)
	for i := range payload {
		dst[begin+i] ^= key[i&3]
	}
	return dst
}
