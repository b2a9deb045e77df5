package engineio_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"framewright/engineio"
	"framewright/ws"
	"framewright/ws/wsnet"
)

// TestUpgradeUnderLoad: both sides count while clients move from polling to a
// WebSocket at some moment, and neither misses a number or gets one twice.
func TestUpgradeUnderLoad(t *testing.T) {
	const sessions, count = 20, 2000
	talk(t, nil, func(ctx context.Context, s *engineio.Socket) error {
		go func() {
			for i := range count {
				if s.Ready(ctx) != nil || s.Send(numbered(i)) != nil {
					return
				}
				if rand.IntN(20) == 0 {
					time.Sleep(time.Millisecond)
				}
			}
		}()
		for i := range count {
			m, err := s.Receive(ctx)
			if want := numbered(i); err != nil || string(m.Data) != string(want.Data) || m.Binary != want.Binary {
				return fmt.Errorf("message %d is %q, %v", i, m.Data, err)
			}
		}
		<-ctx.Done()
		return context.Cause(ctx)
	}, func(d *dialogue) {
		var clients sync.WaitGroup
		for i := range sessions {
			sid := fmt.Sprintf("%020d", i+1)
			d.begin("GET", handshake, "").want("open", ok(opened(sid, `["websocket"]`)))
			clients.Go(func() {
				c := &counter{d: d, query: "&sid=" + sid, count: count}
				if err := c.run(); err != nil {
					t.Errorf("client %d: %v", i, err)
				}
			})
		}
		clients.Wait()
		synctest.Wait()
		for i := range sessions {
			d.wantEnd(i, engineio.TransportClose)
		}
		if log := d.logged(); strings.Contains(log, "ERROR") {
			t.Error(log)
		}
	})
}

func numbered(i int) engineio.Message {
	m := engineio.Text(strconv.Itoa(i))
	m.Binary = i%3 == 0
	return m
}

// A counter is a client that plays by the rules.
type counter struct {
	d     *dialogue
	query string
	count int
	next  int // number to come
}

func (c *counter) run() error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
	defer cancel()

	// Some rounds by polling, with the POSTs beside the GETs.
	sent := 0
	post := func() error {
		var packets []string
		for range 1 + rand.IntN(20) {
			if sent < c.count/2 {
				packets = append(packets, wire(sent))
				sent++
			}
		}
		if packets == nil {
			return nil
		}
		q := c.d.begin("POST", "?EIO=4&transport=polling"+c.query, strings.Join(packets, "\x1e"))
		if <-q.done; q.got != ok("ok") {
			return fmt.Errorf("POST: %s", q.got)
		}
		return nil
	}
	get := func() error {
		q := c.d.begin("GET", "?EIO=4&transport=polling"+c.query, "")
		<-q.done
		_, body, _ := strings.Cut(q.got, "\n\n")
		for _, p := range strings.Split(body, "\x1e") {
			if err := c.take(p); err != nil {
				return err
			}
		}
		return nil
	}
	stop := make(chan struct{})
	polled, posted := make(chan error, 1), make(chan error, 1)
	loop := func(do func() error, done chan<- error) {
		for {
			select {
			case <-stop:
				done <- nil
				return
			default:
			}
			if err := do(); err != nil {
				done <- err
				return
			}
			time.Sleep(time.Millisecond)
		}
	}
	go loop(get, polled)
	go loop(post, posted)
	time.Sleep(time.Duration(rand.IntN(20)) * time.Millisecond)

	// The upgrade: probe, let both come to an end, move.
	conn, err := c.d.ln.Dial()
	if err != nil {
		return err
	}
	w, err := wsnet.NewClient(ctx, conn, "ws://server.test/engine.io/?EIO=4&transport=websocket"+c.query, nil)
	if err != nil {
		return err
	}
	defer w.CloseNow()
	if err := w.Write(ctx, ws.OpText, []byte("2probe")); err != nil {
		return err
	}
	if _, p, err := w.Read(ctx); err != nil || string(p) != "3probe" {
		return fmt.Errorf("the probe's answer is %q, %v", p, err)
	}
	close(stop)
	if err := <-polled; err != nil {
		return err
	}
	if err := <-posted; err != nil {
		return err
	}
	if err := w.Write(ctx, ws.OpText, []byte("5")); err != nil {
		return err
	}

	// The rest over the WebSocket.
	go func() {
		for ; sent < c.count; sent++ {
			m := numbered(sent)
			op, p := ws.OpBinary, m.Data
			if !m.Binary {
				op, p = ws.OpText, append([]byte{'4'}, p...)
			}
			if w.Write(ctx, op, p) != nil {
				return
			}
		}
	}()
	for c.next < c.count {
		op, p, err := w.Read(ctx)
		if err != nil {
			return fmt.Errorf("after %d messages: %w", c.next, err)
		}
		s := string(p)
		if op == ws.OpBinary {
			s = engineio.WireOf(engineio.Binary(p))
		}
		if err := c.take(s); err != nil {
			return err
		}
	}
	time.Sleep(time.Second) // until the server has all of ours
	return w.Close(ctx, ws.CodeNormal, "")
}

// take takes in a packet as it would stand in a payload.
func (c *counter) take(p string) error {
	switch p {
	case "6", "2":
		return nil
	}
	if want := wire(c.next); p != want {
		return fmt.Errorf("got %q, want %q", p, want)
	}
	c.next++
	return nil
}

func wire(i int) string { return engineio.WireOf(numbered(i)) }
