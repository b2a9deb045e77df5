package wsh2_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/net/http2"

	"framewright/ws"
	"framewright/ws/wsh2"
	"framewright/ws/wsnet"
	"framewright/ws/wstest"
)

var getRoot = []string{":method", "GET", ":scheme", "http", ":path", "/", ":authority", "example.com"}

// TestHostile has the rows of docs/hostile-inputs.md that are about HTTP/2, as far as
// ws/internal/h2 does not have them: what a program behind the server sees of them.
func TestHostile(t *testing.T) {
	var running, most, total atomic.Int32
	release := make(chan struct{})
	slow := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		total.Add(1)
		n := running.Add(1)
		defer running.Add(-1)
		for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
		}
		<-release // whatever its context says
	})
	never := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("a handler was asked") })
	for _, tt := range []struct {
		row  int
		name string
		h    http.Handler
		send func(r *raw)
		code http2.ErrCode // of the GOAWAY
	}{
		{128, "streams opened and reset at once", slow, func(r *raw) {
			for id := uint32(1); id < 10_000; id += 2 {
				r.open(id, true, getRoot...)
				r.fr.WriteRSTStream(id, http2.ErrCodeCancel)
			}
		}, http2.ErrCodeEnhanceYourCalm},
		{129, "CONTINUATIONs without anything", never, func(r *raw) {
			r.fr.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: []byte{0x82}})
			for range 100_000 {
				if r.fr.WriteContinuation(1, false, nil) != nil {
					return
				}
			}
		}, http2.ErrCodeEnhanceYourCalm},
		{130, "a header list without end", never, func(r *raw) {
			r.fr.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: []byte{0x82}})
			for range 10_000 {
				if r.fr.WriteContinuation(1, false, bytes.Repeat([]byte{0x40, 1, 'a', 1, 'b'}, 1000)) != nil {
					return
				}
			}
		}, http2.ErrCodeProtocol},
		{130, "a header that grows where it is decoded", never, func(r *raw) {
			block := append([]byte{0x82, 0x40, 1, 'a', 0x7f, 0x81, 0x1e}, bytes.Repeat([]byte("b"), 4000)...)
			r.fr.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: append(block, bytes.Repeat([]byte{0xbe}, 10_000)...), EndHeaders: true})
			for {
				if f, err := r.fr.ReadFrame(); err != nil || f.Header().Type == http2.FrameRSTStream || f.Header().Type == http2.FrameHeaders {
					break
				}
			}
			r.fr.WriteRawFrame(http2.FramePushPromise, 0, 1, make([]byte, 4)) // the end, for this test
		}, http2.ErrCodeProtocol},
	} {
		t.Run(fmt.Sprintf("%d %s", tt.row, tt.name), func(t *testing.T) {
			running.Store(0)
			most.Store(0)
			release = make(chan struct{})
			inTime(t, &wsh2.Server{}, tt.h, func(t *testing.T, r *raw) {
				r.hello()
				release = make(chan struct{})
				sent := make(chan bool)
				go func() { tt.send(r); close(sent) }()
				if tt.row == 130 && strings.Contains(tt.name, "grows") {
					<-sent
				}
				for {
					f, err := r.fr.ReadFrame()
					if err != nil {
						t.Fatal(err)
					}
					if g, ok := f.(*http2.GoAwayFrame); ok {
						if g.ErrCode != tt.code {
							t.Errorf("GOAWAY with %v, want %v", g.ErrCode, tt.code)
						}
						break
					}
				}
				close(release)
				r.Close()
				<-sent
			})
			if n := most.Load(); n > 200 {
				t.Errorf("%d handlers ran at once", n)
			}
		})
	}
}

// 132: who opens no window holds up no other stream, nor the page.
func TestWindowStall(t *testing.T) {
	inTime(t, &wsh2.Server{}, nil, func(t *testing.T, r *raw) {
		r.hello(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 0})
		r.socket(1)
		r.next()
		r.fr.WriteData(1, false, wstest.MustHex("81 85 | 37fa213d | 7f9f4d5158"))
		r.socket(3)
		r.next()
		r.fr.WriteWindowUpdate(3, 100)
		r.fr.WriteData(3, false, wstest.MustHex("81 85 | 37fa213d | 7f9f4d5158"))
		if f, ok := r.next().(*http2.DataFrame); !ok || f.StreamID != 3 || string(f.Data()) != "\x81\x05Hello" {
			t.Errorf("%v", f)
		}
		for _, want := range "\x81\x05Hello" { // a byte at a time
			r.fr.WriteWindowUpdate(1, 1)
			if f, ok := r.next().(*http2.DataFrame); !ok || f.StreamID != 1 || string(f.Data()) != string([]byte{byte(want)}) && want < 0x80 {
				t.Errorf("%v", f)
			}
		}
	})
}

// 136: what comes before the answer waits, and is read behind it.
func TestDataBeforeTheAnswer(t *testing.T) {
	server := echo()
	server.Options.PingInterval = -1
	server.Connect = func(*http.Request) (context.Context, error) { time.Sleep(time.Second); return nil, nil }
	inTime(t, &wsh2.Server{}, server, func(t *testing.T, r *raw) {
		r.hello()
		r.socket(1)
		r.fr.WriteData(1, false, wstest.MustHex("81 85 | 37fa213d | 7f9f4d5158"))
		if f, ok := r.next().(*http2.MetaHeadersFrame); !ok || f.PseudoValue("status") != "200" {
			t.Fatal(f)
		}
		if f, ok := r.next().(*http2.DataFrame); !ok || string(f.Data()) != "\x81\x05Hello" {
			t.Errorf("%v", f)
		}
	})
}

// 137: a stream that ends, or is reset, inside a frame: 1006, and the next one works.
func TestEndInsideAFrame(t *testing.T) {
	var ends [3]error
	server := echo()
	server.Options.PingInterval = -1
	server.Ended = func(c *wsnet.Conn) { ends[c.Context().Value(idKey{}).(int)] = c.Err() }
	inTime(t, &wsh2.Server{}, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n := len(r.URL.RawQuery)
		server.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), idKey{}, n)))
	}), func(t *testing.T, r *raw) {
		r.hello()
		for i, path := range []string{"/", "/?1", "/?12"} {
			id := uint32(2*i + 1)
			r.open(id, false, ":method", "CONNECT", ":protocol", "websocket", ":scheme", "http", ":path", path, ":authority", "example.com", "sec-websocket-version", "13")
			r.next()
			half := wstest.MustHex("81 85 | 37fa213d | 7f9f")
			switch i {
			case 0:
				r.fr.WriteData(id, true, half)
				if got := r.rest(); got != "" {
					t.Errorf("%q", got)
				}
			case 1:
				r.fr.WriteData(id, false, half)
				r.fr.WriteRSTStream(id, http2.ErrCodeCancel)
			case 2:
				r.fr.WriteData(id, false, wstest.MustHex("81 85 | 37fa213d | 7f9f4d5158"))
				r.next()
			}
		}
	})
	for i, err := range ends {
		if ws.CloseStatus(err) != ws.CodeAbnormal {
			t.Errorf("%d ended with %v", i, err)
		}
	}
}

type idKey struct{}

// 138: what is no handshake of a WebSocket is refused in words.
func TestBadConnect(t *testing.T) {
	good := []string{":method", "CONNECT", ":protocol", "websocket", ":scheme", "http", ":path", "/", ":authority", "example.com", "sec-websocket-version", "13"}
	without := func(name string) (f []string) {
		for i := 0; i < len(good); i += 2 {
			if good[i] != name {
				f = append(f, good[i], good[i+1])
			}
		}
		return f
	}
	with := func(more ...string) []string { return append(append([]string(nil), good...), more...) }
	for _, tt := range []struct {
		name   string
		fields []string
		end    bool
		status string // or RST_STREAM
		text   string
	}{
		{"a tunnel to elsewhere", []string{":method", "CONNECT", ":authority", "example.com:443"}, false, "501", "another host"},
		{"no :scheme", without(":scheme"), false, "400", ":scheme"},
		{"no :path", without(":path"), false, "400", ":path"},
		{"no :authority", without(":authority"), false, "400", ":authority"},
		{"version 8", append(without("sec-websocket-version"), "sec-websocket-version", "8"), false, "400", "13 is needed"},
		{"Upgrade", with("upgrade", "websocket"), false, "400", "Upgrade"},
		{"Connection", with("connection", "Upgrade"), false, "400", "Connection"},
		{"two hosts", with("host", "evil.example"), false, "400", "evil.example"},
		{"an end", good, true, "400", "ends its stream"},
		{"a length", with("content-length", "5"), false, "400", "after 5 bytes"},
		{"a path that is none", append(without(":path")[:8:8], ":path", "x", "sec-websocket-version", "13"), false, "400", "begins with /"},
		{"a GET with :protocol", append([]string{":method", "GET"}, good[2:]...), true, "RST_STREAM", ""},
		{"a header in upper case", with("Origin", "http://example.com"), false, "RST_STREAM", ""},
		{"a line end in a header", with("x", "a\r\nb"), false, "RST_STREAM", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inTime(t, &wsh2.Server{}, nil, func(t *testing.T, r *raw) {
				r.hello()
				r.open(1, tt.end, tt.fields...)
				f := r.next()
				if h, ok := f.(*http2.MetaHeadersFrame); ok && h.PseudoValue("status") == tt.status {
					if text := r.rest(); !strings.Contains(text, tt.text) {
						t.Errorf("%q", text)
					}
				} else if tt.status != f.Header().Type.String() {
					t.Errorf("got %v", f)
				}
			})
		})
	}
}

// 130: a header list over the limit is answered.
func TestLongHeaders(t *testing.T) {
	inTime(t, &wsh2.Server{MaxHeaderBytes: 1000}, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("a handler was asked") }), func(t *testing.T, r *raw) {
		r.hello()
		r.open(1, true, append(getRoot, "x", strings.Repeat("x", 1000))...)
		if f, ok := r.next().(*http2.MetaHeadersFrame); !ok || f.PseudoValue("status") != "431" {
			t.Fatal(f)
		}
		if text := r.rest(); !strings.Contains(text, "MaxHeaderBytes") {
			t.Errorf("%q", text)
		}
	})
}

// 141: a peer that takes nothing from its socket is cut.
func TestSocketNotTaken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := wstest.PipeSize(1 << 10)
		defer a.Close()
		done := make(chan bool)
		var wrote error
		s := &wsh2.Server{Logger: slog.New(slog.DiscardHandler), WriteTimeout: 10 * time.Second}
		go func() {
			s.ServeConn(t.Context(), b, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				_, wrote = w.Write(make([]byte, 1<<20))
			}))
			close(done)
		}()
		r := newRaw(t, a)
		go func() { // whose writes may wait, too
			r.hello(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 1 << 20})
			r.fr.WriteWindowUpdate(0, 1<<20)
			r.open(1, true, getRoot...)
		}()
		start := time.Now()
		<-done
		if d := time.Since(start); d > 21*time.Second {
			t.Errorf("it took %v", d)
		}
		synctest.Wait()
		if wrote == nil {
			t.Error("the handler heard nothing of it")
		}
		io.Copy(io.Discard, a)
	})
}
