//go:build linux

package window

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"time"

	"golang.org/x/sys/unix"
)

// A conn is one connection. Its message k is frame first+k of the script, and
// was sent at begun[k % len(begun)].
type conn struct {
	fd      int
	first   int
	sent    int // messages whose sending has begun
	arrived int // whole replies so far
	got     int // bytes of the next reply, or compressed frame, that are here
	rest    []byte
	begun   []time.Time

	head header // of the compressed frame that comes next
}

const (
	key    = "dGhlIHNhbXBsZSBub25jZQ=="
	accept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
)

// open connects, upgrades and sees to it that the first reply is right to the
// last bit; of the others only the length is looked at. The socket does not
// block any more.
func (c *Client) open(nth int) (*conn, error) {
	nc, err := net.DialTimeout("tcp4", c.addr, patience)
	if err != nil {
		return nil, fmt.Errorf("window: %w", err)
	}
	defer nc.Close() // the descriptor stays, as another
	_ = nc.SetDeadline(time.Now().Add(patience))
	x := &conn{first: nth * len(c.work.Sizes) % c.script.count, begun: make([]time.Time, c.work.InFlight)}
	if !c.work.Raw {
		if err := c.upgrade(nc); err != nil {
			return nil, err
		}
	}
	if err := c.firstMessage(nc, x); err != nil {
		return nil, err
	}
	f, err := nc.(*net.TCPConn).File()
	if err != nil {
		return nil, fmt.Errorf("window: %w", err)
	}
	defer f.Close()
	x.fd, err = unix.FcntlInt(f.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if err == nil {
		err = unix.SetNonblock(x.fd, true)
	}
	if err == nil {
		err = unix.EpollCtl(c.epoll, unix.EPOLL_CTL_ADD, x.fd, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(x.fd)})
	}
	if err != nil {
		return nil, fmt.Errorf("window: connection %d: %w", nth, err)
	}
	return x, nil
}

func (c *Client) upgrade(nc net.Conn) error {
	more := ""
	if c.work.Compressed {
		more = "Sec-WebSocket-Extensions: permessage-deflate; client_no_context_takeover; server_no_context_takeover\r\n"
	}
	if _, err := fmt.Fprintf(nc, "GET / HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: %s\r\n%s\r\n", c.addr, key, more); err != nil {
		return fmt.Errorf("window: handshake: %w", err)
	}
	var answer []byte
	for b := [1]byte{}; !bytes.HasSuffix(answer, []byte("\r\n\r\n")); answer = append(answer, b[0]) {
		if _, err := nc.Read(b[:]); err != nil {
			return fmt.Errorf("window: handshake: %w after %.60q", err, answer)
		}
	}
	compresses := bytes.Contains(answer, []byte("permessage-deflate"))
	if !bytes.HasPrefix(answer, []byte("HTTP/1.1 101 ")) || !bytes.Contains(answer, []byte(accept)) || compresses != c.work.Compressed {
		return fmt.Errorf("window: the server answered %.300q", answer)
	}
	return nil
}

// firstMessage sends a message and looks at all of its reply.
func (c *Client) firstMessage(nc net.Conn, x *conn) error {
	x.sent, x.arrived = 1, 1
	frame := c.script.frames(x.first, 1)
	if _, err := nc.Write(frame); err != nil {
		return fmt.Errorf("window: %w", err)
	}
	want := frame
	if !c.work.Raw {
		want = unmasked(frame)
	}
	if !c.work.Compressed {
		got := make([]byte, len(want))
		if _, err := io.ReadFull(nc, got); err != nil {
			return fmt.Errorf("window: the first reply: %w", err)
		}
		if !bytes.Equal(got, want) {
			return fmt.Errorf("window: a reply is not what was sent: got %.32x, expected %.32x", got, want)
		}
		return nil
	}
	content, err := inflated(nc)
	if err != nil {
		return fmt.Errorf("window: the first reply: %w", err)
	}
	if sent, err := inflate(want[headerLength(want):]); err != nil || !bytes.Equal(content, sent) {
		return fmt.Errorf("window: a reply does not inflate to what was sent: got %.32x, expected %.32x", content, sent)
	}
	return nil
}

// inflated reads one compressed message, in frames.
func inflated(r io.Reader) ([]byte, error) {
	var h header
	var all []byte
	for {
		for !h.whole() {
			b := h.room()
			n, err := r.Read(b)
			if err != nil {
				return nil, err
			}
			h.n += n
		}
		if len(all) == 0 && h.b[0]&rsv1 == 0 {
			return nil, fmt.Errorf("it begins %x: expected it to be compressed", h.b[:h.n])
		}
		part := make([]byte, h.payload())
		if _, err := io.ReadFull(r, part); err != nil {
			return nil, err
		}
		all = append(all, part...)
		if h.b[0]&fin != 0 {
			return inflate(all)
		}
		h.n = 0
	}
}

// A header is a reply's, of which n bytes are here.
type header struct {
	b [10]byte
	n int
}

// size is how many bytes it has, as far as that can be told.
func (h *header) size() int {
	if h.n < 2 {
		return 2
	}
	return headerLength(h.b[:])
}

func (h *header) whole() bool  { return h.n == h.size() }
func (h *header) room() []byte { return h.b[h.n:h.size()] }

func (h *header) payload() int {
	switch h.size() {
	case 4:
		return int(binary.BigEndian.Uint16(h.b[2:]))
	case 10:
		return int(binary.BigEndian.Uint64(h.b[2:]))
	}
	return int(h.b[1])
}
