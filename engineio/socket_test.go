package engineio_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"framewright/engineio"
	"framewright/ws"
)

// wait is a handler that leaves the talking to the test.
func wait(ctx context.Context, s *engineio.Socket) error {
	<-ctx.Done()
	return context.Cause(ctx)
}

func prepare(t *testing.T, messages ...engineio.Message) *engineio.Prepared {
	t.Helper()
	p, err := engineio.Prepare(messages...)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// wantUndecodable states that a POST of body ends a session.
func (d *dialogue) wantUndecodable(body string) {
	d.t.Helper()
	d.open()
	d.begin("POST", session, body).want("refused", refused(400, 3, "Bad request"))
	d.wantEnd(0, engineio.ParseError)
}

// TestUndecodable: each ends the session, over either transport.
func TestUndecodable(t *testing.T) {
	for _, row := range []struct{ name, packet string }{
		{"an empty packet", ""},
		{"a type above 6", "7"},
		{"a letter", "x"},
		{"a quote", `"4`},
		{"bad base64", "b!"},
		{"base64 that ends early", "bAQI"},
		{"base64 without padding", "bAQ"},
		{"base64 with a line end", "bAQID\nBA=="},
		{"base64 with bits left over", "bAR=="},
	} {
		t.Run(row.name, func(t *testing.T) {
			talk(t, nil, nil, func(d *dialogue) {
				d.open()
				q := d.poll()
				d.begin("POST", session, row.packet).want("refused", refused(400, 3, "Bad request"))
				q.want("the request that waited", ok("1"))
				d.wantEnd(0, engineio.ParseError)
				d.wantGone()
			})
			talk(t, nil, nil, func(d *dialogue) {
				c, _ := d.connect()
				c.text(row.packet)
				c.WantClose("refused", ws.CodePolicyViolation, "parse error")
				d.wantEnd(0, engineio.ParseError)
			})
		})
	}
	t.Run("behind good packets, which are received", func(t *testing.T) {
		talk(t, nil, nil, func(d *dialogue) {
			d.wantUndecodable("4a\x1e4b\x1e9\x1e4c")
		})
		var got []string
		talk(t, nil, func(ctx context.Context, s *engineio.Socket) error {
			for {
				m, err := s.Receive(ctx)
				if err != nil {
					return err
				}
				got = append(got, string(m.Data))
			}
		}, func(d *dialogue) {
			d.wantUndecodable("4a\x1e4b\x1e9\x1e4c")
		})
		if want := []string{"a", "b"}; !slices.Equal(got, want) {
			t.Errorf("received %q, want %q", got, want)
		}
	})
	t.Run("text that is not UTF-8 by POST", func(t *testing.T) {
		talk(t, nil, nil, func(d *dialogue) {
			d.wantUndecodable("4\xff")
		})
	})
	t.Run("a separator at the end", func(t *testing.T) {
		talk(t, nil, nil, func(d *dialogue) {
			d.wantUndecodable("4a\x1e")
		})
	})
}

// TestMeaningless: packets that a client has no reason to send.
func TestMeaningless(t *testing.T) {
	for _, packet := range []string{"0", "3", "3probe", "5", "6", `0{"sid":"x"}`} {
		talk(t, nil, nil, func(d *dialogue) {
			c, _ := d.connect()
			c.text(packet)
			c.text("4still here")
			c.wantText(packet+" does no harm", "4still here")
		})
	}
	for _, packet := range []string{"2", "2probe"} {
		talk(t, nil, nil, func(d *dialogue) {
			c, _ := d.connect()
			c.text(packet)
			c.WantClose("pings are the server's", ws.CodePolicyViolation, "transport error")
			d.wantEnd(0, engineio.TransportError)
		})
	}
}

func TestSendErrors(t *testing.T) {
	talk(t, &engineio.Options{QueueBytes: 1000}, wait, func(d *dialogue) {
		d.open()
		s := d.socket(0)
		for _, row := range []struct {
			m    engineio.Message
			want error
		}{
			{engineio.Text("\xff"), engineio.ErrNotUTF8},
			{engineio.Text("a\x1eb"), engineio.ErrSeparator},
			{engineio.Text(strings.Repeat("x", 1000)), engineio.ErrTooLarge},
		} {
			if err := s.Send(engineio.Text("good"), row.m); !errors.Is(err, row.want) {
				t.Errorf("%.10q: %v, want %v", row.m.Data, err, row.want)
			}
		}
		if _, err := engineio.Prepare(engineio.Text("\xff")); !errors.Is(err, engineio.ErrNotUTF8) {
			t.Error(err)
		}
		if err := s.SendPrepared(prepare(t, engineio.Text("a\x1eb"))); !errors.Is(err, engineio.ErrSeparator) {
			t.Error(err)
		}
		if err := s.Send(engineio.Binary([]byte("a\x1eb\xff"))); err != nil {
			t.Error(err)
		}
		d.get("only what was good", "bYR5i/w==")
		s.Close()
		if err := s.Send(engineio.Text("late")); err != s.Err() || err == nil {
			t.Errorf("after the end: %v, want %v", err, s.Err())
		}
		if err := s.SendPrepared(prepare(t, engineio.Text("late"))); err != s.Err() {
			t.Errorf("after the end: %v, want %v", err, s.Err())
		}
		if s.SendVolatile(prepare(t, engineio.Text("late"))) {
			t.Error("a volatile message was sent after the end")
		}
		if err := s.Ready(d.t.Context()); err != s.Err() {
			t.Errorf("after the end: %v, want %v", err, s.Err())
		}
	})
	talk(t, &engineio.Options{Transports: []string{engineio.WebSocket}}, wait, func(d *dialogue) {
		c, s := d.connect()
		if err := s.Send(engineio.Text("a\x1eb")); err != nil {
			t.Error(err)
		}
		c.wantText("no payload to split", "4a\x1eb")
	})
}

// TestSendKeepsNothing: what is sent may be changed afterwards.
func TestSendKeepsNothing(t *testing.T) {
	talk(t, nil, wait, func(d *dialogue) {
		d.open()
		s := d.socket(0)
		text, binary := []byte("text"), []byte("data")
		p := prepare(t, engineio.Message{Data: text}, engineio.Binary(binary))
		s.Send(engineio.Message{Data: text}, engineio.Binary(binary))
		s.SendPrepared(p)
		copy(text, "????")
		copy(binary, "????")
		d.get("as it was", "4text\x1ebZGF0YQ==\x1e4text\x1ebZGF0YQ==")
	})
}

func TestVolatile(t *testing.T) {
	talk(t, nil, wait, func(d *dialogue) {
		d.open()
		s := d.socket(0)
		p := prepare(t, engineio.Text("now"), engineio.Binary([]byte{1}))
		if s.SendVolatile(p) {
			t.Error("sent, though no request waits")
		}
		q := d.begin("GET", session, "")
		q.waits("nothing was queued")
		if !s.SendVolatile(p) {
			t.Error("not sent, though a request waits")
		}
		q.want("the request that waited", ok("4now\x1ebAQ=="))
		s.Send(engineio.Text("queued"))
		if s.SendVolatile(p) {
			t.Error("sent, though something else waits")
		}
		d.get("what was queued", "4queued")
	})
	talk(t, nil, wait, func(d *dialogue) {
		c, s := d.connect()
		if !s.SendVolatile(prepare(t, engineio.Text("now"))) {
			t.Error("not sent, though the WebSocket is idle")
		}
		c.wantText("now", "4now")
		big := engineio.Binary(make([]byte, 1<<20)) // more than the pipe takes
		s.Send(big)
		synctest.Wait()
		if s.SendVolatile(prepare(t, engineio.Text("now"))) {
			t.Error("sent, though the WebSocket is busy")
		}
		c.ReadFrame("the big one")
		c.WantIdle("nothing else")
	})
}

// TestSlowClient: what waits for a client is bounded, and then it ends.
func TestSlowClient(t *testing.T) {
	o := &engineio.Options{QueueBytes: 300 << 10}
	fill := func(d *dialogue, s *engineio.Socket) {
		var err error
		n := 0
		for ; err == nil && n < 1000; n++ {
			err = s.Send(engineio.Binary(make([]byte, 10<<10)))
			synctest.Wait()
		}
		if e, ok := errors.AsType[*engineio.CloseError](err); !ok || e.Reason != engineio.SlowClient {
			d.t.Errorf("after %d messages: %v", n, err)
		}
		if n < 29 || n > 50 {
			d.t.Errorf("%d messages of 10 KiB waited or went into a pipe of 64 KiB; QueueBytes is 300 KiB", n)
		}
		d.wantEnd(0, engineio.SlowClient)
	}
	t.Run("polling", func(t *testing.T) {
		talk(t, o, wait, func(d *dialogue) {
			d.open()
			fill(d, d.socket(0))
			d.wantGone()
		})
	})
	t.Run("websocket", func(t *testing.T) {
		talk(t, o, wait, func(d *dialogue) {
			_, s := d.connect()
			fill(d, s)
			time.Sleep(5 * time.Second) // wsnet.Options.CloseTimeout
			synctest.Wait()
			if n := d.srv.Count(); n != 0 {
				t.Errorf("%d sessions", n)
			}
		})
	})
}

func TestReady(t *testing.T) {
	talk(t, &engineio.Options{QueueBytes: 1000}, wait, func(d *dialogue) {
		d.open()
		s := d.socket(0)
		s.Send(engineio.Text(strings.Repeat("x", 600)))
		ready := make(chan error, 1)
		go func() { ready <- s.Ready(d.t.Context()) }()
		synctest.Wait()
		select {
		case err := <-ready:
			t.Errorf("ready while more than half of the queue is taken: %v", err)
		default:
		}
		ctx, cancel := context.WithTimeoutCause(d.t.Context(), time.Second, errors.New("mine"))
		defer cancel()
		if err := s.Ready(ctx); err == nil || err.Error() != "mine" {
			t.Errorf("got %v, want the context's cause", err)
		}
		d.get("what waited", "4"+strings.Repeat("x", 600))
		if err := <-ready; err != nil {
			t.Error(err)
		}

		s.Send(engineio.Text(strings.Repeat("x", 600)))
		go func() { ready <- s.Ready(d.t.Context()) }()
		synctest.Wait()
		s.Close()
		if err := <-ready; err != s.Err() || err == nil {
			t.Errorf("got %v, want the session's end, %v", err, s.Err())
		}
	})
	talk(t, nil, wait, func(d *dialogue) {
		c, s := d.connect()
		s.Send(engineio.Binary(make([]byte, 1<<20)), engineio.Binary(make([]byte, 1<<19)))
		ready := make(chan error, 1)
		go func() { ready <- s.Ready(d.t.Context()) }()
		synctest.Wait()
		select {
		case err := <-ready:
			t.Errorf("ready while more than half of the queue is taken: %v", err)
		default:
		}
		c.ReadFrame("the first")
		if err := <-ready; err != nil {
			t.Error(err)
		}
	})
}

func TestReceive(t *testing.T) {
	talk(t, nil, wait, func(d *dialogue) {
		c, s := d.connect()
		ctx, cancel := context.WithTimeout(d.t.Context(), time.Second)
		defer cancel()
		if _, err := s.Receive(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v, want the deadline", err)
		}
		c.text("4one")
		c.binary("0102")
		c.Close()
		synctest.Wait()
		// The session is over, its context too; what had come is there.
		for _, want := range []engineio.Message{engineio.Text("one"), engineio.Binary([]byte{1, 2})} {
			m, err := s.Receive(s.Context())
			if err != nil || m.Binary != want.Binary || !bytes.Equal(m.Data, want.Data) {
				t.Errorf("got %v, %v, want %v", m, err, want)
			}
		}
		if _, err := s.Receive(d.t.Context()); err != s.Err() || err == nil {
			t.Errorf("got %v, want %v", err, s.Err())
		}
	})
	talk(t, nil, wait, func(d *dialogue) {
		c, s := d.connect()
		c.text("4one")
		synctest.Wait()
		s.Close()
		if _, err := s.Receive(d.t.Context()); err != s.Err() || err == nil {
			t.Errorf("after its own Close: got %v, want %v", err, s.Err())
		}
	})
}

// TestHeldUp: a client whose messages are not received is held up, and not
// taken for dead meanwhile.
func TestHeldUp(t *testing.T) {
	o := &engineio.Options{MaxPayload: 1000}
	message := "4" + strings.Repeat("x", 500)
	// overfill opens a session by polling, fills its inbox, and begins a POST
	// for which there is no room.
	overfill := func(d *dialogue) *request {
		d.t.Helper()
		d.open0(o)
		d.post("one", message)
		d.post("two", message)
		return d.begin("POST", session, message)
	}
	receive := func(d *dialogue, n int) {
		d.t.Helper()
		s := d.socket(0)
		for range n {
			if _, err := s.Receive(d.t.Context()); err != nil {
				d.t.Fatal(err)
			}
		}
	}
	t.Run("polling", func(t *testing.T) {
		talk(t, o, wait, func(d *dialogue) {
			q := overfill(d)
			q.waits("the inbox is full")
			for range 6 {
				d.get("a ping", "2") // at 25 s, 45 s, and so on
			}
			q.waits("the inbox is full")
			receive(d, 3)
			q.want("the third", ok("ok"))
			d.post("the pong", "3")
			d.wantEnd(0, "")
		})
	})
	t.Run("websocket", func(t *testing.T) {
		talk(t, o, wait, func(d *dialogue) {
			c := d.dial("?EIO=4&transport=websocket")
			c.ReadFrame("open")
			for range 5 {
				c.text(message)
			}
			for range 6 {
				c.Want("a ping", "81 01 | '2'")
				c.text("3")
			}
			receive(d, 5)
			began := time.Now()
			c.Want("a ping", "81 01 | '2'")
			d.wantTook("a ping behind pongs that were read", began, 25*time.Second)
			d.wantEnd(0, "")
		})
	})
	t.Run("and let go just before its time", func(t *testing.T) {
		talk(t, o, wait, func(d *dialogue) {
			q := overfill(d)
			time.Sleep(45*time.Second - time.Millisecond)
			receive(d, 3)
			q.want("the third", ok("ok"))
			time.Sleep(time.Second)
			d.post("the pong", "3")
			d.wantEnd(0, "")
		})
	})
	t.Run("and the session closed", func(t *testing.T) {
		talk(t, o, wait, func(d *dialogue) {
			q := overfill(d)
			q.waits("the inbox is full")
			d.socket(0).Close()
			q.want("it came too late", ok("ok"))
			d.get("the end", "1")
		})
	})
	t.Run("a client that goes meanwhile", func(t *testing.T) {
		talk(t, o, wait, func(d *dialogue) {
			q := overfill(d)
			q.waits("the inbox is full")
			q.giveUp()
			d.wantEnd(0, engineio.TransportError)
		})
	})
}

func (d *dialogue) open0(o *engineio.Options) {
	d.t.Helper()
	d.begin("GET", handshake, "").want("the handshake", ok(strings.Replace(opened(sid1, `["websocket"]`), "1000000", fmt.Sprint(o.MaxPayload), 1)))
}

// TestLongMessage: a pong that is behind a message which takes its time is not
// missed.
func TestLongMessage(t *testing.T) {
	talk(t, nil, nil, func(d *dialogue) {
		c, _ := d.connect()
		time.Sleep(24 * time.Second)
		c.Send("81 89 | 00000000 | '4'")
		for range 8 {
			time.Sleep(3 * time.Second)
			c.Send("'x'")
		}
		c.Want("the ping, and another instead of the end", "81 01 | '2' | 81 01 | '2' | 81 09 | '4xxxxxxxx'")
		c.text("3")
		c.Want("the next ping", "81 01 | '2'")
		d.wantEnd(0, "")
	})
}

// TestHandlers: how a handler's end is the session's.
func TestHandlers(t *testing.T) {
	for _, row := range []struct {
		name    string
		handler func(context.Context, *engineio.Socket) error
		log     string
	}{
		{"returns", func(context.Context, *engineio.Socket) error { return nil }, ""},
		{"fails", func(context.Context, *engineio.Socket) error { return errors.New("out of ink") }, "out of ink"},
		{"panics", func(context.Context, *engineio.Socket) error { panic("out of paper") }, "out of paper"},
	} {
		t.Run(row.name, func(t *testing.T) {
			talk(t, nil, func(ctx context.Context, s *engineio.Socket) error {
				s.Send(engineio.Text("last words"))
				return row.handler(ctx, s)
			}, func(d *dialogue) {
				d.open()
				synctest.Wait()
				d.get("the end", "4last words\x1e1")
				d.wantEnd(0, engineio.ForcedClose)
				log := d.logged()
				if !strings.Contains(log, row.log) || row.log == "" && strings.Contains(log, "ERROR") {
					t.Errorf("want %q in the log:\n%s", row.log, log)
				}
			})
		})
	}
	t.Run("returns the session's end, which is not logged", func(t *testing.T) {
		talk(t, nil, nil, func(d *dialogue) {
			d.open()
			d.post("close", "1")
			d.wantEnd(0, engineio.TransportClose)
			if log := d.logged(); strings.Contains(log, "ERROR") {
				t.Error(log)
			}
		})
	})
}

func TestShutdown(t *testing.T) {
	talk(t, nil, nil, func(d *dialogue) {
		d.open() // and no request waits
		c := d.dial("?EIO=4&transport=websocket")
		c.wantText("open", opened(sid2, "[]"))
		done := make(chan error, 1)
		go func() { done <- d.srv.Shutdown(context.Background()) }()
		c.WantClose("goes away", ws.CodeGoingAway, "server shutting down")
		c.frame(ws.OpClose, []byte{0x03, 0xe9})
		d.begin("GET", handshake, "").want("no more", refused(503, 4, "the server is shutting down", "Retry-After: 5"))
		synctest.Wait()
		select {
		case err := <-done:
			t.Errorf("done while a session has not heard of it: %v", err)
		default:
		}
		d.get("the end", "1")
		if err := <-done; err != nil {
			t.Error(err)
		}
		d.wantEnd(0, engineio.ServerShutdown)
		d.wantEnd(1, engineio.ServerShutdown)
		if err := d.srv.Shutdown(context.Background()); err != nil {
			t.Error("again:", err)
		}
	})
	t.Run("cut", func(t *testing.T) {
		talk(t, nil, nil, func(d *dialogue) {
			d.open()
			c := d.dial("?EIO=4&transport=websocket") // will not answer a Close
			c2 := d.dial(upgrading)
			synctest.Wait()
			ctx, cancel := context.WithTimeout(context.Background(), time.Second)
			defer cancel()
			if err := d.srv.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) {
				t.Error(err)
			}
			synctest.Wait()
			if n := d.srv.Count(); n != 0 {
				t.Errorf("%d sessions", n)
			}
			_, _ = c, c2
		})
	})
}
