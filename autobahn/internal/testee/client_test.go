package testee

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"framewright/ws"
	"framewright/ws/wsnet"

	"github.com/google/go-cmp/cmp"
)

// The client testee against a fuzzing server of three cases, the second of
// which refuses the handshake.
func TestClientTesteeSpeaksTheProtocol(t *testing.T) {
	var mu sync.Mutex
	var asked []string
	type pathKey struct{}
	server := wsnet.Handler(func(ctx context.Context, c *wsnet.Conn) error {
		switch path := ctx.Value(pathKey{}).(string); {
		case path == "/getCaseCount":
			return c.Write(ctx, ws.OpText, []byte("3"))
		case strings.HasPrefix(path, "/runCase"):
			if err := c.Write(ctx, ws.OpBinary, []byte("echo me")); err != nil {
				return err
			}
			op, msg, err := c.Read(ctx)
			if err == nil && (op != ws.OpBinary || string(msg) != "echo me") {
				t.Errorf("echo of %v %q", op, msg)
			}
			return err
		case path == "/getCaseStatus":
			return c.Write(ctx, ws.OpText, []byte(`{"behavior": "OK"}`))
		}
		return nil
	})
	server.Connect = func(r *http.Request) (context.Context, error) {
		mu.Lock()
		defer mu.Unlock()
		asked = append(asked, r.URL.RequestURI())
		if r.URL.Query().Get("case") == "2" {
			return nil, errors.New("refused")
		}
		return context.WithValue(r.Context(), pathKey{}, r.URL.Path), nil
	}
	h := httptest.NewServer(server)
	defer h.Close()
	var log strings.Builder
	tt := Client{Base: "ws" + strings.TrimPrefix(h.URL, "http"), Agent: "a b", Log: &log}
	if err := tt.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"/getCaseCount?agent=a+b",
		"/runCase?agent=a+b&case=1", "/runCase?agent=a+b&case=2", "/runCase?agent=a+b&case=3",
		"/getCaseStatus?agent=a+b&case=3", "/updateReports?agent=a+b",
	}
	if d := cmp.Diff(want, asked); d != "" {
		t.Errorf("asked (-want +got):\n%s", d)
	}
	if !strings.Contains(log.String(), "case 2 of 3: ") {
		t.Errorf("the log does not tell of case 2: %q", log.String())
	}
}
