package wsnet_test

import (
	"io"
	"strings"
	"testing"
	"testing/synctest"

	"framewright/ws"
	"framewright/ws/wsnet"
	"framewright/ws/wstest"
)

// TestTraceDeflate plays the examples of RFC 7692 §7.2.3: the transcript shows
// a compressed message's bytes, and behind its last frame what they inflate to.
func TestTraceDeflate(t *testing.T) {
	long := strings.Repeat(`{"n":7692},`, 30)
	for _, tt := range []struct {
		name  string
		title string
		play  func(t *testing.T, c *wsnet.Conn, p *wstest.Peer)
	}{
		{"deflate", `RFC 7692 §7.2.3: "Hello" as one block, again as a reference to the first, and in two fragments with a ping in between, as a client receives them.`, func(t *testing.T, c *wsnet.Conn, p *wstest.Peer) {
			p.Send("c1 07 | f248cdc9c90700 | c1 05 | f200110000")
			sceneRead(t, c, ws.OpText, []byte("Hello"))
			sceneRead(t, c, ws.OpText, []byte("Hello"))
			p.Send("41 03 | f348cd | 89 00 | 80 04 | c9c90700")
			sceneRead(t, c, ws.OpText, []byte("Hello"))
		}},
		{"deflate-sent", "Messages that a client sends compressed: whole, in parts, and one that is not.", func(t *testing.T, c *wsnet.Conn, p *wstest.Peer) {
			sceneWrite(t, c, ws.OpText, []byte(long))
			w, err := c.Writer(t.Context(), ws.OpBinary)
			if err != nil {
				t.Fatal(err)
			}
			io.WriteString(w, long)
			w.Flush()
			io.WriteString(w, "the end")
			w.Close()
			if err := c.WriteUncompressed(t.Context(), ws.OpText, []byte("plain")); err != nil {
				t.Fatal(err)
			}
		}},
		{"violation-deflate", "A compressed message whose block type is reserved.", func(t *testing.T, c *wsnet.Conn, p *wstest.Peer) {
			go c.Read(t.Context())
			p.Send("c1 01 | 07")
			p.WantClose("the answer", ws.CodeInvalidPayload, "RFC 1951")
		}},
		{"violation-deflate-text", "Text that inflates to what is not UTF-8.", func(t *testing.T, c *wsnet.Conn, p *wstest.Peer) {
			go c.Read(t.Context())
			p.Send("c1 08 | 00 0200 fdff 'a' ff 00")
			p.WantClose("the answer", ws.CodeInvalidPayload, "§8.1")
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &scene{}
				a, b := wstest.PipeSize(1 << 20)
				c := wsnet.NewDeflateConn(b, ws.RoleClient, s.options(), zParams(true, 15))
				p := wstest.NewPeer(t, a)
				tt.play(t, c, p)
				synctest.Wait()
				s.golden(t, tt.name, tt.title)
				c.CloseNow()
				p.Close()
			})
		})
	}
}
