package ws

import (
	"bytes"
	"runtime"
	"testing"
	"time"
)

func TestBufferSizes(t *testing.T) {
	for n, want := range map[int]int{
		1: 32 << 10, 32 << 10: 32 << 10, 32<<10 + 1: 72 << 10, 64<<10 + MaxHeaderSize: 72 << 10,
		72 << 10: 72 << 10, 72<<10 + 1: 136 << 10, 1<<20 + MaxHeaderSize: 1<<20 + 8<<10, 1<<20 + 8<<10 + 1: 2<<20 + 8<<10,
	} {
		if got := bufferSize(bufferClass(n)); got != want {
			t.Errorf("%d bytes: a buffer of %d, want %d", n, got, want)
		}
	}
	var l bufferList
	for class := range bufferSizes {
		b := l.get(bufferSize(class))
		if len(b) != bufferSize(class) {
			t.Errorf("class %d: %d bytes, want %d", class, len(b), bufferSize(class))
		}
		l.put(b[:3])
		if got := l.take(len(b)); len(got) != len(b) || &got[0] != &b[0] {
			t.Errorf("class %d: another buffer came back", class)
		}
	}
	if b := l.get(largestBuffer + 1); len(b) != largestBuffer+1 {
		t.Errorf("beyond the largest: %d bytes", len(b))
	}
}

// What nobody uses is bounded, whatever was given back.
func TestBufferListIsBounded(t *testing.T) {
	var l bufferList
	for range 2 * maxKeptBytes / leastBuffer {
		l.put(make([]byte, leastBuffer))
	}
	l.put(make([]byte, largestBuffer))
	l.put(make([]byte, 100))
	l.put(make([]byte, leastBuffer+1))
	l.put(make([]byte, 2*largestBuffer))
	if l.bytes != maxKeptBytes || len(l.free[0]) != maxKeptBytes/leastBuffer {
		t.Errorf("%d bytes in %d buffers are kept, want %d", l.bytes, len(l.free[0]), maxKeptBytes)
	}
}

// A collection takes nothing away that is of use, and what is of none goes.
func TestBufferListLook(t *testing.T) {
	var l bufferList
	for range 5 {
		l.put(make([]byte, leastBuffer))
	}
	at := l.looked
	look := func(after time.Duration) int {
		at = at.Add(after)
		l.look(at)
		return len(l.free[0])
	}
	if n := look(bufferLookTime / 2); n != 5 {
		t.Errorf("after a short time %d of 5 are left", n)
	}
	look(bufferLookTime) // from here on it is known what is used
	a, b := l.take(1), l.take(1)
	l.put(a)
	l.put(b)
	if n := look(bufferLookTime); n != 2 {
		t.Errorf("%d are left, want the 2 that were used", n)
	}
	if n := look(bufferLookTime); n != 0 || l.bytes != 0 || l.watched {
		t.Errorf("%d are left that nobody used, %d bytes, watched: %v", n, l.bytes, l.watched)
	}
}

// The runtime's collections bring looks about.
func TestBufferListIsWatched(t *testing.T) {
	var l bufferList
	l.put(bytes.Clone(make([]byte, leastBuffer)))
	left := func() int {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.looked = l.looked.Add(-bufferLookTime)
		return l.bytes
	}
	for begin := time.Now(); left() > 0; runtime.GC() {
		if time.Since(begin) > 30*time.Second {
			t.Fatal("nothing looks at the list")
		}
		runtime.Gosched()
	}
}
