package lab

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"framewright/ws"
	"framewright/ws/wsnet"
)

// A runner is a page that measures by itself.
type runner struct {
	*testing.T
	*wsnet.Conn
	url string
}

// runs opens the WebSocket of a run.
func newRunner(t *testing.T, url string) *runner {
	t.Helper()
	c, err := wsnet.Dial(t.Context(), "ws"+strings.TrimPrefix(url, "http")+"/lab/measure/run", nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.CloseNow() })
	return &runner{t, c, url}
}

func (r *runner) says(text string) {
	r.Helper()
	if err := r.Conn.Write(r.Context(), ws.OpText, []byte(text)); err != nil {
		r.Fatal(err)
	}
}

// Context is the test's.
func (r *runner) Context() context.Context { return r.T.Context() }

// answer is the next word of the server.
func (r *runner) answer() (got struct {
	Run, Letters, Error string
	Requests            map[string]int
}) {
	r.Helper()
	_, b, err := r.Read(r.Context())
	if err != nil {
		r.Fatal(err)
	}
	if err := json.Unmarshal(b, &got); err != nil {
		r.Fatal(err)
	}
	return got
}

// begin opens a run of two messages, and goes to its address from then on.
func (r *runner) begin() {
	r.Helper()
	r.says(`{"messages":2,"size":3,"every":0,"poll":20}`)
	got := r.answer()
	if got.Run == "" || got.Letters != letters {
		r.Fatalf("%+v", got)
	}
	r.url += "/lab/measure/run/" + got.Run
}

// gets is a request's answer.
func (r *runner) gets(path string) string {
	r.Helper()
	resp, err := http.Get(r.url + path)
	if err != nil {
		r.Fatal(err)
	}
	defer resp.Body.Close()
	b, _ := io.ReadAll(resp.Body)
	return resp.Status[:3] + " " + strings.TrimSpace(string(b))
}

// A message comes to be when the page says so, and can be had by each way; when the page
// has gone, there is nothing any more.
func TestRun(t *testing.T) {
	l, url := labServer(t)
	r := newRunner(t, url)
	r.begin()
	if got := r.gets("/poll?after=0"); got != "204 " {
		t.Errorf("before the first: %q", got)
	}
	events, err := http.Get(r.url + "/events")
	if err != nil {
		t.Fatal(err)
	}
	defer events.Body.Close()
	socket, err := wsnet.Dial(t.Context(), "ws"+strings.TrimPrefix(r.url, "http")+"/websocket", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer socket.CloseNow()
	opened := r.gets("/engine/?EIO=4&transport=polling")
	_, sid, _ := strings.Cut(opened, `"sid":"`)
	sid, _, _ = strings.Cut(sid, `"`)

	r.says("next")
	r.says("next")
	want, polled := "abc\nbcd", ""
	for !strings.Contains(polled, "bcd") { // both are under way
		if polled = r.gets("/poll?after=0"); !strings.HasPrefix(polled, "20") {
			t.Fatal(polled)
		}
	}
	if polled != "200 "+want {
		t.Errorf("polled: %q", polled)
	}
	if got := r.gets("/poll?after=1"); got != "200 bcd" {
		t.Errorf("after the first: %q", got)
	}
	if got := r.gets("/engine/?EIO=4&transport=polling&sid=" + sid); !strings.HasPrefix(got, "200 4abc") {
		t.Errorf("long-polled: %q", got)
	}
	b := make([]byte, len("data: abc\n\ndata: bcd\n\n"))
	if _, err := io.ReadFull(events.Body, b); err != nil || string(b) != "data: abc\n\ndata: bcd\n\n" {
		t.Errorf("events: %q, %v", b, err)
	}
	for _, want := range []string{"abc", "bcd"} {
		if _, b, err := socket.Read(t.Context()); err != nil || string(b) != want {
			t.Errorf("websocket: %q, %v", b, err)
		}
	}
	if got := r.gets("/poll?after=x"); !strings.HasPrefix(got, "400 after: the number") {
		t.Error(got)
	}
	requests := l.runs.decks[strings.TrimPrefix(r.url, url+"/lab/measure/run/")].counts()
	r.says("done")
	if d := cmp.Diff(requests, r.answer().Requests); d != "" || requests[WayEvents] != 1 || requests[WayLongPolling] != 2 || requests[WayWebSocket] != 1 || requests[WayPolling] < 3 {
		t.Errorf("%v; %s", requests, d)
	}
	r.Read(t.Context()) // its Close frame: the run is over
	if got := r.gets("/poll?after=0"); got != "404 There is no such measurement, or it is over." {
		t.Errorf("when it is over: %q", got)
	}
}

// Who leaves takes the run along: what waits by any way ends.
func TestRunGivenUp(t *testing.T) {
	_, url := labServer(t)
	r := newRunner(t, url)
	r.begin()
	events, err := http.Get(r.url + "/events")
	if err != nil {
		t.Fatal(err)
	}
	defer events.Body.Close()
	r.CloseNow()
	if b, err := io.ReadAll(events.Body); len(b) > 0 || err != nil {
		t.Errorf("%q, %v", b, err)
	}
}

// Two at once, each with a plan; who is one too many is told so.
func TestRunRefused(t *testing.T) {
	_, url := labServer(t)
	bad := newRunner(t, url)
	bad.says(`{"messages":0,"size":3,"every":0,"poll":20}`)
	if got := bad.answer().Error; got != "0 messages: 1 to 200 is expected" {
		t.Error(got)
	}
	bad.Read(t.Context()) // its end
	for range maxMeasurements {
		newRunner(t, url).begin()
	}
	if got := newRunner(t, url).answer().Error; got != "2 others are being worked on: try again in a moment" {
		t.Error(got)
	}
}
