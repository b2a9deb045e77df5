package main

import (
	"bufio"
	"crypto/sha1"
	"encoding/base64"
	"encoding/binary"
	"io"
	"net"
	"net/http"
	"time"
	"unicode/utf8"
)

// A learner is a server as one writes it along the track, at the level of one of its
// steps: what a later step asks for is not there yet. It is plain, as a first server is,
// and not made to be built upon.
type learner struct {
	net.Conn
	level int

	r       *bufio.Reader
	message []byte
	opcode  byte // of the message that has begun; 0: none
}

// The steps of the track.
const (
	acceptKey = iota + 1
	oneText
	lengths
	masks
	fragments
	control
	closing
	unicode
)

func (l *learner) serve() {
	l.r = bufio.NewReader(l)
	if l.level < acceptKey || !l.handshake() {
		return
	}
	for l.level >= oneText && l.frame() {
	}
}

func (l *learner) handshake() bool {
	req, err := http.ReadRequest(l.r)
	if err != nil {
		return false
	}
	sum := sha1.Sum([]byte(req.Header.Get("Sec-WebSocket-Key") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	io.WriteString(l, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "+base64.StdEncoding.EncodeToString(sum[:])+"\r\n\r\n")
	return true
}

// frame reads one and does what it asks for; false ends the connection.
func (l *learner) frame() bool {
	var head [2]byte
	if _, err := io.ReadFull(l.r, head[:]); err != nil {
		return false
	}
	fin, opcode := head[0]&0x80 != 0, head[0]&0x0f
	n := uint64(head[1] & 0x7f)
	if l.level >= control && opcode >= 8 && (!fin || n > 125) {
		return l.fail(1002)
	}
	var ok bool
	if n, ok = l.length(n); !ok {
		return false
	}
	payload, ok := l.payload(n, head[1]&0x80 != 0)
	if !ok {
		return false
	}
	switch {
	case opcode == 8:
		return l.closed(payload)
	case opcode >= 8:
		if opcode == 9 && l.level >= control {
			l.send(10, payload)
		}
		return true
	case l.level < fragments:
		l.send(opcode, payload)
		return true
	}
	return l.data(fin, opcode, payload)
}

func (l *learner) length(n uint64) (uint64, bool) {
	if n < 126 {
		return n, true
	}
	if l.level < lengths {
		return 0, false
	}
	b := make([]byte, 8)
	size := map[uint64]int{126: 2, 127: 8}[n]
	_, err := io.ReadFull(l.r, b[8-size:])
	n = binary.BigEndian.Uint64(b)
	return n, err == nil && n < 1<<24
}

func (l *learner) payload(n uint64, masked bool) ([]byte, bool) {
	if !masked && l.level >= masks {
		return nil, l.fail(1002)
	}
	var key [4]byte
	if masked {
		if _, err := io.ReadFull(l.r, key[:]); err != nil {
			return nil, false
		}
	}
	p := make([]byte, n)
	if _, err := io.ReadFull(l.r, p); err != nil {
		return nil, false
	}
	for i := range p {
		p[i] ^= key[i%4]
	}
	return p, true
}

func (l *learner) data(fin bool, opcode byte, payload []byte) bool {
	if (opcode == 0) != (l.opcode != 0) {
		return l.fail(1002)
	}
	if opcode != 0 {
		l.opcode, l.message = opcode, nil
	}
	l.message = append(l.message, payload...)
	if !l.isText(l.message, fin) {
		return l.fail(1007)
	}
	if fin {
		l.send(l.opcode, l.message)
		l.opcode = 0
	}
	return true
}

// isText says whether what there is of a message may be text; its end may be cut.
func (l *learner) isText(p []byte, whole bool) bool {
	if l.level < unicode || l.opcode != 1 {
		return true
	}
	for len(p) > 0 {
		r, n := utf8.DecodeRune(p)
		if r == utf8.RuneError && n == 1 {
			return !whole && !utf8.FullRune(p)
		}
		p = p[n:]
	}
	return true
}

// closed answers a Close.
func (l *learner) closed(payload []byte) bool {
	if l.level >= closing && len(payload) > 0 {
		if len(payload) == 1 {
			return l.fail(1002)
		}
		switch code := binary.BigEndian.Uint16(payload); {
		case code < 1000, code >= 1004 && code <= 1006, code >= 1015 && code < 3000, code >= 5000:
			return l.fail(1002)
		}
	}
	if l.level >= unicode && len(payload) > 2 && !utf8.Valid(payload[2:]) {
		return l.fail(1007)
	}
	l.send(8, payload)
	return l.leave()
}

// fail sends a Close with a code, and ends.
func (l *learner) fail(code uint16) bool {
	l.send(8, binary.BigEndian.AppendUint16(nil, code))
	return l.leave()
}

// leave ends so that what was sent comes: unread bytes would have TCP throw it away.
func (l *learner) leave() bool {
	l.Conn.(*net.TCPConn).CloseWrite()
	l.SetReadDeadline(time.Now().Add(10 * time.Second))
	io.Copy(io.Discard, l.r)
	return false
}

func (l *learner) send(opcode byte, payload []byte) {
	head := []byte{0x80 | opcode, byte(len(payload))}
	switch n := len(payload); {
	case n > 0xffff:
		head = binary.BigEndian.AppendUint64([]byte{head[0], 127}, uint64(n))
	case n > 125:
		head = binary.BigEndian.AppendUint16([]byte{head[0], 126}, uint16(n))
	}
	l.Write(append(head, payload...))
}
