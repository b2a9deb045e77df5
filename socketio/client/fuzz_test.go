package client

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"runtime"
	"sync"
	"testing"

	"framewright/engineio"
	engine "framewright/engineio/client"
	"framewright/socketio"
)

// answers is a server without a network: each GET gets the next answer, and then waits.
type answers struct {
	mu    sync.Mutex
	gets  [][]byte
	posts func(body []byte)
}

func (a *answers) RoundTrip(r *http.Request) (*http.Response, error) {
	answer := []byte("ok")
	if r.Method == http.MethodPost {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		a.posts(body)
	} else {
		a.mu.Lock()
		left := len(a.gets)
		if left > 0 {
			answer, a.gets = a.gets[0], a.gets[1:]
		}
		a.mu.Unlock()
		if left == 0 {
			<-r.Context().Done()
			return nil, r.Context().Err()
		}
	}
	return &http.Response{StatusCode: 200, Header: http.Header{}, ContentLength: int64(len(answer)), Body: io.NopCloser(bytes.NewReader(answer)), Request: r}, nil
}

// FuzzSession: whatever a server sends after the handshake of Engine.IO, the client does
// not panic or hang; what it sends is packets that a server takes, and an event is never
// acknowledged twice; its handlers see no events after the connection's end; what it
// says of the end is brief; and nothing of it is left.
func FuzzSession(f *testing.F) {
	for _, s := range []string{
		"40{\"sid\":\"s\"}\x1e42[\"e\",1]\x1e420[\"e\",\"x\"]\x1e42[\"text\",\"a\"]",
		"40{\"sid\":\"s\",\"pid\":\"p\"}\x1e42[\"e\",\"o\"]\x1e41",
		"40{\"sid\":\"s\"}\x1e451-7[\"bytes\",{\"_placeholder\":true,\"num\":0}]\x1ebAQI=",
		"40{\"sid\":\"s\"}\x1e430[1]\x1e460-[{}]\x1e461-0[{\"_placeholder\":true,\"num\":0}]\x1eb",
		"44{\"message\":\"no\",\"data\":[]}", "44\"no\"", "40", "41", "42[\"e\"]\x1e40{\"sid\":\"s\"}", "40/a,{\"sid\":\"s\"}\x1e42/a,[\"e\"]",
		"40{\"sid\":\"s\"}\x1e45", "40{\"sid\":\"s\"}\x1e1", "2\x1e6\x1e40{\"sid\":\"s\"}\x1e40{\"sid\":\"s\"}",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var mu sync.Mutex
		over := false
		asked := map[int64]int{}
		in := socketio.NewDecoder(socketio.Limits{Message: 1 << 20, Attachments: 1 << 10, Args: 1 << 10, Depth: 1000})
		count := socketio.NewDecoder((&Options{MaxMessage: 1 << 24, MaxAttachments: 64, MaxArgs: 64, MaxDepth: 32}).limits())
		for b := range bytes.SplitSeq(data, []byte{engineio.Separator}) {
			p, err := engineio.ParsePacket(b)
			if err != nil {
				break
			}
			if p.Type != engineio.PacketMessage {
				continue
			}
			m, err := count.Add(p.Message)
			if err != nil {
				break
			}
			if m != nil && m.Event != "" {
				asked[m.ID]++
			}
		}
		a := &answers{
			gets: [][]byte{[]byte(`0{"sid":"abc","upgrades":[],"pingInterval":25000,"pingTimeout":20000}`), data},
			posts: func(body []byte) {
				mu.Lock()
				defer mu.Unlock()
				for b := range bytes.SplitSeq(body, []byte{engineio.Separator}) {
					e, err := engineio.ParsePacket(b)
					if err != nil {
						t.Errorf("it posts %q: %v", body, err)
						return
					}
					if e.Type != engineio.PacketMessage {
						continue
					}
					p, err := in.Add(e.Message)
					if err != nil {
						t.Errorf("it posts %q: %v", body, err)
						return
					}
					if p == nil || p.Type != socketio.PacketAck && p.Type != socketio.PacketBinaryAck {
						continue
					}
					if asked[p.ID]--; asked[p.ID] < 0 {
						t.Errorf("it acknowledges %d, which nobody asked for, or twice", p.ID)
					}
				}
			},
		}
		c, err := New("http://test", &Options{
			NoReconnect: true, Logger: slog.New(slog.DiscardHandler), Auth: map[string]int{"n": 1},
			Engine: engine.Options{Transports: []string{engineio.Polling}, HTTPClient: &http.Client{Transport: a}},
		})
		if err != nil {
			t.Fatal(err)
		}
		check := func() {
			mu.Lock()
			defer mu.Unlock()
			if over {
				t.Error("a handler is called after OnDisconnect")
			}
		}
		c.OnDisconnect(func(context.Context, *Socket, Reason) { check(); mu.Lock(); over = true; mu.Unlock() })
		OnAck(c, "e", func(ctx context.Context, s *Socket, a Args) (Reply, error) {
			check()
			var v any
			err := a.Decode(&v)
			return Reply{v}, err
		})
		OnAck(c, "bytes", func(ctx context.Context, s *Socket, b []byte) ([]byte, error) { check(); return b, nil })
		On(c, "text", func(ctx context.Context, s *Socket, text string) error { check(); return s.Emit("text", text) })
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		done := make(chan error, 1)
		go func() { done <- c.Connect(ctx) }()
		go func() { _, _ = Ask[any](ctx, c, "what") }()
		for {
			a.mu.Lock()
			taken := len(a.gets) == 0
			a.mu.Unlock()
			if taken {
				break
			}
			select {
			case err := <-done: // it never came so far
				done <- err
				taken = true
			default:
			}
			if taken {
				break
			}
			runtime.Gosched()
		}
		_ = c.Close() // that not all could be sent is no wonder
		err = <-done
		if err == nil {
			err = c.Wait(t.Context())
		}
		if err != nil && len(err.Error()) > 2000 {
			t.Errorf("an error of %d bytes", len(err.Error()))
		}
	})
}
