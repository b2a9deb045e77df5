package lab

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"slices"
	"sync"
	"time"
)

// The bounds of a measurement.
const (
	maxMessages     = 200
	maxMessageBytes = 4096
	maxEvery        = 1000             // ms between two messages
	minPoll         = 20               // ms between two polls
	maxPoll         = 2000             // ms
	maxPublishing   = 10 * time.Second // from the first message to the last
	maxMeasuring    = 20 * time.Second // all in all
	maxMeasurements = 2                // at once, of all pages together
)

// A MeasurePlan is what one wants to know: the cost of so many messages from a server to
// a client.
type MeasurePlan struct {
	Messages int `json:"messages"` // 1 to 200
	Size     int `json:"size"`     // bytes of each, 1 to 4096
	Every    int `json:"every"`    // ms from one to the next, 0 to 1000; 0: all at once
	Poll     int `json:"poll"`     // ms from one request of short polling to the next, 20 to 2000

	// Browser says that requests have the header fields of who asks; otherwise they have
	// what Go's client sends.
	Browser bool `json:"browser"`
}

func (p *MeasurePlan) check() error {
	for _, b := range []struct {
		what           string
		is, from, upTo int
	}{
		{"messages", p.Messages, 1, maxMessages},
		{"bytes of a message", p.Size, 1, maxMessageBytes},
		{"ms between messages", p.Every, 0, maxEvery},
		{"ms between polls", p.Poll, minPoll, maxPoll},
	} {
		if b.is < b.from || b.is > b.upTo {
			return fmt.Errorf("%d %s: %d to %d is expected", b.is, b.what, b.from, b.upTo)
		}
	}
	if d := time.Duration(p.Messages) * p.every(); d > maxPublishing {
		return fmt.Errorf("%d messages, one every %v, take %v; the limit is %v: fewer messages, or less time between them", p.Messages, p.every(), d, maxPublishing)
	}
	return nil
}

func (p *MeasurePlan) every() time.Duration { return time.Duration(p.Every) * time.Millisecond }
func (p *MeasurePlan) poll() time.Duration  { return time.Duration(p.Poll) * time.Millisecond }

// A Measured is what came of a MeasurePlan: the same messages by every way, in the same
// moments.
type Measured struct {
	Plan MeasurePlan `json:"plan"`
	Ways []*WayCost  `json:"ways"`
}

// The ways by which a server's messages reach a client.
const (
	WayPolling     = "polling"      // a request every so often
	WayLongPolling = "long-polling" // by package engineio: a request that waits
	WayEvents      = "events"       // Server-Sent Events: one answer without an end
	WayWebSocket   = "websocket"
)

// A WayCost is what one way has taken. Times are in milliseconds, of one clock, from when
// a message came to be to when the client had it whole.
type WayCost struct {
	Way         string `json:"way"`
	Connections int    `json:"connections"`
	Requests    int    `json:"requests"`
	Empty       int    `json:"empty"`  // answers that brought no message
	Pushed      int    `json:"pushed"` // messages that came to be when the server had the request already that was to bring them

	Up   WireBytes `json:"up"` // from the client to the server
	Down WireBytes `json:"down"`

	Median    float64   `json:"median"`
	P99       float64   `json:"p99"`
	Worst     float64   `json:"worst"`
	Took      float64   `json:"took"` // from the first byte to the last message
	Latencies []float64 `json:"latencies"`

	Exchanges []Exchange   `json:"exchanges"`       // one of each kind, as they went over the wire
	Facts     []momentFact `json:"facts,omitempty"` // of a WebSocket: the handshake, the first message, the end
}

// Measure delivers the plan's messages by every way, side by side, from a server to a
// client that are both in this process, over connections that pair makes; nil is TCP on
// the loopback interface. fields are header fields of every request besides Go's own. An
// error says what of the plan is out of bounds, or which way failed.
func Measure(ctx context.Context, p MeasurePlan, fields http.Header, pair Pair) (*Measured, error) {
	if err := p.check(); err != nil {
		return nil, err
	}
	if pair == nil {
		pair = loopback
	}
	ctx, cancel := context.WithTimeoutCause(ctx, maxMeasuring, fmt.Errorf("the measurement takes longer than %v", maxMeasuring))
	defer cancel()
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)

	f := newFeed(&p)
	out := &Measured{Plan: p, Ways: make([]*WayCost, len(ways))}
	var ready, done sync.WaitGroup
	ready.Add(len(ways))
	for i, name := range ways {
		done.Go(func() {
			once := sync.OnceFunc(ready.Done)
			defer once()
			w, err := newWay(name, f, &p, fields, pair)
			if err == nil {
				out.Ways[i], err = w.measure(ctx, once)
			}
			if err != nil {
				fail(fmt.Errorf("%s: %w", name, err)) // the first is the cause
			}
		})
	}
	done.Go(func() {
		ready.Wait()
		f.run(ctx, p.every())
	})
	done.Wait()
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	return out, nil
}

// ways are all of them, in the order in which they are shown.
var ways = []string{WayPolling, WayLongPolling, WayEvents, WayWebSocket}

// times sets the cost's figures of time: of each message when it came to be, and when the
// client had it.
func (c *WayCost) times(start time.Time, born, had []time.Time) {
	for i := range had {
		c.Latencies = append(c.Latencies, ms(had[i].Sub(born[i])))
	}
	sorted := slices.Sorted(slices.Values(c.Latencies))
	c.Median, c.P99, c.Worst = rank(sorted, 0.5), rank(sorted, 0.99), sorted[len(sorted)-1]
	c.Took = ms(had[len(had)-1].Sub(start))
}

// rank is the smallest value that no less than the share q of all values does not exceed.
func rank(sorted []float64, q float64) float64 {
	return sorted[max(0, int(math.Ceil(q*float64(len(sorted))))-1)]
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
