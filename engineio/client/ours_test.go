package client

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"framewright/engineio"
	"framewright/ws/wstest"
)

// echo serves an Engine.IO server that sends back what comes.
func serveEcho(t *testing.T, o *engineio.Options) *wstest.Listener {
	if o == nil {
		o = new(engineio.Options)
	}
	o.Logger = slog.New(slog.DiscardHandler)
	srv, err := engineio.NewServer(func(ctx context.Context, s *engineio.Socket) error {
		return s.Each(func(m engineio.Message) error { return s.Send(m) })
	}, o)
	if err != nil {
		t.Fatal(err)
	}
	l := wstest.NewListener()
	hs := &http.Server{Handler: srv}
	go hs.Serve(l)
	t.Cleanup(func() { srv.Close(); hs.Close() })
	return l
}

// ways are those by which a session may go.
var ways = []struct {
	name string
	o    Options
	ends string
}{
	{"polling", Options{Transports: []string{engineio.Polling}}, engineio.Polling},
	{"WebSocket", Options{Transports: []string{engineio.WebSocket}}, engineio.WebSocket},
	{"upgrade", Options{}, engineio.WebSocket},
}

// TestOurServer: messages of both kinds come back in order from our own server, by
// either transport and across the upgrade, over many heartbeats.
func TestOurServer(t *testing.T) {
	for _, way := range ways {
		t.Run(way.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := serveEcho(t, nil)
				o := way.o
				o.HTTPClient = l.Client()
				c, err := Dial(t.Context(), "http://test", &o)
				if err != nil {
					t.Fatal(err)
				}
				const n = 200
				for i := range n {
					if err := c.Send(engineio.Text(fmt.Sprintf("text %d", i)), engineio.Binary([]byte{byte(i), 0, 255})); err != nil {
						t.Fatal(err)
					}
				}
				for i := range n {
					want(t, c, engineio.Text(fmt.Sprintf("text %d", i)))
					want(t, c, engineio.Binary([]byte{byte(i), 0, 255}))
				}
				time.Sleep(10 * time.Minute)
				if c.Err() != nil || c.Transport() != way.ends {
					t.Fatalf("after heartbeats: %v by %s, %v", c.Err(), c.Transport(), c.UpgradeErr())
				}
				if err := c.Close(); err != nil {
					t.Fatal(err)
				}
			})
		})
	}
}

func want(t *testing.T, c *Conn, want engineio.Message) {
	t.Helper()
	got, err := c.Receive(t.Context())
	if err != nil || got.Binary != want.Binary || string(got.Data) != string(want.Data) {
		t.Fatalf("got %t %q, %v; want %t %q", got.Binary, got.Data, err, want.Binary, want.Data)
	}
}
