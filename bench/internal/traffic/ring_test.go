//go:build linux

package traffic

import (
	"bytes"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/gobwas/ws"
)

// A frame that this package makes is read by somebody else's parser.
func TestFrames(t *testing.T) {
	for _, size := range []int{0, 1, 125, 126, 1 << 10, 1<<16 - 1, 1 << 16, 1 << 20} {
		for _, masked := range []bool{false, true} {
			payload := bytes.Repeat([]byte("0123456"), size/7+1)[:size]
			var key *[4]byte
			if masked {
				key = &[4]byte{1, 0, 3, 255}
			}
			b := bytes.NewReader(appendFrame(nil, fin|binMsg, payload, key))
			h, err := ws.ReadHeader(b)
			if err != nil {
				t.Fatalf("%d bytes, masked %t: %v", size, masked, err)
			}
			got, _ := io.ReadAll(b)
			if h.Masked {
				ws.Cipher(got, h.Mask, 0)
			}
			if !h.Fin || h.OpCode != ws.OpBinary || h.Masked != masked || h.Length != int64(size) || !bytes.Equal(got, payload) {
				t.Errorf("%d bytes, masked %t: read back as %+v and %d bytes", size, masked, h, len(got))
			}
		}
	}
}

func TestFragments(t *testing.T) {
	got := appendReply(nil, []byte("abcdefg"), 3)
	want := []byte("\x02\x03abc\x00\x03def\x80\x01g")
	if !bytes.Equal(got, want) {
		t.Errorf("got % x, expected % x", got, want)
	}
}

// answer is what an echo server sends for what a client sent.
func answer(t *testing.T, sent []byte) []byte {
	t.Helper()
	var out []byte
	for r := bytes.NewReader(sent); r.Len() > 0; {
		h, err := ws.ReadHeader(r)
		if err != nil {
			t.Fatal(err)
		}
		payload := make([]byte, h.Length)
		if _, err := io.ReadFull(r, payload); err != nil {
			t.Fatal(err)
		}
		ws.Cipher(payload, h.Mask, 0)
		out = appendFrame(out, fin|binMsg, payload, nil)
	}
	return out
}

// The replies to any messages in a row are taken, however they are cut, and
// counted, also across the end of the ring.
func TestRing(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for _, w := range []Work{
		{Size: 0, InFlight: 1}, {Size: 32, InFlight: 16}, {Size: 32, InFlight: 100},
		{Size: 1 << 10, InFlight: 16}, {Size: 64 << 10, InFlight: 16},
	} {
		r := newRing(w)
		for range 3 {
			x := new(conn)
			if err := r.open(x); err != nil {
				t.Fatal(err)
			}
			for x.sent < 300 {
				n := 1 + rnd.IntN(w.InFlight)
				reply := answer(t, r.next(x, n))
				x.sent += n
				got := 0
				for len(reply) > 0 {
					cut := min(1+rnd.IntN(3*w.Size+9), len(reply))
					replies, err := r.check(x, reply[:cut])
					if err != nil {
						t.Fatalf("%+v after %d messages: %v", w, x.sent, err)
					}
					got, reply = got+replies, reply[cut:]
				}
				if got != n {
					t.Fatalf("%+v: %d replies to %d messages", w, got, n)
				}
			}
		}
	}
}

// Every byte of a reply counts, and so does its place.
func TestRingRefuses(t *testing.T) {
	r := newRing(Work{Size: 20, InFlight: 4})
	whole := answer(t, r.next(new(conn), 3))
	for i := range whole {
		bad := bytes.Clone(whole)
		bad[i] ^= 0x10
		if _, err := r.check(new(conn), bad); err == nil {
			t.Errorf("byte %d was changed, and nothing noticed it", i)
		}
	}
	var first, second conn
	_ = r.open(&first)
	_ = r.open(&second)
	if _, err := r.check(&second, answer(t, r.next(&first, 1))); err == nil {
		t.Error("the reply to one connection's message was taken on another")
	}
}

func TestChatRefuses(t *testing.T) {
	c := newChat(Work{Size: 20, Broadcast: true, InFlight: 1})
	message := func(text string) []byte {
		return appendFrame(nil, fin|textMsg, []byte(`{"type":"message","text":"`+text+`"}`), nil)
	}
	good := strings.Repeat("x", 10) + "0000000000"
	for _, test := range []struct {
		name    string
		came    []byte
		replies int
		ok      bool
	}{
		{"the message", message(good), 1, true},
		{"half of it", message(good)[:9], 0, true},
		{"behind an answer to the sender", append(appendFrame(nil, fin|textMsg, []byte(`{"type":"ack"}`), nil), message(good)...), 1, true},
		{"another message's number", message(good[:19] + "1"), 0, false},
		{"an error", appendFrame(nil, fin|textMsg, []byte(`{"type":"error"}`), nil), 0, false},
		{"a masked frame", appendFrame(nil, fin|textMsg, []byte(`{"type":"message"}`), &[4]byte{1}), 0, false},
		{"a binary message", appendFrame(nil, fin|binMsg, []byte(`{}`), nil), 0, false},
	} {
		replies, err := c.check(new(conn), test.came)
		if replies != test.replies || (err == nil) != test.ok {
			t.Errorf("%s: %d replies, %v; expected %d and success %t", test.name, replies, err, test.replies, test.ok)
		}
	}
}
