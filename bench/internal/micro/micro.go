// Package micro measures pieces of the libraries without sockets: the opening
// handshake on a request that is in memory, and masking.
package micro

import (
	"runtime"
	"time"
)

// PerOp calls f over and over for about d and returns nanoseconds and heap
// allocations for each call.
func PerOp(d time.Duration, f func()) (ns, allocs float64) {
	f() // what is made once, such as a pool's first buffer
	n := 1
	for {
		runtime.GC()
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		begin := time.Now()
		for range n {
			f()
		}
		took := time.Since(begin)
		runtime.ReadMemStats(&after)
		if took >= d || n > 1<<30 {
			return float64(took.Nanoseconds()) / float64(n), float64(after.Mallocs-before.Mallocs) / float64(n)
		}
		// Towards d, and not beyond a hundred times as many at once.
		n = int(min(float64(n)*100, 1.2*float64(n)*float64(d)/float64(took+1)+1))
	}
}
