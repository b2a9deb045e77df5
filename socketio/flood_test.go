package socketio

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"framewright/ws"
)

// Packets of which nothing comes have a rate; more end the connection, with a
// reason of its own.
func TestIdlePackets(t *testing.T) {
	for _, tt := range []struct {
		name   string
		packet []string // x…: binary
	}{
		{"an event without a handler", []string{`42["nobody","x"]`}},
		{"one that wants an answer", []string{`427["nobody","x"]`}},
		{"a binary event without a handler", []string{`451-["nobody",{"_placeholder":true,"num":0}]`, `x`}},
		{"bad arguments", []string{`42["number","x"]`}},
		{"an acknowledgement that nobody waits for", []string{`431[]`}},
		{"a binary one", []string{`461-1[{"_placeholder":true,"num":0}]`, `x`}},
		{"an unknown namespace", []string{`40/nope,`}},
		{"an event for a namespace that was left", []string{`42/left,["number",1]`}},
		{"a disconnect from one", []string{`41/left,`}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inBubble(t, Options{IdleRate: 7}, func(t *testing.T, w *world) {
				const most = 70 - 2*connectCosts // two CONNECTs come before
				On(w.io, "number", func(ctx context.Context, s *Socket, n int) error { return nil })
				w.io.Of("/left")
				w.io.OnDisconnect(func(ctx context.Context, s *Socket, why Reason) { w.note("%s", why) })
				r := w.in()
				r.send(`40/left,`)
				r.want("the other namespace", `40/left,{"sid":"…"}`)
				r.send(`41/left,`)
				send := func() {
					for _, p := range tt.packet {
						if p == "x" {
							r.sendBinary('x')
							continue
						}
						r.send(p)
					}
				}
				for range most {
					send()
				}
				w.wantNotes("ten seconds' worth")
				ctx, cancel := context.WithTimeout(t.Context(), time.Second/100)
				defer cancel()
				for { // the answers
					if _, _, err := r.c.Read(ctx); err != nil {
						break
					}
				}
				if err := r.c.Err(); err != nil {
					t.Fatalf("closed after %d: %v", most, err)
				}
				send()
				synctest.Wait()
				w.wantNotes("one more", "too many packets")
			})
		})
	}
}

func TestConnectsHaveARate(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, w *world) {
		var admitted atomic.Int64
		w.io.Use(func(ctx context.Context, s *Socket) error { admitted.Add(1); return nil })
		r := w.dial()
		for range 1000 {
			if r.c.Write(t.Context(), ws.OpText, []byte("40")) != nil {
				break
			}
			synctest.Wait()
			if r.c.Write(t.Context(), ws.OpText, []byte("41")) != nil {
				break
			}
			synctest.Wait()
		}
		if admitted, want := admitted.Load(), int64(100*10/connectCosts); admitted != want {
			t.Errorf("%d CONNECTs let in, want %d", admitted, want)
		}
	})
}

// What something comes of is not refused, but held up, before it is parsed.
func TestPacketsAreHeldUp(t *testing.T) {
	for _, tt := range []struct {
		name string
		o    Options
		text string
	}{
		{"by number", Options{PacketRate: 10}, "x"},
		{"by bytes", Options{ByteRate: 10_000}, strings.Repeat("x", 1000-len(`42["echo",""]`))},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inBubble(t, tt.o, func(t *testing.T, w *world) {
				var n atomic.Int64
				On(w.io, "echo", func(ctx context.Context, s *Socket, text string) error { n.Add(1); return nil })
				r := w.in()
				began := time.Now()
				sent := make(chan struct{})
				go func() { // it is held up
					defer close(sent)
					for range 200 {
						if r.c.Write(t.Context(), ws.OpText, []byte(`42["echo","`+tt.text+`"]`)) != nil {
							return
						}
					}
				}()
				synctest.Wait()
				if n := n.Load(); n < 98 || n > 100 {
					t.Errorf("%d events at once, want ten seconds' worth", n)
				}
				<-sent
				r.send(`421["echo","end"]`)
				r.want("the end", `431[]`)
				if took, n := time.Since(began), n.Load(); n != 201 || took < 99*time.Second/10 || took > 11*time.Second {
					t.Errorf("%d events within %v, want 201 within 10 s", n, took)
				}
			})
		})
	}
}
