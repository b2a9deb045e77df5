package wsnet

import (
	"math/bits"
	"runtime"
	"sync"
	"time"
)

// Long messages need buffers that are expensive to make: each is cleared, counts
// towards the next collection, and a collection of a small heap empties a
// sync.Pool, so that a server whose heap is nothing but message buffers makes them
// anew all the time. bufferList keeps some across collections: of few sizes, in all
// not more than a bound, and not longer than they are of use. Those of 4 KiB and
// less, of which there are many and which cost little, are in pools.

const (
	// The sizes are 32 KiB and its doubles, with room for a frame's header, so
	// that a message of 64 KiB can be read with its header at once.
	bufferSizes    = 7
	leastBuffer    = 32 << 10
	bufferSlack    = 8 << 10 // the allocator's unit for such sizes
	largestBuffer  = leastBuffer<<(bufferSizes-1) + bufferSlack
	maxKeptBytes   = 16 << 20
	bufferLookTime = time.Second // the least between two looks
)

// kept are the buffers of all connections.
var kept bufferList

// A bufferList has buffers that nobody uses. What is in them is not cleared: who
// takes one must give nothing out of it that he did not write himself.
type bufferList struct {
	mu      sync.Mutex
	free    [bufferSizes][][]byte // the last one given back is taken first: it is in the cache
	unused  [bufferSizes]int      // how many there were at least since the last look
	bytes   int                   // of all in free
	looked  time.Time             // when the last look was
	watched bool                  // collections are looked out for
}

// bufferSize is that of a class.
func bufferSize(class int) int {
	if class == 0 {
		return leastBuffer
	}
	return leastBuffer<<class + bufferSlack
}

// bufferClass is the smallest class whose buffers hold n bytes.
func bufferClass(n int) int {
	if n <= leastBuffer {
		return 0
	}
	return max(1, bits.Len(uint(n-bufferSlack-1)/leastBuffer))
}

// take returns a buffer of at least n bytes, which may be of the next larger
// size, or nil if there is none.
func (l *bufferList) take(n int) []byte {
	if n > largestBuffer {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	class := bufferClass(n)
	for c := class; c < min(class+2, bufferSizes); c++ {
		if last := len(l.free[c]) - 1; last >= 0 {
			b := l.free[c][last]
			l.free[c][last] = nil
			l.free[c] = l.free[c][:last]
			l.unused[c] = min(l.unused[c], last)
			l.bytes -= len(b)
			return b
		}
	}
	return nil
}

// get is take, but makes a buffer if there is none.
func (l *bufferList) get(n int) []byte {
	b := l.take(n)
	if b == nil && n <= largestBuffer {
		b = make([]byte, bufferSize(bufferClass(n)))
	} else if b == nil {
		b = make([]byte, n)
	}
	return b
}

// put gives a buffer back, from its first byte on. One of another size, or beyond
// the bound, is left to the collector.
func (l *bufferList) put(b []byte) {
	b = b[:cap(b)]
	if len(b) < leastBuffer || len(b) > largestBuffer {
		return
	}
	class := bufferClass(len(b))
	if len(b) != bufferSize(class) {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.bytes+len(b) > maxKeptBytes {
		return
	}
	l.free[class] = append(l.free[class], b)
	l.bytes += len(b)
	if !l.watched {
		l.watched, l.looked = true, time.Now()
		l.watch()
	}
}

// watch has the list looked at after the next collection. A timer would not do:
// the list belongs to all connections, and a timer to the time, real or of a test,
// of the one that made it. The runtime collects every two minutes at the least.
func (l *bufferList) watch() {
	type collection struct{ l *bufferList }
	runtime.SetFinalizer(&collection{l}, func(c *collection) { c.l.look(time.Now()) })
}

// look drops what nobody has needed since the last look.
func (l *bufferList) look(now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if now.Sub(l.looked) >= bufferLookTime {
		l.looked = now
		for class := range l.free {
			left := len(l.free[class]) - l.unused[class]
			for i := range l.unused[class] { // the oldest
				l.bytes -= len(l.free[class][i])
			}
			copy(l.free[class], l.free[class][l.unused[class]:])
			clear(l.free[class][left:])
			l.free[class] = l.free[class][:left]
			l.unused[class] = left
		}
	}
	if l.watched = l.bytes > 0; l.watched {
		l.watch()
	}
}
