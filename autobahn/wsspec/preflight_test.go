package wsspec

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"framewright/ws"
	"framewright/ws/wsnet"
	"framewright/ws/wstest"
)

// saying is a TCP server that says something to whoever comes, and ends.
func saying(t *testing.T, text string) string {
	t.Helper()
	return serveEach(t, func(_ context.Context, _ net.Listener, c net.Conn) {
		io.WriteString(c, text)
		c.Read(make([]byte, 4096))
	})
}

func serving(t *testing.T, h http.Handler) string {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return "ws" + strings.TrimPrefix(s.URL, "http")
}

func answering(status int) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Location", "/elsewhere")
		w.WriteHeader(status)
	})
}

// talking is a WebSocket server that does something with each connection.
func talking(t *testing.T, do func(context.Context, *wsnet.Conn) error) string {
	t.Helper()
	h := wsnet.Handler(do)
	t.Cleanup(func() { h.Shutdown(context.Background()) })
	return serving(t, h)
}

// What cannot be tested is said to be so, once, by what it is.
func TestPreflight(t *testing.T) {
	wstest.CheckLeaks(t)
	nobody := wstest.NobodyAt(t)
	tlsServer := httptest.NewUnstartedServer(http.NotFoundHandler())
	tlsServer.Config.ErrorLog = log.New(io.Discard, "", 0)
	tlsServer.StartTLS()
	defer tlsServer.Close()
	tlsAt := tlsServer.Listener.Addr().String()

	for _, tt := range []struct{ name, url, want string }{
		{"nobody listens", "ws://" + nobody, "nobody listens at " + nobody},
		{"an unknown host", "ws://nowhere.invalid", "the host nowhere.invalid is not known"},
		{"TLS on a plain port", "ws://" + tlsAt, "speaks TLS: try wss://"},
		{"plain on a TLS port", "ws" + "s" + strings.TrimPrefix(serving(t, answering(200)), "ws"), "does not speak TLS: try ws://"},
		{"a certificate of nobody", "wss://" + tlsAt, "-insecure takes any"},
		{"plain HTTP", serving(t, answering(200)) + "/x", "is a plain HTTP server, or has its WebSocket endpoint at another path than /x"},
		{"no such path", serving(t, answering(404)) + "/x", "has no WebSocket endpoint at the path /x"},
		{"a redirect", serving(t, answering(302)), `sends us on to "/elsewhere"`},
		{"who are you", serving(t, answering(401)), "-header adds"},
		{"a broken server", serving(t, answering(500)), `answered "HTTP/1.1 500 Internal Server Error" instead of 101`},
		{"SSH", saying(t, "SSH-2.0-OpenSSH_9.6\r\n"), `does not speak HTTP: it says "SSH-2.0`},
		{"a TCP server that ends", saying(t, ""), "does not speak HTTP: no answer to the opening handshake: EOF"},
		{"no echo", talking(t, func(ctx context.Context, c *wsnet.Conn) error {
			_, _, err := c.Read(ctx)
			<-ctx.Done()
			return err
		}), "has not sent a message back within 500ms"},
		{"another text", talking(t, func(ctx context.Context, c *wsnet.Conn) error {
			return c.Write(ctx, ws.OpText, []byte("Welcome!"))
		}), `sends "Welcome!" where "Is this an echo?" should come back`},
		{"ends at once", talking(t, func(ctx context.Context, c *wsnet.Conn) error { return nil }), "closes it (close 1000"},
		{"an echo", talking(t, echo), ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			st, err := NewServerTest(tt.url, Settings{Patience: 500 * time.Millisecond}, nil)
			if err != nil {
				t.Fatal(err)
			}
			err = st.Preflight(t.Context())
			if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("%v; want an error with %q", err, tt.want)
			}
			if err != nil && strings.Contains(err.Error(), "\n") {
				t.Errorf("more than a sentence: %v", err)
			}
		})
	}
}

// echoClient echoes with a client of ours.
func echoClient(ctx context.Context, url string, _ io.Writer) error {
	c, err := wsnet.Dial(ctx, url, nil)
	if err != nil {
		return err
	}
	defer c.CloseNow()
	echo(ctx, c)
	return nil
}

func clientTest(t *testing.T, f ClientFunc) *ClientTest {
	t.Helper()
	wstest.CheckLeaks(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ct := NewClientTest(ctx, l, Settings{Patience: 500 * time.Millisecond}, f)
	t.Cleanup(func() {
		cancel()
		<-ct.done
	})
	return ct
}

func TestClientPreflight(t *testing.T) {
	for _, tt := range []struct {
		name string
		f    ClientFunc
		want string
	}{
		{"an echo", echoClient, ""},
		{"ends at once", func(_ context.Context, _ string, w io.Writer) error {
			io.WriteString(w, "no module named websockets\n")
			return errors.New("exit status 1")
		}, "ended without connecting: exit status 1\nits output:\n    no module named websockets"},
		{"another URL", func(ctx context.Context, url string, w io.Writer) error {
			return echoClient(ctx, url+"x", w)
		}, "ended without connecting: "},
		{"plain HTTP", func(ctx context.Context, url string, w io.Writer) error {
			resp, err := http.Get("http" + strings.TrimPrefix(url, "ws"))
			if err == nil {
				resp.Body.Close()
			}
			return err
		}, `sends no WebSocket handshake but "GET /1/preflight HTTP/1.1"`},
		{"no echo", func(ctx context.Context, url string, _ io.Writer) error {
			c, err := wsnet.Dial(ctx, url, nil)
			if err != nil {
				return err
			}
			defer c.CloseNow()
			c.Read(ctx)
			<-ctx.Done()
			return nil
		}, "has not sent a message back within 500ms"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := clientTest(t, tt.f).Preflight(t.Context())
			if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("%v; want an error with %q", err, tt.want)
			}
		})
	}
}

// A client is told where its case is by the URL, also when many run at once, and what
// it prints is kept.
func TestPlayClients(t *testing.T) {
	ct := clientTest(t, func(ctx context.Context, url string, w io.Writer) error {
		fmt.Fprintln(w, "going to", url[strings.LastIndexByte(url, '/')+1:])
		return echoClient(ctx, url, w)
	})
	var cases []*Case
	for i := range 40 {
		c := *hello
		c.ID = fmt.Sprint("hello-", i)
		cases = append(cases, &c)
	}
	n := 0
	for r := range PlayAll(t.Context(), ct, cases, Pace{}) {
		n++
		if r.Outcome != Passed || r.Output != "going to "+r.Case.ID {
			t.Errorf("%s: %s %s, output %q", r.Case.ID, r.Outcome, r.Actual, r.Output)
		}
	}
	if n != len(cases) {
		t.Errorf("%d results, want %d", n, len(cases))
	}
}
