package wstest

import (
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"
)

// CheckLeaks states that the test leaves no goroutine behind: at the end of the
// test, after the cleanups that were registered later, every goroutine that
// was not there when CheckLeaks was called must be gone. Call it first. What
// is left after about 5 seconds fails the test, with its stack.
//
// A goroutine does not say whose it is, so CheckLeaks is not for tests that
// run in parallel with others. A test that failed anyway is not checked. In a
// synctest bubble CheckLeaks does nothing: synctest.Test itself waits for
// every goroutine of its bubble, and panics if that cannot be.
func CheckLeaks(t testing.TB) {
	t.Helper()
	if inBubble() {
		return
	}
	before := goroutines()
	t.Cleanup(func() {
		t.Helper()
		if t.Failed() {
			return
		}
		http.DefaultClient.CloseIdleConnections() // kept on purpose, not leaked

		// A goroutine that has been told to end needs a moment to do so, and
		// there is nothing to wait on: hence the looks at growing intervals.
		var left []string
		for wait := time.Millisecond; ; wait *= 2 {
			left = left[:0]
			for id, stack := range goroutines() {
				if _, ok := before[id]; !ok && !expected(stack) {
					left = append(left, stack)
				}
			}
			if len(left) == 0 {
				return
			}
			if wait > 2*time.Second {
				break
			}
			time.Sleep(wait)
		}
		t.Errorf("%d goroutines left behind:\n\n%s", len(left), strings.Join(left, "\n\n"))
	})
}

// goroutines returns the stack of every goroutine but this one by its id,
// which the runtime does not use twice.
func goroutines() map[string]string {
	buf := make([]byte, 64<<10)
	for {
		n := runtime.Stack(buf, true)
		if n < len(buf) {
			buf = buf[:n]
			break
		}
		buf = make([]byte, 2*len(buf))
	}
	stacks := strings.Split(strings.TrimSpace(string(buf)), "\n\n")
	all := make(map[string]string, len(stacks))
	for _, stack := range stacks[1:] { // the first is this one
		// "goroutine 18 [running]:"
		id, _, _ := strings.Cut(strings.TrimPrefix(stack, "goroutine "), " ")
		all[id] = stack
	}
	return all
}

// expected reports whether a goroutine belongs to the runtime or to package
// testing, which start some when they please.
func expected(stack string) bool {
	for _, part := range []string{
		"created by testing.",
		"created by os/signal.",
		"created by runtime.",
		"created by runtime/trace.",
		"os/signal.signal_recv",
		"testing.(*M).",
		"testing.runFuzz",
	} {
		if strings.Contains(stack, part) {
			return true
		}
	}
	return false
}
