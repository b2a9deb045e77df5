//lint:file-ignore SA1019 Transport of net/http, which is named in its place, cannot send an extended CONNECT.

package wsh2_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"

	"framewright/ws"
	"framewright/ws/wsh2"
	"framewright/ws/wsnet"
	"framewright/ws/wstest"
)

// Handlers that know HTTP/1.1 alone, behind the bridge.
func TestBridge(t *testing.T) {
	wstest.CheckLeaks(t)
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/secret" {
			w.Header().Set("Www-Authenticate", "Basic")
			http.Error(w, "who are you?", http.StatusUnauthorized)
			return
		}
		echo().ServeHTTP(w, r)
	}))
	defer backend.Close()
	proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(must(url.Parse(backend.URL)))
		r.Out.Host = r.In.Host
		r.Out.Header.Del("Origin")
	}}
	first := func(w http.ResponseWriter, r *http.Request) { // WriteHeader, then Hijack
		h := w.Header()
		h.Set("Upgrade", "websocket")
		h.Set("Connection", "Upgrade")
		h.Set("Sec-WebSocket-Accept", ws.AcceptKey(r.Header.Get("Sec-Websocket-Key")))
		h.Set("Sec-WebSocket-Protocol", "chat")
		w.WriteHeader(http.StatusSwitchingProtocols)
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		conn.Write(wstest.MustHex("81 05 | 'Hello'"))
		conn.Write(wstest.MustHex("88 02 | 03e8"))
		go func() { io.Copy(io.Discard, conn); conn.Close() }()
	}
	refusing := func(w http.ResponseWriter, r *http.Request) { // Hijack, then a refusal in HTTP/1.1
		conn, rw, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		rw.WriteString("HTTP/1.1 401 Unauthorized\r\nWww-Authenticate: Basic\r\nConnection: close\r\n\r\nwho are")
		rw.Flush()
		io.WriteString(conn, " you?")
	}
	mux := http.NewServeMux()
	mux.Handle("/", proxy)
	mux.Handle("/first", http.HandlerFunc(first))
	mux.Handle("/refusing", http.HandlerFunc(refusing))
	// This package's own handler takes a GET as any other does.
	mux.Handle("/ours", echo())
	s := serveTLS(t, &wsh2.Server{}, wsh2.Bridge(mux))
	o := &wsnet.DialOptions{HTTP2: newClient(t, s.client.TLSClientConfig), Header: http.Header{"Origin": {s.URL}}}
	o.Subprotocols = []string{"mqtt", "chat"}
	for _, path := range []string{"/", "/ours", "/first"} {
		c, err := wsnet.Dial(t.Context(), s.URL+path, o)
		if err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		}
		if c.Response().ProtoMajor != 2 || c.Subprotocol() != "chat" || c.Response().Header.Get("Sec-Websocket-Accept") != "" {
			t.Errorf("%s: %s, %v", path, c.Response().Proto, c.Response().Header)
		}
		if path != "/first" {
			if err := c.Write(t.Context(), ws.OpText, []byte("Hello")); err != nil {
				t.Error(path, err)
			}
		}
		if _, text, err := c.Read(t.Context()); string(text) != "Hello" || err != nil {
			t.Errorf("%s: %q, %v", path, text, err)
		}
		if err := c.Close(t.Context(), ws.CodeNormal, ""); err != nil {
			t.Errorf("%s: %v", path, err)
		}
	}
	for _, path := range []string{"/secret", "/refusing"} {
		_, err := wsnet.Dial(t.Context(), s.URL+path, o)
		e, ok := errors.AsType[*ws.HandshakeError](err)
		if !ok || e.Status != 401 || !strings.Contains(string(e.Body), "who are you?") || e.Header["Www-Authenticate"] == nil {
			t.Errorf("%s: %+v", path, err)
		}
	}
	resp, err := s.standard.RoundTrip(must(http.NewRequest("GET", s.URL+"/secret", nil)))
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != 401 || resp.ProtoMajor != 2 {
		t.Errorf("a request like any other: %s %s", resp.Proto, resp.Status)
	}
}
