package wsnet_test

import (
	"bytes"
	"context"
	"io"
	"runtime"
	"testing"

	"framewright/ws"
	"framewright/ws/wsnet"
)

// A long message in short fragments is copied a few times, and not once for each
// fragment: what is allocated for it stays within a few times its size.
func TestMessagesInShortFragments(t *testing.T) {
	const fragment, fragments = 256, 16 << 10 // 4 MiB, beyond the largest buffer that is kept
	payload := bytes.Repeat([]byte{'x'}, fragment)
	var wire []byte
	for i := range fragments {
		h := ws.Header{Fin: i == fragments-1, Opcode: ws.OpContinuation, Masked: true, Key: [4]byte{1, 2, 3, 4}, Length: fragment}
		if i == 0 {
			h.Opcode = ws.OpBinary
		}
		wire = ws.AppendFrame(wire, h, payload)
	}
	stream := struct {
		io.Reader
		io.WriteCloser
	}{bytes.NewReader(wire), nowhere{}}
	c := wsnet.NewConn(stream, ws.RoleServer, &wsnet.Options{MaxMessage: 8 << 20, MaxFragments: -1, PingInterval: -1})
	defer c.CloseNow()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for m, err := range c.Messages(context.Background()) {
		if err != nil {
			t.Fatal(err)
		}
		if len(m.Data) != fragment*fragments {
			t.Errorf("%d bytes, want %d", len(m.Data), fragment*fragments)
		}
		break
	}
	runtime.ReadMemStats(&after)
	if n, most := after.TotalAlloc-before.TotalAlloc, uint64(10*fragment*fragments); n > most {
		t.Errorf("%d bytes allocated for a message of %d, want at most %d", n, fragment*fragments, most)
	}
}

// nowhere is where a stream's other direction goes.
type nowhere struct{}

func (nowhere) Write(p []byte) (int, error) { return len(p), nil }
func (nowhere) Close() error                { return nil }
