package wsnet_test

import (
	"testing"
	"testing/synctest"
	"time"

	"framewright/ws"
	"framewright/ws/wstest"
)

// WriteDelay is kept after a pause, too: when its time came and nothing waited,
// that was not the last time.
func TestGatherAfterAPause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := ctQuiet()
		o.WriteDelay = 5 * time.Millisecond
		c, _, peer := cgServer(t, o, wstest.DefaultPipeSize)
		in, out := cgMessages(3, 4)
		for range 3 {
			peer.SendBytes(in)
			for i := range 3 { // the last is written when nothing is left, and takes the others along
				_, msg, err := c.Read(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				if err := c.Write(t.Context(), ws.OpText, msg); err != nil {
					t.Fatal(err)
				}
				if i == 2 {
					peer.WantBytes("all three", out)
				}
			}
			time.Sleep(time.Second) // the time comes, and nothing waits

			peer.SendBytes(in)
			ctRead(t, "the first", c, ws.OpText, "0000")
			start := time.Now()
			if err := c.Write(t.Context(), ws.OpText, []byte("0000")); err != nil {
				t.Fatal(err)
			}
			peer.WantBytes("the answer of a handler that is busy then", out[:6])
			if d := time.Since(start); d > 2*o.WriteDelay {
				t.Errorf("it took %v, want %v at the most", d, 2*o.WriteDelay)
			}
			ctRead(t, "the second", c, ws.OpText, "0001")
			ctRead(t, "the third", c, ws.OpText, "0002")
			time.Sleep(time.Second)
		}
	})
}
