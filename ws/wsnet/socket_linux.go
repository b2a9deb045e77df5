//go:build linux && !386 && !s390x

package wsnet

import (
	"syscall"
	"unsafe"
)

// No call waits, whatever somebody has made of the socket: asking for its
// descriptor by File and Fd makes it one that does. So the runtime need not be
// told of a call, which it would have to be if another goroutine were to go on
// meanwhile in this one's place: that takes a tenth of a microsecond for each
// echo. A long one it is told of. The race detector is told of all: see
// socket_race_linux.go.

const shortCall = 32 << 10 // bytes

func readSocket(fd uintptr, p []byte) (int, error) {
	const flags = syscall.MSG_DONTWAIT | syscall.MSG_NOSIGNAL
	if len(p) == 0 {
		return 0, nil
	}
	var n uintptr
	var errno syscall.Errno
	if len(p) <= shortCall {
		n, _, errno = syscall.RawSyscall6(syscall.SYS_RECVFROM, fd, uintptr(unsafe.Pointer(&p[0])), uintptr(len(p)), flags, 0, 0)
	} else {
		n, _, errno = syscall.Syscall6(syscall.SYS_RECVFROM, fd, uintptr(unsafe.Pointer(&p[0])), uintptr(len(p)), flags, 0, 0)
	}
	if errno != 0 {
		return 0, errno
	}
	raceRead(p, int(n))
	return int(n), nil
}

func writeSocket(fd uintptr, p []byte) (int, error) {
	const flags = syscall.MSG_DONTWAIT | syscall.MSG_NOSIGNAL
	if len(p) == 0 {
		return 0, nil
	}
	raceWrite(p)
	var n uintptr
	var errno syscall.Errno
	if len(p) <= shortCall {
		n, _, errno = syscall.RawSyscall6(syscall.SYS_SENDTO, fd, uintptr(unsafe.Pointer(&p[0])), uintptr(len(p)), flags, 0, 0)
	} else {
		n, _, errno = syscall.Syscall6(syscall.SYS_SENDTO, fd, uintptr(unsafe.Pointer(&p[0])), uintptr(len(p)), flags, 0, 0)
	}
	if errno != 0 {
		return 0, errno
	}
	return int(n), nil
}
