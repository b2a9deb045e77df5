package engineio_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"framewright/engineio"
)

// each is a handler that begins after delay, and gives f's messages back as
// they came.
func each(delay time.Duration, f func(ctx context.Context, s *engineio.Socket, text string) error) func(context.Context, *engineio.Socket) error {
	return func(ctx context.Context, s *engineio.Socket) error {
		time.Sleep(delay)
		return s.Each(func(m engineio.Message) error { return f(ctx, s, string(m.Data)) })
	}
}

func sendBack(_ context.Context, s *engineio.Socket, text string) error {
	return s.Send(engineio.Text(text))
}

// TestEach: messages come in order, those from before Each as well, and across
// an upgrade.
func TestEach(t *testing.T) {
	talk(t, nil, each(time.Second, sendBack), func(d *dialogue) {
		d.open()
		d.post("before Each", "4one\x1e4two")
		time.Sleep(2 * time.Second)
		synctest.Wait()
		d.post("after it", "4three\x1e3\x1e4four")
		d.get("all", "4one\x1e4two\x1e4three\x1e4four")
		c := d.probe()
		c.text("5")
		for _, text := range []string{"4five", "4six"} {
			c.text(text)
		}
		for _, text := range []string{"4five", "4six"} {
			c.wantText("over the WebSocket", text)
		}
		c.text("1")
		d.wantEnd(0, engineio.TransportClose)
		if log := d.logged(); strings.Contains(log, "ERROR") {
			t.Error(log)
		}
	})
}

// TestEachHoldsUp: while the function is at work nothing more is read, there is
// no queue, and the client is not taken for dead.
func TestEachHoldsUp(t *testing.T) {
	// hold runs play with a function that gives each message to taken.
	hold := func(t *testing.T, web *http.Server, play func(d *dialogue, taken chan string)) {
		t.Helper()
		var taken chan string
		talkThrough(t, web, nil, each(0, func(ctx context.Context, _ *engineio.Socket, text string) error {
			select {
			case taken <- text:
			case <-ctx.Done():
			}
			return nil
		}), func(d *dialogue) {
			taken = make(chan string) // of the bubble
			play(d, taken)
		})
	}
	t.Run("polling", func(t *testing.T) {
		hold(t, &http.Server{}, func(d *dialogue, taken chan string) {
			d.open()
			synctest.Wait() // it has begun
			q := d.begin("POST", session, "4one\x1e4two")
			for range 6 {
				d.get("a ping", "2") // at 25 s, 45 s, and so on
			}
			q.waits("the first is at work")
			if got := <-taken; got != "one" {
				t.Errorf("got %q, want the first", got)
			}
			q.waits("the second is at work")
			<-taken
			q.want("both were taken", ok("ok"))
			d.post("the pong", "3")
			d.wantEnd(0, "")
		})
	})
	t.Run("websocket", func(t *testing.T) {
		hold(t, &http.Server{}, func(d *dialogue, taken chan string) {
			c, _ := d.connect()
			c.text("4one")
			for range 6 {
				c.Want("a ping", "81 01 | '2'")
				c.text("3")
			}
			<-taken
			began := time.Now()
			c.Want("a ping", "81 01 | '2'")
			d.wantTook("a ping behind pongs that were read", began, 25*time.Second)
			d.wantEnd(0, "")
		})
	})
	t.Run("and let go just before its time", func(t *testing.T) {
		hold(t, &http.Server{}, func(d *dialogue, taken chan string) {
			d.open()
			time.Sleep(24 * time.Second)
			q := d.begin("POST", session, "4one") // the ping is a second later
			time.Sleep(21*time.Second - time.Millisecond)
			<-taken
			q.want("one", ok("ok"))
			time.Sleep(time.Second)
			d.post("the pong", "3")
			d.wantEnd(0, "")
			time.Sleep(46 * time.Second)
			d.wantEnd(0, engineio.PingTimeout) // and it has no time for ever
		})
	})
	t.Run("behind a ping, and let go just before its time", func(t *testing.T) {
		hold(t, &http.Server{}, func(d *dialogue, taken chan string) {
			d.open()
			time.Sleep(26 * time.Second)
			q := d.begin("POST", session, "4one") // the ping was a second ago; this gives it 20 s anew
			time.Sleep(20*time.Second - time.Millisecond)
			<-taken
			q.want("one", ok("ok"))
			time.Sleep(time.Second)
			d.post("the pong", "3")
			d.wantEnd(0, "")
		})
	})
	t.Run("longer than an answer may take", func(t *testing.T) {
		hold(t, &http.Server{WriteTimeout: 5 * time.Second}, func(d *dialogue, taken chan string) {
			d.open()
			synctest.Wait()
			q := d.begin("POST", session, "4one")
			time.Sleep(20 * time.Second)
			<-taken
			q.want("late, and answered", ok("ok"))
			d.wantEnd(0, "")
		})
	})
	t.Run("an upgrade", func(t *testing.T) {
		hold(t, &http.Server{}, func(d *dialogue, taken chan string) {
			d.open()
			synctest.Wait()
			q := d.begin("POST", session, "4one")
			c := d.probe()
			time.Sleep(19 * time.Second) // it may take ten
			<-taken
			q.want("the POST that the client waits for", ok("ok"))
			c.text("5")
			c.text("4two")
			if got := <-taken; got != "two" {
				t.Errorf("got %q over the WebSocket", got)
			}
			d.wantEnd(0, "")
		})
	})
}

// TestEachEnds: it returns one reason, and not while its function is at work.
func TestEachEnds(t *testing.T) {
	for _, row := range []struct {
		name string
		f    func(ctx context.Context, s *engineio.Socket, text string) error
		body string
		end  engineio.Reason
		err  string // of Each
		log  string
	}{
		{"the function fails", func(context.Context, *engineio.Socket, string) error { return errors.New("out of ink") }, "4one\x1e4two", engineio.ForcedClose, "out of ink", "out of ink"},
		{"it panics", func(context.Context, *engineio.Socket, string) error { panic("out of paper") }, "4one\x1e4two", engineio.ForcedClose, "panic: out of paper", "out of paper"},
		{"the client goes", func(context.Context, *engineio.Socket, string) error { return nil }, "4one\x1e1", engineio.TransportClose, "transport close", ""},
		{"this side closes", func(_ context.Context, s *engineio.Socket, _ string) error { s.Close(); return nil }, "4one\x1e4two", engineio.ForcedClose, "forced close", ""},
		{"this side aborts", func(_ context.Context, s *engineio.Socket, _ string) error {
			s.Abort(errors.New("enough"))
			return s.Err()
		}, "4one\x1e4two", engineio.Flood, "enough", ""},
	} {
		for _, delay := range []time.Duration{0, time.Second} { // which calls the function: the transport, or Each
			t.Run(row.name, func(t *testing.T) {
				calls := 0
				talk(t, nil, each(delay, func(ctx context.Context, s *engineio.Socket, text string) error {
					calls++
					return row.f(ctx, s, text)
				}), func(d *dialogue) {
					d.open()
					synctest.Wait()
					d.begin("POST", session, row.body)
					time.Sleep(2 * time.Second)
					d.wantEnd(0, row.end)
					d.mu.Lock()
					if len(d.ends) != 1 || d.ends[0] == nil || !strings.Contains(d.ends[0].Error(), row.err) {
						t.Errorf("Each returned %v, want %q", d.ends, row.err)
					}
					d.mu.Unlock()
					if calls != 1 {
						t.Errorf("%d calls, want the first alone", calls)
					}
					if log := d.logged(); !strings.Contains(log, row.log) || row.log == "" && strings.Contains(log, "ERROR") {
						t.Errorf("want %q in the log:\n%s", row.log, log)
					}
				})
			})
		}
	}
	t.Run("while the function is at work", func(t *testing.T) {
		working := false
		var returned atomic.Bool
		talk(t, nil, func(ctx context.Context, s *engineio.Socket) error {
			err := s.Each(func(engineio.Message) error {
				working = true
				time.Sleep(time.Minute)
				working = false
				return nil
			})
			if working {
				t.Error("Each has returned, and its function is at work")
			}
			returned.Store(true)
			return err
		}, func(d *dialogue) {
			c, _ := d.connect()
			c.text("4one")
			synctest.Wait()
			d.socket(0).Close()
			synctest.Wait()
			if returned.Load() {
				t.Error("Each has returned")
			}
			time.Sleep(time.Minute)
			synctest.Wait()
			if !returned.Load() {
				t.Error("Each has not returned")
			}
		})
	})
}
