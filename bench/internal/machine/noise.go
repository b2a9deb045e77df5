//go:build linux

package machine

import (
	"os"
	"strconv"
	"strings"
	"time"
)

// A Snapshot is how much processor time was used up to one moment.
type Snapshot struct {
	At     time.Time
	Busy   time.Duration // of all cores, time stolen by the host included
	Load   time.Duration // of this process
	Server time.Duration
}

// Look takes a snapshot. p may be nil.
func Look(p *Process) Snapshot {
	s := Snapshot{At: time.Now(), Busy: busy(), Load: cpu(os.Getpid())}
	if p != nil {
		s.Server = p.CPU()
	}
	return s
}

// Others is how many cores everybody but the server and this process kept busy
// between two snapshots.
func Others(a, b Snapshot) float64 {
	used := (b.Busy - a.Busy) - (b.Load - a.Load) - (b.Server - a.Server)
	return max(0, used.Seconds()/b.At.Sub(a.At).Seconds())
}

// busy reads the first line of /proc/stat, which counts in hundredths of a
// second: user, nice, system, idle, iowait, irq, softirq, steal.
func busy() time.Duration {
	b, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0
	}
	line, _, _ := strings.Cut(string(b), "\n")
	fields := strings.Fields(line)
	ticks := 0
	for i, f := range fields[min(1, len(fields)):] {
		if i > 7 { // guests are counted as user
			break
		}
		if n, err := strconv.Atoi(f); err == nil && i != 3 && i != 4 {
			ticks += n
		}
	}
	return time.Duration(ticks) * 10 * time.Millisecond
}

// Quiet is how many cores others may keep busy while a measurement runs. A
// kernel's own threads and a shell are below it.
const Quiet = 0.05

// Patience is for how long all measurements together wait for the machine to
// become quiet.
type Patience struct{ Left time.Duration }

// Wait waits until the machine is quiet, and says whether it is.
func (p *Patience) Wait() bool {
	for {
		before := Look(nil)
		time.Sleep(100 * time.Millisecond)
		after := Look(nil)
		if Others(before, after) <= Quiet {
			return true
		}
		if p.Left -= after.At.Sub(before.At); p.Left <= 0 {
			return false
		}
	}
}
