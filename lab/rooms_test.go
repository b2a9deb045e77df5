package lab

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"framewright/lab/room"
)

// entering opens the room of a page; leave ends its stream.
func entering(t *testing.T, url, secret, more string) (events *bufio.Scanner, leave func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	req, _ := http.NewRequestWithContext(ctx, "GET", url+"/lab/room/stream?secret="+secret+more, nil)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	leave = func() { cancel(); resp.Body.Close() }
	t.Cleanup(leave)
	if resp.StatusCode != 200 || resp.Header.Get("Content-Type") != "text/event-stream" {
		t.Fatalf("HTTP %d, %v", resp.StatusCode, resp.Header)
	}
	events = bufio.NewScanner(resp.Body)
	events.Buffer(nil, 4<<20)
	return events, leave
}

// nextEvent is the next event of a stream, "" when it has ended.
func nextEvent(events *bufio.Scanner) (name, data string) {
	for events.Scan() {
		if n, ok := strings.CutPrefix(events.Text(), "event: "); ok {
			name = n
		}
		if d, ok := strings.CutPrefix(events.Text(), "data: "); ok {
			return name, d
		}
	}
	return "", ""
}

// untilState reads states until one is as wanted.
func untilState(t *testing.T, events *bufio.Scanner, what string, wanted func(room.State) bool) room.State {
	t.Helper()
	for {
		name, data := nextEvent(events)
		if name != "state" {
			t.Fatalf("%q %q, before %s", name, data, what)
		}
		var s room.State
		if err := json.Unmarshal([]byte(data), &s); err != nil {
			t.Fatal(err)
		}
		if wanted(s) {
			return s
		}
	}
}

// A page has a room, makes a reader of it slow, and sees it cut; when the page goes, the
// room does.
func TestRoom(t *testing.T) {
	l, url := labServer(t)
	events, leave := entering(t, url, alice, "&readers=3&rate=50&text=1000&queue=65536")
	s := untilState(t, events, "messages", func(s room.State) bool { return s.Acked > 0 })
	if len(s.Readers) != 3 || s.Rate != 50 || s.Readers[0].Queue.Max != 65536 {
		t.Errorf("%+v", s)
	}
	if _, answer := post(l, "/lab/room", fmt.Sprintf(`{"secret":%q,"do":"speed","reader":1,"speed":0}`, alice)); answer != "{}\n" {
		t.Errorf("slow: %s", answer)
	}
	untilState(t, events, "the cut", func(s room.State) bool {
		return slices.ContainsFunc(s.Events, func(e room.Event) bool { return e.Kind == "cut" && e.Reader == "Barbara" && e.Reason == "slow" })
	})
	untilState(t, events, "the others", func(s room.State) bool { return s.Readers[0].Latency.Count > 0 && s.Readers[2].Latency.Count > 0 })
	if _, answer := post(l, "/lab/room", fmt.Sprintf(`{"secret":%q,"do":"return","reader":1}`, alice)); answer != "{}\n" {
		t.Errorf("return: %s", answer)
	}
	untilState(t, events, "what it missed", func(s room.State) bool {
		return slices.ContainsFunc(s.Events, func(e room.Event) bool { return e.Kind == "whole" && e.Missing == 0 && e.Count > 0 })
	})
	leave()
	l.rooms.wait(t)
	if _, answer := post(l, "/lab/room", fmt.Sprintf(`{"secret":%q,"do":"rate","rate":1}`, alice)); !strings.Contains(answer, "this page has no room") {
		t.Errorf("afterwards: %s", answer)
	}
}

// wait waits until there is no room.
func (s *rooms) wait(t *testing.T) {
	t.Helper()
	for t.Context().Err() == nil {
		s.mu.Lock()
		n, changed := len(s.all), s.changed
		s.mu.Unlock()
		if n == 0 {
			return
		}
		<-changed
	}
}

// A room has its time; then it ends, whether its page is there or not. If the page goes
// before that, the room does at once.
func TestRoomTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := New(&Options{})
		defer l.Close(context.Background())
		watch := func(ctx context.Context) (w *httptest.ResponseRecorder, took time.Duration) {
			start := time.Now()
			w = httptest.NewRecorder()
			l.ServeHTTP(w, httptest.NewRequestWithContext(ctx, "GET", "/lab/room/stream?readers=2&rate=1&secret="+alice, nil))
			return w, time.Since(start)
		}
		ctx, cancel := context.WithTimeout(t.Context(), roomEvery*3/2)
		defer cancel()
		if _, took := watch(ctx); took >= 2*roomEvery {
			t.Errorf("after the page has gone: %v", took)
		}
		w, took := watch(t.Context())
		if took < roomTime || took > roomTime+time.Second {
			t.Errorf("it took %v", took)
		}
		if body := w.Body.String(); !strings.HasSuffix(body, "event: over\ndata: a room lasts 5m0s\n\n") || strings.Count(body, "event: state") < int(roomTime/roomEvery) {
			t.Errorf("%d states, and in the end %q", strings.Count(body, "event: state"), body[max(0, len(body)-100):])
		}
		l.rooms.wait(t)
	})
}

// What is out of bounds is refused, with what is expected; the server's end ends a room.
func TestRoomRefused(t *testing.T) {
	l, url := labServer(t)
	for query, want := range map[string]string{
		"&readers=13": "readers: 13, but 2 to 12 readers are expected",
		"&queue=much": `queue: "much" is no whole number; 16384 to 1048576 bytes are expected`,
		"&rate=fast":  `rate: "fast" is no number`,
		"&rate=NaN":   "rate: NaN, but 0 to 200",
	} {
		events, leave := entering(t, url, alice, query)
		if name, data := nextEvent(events); name != "refused" || !strings.HasPrefix(data, want) {
			t.Errorf("%s: %q %q, want %q", query, name, data, want)
		}
		leave()
	}
	var last *bufio.Scanner
	for i := range roomsPerAddress {
		last, _ = entering(t, url, fmt.Sprintf("%032x", i), "&readers=2&rate=1")
		untilState(t, last, "a state", func(room.State) bool { return true })
	}
	for secret, want := range map[string]string{
		fmt.Sprintf("%032x", 0): "try again in a moment: this page has a room already",
		alice:                   "try again in a moment: there are 4 rooms of this address",
	} {
		events, _ := entering(t, url, secret, "")
		if name, data := nextEvent(events); name != "refused" || !strings.HasPrefix(data, want) {
			t.Errorf("%q %q, want %q", name, data, want)
		}
	}
	for i := range maxRooms - roomsPerAddress {
		if _, err := l.rooms.open(fmt.Sprint("another ", i), fmt.Sprint(i), room.Default()); err != nil {
			t.Error(err)
		}
	}
	if _, err := l.rooms.open("one more", "elsewhere", room.Default()); err == nil || !strings.Contains(err.Error(), "there are 8 rooms") {
		t.Errorf("one more: %v", err)
	}
	for i := range maxRooms - roomsPerAddress {
		own, _ := l.rooms.find(fmt.Sprint("another ", i))
		l.rooms.close(fmt.Sprint("another ", i), own)
	}
	resp, err := http.Get(url + "/lab/room/stream?secret=short")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusBadRequest {
		t.Errorf("a short secret: HTTP %d", resp.StatusCode)
	}
	l.Close(context.Background())
	for {
		if name, data := nextEvent(last); name == "over" {
			if data != "the server ends" {
				t.Errorf("over: %q", data)
			}
			break
		} else if name == "" {
			t.Fatal("the stream has ended without a word")
		}
	}
	l.rooms.wait(t)
}
