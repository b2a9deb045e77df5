//lint:file-ignore SA1019 Transport of net/http, which is named in its place, cannot send an extended CONNECT.

package wsh2_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"framewright/ws/wsh2"
	"framewright/ws/wstest"
)

// What a handler does, and what a client has of it: as with net/http.
func TestHandlers(t *testing.T) {
	wstest.CheckLeaks(t)
	mux := http.NewServeMux()
	mux.HandleFunc("/empty", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("/text", func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "<p>Hello") })
	mux.HandleFunc("/large", func(w http.ResponseWriter, r *http.Request) {
		for range 1000 {
			io.WriteString(w, strings.Repeat("x", 1000))
		}
	})
	mux.HandleFunc("/none", func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusNoContent)
		if _, err := io.WriteString(w, "x"); err != http.ErrBodyNotAllowed {
			t.Errorf("a body with status 204: %v", err)
		}
	})
	mux.HandleFunc("/flushed", func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, "a")
		if err := http.NewResponseController(w).Flush(); err != nil {
			t.Error(err)
		}
		w.Header().Set("X-Late", "1")
		io.WriteString(w, "b")
	})
	mux.HandleFunc("/headers", func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h["Set-Cookie"] = []string{"a=1", "b=2"}
		h.Set("Connection", "close")
		h.Set("X-Bad", "a\nb")
		h["Date"] = nil
		w.WriteHeader(http.StatusEarlyHints)
		w.WriteHeader(418)
		w.WriteHeader(200)
		fmt.Fprintln(w, r.Proto, r.Host != "", r.TLS != nil, r.Header["Cookie"], r.Header.Get("X-Asked"), r.ContentLength, r.URL.RawQuery)
	})
	mux.HandleFunc("/echo", func(w http.ResponseWriter, r *http.Request) { io.Copy(w, r.Body) })
	mux.HandleFunc("/unread", func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "no, thanks") })
	mux.HandleFunc("/panic", func(w http.ResponseWriter, r *http.Request) { panic("oh") })
	mux.HandleFunc("/late", func(w http.ResponseWriter, r *http.Request) {
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	})
	mux.HandleFunc("/hijack", func(w http.ResponseWriter, r *http.Request) {
		_, _, err := http.NewResponseController(w).Hijack()
		fmt.Fprint(w, err)
	})
	s := serveTLS(t, &wsh2.Server{}, mux)
	for _, tt := range []struct {
		method, path, body string
		status             int
		length             int64 // that the answer declares
		want               string
		header             map[string]string // and "" for one that is not there
		fails              bool
	}{
		{path: "/empty", status: 200, header: map[string]string{"Content-Type": "", "Content-Length": "0"}},
		{path: "/text", status: 200, length: 8, want: "<p>Hello", header: map[string]string{"Content-Type": "text/html; charset=utf-8"}},
		{method: "HEAD", path: "/text", status: 200, length: -1},
		{path: "/large", status: 200, length: -1, want: strings.Repeat("x", 1_000_000), header: map[string]string{"Content-Type": "text/plain; charset=utf-8"}},
		{path: "/none", status: 204, header: map[string]string{"Content-Length": ""}},
		{path: "/flushed", status: 200, length: -1, want: "ab", header: map[string]string{"X-Late": ""}},
		{path: "/headers?q=1", status: 418, length: int64(len("HTTP/2.0 true true [c=3; d=4] yes 0 q=1\n")), want: "HTTP/2.0 true true [c=3; d=4] yes 0 q=1\n", header: map[string]string{"Connection": "", "X-Bad": "", "Date": ""}},
		{method: "POST", path: "/echo", body: strings.Repeat("content", 100_000), status: 200, length: -1, want: strings.Repeat("content", 100_000)},
		{method: "POST", path: "/unread", body: strings.Repeat("content", 100_000), status: 200, length: 10, want: "no, thanks"},
		{path: "/missing", status: 404, length: 19, want: "404 page not found\n"},
		{path: "/panic", fails: true},
		{path: "/late", status: 200, length: -1, fails: true},
		{path: "/hijack", status: 200, length: -1, want: "wsh2: HTTP/2 has no connection to give up: a WebSocket begins with an extended CONNECT (RFC 8441)", header: map[string]string{"Date": "?"}},
	} {
		for _, client := range []http.RoundTripper{s.client, s.standard} {
			method := tt.method
			if method == "" {
				method = "GET"
			}
			var content io.Reader
			if tt.body != "" {
				content = strings.NewReader(tt.body)
			}
			req, _ := http.NewRequestWithContext(t.Context(), method, s.URL+tt.path, content)
			req.Header = http.Header{"Cookie": {"c=3; d=4"}, "X-Asked": {"yes"}}
			resp, err := client.RoundTrip(req)
			if err != nil {
				if !tt.fails {
					t.Errorf("%s: %v", tt.path, err)
				}
				continue
			}
			body, err := io.ReadAll(resp.Body)
			resp.Body.Close()
			if (err != nil) != tt.fails || resp.StatusCode != tt.status || string(body) != tt.want || resp.ContentLength != tt.length && tt.path != "/hijack" {
				t.Errorf("%s: status %d, length %d, %d bytes (%.80q), %v", tt.path, resp.StatusCode, resp.ContentLength, len(body), body, err)
			}
			for name, want := range tt.header {
				if got := resp.Header.Get(name); got != want && want != "?" || want == "?" && got == "" {
					t.Errorf("%s: %s is %q, want %q", tt.path, name, got, want)
				}
			}
			if tt.path == "/headers?q=1" && cmp.Diff([]string{"a=1", "b=2"}, resp.Header["Set-Cookie"]) != "" {
				t.Errorf("cookies: %q", resp.Header["Set-Cookie"])
			}
		}
	}
}

// 100 (Continue) is sent to who waits for it, when the body is wanted.
func TestContinue(t *testing.T) {
	s := serveTLS(t, &wsh2.Server{}, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.Copy(w, r.Body) }))
	tr := s.standard.Clone()
	tr.ExpectContinueTimeout = time.Hour
	defer tr.CloseIdleConnections()
	req, _ := http.NewRequestWithContext(t.Context(), "POST", s.URL, bytes.NewReader([]byte("content")))
	req.Header.Set("Expect", "100-continue")
	resp, err := tr.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if body, err := io.ReadAll(resp.Body); resp.ProtoMajor != 2 || string(body) != "content" || err != nil {
		t.Errorf("%s: %q, %v", resp.Proto, body, err)
	}
}

// A request's context ends when its client leaves.
func TestRequestContext(t *testing.T) {
	wstest.CheckLeaks(t)
	left := make(chan error, 1)
	s := serveTLS(t, &wsh2.Server{}, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.(http.Flusher).Flush()
		<-r.Context().Done()
		_, err := io.WriteString(w, strings.Repeat("x", 10_000))
		left <- errors.Join(r.Context().Err(), err)
	}))
	req, _ := http.NewRequestWithContext(t.Context(), "GET", s.URL, nil)
	resp, err := s.client.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if err := <-left; err == nil || !strings.Contains(err.Error(), "CANCEL") {
		t.Error(err)
	}
}

// HTTP/1.1 clients of the same address go to net/http.
func TestAttachLeavesHTTP1(t *testing.T) {
	s := serveTLS(t, &wsh2.Server{}, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, r.Proto) }))
	tr := s.Client().Transport.(*http.Transport).Clone()
	tr.TLSClientConfig.NextProtos, tr.ForceAttemptHTTP2, tr.TLSNextProto = []string{"http/1.1"}, false, nil
	defer tr.CloseIdleConnections()
	for _, client := range []http.RoundTripper{tr, s.standard} {
		resp, err := client.RoundTrip(must(http.NewRequest("GET", s.URL, nil)))
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		if string(body) != resp.Proto {
			t.Errorf("%s, the handler saw %s", resp.Proto, body)
		}
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// An http.Server's ConnState is told when a connection has streams, and when it has none.
func TestConnState(t *testing.T) {
	wstest.CheckLeaks(t)
	states := make(chan http.ConnState, 10)
	ts := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	ts.Config.ConnState = func(_ net.Conn, s http.ConnState) { states <- s }
	(&wsh2.Server{}).Attach(ts.Config)
	ts.TLS = ts.Config.TLSConfig
	ts.StartTLS()
	defer ts.Close()
	tr := ts.Client().Transport.(*http.Transport).Clone()
	tr.ForceAttemptHTTP2 = true
	for _, want := range []http.ConnState{http.StateNew, http.StateActive, http.StateIdle, http.StateActive, http.StateIdle, http.StateClosed} {
		switch want {
		case http.StateActive:
			resp, err := tr.RoundTrip(must(http.NewRequest("GET", ts.URL, nil)))
			if err != nil || resp.ProtoMajor != 2 {
				t.Fatal(resp, err)
			}
			resp.Body.Close()
		case http.StateNew:
			continue // told with the first
		case http.StateClosed:
			tr.CloseIdleConnections()
		}
		got := <-states
		if got == http.StateNew {
			got = <-states
		}
		if got != want {
			t.Errorf("got %v, want %v", got, want)
		}
	}
}
