package testees

import (
	"encoding/binary"
	"io"
	"time"
)

// echo sends a message back.
func (e *endpoint) echo(message []byte) {
	time.Sleep(e.Delay)
	if e.NoEcho {
		return
	}
	if e.PingBefore {
		e.send(ping, []byte("are you there?"))
	}
	if e.PongBefore {
		e.send(pong, []byte("here I am"))
	}
	op := e.opcode
	switch {
	case e.EchoOpcode != 0:
		op = e.EchoOpcode & 15 // 16 stands for a continuation
	case e.AsBinary:
		op = binaryData
	case e.AsText:
		op = text
	}
	if e.MaxEcho > 0 && len(message) > e.MaxEcho {
		message = message[:e.MaxEcho]
	}
	if e.Shout && len(message) > 0 {
		message = append([]byte{message[0] ^ 0x20}, message[1:]...)
	}
	e.sendMessage(op, message)
	if e.TwiceEcho {
		e.sendMessage(op, message)
	}
	if e.CloseAfter {
		e.close(1000, "")
	}
}

func (e *endpoint) sendMessage(op byte, message []byte) {
	first := op | 0x80 | e.EchoRSV<<4
	if e.NoFinal {
		first &^= 0x80
	}
	if e.Pieces == 0 {
		e.sendRaw(first, message)
		return
	}
	for {
		n := min(e.Pieces, len(message))
		b := op | e.EchoRSV<<4
		if n == len(message) {
			b |= 0x80
		}
		e.sendRaw(b, message[:n])
		op, message = continuation, message[n:]
		if b&0x80 != 0 {
			return
		}
	}
}

func (e *endpoint) send(op byte, payload []byte) { e.sendRaw(op|0x80, payload) }

// sendRaw sends a frame with that first byte.
func (e *endpoint) sendRaw(first byte, payload []byte) {
	var bit byte
	masked := e.server == e.WrongMask
	if masked {
		bit = 0x80
	}
	data := first&8 == 0
	head := []byte{first}
	switch n := len(payload); {
	case n >= 1<<16 || e.EchoForm == 64 && data:
		head = binary.BigEndian.AppendUint64(append(head, bit|127), uint64(n))
	case n > 125 || e.EchoForm == 16 && data:
		head = binary.BigEndian.AppendUint16(append(head, bit|126), uint16(n))
	default:
		head = append(head, bit|byte(n))
	}
	if masked {
		key := [4]byte{0x37, 0xfa, 0x21, 0x3d}
		head = append(head, key[:]...)
		clear := payload
		payload = make([]byte, len(clear))
		for i := range clear {
			payload[i] = clear[i] ^ key[i&3]
		}
	}
	if e.ShortPayload && data && len(payload) > 0 {
		payload = payload[1:]
	}
	if e.HeadApart {
		for i := range head {
			e.write(head[i : i+1])
			time.Sleep(2 * time.Millisecond)
		}
		head = nil
	}
	e.write(append(head, payload...))
}

func (e *endpoint) write(b []byte) {
	e.conn.SetWriteDeadline(time.Now().Add(20 * time.Second))
	if _, err := e.conn.Write(b); err != nil {
		e.gone = true
	}
}

// fail does what is due about what is against the rules.
func (e *endpoint) fail(f fault) {
	switch {
	case e.FaultHang:
		e.gone = true
		e.waitClosed(6 * linger)
		return
	case e.FaultTCP:
		e.gone = true
		return
	case e.FaultReset:
		e.gone = true
		e.reset()
		return
	case e.FaultWrites:
		e.gone = true
		e.closeWrite()
		e.waitClosed(linger)
		return
	}
	if e.FaultEcho {
		e.echo(e.message)
	}
	code := int(f)
	if e.FaultCode != 0 {
		code = e.FaultCode
	}
	e.close(code, e.FaultReason)
}

// waitClosed waits until the other side has gone, and looks at nothing.
func (e *endpoint) waitClosed(most time.Duration) {
	e.conn.SetReadDeadline(time.Now().Add(most))
	io.Copy(io.Discard, e.conn)
}

func (e *endpoint) reset() {
	if c, ok := e.conn.(interface{ SetLinger(int) error }); ok {
		c.SetLinger(0)
	}
}

func (e *endpoint) closeWrite() {
	if c, ok := e.conn.(interface{ CloseWrite() error }); ok {
		c.CloseWrite()
	}
}

// close sends the first Close and waits for the end.
func (e *endpoint) close(code int, reason string) {
	if !e.closed {
		e.closed = true
		e.send(closeFrame, closeBody(code, reason))
	}
	e.end()
}

func closeBody(code int, reason string) []byte {
	if code < 0 {
		return nil
	}
	return append(binary.BigEndian.AppendUint16(nil, uint16(code)), reason...)
}

// answer answers a Close.
func (e *endpoint) answer(payload []byte) error {
	if e.NoAnswer {
		return nil
	}
	if e.DropAnswer {
		return errDone
	}
	code := -1
	if len(payload) == 1 { // only with HalfCode
		code = 1000
	}
	if len(payload) >= 2 {
		code = int(binary.BigEndian.Uint16(payload))
		if !sendable(code) && !e.AnyCode && e.AnswerCode == 0 {
			return protocolError
		}
		var check tail
		if !e.AnyReason && !(check.add(payload[2:]) && check.ended()) {
			return notText
		}
	}
	if e.AnswerCode != 0 {
		code = e.AnswerCode
	}
	time.Sleep(e.AnswerLate)
	body := closeBody(code, "")
	if e.AnswerRaw != nil {
		body = e.AnswerRaw
	}
	e.closed = true
	e.send(closeFrame, body)
	if e.BehindClose {
		e.send(text, []byte("one more thing"))
	}
	if e.PongBehind {
		e.send(pong, []byte("one more thing"))
	}
	if e.TwiceClose != 0 {
		e.send(closeFrame, closeBody(e.TwiceClose, ""))
	}
	if e.GoesOn {
		return nil
	}
	e.end()
	return nil
}

// end ends TCP, as the role has it (§7.1.1): a server at once, though not before the
// client has read what it has sent; a client when the server has.
func (e *endpoint) end() {
	e.gone = true
	switch {
	case e.ResetTCP:
		time.Sleep(5 * time.Millisecond) // the Close is to get there
		e.reset()
	case e.EndTCP && !e.server:
	case e.KeepTCP, !e.server:
		e.waitClosed(linger)
	default:
		e.closeWrite()
		if !e.HalfTCP {
			e.conn.SetReadDeadline(time.Now().Add(time.Second))
		}
		io.Copy(io.Discard, e.conn)
	}
}

func sendable(code int) bool {
	switch {
	case code >= 3000 && code <= 4999:
		return true
	case code == 1004, code == 1005, code == 1006:
		return false
	}
	return code >= 1000 && code <= 1014
}
