package engineio_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"framewright/engineio"
	"framewright/ws"
	"framewright/ws/wsnet"
)

// TestWire has a row for each thing that a client sees of the protocol, byte
// for byte.
func TestWire(t *testing.T) {
	for _, row := range []struct {
		name string
		o    *engineio.Options
		play func(d *dialogue)
	}{
		{"the handshake by polling", nil, func(d *dialogue) {
			d.begin("GET", "?EIO=4&transport=polling", "").want("open", ok(`0{"sid":"00000000000000000001","upgrades":["websocket"],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}`))
		}},
		{"the handshake by WebSocket", nil, func(d *dialogue) {
			c := d.dial("?EIO=4&transport=websocket")
			c.Want("open", `81 6b | '0{"sid":"00000000000000000001","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}'`)
		}},
		{"the handshake says the options", &engineio.Options{PingInterval: 300 * time.Millisecond, PingTimeout: 200 * time.Millisecond, MaxPayload: 5000, NoUpgrade: true}, func(d *dialogue) {
			d.begin("GET", handshake, "").want("open", ok(`0{"sid":"00000000000000000001","upgrades":[],"pingInterval":300,"pingTimeout":200,"maxPayload":5000}`))
		}},
		{"polling alone offers no upgrade", &engineio.Options{Transports: []string{engineio.Polling}}, func(d *dialogue) {
			d.begin("GET", handshake, "").want("open", ok(opened(sid1, "[]")))
			d.begin("GET", upgrading, "").want("the other transport", refused(400, 0, "Transport unknown"))
		}},
		{"text by polling", nil, func(d *dialogue) {
			d.open()
			d.post("a message", "4hello €")
			d.get("the echo", "4hello €")
		}},
		{"several packets in a payload", nil, func(d *dialogue) {
			d.open()
			d.post("three messages", "4one\x1ebAQIDBA==\x1e4")
			d.socket(0)
			d.get("the echoes", "4one\x1ebAQIDBA==\x1e4")
		}},
		{"a request that waits is answered by the first message", nil, func(d *dialogue) {
			d.open()
			q := d.poll()
			d.post("a message", "4hello")
			q.want("the echo", ok("4hello"))
		}},
		{"text by WebSocket", nil, func(d *dialogue) {
			c := d.openWebSocket()
			c.text("4hello")
			c.Want("the echo", "81 06 | '4hello'")
		}},
		{"binary by WebSocket has no type", nil, func(d *dialogue) {
			c := d.openWebSocket()
			c.binary("01020304")
			c.Want("the echo", "82 04 | 01020304")
			c.text("bAQIDBA==") // a client without binary frames
			c.Want("the echo", "82 04 | 01020304")
		}},
		{"a heartbeat by polling", nil, func(d *dialogue) {
			d.open()
			began := time.Now()
			d.get("the ping", "2")
			d.wantTook("the ping", began, 25*time.Second)
			d.post("the pong", "3")
			d.get("the next ping", "2")
			d.wantTook("the second ping", began, 50*time.Second)
		}},
		{"a heartbeat by WebSocket", nil, func(d *dialogue) {
			c := d.openWebSocket()
			began := time.Now()
			for i := range 3 {
				c.Want("the ping", "81 01 | '2'")
				d.wantTook(fmt.Sprint("ping ", i), began, time.Duration(i+1)*25*time.Second)
				c.text("3")
			}
		}},
		{"the upgrade", nil, func(d *dialogue) {
			d.open()
			q := d.poll()
			c := d.dial(upgrading)
			c.text("2probe")
			c.Want("the probe's answer", "81 06 | '3probe'")
			q.want("the request that waited", ok("6"))
			if err := d.socket(0).Send(engineio.Text("queued")); err != nil {
				d.t.Error(err)
			}
			c.WantIdle("the client has not moved yet")
			c.text("5")
			c.Want("what was queued", "81 07 | '4queued'")
			c.text("4hello")
			c.Want("the echo", "81 06 | '4hello'")
			if got := d.socket(0).Transport(); got != engineio.WebSocket {
				d.t.Errorf("the transport is %q", got)
			}
		}},
		{"a request that comes while upgrading", nil, func(d *dialogue) {
			d.open()
			c := d.probe()
			d.get("one that was on its way", "6")
			d.socket(0).Send(engineio.Text("a"), engineio.Binary([]byte{1}))
			d.get("one that was on its way", "4a\x1ebAQ==")
			d.post("a message", "4late")
			c.text("5")
			c.wantText("the echo", "4late")
		}},
		{"polling after the upgrade", nil, func(d *dialogue) {
			d.open()
			c := d.probe()
			c.text("5")
			c.WantIdle("the upgrade is done")
			d.begin("GET", session, "").want("a GET", refused(400, 3, "Bad request"))
			d.begin("POST", session, "4x").want("a POST", refused(400, 3, "Bad request"))
			c.text("4still here")
			c.wantText("the session lives on", "4still here")
			d.wantEnd(0, "")
		}},
		{"a second WebSocket after the upgrade", nil, func(d *dialogue) {
			d.open()
			c := d.probe()
			c.text("5")
			c.WantIdle("the upgrade is done")
			c2 := d.dial(upgrading)
			c2.WantClose("there is one", ws.CodePolicyViolation, "has a WebSocket already")
			c.text("4still here")
			c.wantText("the session lives on", "4still here")
		}},
		{"an upgrade raced by another", nil, func(d *dialogue) {
			d.open()
			c := d.dial(upgrading)
			synctest.Wait() // it is the first
			c2 := d.dial(upgrading)
			c2.WantClose("one is under way", ws.CodePolicyViolation, "has a WebSocket already")
			c.text("2probe")
			c.wantText("the first goes on", "3probe")
			c3 := d.dial(upgrading)
			c3.WantClose("one is under way", ws.CodePolicyViolation, "has a WebSocket already")
			c.text("5")
			c.text("4won")
			c.wantText("the echo", "4won")
		}},
		{"a second WebSocket for a session that began with one", nil, func(d *dialogue) {
			c := d.openWebSocket()
			c2 := d.dial(upgrading)
			c2.WantClose("there is one", ws.CodePolicyViolation, "has a WebSocket already")
			d.begin("GET", session, "").want("polling", refused(400, 3, "Bad request"))
			c.text("4still here")
			c.wantText("the session lives on", "4still here")
		}},
		{"a probe that is never made", nil, func(d *dialogue) {
			d.open()
			began := time.Now()
			c := d.dial(upgrading)
			q := d.begin("GET", session, "")
			c.WantClose("the end of patience", ws.CodePolicyViolation, "upgrade not done")
			d.wantTook("the end", began, 10*time.Second)
			q.waits("polling goes on")
			d.post("a message", "4still here")
			q.want("the echo", ok("4still here"))
		}},
		{"a probe that is not followed up", nil, func(d *dialogue) {
			d.open()
			c := d.probe()
			c.WantClose("the end of patience", ws.CodePolicyViolation, "upgrade not done")
			q := d.begin("GET", session, "")
			q.waits("polling goes on, with no noop")
			d.post("a message", "4still here")
			q.want("the echo", ok("4still here"))
			c2 := d.dial(upgrading)
			c2.text("2probe")
			c2.wantText("it may be tried again", "3probe")
		}},
		{"a probe that says something else", nil, func(d *dialogue) {
			d.open()
			for _, packet := range []string{"2", "2prob", "5", "4hello", "", "x"} {
				c := d.dial(upgrading)
				c.text(packet)
				c.WantClose(packet+" is no probe", ws.CodePolicyViolation, "upgrade not done")
				c.Close()
			}
			d.post("a message", "4still here")
			d.get("the echo", "4still here")
		}},
		{"something else than an upgrade after the probe", nil, func(d *dialogue) {
			d.open()
			c := d.probe()
			c.text("4too early")
			c.WantClose("that is no upgrade", ws.CodePolicyViolation, "upgrade not done")
			d.post("a message", "4still here")
			d.get("the echo", "4still here")
		}},
		{"two GETs at once", nil, func(d *dialogue) {
			d.open()
			q := d.poll()
			d.begin("GET", session, "").want("the second", refused(400, 3, "Bad request"))
			q.want("the first", ok("1"))
			d.wantEnd(0, engineio.TransportError)
			d.wantGone()
		}},
		{"two POSTs at once", nil, func(d *dialogue) {
			d.open()
			q := d.begin("GET", session, "")
			conn, err := d.ln.Dial()
			if err != nil {
				d.t.Fatal(err)
			}
			defer conn.Close()
			conn.Write([]byte("POST /engine.io/" + session + " HTTP/1.1\r\nHost: server.test\r\nContent-Length: 2\r\n\r\n4"))
			q.waits("the first is not complete")
			d.begin("POST", session, "4x").want("the second", refused(400, 3, "Bad request"))
			q.want("the GET", ok("1"))
			d.wantEnd(0, engineio.TransportError)
		}},
		{"a GET that the client gave up", nil, func(d *dialogue) {
			d.open()
			q := d.poll()
			q.giveUp()
			d.wantEnd(0, engineio.TransportError)
			d.wantGone()
		}},
		{"a close packet by POST", nil, func(d *dialogue) {
			d.open()
			q := d.poll()
			d.post("close", "1")
			q.want("the request that waited", ok("6"))
			d.wantEnd(0, engineio.TransportClose)
			d.wantGone()
		}},
		{"a close packet by WebSocket", nil, func(d *dialogue) {
			c := d.openWebSocket()
			c.text("1")
			c.WantClose("as asked", ws.CodeNormal, "")
			d.wantEnd(0, engineio.TransportClose)
		}},
		{"a WebSocket that closes", nil, func(d *dialogue) {
			c := d.openWebSocket()
			c.Send("88 82 | 00000000 | 03e9")
			c.WantClose("the answer", ws.CodeGoingAway, "")
			d.wantEnd(0, engineio.TransportClose)
		}},
		{"a WebSocket that is cut", nil, func(d *dialogue) {
			c := d.openWebSocket()
			c.Reset()
			d.wantEnd(0, engineio.TransportClose)
		}},
		{"a WebSocket that breaks RFC 6455", nil, func(d *dialogue) {
			c := d.openWebSocket()
			c.Send("81 02 | '4x'") // not masked
			c.WantClose("its error", ws.CodeProtocolError, "")
			d.wantEnd(0, engineio.TransportError)
		}},
		{"a message over maxPayload by WebSocket", nil, func(d *dialogue) {
			c := d.openWebSocket()
			c.Send("82 ff | 00000000 000f4241 | 00000000")
			c.WantClose("its error", ws.CodeTooBig, "")
			d.wantEnd(0, engineio.TransportError)
		}},
		{"a POST over maxPayload", nil, func(d *dialogue) {
			d.open()
			d.begin("POST", session, strings.Repeat("4", 1_000_001)).want("too large", refused(413, 3, "Body over 1000000 bytes, the maxPayload of the handshake"))
			d.begin("POST", session, strings.Repeat("4", 3_000_000)).want("much too large", refused(413, 3, "Body over 1000000 bytes, the maxPayload of the handshake"))
			d.begin("POST", session, strings.Repeat("4", 1_000_001), "Transfer-Encoding: chunked").want("too large, unannounced", refused(413, 3, "Body over 1000000 bytes, the maxPayload of the handshake"))
			d.post("just as large as allowed", strings.Repeat("4", 1_000_000))
			d.wantEnd(0, "")
		}},
		{"a POST of application/octet-stream", nil, func(d *dialogue) {
			d.open()
			d.begin("POST", session, "4x", "Content-Type: application/octet-stream").want("binary bodies are of version 3", refused(400, 3, "Bad request"))
			d.wantEnd(0, engineio.TransportError)
		}},
		{"no pong by polling", nil, func(d *dialogue) {
			d.open()
			began := time.Now()
			d.get("the ping", "2")
			q := d.begin("GET", session, "")
			q.want("the end", ok("1"))
			d.wantTook("the end", began, 45*time.Second)
			d.wantEnd(0, engineio.PingTimeout)
		}},
		{"no pong by WebSocket", nil, func(d *dialogue) {
			c := d.openWebSocket()
			c.Want("the ping", "81 01 | '2'")
			began := time.Now()
			c.WantClose("the end", ws.CodePolicyViolation, "ping timeout")
			d.wantTook("the end", began, 20*time.Second)
			d.wantEnd(0, engineio.PingTimeout)
		}},
		{"another packet gives the pong more time, once", nil, func(d *dialogue) {
			c := d.openWebSocket()
			c.Want("the ping", "81 01 | '2'")
			began := time.Now()
			time.Sleep(19 * time.Second)
			c.text("4a")
			c.wantText("the echo", "4a")
			time.Sleep(19 * time.Second)
			c.text("4b")
			c.wantText("the echo", "4b")
			c.WantClose("the end", ws.CodePolicyViolation, "ping timeout")
			d.wantTook("the end", began, 39*time.Second)
		}},
		{"the server closes by polling", nil, func(d *dialogue) {
			d.open()
			q := d.begin("GET", session, "")
			d.socket(0).Close()
			q.want("the request that waited", ok("1"))
			d.wantEnd(0, engineio.ForcedClose)
			d.wantGone()
		}},
		{"the server closes while no request waits", nil, func(d *dialogue) {
			d.open()
			s := d.socket(0)
			s.Send(engineio.Text("last words"))
			s.Close()
			d.wantEnd(0, engineio.ForcedClose)
			d.post("a message that crossed it", "4late")
			d.get("what was queued, and the end", "4last words\x1e1")
			d.wantGone()
		}},
		{"the server closes and the client does not come", nil, func(d *dialogue) {
			d.open()
			d.socket(0).Close()
			time.Sleep(30 * time.Second)
			synctest.Wait() // for what ends the session at this very moment
			d.wantGone()
		}},
		{"the server closes a WebSocket", nil, func(d *dialogue) {
			c, s := d.connect()
			s.Send(engineio.Text("last"), engineio.Binary([]byte("words")))
			s.Close()
			c.Want("what was queued, and the end", "81 05 | '4last' | 82 05 | 'words' | 88 02 | 03e8")
			d.wantEnd(0, engineio.ForcedClose)
		}},
		{"the server closes during the upgrade", nil, func(d *dialogue) {
			d.open()
			c := d.probe()
			s := d.socket(0)
			s.Send(engineio.Text("last words"))
			s.Close()
			c.WantIdle("the client has not moved yet, but will")
			c.text("5")
			c.wantText("what was queued", "4last words")
			c.WantClose("the end", ws.CodeNormal, "")
		}},
		{"the server closes during the upgrade with nothing to say", nil, func(d *dialogue) {
			d.open()
			c := d.probe()
			d.socket(0).Close()
			c.text("5")
			c.WantClose("the end", ws.CodeNormal, "")
		}},
		{"the server closes before the probe", nil, func(d *dialogue) {
			d.open()
			c := d.dial(upgrading)
			s := d.socket(0)
			s.Send(engineio.Text("last words"))
			s.Close()
			began := time.Now()
			c.WantClose("no upgrade any more", ws.CodePolicyViolation, "upgrade not done")
			d.wantTook("the end", began, 0)
			d.get("what was queued, and the end", "4last words\x1e1")
		}},
		{"the client closes during the upgrade", nil, func(d *dialogue) {
			d.open()
			c := d.probe()
			d.post("close", "1")
			began := time.Now()
			c.WantClose("no upgrade any more", ws.CodePolicyViolation, "upgrade not done")
			d.wantTook("the end", began, 0)
			d.wantEnd(0, engineio.TransportClose)
		}},
		{"the server closes a WebSocket that takes nothing", &engineio.Options{WebSocket: wsnet.ServerOptions{Options: wsnet.Options{WriteTimeout: -1}}}, func(d *dialogue) {
			_, s := d.connect()
			s.Send(engineio.Binary(make([]byte, 1<<20))) // more than the pipe takes
			s.Close()
			time.Sleep(29 * time.Second)
			if n := d.srv.Count(); n != 1 {
				d.t.Errorf("%d sessions; there are 30 s to deliver what is queued", n)
			}
			time.Sleep(2 * time.Second)
			if n := d.srv.Count(); n != 0 {
				d.t.Errorf("%d sessions after CloseTimeout", n)
			}
		}},
	} {
		t.Run(row.name, func(t *testing.T) { talk(t, row.o, nil, row.play) })
	}
}
