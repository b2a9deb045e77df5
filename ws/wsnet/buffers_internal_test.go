package wsnet

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"runtime"
	"testing"
	"time"

	"framewright/ws"
)

func TestBufferSizes(t *testing.T) {
	for n, want := range map[int]int{
		1: 32 << 10, 32 << 10: 32 << 10, 32<<10 + 1: 72 << 10, 64<<10 + ws.MaxHeaderSize: 72 << 10,
		72 << 10: 72 << 10, 72<<10 + 1: 136 << 10, 1<<20 + ws.MaxHeaderSize: 1<<20 + 8<<10, 1<<20 + 8<<10 + 1: 2<<20 + 8<<10,
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

// A header that announces much gets no buffer that others could need: only what
// has come counts.
func TestBufferGrowsWithWhatHasCome(t *testing.T) {
	free := func() (n int) {
		kept.mu.Lock()
		defer kept.mu.Unlock()
		for _, class := range kept.free {
			n += len(class)
		}
		return n
	}
	for _, tt := range []struct {
		there, came int
		announced   int64
		most        int // the buffer's size
	}{
		{0, 100, 1 << 20, 72 << 10}, // 32 KiB, and perhaps the next size
		{0, 4096, 1 << 62, 72 << 10},
		{8 << 10, 1 << 10, 1 << 20, 264 << 10},
		{100 << 10, 0, 1 << 20, 2<<20 + 8<<10},
		{264 << 10, 0, 1 << 20, 2<<20 + 8<<10},
		{2 << 20, 100 << 10, 1 << 62, 5 << 20}, // beyond the sizes: twice what has come
	} {
		for range 3 {
			kept.put(make([]byte, largestBuffer))
			kept.put(make([]byte, bufferSize(5)))
			kept.put(make([]byte, bufferSize(1)))
		}
		before := free()
		l := new(loan)
		b := l.grow(make([]byte, tt.there), tt.came, tt.announced, 0)
		if cap(b) > tt.most || cap(b)-len(b) < tt.came || len(b) != tt.there {
			t.Errorf("%d bytes were there, %d came, %d are announced: a buffer of %d, want at most %d", tt.there, tt.came, tt.announced, cap(b), tt.most)
		}
		if n := before - free(); n > 1 {
			t.Errorf("%d buffers were taken", n)
		}
		l.end()
	}
}

// Who waits holds no read buffer, however large the last ones were: a socket none
// at all, also in the middle of a message, and another stream one of the least size.
func TestNoLargeReadBufferWhileWaiting(t *testing.T) {
	for _, network := range []string{"tcp", "pipe"} {
		for _, rest := range []string{
			"",
			"\x82",
			"\x82\xfe\x17\x70\x01\x02\x03\x04 6,000 bytes",
			"\x82\xff\x00\x00\x00\x00\x00\x10\x00\x00\x01\x02\x03\x04 1 MiB",
		} {
			var a, b net.Conn
			if network == "pipe" {
				a, b = net.Pipe()
			} else {
				l, err := net.Listen("tcp", "127.0.0.1:0")
				if err != nil {
					t.Fatal(err)
				}
				defer l.Close()
				if b, err = net.Dial("tcp", l.Addr().String()); err != nil {
					t.Fatal(err)
				}
				if a, err = l.Accept(); err != nil {
					t.Fatal(err)
				}
			}
			c := NewConn(a, ws.RoleServer, &Options{PingInterval: -1})
			defer c.CloseNow()
			defer b.Close()
			const n = 60 << 10
			for range 8 {
				go b.Write(ws.AppendFrame(nil, ws.Header{Fin: true, Opcode: ws.OpBinary, Masked: true}, make([]byte, n)))
				if _, p, err := c.Read(t.Context()); err != nil || len(p) != n {
					t.Fatal(len(p), err)
				}
			}
			if network == "tcp" && c.in.large == 0 {
				t.Error("the read buffer has not grown")
			}
			all := c.Stats().BytesIn + uint64(len(rest))
			ctx, cancel := context.WithCancel(t.Context())
			go func() {
				io.WriteString(b, rest)
				for c.Stats().BytesIn < all || c.in.waits.Load()%2 == 0 {
					runtime.Gosched()
				}
				cancel()
			}()
			for _, err := range c.Messages(ctx) {
				if !errors.Is(err, context.Canceled) {
					t.Fatal(err)
				}
			}
			if size := len(c.in.buf); size > leastBuffer || network == "tcp" && size > map[int]int{1: readBufferSize}[len(rest)] {
				t.Errorf("%s, %q: a buffer of %d bytes is held", network, rest, size)
			}
		}
	}
}
