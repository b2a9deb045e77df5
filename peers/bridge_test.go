package peers

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"framewright/ws"
	"framewright/ws/wsh2"
	"framewright/ws/wsnet"

	coder "github.com/coder/websocket"
	gobwas "github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"
	gorilla "github.com/gorilla/websocket"
	"github.com/lxzan/gws"
)

// Handlers of other libraries, as they are over HTTP/1.1, behind the bridge.
func TestBridge(t *testing.T) {
	for _, tt := range []struct {
		name string
		echo http.HandlerFunc
	}{{"gorilla", bridgedGorilla}, {"coder", bridgedCoder}, {"gobwas", bridgedGobwas}, {"gws", bridgedGws}} {
		t.Run(tt.name, func(t *testing.T) {
			mux := http.NewServeMux()
			mux.Handle("/", tt.echo)
			mux.HandleFunc("/secret", func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Www-Authenticate", "Basic")
				http.Error(w, "who are you?", http.StatusUnauthorized)
			})
			h2 := &wsh2.Server{}
			s := httptest.NewUnstartedServer(wsh2.Bridge(mux))
			h2.Attach(s.Config)
			s.TLS = s.Config.TLSConfig
			s.StartTLS()
			defer s.Close()
			defer h2.Close()
			client := &wsh2.Client{TLSConfig: s.Client().Transport.(*http.Transport).TLSClientConfig}
			defer client.Close()
			o := &wsnet.DialOptions{HTTP2: client, Options: wsnet.Options{Subprotocols: []string{"mqtt", "chat"}}}
			bridgedEcho(t, s.URL, o)
			_, err := wsnet.Dial(t.Context(), s.URL+"/secret", o)
			if e, ok := errors.AsType[*ws.HandshakeError](err); !ok || e.Status != 401 || !strings.Contains(string(e.Body), "who are you?") || e.Header["Www-Authenticate"] == nil {
				t.Errorf("a refusal is not what it was: %+v", err)
			}
		})
	}
}

// bridgedEcho has a conversation over HTTP/2 with who is behind a bridge.
func bridgedEcho(t *testing.T, url string, o *wsnet.DialOptions) {
	t.Helper()
	c, err := wsnet.Dial(t.Context(), url+"/", o)
	if err != nil {
		t.Fatal(err)
	}
	defer c.CloseNow()
	if r := c.Response(); r.ProtoMajor != 2 || c.Subprotocol() != "chat" || r.Header.Get("X-Echo") != "yes" || r.Header.Get("Upgrade") != "" {
		t.Errorf("%s, subprotocol %q, %v", r.Proto, c.Subprotocol(), r.Header)
	}
	for _, text := range []string{"Hello", strings.Repeat("long ", 40_000)} {
		if err := c.Write(t.Context(), ws.OpText, []byte(text)); err != nil {
			t.Fatal(err)
		}
		if op, got, err := c.Read(t.Context()); op != ws.OpText || string(got) != text || err != nil {
			t.Fatalf("%v of %d bytes, %v; want %d bytes of text", op, len(got), err, len(text))
		}
	}
	if err := c.Close(t.Context(), ws.CodeNormal, "done"); err != nil {
		t.Errorf("the closing handshake: %v", err)
	}
}

func bridgedGorilla(w http.ResponseWriter, r *http.Request) {
	c, err := (&gorilla.Upgrader{Subprotocols: []string{"chat"}}).Upgrade(w, r, http.Header{"X-Echo": {"yes"}})
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

func bridgedCoder(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("X-Echo", "yes")
	c, err := coder.Accept(w, r, &coder.AcceptOptions{Subprotocols: []string{"chat"}})
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

func bridgedGobwas(w http.ResponseWriter, r *http.Request) {
	up := gobwas.HTTPUpgrader{Header: http.Header{"X-Echo": {"yes"}}, Protocol: func(p string) bool { return p == "chat" }}
	conn, _, _, err := up.Upgrade(r, w)
	if err != nil {
		return
	}
	defer conn.Close()
	for {
		msg, op, err := wsutil.ReadClientData(conn)
		if err != nil {
			return
		}
		if err := wsutil.WriteServerMessage(conn, op, msg); err != nil {
			return
		}
	}
}

// A gwsEcho sends every message back.
type gwsEcho struct{ gws.BuiltinEventHandler }

func (gwsEcho) OnMessage(c *gws.Conn, m *gws.Message) {
	defer m.Close()
	_ = c.WriteMessage(m.Opcode, m.Bytes())
}

func bridgedGws(w http.ResponseWriter, r *http.Request) {
	up := gws.NewUpgrader(gwsEcho{}, &gws.ServerOption{SubProtocols: []string{"chat"}, ResponseHeader: http.Header{"X-Echo": {"yes"}}, Logger: quiet{}})
	c, err := up.Upgrade(w, r)
	if err != nil {
		return
	}
	c.ReadLoop()
}
