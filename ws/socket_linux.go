//go:build linux && !race

package ws

import (
	"syscall"
	"unsafe"
)

// The sockets are such that no call waits. So the runtime need not be told of
// one, which it would have to be if another goroutine were to go on meanwhile in
// this one's place: that takes a tenth of a microsecond for each echo. A long
// write goes the ordinary way.

const shortCall = 32 << 10 // bytes

func readSocket(fd uintptr, p []byte) (int, error) {
	if len(p) == 0 || len(p) > shortCall {
		return syscall.Read(int(fd), p)
	}
	return call(syscall.SYS_READ, fd, p)
}

func writeSocket(fd uintptr, p []byte) (int, error) {
	if len(p) == 0 || len(p) > shortCall {
		return syscall.Write(int(fd), p)
	}
	return call(syscall.SYS_WRITE, fd, p)
}

func call(number, fd uintptr, p []byte) (int, error) {
	n, _, errno := syscall.RawSyscall(number, fd, uintptr(unsafe.Pointer(&p[0])), uintptr(len(p)))
	if errno != 0 {
		return 0, errno
	}
	return int(n), nil
}
