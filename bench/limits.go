//go:build linux

package main

import (
	"fmt"
	"os"
	"runtime"
	"slices"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"

	"framewright/bench/internal/machine"
)

// fileReserve is how many descriptors a process has besides connections.
const fileReserve = 100

// raiseFiles sees to it that this process and the servers, which inherit the
// limit, may have n connections.
func raiseFiles(n int) error {
	var l unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &l); err != nil {
		return err
	}
	need := uint64(n + fileReserve)
	if l.Cur >= need {
		return syscall.Setrlimit(syscall.RLIMIT_NOFILE, &syscall.Rlimit{Cur: l.Cur, Max: l.Max}) // or Go would lower it in children
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &syscall.Rlimit{Cur: need, Max: max(l.Max, need)}); err != nil {
		return fmt.Errorf("%d connections need %d open files, and the limit is %d (ulimit -Hn): %w", n, need, l.Max, err)
	}
	return nil
}

// cores are those that this program may use, the server's first and the load's
// last. They come by way of the environment once the program is pinned.
const coresVar = "BENCH_CORES"

// serverCoreNumber is the server's core, or negative if there is just one.
func serverCoreNumber() int {
	n, err := strconv.Atoi(os.Getenv(coresVar))
	if err != nil {
		return -1
	}
	return n
}

// pinLoad runs this program again on the last core, from a thread that is
// pinned to it, which exec keeps.
func pinLoad() error {
	if os.Getenv(coresVar) != "" {
		return nil
	}
	var set unix.CPUSet
	if err := unix.SchedGetaffinity(0, &set); err != nil {
		return err
	}
	var cores []int
	for i := range len(set) * 64 {
		if set.IsSet(i) {
			cores = append(cores, i)
		}
	}
	if len(cores) < 2 {
		return nil
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	runtime.LockOSThread()
	if err := machine.Pin(cores[len(cores)-1]); err != nil {
		return err
	}
	return syscall.Exec(self, slices.Clone(os.Args), append(os.Environ(), coresVar+"="+strconv.Itoa(cores[0])))
}
