//go:build !unix

package wsnet

import "syscall"

// Elsewhere a connection that waits holds its read buffer, and what was
// gathered goes out by a goroutine: see raw_unix.go.

type (
	rawReader struct{ n int }
	rawWriter struct{}
)

func (c *Conn) initRaw() {}

func rawConnOf(stream) syscall.RawConn { return nil }

func (in *incoming) readRaw() error { panic("ws: no raw sockets here") }
func (out *outgoing) writeRaw() int { panic("ws: no raw sockets here") }
