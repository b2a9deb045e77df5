package wsnet_test

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"framewright/ws"
	"framewright/ws/wsnet"
	"framewright/ws/wstest"
)

// An undated stream is one without deadlines, for which this package has goroutines.
type undated struct{ io.ReadWriteCloser }

// Who is given a stream owns it, also when Trace panics: the peer sees its end.
func TestTracePanicClosesStream(t *testing.T) {
	const answered = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
	server := func(ctx context.Context, rwc io.ReadWriteCloser, o wsnet.Options) {
		wsnet.AcceptStream(ctx, rwc, &wsnet.ServerOptions{Options: o})
	}
	client := func(ctx context.Context, rwc io.ReadWriteCloser, o wsnet.Options) {
		wsnet.NewClient(ctx, rwc, "ws://server.test/", &wsnet.DialOptions{Options: o})
	}
	dial := func(ctx context.Context, rwc io.ReadWriteCloser, o wsnet.Options) {
		transport := &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) { return rwc.(net.Conn), nil }}
		wsnet.Dial(ctx, "ws://server.test/", &wsnet.DialOptions{Options: o, HTTPClient: &http.Client{Transport: transport}})
	}
	for _, tt := range []struct {
		name string
		open func(context.Context, io.ReadWriteCloser, wsnet.Options)
		wire string // the peer's half of the handshake
		sent bool   // the event at which Trace panics
	}{
		{"server: at the request", server, string(wstest.Request("/", "server.test")), false},
		{"server: at half a request", server, "GET / HTTP/1.1\n", false},
		{"server: at the 101", server, string(wstest.Request("/", "server.test")), true},
		{"server: at a refusal", server, "GET / HTTP/1.1\r\nHost: server.test\r\n\r\n", true},
		{"client: at its request", client, "", true},
		{"client: at the answer", client, answered, false},
		{"client: at what is no answer", client, "no HTTP\r\n\r\n", false},
		{"Dial: at the answer", dial, answered, false},
	} {
		for _, dated := range []bool{true, false} {
			synctest.Test(t, func(t *testing.T) {
				own, peer := net.Pipe()
				dials := strings.HasPrefix(tt.name, "Dial")
				go func() {
					var rwc io.ReadWriteCloser = own
					if !dated && !dials {
						rwc = undated{own}
					}
					defer func() {
						if recover() == nil {
							t.Errorf("%s: Trace was not asked", tt.name)
						}
					}()
					tt.open(t.Context(), rwc, wsnet.Options{HandshakeTimeout: -1, Trace: func(e ws.TraceEvent) {
						if e.Sent == tt.sent {
							panic("trace")
						}
					}})
				}()
				peer.SetReadDeadline(time.Now().Add(time.Hour))
				r := bufio.NewReader(peer)
				if dials { // to net/http, an answer before the question is none
					http.ReadRequest(r)
				}
				go io.WriteString(peer, tt.wire)
				if _, err := io.Copy(io.Discard, r); err != nil {
					t.Errorf("%s, deadlines %v: the stream stays open: %v", tt.name, dated, err)
				}
				peer.Close()
			})
		}
	}
}
