package testees

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"time"
)

// The opcodes of RFC 6455 §5.2.
const (
	continuation = 0
	text         = 1
	binaryData   = 2
	closeFrame   = 8
	ping         = 9
	pong         = 10
)

// A frame is one that has come, but for its payload.
type frame struct {
	fin, masked bool
	rsv, opcode byte
	length      uint64
	key         [4]byte
	badForm     bool
}

func (f frame) control() bool { return f.opcode >= closeFrame }

// An endpoint plays a testee on one connection.
type endpoint struct {
	Faults
	server bool
	conn   net.Conn
	r      *bufio.Reader

	inMessage bool
	opcode    byte // of the message
	message   []byte
	utf8      tail
	pongs     [][]byte // that wait
	closed    bool     // a Close was sent
	gone      bool     // there is no more to do
}

// errDone ends the loop.
var errDone = errors.New("done")

// A fault is what a rule is broken by, and the close code for it.
type fault int

func (f fault) Error() string { return "against the rules" }

const (
	protocolError fault = 1002
	notText       fault = 1007
)

// maxMessage is how many bytes of one message are kept.
const maxMessage = 20 << 20

// run echoes until the connection ends.
func (e *endpoint) run() {
	defer e.conn.Close()
	if e.EndOpen {
		return
	}
	if e.Silent {
		io.Copy(io.Discard, e.r)
		return
	}
	if e.Greet != nil {
		e.sendRaw(e.Greet[0], e.Greet[1:])
	}
	for !e.gone {
		err := e.next()
		var f fault
		switch {
		case err == nil:
		case errors.As(err, &f):
			e.fail(f)
		default:
			return
		}
	}
}

// next reads a frame and does what is due.
func (e *endpoint) next() error {
	f, err := e.head()
	if err != nil {
		return err
	}
	if err := e.judge(f); err != nil {
		if !e.FaultSkip {
			return err
		}
		_, err := io.CopyN(io.Discard, e.r, int64(min(f.length, maxMessage)))
		return err
	}
	if f.control() || f.opcode > binaryData {
		return e.other(f)
	}
	return e.data(f)
}

// head reads a frame's head.
func (e *endpoint) head() (f frame, err error) {
	var b [8]byte
	if _, err := io.ReadFull(e.r, b[:2]); err != nil {
		return f, err
	}
	f.fin, f.rsv, f.opcode = b[0]&0x80 != 0, b[0]>>4&7, b[0]&15
	f.masked, f.length = b[1]&0x80 != 0, uint64(b[1]&0x7F)
	switch f.length {
	case 126:
		if _, err := io.ReadFull(e.r, b[:2]); err != nil {
			return f, err
		}
		f.length = uint64(binary.BigEndian.Uint16(b[:]))
		f.badForm = f.length < 126
	case 127:
		if _, err := io.ReadFull(e.r, b[:8]); err != nil {
			return f, err
		}
		f.length = binary.BigEndian.Uint64(b[:])
		f.badForm = f.length < 1<<16 || f.length > 1<<62
	}
	if f.masked {
		_, err = io.ReadFull(e.r, f.key[:])
	}
	return f, err
}

// judge looks at a head.
func (e *endpoint) judge(f frame) error {
	switch {
	case f.rsv != 0 && !e.AnyRSV,
		f.masked != e.server && !e.AnyMask,
		f.badForm && !e.AnyLength,
		f.control() && (!f.fin || f.length > 125) && !e.AnyControl,
		(f.opcode > pong || f.opcode > binaryData && f.opcode < closeFrame) && !e.AnyOpcode && !e.EchoUnknown,
		f.opcode == closeFrame && f.length == 1 && !e.HalfCode,
		f.opcode == continuation && !e.inMessage && !e.AnyOrphan && !e.Lose,
		(f.opcode == text || f.opcode == binaryData) && e.inMessage && !e.AnyNew:
		return protocolError
	case f.length > maxMessage:
		return fault(1009)
	}
	return nil
}

// payload reads the rest of a frame.
func (e *endpoint) payload(f frame, part func([]byte) error) ([]byte, error) {
	all := make([]byte, 0, min(f.length, 64<<10))
	for uint64(len(all)) < f.length {
		n := int(min(f.length-uint64(len(all)), uint64(max(1, e.r.Buffered())), 64<<10))
		at := len(all)
		all = append(all, make([]byte, n)...)
		n, err := e.r.Read(all[at:])
		all = all[:at+n]
		if f.masked {
			for i := at; i < at+n; i++ {
				all[i] ^= f.key[i&3]
			}
		}
		if perr := part(all[at:]); perr != nil {
			return all, perr
		}
		if err != nil {
			return all, err
		}
	}
	return all, nil
}

// data takes a frame of a message.
func (e *endpoint) data(f frame) error {
	if f.opcode != continuation || !e.inMessage {
		e.opcode, e.message, e.utf8 = f.opcode, nil, tail{}
		if f.opcode == continuation {
			e.opcode = text
		}
	}
	lost := e.Lose && f.opcode == continuation
	e.inMessage = !f.fin
	checked := e.opcode == text && !e.NoText && !lost
	payload, err := e.payload(f, func(b []byte) error {
		if checked && !e.LateText && !e.utf8.add(b) {
			return notText
		}
		return nil
	})
	if err != nil {
		e.message = append(e.message, payload...)
		return err
	}
	if lost {
		return nil
	}
	if e.EachEcho {
		e.echo(payload)
		return nil
	}
	if len(e.message)+len(payload) > maxMessage {
		return fault(1009)
	}
	e.message = append(e.message, payload...)
	if !f.fin && !e.Lose {
		return nil
	}
	if checked && e.LateText && !e.utf8.add(e.message) || checked && !e.utf8.ended() {
		return notText
	}
	e.echo(e.message)
	for _, p := range e.pongs {
		e.send(pong, p)
	}
	e.pongs = nil
	return nil
}

// other takes a control frame, or one of a reserved opcode.
func (e *endpoint) other(f frame) error {
	payload, err := e.payload(f, func([]byte) error { return nil })
	if err != nil {
		return err
	}
	switch f.opcode {
	case closeFrame:
		return e.answer(payload)
	case ping:
		e.pong(payload)
	case pong:
	default:
		if e.EchoUnknown {
			e.send(f.opcode, payload)
		}
	}
	return nil
}

func (e *endpoint) pong(payload []byte) {
	if e.CloseOnPing && len(payload) > 0 {
		e.close(1011, "")
		return
	}
	if e.EmptyPong {
		payload = nil
	}
	switch {
	case e.NoPong, e.LastPong && e.moreComes():
	case e.PingAsText:
		e.send(text, payload)
	case e.LatePong && e.inMessage:
		e.pongs = append(e.pongs, payload)
	default:
		e.send(pong, payload)
		if e.TwicePong {
			e.send(pong, payload)
		}
	}
}

// moreComes reports whether more comes within a moment.
func (e *endpoint) moreComes() bool {
	e.conn.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
	_, err := e.r.Peek(1)
	e.conn.SetReadDeadline(time.Now().Add(time.Minute))
	return err == nil
}

// linger is how long an endpoint waits for the other side's end of TCP: longer than the
// patience of either suite, so that it is theirs to act.
const linger = 7 * time.Second
