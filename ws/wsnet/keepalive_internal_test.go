package wsnet

import (
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"framewright/ws"
)

// A ping that is stuck in a write when the connection ends comes back after it
// was taken out of the queue. It must not go in again: the connection would be
// held, and looked at, for ever.
func TestKeepaliveOfAConnectionThatHasEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ours, theirs := net.Pipe() // has no buffer: nobody reads, so the ping is stuck
		defer theirs.Close()
		c := NewConn(struct{ io.ReadWriteCloser }{ours}, ws.RoleServer, nil)
		time.Sleep(30*time.Second + 1)
		synctest.Wait()
		c.CloseNow()
		synctest.Wait()
		for i, q := range c.link.set.timers.queues {
			if q.first != nil || q.last != nil || q.timer != nil {
				t.Errorf("queue %d still has a keepalive", i)
			}
		}
	})
}
