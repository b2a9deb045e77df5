package socketio

import (
	"context"
	"fmt"
	"net/http/httptest"
	"testing"

	"framewright/ws"
	"framewright/ws/wsnet"
)

// BenchmarkEvents sends events over TCP on loopback and reads their
// acknowledgements, so many of them on their way at one time.
func BenchmarkEvents(b *testing.B) {
	for _, ahead := range []int{1, 32} {
		b.Run(fmt.Sprint(ahead), func(b *testing.B) {
			io, err := New(&Options{PacketRate: -1})
			if err != nil {
				b.Fatal(err)
			}
			OnAck(io, "echo", func(_ context.Context, _ *Socket, text string) (string, error) { return text, nil })
			server := httptest.NewServer(io)
			defer server.Close()
			defer io.engine.Close()
			c, err := wsnet.Dial(b.Context(), server.URL+"/socket.io/?EIO=4&transport=websocket", nil)
			if err != nil {
				b.Fatal(err)
			}
			defer c.CloseNow()
			read := func() {
				if _, _, err := c.Read(b.Context()); err != nil {
					b.Fatal(err)
				}
			}
			write := func(packet string) {
				if err := c.Write(b.Context(), ws.OpText, []byte(packet)); err != nil {
					b.Fatal(err)
				}
			}
			read()
			write("40")
			read()
			b.ReportAllocs()
			sent := 0
			for n := 0; b.Loop(); n++ {
				for ; sent < n+ahead; sent++ {
					write(`421["echo","a line of a chat"]`)
				}
				read()
			}
		})
	}
}
