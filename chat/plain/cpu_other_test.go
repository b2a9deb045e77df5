//go:build !unix

package plain

import "time"

func cpuTime() (used time.Duration, ok bool) { return 0, false }
