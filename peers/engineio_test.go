package peers

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"framewright/engineio"
	"framewright/peers/internal/install"
	"framewright/ws"
	"framewright/ws/wsnet"

	"github.com/google/go-cmp/cmp"
)

// engineIOClients are the versions that package.json in engineio names.
var engineIOClients = []string{"engine.io-client", "engine.io-client-6.0", "engine.io-client-4"}

// seen is what client.mjs prints.
type seen struct {
	Transports []string `json:"transports"`
	Errors     []string `json:"errors"`
	Closed     string   `json:"closed"`
	Messages   int      `json:"messages"`
	Next       int      `json:"next"`
	Pings      int      `json:"pings"`
	Wrong      [][]any  `json:"wrong"`
}

// playEngineIO serves handler and has a client play against it.
func playEngineIO(t *testing.T, client, play string, options map[string]any, count int, o *engineio.Options, handler func(context.Context, *engineio.Socket) error) seen {
	t.Helper()
	r := got(t, install.EngineIO(t.Context()))
	blocked := options["blocked"] == true // by a proxy in front that does not know WebSockets
	dependsOnOtherPrograms(t)
	if o == nil {
		o = &engineio.Options{}
	}
	var log syncBuffer
	o.Logger = slog.New(slog.NewTextHandler(&log, nil))
	srv, err := engineio.NewServer(handler, o)
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/engine.io/", func(w http.ResponseWriter, r *http.Request) {
		if blocked && r.Header.Get("Upgrade") != "" {
			http.Error(w, "what is an upgrade?", http.StatusBadGateway)
			return
		}
		srv.ServeHTTP(w, r)
	})
	web := httptest.NewServer(mux)
	defer web.Close()
	defer srv.Close()

	job, err := json.Marshal(map[string]any{"url": web.URL, "play": play, "options": options, "count": count})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "node", "engineio/client.mjs", r.Path, client, string(job))
	var out, problems bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &problems
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s: %v: %s\n%s\nserver:\n%s", client, err, out.String(), problems.String(), log.String())
	}
	var s seen
	if err := json.Unmarshal(out.Bytes(), &s); err != nil {
		t.Fatalf("%s printed %q: %v", client, out.String(), err)
	}
	if t.Failed() || len(s.Errors) > 0 {
		t.Logf("server:\n%s", log.String())
	}
	return s
}

// syncBuffer is for a log that several goroutines write.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// ways are those by which a client may connect, and the transports that it
// then goes through.
var ways = []struct {
	name       string
	options    map[string]any
	transports []string
}{
	{"polling", map[string]any{"transports": []string{"polling"}}, []string{"polling"}},
	{"websocket", map[string]any{"transports": []string{"websocket"}}, []string{"websocket"}},
	{"upgrade", map[string]any{}, []string{"polling", "websocket"}},
}

func everyClient(t *testing.T, test func(t *testing.T, client string, options map[string]any, transports []string)) {
	for _, client := range engineIOClients {
		for _, way := range ways {
			t.Run(client+"/"+way.name, func(t *testing.T) { test(t, client, way.options, way.transports) })
		}
	}
}

func echoEngineIO(ctx context.Context, s *engineio.Socket) error {
	for {
		m, err := s.Receive(ctx)
		if err != nil {
			return err
		}
		if err := s.Send(m); err != nil {
			return err
		}
	}
}

// TestEngineIOEcho: text and binary of many kinds and 300 KB come back as they
// were, before the upgrade and after it.
func TestEngineIOEcho(t *testing.T) {
	everyClient(t, func(t *testing.T, client string, options map[string]any, transports []string) {
		ended := make(chan error, 1)
		got := playEngineIO(t, client, "echo", options, 0, nil, func(ctx context.Context, s *engineio.Socket) error {
			err := echoEngineIO(ctx, s)
			ended <- err
			return err
		})
		want := seen{Transports: transports, Errors: []string{}, Closed: "forced close", Messages: 20, Wrong: [][]any{}}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("the client saw (-want +got)\n%s", diff)
		}
		wantEngineIOEnd(t, ended, engineio.TransportClose)
	})
}

// TestEngineIOCompressed: permessage-deflate is for the WebSocket to settle.
func TestEngineIOCompressed(t *testing.T) {
	for _, client := range engineIOClients {
		t.Run(client, func(t *testing.T) {
			options := map[string]any{"perMessageDeflate": map[string]any{"threshold": 1}}
			var compressed [2]atomic.Int32 // messages received and sent
			o := &engineio.Options{WebSocket: wsnet.ServerOptions{Options: wsnet.Options{
				Compression: &ws.Compression{SendContext: true, ReceiveContext: true},
				Trace: func(e ws.TraceEvent) {
					if e.Header.RSV&ws.RSV1 != 0 {
						i := 0
						if e.Sent {
							i = 1
						}
						compressed[i].Add(1)
					}
				},
			}}}
			got := playEngineIO(t, client, "echo", options, 0, o, echoEngineIO)
			if in, out := compressed[0].Load(), compressed[1].Load(); in == 0 || out == 0 {
				t.Errorf("%d compressed messages came and %d went; was it negotiated?", in, out)
			}
			want := seen{Transports: []string{"polling", "websocket"}, Errors: []string{}, Closed: "forced close", Messages: 20, Wrong: [][]any{}}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("the client saw (-want +got)\n%s", diff)
			}
		})
	}
}

// TestEngineIOBlocked: where WebSockets do not get through, polling goes on.
func TestEngineIOBlocked(t *testing.T) {
	for _, client := range engineIOClients {
		t.Run(client, func(t *testing.T) {
			got := playEngineIO(t, client, "count", map[string]any{"blocked": true}, 1000, nil, func(ctx context.Context, s *engineio.Socket) error {
				if err := countEngineIO(ctx, s, 1000); err != nil {
					t.Error(err)
				}
				<-ctx.Done()
				return nil
			})
			if len(got.Errors) != 1 || !strings.HasPrefix(got.Errors[0], "upgrade: ") {
				t.Errorf("the client's errors are %q; want one, of the upgrade", got.Errors)
			}
			got.Errors = nil
			want := seen{Transports: []string{"polling"}, Closed: "forced close", Next: 1000, Wrong: [][]any{}}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("the client saw (-want +got)\n%s", diff)
			}
		})
	}
}

func wantEngineIOEnd(t *testing.T, ended <-chan error, want engineio.Reason) {
	t.Helper()
	select {
	case err := <-ended:
		if e, ok := errors.AsType[*engineio.CloseError](err); !ok || e.Reason != want {
			t.Errorf("the session ended by %v, want %q", err, want)
		}
	case <-time.After(patience):
		t.Error("the session did not end")
	}
}

// TestEngineIOOrder: both sides count as fast as they can, from the handshake
// until after the upgrade, and neither misses a number or gets one twice.
func TestEngineIOOrder(t *testing.T) {
	const count = 3000
	everyClient(t, func(t *testing.T, client string, options map[string]any, transports []string) {
		problems := make(chan error, 1)
		got := playEngineIO(t, client, "count", options, count, nil, func(ctx context.Context, s *engineio.Socket) error {
			problems <- countEngineIO(ctx, s, count)
			<-ctx.Done()
			return nil
		})
		if err := <-problems; err != nil {
			t.Error(err)
		}
		want := seen{Transports: transports, Errors: []string{}, Closed: "forced close", Next: count, Wrong: [][]any{}}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("the client saw (-want +got)\n%s", diff)
		}
	})
}

// countEngineIO sends the numbers below count, text and binary in turns, and
// wants the same to come.
func countEngineIO(ctx context.Context, s *engineio.Socket, count int) error {
	sent := make(chan error, 1)
	go func() {
		for i := range count {
			m := engineio.Text(strconv.Itoa(i))
			m.Binary = i%3 == 0
			err := s.Send(m)
			if err == nil {
				err = s.Ready(ctx)
			}
			if err != nil {
				sent <- err
				return
			}
			if i%10 == 9 { // spread over the time of the upgrade
				time.Sleep(time.Millisecond)
			}
		}
		sent <- nil
	}()
	for next := 0; ; next++ {
		m, err := s.Receive(ctx)
		if err != nil {
			return fmt.Errorf("after %d messages: %w", next, err)
		}
		if string(m.Data) == "end" {
			if next != count {
				return fmt.Errorf("%d messages came, want %d", next, count)
			}
			break
		}
		if string(m.Data) != strconv.Itoa(next) || m.Binary != (next%3 == 0) {
			return fmt.Errorf("message %d is %q, binary: %t", next, m.Data, m.Binary)
		}
	}
	if err := <-sent; err != nil {
		return err
	}
	return s.Send(engineio.Text("end"))
}

// TestEngineIOHeartbeat: the client answers the server's pings, and hears when
// the server closes.
func TestEngineIOHeartbeat(t *testing.T) {
	everyClient(t, func(t *testing.T, client string, options map[string]any, transports []string) {
		o := &engineio.Options{PingInterval: 50 * time.Millisecond, PingTimeout: 10 * time.Second}
		got := playEngineIO(t, client, "idle", options, 0, o, func(ctx context.Context, s *engineio.Socket) error {
			_, err := s.Receive(ctx)
			return err
		})
		if got.Pings < 5 || got.Closed != "transport close" || len(got.Errors) > 0 {
			t.Errorf("the client saw %+v; want 5 pings or more, and then the transport's close", got)
		}
	})
}

// TestEngineIOHoldsUp: a handler that is busy holds the client up, loses
// nothing, and the session outlives it.
func TestEngineIOHoldsUp(t *testing.T) {
	everyClient(t, func(t *testing.T, client string, options map[string]any, transports []string) {
		if client != "engine.io-client" && transports[0] == engineio.Polling {
			t.Skip("it posts everything at once, whatever maxPayload says, so nothing is left to hold up")
		}
		t.Parallel() // it takes its time
		o := &engineio.Options{PingInterval: time.Second, PingTimeout: time.Second, MaxPayload: 450_000}
		got := playEngineIO(t, client, "bulk", options, 0, o, func(ctx context.Context, s *engineio.Socket) error {
			time.Sleep(3500 * time.Millisecond) // longer than a pong, and the client's patience, may take
			return echoEngineIO(ctx, s)
		})
		if got.Messages != 30 || len(got.Wrong) > 0 || got.Closed != "forced close" {
			t.Errorf("the client saw %+v", got)
		}
	})
}

// TestEngineIORefusals: a client is told what is wrong.
func TestEngineIORefusals(t *testing.T) {
	for _, client := range engineIOClients {
		t.Run(client, func(t *testing.T) {
			got := playEngineIO(t, client, "idle", map[string]any{"transports": []string{"polling"}}, 0,
				&engineio.Options{Transports: []string{engineio.WebSocket}}, echoEngineIO)
			if got.Closed != "transport error" || len(got.Errors) != 1 || !strings.Contains(got.Errors[0], "xhr poll error") {
				t.Errorf("the client saw %+v", got)
			}
		})
	}
}
