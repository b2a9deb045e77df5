//go:build unix

package main

import (
	"errors"
	"net"
	"os"
	"syscall"
)

// strictly runs f with files that it makes being nobody else's.
func strictly(f func() error) error {
	defer syscall.Umask(syscall.Umask(0o177))
	return f()
}

// inheritedListener is the socket that the process was started with.
func inheritedListener(fd int, name string) (net.Listener, error) {
	syscall.CloseOnExec(fd)
	if n, err := syscall.GetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_ACCEPTCONN); err != nil {
		return nil, os.NewSyscallError("getsockopt", err)
	} else if n == 0 {
		return nil, errors.New("it does not listen")
	}
	f := os.NewFile(uintptr(fd), name)
	defer f.Close() // FileListener has a descriptor of its own
	l, err := net.FileListener(f)
	if u, ok := l.(*net.UnixListener); ok {
		u.SetUnlinkOnClose(false) // whoever made the file keeps it
	}
	return l, err
}
