//go:build unix

package ws

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
	in   *incoming
	conn syscall.RawConn
	try  func(fd uintptr) bool // method value, made once
	n    int
	err  error
}

func newRawReader(in *incoming, s stream) *rawReader {
	conn := rawConnOf(s)
	if conn == nil {
		return nil
	}
	r := &rawReader{in: in, conn: conn}
	r.try = r.once
	return r
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

// read appends to in.buf what the socket has, waiting until it has something.
func (r *rawReader) read() (int, error) {
	r.n, r.err = 0, nil
	if err := r.conn.Read(r.try); err != nil {
		return 0, err
	}
	if r.err != nil {
		return 0, &net.OpError{Op: "read", Net: "tcp", Err: os.NewSyscallError("read", r.err)}
	}
	if r.n == 0 {
		return 0, io.EOF
	}
	return r.n, nil
}

// once is what RawConn calls when the socket may have something: it returns
// false to wait for more.
func (r *rawReader) once(fd uintptr) bool {
	in := r.in
	in.hold()
	for {
		n, err := syscall.Read(int(fd), in.buf[in.w:])
		switch err {
		case nil:
			r.n = n
			return true
		case syscall.EINTR:
		case syscall.EAGAIN:
			in.let()
			return false
		default:
			r.err = err
			return true
		}
	}
}

// A rawWriter writes to a socket what it takes without waiting. It belongs to
// whoever has out.frames.
type rawWriter struct {
	conn syscall.RawConn
	try  func(fd uintptr) bool
	p    []byte
	n    int
}

func newRawWriter(s stream) *rawWriter {
	conn := rawConnOf(s)
	if conn == nil {
		return nil
	}
	w := &rawWriter{conn: conn}
	w.try = w.once
	return w
}

// write returns how much of p the socket took. An error is left for the next
// ordinary write to find.
func (w *rawWriter) write(p []byte) int {
	w.p, w.n = p, 0
	w.conn.Write(w.try)
	w.p = nil
	return w.n
}

func (w *rawWriter) once(fd uintptr) bool {
	for {
		n, err := syscall.Write(int(fd), w.p)
		if err == syscall.EINTR {
			continue
		}
		w.n = max(0, n)
		return true
	}
}
