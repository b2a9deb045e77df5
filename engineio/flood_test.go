package engineio_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"framewright/engineio"
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

// TestBytesHaveARate: bytes and packets count before anything is parsed; a client
// that sends more is held up, on either transport, and so are all of one address
// together. Nothing is lost, and who is held up is not taken for dead.
func TestBytesHaveARate(t *testing.T) {
	const packet = 1000 - 64
	text := "4" + strings.Repeat("x", packet-1)
	for _, row := range []struct {
		name string
		o    engineio.Options
	}{
		{"of a client", engineio.Options{ByteRate: 1000}},
		{"of an address", engineio.Options{AddressByteRate: 1000}},
	} {
		t.Run(row.name+", over WebSocket", func(t *testing.T) {
			talk(t, &row.o, nil, func(d *dialogue) {
				c, _ := d.connect()
				began := time.Now()
				for range 10 {
					c.text(text)
					c.wantText("ten seconds' worth", text)
				}
				d.wantTook("that", began, 0)
				c.text(text)
				c.wantText("one more", text)
				d.wantTook("one more", began, time.Second)
				c.text("nonsense")
				synctest.Wait()
				if err := d.socket(0).Err(); err != nil {
					t.Errorf("parsed before its time: %v", err)
				}
				time.Sleep(time.Second)
				d.wantEnd(0, engineio.ParseError)
			})
		})
		t.Run(row.name+", by polling", func(t *testing.T) {
			talk(t, &row.o, nil, func(d *dialogue) {
				d.open()
				began := time.Now()
				d.post("ten seconds' worth", strings.Repeat(text+"\x1e", 9)+text[:len(text)-9])
				d.wantTook("that", began, 0)
				d.get("the echo of it", strings.Repeat(text+"\x1e", 9)+text[:len(text)-9])
				d.post("one more", text)
				d.wantTook("one more", began, time.Second)
			})
		})
	}
	t.Run("many small packets", func(t *testing.T) {
		talk(t, &engineio.Options{ByteRate: 66_000}, func(ctx context.Context, s *engineio.Socket) error {
			for {
				if _, err := s.Receive(ctx); err != nil {
					return err
				}
			}
		}, func(d *dialogue) {
			d.open()
			began := time.Now()
			d.post("66 bytes each", strings.Repeat("4\x1e", 9_999)+"4\x1e4") // one byte less than 10,001 of them
			if took := time.Since(began); took < 900*time.Microsecond || took > 1100*time.Microsecond {
				t.Errorf("10,001 packets, 66 bytes each, took %v, want a millisecond", took)
			}
		})
	})
	t.Run("a pong among what is held up", func(t *testing.T) {
		talk(t, &engineio.Options{ByteRate: 40}, nil, func(d *dialogue) {
			c, _ := d.connect()
			time.Sleep(24 * time.Second)
			c.text("4" + strings.Repeat("x", 2000)) // held for 41 s
			c.text("3")
			for range 3 {
				c.wantText("a ping, and again for a client that waits for it", "2")
			}
			c.wantText("the echo", "4"+strings.Repeat("x", 2000))
			c.text("3")
			time.Sleep(20 * time.Second)
			if err := d.socket(0).Err(); err != nil {
				t.Errorf("ended: %v", err)
			}
		})
	})
}

// TestFloodIsNotReadForLong: who sends too much is cut soon, and does not have the
// time for the closing handshake that others have.
func TestFloodIsNotReadForLong(t *testing.T) {
	talk(t, &engineio.Options{IdleRate: 2}, nil, func(d *dialogue) {
		c, _ := d.connect()
		for range 21 {
			c.text("6")
		}
		d.wantEnd(0, engineio.Flood)
		time.Sleep(time.Second)
		synctest.Wait()
		if n := d.srv.Count(); n != 0 {
			t.Errorf("%d sessions a second later", n)
		}
	})
}
