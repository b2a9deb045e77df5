//go:build race && !386 && !s390x

package wsnet

import (
	"runtime"
	"syscall"
	"unsafe"
)

// The race detector takes what is written to any descriptor as coming before what
// is read from any: syscall.Write and syscall.Read tell it so, by a variable of
// theirs. A call that goes around them has to say the same, or it would see races
// between two ends of a connection where there are none. Write and Read say it
// also when there is nothing to write and to read.

// raceRead tells of n bytes that were read into p.
func raceRead(p []byte, n int) {
	if n > 0 {
		runtime.RaceWriteRange(unsafe.Pointer(&p[0]), n)
	}
	syscall.Read(nowhere, nil)
}

// raceWrite tells that p is about to be written.
func raceWrite(p []byte) {
	syscall.Write(nowhere, nil)
	if len(p) > 0 {
		runtime.RaceReadRange(unsafe.Pointer(&p[0]), len(p))
	}
}

// nowhere is a descriptor of which nothing can be read. It is kept open.
var nowhere = func() int {
	fd, err := syscall.Open("/dev/null", syscall.O_RDWR|syscall.O_CLOEXEC, 0)
	if err != nil {
		panic("ws: the race detector needs /dev/null: " + err.Error())
	}
	return fd
}()
