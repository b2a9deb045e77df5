package wsnet_test

import (
	"bufio"
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"framewright/ws"
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

// A tsRow is a request, and the statuses that both servers answer it with.
type tsRow struct {
	name   string
	send   string
	want   []int
	serve  []int  // if Serve answers something else
	reason string // and why
}

// A tsServer notes what its Server shows of a request.
type tsServer struct {
	*wsnet.Server
	mu    sync.Mutex
	shown []tsShown
}

// tsShown is what a program sees of a request.
type tsShown struct {
	Method, Path, RawPath, Query, URLHost, URL, RequestURI, Host, Proto string
	Major, Minor                                                        int
	Header, Trailer                                                     http.Header
	Length                                                              int64
	TransferEncoding                                                    []string
	Close, TLS, RemoteAddr, LocalAddr                                   bool
	Refused                                                             bool // it is Refused that is shown it
}

func newTSServer() *tsServer {
	s := &tsServer{}
	show := func(r *http.Request, refused bool) {
		local, _ := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
		s.mu.Lock()
		defer s.mu.Unlock()
		s.shown = append(s.shown, tsShown{r.Method, r.URL.Path, r.URL.RawPath, r.URL.RawQuery, r.URL.Host, r.URL.String(), r.RequestURI, r.Host, r.Proto,
			r.ProtoMajor, r.ProtoMinor, r.Header.Clone(), r.Trailer.Clone(), r.ContentLength, r.TransferEncoding,
			r.Close, r.TLS != nil, r.RemoteAddr != "", local != nil, refused})
	}
	s.Server = &wsnet.Server{
		Handler: func(ctx context.Context, c *wsnet.Conn) error {
			_, _, err := c.Read(ctx)
			return err
		},
		Connect: func(r *http.Request) (context.Context, error) { show(r, false); return nil, nil },
		Refused: func(r *http.Request, _ *ws.HandshakeError) { show(r, true) },
		Logger:  slog.New(slog.DiscardHandler),
	}
	return s
}

// take returns what was shown since the last call, once that is all: with Serve,
// Refused may be called after the answer.
func (s *tsServer) take(t *testing.T, refused bool) []tsShown {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); ; runtime.Gosched() {
		s.mu.Lock()
		shown := s.shown
		if slices.ContainsFunc(shown, func(sh tsShown) bool { return sh.Refused == refused }) {
			s.shown = nil
			s.mu.Unlock()
			return shown
		}
		s.mu.Unlock()
		if time.Now().After(end) {
			t.Fatal("neither Connect nor Refused was called")
		}
	}
}

// TestTwoServers sends each request to Accept behind net/http and to Serve: a
// program must be able to change from one to the other, and two readings of one
// request are how requests get smuggled (RFC 9112 §11.2). So the answers are the
// same, and what Connect or Refused is shown. Where they differ, the row says why.
func TestTwoServers(t *testing.T) {
	two := newTSServer()
	serve := wstest.NewListener()
	go two.Serve(serve)
	t.Cleanup(func() { serve.Close() })

	ok, bad := []int{101}, []int{400}
	rows := []tsRow{
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
			tsRow{name: "a length of " + v.length, send: badAsk("+Content-Length: " + v.length), want: v.want},
			tsRow{name: "twice a length of " + v.length, send: badAsk("+Content-Length: "+v.length, "+Content-Length: "+v.length), want: v.want})
		post := []int{405}
		if v.length != "1" && v.length != "01" && v.length != "9223372036854775807" && !slices.Equal(v.want, ok) {
			post = bad
		}
		rows = append(rows, tsRow{name: "POST with a length of " + v.length, send: badAsk("=POST /chat HTTP/1.1", "+Content-Length: "+v.length) + "x", want: post})
	}
	rows = append(rows,
		tsRow{name: "lengths of 0 and 00", send: badAsk("+Content-Length: 0", "+Content-Length: 00"), want: bad},
		tsRow{name: "lengths of 0 and 1", send: badAsk("+Content-Length: 0", "+Content-Length: 1"), want: bad})

	rows = append(rows, tsSmuggled()...)
	for _, row := range badRequests() {
		if row.opts == nil && svDiffers[row.name] == 0 {
			rows = append(rows, tsRow{name: row.name, send: row.send})
		}
	}

	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			one := newTSServer() // net/http may show a second request when the next row is there
			accept := stServe(t, http.HandlerFunc(one.ServeHTTP))
			a, s := tsStatuses(t, accept, row.send), tsStatuses(t, serve, row.send)
			same := two.take(t, s[len(s)-1] != http.StatusSwitchingProtocols)
			one.mu.Lock()
			seen := slices.Clone(one.shown)
			one.mu.Unlock()
			if row.want == nil { // others say which it is
				row.want = a
			}
			if !slices.Equal(a, row.want) {
				t.Errorf("net/http and Accept answer with %v, want %v", a, row.want)
			}
			if row.reason != "" {
				if !slices.Equal(s, row.serve) {
					t.Errorf("Serve answers with %v, want %v", s, row.serve)
				}
				return
			}
			if !slices.Equal(s, row.want) {
				t.Errorf("Serve answers with %v, want %v", s, row.want)
			}
			switch {
			case len(seen) == 0: // net/http has refused it by itself
				return
			case same[0].Method == "": // Serve has refused it before it was there
				return
			case same[0].Method == "PRI": // behind which net/http expects HTTP/2
				return
			}
			// After an answer net/http goes on with the next request, Serve hangs up.
			if diff := cmp.Diff(seen[:min(len(seen), len(same))], same, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("what a program sees of it (-net/http +Serve):\n%s", diff)
			}
		})
	}
}
