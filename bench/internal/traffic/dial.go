//go:build linux

package traffic

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"golang.org/x/sys/unix"
)

// patience is how long a server may take for anything.
const patience = 20 * time.Second

// portsPerSource is how many connections one source address gets: fewer than
// the ports that Linux hands out by itself. The next ones come from 127.0.0.2,
// 127.0.0.3 and so on.
const portsPerSource = 20_000

// The key of RFC 6455 §1.3 and its answer.
const (
	key    = "dGhlIHNhbXBsZSBub25jZQ=="
	accept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
)

func request(addr string, more string) []byte {
	return fmt.Appendf(nil, "GET / HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: %s\r\n%s\r\n", addr, key, more)
}

func (c *Client) request() []byte {
	if c.work.Chat {
		return request(c.addr, "Sec-WebSocket-Protocol: "+ChatSubprotocol+"\r\n")
	}
	return request(c.addr, "")
}

// connect opens the nth connection to addr, which is on IPv4. Reads and writes
// block, for patience at most.
func connect(addr string, nth int) (fd int, err error) {
	to, err := netip.ParseAddrPort(addr)
	if err != nil || !to.Addr().Is4() {
		return 0, fmt.Errorf("traffic: %q: expected an IPv4 address and a port", addr)
	}
	fd, err = unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return 0, fmt.Errorf("traffic: socket %d: %w", nth, err)
	}
	defer func() {
		if err != nil {
			unix.Close(fd)
		}
	}()
	if source := nth / portsPerSource; source > 0 {
		// The port is chosen at connect, when the other end is known.
		_ = unix.SetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_BIND_ADDRESS_NO_PORT, 1)
		if err := unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, byte(1 + source)}}); err != nil {
			return 0, fmt.Errorf("traffic: bind: %w", err)
		}
	}
	t := unix.NsecToTimeval(int64(patience))
	err = errors.Join(
		unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &t),
		unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_SNDTIMEO, &t),
		unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1),
		finish(fd, unix.Connect(fd, &unix.SockaddrInet4{Addr: to.Addr().As4(), Port: int(to.Port())})))
	if err != nil {
		return 0, fmt.Errorf("traffic: connection %d to %s: %w", nth, addr, err)
	}
	return fd, nil
}

// finish waits for a connection that a signal has left under way.
func finish(fd int, err error) error {
	if err != unix.EINTR {
		return err
	}
	for err == unix.EINTR {
		_, err = unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLOUT}}, int(patience/time.Millisecond))
	}
	if err != nil {
		return err
	}
	code, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ERROR)
	if err == nil && code != 0 {
		err = unix.Errno(code)
	}
	return err
}

// read and write are the calls on a socket that blocks, in spite of signals: Go
// sends some to its own threads.
func read(fd int, b []byte) (n int, err error) {
	for n, err = unix.Read(fd, b); err == unix.EINTR; n, err = unix.Read(fd, b) {
	}
	return max(n, 0), err
}

func write(fd int, b []byte) (n int, err error) {
	for n, err = unix.Write(fd, b); err == unix.EINTR; n, err = unix.Write(fd, b) {
	}
	return max(n, 0), err
}

// handshake sends a request and reads the answer, and returns what came behind
// it.
func handshake(fd int, request []byte) (rest []byte, err error) {
	if _, err := write(fd, request); err != nil {
		return nil, fmt.Errorf("traffic: handshake: %w", err)
	}
	return readAnswer(fd)
}

func readAnswer(fd int) (rest []byte, err error) {
	var answer []byte
	for {
		var b [1024]byte
		n, err := read(fd, b[:])
		if err != nil || n == 0 {
			return nil, fmt.Errorf("traffic: handshake: %d bytes, %v, after %.60q", n, err, answer)
		}
		answer = append(answer, b[:n]...)
		head, rest, whole := bytes.Cut(answer, []byte("\r\n\r\n"))
		if whole {
			return rest, checkAnswer(head)
		}
	}
}

func checkAnswer(head []byte) error {
	if !bytes.HasPrefix(head, []byte("HTTP/1.1 101 ")) || !bytes.Contains(head, []byte(accept)) {
		return fmt.Errorf("traffic: the server answered %.200q", head)
	}
	if bytes.Contains(bytes.ToLower(head), []byte("sec-websocket-extensions")) {
		return fmt.Errorf("traffic: the server chose an extension that was not offered: %.200q", head)
	}
	return nil
}
