//go:build !unix

package wsnet

import "syscall"

// Elsewhere a connection that waits holds its read buffer, and what was
// gathered goes out by a goroutine.

func rawConnOf(stream) syscall.RawConn { return nil }

func readSocket(uintptr, []byte) (int, error)  { panic("ws: no raw sockets here") }
func writeSocket(uintptr, []byte) (int, error) { panic("ws: no raw sockets here") }
