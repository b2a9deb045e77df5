package wsspec

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"time"
	"unicode/utf8"
)

// A crooked testee echoes, by the RFC but for the rules that it is told to break.
// Each case of the chapters has one that fails it: TestEveryCaseCanFail.
type crooked struct {
	quirk string // "" keeps every rule
	role  Role
	conn  net.Conn
	r     *bufio.Reader
	stop  <-chan struct{} // closed when the test ends, for those that never do

	message  []byte
	opcode   byte // of the unfinished message; 0: none
	sent     uint32
	unmasked int
}

// errDone ends a testee that has said its last.
var errDone = errors.New("done")

func (c *crooked) is(quirk string) bool { return c.quirk == quirk }

// run has the whole conversation after the handshake.
func (c *crooked) run() {
	for {
		err := c.frame()
		if err == nil {
			continue
		}
		if err != errDone && c.is("ignores-eof") {
			<-c.stop
		}
		if err != errDone && c.is("echoes-at-eof") {
			c.send(OpText, []byte("cut off"))
		}
		return
	}
}

// frame reads one frame and acts on it.
func (c *crooked) frame() error {
	if _, err := c.r.Peek(1); err != nil {
		return err
	}
	if c.is("reads-whole-frames") && !c.wholeBuffered() {
		return c.fail(1002)
	}
	var b [2]byte
	if _, err := io.ReadFull(c.r, b[:]); err != nil {
		return err
	}
	fin, rsv, op := b[0]&0x80 != 0, b[0]&0x70 != 0, b[0]&15
	n, form := uint64(b[1]&0x7f), 0
	switch n {
	case 126:
		var x [2]byte
		io.ReadFull(c.r, x[:])
		n, form = uint64(binary.BigEndian.Uint16(x[:])), 16
	case 127:
		var x [8]byte
		io.ReadFull(c.r, x[:])
		n, form = binary.BigEndian.Uint64(x[:]), 64
	}
	if err := c.head(fin, rsv, op, b[1]&0x80 != 0, n, form); err != nil {
		return err
	}
	if c.is("takes-top-bit") {
		n &^= 1 << 63
	}
	if c.is("counts-in-32-bits") {
		n &= 1<<32 - 1
	}
	if c.is("counts-in-16-bits") && n > 65536 {
		n &= 1<<16 - 1
	}
	if n > 32<<20 {
		return c.fail(1009)
	}
	var key [4]byte
	if b[1]&0x80 != 0 {
		io.ReadFull(c.r, key[:])
	}
	payload, err := c.payload(int(n), key, op)
	if err != nil {
		return err
	}
	if c.is("drops-what-is-glued") {
		c.r.Discard(c.r.Buffered())
	}
	return c.act(fin, op, payload)
}

// wholeBuffered reports whether the next frame, a short one, has been read whole.
func (c *crooked) wholeBuffered() bool {
	head, _ := c.r.Peek(min(2, c.r.Buffered()))
	if len(head) < 2 {
		return false
	}
	n := 2 + int(head[1]&0x7f)
	if head[1]&0x80 != 0 {
		n += 4
	}
	return head[1]&0x7f >= 126 || c.r.Buffered() >= n
}

// head has the rules that a frame's head can break.
func (c *crooked) head(fin, rsv bool, op byte, masked bool, n uint64, form int) error {
	control := op >= 8
	for _, rule := range []struct {
		broken bool
		quirk  string
	}{
		{rsv, "takes-rsv"},
		{op >= 3 && op <= 7 || op >= 11, "takes-opcodes"},
		{masked != (c.role == Server), "takes-any-masking"},
		{form == 16 && n < 126 || form == 64 && n < 1<<16, "takes-long-forms"},
		{n>>63 != 0, "takes-top-bit"},
		{control && !fin, "takes-control-fragments"},
		{control && n > 125, "takes-long-control"},
		{!control && op != 0 && op < 3 && c.opcode != 0, "takes-interleaved"},
		{op == 0 && c.opcode == 0, "takes-orphans"},
	} {
		if rule.broken && !c.is(rule.quirk) {
			return c.fail(1002)
		}
	}
	for _, mistake := range []struct {
		now   bool
		quirk string
	}{
		{n == 0 && !control, "refuses-empty"},
		{n > 125, "refuses-over-125"},
		{n > 65535, "refuses-over-65535"},
		{n == 1<<16-1 || n == 125 || n == 1 && op == 2, "refuses-boundaries"},
		{control && c.opcode != 0, "refuses-control-inside"},
		{op == OpPong, "refuses-pongs"},
		{op == 0, "refuses-fragments"},
		{op == 2, "refuses-binary"},
	} {
		if mistake.now && c.is(mistake.quirk) {
			return c.fail(1002)
		}
	}
	return nil
}

// payload reads and unmasks. Text is checked as it comes.
func (c *crooked) payload(n int, key [4]byte, op byte) ([]byte, error) {
	if c.is("unmasks-by-message") && op == 0 {
		key = [4]byte{key[c.unmasked&3], key[(c.unmasked+1)&3], key[(c.unmasked+2)&3], key[(c.unmasked+3)&3]}
	}
	if c.is("unmasks-words-only") {
		n4 := n &^ 3
		b := make([]byte, n)
		_, err := io.ReadFull(c.r, b)
		mask(b[:n4], key)
		return b, err
	}
	if c.is("takes-key-0-for-none") && key == [4]byte{} && c.role == Server {
		return nil, c.fail(1002)
	}
	if !c.is("late-utf8") && !c.is("takes-any-text") && (op == OpText || op == 0 && c.opcode == OpText) {
		return c.text(n, key)
	}
	b := make([]byte, n)
	_, err := io.ReadFull(c.r, b)
	mask(b, key)
	return b, err
}

// text reads a text's piece and fails at the first byte that cannot be (§8.1).
func (c *crooked) text(n int, key [4]byte) ([]byte, error) {
	old := len(c.message)
	all := append([]byte{}, c.message...)
	for i := range n {
		x, err := c.r.ReadByte()
		if err != nil {
			return nil, err
		}
		all = append(all, x^key[i&3])
		if c.quirk == "refuses-utf8" && all[len(all)-1] >= 0x80 || !begins(all[max(0, len(all)-4):], all) {
			return nil, c.fail(1007)
		}
	}
	return all[old:], nil
}

// begins reports whether all may be the beginning of UTF-8; only its end is looked at.
func begins(_, all []byte) bool {
	for i := len(all) - 1; i >= 0 && i >= len(all)-8; i-- {
		if utf8.RuneStart(all[i]) {
			return !utf8.FullRune(all[i:]) || utf8.Valid(all[i:])
		}
	}
	return len(all) == 0 // nothing but continuation bytes
}

// act does what a frame asks for.
func (c *crooked) act(fin bool, op byte, payload []byte) error {
	if c.is("takes-opcodes") && (op >= 3 && op <= 7 || op >= 11) {
		return c.send(OpBinary, payload)
	}
	switch op {
	case OpPing:
		switch c.quirk {
		case "no-pong":
			return nil
		case "empty-pong":
			payload = nil
		}
		return c.send(OpPong, payload)
	case OpPong:
		if c.is("echoes-pongs") {
			return c.send(OpText, payload)
		}
		return nil
	case OpClose:
		return c.closed(payload)
	}
	if op != 0 {
		c.opcode = op
		if c.is("takes-interleaved") {
			c.message = nil
		}
	} else if c.opcode == 0 {
		c.opcode = OpText
	}
	c.message = append(c.message, payload...)
	c.unmasked = len(c.message)
	if !fin {
		if c.is("echoes-fragments") {
			return c.send(c.opcode, payload)
		}
		return nil
	}
	message, kind := c.message, c.opcode
	c.message, c.opcode = nil, 0
	if kind == OpText && !c.is("takes-any-text") && !utf8.Valid(message) || kind == OpBinary && c.is("checks-binary") && !utf8.Valid(message) {
		return c.fail(1007)
	}
	if c.is("loses-bytes") && len(message) > 1000 {
		message = message[:len(message)-1]
	}
	if c.is("echoes-binary") {
		kind = OpBinary
	}
	if c.is("echoes-twice") {
		c.send(kind, message)
	}
	return c.send(kind, message)
}

func (c *crooked) closed(payload []byte) error {
	code := 0
	switch {
	case len(payload) == 1 && !c.is("takes-any-close"):
		return c.fail(1002)
	case len(payload) >= 2:
		code = int(binary.BigEndian.Uint16(payload))
		later := code > 1014 && code < 3000 || code >= 5000
		if (!sendable(code) || later || code == 1004) && !c.is("takes-any-close") || c.is("knows-few-codes") && code != 1000 {
			return c.fail(1002)
		}
		if !utf8.Valid(payload[2:]) && !c.is("takes-any-close") {
			return c.fail(1007)
		}
	}
	switch c.quirk {
	case "no-close":
		return errDone
	case "close-is-bad":
		return c.fail(1002)
	case "keeps-tcp":
		c.send(OpClose, payload)
		<-c.stop
		return errDone
	case "goes-on-behind-close":
		c.send(OpClose, payload)
		c.opcode = max(c.opcode, 0)
		for c.r.Buffered() > 0 && c.frame() == nil {
		}
		return c.send(OpText, []byte("still here"))
	case "close-with-1005":
		c.send(OpClose, []byte{3, 237})
		return errDone
	}
	c.send(OpClose, payload)
	c.drain()
	return errDone
}

// fail fails the connection (§7.1.7).
func (c *crooked) fail(code int) error {
	switch c.quirk {
	case "never-fails":
		<-c.stop
		return errDone
	case "fails-with-1000":
		code = 1000
	case "fails-without-close":
		return errDone
	}
	c.send(OpClose, binary.BigEndian.AppendUint16(nil, uint16(code)))
	c.drain()
	return errDone
}

// drain ends the connection without a reset that overtakes what was sent.
func (c *crooked) drain() {
	if t, ok := c.conn.(*net.TCPConn); ok {
		t.CloseWrite()
	}
	c.conn.SetReadDeadline(time.Now().Add(time.Second))
	io.Copy(io.Discard, io.LimitReader(c.conn, 64<<20))
}

func (c *crooked) send(op byte, payload []byte) error {
	f := Frame{Fin: true, Opcode: op, Payload: payload}
	c.sent++
	key := [4]byte{7, 7, 7, 7}
	switch c.quirk {
	case "same-key":
		f.Key = &key
	case "counts-keys":
		key = [4]byte{1, 2, 3, byte(c.sent)}
		f.Key = &key
	case "sends-rsv":
		f.RSV = RSV1
	case "sends-long-forms":
		f.Form = Length64
	}
	_, err := c.conn.Write(f.Append(nil, c.role == Client))
	return err
}
