package lab

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"framewright/ws"
	"framewright/ws/wstest"
)

// inMemory is a Pair whose time synctest makes.
func inMemory(context.Context) (client, server net.Conn, err error) {
	client, server = wstest.Pipe()
	return client, server, nil
}

// In a bubble nothing takes time but waiting, so that all figures are what they have to
// be: 20 messages of 130 bytes, one every 7 ms, are polled for every 50 ms.
func TestMeasureWithoutChance(t *testing.T) {
	type figures struct {
		Way                      string
		Requests, Empty, Pushed  int
		Median, P99, Worst, Took float64
		FramingUp, EnvelopeUp    int
		Framing, Envelope        int // down
	}
	want := []figures{
		// Polls at 0, 50, 100 and 150 ms; a line break between two messages of an answer.
		{WayPolling, 4, 1, 0, 23, 45, 45, 150, 0, 0, 0, 17},
		// The handshake, a request a message, the close. 107 bytes of handshake, 4 before each message, ok.
		{WayLongPolling, 22, 0, 20, 0, 0, 0, 140, 0, 1, 0, 107 + 20 + 2},
		// 8a, two line ends; "data: " and two line breaks.
		{WayEvents, 1, 0, 20, 0, 0, 0, 140, 0, 0, 20 * (2 + 2 + 2), 20 * 8},
		// A header of 4 bytes, as 130 is more than 125; a Close frame with a code each way, one masked.
		{WayWebSocket, 1, 0, 20, 0, 0, 0, 140, 2 + 4 + 2, 0, 20*4 + 2 + 2, 0},
	}
	synctest.Test(t, func(t *testing.T) {
		m, err := Measure(t.Context(), MeasurePlan{Messages: 20, Size: 130, Every: 7, Poll: 50}, nil, inMemory)
		if err != nil {
			t.Fatal(err)
		}
		var got []figures
		for _, c := range m.Ways {
			got = append(got, figures{c.Way, c.Requests, c.Empty, c.Pushed, c.Median, c.P99, c.Worst, c.Took,
				c.Up.Framing, c.Up.Envelope, c.Down.Framing, c.Down.Envelope})
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("(-want +got)\n%s", d)
		}
	})
}

// Over TCP, whatever the machine does: every byte is accounted for, every message came.
func TestMeasure(t *testing.T) {
	wstest.CheckLeaks(t)
	for name, plan := range map[string]MeasurePlan{
		"the least":    {Messages: 1, Size: 1, Every: 0, Poll: minPoll},
		"all at once":  {Messages: maxMessages, Size: maxMessageBytes, Every: 0, Poll: minPoll},
		"one by one":   {Messages: 30, Size: 10, Every: 5, Poll: 40, Browser: true},
		"rarely asked": {Messages: 5, Size: 126, Every: 1, Poll: 200},
	} {
		t.Run(name, func(t *testing.T) {
			m, err := Measure(t.Context(), plan, http.Header{"User-Agent": {"a test"}, "Sec-Fetch-Mode": {"cors"}}, nil)
			if err != nil {
				t.Fatal(err)
			}
			if m.Plan != plan || len(m.Ways) != 4 {
				t.Fatalf("%+v: %d ways", m.Plan, len(m.Ways))
			}
			for _, c := range m.Ways {
				content := plan.Messages * plan.Size
				for way, b := range map[string]WireBytes{"up": c.Up, "down": c.Down} {
					if b.Total == 0 || b.Heads+b.Framing+b.Envelope+b.Messages != b.Total {
						t.Errorf("%s: %s %+v", c.Way, way, b)
					}
				}
				if c.Connections != 1 || c.Down.Messages != content || c.Up.Messages != 0 || len(c.Latencies) != plan.Messages || slices.Min(c.Latencies) < 0 {
					t.Errorf("%s: %d connections, %d bytes of messages, %d latencies", c.Way, c.Connections, c.Down.Messages, len(c.Latencies))
				}
				if !(c.Median <= c.P99 && c.P99 <= c.Worst && c.Worst == slices.Max(c.Latencies) && c.Worst <= c.Took) {
					t.Errorf("%s: median %v, p99 %v, worst %v, took %v", c.Way, c.Median, c.P99, c.Worst, c.Took)
				}
				if len(c.Exchanges) == 0 || !strings.Contains(c.Exchanges[0].Request, "User-Agent: a test\r\n") {
					t.Errorf("%s: %+v", c.Way, c.Exchanges)
				}
				switch c.Way {
				case WayPolling:
					if c.Pushed != 0 || c.Empty >= c.Requests || c.Up.Total != c.Up.Heads {
						t.Errorf("polling: %+v", c)
					}
				case WayLongPolling:
					if c.Requests < 3 || c.Requests > plan.Messages+2 || c.Down.Envelope < content/plan.Size {
						t.Errorf("long-polling: %d requests, %+v", c.Requests, c.Down)
					}
				case WayEvents:
					if c.Requests != 1 || c.Pushed != plan.Messages || c.Down.Envelope != 8*plan.Messages {
						t.Errorf("events: %d requests, %d pushed, %+v", c.Requests, c.Pushed, c.Down)
					}
				case WayWebSocket:
					frames := plan.Messages*(&ws.Header{Length: int64(plan.Size)}).Size() + 4
					if c.Requests != 1 || c.Pushed != plan.Messages || c.Down.Framing != frames || c.Up.Framing != 8 || c.Down.Envelope != 0 {
						t.Errorf("websocket: %d requests, %d pushed, %+v, want %d of frames", c.Requests, c.Pushed, c.Down, frames)
					}
					// The handshake as it went, the first message, a Close frame each way.
					if len(c.Facts) != 5 || c.Facts[0].Head != c.Exchanges[0].Request || c.Facts[0].Parsed || c.Facts[2].Length != int64(plan.Size) || c.Facts[4].Opcode != 8 {
						t.Errorf("websocket: facts %+v", c.Facts)
					}
				}
			}
		})
	}
}

// Who goes away ends a measurement at once, and nothing of it is left: the bubble says so.
func TestMeasureGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(t.Context())
		start, gone := time.Now(), errors.New("the page has gone")
		time.AfterFunc(1500*time.Millisecond, func() { cancel(gone) })
		_, err := Measure(ctx, MeasurePlan{Messages: 10, Size: 10, Every: 1000, Poll: 700}, nil, inMemory)
		if took := time.Since(start); !errors.Is(err, gone) || took > 2*time.Second {
			t.Errorf("after %v: %v", took, err)
		}
	})
}

// What fails is named, and ends the other ways.
func TestMeasureFails(t *testing.T) {
	plan := MeasurePlan{Messages: 10, Size: 10, Every: 1000, Poll: 700}
	for name, pair := range map[string]Pair{
		"no connection": func(context.Context) (net.Conn, net.Conn, error) { return nil, nil, errors.New("no more sockets") },
		"cut": func(context.Context) (net.Conn, net.Conn, error) {
			client, server := wstest.Pipe()
			time.AfterFunc(3200*time.Millisecond, func() { server.Close() })
			return client, server, nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()
				_, err := Measure(t.Context(), plan, nil, pair)
				way, _, _ := strings.Cut(errorText(err), ":")
				if took := time.Since(start); !slices.Contains(ways, way) || took > 4*time.Second {
					t.Errorf("after %v: %v", took, err)
				}
			})
		})
	}
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func TestMeasureBounds(t *testing.T) {
	good := MeasurePlan{Messages: 10, Size: 10, Every: 10, Poll: 100}
	for want, edit := range map[string]func(*MeasurePlan){
		"0 messages: 1 to 200 is expected":               func(p *MeasurePlan) { p.Messages = 0 },
		"201 messages":                                   func(p *MeasurePlan) { p.Messages = 201 },
		"0 bytes of a message: 1 to 4096":                func(p *MeasurePlan) { p.Size = 0 },
		"4097 bytes":                                     func(p *MeasurePlan) { p.Size = 4097 },
		"-1 ms between messages: 0 to 1000":              func(p *MeasurePlan) { p.Every = -1 },
		"19 ms between polls: 20 to 2000":                func(p *MeasurePlan) { p.Poll = 19 },
		"2001 ms between polls":                          func(p *MeasurePlan) { p.Poll = 2001 },
		"11 messages, one every 1s, take 11s; the limit": func(p *MeasurePlan) { p.Messages, p.Every = 11, 1000 },
	} {
		p := good
		edit(&p)
		if _, err := Measure(t.Context(), p, nil, nil); !strings.HasPrefix(errorText(err), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

// A message that is missing, comes twice or out of turn is noticed.
func TestMeasureOrder(t *testing.T) {
	f := newFeed(&MeasurePlan{Messages: 3, Size: 2})
	for name, tc := range map[string]struct {
		come []int
		want string
	}{
		"all":     {[]int{0, 1, 2}, ""},
		"twice":   {[]int{0, 0}, `message 2 is "ab", where "bc" is expected`},
		"missing": {[]int{0, 2}, `message 2 is "cd", where "bc" is expected`},
		"more":    {[]int{0, 1, 2, 2}, "a message more than the 3 there are"},
	} {
		w := &way{f: f}
		var err error
		for _, i := range tc.come {
			err = errors.Join(err, w.receive(f.messages[i]))
		}
		if (err == nil) != (tc.want == "") || !strings.HasPrefix(errorText(err), tc.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestSplitHTTP(t *testing.T) {
	const chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
	for name, tc := range map[string]struct {
		wire    string
		answers bool
		want    []int // head, body, framing of each; then the rest
		fails   bool
	}{
		"requests":      {"GET / HTTP/1.1\r\nHost: a\r\n\r\nPOST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi", false, []int{27, 0, 0, 47, 2, 0, 0}, false},
		"answers":       {"HTTP/1.1 204 No Content\r\n\r\n" + chunked + "2\r\nhi\r\n0\r\n\r\n", true, []int{27, 0, 0, 47, 2, 10, 0}, false},
		"cut in a body": {chunked + "5\r\nhel", true, []int{47, 3, 3, 0}, false},
		"a switch":      {"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n\x81\x00", true, []int{77, 0, 0, 2}, false},
		"no HTTP":       {"hello", true, nil, true},
	} {
		pieces, rest, err := splitHTTP([]byte(tc.wire), tc.answers)
		if (err != nil) != tc.fails {
			t.Errorf("%s: %v", name, err)
		}
		var got []int
		for _, p := range pieces {
			got = append(got, p.head, len(p.body), p.framing)
		}
		if !tc.fails {
			got = append(got, len(rest))
		}
		if d := cmp.Diff(tc.want, got); d != "" {
			t.Errorf("%s (-want +got)\n%s", name, d)
		}
	}
	var b WireBytes
	if err := b.splitFrames([]byte("\x81\x05hel")); err == nil {
		t.Error("half a frame is no frame")
	}
	if err := (&WireBytes{Heads: 1}).sum(2); err == nil {
		t.Error("a byte that is not accounted for is not missed")
	}
}

// More than a measurement carries ends it; it is not kept.
func TestTapBound(t *testing.T) {
	a, b := wstest.Pipe()
	defer a.Close()
	defer b.Close()
	c := &tap{Conn: a, up: make([]byte, maxTapped-1), down: make([]byte, maxTapped)}
	if _, err := c.Write([]byte("x")); err != nil {
		t.Error(err)
	}
	if _, err := c.Write([]byte("x")); err != errTapFull {
		t.Errorf("written beyond the bound: %v", err)
	}
	b.Write([]byte("x"))
	if _, err := c.Read(make([]byte, 1)); err != errTapFull {
		t.Errorf("read beyond the bound: %v", err)
	}
}

// A cookie is as long as it is, and stays secret; what is not the browser's, is not sent.
func TestBrowserFields(t *testing.T) {
	got := browserFields(http.Header{
		"Cookie": {"id=secret"}, "User-Agent": {"B"}, "X-Forwarded-For": {"192.0.2.1"}, "Authorization": {"Bearer secret"}, "Content-Type": {"x"},
		"Accept-Language": {strings.Repeat("y", maxFields)},
	})
	if d := cmp.Diff(http.Header{"Cookie": {"xxxxxxxxx"}, "User-Agent": {"B"}}, got); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
}

// A begins is a body that says when it is read for the first time.
type begins struct {
	io.Reader
	begun chan struct{} // nil once it was
}

func (b *begins) Read(p []byte) (int, error) {
	if b.begun != nil {
		close(b.begun)
		b.begun = nil
	}
	return b.Reader.Read(p)
}

// So many measurements at once and no more; who leaves makes room, and so does the lab's end.
func TestMeasureAtOnce(t *testing.T) {
	l, _ := labServer(t)
	send := func(ctx context.Context, body io.Reader) (int, string) {
		w := httptest.NewRecorder()
		l.ServeHTTP(w, httptest.NewRequestWithContext(ctx, "POST", "/lab/measure", body))
		return w.Code, w.Body.String()
	}
	ask := func(ctx context.Context, body string) (int, string) { return send(ctx, strings.NewReader(body)) }
	const long, short = `{"messages":10,"size":1,"every":1000,"poll":2000}`, `{"messages":1,"size":1,"every":0,"poll":20,"browser":true}`
	hers, leave := context.WithCancel(t.Context())
	ended := make(chan string, maxMeasurements)
	for ctx, until := range map[context.Context]string{hers: "context canceled", t.Context(): "the server goes away"} {
		begun := make(chan struct{})
		go func() {
			_, said := send(ctx, &begins{strings.NewReader(long), begun})
			for !strings.Contains(said, until) { // a machine that took ten seconds for what is below
				_, said = ask(ctx, long)
			}
			ended <- said
		}()
		<-begun // it has its place
	}
	for status := 0; status != http.StatusServiceUnavailable; {
		status, _ = ask(t.Context(), short)
	}
	leave()
	if said := <-ended; !strings.Contains(said, "context canceled") {
		t.Errorf("who has left: %s", said)
	}
	if status, said := ask(t.Context(), short); !strings.Contains(said, `"way":"websocket"`) {
		t.Errorf("who has left makes no room: %d %s", status, said)
	}
	l.Close(t.Context())
	<-ended
	if _, said := ask(t.Context(), `{"messages":1,"size":1,"poll":20,"host":"example.com"}`); !strings.Contains(said, "unknown field") {
		t.Errorf("a field that is none: %s", said)
	}
}
