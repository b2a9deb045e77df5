//go:build unix

package main

import (
	"math"
	"syscall"
)

// descriptors is how many files and connections the process may have open: its
// soft limit, which the Go runtime has raised to the hard one. 0: there is no
// telling.
func descriptors() int {
	var r syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &r) != nil || uint64(r.Cur) >= math.MaxInt32 {
		return 0
	}
	return int(r.Cur)
}
