package wsnet_test

import (
	"bytes"
	"testing"
	"testing/synctest"

	"framewright/ws"
	"framewright/ws/wsnet"
	"framewright/ws/wstest"
)

// The bytes of a prepared message are those of Write, in both roles, and its
// maker may reuse the data.
func TestPrepared(t *testing.T) {
	for _, n := range []int{0, 5, 125, 126, 40000, 65536, 100000} {
		for _, role := range []ws.Role{ws.RoleServer, ws.RoleClient} {
			synctest.Test(t, func(t *testing.T) {
				data := bytes.Repeat([]byte("é"), n/2)
				message := wstest.Text(string(data))
				m, err := wsnet.Prepare(ws.OpText, data)
				if err != nil {
					t.Fatal(err)
				}
				clear(data)
				if m.Opcode() != ws.OpText || !bytes.Equal(m.Data(), message.Payload) {
					t.Fatalf("the message is %v of %d bytes", m.Opcode(), len(m.Data()))
				}
				for range 2 {
					a, b := wstest.PipeSize(1 << 20)
					c := wsnet.NewConn(b, role, nil)
					p := wstest.NewPeer(t, a)
					for range 2 {
						if err := c.WritePrepared(t.Context(), m); err != nil {
							t.Fatal(err)
						}
						p.WantFrame("the message", message)
					}
					if s := c.Stats(); s.MessagesOut != 2 || s.FramesOut != 2 {
						t.Errorf("stats: %+v", s)
					}
					c.CloseNow()
				}
			})
		}
	}
}
