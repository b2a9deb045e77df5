package wstest

import (
	"bytes"
	"fmt"
	"strings"

	"framewright/ws"
)

// maxFrame is the longest payload in bytes that a Peer reads as one frame: a
// broken length must not have the test wait for more than could ever come.
const maxFrame = 64 << 20

// A Frame is a frame as tests compare it: without its masking, which a Peer
// checks by itself.
type Frame struct {
	Fin     bool
	RSV     uint8 // as in ws.Header: ws.RSV1 and its like
	Opcode  ws.Opcode
	Payload []byte
}

// Text returns the frame of an unfragmented text message.
func Text(s string) Frame { return Frame{Fin: true, Opcode: ws.OpText, Payload: []byte(s)} }

// Binary returns the frame of an unfragmented binary message.
func Binary(b []byte) Frame { return Frame{Fin: true, Opcode: ws.OpBinary, Payload: b} }

// Ping returns a Ping frame.
func Ping(payload string) Frame {
	return Frame{Fin: true, Opcode: ws.OpPing, Payload: []byte(payload)}
}

// Pong returns a Pong frame.
func Pong(payload string) Frame {
	return Frame{Fin: true, Opcode: ws.OpPong, Payload: []byte(payload)}
}

// Close returns a Close frame, for [Peer.SendFrame] any code and reason. With
// ws.CodeNoStatus its payload is empty.
func Close(code ws.Code, reason string) Frame {
	return Frame{Fin: true, Opcode: ws.OpClose, Payload: ws.AppendClose(nil, code, reason)}
}

// String describes f in words, with the beginning of its payload.
func (f Frame) String() string {
	s := f.Opcode.String()
	if !f.Fin {
		s += ", FIN 0"
	}
	for i, bit := range []uint8{ws.RSV1, ws.RSV2, ws.RSV3} {
		if f.RSV&bit != 0 {
			s += fmt.Sprintf(", RSV%d", i+1)
		}
	}
	if f.Opcode == ws.OpClose {
		if code, reason, err := ws.ParseClose(f.Payload); err == nil {
			return fmt.Sprintf("%s %v %q", s, code, reason)
		}
	}
	if len(f.Payload) > 40 {
		return fmt.Sprintf("%s, %d bytes %q...", s, len(f.Payload), f.Payload[:40])
	}
	return fmt.Sprintf("%s, %d bytes %q", s, len(f.Payload), f.Payload)
}

// Key is the masking key that a Peer uses: the one in RFC 6455 §5.7. A fixed
// key is for tests; it is what §5.3 forbids to clients.
var Key = [4]byte{0x37, 0xfa, 0x21, 0x3d}

// SendFrame sends a frame, masked with [Key] unless the Peer is a server: if it
// began with Serve101, or has received a masked frame. Send has full control.
func (p *Peer) SendFrame(f Frame) {
	p.t.Helper()
	h := ws.Header{Fin: f.Fin, RSV: f.RSV, Opcode: f.Opcode, Masked: p.role != server, Key: Key}
	p.send(ws.AppendFrame(nil, h, f.Payload))
}

// ReadFrame waits for the next frame and returns it unmasked. Its header must
// keep to RFC 6455 §5.2. It must be masked if the Peer is a server and not be
// masked if it is a client; which of them, Upgrade and Serve101 say, or else
// the first frame.
func (p *Peer) ReadFrame(why string) Frame {
	p.t.Helper()
	for {
		h, n, err := ws.ParseHeader(p.in)
		if err != nil {
			p.fail(why, fmt.Sprintf("want a frame, got a broken header: %v", err), "+"+dump(p.in, 0))
		}
		if n > 0 {
			p.checkMasking(why, h)
			if h.Length > maxFrame {
				p.fail(why, fmt.Sprintf("a payload of %d bytes: a Peer reads at most %d", h.Length, maxFrame), "+"+dump(p.in, 0))
			}
			if end := n + int(h.Length); len(p.in) >= end {
				payload := bytes.Clone(p.in[n:end])
				p.in = p.in[end:]
				if h.Masked {
					ws.Mask(payload, h.Key, 0)
				}
				return Frame{Fin: h.Fin, RSV: h.RSV, Opcode: h.Opcode, Payload: payload}
			}
		}
		if !p.fill() {
			p.fail(why, "want a frame; "+p.ended(), "+"+dump(p.in, 0))
		}
	}
}

func (p *Peer) checkMasking(why string, h ws.Header) {
	p.t.Helper()
	if p.role == unknown {
		p.role = client
		if h.Masked {
			p.role = server
		}
	}
	// "a client MUST mask all frames", "A server MUST NOT mask any frames" (§5.1)
	if h.Masked && p.role == client {
		p.fail(why, "a frame from a server is masked (RFC 6455 §5.1)", "+"+dump(p.in, 0))
	}
	if !h.Masked && p.role == server {
		p.fail(why, "a frame from a client is not masked (RFC 6455 §5.1)", "+"+dump(p.in, 0))
	}
}

// WantFrame waits for a frame, which must be the next, whatever its masking
// key. See ReadFrame for what it checks besides.
func (p *Peer) WantFrame(why string, want Frame) {
	p.t.Helper()
	got := p.ReadFrame(why)
	if got.Fin == want.Fin && got.RSV == want.RSV && got.Opcode == want.Opcode && bytes.Equal(got.Payload, want.Payload) {
		return
	}
	lines := []string{"-" + want.String(), "+" + got.String()}
	if !bytes.Equal(got.Payload, want.Payload) {
		at := differ(want.Payload, got.Payload)
		lines = append(lines, fmt.Sprintf("payload, from offset %d:", at), "-"+dump(want.Payload, at), "+"+dump(got.Payload, at))
	}
	p.fail(why, "wrong frame (-want +got)", lines...)
}

// WantClose waits for a Close frame, which must be the next, with this code
// and a reason that contains reason. ws.CodeNoStatus stands for an empty
// payload.
func (p *Peer) WantClose(why string, code ws.Code, reason string) {
	p.t.Helper()
	f := p.ReadFrame(why)
	want := fmt.Sprintf("-close %v, the reason with %q in it", code, reason)
	if f.Opcode != ws.OpClose || !f.Fin || f.RSV != 0 {
		p.fail(why, "want a Close frame (-want +got)", want, "+"+f.String())
	}
	gotCode, gotReason, err := ws.ParseClose(f.Payload)
	if err != nil {
		p.fail(why, fmt.Sprintf("a broken Close frame: %v", err), want, "+"+dump(f.Payload, 0))
	}
	if gotCode != code || !strings.Contains(gotReason, reason) {
		p.fail(why, "wrong Close frame (-want +got)", want, "+"+f.String())
	}
}

// differ returns the offset of the first difference.
func differ(a, b []byte) int {
	n := min(len(a), len(b))
	for i := range n {
		if a[i] != b[i] {
			return i
		}
	}
	return n
}

// describe says which frames b begins with, if it looks like frames.
func describe(b []byte) string {
	var s []string
	for len(b) > 0 && len(s) < 4 {
		h, n, err := ws.ParseHeader(b)
		if err != nil || n == 0 || h.Opcode.IsReserved() || h.Length > int64(len(b)-n) {
			break
		}
		payload := bytes.Clone(b[n : n+int(h.Length)])
		if h.Masked {
			ws.Mask(payload, h.Key, 0)
		}
		s = append(s, Frame{h.Fin, h.RSV, h.Opcode, payload}.String())
		b = b[n+int(h.Length):]
	}
	if len(s) == 0 {
		return "no whole frame"
	}
	if len(b) > 0 {
		s = append(s, "and more")
	}
	return strings.Join(s, "; ")
}
