//go:build unix && (!linux || 386 || s390x)

package wsnet

import "syscall"

func readSocket(fd uintptr, p []byte) (int, error)  { return syscall.Read(int(fd), p) }
func writeSocket(fd uintptr, p []byte) (int, error) { return syscall.Write(int(fd), p) }
