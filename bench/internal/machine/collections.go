//go:build linux

package machine

import (
	"bytes"
	"os"
	"sync/atomic"
)

// collections is a program's standard error, from which it takes the lines that
// Go's runtime writes for each collection if GODEBUG has gctrace=1. The rest is
// passed on.
type collections struct{ n atomic.Int64 }

func (c *collections) Write(p []byte) (int, error) {
	for line := range bytes.Lines(p) {
		if bytes.HasPrefix(line, []byte("gc ")) && bytes.Contains(line, []byte("%: ")) {
			c.n.Add(1)
		} else if _, err := os.Stderr.Write(line); err != nil {
			return 0, err
		}
	}
	return len(p), nil
}

// Collections is how many collections the program has written of.
func (p *Process) Collections() int64 { return p.collections.n.Load() }
