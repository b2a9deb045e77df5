package wsnet_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"framewright/ws"
	"framewright/ws/wsnet"
)

// dtWays are the two ways to be a client.
var dtWays = map[string]func(ctx context.Context, url string, addr string, o *wsnet.DialOptions) (*wsnet.Conn, error){
	"Dial": func(ctx context.Context, url, addr string, o *wsnet.DialOptions) (*wsnet.Conn, error) {
		copied := *o
		copied.HTTPClient = &http.Client{
			Transport: &http.Transport{
				DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
					return new(net.Dialer).DialContext(ctx, network, addr)
				},
				DisableKeepAlives: true,
			},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		}
		return wsnet.Dial(ctx, url, &copied)
	},
	"NewClient": func(ctx context.Context, url, addr string, o *wsnet.DialOptions) (*wsnet.Conn, error) {
		conn, err := net.Dial("tcp", addr)
		if err != nil {
			return nil, err
		}
		return wsnet.NewClient(ctx, conn, url, o)
	},
}

// dtRaw answers one request with what is before, and then with 101; it gives the
// request.
func dtRaw(t *testing.T, before string) (addr string, request <-chan *http.Request) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	got := make(chan *http.Request, 1)
	go func() {
		defer close(got)
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		conn.SetDeadline(time.Now().Add(10 * time.Second))
		r, err := http.ReadRequest(bufio.NewReader(conn))
		if err != nil {
			return
		}
		got <- r
		io.WriteString(conn, before)
		conn.Write(ws.AppendResponse(nil, r.Header.Get("Sec-Websocket-Key"), "", "", nil))
		io.Copy(io.Discard, conn)
	}()
	return l.Addr().String(), got
}

// What a server gets, and what a caller is told, does not depend on whether
// Dial or NewClient does the handshake.
func TestDialBothWays(t *testing.T) {
	type sent struct{ Host, Target, Authorization string }
	for _, tc := range []struct {
		name   string
		url    string
		header http.Header
		host   string
		want   sent
		err    string // a part of the error, if that is what is due; and nothing is sent
	}{
		{name: "plain", url: "ws://example.com/chat?a=b", want: sent{"example.com", "/chat?a=b", ""}},
		{name: "credentials", url: "ws://me:secret@example.com/", want: sent{"example.com", "/", "Basic bWU6c2VjcmV0"}},
		{name: "credentials with escapes", url: "ws://m%40e:s%3Acret%2F@example.com/", want: sent{"example.com", "/", "Basic bUBlOnM6Y3JldC8="}},
		{name: "a name alone", url: "ws://me@example.com/", want: sent{"example.com", "/", "Basic bWU6"}},
		{name: "credentials, and others in the header", url: "ws://me:secret@example.com/", header: http.Header{"Authorization": {"Bearer x"}}, want: sent{"example.com", "/", "Bearer x"}},
		{name: "the same in another case", url: "ws://me:secret@example.com/", header: http.Header{"authorization": {"Bearer x"}}, want: sent{"example.com", "/", "Bearer x"}},
		{name: "a user name with a colon", url: "ws://m%3Ae:secret@example.com/", err: "colon"},
		{name: "Options.Host", url: "ws://example.com:8080/", host: "other.example", want: sent{"other.example", "/", ""}},
		{name: "an international name", url: "ws://b\u00fccher.example:81/", want: sent{"xn--bcher-kva.example:81", "/", ""}},
		{name: "an IPv6 address with a zone", url: "ws://[fe80::1%25lo0]:81/", want: sent{"[fe80::1]:81", "/", ""}},
		{name: "no path", url: "ws://example.com", want: sent{"example.com", "/", ""}},
		{name: "no path, a query", url: "ws://example.com?x", want: sent{"example.com", "/?x", ""}},
		{name: "Host in the header", url: "ws://example.com/", header: http.Header{"Host": {"other.example"}}, err: "Options.Host"},
		{name: "host in the header", url: "ws://example.com/", header: http.Header{"host": {"other.example"}}, err: "Options.Host"},
		{name: "a fragment", url: "ws://example.com/#part", err: "fragment"},
		{name: "a fragment and a password", url: "ws://me:secret@example.com/#part", err: "fragment"},
		{name: "a password in a broken URL", url: "ws://me:secret@exa mple.com/", err: "bad URL"},
		{name: "a password with a scheme that is none of ours", url: "ftp://me:secret@example.com/", err: "scheme"},
		{name: "Options.Host that is none", url: "ws://example.com/", host: "a b", err: "not a host"},
	} {
		for way, dial := range dtWays {
			t.Run(tc.name+", "+way, func(t *testing.T) {
				addr, requests := dtRaw(t, "")
				c, err := dial(t.Context(), tc.url, addr, &wsnet.DialOptions{Header: tc.header, Host: tc.host})
				if tc.err != "" {
					if _, ok := errors.AsType[*ws.HandshakeError](err); !ok || !strings.Contains(err.Error(), tc.err) || strings.Contains(err.Error(), "secret") {
						t.Errorf("got %v, want %q in it, and no password", err, tc.err)
					}
					return
				}
				if err != nil {
					t.Fatal(err)
				}
				defer c.CloseNow()
				r := <-requests
				if diff := cmp.Diff(tc.want, sent{r.Host, r.RequestURI, strings.Join(r.Header["Authorization"], ", ")}); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
			})
		}
	}
	for _, name := range []string{"Upgrade", "Connection", "Sec-WebSocket-Key", "Sec-WebSocket-Version", "Sec-WebSocket-Protocol", "Sec-WebSocket-Extensions",
		"Sec-WebSocket-Accept", "Content-Length", "Transfer-Encoding", "Trailer", "upgrade", "sec-websocket-key"} {
		for way, dial := range dtWays {
			addr, _ := dtRaw(t, "")
			if _, err := dial(t.Context(), "ws://example.com/", addr, &wsnet.DialOptions{Header: http.Header{name: {"x"}}}); err == nil || !strings.Contains(err.Error(), "cannot be set") {
				t.Errorf("%s, %s: got %v", name, way, err)
			}
		}
	}
}

// Answers of status 1xx may come before the 101, but not for ever.
func TestDialInterimAnswers(t *testing.T) {
	hints := "HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n"
	for _, tc := range []struct {
		name   string
		before string
		fails  string
	}{
		{"100", "HTTP/1.1 100 Continue\r\n\r\n", ""},
		{"103", hints, ""},
		{"102 and 103", "HTTP/1.1 102 Processing\r\n\r\n" + hints, ""},
		{"eight", strings.Repeat(hints, 8), ""},
		{"nine", strings.Repeat(hints, 9), "more than 8 answers of status 1xx"},
		{"no end", strings.Repeat(hints, 5000), "more than 8 answers of status 1xx"},
		{"403 after 103", hints + "HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno", "status 403"},
	} {
		for way, dial := range dtWays {
			t.Run(tc.name+", "+way, func(t *testing.T) {
				addr, _ := dtRaw(t, tc.before)
				c, err := dial(t.Context(), "ws://example.com/", addr, &wsnet.DialOptions{})
				switch {
				case tc.fails == "" && err != nil:
					t.Error(err)
				case tc.fails != "":
					e, ok := errors.AsType[*ws.HandshakeError](err)
					if !ok || e.Rule != ws.RuleStatus || !strings.Contains(err.Error(), tc.fails) {
						t.Errorf("got %v, want %q in it", err, tc.fails)
					}
				}
				if c != nil {
					c.CloseNow()
				}
			})
		}
	}
}
