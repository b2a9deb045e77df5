package wstest

import (
	"sync/atomic"
	"time"
)

// ranOut counts the waits of this process that ended without what they waited
// for.
var ranOut atomic.Int32

// Patience returns how long a test outside of a synctest bubble waits for what
// must come, if the first such wait may take limit. Code that breaks a rule can
// leave hundreds of tests without the verdict that each waits for; one full
// wait is proof enough. So every wait that ran out, which RanOut reports,
// halves those that follow, down to a hundredth of a second.
//
// The first wait is never shortened, so that nothing passes or fails for it in
// a process whose tests all pass.
func Patience(limit time.Duration) time.Duration {
	return min(limit, max(limit>>min(ranOut.Load(), 10), 10*time.Millisecond))
}

// RanOut says that a wait of Patience was in vain.
func RanOut() { ranOut.Add(1) }

// Await waits until done is closed and reports whether it was: for limit at
// most in a synctest bubble, and for Patience(limit) elsewhere.
func Await(done <-chan struct{}, limit time.Duration) bool {
	if !inBubble() {
		limit = Patience(limit)
	}
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-done:
		return true
	case <-timer.C:
	}
	if !inBubble() {
		RanOut()
	}
	return false
}
