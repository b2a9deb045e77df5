package engineio_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"framewright/engineio"
)

// taker is a Receiver that gives each message to f.
type taker struct {
	d   *dialogue
	ctx context.Context
	s   *engineio.Socket
	f   func(ctx context.Context, s *engineio.Socket, text string) error
}

func (r *taker) Message(m engineio.Message) error { return r.f(r.ctx, r.s, string(m.Data)) }
func (r *taker) Ended(err error) error            { return r.d.ended(err) }

// receive is talk with a server whose sessions are takers.
func receive(t *testing.T, o *engineio.Options, f func(ctx context.Context, s *engineio.Socket, text string) error, play func(d *dialogue)) {
	t.Helper()
	talkTo(t, &http.Server{}, o, func(d *dialogue, o *engineio.Options) (*engineio.Server, error) {
		return engineio.NewReceiverServer(func(ctx context.Context, s *engineio.Socket) engineio.Receiver {
			d.opened(s)
			return &taker{d, ctx, s, f}
		}, o)
	}, play)
}

// TestReceiver: messages come in order, and across an upgrade.
func TestReceiver(t *testing.T) {
	receive(t, nil, sendBack, func(d *dialogue) {
		d.open()
		d.post("over polling", "4one\x1e4two")
		d.get("both", "4one\x1e4two")
		c := d.probe()
		c.text("5")
		for _, text := range []string{"4three", "4four"} {
			c.text(text)
			c.wantText("over the WebSocket", text)
		}
		c.text("1")
		d.wantEnd(0, engineio.TransportClose)
		if log := d.logged(); strings.Contains(log, "ERROR") {
			t.Error(log)
		}
	})
}

// TestReceiverEnds: it hears of the end once, with one reason, after its last message,
// and Shutdown waits for it.
func TestReceiverEnds(t *testing.T) {
	for _, row := range []struct {
		name string
		f    func(ctx context.Context, s *engineio.Socket, text string) error
		body string
		end  engineio.Reason
		err  string // of Ended
		log  string
	}{
		{"it fails", func(context.Context, *engineio.Socket, string) error { return errors.New("out of ink") }, "4one\x1e4two", engineio.ForcedClose, "out of ink", "out of ink"},
		{"it panics", func(context.Context, *engineio.Socket, string) error { panic("out of paper") }, "4one\x1e4two", engineio.ForcedClose, "panic: out of paper", "out of paper"},
		{"the client goes", func(context.Context, *engineio.Socket, string) error { return nil }, "4one\x1e1", engineio.TransportClose, "transport close", ""},
		{"this side closes", func(_ context.Context, s *engineio.Socket, _ string) error { s.Close(); return nil }, "4one\x1e4two", engineio.ForcedClose, "forced close", ""},
		{"at work meanwhile", func(_ context.Context, s *engineio.Socket, _ string) error {
			s.Close()
			time.Sleep(time.Second)
			return errors.New("out of time")
		}, "4one\x1e4two", engineio.ForcedClose, "out of time", "out of time"},
	} {
		t.Run(row.name, func(t *testing.T) {
			calls := 0
			receive(t, nil, func(ctx context.Context, s *engineio.Socket, text string) error {
				calls++
				return row.f(ctx, s, text)
			}, func(d *dialogue) {
				d.open()
				d.begin("POST", session, row.body)
				time.Sleep(2 * time.Second)
				d.wantEnd(0, row.end)
				d.mu.Lock()
				if len(d.ends) != 1 || d.ends[0] == nil || !strings.Contains(d.ends[0].Error(), row.err) {
					t.Errorf("Ended was told %v, want %q", d.ends, row.err)
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

// TestNoReceiver: a session for which there is none is closed, and so is one whose
// receiver could not be made.
func TestNoReceiver(t *testing.T) {
	for _, row := range []struct {
		name   string
		opened func(context.Context, *engineio.Socket) engineio.Receiver
		log    string
	}{
		{"none", func(context.Context, *engineio.Socket) engineio.Receiver { return nil }, "has returned no receiver"},
		{"a panic", func(context.Context, *engineio.Socket) engineio.Receiver { panic("out of paper") }, "out of paper"},
	} {
		t.Run(row.name, func(t *testing.T) {
			talkTo(t, &http.Server{}, nil, func(d *dialogue, o *engineio.Options) (*engineio.Server, error) {
				return engineio.NewReceiverServer(func(ctx context.Context, s *engineio.Socket) engineio.Receiver {
					d.opened(s)
					return row.opened(ctx, s)
				}, o)
			}, func(d *dialogue) {
				d.open()
				synctest.Wait()
				d.wantEnd(0, engineio.ForcedClose)
				if log := d.logged(); !strings.Contains(log, row.log) {
					t.Errorf("want %q in the log:\n%s", row.log, log)
				}
			})
		})
	}
}
