package client

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

// TestBackOff: the pauses between attempts double up to their bound, with a random half
// more or less, and end with the attempts.
func TestBackOff(t *testing.T) {
	plays(t, Options{MaxAttempts: 6}, notes, func(s *script) {
		x := s.in()
		before := time.Now()
		x.Reset()
		for i, most := range []time.Duration{1500, 3000, 6000, 7500, 7500, 7500} {
			conn, err := s.l.Accept()
			if err != nil {
				s.t.Fatal(err)
			}
			conn.Close()
			if d, most := time.Since(before), most*time.Millisecond; d < most/3 || d > most {
				s.t.Errorf("attempt %d after %v; want %v to %v", i+1, d, most/3, most)
			}
			before = time.Now()
		}
		if err := s.c.Wait(s.t.Context()); !errors.Is(err, ErrGaveUp) {
			s.t.Error(err)
		}
		if err := s.c.Emit("e"); !errors.Is(err, ErrClosed) {
			s.t.Error(err)
		}
	})
}

// TestDelay: no two clients wait equally long, or a server that was away had them all at
// once.
func TestDelay(t *testing.T) {
	o := Options{ReconnectDelay: time.Second, ReconnectDelayMax: time.Minute}
	for try, d := range map[int]time.Duration{1: time.Second, 2: 2 * time.Second, 6: 32 * time.Second, 7: time.Minute, 62: time.Minute, 1000: time.Minute} {
		seen := map[time.Duration]bool{}
		for range 100 {
			got := o.delay(try)
			if got < d/2 || got > d/2+d {
				t.Fatalf("attempt %d after %v; want %v to %v", try, got, d/2, d/2+d)
			}
			seen[got] = true
		}
		if len(seen) < 50 {
			t.Errorf("attempt %d: %d delays of 100 calls", try, len(seen))
		}
	}
}

// TestMoreThanTheQueueTakes: what has waited goes out as there is room, and before what
// is emitted then.
func TestMoreThanTheQueueTakes(t *testing.T) {
	o := Options{}
	o.Engine.QueueBytes = 1000
	plays(t, o, func(s *script, c *Client) {
		c.OnConnect(func(ctx context.Context, k *Socket) error {
			if k.ID() == "s1" {
				return nil
			}
			return k.Emit("after")
		})
	}, func(s *script) {
		s.in().Reset()
		synctest.Wait()
		for i := range 50 {
			if err := s.c.Emit("e", i, "a text that takes room"); err != nil {
				s.t.Fatal(err)
			}
		}
		x := s.session()
		x.want("CONNECT", `40`)
		x.send(`40{"sid":"s2"}`)
		for i := range 50 {
			x.want("what has waited", fmt.Sprintf(`42["e",%d,"a text that takes room"]`, i))
		}
		x.want("and then", `42["after"]`)
		if err := s.c.Ready(s.t.Context()); err != nil {
			s.t.Error(err)
		}
	})
}

// TestConnectBeforeTheServer: without KeepTrying, Connect says why the first attempt
// failed, and there is no second; with it, it tries until its context ends.
func TestConnectBeforeTheServer(t *testing.T) {
	plays(t, Options{}, notes, func(s *script) {
		done := s.connect(s.c.Socket)
		conn, _ := s.l.Accept()
		conn.Close()
		if err := <-done; err == nil {
			s.t.Error("connected to nothing")
		}
		time.Sleep(time.Minute)
		s.wantNotes("no further attempt")
	})
	plays(t, Options{KeepTrying: true}, notes, func(s *script) {
		ctx, cancel := context.WithTimeout(s.t.Context(), time.Minute)
		defer cancel()
		go func() {
			for range 3 {
				conn, err := s.l.Accept()
				if err != nil {
					return
				}
				conn.Close()
			}
			s.l.Close()
		}()
		if err := s.c.Connect(ctx); !errors.Is(err, context.DeadlineExceeded) {
			s.t.Error(err)
		}
		if err := s.c.Wait(s.t.Context()); err != nil {
			s.t.Error(err)
		}
	})
	plays(t, Options{KeepTrying: true}, notes, func(s *script) {
		done := s.connect(s.c.Socket)
		conn, _ := s.l.Accept()
		conn.Close()
		x := s.session()
		x.want("CONNECT", `40`)
		x.send(`40{"sid":"s1"}`)
		if err := <-done; err != nil {
			s.t.Error(err)
		}
	})
}
