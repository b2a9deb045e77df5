//go:build !unix

package wsnet

import "syscall"

// Elsewhere a connection that waits holds its read buffer, and what was
// gathered goes out by a goroutine: see raw_unix.go.

type (
	rawReader  struct{ n int }
	rawWriter  struct{}
	rawUpgrade struct{}
)

func (c *Conn) initRaw() {}

func rawConnOf(stream) syscall.RawConn { return nil }

func (in *incoming) readRaw() error { panic("ws: no raw sockets here") }
func (out *outgoing) writeRaw() int { panic("ws: no raw sockets here") }

func (u *upgrade) readMore(p []byte) (int, error) { return u.readStream(p) }
func (u *upgrade) writeAll(p []byte) error        { return u.writeStream(p) }
