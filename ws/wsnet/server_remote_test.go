package wsnet_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"framewright/ws/wsnet"
	"framewright/ws/wstest"
)

// The log calls the peer what Remote says, which has the context of Connect.
func TestServerRemote(t *testing.T) {
	type key struct{}
	for _, fails := range []func() error{
		func() error { return errors.New("no") },
		func() error { panic("no") },
	} {
		synctest.Test(t, func(t *testing.T) {
			var log bytes.Buffer
			s := wsnet.Handler(func(context.Context, *wsnet.Conn) error { return fails() })
			s.Connect = func(r *http.Request) (context.Context, error) {
				return context.WithValue(r.Context(), key{}, "203.0.113.7"), nil
			}
			s.Remote = func(ctx context.Context, _ *wsnet.Conn) string { return ctx.Value(key{}).(string) }
			s.Logger = slog.New(slog.NewTextHandler(&log, nil))
			l := wstest.NewListener()
			hs := &http.Server{Handler: s}
			go hs.Serve(l)
			defer hs.Close()
			c, err := wsnet.Dial(t.Context(), "ws://x.test/", &wsnet.DialOptions{Options: wsnet.Options{PingInterval: -1}, HTTPClient: l.Client()})
			if err != nil {
				t.Fatal(err)
			}
			c.Read(t.Context())
			if err := s.Shutdown(t.Context()); err != nil {
				t.Error(err)
			}
			if got := log.String(); !strings.Contains(got, `msg="ws: handler failed"`) || !strings.Contains(got, "remote=203.0.113.7 ") {
				t.Error(got)
			}
		})
	}
}
