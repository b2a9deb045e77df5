//lint:file-ignore SA1019 Transport of net/http, which is named in its place, cannot send an extended CONNECT.

package main

import (
	"crypto/tls"
	"io"
	"net/http"
	"strings"
	"testing"

	"golang.org/x/net/http2"

	"framewright/ws"
	"framewright/ws/wsnet"
)

// stream opens a WebSocket on the client's connection of HTTP/2.
func stream(t *testing.T, client *http2.Transport, url string) *wsnet.Conn {
	t.Helper()
	r, w := io.Pipe()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodConnect, url, r)
	if err != nil {
		t.Fatal(err)
	}
	req.Header = http.Header{":protocol": {"websocket"}, "Sec-Websocket-Version": {"13"}, "Origin": {req.URL.Scheme + "://" + req.URL.Host}}
	resp, err := client.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode != 200 || resp.ProtoMajor != 2 {
		body, _ := io.ReadAll(resp.Body)
		t.Fatalf("%s %s: %s", resp.Proto, resp.Status, body)
	}
	c := wsnet.NewConn(struct {
		io.Reader
		io.WriteCloser
	}{resp.Body, w}, ws.RoleClient, nil)
	t.Cleanup(func() { c.CloseNow(); resp.Body.Close() })
	return c
}

// TestHTTP2: over TLS the page, the chat, the lab and Socket.IO's WebSocket share one
// connection.
func TestHTTP2(t *testing.T) {
	cert, key, one := testCertificate(t)
	p := start(t, "-cert", cert, "-key", key)
	var conns int
	client := &http2.Transport{TLSClientConfig: one.Transport.(*http.Transport).TLSClientConfig.Clone()}
	client.TLSClientConfig.VerifyConnection = func(tls.ConnectionState) error { conns++; return nil }
	t.Cleanup(client.CloseIdleConnections)
	req, _ := http.NewRequestWithContext(t.Context(), "GET", p.url+"/", nil)
	resp, err := client.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	page, err := io.ReadAll(resp.Body)
	resp.Body.Close()
	if resp.StatusCode != 200 || !strings.Contains(string(page), "<html") || err != nil {
		t.Fatalf("%s, %d bytes, %v", resp.Status, len(page), err)
	}
	chat := stream(t, client, p.url+"/ws")
	if err := chat.Write(t.Context(), ws.OpText, []byte(`{"type":"hello","name":"ann"}`)); err != nil {
		t.Fatal(err)
	}
	if _, text, err := chat.Read(t.Context()); !strings.Contains(string(text), `"welcome"`) || err != nil {
		t.Errorf("%s, %v", text, err)
	}
	sio := stream(t, client, p.url+"/socket.io/?EIO=4&transport=websocket")
	if _, text, err := sio.Read(t.Context()); !strings.HasPrefix(string(text), `0{"sid":`) || err != nil {
		t.Errorf("%s, %v", text, err)
	}
	if conns != 1 {
		t.Errorf("%d connections, want 1", conns)
	}
	// A drain ends all of it, with the codes that WebSockets have for it.
	p.stop()
	for _, c := range []*wsnet.Conn{chat, sio} {
		for {
			_, _, err := c.Read(t.Context())
			if err == nil {
				continue
			}
			if code := ws.CloseStatus(err); code == ws.CodeAbnormal {
				t.Error(err)
			}
			break
		}
	}
}

// -http2=false leaves HTTP/1.1 alone.
func TestOnlyHTTP1(t *testing.T) {
	cert, key, client := testCertificate(t)
	p := start(t, "-cert", cert, "-key", key, "-http2=false")
	config := client.Transport.(*http.Transport).TLSClientConfig.Clone()
	config.NextProtos = []string{"h2", "http/1.1"}
	conn, err := tls.Dial("tcp", strings.TrimPrefix(p.url, "https://"), config)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if proto := conn.ConnectionState().NegotiatedProtocol; proto != "http/1.1" {
		t.Errorf("speaks %s", proto)
	}
}
