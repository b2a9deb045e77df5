//go:build linux

package traffic

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
)

// ChatSubprotocol is that of Framewright's chat.
const ChatSubprotocol = "chat.v1.framewright"

// chat speaks the JSON of chat/plain. All connections are one person's, so that
// nobody is told who else came. An identifier may be used once, so messages are
// made as they are sent; there is only one sender.
type chat struct {
	text []byte // of every message, but for the number at its end
	out  []byte
	json []byte
}

func newChat(w Work) *chat {
	return &chat{text: bytes.Repeat([]byte("x"), max(0, w.Size-numberWidth))}
}

// numberWidth is how many digits a message's number has in its text.
const numberWidth = 10

func (c *chat) open(x *conn) error {
	for _, say := range []string{
		`{"type":"hello","name":"Load","secret":"the same for all of them"}`,
		`{"type":"join","room":"bench"}`,
	} {
		if _, err := write(x.fd, appendFrame(nil, fin|textMsg, []byte(say), new([4]byte))); err != nil {
			return fmt.Errorf("traffic: %w", err)
		}
	}
	var came []byte
	for {
		var b [4096]byte
		n, err := read(x.fd, b[:])
		if err != nil || n == 0 {
			return fmt.Errorf("traffic: joining: %d bytes, %v, after %.100q", n, err, came)
		}
		came = append(came, b[:n]...)
		for rest := came; ; {
			payload, size, err := reply(rest)
			if err != nil {
				return err
			}
			if size == 0 {
				break
			}
			rest = rest[size:]
			if bytes.Contains(payload, []byte(`"type":"error"`)) {
				return fmt.Errorf("traffic: joining: %.200s", payload)
			}
			if bytes.Contains(payload, []byte(`"type":"joined"`)) {
				if len(rest) > 0 {
					return errors.New("traffic: the server sent more than asked for")
				}
				return nil
			}
		}
	}
}

func (c *chat) next(x *conn, n int) []byte {
	c.out = c.out[:0]
	for i := range n {
		k := x.sent + i
		c.json = fmt.Appendf(c.json[:0], `{"type":"send","room":"bench","id":"%d","text":"%s%0*d"}`, k, c.text, numberWidth, k)
		var key [4]byte
		binary.LittleEndian.PutUint32(key[:], rand.Uint32())
		c.out = appendFrame(c.out, fin|textMsg, c.json, &key)
	}
	return c.out
}

func (c *chat) check(x *conn, b []byte) (replies int, err error) {
	if len(x.frame) > 0 {
		b = append(x.frame, b...)
	}
	for {
		payload, size, err := reply(b)
		if err != nil {
			return 0, err
		}
		if size == 0 {
			x.frame = append(x.frame[:0], b...)
			return replies, nil
		}
		b = b[size:]
		if !bytes.HasPrefix(payload, []byte(`{"type":"message"`)) {
			if !bytes.HasPrefix(payload, []byte(`{"type":"ack"`)) {
				return 0, fmt.Errorf("traffic: the chat sent %.200s", payload)
			}
			continue
		}
		want := fmt.Appendf(c.json[:0], `"text":"%s%0*d"}`, c.text, numberWidth, x.arrived+replies)
		if !bytes.HasSuffix(payload, want) {
			return 0, fmt.Errorf("traffic: the chat sent %s, expected %s at the end", payload, want)
		}
		replies++
	}
}

// reply takes a whole text message in one frame off b; size is 0 if it is not
// all there yet.
func reply(b []byte) (payload []byte, size int, err error) {
	if len(b) < 2 {
		return nil, 0, nil
	}
	if b[0] != fin|textMsg {
		return nil, 0, fmt.Errorf("traffic: a frame begins with %#02x, expected a whole text message: %.60q", b[0], b)
	}
	head, n := 2, int(b[1])
	if n == 126 {
		if head = 4; len(b) < head {
			return nil, 0, nil
		}
		n = int(binary.BigEndian.Uint16(b[2:]))
	} else if n > 126 {
		return nil, 0, fmt.Errorf("traffic: a frame's length begins with %#02x: longer than expected, or masked", b[1])
	}
	if len(b) < head+n {
		return nil, 0, nil
	}
	return b[head : head+n], head + n, nil
}
