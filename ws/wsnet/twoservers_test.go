package wsnet_test

import (
	"bufio"
	"context"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"framewright/ws/wsnet"
	"framewright/ws/wstest"
)

// tsStatuses sends a request to l and returns the statuses of the answers up to
// the final one; none if the connection ended first.
func tsStatuses(t *testing.T, l *wstest.Listener, send string) (all []int) {
	t.Helper()
	conn, err := l.Dial()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(10 * time.Second))
	go io.WriteString(conn, send)
	method, _, _ := strings.Cut(strings.TrimLeft(send, "\r\n"), " ")
	r := bufio.NewReader(conn)
	for {
		resp, err := http.ReadResponse(r, &http.Request{Method: method})
		if err != nil {
			return all
		}
		if all = append(all, resp.StatusCode); resp.StatusCode == 101 || resp.StatusCode >= 200 {
			return all
		}
	}
}

// TestTwoServers sends each request to Accept behind net/http and to Serve: a
// program must be able to change from one to the other. Where they differ, the
// row says why.
func TestTwoServers(t *testing.T) {
	srv := wsnet.Handler(func(ctx context.Context, c *wsnet.Conn) error {
		_, _, err := c.Read(ctx)
		return err
	})
	srv.Logger = slog.New(slog.DiscardHandler)
	accept := stServe(t, http.HandlerFunc(srv.ServeHTTP))
	serve := wstest.NewListener()
	go srv.Serve(serve)
	t.Cleanup(func() { serve.Close() })

	type row struct {
		name   string
		send   string
		want   []int
		serve  []int  // if Serve answers something else
		reason string // and why
	}
	ok, bad := []int{101}, []int{400}
	rows := []row{
		{name: "a right one", send: badAsk(), want: ok},
		{name: "HTTP/1.2", send: badAsk("=GET /chat HTTP/1.2"), want: ok},
		{name: "HTTP/2.0", send: badAsk("=GET /chat HTTP/2.0"), want: []int{505}},
		{name: "HTTP/0.9", send: badAsk("=GET /chat HTTP/0.9"), want: []int{505}},
		{name: "HTTP/1.10", send: badAsk("=GET /chat HTTP/1.10"), want: bad},
		{name: "http in lower case", send: badAsk("=GET /chat http/1.1"), want: bad},
		{name: "two spaces", send: badAsk("=GET  /chat HTTP/1.1"), want: bad},
		{name: "a tab", send: badAsk("=GET\t/chat HTTP/1.1"), want: bad},
		{name: "a space in the target", send: badAsk("=GET /a b HTTP/1.1"), want: bad},
		{name: "a space in front", send: badAsk("= GET /chat HTTP/1.1"), want: bad},
		{name: "POST without a Host", send: badAsk("=POST /chat HTTP/1.1", "-Host"), want: bad},
		{name: "CONNECT without a Host", send: badAsk("=CONNECT example.com:80 HTTP/1.1", "-Host"), want: []int{405}},
		{name: "CONNECT to a path", send: badAsk("=CONNECT /chat HTTP/1.1"), want: []int{405}},
		{name: "the preface of HTTP/2", send: "PRI * HTTP/2.0\r\n\r\n", want: bad},

		{name: "an absolute target", send: badAsk("=GET http://example.com/chat HTTP/1.1"), want: ok},
		{name: "an absolute target that is another host than Host says, whose page asks", send: badAsk("=GET http://evil.example/chat HTTP/1.1", "+Origin: http://example.com"), want: []int{403}},
		{name: "an absolute target that is the host of the page that asks", send: badAsk("=GET http://a.example/chat HTTP/1.1", "+Origin: http://a.example"), want: ok},
		{name: "a target without a slash", send: badAsk("=GET chat HTTP/1.1"), want: bad},
		{name: "a target of a star", send: badAsk("=GET * HTTP/1.1"), want: ok},
		{name: "a target with a bad escape", send: badAsk("=GET /%zz HTTP/1.1"), want: bad},
		{name: "a target with a half escape", send: badAsk("=GET /%4 HTTP/1.1"), want: bad},
		{name: "a target with an escape", send: badAsk("=GET /%41?b=%zz HTTP/1.1"), want: ok},
		{name: "a target with a bad IPv6 host", send: badAsk("=GET http://[::1/ HTTP/1.1"), want: bad},
		{name: "a target with a bad port", send: badAsk("=GET http://a:b/ HTTP/1.1"), want: bad},
		{name: "a target with a NUL", send: badAsk("=GET /\x00 HTTP/1.1"), want: bad},
		{name: "a target with a DEL", send: badAsk("=GET /\x7f HTTP/1.1"), want: bad},
		{name: "a target with UTF-8", send: badAsk("=GET /\u00e9 HTTP/1.1"), want: ok},
		{name: "a target with a fragment", send: badAsk("=GET /a#b HTTP/1.1"), want: ok},
		{name: "a target of two slashes", send: badAsk("=GET //evil.example/x HTTP/1.1"), want: ok},
		{name: "a target with a colon first", send: badAsk("=GET :80/x HTTP/1.1"), want: bad},

		{name: "a Host with a space", send: badAsk("Host: a b"), want: bad},
		{name: "a Host with a slash", send: badAsk("Host: a/b"), want: bad},
		{name: "a Host with user information", send: badAsk("Host: me@example.com"), want: bad},
		{name: "a Host with a quote", send: badAsk("Host: a\"b"), want: bad},
		{name: "a Host with UTF-8", send: badAsk("Host: b\u00fccher.example"), want: bad},
		{name: "an empty Host", send: badAsk("Host:"), want: bad},

		{name: "no name", send: badAsk("+: x"), want: bad},
		{name: "no colon", send: badAsk("+X"), want: bad},
		{name: "a name with a bracket", send: badAsk("+X(: x"), want: bad},
		{name: "a name with UTF-8", send: badAsk("+X\u00e9: x"), want: bad},
		{name: "a value with UTF-8", send: badAsk("+X: \u00e9"), want: ok},
		{name: "a value with an escape", send: badAsk("+X: \x1b[31m"), want: bad},
		{name: "a value with a DEL", send: badAsk("+X: \x7f"), want: bad},
		{name: "white space around a value", send: badAsk("+X: \t  a \t"), want: ok},
		{name: "an empty value", send: badAsk("+X:"), want: ok},

		{name: "the body's coding is gzip", send: badAsk("+Transfer-Encoding: gzip"), want: []int{501}},
		{name: "chunked and gzip", send: badAsk("+Transfer-Encoding: gzip, chunked"), want: []int{501}},
		{name: "chunked twice", send: badAsk("+Transfer-Encoding: chunked", "+Transfer-Encoding: chunked"), want: []int{501}},
		{name: "an empty coding", send: badAsk("+Transfer-Encoding:"), want: []int{501}},
		{name: "identity", send: badAsk("+Transfer-Encoding: identity"), want: []int{501}},
		{name: "chunked in upper case", send: badAsk("+Transfer-Encoding: CHUNKED") + "0\r\n\r\n", want: bad},
		{name: "POST, chunked", send: badAsk("=POST /chat HTTP/1.1", "+Transfer-Encoding: chunked") + "0\r\n\r\n", want: []int{405}},
		{name: "POST, chunked, with a trailer that is none", send: badAsk("=POST /chat HTTP/1.1", "+Transfer-Encoding: chunked", "+Trailer: Content-Length") + "0\r\n\r\n", want: bad},
		{name: "a coding that nobody knows, with a version that knows none", send: badAsk("=GET /chat HTTP/1.0", "+Transfer-Encoding: gzip"), want: bad},

		{name: "Expect: 100-continue", send: badAsk("+Expect: 100-continue"), want: []int{100, 101}},
		{name: "Expect in another case", send: badAsk("+expect: 100-CONTINUE"), want: []int{100, 101}},
		{name: "Expect with others", send: badAsk("+Expect: a, 100-continue"), want: []int{100, 101}},
		{name: "Expect with a length of 0", send: badAsk("+Expect: 100-continue", "+Content-Length: 0"), want: []int{100, 101}},
		{name: "Expect of something else", send: badAsk("+Expect: 200-ok"), want: []int{417}},
		{name: "Expect of something longer", send: badAsk("+Expect: 100-continued"), want: []int{417}},
		{name: "Expect of nothing", send: badAsk("+Expect:"), want: ok},
		{name: "two Expects", send: badAsk("+Expect: 100-continue", "+Expect: else"), want: []int{100, 101}},
		{name: "two Expects, the other way round", send: badAsk("+Expect: else", "+Expect: 100-continue"), want: []int{417}},
		{name: "Expect of something else with POST", send: badAsk("=POST /chat HTTP/1.1", "+Expect: else"), want: []int{417}},
		{name: "Expect: 100-continue, refused", send: badAsk("+Expect: 100-continue", "+Origin: http://evil.example"), want: []int{403}},

		{name: "an empty line in front", send: "\r\n" + badAsk(), want: bad, serve: ok,
			reason: "net/http takes no empty line before a connection's first request, although RFC 9112 §2.2 asks for it"},
		{name: "three empty lines in front", send: "\r\n\r\n\r\n" + badAsk(), want: bad, serve: ok, reason: "the same"},
		{name: "a line with a space in front", send: " \r\n" + badAsk(), want: bad},
		{name: "a bare LF in front", send: "\n" + badAsk(), want: bad},
		{name: "LF for CRLF", send: strings.ReplaceAll(badAsk(), "\r\n", "\n"), want: ok, serve: bad,
			reason: "Serve is strict about lines: a recipient MAY take LF alone (RFC 9112 §2.2)"},
		{name: "LF for the first CRLF", send: strings.Replace(badAsk(), "\r\n", "\n", 1), want: ok, serve: bad, reason: "the same"},
		{name: "a folded value", send: badAsk("+X: a\r\n b"), want: ok, serve: bad,
			reason: "a server MUST refuse obs-fold or replace it (RFC 9112 §5.2): Serve does the first, net/http the second"},
		{name: "a fold in the first header", send: badAsk("=GET /chat HTTP/1.1\r\n b: c"), want: bad},
	}
	for _, v := range []struct {
		length string
		want   []int
	}{
		{"0", ok}, {"00", ok}, {"000000000000000000000000000", ok}, {" 0 ", ok}, {"\t0\t", ok},
		{"+0", bad}, {"-0", bad}, {"0x0", bad}, {"0,0", bad}, {"0, 0", bad}, {"0 0", bad}, {"", bad}, {"0.0", bad}, {"0_0", bad}, {"\u0660", bad}, {"0\x00", bad},
		{"1", bad}, {"01", bad}, {"9223372036854775807", bad}, {"9223372036854775808", bad}, {"18446744073709551616", bad},
	} {
		rows = append(rows,
			row{name: "a length of " + v.length, send: badAsk("+Content-Length: " + v.length), want: v.want},
			row{name: "twice a length of " + v.length, send: badAsk("+Content-Length: "+v.length, "+Content-Length: "+v.length), want: v.want})
		post := []int{405}
		if v.length != "1" && v.length != "01" && v.length != "9223372036854775807" && !slices.Equal(v.want, ok) {
			post = bad
		}
		rows = append(rows, row{name: "POST with a length of " + v.length, send: badAsk("=POST /chat HTTP/1.1", "+Content-Length: "+v.length) + "x", want: post})
	}
	rows = append(rows,
		row{name: "lengths of 0 and 00", send: badAsk("+Content-Length: 0", "+Content-Length: 00"), want: bad},
		row{name: "lengths of 0 and 1", send: badAsk("+Content-Length: 0", "+Content-Length: 1"), want: bad})

	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			if got := tsStatuses(t, accept, row.send); !slices.Equal(got, row.want) {
				t.Errorf("net/http and Accept answer with %v, want %v", got, row.want)
			}
			want := row.want
			if row.reason != "" {
				want = row.serve
			}
			if got := tsStatuses(t, serve, row.send); !slices.Equal(got, want) {
				t.Errorf("Serve answers with %v, want %v", got, want)
			}
		})
	}
	for _, row := range badRequests() {
		if row.opts == nil && svDiffers[row.name] == 0 {
			t.Run(row.name, func(t *testing.T) {
				if a, s := tsStatuses(t, accept, row.send), tsStatuses(t, serve, row.send); !slices.Equal(a, s) {
					t.Errorf("net/http and Accept answer with %v, Serve with %v", a, s)
				}
			})
		}
	}
}
