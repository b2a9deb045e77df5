package client

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"framewright/engineio"
	"framewright/ws"
	"framewright/ws/wstest"
)

// TestDialogue has a row for each thing that a server sees of the client, byte for byte.
func TestDialogue(t *testing.T) {
	for _, row := range []struct {
		name string
		o    Options
		play func(s *script)
	}{
		{"the handshake by polling", Options{}, func(s *script) {
			c := s.begin(helloAlone)
			if c.ID() != "abc" || c.Transport() != engineio.Polling {
				s.t.Errorf("session %q by %s", c.ID(), c.Transport())
			}
			s.get("it polls")
			s.wantNone("and nothing else")
		}},
		{"messages behind the open packet", Options{}, func(s *script) {
			c := s.begin(helloAlone + "\x1e4a\x1ebAQI=")
			want(s.t, c, engineio.Text("a"))
			want(s.t, c, engineio.Binary([]byte{1, 2}))
			s.get("it polls")
		}},
		{"the handshake by WebSocket", Options{Transports: []string{engineio.WebSocket}}, func(s *script) {
			x := s.next("the handshake", s.sockets, "/engine.io/?EIO=4&transport=websocket").accept101()
			x.frame(hello)
			c := s.conn()
			x.frame("2")
			x.wantText("a pong", "3")
			x.frame("4ü")
			x.write("\x82\x02\x01\x02")
			want(s.t, c, engineio.Text("ü"))
			want(s.t, c, engineio.Binary([]byte{1, 2}))
			c.Send(engineio.Text("a"), engineio.Binary([]byte{1, 2}))
			x.wantText("text", "4a")
			x.WantFrame("binary", wstest.Binary([]byte{1, 2}))
			s.wantNone("no upgrade of a WebSocket")
		}},
		{"messages by polling", Options{}, func(s *script) {
			c := s.begin(helloAlone)
			s.get("a GET").answer("4one\x1e4two €\x1ebAQIDBA==")
			want(s.t, c, engineio.Text("one"))
			want(s.t, c, engineio.Text("two €"))
			want(s.t, c, engineio.Binary([]byte{1, 2, 3, 4}))
			s.get("the next GET")
			c.Send(engineio.Text("x"))
			x := s.post("a POST")
			if x.body != "4x" || !strings.Contains(x.head, "Content-Type: text/plain;charset=UTF-8\r\n") {
				s.t.Errorf("%s%s", x.head, x.body)
			}
			c.Send(engineio.Text("y"), engineio.Binary([]byte{1}))
			s.wantNone("one POST at a time")
			x.answer("ok")
			s.wantPost("the rest", "4y\x1ebAQ==")
		}},
		{"no POST is larger than maxPayload", Options{}, func(s *script) {
			c := s.begin(strings.Replace(helloAlone, "1000", "10", 1))
			s.get("a GET")
			c.Send(engineio.Text("1"))
			x := s.post("a POST")
			c.Send(engineio.Text("2345"), engineio.Text("678"), engineio.Text("123456789"))
			x.answer("ok")
			s.wantPost("5 bytes, 1 and 4", "42345\x1e4678")
			s.wantPost("10 bytes", "4123456789")
			if err := c.Send(engineio.Text("1234567890")); !errors.Is(err, ErrTooLarge) {
				s.t.Error(err)
			}
			if err := c.Send(engineio.Binary(make([]byte, 7))); !errors.Is(err, ErrTooLarge) {
				s.t.Error(err)
			}
		}},
		{"a noop", Options{}, func(s *script) {
			s.begin(helloAlone)
			s.get("a GET").answer("6")
			s.get("the next")
		}},
		{"heartbeats by polling", Options{}, func(s *script) {
			c := s.begin(helloAlone)
			for range 3 {
				x := s.get("a GET")
				time.Sleep(25 * time.Second)
				x.answer("2")
				s.wantPost("a pong", "3")
			}
			if c.Err() != nil {
				s.t.Error(c.Err())
			}
		}},
		{"no ping by polling", Options{}, func(s *script) {
			began := time.Now()
			c := s.begin(helloAlone)
			s.get("a GET")
			wantEnd(s.t, c, engineio.PingTimeout, "nothing came from the server for 45s")
			if took := time.Since(began); took != 45*time.Second {
				s.t.Errorf("after %v", took)
			}
			s.wantNone("a server that is gone is not told")
		}},
		{"no ping by WebSocket", Options{Transports: []string{engineio.WebSocket}}, func(s *script) {
			x := s.next("the handshake", s.sockets, "/engine.io/?EIO=4&transport=websocket").accept101()
			x.frame(hello)
			c := s.conn()
			time.Sleep(40 * time.Second)
			x.frame("4a") // a sign of life, too
			time.Sleep(40 * time.Second)
			if c.Err() != nil {
				s.t.Error(c.Err())
			}
			wantEnd(s.t, c, engineio.PingTimeout, "45s")
		}},
		{"the upgrade", Options{}, func(s *script) {
			c := s.begin(hello)
			g := s.get("a GET")
			x := s.next("an upgrade", s.sockets, upgrade).accept101()
			x.wantText("the probe", "2probe")
			c.Send(engineio.Text("before"))
			p := s.post("polling goes on")
			c.Send(engineio.Text("while"))
			x.frame("3probe")
			x.WantIdle("a GET and a POST are under way")
			p.answer("ok")
			x.WantIdle("a GET is under way")
			g.answer("4last\x1e6")
			x.wantText("it moves", "5")
			x.wantText("what has waited", "4while")
			x.frame("4first")
			want(s.t, c, engineio.Text("last"))
			want(s.t, c, engineio.Text("first"))
			s.wantNone("no more polling")
			if c.Transport() != engineio.WebSocket {
				s.t.Error(c.Transport())
			}
		}},
		{"the upgrade waits for a POST", Options{}, func(s *script) {
			c := s.begin(hello)
			g := s.get("a GET")
			x := s.next("an upgrade", s.sockets, upgrade).accept101()
			x.wantText("the probe", "2probe")
			c.Send(engineio.Text("a"))
			p := s.post("polling goes on")
			x.frame("3probe")
			synctest.Wait()
			g.answer("6")
			x.WantIdle("a POST is under way")
			p.answer("ok")
			x.wantText("it moves", "5")
		}},
		{"the upgrade does not wait for the program", Options{MaxPayload: 1000}, func(s *script) {
			c := s.begin(hello)
			g := s.get("a GET")
			x := s.next("an upgrade", s.sockets, upgrade).accept101()
			x.wantText("the probe", "2probe")
			x.frame("3probe")
			synctest.Wait()
			texts := make([]string, 30) // as each counts 64 bytes more, half of them have to wait
			for i := range texts {
				texts[i] = fmt.Sprint("text ", i)
			}
			last := len(texts) - 1
			g.answer("4" + strings.Join(texts[:last], "\x1e4"))
			x.wantText("it moves", "5")
			x.frame("2")
			x.frame("4" + texts[last])
			x.WantIdle("what came by polling is before it, and waits")
			for _, text := range texts {
				want(s.t, c, engineio.Text(text))
			}
			x.wantText("a pong", "3")
		}},
		{"the upgrade is refused", Options{}, func(s *script) {
			c := s.begin(hello)
			s.next("an upgrade", s.sockets, upgrade).write(head("403 Forbidden", "text/plain", 2) + "no")
			s.get("polling goes on").answer("4a")
			want(s.t, c, engineio.Text("a"))
			e, ok := errors.AsType[*RefusedError](c.UpgradeErr())
			if !ok || e.Status != 403 || e.Message != "no" {
				s.t.Error(c.UpgradeErr())
			}
			s.get("and on")
		}},
		{"the probe is answered by something else", Options{}, func(s *script) {
			c := s.begin(hello)
			g := s.get("a GET")
			x := s.next("an upgrade", s.sockets, upgrade).accept101()
			x.wantText("the probe", "2probe")
			x.frame("3")
			g.answer("4a")
			want(s.t, c, engineio.Text("a"))
			s.get("polling goes on")
			if err := c.UpgradeErr(); err == nil || !strings.Contains(err.Error(), "3probe") {
				s.t.Error(err)
			}
		}},
		{"the upgrade hangs", Options{}, func(s *script) {
			c := s.begin(hello)
			g := s.get("a GET")
			x := s.next("an upgrade", s.sockets, upgrade).accept101()
			x.wantText("the probe", "2probe")
			x.frame("3probe") // and the GET is not answered
			synctest.Wait()
			c.Send(engineio.Text("waits"))
			time.Sleep(9 * time.Second)
			s.wantNone("a POST waits for the upgrade")
			time.Sleep(time.Second)
			s.wantPost("and goes by polling", "4waits")
			g.answer("4a")
			want(s.t, c, engineio.Text("a"))
			if !errors.Is(c.UpgradeErr(), errUpgradeTimeout) {
				s.t.Error(c.UpgradeErr())
			}
		}},
		{"the server closes by polling", Options{}, func(s *script) {
			c := s.begin(helloAlone)
			s.get("a GET").answer("4a\x1e1")
			want(s.t, c, engineio.Text("a"))
			wantEnd(s.t, c, engineio.TransportClose, "close packet")
			s.wantNone("it is over")
		}},
		{"the server closes a WebSocket", Options{Transports: []string{engineio.WebSocket}}, func(s *script) {
			x := s.next("the handshake", s.sockets, "/engine.io/?EIO=4&transport=websocket").accept101()
			x.frame(hello)
			c := s.conn()
			x.write("\x88\x02\x03\xe9")
			x.WantClose("the answer", ws.CodeGoingAway, "")
			x.Close()
			wantEnd(s.t, c, engineio.TransportClose, "1001")
		}},
		{"the server cuts a WebSocket", Options{Transports: []string{engineio.WebSocket}}, func(s *script) {
			x := s.next("the handshake", s.sockets, "/engine.io/?EIO=4&transport=websocket").accept101()
			x.frame(hello)
			c := s.conn()
			x.Reset()
			wantEnd(s.t, c, engineio.TransportClose, "")
		}},
		{"the session is not known any more", Options{}, func(s *script) {
			c := s.begin(helloAlone)
			body := `{"code":1,"message":"Session ID unknown"}`
			s.get("a GET").write(head("400 Bad Request", "application/json", len(body)) + body)
			wantEnd(s.t, c, engineio.TransportError, `400 Bad Request: "Session ID unknown" (code 1)`)
		}},
		{"Close by polling", Options{}, func(s *script) {
			c := s.begin(helloAlone)
			s.get("a GET")
			c.Send(engineio.Text("a"))
			closed := make(chan error)
			go func() { closed <- c.Close() }()
			s.wantPost("what was queued", "4a")
			s.wantPost("the end", "1")
			if err := <-closed; err != nil {
				s.t.Error(err)
			}
			wantEnd(s.t, c, engineio.ForcedClose, "")
			if err := c.Send(engineio.Text("b")); err != c.Err() {
				s.t.Error(err)
			}
		}},
		{"Close by WebSocket", Options{Transports: []string{engineio.WebSocket}}, func(s *script) {
			x := s.next("the handshake", s.sockets, "/engine.io/?EIO=4&transport=websocket").accept101()
			x.frame(hello)
			c := s.conn()
			c.Send(engineio.Text("a"))
			closed := make(chan error)
			go func() { closed <- c.Close() }()
			x.wantText("what was queued", "4a")
			x.WantClose("the end", ws.CodeNormal, "")
			x.write("\x88\x02\x03\xe8")
			if err := <-closed; err != nil {
				s.t.Error(err)
			}
		}},
		{"Close while the server takes nothing", Options{}, func(s *script) {
			c := s.begin(helloAlone)
			s.get("a GET")
			c.Send(engineio.Text("a"))
			s.post("it is not answered")
			began := time.Now()
			err := c.Close()
			if err == nil || !strings.Contains(err.Error(), "CloseTimeout") || time.Since(began) != 5*time.Second {
				s.t.Errorf("after %v: %v", time.Since(began), err)
			}
		}},
		{"Close during an upgrade", Options{}, func(s *script) {
			c := s.begin(hello)
			s.get("a GET")
			x := s.next("an upgrade", s.sockets, upgrade).accept101()
			x.wantText("the probe", "2probe")
			x.frame("3probe")
			synctest.Wait()
			closed := make(chan error)
			go func() { closed <- c.Close() }()
			s.wantPost("the end", "1")
			if err := <-closed; err != nil {
				s.t.Error(err)
			}
		}},
		{"what waits is bounded", Options{QueueBytes: 300}, func(s *script) {
			c := s.begin(helloAlone)
			s.get("a GET")
			big := engineio.Text(strings.Repeat("x", 100))
			if err := c.Send(big); err != nil {
				s.t.Fatal(err)
			}
			x := s.post("it is held up")
			if err := c.Send(big); !errors.Is(err, ErrFull) {
				s.t.Error(err)
			}
			if c.SendVolatile(engineio.Text("y")) {
				s.t.Error("volatile while something waits")
			}
			if err := c.Send(engineio.Text(strings.Repeat("x", 300))); !errors.Is(err, ErrTooLarge) {
				s.t.Error(err)
			}
			x.answer("ok")
			if err := c.Ready(s.t.Context()); err != nil {
				s.t.Error(err)
			}
			synctest.Wait()
			if !c.SendVolatile(engineio.Text("y")) {
				s.t.Error("volatile while nothing waits")
			}
			s.wantPost("volatile", "4y")
		}},
		{"a server that is held up is not dead", Options{MaxPayload: 1000}, func(s *script) {
			c := s.begin(helloAlone)
			for range 3 { // the third waits for Receive
				s.get("a GET").answer("4" + strings.Repeat("x", 900))
			}
			time.Sleep(time.Hour)
			s.wantNone("nothing more is read")
			if c.Err() != nil {
				s.t.Error(c.Err())
			}
			want(s.t, c, engineio.Text(strings.Repeat("x", 900)))
			s.get("and now it is")
		}},
	} {
		t.Run(row.name, func(t *testing.T) { plays(t, row.o, row.play) })
	}
}
