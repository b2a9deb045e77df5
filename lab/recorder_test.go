package lab

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"framewright/lab/fact"
	"framewright/ws"
	"framewright/ws/wstest"
)

// What is remembered is bounded in number and in bytes, and a page is told what it missed.
// What nobody comes back to is forgotten.
func TestRecorderBounds(t *testing.T) {
	r := newRecorder()
	now := time.Unix(0, 0)
	r.now = func() time.Time { return now }
	w, _ := r.open(alice, "")
	report := r.trace(alice)
	event := ws.TraceEvent{Wire: []byte{0x81, 0}, Header: ws.Header{Fin: true, Opcode: ws.OpText}}
	for range 3 * maxFacts {
		report(event)
	}
	facts, missed, _ := w.after(10)
	if len(facts)+missed != 3*maxFacts-10 || len(facts) > maxFacts || w.bytes > maxBytes {
		t.Errorf("%d facts, %d missed, %d bytes", len(facts), missed, w.bytes)
	}
	event.Payload, event.Header.Length = make([]byte, ws.TracePayload), ws.TracePayload
	for range 1000 {
		report(event)
	}
	if facts, _, _ := w.after(0); w.bytes > maxBytes || len(facts) < 10 {
		t.Errorf("%d long facts, %d bytes", len(facts), w.bytes)
	}
	if facts, missed, _ := w.after(1 << 40); len(facts) == 0 || missed != 0 {
		t.Errorf("a page from before a restart of the server: %d facts, %d missed", len(facts), missed)
	}
	r.close(w)
	for i := range maxWatches {
		now = now.Add(forgetting / maxWatches * 2)
		v, err := r.open(fmt.Sprintf("%032x", i), fmt.Sprint(i))
		if err != nil {
			t.Fatalf("page %d: %v", i, err)
		}
		if i > 0 {
			r.close(v)
		}
	}
	if report(event); len(w.facts) != 0 {
		t.Error("a connection of a page that has gone is recorded")
	}
}

// A page that begins to watch a connection that is there already gets its handshake, if
// that was not too long, and what comes from then on; so does one that comes back after it
// was forgotten.
func TestWatchLater(t *testing.T) {
	r := newRecorder()
	report := r.trace(alice)
	head := func(text string) { report(ws.TraceEvent{Handshake: text}) }
	frame := func(op ws.Opcode) {
		report(ws.TraceEvent{Wire: []byte{0x80 | byte(op), 0}, Header: ws.Header{Fin: true, Opcode: op}})
	}
	seen := func(w *watch) (got []string) {
		facts, _, _ := w.after(0)
		for _, b := range facts {
			var f fact.Fact
			if err := json.Unmarshal(b, &f); err != nil {
				t.Fatal(err)
			}
			got = append(got, strings.TrimSpace(f.Head+f.Wire))
		}
		return got
	}
	head("GET / HTTP/1.1\r\n\r\n")
	head("HTTP/1.1 101 Switching Protocols\r\n\r\n")
	head(strings.Repeat("x", maxKeptHead+1))
	frame(ws.OpPing)
	w, _ := r.open(alice, "")
	frame(ws.OpText)
	frame(ws.OpBinary)
	want := []string{"GET / HTTP/1.1", "HTTP/1.1 101 Switching Protocols", "8100", "8200"}
	if d := cmp.Diff(want, seen(w)); d != "" {
		t.Error(d)
	}
	r.close(w)
	r.now = func() time.Time { return time.Now().Add(2 * forgetting) }
	r.open(bob, "")
	frame(ws.OpPing) // nobody's
	again, _ := r.open(alice, "")
	frame(ws.OpText)
	if d := cmp.Diff(want[:3], seen(again)); d != "" {
		t.Error(d)
	}
	if r.trace(alice[1:]) != nil {
		t.Error("what is no secret is traced for")
	}
}

// Thirty pupils at one address go from page to page, ten times each, within no time: each
// page watches, and what is remembered stays within its bounds. Some pages say that they
// go, before their stream ends or after, and some only end it.
func TestManyPagesOfOneAddress(t *testing.T) {
	const pupils, pages = 30, 10
	wstest.CheckLeaks(t)
	l := New(&Options{})
	var ended sync.Map // by secret: closed when the server has seen the end of a stream
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		l.ServeHTTP(w, r)
		if over, ok := ended.Load(r.URL.Query().Get("secret")); ok && r.Method == "GET" {
			close(over.(chan struct{}))
		}
	}))
	t.Cleanup(func() {
		l.Close(context.Background())
		s.Close()
	})
	url := s.URL
	post := func(secret string) {
		resp, err := http.Post(url+"/lab/leave?secret="+secret, "", nil)
		if err != nil {
			t.Error(err)
			return
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusNoContent {
			t.Errorf("leaving is HTTP %d", resp.StatusCode)
		}
	}
	var class sync.WaitGroup
	for pupil := range pupils {
		class.Go(func() {
			for page := range pages {
				secret := fmt.Sprintf("%032x", pupil*pages+page)
				over := make(chan struct{})
				ended.Store(secret, over)
				ctx, cancel := context.WithCancel(t.Context())
				req, _ := http.NewRequestWithContext(ctx, "GET", url+"/lab/facts?secret="+secret, nil)
				resp, err := http.DefaultClient.Do(req)
				if err != nil {
					t.Error(err)
					cancel()
					return
				}
				if resp.StatusCode != 200 {
					b, _ := io.ReadAll(resp.Body)
					t.Errorf("pupil %d, page %d: HTTP %d, %s", pupil, page, resp.StatusCode, b)
				}
				how := (pupil + page) % 3
				if how == 0 {
					post(secret)
					io.Copy(io.Discard, resp.Body) // the server ends it
				}
				cancel()
				resp.Body.Close()
				if how == 1 {
					post(secret)
				}
				<-over
				l.recorder.mu.Lock()
				if n := len(l.recorder.watches); n > watchesPerAddress {
					t.Errorf("%d pages are remembered", n)
				}
				_, there := l.recorder.watches[secret]
				l.recorder.mu.Unlock()
				if how < 2 && there {
					t.Errorf("pupil %d, page %d has left, and is remembered", pupil, page)
				}
			}
		})
	}
	class.Wait()
}

// A page whose stream has ended gives way to a new one, the oldest of its address first;
// one that watches does not.
func TestPagesGiveWay(t *testing.T) {
	r := newRecorder()
	now := time.Unix(0, 0)
	r.now = func() time.Time { return now }
	var all []*watch
	for i := range watchesPerAddress {
		w, err := r.open(fmt.Sprint(i), "here")
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, w)
	}
	if _, err := r.open("one too many", "here"); err == nil {
		t.Error("a page that watches has given way")
	}
	for _, i := range []int{7, 3} {
		now = now.Add(time.Second)
		r.close(all[i])
	}
	for _, first := range []int{7, 3} {
		if _, err := r.open(fmt.Sprint("instead of ", first), "here"); err != nil || !all[first].gone {
			t.Errorf("page %d has not given way: %v", first, err)
		}
	}
	if _, err := r.open("one too many", "here"); err == nil || len(r.watches) != watchesPerAddress {
		t.Errorf("%d pages, and another gets %v", len(r.watches), err)
	}
}
