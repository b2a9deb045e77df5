package wsnet_test

import (
	"context"
	"fmt"
	"net"
	"os"
	"runtime"
	"testing"
	"time"

	"framewright/ws"
	"framewright/ws/wsnet"
	"framewright/ws/wstest"
)

// What a connection over TCP holds while it waits, all inclusive: with its
// windows full, the windows and 4 KiB; after one message, as much as has gone
// through. A figure is the heap's growth for one end of a connection. The
// stack of the goroutine that waits, 4 KiB as a rule, is not in it.
func TestDeflateMemory(t *testing.T) {
	if wstest.RaceEnabled() {
		t.Skip("the race detector's own memory is in the way")
	}
	const fixed = 4 << 10
	type row struct {
		keep     bool
		bits     int
		messages int // of 1 KiB, in each direction
		limit    int64
	}
	rows := []row{{false, 15, 64, fixed}, {true, 15, 1, 2<<10 + fixed}}
	for bits := 8; bits <= 15; bits++ {
		rows = append(rows, row{true, bits, 64, 2<<bits + fixed})
	}
	for _, tt := range rows {
		t.Run(fmt.Sprintf("context %v, %d bits, %d KiB", tt.keep, tt.bits, tt.messages), func(t *testing.T) {
			// What tests before this one left behind may be freed, or not, while
			// it measures, so it may do so again.
			held := heldOverTCP(t, zParams(tt.keep, tt.bits), tt.messages)
			for try := 0; try < 2 && held > tt.limit; try++ {
				held = min(held, heldOverTCP(t, zParams(tt.keep, tt.bits), tt.messages))
			}
			t.Logf("%d bytes", held)
			if held > tt.limit {
				t.Errorf("holds %d bytes, want %d at the most", held, tt.limit)
			}
		})
	}
}

// heldOverTCP returns how many bytes of the heap one end of a connection
// holds when so many messages of 1 KiB have gone each way.
func heldOverTCP(t *testing.T, p ws.DeflateParams, messages int) int64 {
	const pairs = 50
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	texts := make([][]byte, messages)
	for i := range texts {
		texts[i] = []byte(zText(1<<10, 100*i))
	}
	buf := make([]byte, 0, 2<<10)
	heap := func() int64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.GC() // pools forget after two
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	open := func() [2]*wsnet.Conn {
		a, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		b, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		ends := [2]*wsnet.Conn{wsnet.NewDeflateConn(a, ws.RoleClient, ctQuiet(), p), wsnet.NewDeflateConn(b, ws.RoleServer, ctQuiet(), p)}
		for _, text := range texts {
			for i, from := range ends {
				if err := from.Write(t.Context(), ws.OpText, text); err != nil {
					t.Fatal(err)
				}
				if _, got, err := ends[1-i].ReadAppend(t.Context(), buf[:0]); err != nil || string(got) != string(text) {
					t.Fatal(len(got), err)
				}
			}
		}
		// Once it waits a connection gives back what it only needs to read.
		for _, c := range ends {
			ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
			if _, _, err := c.Read(ctx); !os.IsTimeout(err) && ctx.Err() == nil {
				t.Fatal(err)
			}
			cancel()
		}
		return ends
	}
	close := func(ends [2]*wsnet.Conn) { ends[0].CloseNow(); ends[1].CloseNow() }
	close(open()) // what the first one sets up for all
	all := make([][2]*wsnet.Conn, pairs)
	before := heap()
	for i := range all {
		all[i] = open()
	}
	held := (heap() - before) / (2 * pairs)
	for _, ends := range all {
		close(ends)
	}
	return held
}
