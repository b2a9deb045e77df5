package engineio_test

import (
	"context"
	"net/http/httptest"
	"strings"
	"testing"

	"framewright/engineio"
	"framewright/ws"
	"framewright/ws/wsnet"
	"framewright/ws/wstest"
)

func echo(ctx context.Context, s *engineio.Socket) error {
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

func TestEchoOverWebSocketAlone(t *testing.T) {
	wstest.CheckLeaks(t)
	srv, err := engineio.NewServer(echo, nil)
	if err != nil {
		t.Fatal(err)
	}
	web := httptest.NewServer(srv)
	defer web.Close()
	defer srv.Close()
	c, err := wsnet.Dial(t.Context(), "ws"+strings.TrimPrefix(web.URL, "http")+"/engine.io/?EIO=4&transport=websocket", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer c.CloseNow()
	_, open, err := c.Read(t.Context())
	if err != nil || !strings.HasPrefix(string(open), `0{"sid":"`) {
		t.Fatalf("open packet: %q, %v", open, err)
	}
	if err := c.Write(t.Context(), ws.OpText, []byte("4hello")); err != nil {
		t.Fatal(err)
	}
	if _, data, err := c.Read(t.Context()); err != nil || string(data) != "4hello" {
		t.Fatalf("echo: %q, %v", data, err)
	}
	if err := c.Close(t.Context(), ws.CodeNormal, ""); err != nil {
		t.Fatal(err)
	}
}
