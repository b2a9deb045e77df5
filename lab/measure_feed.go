package lab

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"framewright/engineio"
	"framewright/ws"
	"framewright/ws/wsnet"
)

// A feed is what a measurement's messages come from: all ways read the same one.
type feed struct {
	messages []string

	mu   sync.Mutex
	born []time.Time   // when each message came to be, of those that have
	more chan struct{} // closed, and made anew, when there is another
}

const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

// newFeed returns one with the plan's messages, of which none has come to be. Each begins
// with the letter behind that of the one before, so that none can be missed or come twice.
func newFeed(p *MeasurePlan) *feed {
	f := &feed{more: make(chan struct{})}
	for i := range p.Messages {
		f.messages = append(f.messages, strings.Repeat(letters, 2+p.Size/len(letters))[i%len(letters):][:p.Size])
	}
	return f
}

// run lets the messages come to be, until ctx ends.
func (f *feed) run(ctx context.Context, every time.Duration) {
	if every == 0 {
		f.publish(len(f.messages))
		return
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	for range f.messages {
		select {
		case <-tick.C:
			f.publish(1)
		case <-ctx.Done():
			return
		}
	}
}

// publish lets n messages come to be.
func (f *feed) publish(n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := time.Now()
	for range n {
		f.born = append(f.born, now)
	}
	close(f.more)
	f.more = make(chan struct{})
}

// after returns the messages behind the first n, and what is closed when there are more.
func (f *feed) after(n int) (messages []string, more <-chan struct{}) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.messages[min(n, len(f.born)):len(f.born)], f.more
}

// births returns when each message came to be.
func (f *feed) births() []time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.born
}

// A deck serves a feed by every way:
//
//	GET poll?after=N   the messages behind the first N, a line each, or 204
//	    engine/        Engine.IO, polling only
//	GET events         Server-Sent Events
//	GET websocket      text messages
type deck struct {
	feed   *feed
	engine *engineio.Server
	socket *wsnet.Server
	mux    *http.ServeMux
	ended  chan struct{}

	mu       sync.Mutex
	came     []time.Time    // when each request did
	requests map[string]int // by way
}

// newDeck returns one that close ends. hosts and origins are those of wsnet.ServerOptions;
// the error says what is wrong with them.
func newDeck(f *feed, hosts, origins []string) (*deck, error) {
	d := &deck{feed: f, mux: http.NewServeMux(), ended: make(chan struct{}), requests: map[string]int{}}
	quiet := wsnet.ServerOptions{Options: wsnet.Options{PingInterval: -1}, Hosts: hosts, OriginPatterns: origins}
	var err error
	d.engine, err = engineio.NewServer(d.overEngine, &engineio.Options{
		Transports: []string{engineio.Polling}, NoUpgrade: true, CompressOver: -1, MaxSessions: 4, WebSocket: quiet,
		QueueBytes: 2 * maxMessages * maxMessageBytes, OriginPatterns: origins, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		return nil, err
	}
	d.socket = wsnet.Handler(d.overWebSocket)
	d.socket.MaxConns, d.socket.Options, d.socket.Logger = 4, quiet, slog.New(slog.DiscardHandler)
	for pattern, at := range map[string]struct {
		way string
		h   http.Handler
	}{
		"/engine/":    {WayLongPolling, d.engine},
		"GET /events": {WayEvents, http.HandlerFunc(d.events)},
		"/websocket":  {WayWebSocket, d.socket},
	} {
		d.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			d.note(at.way)
			at.h.ServeHTTP(w, r)
		})
	}
	d.mux.HandleFunc("GET /poll", d.polled)
	return d, nil
}

func (d *deck) ServeHTTP(w http.ResponseWriter, r *http.Request) { d.mux.ServeHTTP(w, r) }

// note counts a request.
func (d *deck) note(way string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.requests[way]++; len(d.came) < maxArrivals {
		d.came = append(d.came, time.Now())
	}
}

// maxArrivals is how many requests are kept the time of: more than the longest
// measurement's polls, or its messages.
const maxArrivals = 2000

// counts returns how many requests came by each way.
func (d *deck) counts() map[string]int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return maps.Clone(d.requests)
}

// arrivals returns when each request came.
func (d *deck) arrivals() []time.Time {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.came
}

// close ends what is under way. It is called once.
func (d *deck) close() {
	close(d.ended)
	d.engine.Close()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	d.socket.Shutdown(ctx)
}

// each gives send all messages, those at once that are there, until it fails, all are sent,
// the client has gone or the deck is closed.
func (d *deck) each(gone <-chan struct{}, send func(messages []string) error) {
	for n := 0; n < len(d.feed.messages); {
		messages, more := d.feed.after(n)
		if len(messages) > 0 {
			if send(messages) != nil {
				return
			}
			n += len(messages)
			continue
		}
		select {
		case <-more:
		case <-gone:
			return
		case <-d.ended:
			return
		}
	}
}

func (d *deck) polled(w http.ResponseWriter, r *http.Request) {
	n, err := strconv.Atoi(r.URL.Query().Get("after"))
	if err != nil || n < 0 {
		http.Error(w, "after: the number of messages that are here already is expected", http.StatusBadRequest)
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	messages, _ := d.feed.after(n)
	d.note(WayPolling) // now: it waits for nothing, so that nothing comes to be while it is there
	if len(messages) == 0 {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	io.WriteString(w, strings.Join(messages, "\n"))
}

func (d *deck) overEngine(ctx context.Context, s *engineio.Socket) error {
	d.each(ctx.Done(), func(messages []string) error {
		batch := make([]engineio.Message, len(messages))
		for i, m := range messages {
			batch[i] = engineio.Text(m)
		}
		return s.Send(batch...)
	})
	select { // the client closes
	case <-ctx.Done():
	case <-d.ended:
	}
	return nil
}

// errGone says that nobody reads a stream any more.
var errGone = errors.New("the client is gone")

func (d *deck) events(w http.ResponseWriter, r *http.Request) {
	out := newStream(w)
	if !out.flush() {
		return
	}
	d.each(r.Context().Done(), func(messages []string) error {
		for _, m := range messages {
			if !out.write("data: %s\n\n", m) {
				return errGone
			}
		}
		if !out.flush() {
			return errGone
		}
		return nil
	})
	select { // the client leaves
	case <-r.Context().Done():
	case <-d.ended:
	}
}

func (d *deck) overWebSocket(ctx context.Context, c *wsnet.Conn) error {
	left := make(chan error, 1)
	go func() { // or a client that leaves is not noticed
		_, _, err := c.Read(ctx)
		if err == nil {
			err = errors.New("a message, where none is expected")
			c.CloseNow()
		}
		left <- err
	}()
	d.each(c.Context().Done(), func(messages []string) error {
		for _, m := range messages {
			if err := c.Write(ctx, ws.OpText, []byte(m)); err != nil {
				return err
			}
		}
		return nil
	})
	select { // the client closes
	case err := <-left:
		return err
	case <-d.ended:
		c.CloseNow()
		return <-left
	}
}
