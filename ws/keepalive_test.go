package ws_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"framewright/ws"
)

// What a Keepalive makes of what it sees, look by look.
func TestKeepalive(t *testing.T) {
	type look struct {
		bytes       uint64
		waits, idle uint32
		want        string // what to do and after what span; "ping" and "busy" are told that the ping went out, or not
	}
	const listens = 1 // an odd number: a reader waits all the time
	for _, tt := range []struct {
		name  string
		spans ws.Spans
		looks []look
	}{
		{"a peer that says something in each interval is never asked", ws.Spans{Interval: 20, Timeout: 30}, []look{
			{1, listens, 0, "again 20"}, {2, listens, 0, "again 20"}, {3, listens, 0, "again 20"},
		}},
		{"a peer that says nothing is asked, and dead when the timeout is over", ws.Spans{Interval: 20, Timeout: 30}, []look{
			{0, listens, 0, "ping 20"}, {0, listens, 0, "again 10"}, {0, listens, 0, "dead 0"},
		}},
		{"silent from some moment on", ws.Spans{Interval: 20, Timeout: 30}, []look{
			{7, listens, 0, "again 20"}, {7, listens, 0, "ping 20"}, {7, listens, 0, "again 10"}, {7, listens, 0, "dead 0"},
		}},
		{"a timeout of several intervals, and no rest", ws.Spans{Interval: 10, Timeout: 30}, []look{
			{0, listens, 0, "ping 10"}, {0, listens, 0, "again 10"}, {0, listens, 0, "again 10"}, {0, listens, 0, "dead 0"},
		}},
		{"one of several, and a rest", ws.Spans{Interval: 10, Timeout: 33}, []look{
			{0, listens, 0, "ping 10"}, {0, listens, 0, "again 10"}, {0, listens, 0, "again 10"}, {0, listens, 0, "again 3"}, {0, listens, 0, "dead 0"},
		}},
		{"a timeout as long as the interval", ws.Spans{Interval: 20, Timeout: 20}, []look{
			{0, listens, 0, "ping 20"}, {0, listens, 0, "dead 0"},
		}},
		{"a shorter one", ws.Spans{Interval: 20, Timeout: 5}, []look{
			{0, listens, 0, "ping 5"}, {0, listens, 0, "dead 0"},
		}},
		{"more intervals than can be counted", ws.Spans{Interval: 1, Timeout: 1 << 32}, []look{
			{0, listens, 0, "ping 1"}, {0, listens, 0, "again 1"}, {0, listens, 0, "again 1"},
		}},
		{"and a rest", ws.Spans{Interval: 2, Timeout: 1<<33 - 1}, []look{
			{0, listens, 0, "ping 2"}, {0, listens, 0, "again 2"}, {0, listens, 0, "again 2"},
		}},
		{"a sign of life ends the waiting, and the next look asks again", ws.Spans{Interval: 20, Timeout: 50}, []look{
			{0, listens, 0, "ping 20"}, {0, listens, 0, "again 20"}, {8, listens, 0, "again 20"},
			{8, listens, 0, "ping 20"}, {8, listens, 0, "again 20"}, {8, listens, 0, "again 10"}, {8, listens, 0, "dead 0"},
		}},
		{"one in the last span", ws.Spans{Interval: 20, Timeout: 30}, []look{
			{0, listens, 0, "ping 20"}, {0, listens, 0, "again 10"}, {8, listens, 0, "again 20"}, {8, listens, 0, "ping 20"},
		}},
		{"what could not be sent is tried again", ws.Spans{Interval: 20, Timeout: 30}, []look{
			{0, listens, 0, "busy 20"}, {0, listens, 0, "busy 20"}, {0, listens, 0, "ping 20"}, {0, listens, 0, "again 10"}, {0, listens, 0, "dead 0"},
		}},
		{"after the interval, however short the timeout", ws.Spans{Interval: 20, Timeout: 5}, []look{
			{0, listens, 0, "busy 20"}, {0, listens, 0, "ping 5"}, {0, listens, 0, "dead 0"},
		}},
		{"and not, when something has come", ws.Spans{Interval: 20, Timeout: 30}, []look{
			{0, listens, 0, "busy 20"}, {1, listens, 0, "again 20"}, {1, listens, 0, "busy 20"},
		}},

		// Nobody is dead as long as nobody has listened.
		{"nobody reads", ws.Spans{Interval: 20, Timeout: 30}, []look{
			{0, 2, 0, "ping 20"}, {0, 2, 0, "again 10"}, {0, 2, 0, "again 20"}, {0, 2, 0, "again 20"}, {0, 2, 0, "again 20"},
		}},
		{"nobody reads, and the timeout is short", ws.Spans{Interval: 20, Timeout: 5}, []look{
			{0, 2, 0, "ping 5"}, {0, 2, 0, "again 5"}, {0, 2, 0, "again 5"},
		}},
		{"nobody reads, and the timeout is as long as the interval", ws.Spans{Interval: 20, Timeout: 20}, []look{
			{0, 2, 0, "ping 20"}, {0, 2, 0, "again 20"},
		}},
		{"somebody begins to read after the ping: he has a whole span", ws.Spans{Interval: 20, Timeout: 30}, []look{
			{0, 2, 0, "ping 20"}, {0, 2, 0, "again 10"}, {0, 3, 0, "again 20"}, {0, 3, 0, "dead 0"},
		}},
		{"he had stopped and begun again in between", ws.Spans{Interval: 20, Timeout: 30}, []look{
			{0, 1, 0, "ping 20"}, {0, 1, 0, "again 10"}, {0, 3, 0, "again 20"}, {0, 5, 0, "again 20"}, {0, 5, 0, "dead 0"},
		}},
		{"he stopped", ws.Spans{Interval: 20, Timeout: 30}, []look{
			{0, 1, 0, "ping 20"}, {0, 1, 0, "again 10"}, {0, 2, 0, "again 20"}, {0, 2, 0, "again 20"},
		}},
		{"he reads now and then, and found nothing after the time was up", ws.Spans{Interval: 20, Timeout: 30}, []look{
			{0, 2, 5, "ping 20"}, {0, 2, 5, "again 10"}, {0, 2, 5, "again 20"}, {0, 2, 5, "again 20"}, {0, 4, 6, "dead 0"},
		}},
		{"what he found before does not count", ws.Spans{Interval: 20, Timeout: 30}, []look{
			{0, 2, 5, "ping 20"}, {0, 4, 6, "again 10"}, {0, 6, 7, "again 20"}, {0, 6, 7, "again 20"},
		}},
		{"nor what he found about another ping", ws.Spans{Interval: 20, Timeout: 20}, []look{
			{0, 2, 5, "ping 20"}, {0, 2, 5, "again 20"}, {8, 4, 6, "again 20"},
			{8, 4, 6, "ping 20"}, {8, 6, 7, "again 20"}, {8, 6, 7, "again 20"}, {8, 8, 8, "dead 0"},
		}},
		{"a sign of life after the time is one", ws.Spans{Interval: 20, Timeout: 20}, []look{
			{0, 2, 5, "ping 20"}, {0, 2, 5, "again 20"}, {1, 4, 6, "again 20"}, {2, 4, 6, "again 20"},
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var k ws.Keepalive
			for i, l := range tt.looks {
				do, after := k.Look(ws.Signs{Bytes: l.bytes, Waits: l.waits, Idle: l.idle}, tt.spans)
				var got string
				switch {
				case do == ws.LookAgain:
					got = fmt.Sprint("again ", after)
				case do == ws.LookDead:
					got = fmt.Sprint("dead ", after)
				case do != ws.LookPing || after != 0:
					t.Fatalf("look %d: %d, %d", i+1, do, after)
				case l.want[:4] == "busy":
					got = fmt.Sprint("busy ", k.Pinged(false, tt.spans))
				default:
					got = fmt.Sprint("ping ", k.Pinged(true, tt.spans))
				}
				if got != l.want {
					t.Fatalf("look %d: %s, want %s", i+1, got, l.want)
				}
			}
		})
	}
}

// Which pings a pong answers (§5.5.3), and which wait on.
func TestPings(t *testing.T) {
	const pong = "pong "
	for _, tt := range []struct {
		name  string
		steps []string // "ann": a ping for ann; "": keepalive's; "forget" the last one; or a pong's payload
		want  []string // of each pong, the pings that it answers; "no" if nobody asked
	}{
		{"one ping and its pong", []string{"ann", pong + "0000000000000001"}, []string{"1 ann"}},
		{"the pong again", []string{"ann", pong + "0000000000000001", pong + "0000000000000001"}, []string{"1 ann", "no"}},
		{"a pong without a ping", []string{pong + "0000000000000001"}, []string{"no"}},
		{"the newest answers those before it", []string{"ann", "bob", pong + "0000000000000002", pong + "0000000000000001"}, []string{"1 ann, 2 bob", "no"}},
		{"the older leaves the newer", []string{"ann", "bob", "cid", pong + "0000000000000002", pong + "0000000000000003"}, []string{"1 ann, 2 bob", "3 cid"}},
		{"a number that was never sent", []string{"ann", pong + "0000000000000002", pong + "0000000000000001"}, []string{"no", "1 ann"}},
		{"a payload of another length", []string{"ann", pong + "01", pong + "", pong + "000000000000000001", pong + "0000000000000001"}, []string{"no", "no", "no", "1 ann"}},
		{"the number the other way round", []string{"ann", pong + "0100000000000000"}, []string{"no"}},
		{"of keepalive's, only the last waits", []string{"", "", pong + "0000000000000001", pong + "0000000000000002"}, []string{"no", "2 nil"}},
		{"those of others wait beside it", []string{"", "ann", "", "bob", pong + "0000000000000004"}, []string{"2 ann, 3 nil, 4 bob"}},
		{"one that was taken back", []string{"ann", "bob", "forget", pong + "0000000000000002", pong + "0000000000000001"}, []string{"no", "1 ann"}},
		{"its number does not come again", []string{"ann", "forget", "bob", pong + "0000000000000001", pong + "0000000000000002"}, []string{"no", "2 bob"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var p ws.Pings
			var last ws.Ping
			var got []string
			for i, step := range tt.steps {
				now := ws.Moment(1000 + i)
				if step == "forget" {
					p.Forget(last.Number)
					continue
				}
				if len(step) < len(pong) || step[:len(pong)] != pong {
					var whom any
					if step != "" {
						whom = step
					}
					var payload [8]byte
					last, payload = p.Send(now, whom)
					if last.Sent != now || last.For != whom || fmt.Sprintf("%016x", last.Number) != fmt.Sprintf("%x", payload) {
						t.Errorf("sent %+v with % x", last, payload)
					}
					continue
				}
				var payload []byte
				fmt.Sscanf(step[len(pong):], "%x", &payload)
				answers := ""
				asked := p.Pong(payload, func(w ws.Ping) {
					if answers != "" {
						answers += ", "
					}
					whom := w.For
					if whom == nil {
						whom = "nil"
					}
					answers += fmt.Sprint(w.Number, " ", whom)
				})
				if !asked {
					answers += "no"
				}
				got = append(got, answers)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}

	var p ws.Pings
	_, payload := p.Send(1, nil)
	if !p.Pong(payload[:], nil) || p.Pong(payload[:], nil) {
		t.Error("a pong that nobody is told of is one all the same, and once")
	}
}
