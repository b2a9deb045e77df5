//go:build unix

package wsnet

import (
	"io"
	"net"
	"os"
	"syscall"
)

// A rawReader reads a socket in such a way that no buffer is held while the
// socket has nothing: ten thousand connections that wait need no ten thousand
// buffers. It belongs to whoever has in.lock.
type rawReader struct {
	try func(fd uintptr) bool // in.readOnce, as a value that is made once
	n   int
	err error
}

// A rawWriter writes to a socket what it takes without waiting. It belongs to
// whoever has out.frames.
type rawWriter struct {
	try func(fd uintptr) bool // out.writeOnce
	n   int
}

// initRaw finds out whether the stream is a socket.
func (c *Conn) initRaw() {
	if c.socket == nil { // else the handshake has found out
		c.socket = rawConnOf(c.stream)
	}
	if c.socket != nil {
		c.in.raw.try = c.in.readOnce
	}
}

// rawConnOf returns the socket of a stream that is nothing but one, or nil.
func rawConnOf(s stream) syscall.RawConn {
	var conn syscall.RawConn
	var err error
	switch s := s.(type) {
	case *net.TCPConn:
		conn, err = s.SyscallConn()
	case *net.UnixConn:
		conn, err = s.SyscallConn()
	}
	if err != nil {
		return nil
	}
	return conn
}

// readRaw appends the raw.n bytes to buf that the socket has, waiting until it
// has some.
func (in *incoming) readRaw() error {
	r := &in.raw
	r.n, r.err = 0, nil
	in.waiting.Add(1)
	err := in.c.socket.Read(r.try)
	in.received(r.n)
	if err == nil && r.n == 0 {
		return r.failure()
	}
	return err
}

//go:noinline
func (r *rawReader) failure() error {
	if r.err == nil {
		return io.EOF
	}
	return &net.OpError{Op: "read", Net: "tcp", Err: os.NewSyscallError("read", r.err)}
}

// readOnce is what RawConn calls when the socket may have something: it
// returns false to wait for more.
func (in *incoming) readOnce(fd uintptr) bool {
	in.hold()
	for {
		n, err := readSocket(fd, in.buf[in.w:])
		switch err {
		case nil:
			in.raw.n = n
			return true
		case syscall.EINTR:
		case syscall.EAGAIN:
			in.let()
			return false
		default:
			in.raw.err = err
			return true
		}
	}
}

// writeRaw returns how much of pending the socket took. An error is left for
// the next ordinary write to find.
func (out *outgoing) writeRaw() int {
	w := &out.raw
	if w.try == nil {
		w.try = out.writeOnce
	}
	w.n = 0
	out.c.socket.Write(w.try)
	return w.n
}

func (out *outgoing) writeOnce(fd uintptr) bool {
	for {
		n, err := writeSocket(fd, out.pending)
		if err == syscall.EINTR {
			continue
		}
		out.raw.n = max(0, n)
		return true
	}
}
