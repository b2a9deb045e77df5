package lab

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"framewright/lab/capture"
)

// post has a handler answer, as a page of this site asks.
func post(h http.Handler, target, body string) (status int, answer string) {
	w := httptest.NewRecorder()
	r := httptest.NewRequest("POST", target, strings.NewReader(body))
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	h.ServeHTTP(w, r)
	return w.Code, w.Body.String()
}

func TestPostDecode(t *testing.T) {
	h := newPoster(maxCapture, postDecode)
	status, answer := post(h, "/lab/decode?role=server", string(capture.AppendPcap(nil, deflated, time.Unix(1, 0))))
	var page decodedPage
	if err := json.Unmarshal([]byte(answer), &page); status != 200 || err != nil {
		t.Fatalf("%d, %v: %.200s", status, err, answer)
	}
	if page.Format != capture.Pcap || len(page.Streams) != 1 || len(page.Streams[0].Facts) != 6 {
		t.Fatalf("%.500s", answer)
	}
	f := page.Streams[0].Facts[2]
	if f.Seq != 3 || f.Wire != "c107" || f.Content != "48656c6c6f" || len(f.Rows) == 0 {
		t.Errorf("the third fact: %+v", f)
	}
	var words []string
	for _, f := range page.Streams[0].Facts[2:] {
		if f.Inflate != nil {
			words = append(words, f.Inflate.Words)
		}
	}
	if want := []string{"5 literals", "1 literal and 1 match, which copies 4 bytes, all of them from earlier messages"}; !slices.Equal(words[:2], want) {
		t.Errorf("the messages are made of %q, want %q", words, want)
	}
}

func TestPostMistakes(t *testing.T) {
	decode, build, send := newPoster(maxCapture, postDecode), newPoster(maxPlan, postBuild), newPoster(maxPlan, postWorkshop)
	for name, tc := range map[string]struct {
		h            http.Handler
		target, body string
		status       int
		want         string
	}{
		"no role":       {decode, "/lab/decode", "81", 200, "the role is"},
		"no hex":        {decode, "/lab/decode?role=client", "hello", 200, "not hexadecimal"},
		"nothing":       {decode, "/lab/decode?role=client", "", 200, "nothing to read"},
		"too large":     {decode, "/lab/decode?role=client", strings.Repeat(" ", maxCapture+1), 413, "more than 8388608 bytes"},
		"no JSON":       {build, "/lab/workshop/build", "x", 200, "the JSON of the page"},
		"unknown field": {build, "/lab/workshop/build", `{"frame":{"size":3}}`, 200, "unknown field"},
		"opcode 256":    {build, "/lab/workshop/build", `{"frame":{"opcode":256}}`, 200, "opcode"},
		"nothing sent":  {send, "/lab/workshop", `{"steps":[]}`, 200, "no frame to send"},
	} {
		status, answer := post(tc.h, tc.target, tc.body)
		if status != tc.status || !strings.Contains(answer, tc.want) || !strings.HasPrefix(answer, `{"error":`) {
			t.Errorf("%s: %d, %.200s; want %d, %q", name, status, answer, tc.status, tc.want)
		}
	}
	r := httptest.NewRequest("POST", "/lab/workshop", strings.NewReader("{}"))
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	w := httptest.NewRecorder()
	if send.ServeHTTP(w, r); w.Code != http.StatusForbidden {
		t.Errorf("from another site: %d, want 403", w.Code)
	}
}

func TestPostBuild(t *testing.T) {
	h := newPoster(maxPlan, postBuild)
	for body, want := range map[string][]string{
		`{"frame":{"fin":true,"opcode":1,"masked":true,"key":"37fa213d","text":"Hello"}}`:               {`"bytes":"818537fa213d7f9f4d5158"`, `"header":6`, `"field":"FIN"`},
		`{"frame":{"fin":true,"opcode":1,"text":"Hello"}}`:                                              {`"id":"5.1-client-masks"`},
		`{"frame":{"fin":true,"rsv":4,"opcode":1,"masked":true,"hex":"f248cdc9c90700"}}`:                {`"id":"5.2-rsv"`},
		`{"frame":{"fin":true,"rsv":4,"opcode":1,"masked":true,"hex":"f248cdc9c90700"},"deflate":true}`: {`"content":"48656c6c6f"`},
		`{"frame":{"fin":true,"opcode":2,"masked":true,"length":"9","text":"Hello"}}`:                   {"4 bytes of its payload are missing"},
	} {
		status, answer := post(h, "/lab/workshop/build", body)
		for _, w := range want {
			if status != 200 || !strings.Contains(answer, w) {
				t.Errorf("%s: %d, %s; want %s", body, status, answer, w)
			}
		}
	}
}

func TestPostWorkshop(t *testing.T) {
	status, answer := post(newPoster(maxPlan, postWorkshop), "/lab/workshop", `{"steps":[{"frame":{"fin":true,"opcode":8,"masked":true,"hex":"03ed"}}]}`)
	for _, want := range []string{`"outcome":"close 1002"`, `"closed":true`, `"id":"7.4-close-code"`, `"kind":"handshake"`} {
		if status != 200 || !strings.Contains(answer, want) {
			t.Errorf("%d, want %s in %s", status, want, answer)
		}
	}
}

// TestPostAtOnce has more posts than are worked on.
func TestPostAtOnce(t *testing.T) {
	inside, leave := make(chan bool), make(chan bool)
	h := newPoster(10, func(*http.Request, []byte) (any, error) { inside <- true; <-leave; return nil, nil })
	done := make(chan int)
	for range maxAtOnce {
		go func() { status, _ := post(h, "/", ""); done <- status }()
		<-inside
	}
	if status, answer := post(h, "/", ""); status != http.StatusServiceUnavailable || !bytes.Contains([]byte(answer), []byte("try again")) {
		t.Errorf("one more: %d, %s", status, answer)
	}
	close(leave)
	for range maxAtOnce {
		if status := <-done; status != 200 {
			t.Errorf("one of those: %d", status)
		}
	}
}
