//go:build unix

package wsnet

import (
	"net"
	"syscall"
)

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
