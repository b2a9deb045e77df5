package wsspec_test

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"framewright/autobahn/wsspec"
	"framewright/ws"
	"framewright/ws/wsh2"
	"framewright/ws/wsnet"
	"framewright/ws/wstest"
)

// Over HTTP/2 all cases but those of HTTP/1.1's handshake come out as over TCP, in both
// roles of ours: all of them with writes cut into many DATA frames, some with whole ones.
func TestHTTP2(t *testing.T) {
	wstest.CheckLeaks(t)
	const some, slow = "1.*,2.*,5.*,7.*,framing,segmentation", "!10.4/never-finished,!10.4/pings-unread" // they wait for long
	for _, tt := range []struct {
		name, list string
		cut        bool
	}{{"whole", some, false}, {"cut", slow, true}} {
		if tt.cut && wstest.RaceEnabled() {
			tt.list = some
		}
		settings := wsspec.Settings{HTTP2: true, CutData: tt.cut, Count: 5, Patience: 20 * time.Second}
		t.Run("server/"+tt.name, func(t *testing.T) {
			t.Parallel()
			st, err := wsspec.NewServerTest(serveHTTP2(t), settings, nil)
			if err != nil {
				t.Fatal(err)
			}
			playHTTP2(t, tt.list, wsspec.Server, st)
		})
		t.Run("client/"+tt.name, func(t *testing.T) {
			t.Parallel()
			h2 := &wsh2.Client{Plain: true}
			defer h2.Close()
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			playHTTP2(t, tt.list, wsspec.Client, wsspec.NewClientTest(t.Context(), l, settings, func(ctx context.Context, url string, _ io.Writer) error {
				c, err := wsnet.Dial(ctx, url, &wsnet.DialOptions{Options: unlimited(), HTTP2: h2})
				if err != nil {
					return err
				}
				defer c.Close(ctx, ws.CodeNormal, "")
				return echoAll(ctx, c)
			}))
		})
	}
}

// playHTTP2 plays the cases of a list side by side; only those of the handshake may be
// skipped because of HTTP/2, and most of all are not skipped.
func playHTTP2(t *testing.T, list string, role wsspec.Role, p wsspec.Player) {
	t.Helper()
	if err := p.Preflight(t.Context()); err != nil {
		t.Fatal(err)
	}
	cases, err := wsspec.Select(wsspec.Cases(), list)
	if err != nil {
		t.Fatal(err)
	}
	cases = slices.DeleteFunc(cases, func(c *wsspec.Case) bool { return !c.Roles.Has(role) })
	left := len(cases)
	for r := range wsspec.PlayAll(t.Context(), p, cases, wsspec.Pace{}) {
		left--
		switch skipped := r.Outcome == wsspec.Skipped; {
		case r.Outcome == wsspec.Failed || r.Outcome == wsspec.Weak:
			t.Errorf("%s: %s: want %s; %s", r.Case.ID, r.Outcome, r.Expected, r.Actual)
		case r.Case.Chapter == "handshake" && !skipped, r.Case.Chapter != "handshake" && r.Case.Chapter != "negotiation" && skipped:
			t.Errorf("%s: %s: %s", r.Case.ID, r.Outcome, r.Actual)
		}
	}
	if left != 0 {
		t.Errorf("%d cases were not played", left)
	}
}

func unlimited() wsnet.Options {
	return wsnet.Options{MaxMessage: 64 << 20, MaxFragments: -1, EmptyRate: -1, PingRate: -1, InflateRate: -1,
		Compression: &ws.Compression{SendContext: true, ReceiveContext: true}}
}

func echoAll(ctx context.Context, c *wsnet.Conn) error {
	for m, err := range c.Messages(ctx) {
		if err != nil {
			return err
		}
		if err := c.Write(ctx, m.Opcode, m.Data); err != nil {
			return err
		}
	}
	return nil
}

// serveHTTP2 is an echo server that speaks HTTP/2 without TLS; its URL is returned.
func serveHTTP2(t *testing.T) string {
	quiet := slog.New(slog.DiscardHandler)
	srv := &wsnet.Server{Handler: echoAll, Logger: quiet, Options: wsnet.ServerOptions{Options: unlimited()}}
	h2 := &wsh2.Server{Handler: srv, Logger: quiet}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close(); h2.Close() })
	go func() {
		for {
			nc, err := l.Accept()
			if err != nil {
				return
			}
			go h2.ServeConn(context.Background(), nc, nil)
		}
	}()
	return "ws://" + l.Addr().String() + "/"
}

// A server whose HTTP/2 is not RFC 8441's cannot be tested, and it is said why.
func TestHTTP2Refused(t *testing.T) {
	wstest.CheckLeaks(t)
	head := func(fields ...string) func(*http2.Framer) {
		return func(f *http2.Framer) {
			var b bytes.Buffer
			enc := hpack.NewEncoder(&b)
			for i := 0; i < len(fields); i += 2 {
				enc.WriteField(hpack.HeaderField{Name: fields[i], Value: fields[i+1]})
			}
			f.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: b.Bytes(), EndHeaders: true})
		}
	}
	connect := http2.Setting{ID: http2.SettingEnableConnectProtocol, Val: 1}
	for _, tt := range []struct {
		name     string
		settings []http2.Setting
		answer   func(*http2.Framer)
		want     string
	}{
		{"no setting", nil, head(), "SETTINGS_ENABLE_CONNECT_PROTOCOL"},
		{"upgrade in the answer", []http2.Setting{connect}, head(":status", "200", "upgrade", "websocket"), "upgrade in a handshake over HTTP/2"},
		{"an accept in the answer", []http2.Setting{connect}, head(":status", "200", "sec-websocket-accept", "x"), "sec-websocket-accept in a handshake"},
		{"101", []http2.Setting{connect}, head(":status", "101"), "500"},
		{"not found", []http2.Setting{connect}, head(":status", "404"), "no WebSocket endpoint"},
		{"more than the window", []http2.Setting{connect}, func(f *http2.Framer) {
			head(":status", "200")(f)
			for range 200 {
				f.WriteData(1, false, make([]byte, 16384))
			}
		}, "more than the window"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			st, err := wsspec.NewServerTest(serveFrames(t, tt.settings, tt.answer), wsspec.Settings{HTTP2: true, Patience: time.Minute}, nil)
			if err != nil {
				t.Fatal(err)
			}
			if err := st.Preflight(t.Context()); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%v; want %q in it", err, tt.want)
			}
		})
	}
}

// serveFrames is a server that answers the first HEADERS of a connection, and reads on.
func serveFrames(t *testing.T, settings []http2.Setting, answer func(*http2.Framer)) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	t.Cleanup(func() { l.Close(); all.Wait() })
	all.Go(func() {
		nc, err := l.Accept()
		if err != nil {
			return
		}
		defer nc.Close()
		f := http2.NewFramer(nc, nc)
		io.CopyN(io.Discard, nc, int64(len(http2.ClientPreface)))
		f.WriteSettings(settings...)
		for {
			frame, err := f.ReadFrame()
			if err != nil {
				return
			}
			if frame.Header().Type == http2.FrameHeaders {
				answer(f)
			}
		}
	})
	return "ws://" + l.Addr().String() + "/"
}
