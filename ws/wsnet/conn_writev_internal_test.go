package wsnet

import (
	"io"
	"testing"

	"framewright/ws"
)

// What writes a long message keeps none of it in memory.
func TestVectorsKeepNothing(t *testing.T) {
	c, client := innerPair(t, &Options{PingInterval: -1})
	go io.Copy(io.Discard, client)
	if err := c.Write(t.Context(), ws.OpBinary, make([]byte, 100_000)); err != nil {
		t.Fatal(err)
	}
	for range 10 {
		if v := vectors.Get().(*vector); v.left != nil || v.pieces[0] != nil || v.pieces[1] != nil {
			t.Fatal("a message is still referred to")
		}
	}
}

// The rest of a frame may be one byte: that goes out as well.
func TestDrainAByte(t *testing.T) {
	c, client := innerPair(t, &Options{PingInterval: -1})
	c.out.pending = []byte("x")
	c.out.unsent.Store(interrupted)
	if err := c.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	c.link.stream.Close()
	if got, _ := io.ReadAll(client); string(got) != "x" {
		t.Errorf("got %q", got)
	}
}
