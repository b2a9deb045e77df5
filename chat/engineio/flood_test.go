package engineio_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"framewright/chat/engineio"
	"framewright/ws"
)

// TestIdlePackets: what a client sends to no purpose has a rate, on either
// transport; ten seconds' worth may come at once.
func TestIdlePackets(t *testing.T) {
	for _, packet := range []string{"3", "6", "5", "0", "3probe", `0{"sid":"x"}`} {
		t.Run(packet+" over WebSocket", func(t *testing.T) {
			talk(t, &engineio.Options{IdleRate: 2}, nil, func(d *dialogue) {
				c, _ := d.connect()
				for range 20 {
					c.text(packet)
				}
				for range 10 {
					time.Sleep(time.Second / 2)
					c.text(packet)
				}
				c.text("4still here")
				c.wantText("at the rate", "4still here")
				c.text(packet)
				c.WantClose("one more", ws.CodePolicyViolation, "too many packets")
				d.wantEnd(0, engineio.Flood)
			})
		})
		t.Run(packet+" by polling", func(t *testing.T) {
			talk(t, &engineio.Options{IdleRate: 2}, nil, func(d *dialogue) {
				d.open()
				d.post("ten seconds' worth", strings.Repeat(packet+"\x1e", 19)+packet)
				q := d.poll()
				d.begin("POST", session, strings.Repeat(packet+"\x1e", 1000)+packet)
				q.want("the request that waited", ok("1"))
				d.wantEnd(0, engineio.Flood)
				d.wantGone()
			})
		})
	}
	t.Run("by default", func(t *testing.T) {
		talk(t, nil, nil, func(d *dialogue) {
			d.open()
			d.begin("POST", session, strings.Repeat("6\x1e", 200)+"6")
			d.wantEnd(0, engineio.Flood)
		})
	})
	t.Run("no limit", func(t *testing.T) {
		talk(t, &engineio.Options{IdleRate: -1}, nil, func(d *dialogue) {
			d.open()
			d.post("many", strings.Repeat("6\x1e", 10_000)+"4a")
			d.get("lives", "4a")
		})
	})
}

// TestIdleRequests: so have requests that are refused, and upgrades that come
// to nothing.
func TestIdleRequests(t *testing.T) {
	for _, row := range []struct {
		name, method, query, body string
		most                      int
	}{
		{"another method", "PUT", session, "", 20},
		{"another version", "GET", strings.Replace(session, "EIO=4", "EIO=3", 1), "", 20},
		{"a body that is too long", "POST", session, strings.Repeat("x", 1_000_001), 2},
	} {
		t.Run(row.name, func(t *testing.T) {
			talk(t, &engineio.Options{IdleRate: 2}, nil, func(d *dialogue) {
				d.open()
				for range row.most {
					d.begin(row.method, row.query, row.body)
					synctest.Wait()
				}
				if n := d.srv.Count(); n != 1 {
					t.Fatalf("%d sessions after what may come at once, want 1", n)
				}
				d.begin(row.method, row.query, row.body)
				d.wantEnd(0, engineio.Flood)
			})
		})
	}
	t.Run("upgrades", func(t *testing.T) {
		talk(t, &engineio.Options{IdleRate: 2}, nil, func(d *dialogue) {
			d.open()
			for n := range 2 {
				c := d.probe()
				c.text("4not an upgrade")
				c.WantClose(fmt.Sprint("try ", n), ws.CodePolicyViolation, "upgrade not done")
			}
			if err := d.socket(0).Err(); err != nil {
				t.Fatal(err)
			}
			if _, head := d.upgrade(upgrading); !strings.HasPrefix(head, "HTTP/1.1 400 ") {
				t.Errorf("one more: %s", head)
			}
			d.wantEnd(0, engineio.Flood)
		})
	})
}
