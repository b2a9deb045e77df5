//go:build !unix

package ws

// Elsewhere a connection that waits holds its read buffer, and what is
// gathered goes out by a goroutine: see raw_unix.go.

type rawReader struct{}

func newRawReader(*incoming, stream) *rawReader { return nil }
func (*rawReader) read() (int, error)           { panic("ws: no raw sockets here") }

type rawWriter struct{}

func newRawWriter(stream) *rawWriter  { return nil }
func (*rawWriter) write(p []byte) int { panic("ws: no raw sockets here") }
