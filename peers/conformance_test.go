package peers

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"framewright/autobahn/wsspec"

	coder "github.com/coder/websocket"
	gorilla "github.com/gorilla/websocket"
)

// Any handler of net/http is tested so. Those of two other libraries stand here, as
// their documents have an echo; what is known of them is an exception.
func TestConformance(t *testing.T) {
	for _, tt := range []struct {
		name  string
		echo  http.HandlerFunc
		known string
	}{
		{"gorilla", gorillaEcho, ""},
		{"coder", coderEcho, "7.5.1 failed: a Close's reason is not checked to be UTF-8"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			cases, err := wsspec.Select(wsspec.Cases(), "1.*,2.*,5.*,7.*")
			if err != nil {
				t.Fatal(err)
			}
			known, err := wsspec.ParseExpectations(tt.name, strings.NewReader(tt.known))
			if err != nil {
				t.Fatal(err)
			}
			s := httptest.NewServer(tt.echo)
			defer s.Close()
			wsspec.Run(t, "ws"+strings.TrimPrefix(s.URL, "http"), &wsspec.TestOptions{Cases: cases, Known: known})
		})
	}
}

func gorillaEcho(w http.ResponseWriter, r *http.Request) {
	c, err := new(gorilla.Upgrader).Upgrade(w, r, nil)
	if err != nil {
		return
	}
	defer c.Close()
	for {
		kind, msg, err := c.ReadMessage()
		if err != nil {
			return
		}
		if err := c.WriteMessage(kind, msg); err != nil {
			return
		}
	}
}

func coderEcho(w http.ResponseWriter, r *http.Request) {
	c, err := coder.Accept(w, r, nil)
	if err != nil {
		return
	}
	defer c.CloseNow()
	c.SetReadLimit(-1)
	for {
		kind, msg, err := c.Read(r.Context())
		if err != nil {
			return
		}
		if err := c.Write(r.Context(), kind, msg); err != nil {
			return
		}
	}
}
