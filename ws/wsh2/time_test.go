package wsh2_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"framewright/ws/wsh2"
	"framewright/ws/wsnet"
	"framewright/ws/wstest"
)

// A raw client says frames and hears them, over a pipe.
type raw struct {
	t *testing.T
	net.Conn
	fr  *http2.Framer
	enc *hpack.Encoder
	hp  bytes.Buffer
}

func newRaw(t *testing.T, c net.Conn) *raw {
	r := &raw{t: t, Conn: c, fr: http2.NewFramer(c, c)}
	r.enc = hpack.NewEncoder(&r.hp)
	r.fr.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	return r
}

// hello sends the preface and SETTINGS.
func (r *raw) hello(settings ...http2.Setting) {
	io.WriteString(r, http2.ClientPreface)
	r.fr.WriteSettings(settings...)
}

// open sends a request on stream id, which stays open unless end.
func (r *raw) open(id uint32, end bool, fields ...string) {
	r.hp.Reset()
	for i := 0; i < len(fields); i += 2 {
		r.enc.WriteField(hpack.HeaderField{Name: fields[i], Value: fields[i+1]})
	}
	r.fr.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: r.hp.Bytes(), EndHeaders: true, EndStream: end})
}

// socket asks for a WebSocket on stream id.
func (r *raw) socket(id uint32) {
	r.open(id, false, ":method", "CONNECT", ":protocol", "websocket", ":scheme", "http", ":path", "/", ":authority", "example.com", "sec-websocket-version", "13")
}

// next reads until a frame that is not of a connection's routine.
func (r *raw) next() http2.Frame {
	r.t.Helper()
	for {
		f, err := r.fr.ReadFrame()
		if err != nil {
			r.t.Fatalf("no frame: %v", err)
		}
		switch f.Header().Type {
		case http2.FrameSettings, http2.FrameWindowUpdate, http2.FramePing:
			continue
		}
		return f
	}
}

// rest is what comes as DATA until END_STREAM, in how many frames that may be.
func (r *raw) rest() (data string) {
	r.t.Helper()
	for {
		f, ok := r.next().(*http2.DataFrame)
		if !ok {
			r.t.Fatalf("got %v behind %q, want DATA", f, data)
		}
		if data += string(f.Data()); f.StreamEnded() {
			return data
		}
	}
}

func (r *raw) wantGoAway(code http2.ErrCode) {
	r.t.Helper()
	if f, ok := r.next().(*http2.GoAwayFrame); !ok || f.ErrCode != code {
		r.t.Errorf("got %v, want GOAWAY with %v", f, code)
	}
}

func (r *raw) wantEnd() {
	r.t.Helper()
	if b, err := io.ReadAll(r); len(b) > 0 || err != nil {
		r.t.Errorf("%d bytes behind the last frame, %v", len(b), err)
	}
}

// inTime serves one connection over a pipe under a clock of its own, with h or an echo.
func inTime(t *testing.T, s *wsh2.Server, h http.Handler, do func(t *testing.T, r *raw)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		if h == nil {
			e := echo()
			e.Options.PingInterval = -1
			h = e
		}
		s.Logger = slog.New(slog.DiscardHandler)
		a, b := wstest.Pipe()
		done := make(chan bool)
		go func() { s.ServeConn(context.Background(), b, h); close(done) }()
		r := newRaw(t, a)
		do(t, r)
		a.Close()
		<-done
	})
}

// TestTimes: each way to wait has its end.
func TestTimes(t *testing.T) {
	patient := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			http.Error(w, err.Error(), http.StatusRequestTimeout)
			return
		}
		w.Write(make([]byte, 100_000))
	})
	get := []string{":method", "GET", ":scheme", "http", ":path", "/", ":authority", "h"}
	post := []string{":method", "POST", ":scheme", "http", ":path", "/", ":authority", "h"}
	for _, tt := range []struct {
		name  string
		h     http.Handler
		after time.Duration
		do    func(r *raw)
		want  func(r *raw)
	}{
		{"nothing is said", nil, 10 * time.Second, func(r *raw) {}, func(r *raw) {}},
		{"half of the preface", nil, 10 * time.Second, func(r *raw) { io.WriteString(r, "PRI * HTTP/2.0\r\n") }, func(r *raw) {}},
		{"no SETTINGS", nil, 10 * time.Second, func(r *raw) { io.WriteString(r, http2.ClientPreface) }, func(r *raw) {}},
		{"half of a frame", nil, 30 * time.Second, func(r *raw) { r.hello(); r.socket(1); r.Write([]byte{0, 0, 5, 0, 0}) }, func(r *raw) { r.next() }},
		{"half of a header", nil, 30 * time.Second, func(r *raw) { r.hello(); r.Write([]byte{0, 0, 5, 1, 0, 0, 0, 0, 1, 0x82}) }, func(r *raw) {}},
		{"no stream", nil, 3 * time.Minute, func(r *raw) { r.hello() }, func(r *raw) { r.wantGoAway(http2.ErrCodeNo) }},
		{"a peer that only pings", nil, 3 * time.Minute, func(r *raw) {
			r.hello()
			for range 2 {
				time.Sleep(time.Minute)
				r.fr.WritePing(false, [8]byte{})
			}
		}, func(r *raw) { r.wantGoAway(http2.ErrCodeNo) }},
		{"no stream any more", nil, 4 * time.Minute, func(r *raw) {
			r.hello()
			r.socket(1)
			time.Sleep(time.Minute)
			r.fr.WriteRSTStream(1, http2.ErrCodeCancel)
		}, func(r *raw) { r.next(); r.wantGoAway(http2.ErrCodeNo) }},
		{"content that does not come", patient, 4 * time.Minute, func(r *raw) { r.hello(); r.open(1, false, post...) }, func(r *raw) {
			if f, ok := r.next().(*http2.MetaHeadersFrame); !ok || f.PseudoValue("status") != "408" {
				r.t.Errorf("%v", f)
			}
			r.next() // its text
			r.next() // NO_ERROR
			r.wantGoAway(http2.ErrCodeNo)
		}},
		{"a response that is not taken", patient, 3*time.Minute + 30*time.Second, func(r *raw) {
			r.hello(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 10})
			r.open(1, true, get...)
		}, func(r *raw) {
			r.next() // headers
			r.next() // ten bytes
			if f, ok := r.next().(*http2.RSTStreamFrame); !ok || f.ErrCode != http2.ErrCodeCancel {
				r.t.Errorf("%v", f)
			}
			r.wantGoAway(http2.ErrCodeNo)
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inTime(t, &wsh2.Server{}, tt.h, func(t *testing.T, r *raw) {
				start := time.Now()
				tt.do(r)
				tt.want(r)
				for { // what the connection's routine is
					if _, err := r.fr.ReadFrame(); err != nil {
						break
					}
				}
				if got := time.Since(start); got != tt.after {
					t.Errorf("the end came after %v, want %v", got, tt.after)
				}
			})
		})
	}
}

// A WebSocket that waits does not end for it.
func TestIdleWebSocketStays(t *testing.T) {
	inTime(t, &wsh2.Server{}, nil, func(t *testing.T, r *raw) {
		r.hello()
		r.socket(1)
		if f, ok := r.next().(*http2.MetaHeadersFrame); !ok || f.PseudoValue("status") != "200" || f.StreamEnded() {
			t.Fatal(f)
		}
		time.Sleep(24 * time.Hour)
		r.fr.WriteData(1, false, wstest.MustHex("81 85 | 37fa213d | 7f9f4d5158"))
		if f, ok := r.next().(*http2.DataFrame); !ok || string(f.Data()) != "\x81\x05Hello" || f.StreamEnded() {
			t.Errorf("%v", f)
		}
		// The closing handshake ends the stream in both directions, without a reset.
		r.fr.WriteData(1, false, wstest.MustHex("88 82 | 00000000 | 03e8"))
		if got := r.rest(); got != "\x88\x02\x03\xe8" {
			t.Errorf("%q", got)
		}
		r.fr.WriteData(1, true, nil)
		r.wantGoAway(http2.ErrCodeNo)
	})
}

// Shutdown lets streams finish, and cuts them when its time is over.
func TestShutdown(t *testing.T) {
	for _, patient := range []bool{true, false} {
		s := &wsh2.Server{}
		var sockets *wsnet.Server
		inTime(t, s, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { sockets.ServeHTTP(w, r) }), func(t *testing.T, r *raw) {
			sockets = echo()
			sockets.Options.PingInterval = -1
			r.hello()
			r.socket(1)
			r.next()
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			down := make(chan error, 1)
			go func() { down <- s.Shutdown(ctx) }()
			r.wantGoAway(http2.ErrCodeNo)
			r.socket(3)
			if f, ok := r.next().(*http2.RSTStreamFrame); !ok || f.ErrCode != http2.ErrCodeRefusedStream {
				t.Errorf("%v", f)
			}
			r.fr.WriteData(1, false, wstest.MustHex("81 85 | 37fa213d | 7f9f4d5158"))
			if f, ok := r.next().(*http2.DataFrame); !ok || string(f.Data()) != "\x81\x05Hello" {
				t.Errorf("%v", f)
			}
			if patient {
				go sockets.Shutdown(ctx)
				if f, ok := r.next().(*http2.DataFrame); !ok || !strings.HasPrefix(string(f.Data()), "\x88\x19\x03\xe9") || f.StreamEnded() {
					t.Errorf("%v", f)
				}
				r.fr.WriteData(1, true, wstest.MustHex("88 82 | 00000000 | 03e9"))
				if got := r.rest(); got != "" {
					t.Errorf("%q behind the Close frame", got)
				}
				r.wantEnd()
			}
			if err := <-down; patient && err != nil || !patient && !errors.Is(err, context.DeadlineExceeded) {
				t.Error(err)
			}
		})
	}
}

// A plain listener takes both protocols, told apart by their first bytes.
func TestListener(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, r.Proto) })
		s := &wsh2.Server{Handler: h}
		l := wstest.NewListener()
		hs := &http.Server{Handler: h}
		served := make(chan error)
		go func() { served <- hs.Serve(s.Listener(l)) }()
		for _, proto := range []string{"HTTP/1.1", "HTTP/2.0"} {
			tr := &http.Transport{Protocols: new(http.Protocols), DialContext: func(context.Context, string, string) (net.Conn, error) { return l.Dial() }}
			tr.Protocols.SetHTTP1(proto == "HTTP/1.1")
			tr.Protocols.SetUnencryptedHTTP2(proto == "HTTP/2.0")
			resp, err := tr.RoundTrip(must(http.NewRequest("GET", "http://h/", nil)))
			if err != nil {
				t.Fatal(err)
			}
			body, _ := io.ReadAll(resp.Body)
			resp.Body.Close()
			if string(body) != proto || resp.Proto != proto {
				t.Errorf("asked for %s: %s, the handler saw %s", proto, resp.Proto, body)
			}
			tr.CloseIdleConnections()
		}
		silent := must(l.Dial()) // holds up nobody, and gets net/http's own patience
		defer silent.Close()
		if err := errors.Join(s.Shutdown(t.Context()), hs.Close()); err != nil {
			t.Error(err)
		}
		if err := <-served; err != http.ErrServerClosed {
			t.Error(err)
		}
	})
}
