//go:build unix

package plain

import (
	"syscall"
	"time"
)

// cpuTime is the processor time that this process has used.
func cpuTime() (used time.Duration, ok bool) {
	var u syscall.Rusage
	err := syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()), err == nil
}
