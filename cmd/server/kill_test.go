package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"framewright/chat"
	"framewright/chat/plain"
	"framewright/ws"
	"framewright/ws/wsnet"
)

// The real program is killed with SIGKILL at random moments while clients send,
// and is started again on the same data. The clients do what PROTOCOL.md tells
// them: reconnect, resume by cursor, send again what has no acknowledgement. In
// the end every client has every message once, in the room's order, and nothing
// that was acknowledged is missing. Now and then the end is a SIGTERM instead.
//
// FRAMEWRIGHT_LONG=1 makes it 120 cycles; FRAMEWRIGHT_SEED repeats a run's
// choices, as far as time lets it.
func TestKilledAtRandom(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the program, which takes seconds")
	}
	cycles, clients := 8, 6
	if long() {
		cycles = 120
	}
	seed := uint64(time.Now().UnixNano())
	if s, err := strconv.ParseUint(os.Getenv("FRAMEWRIGHT_SEED"), 10, 64); err == nil {
		seed = s
	}
	t.Logf("FRAMEWRIGHT_SEED=%d", seed)
	rnd := rand.New(rand.NewPCG(seed, 0))

	args := []string{
		"-data", t.TempDir(), "-keep", "1000000", "-catch-up", "1000000", "-queue", "67108864", "-drain-window", "100ms",
		"-handshake-rate", "0", "-message-rate", "0", "-person-rate", "0", "-read-rate", "0", "-request-rate", "0",
		"-publish-key", testKey,
	}
	w := &killWorld{t: t, progress: make(chan struct{}, 1), published: make(map[string]string)}
	ctx, cancel := context.WithTimeout(t.Context(), time.Duration(cycles)*10*time.Second)
	defer cancel()
	ctx, w.fail = context.WithCancelCause(ctx)
	defer w.fail(nil)
	p := spawn(t, args...)
	w.moveTo(p.url)
	var wg sync.WaitGroup
	all := make([]*killClient, clients)
	for i := range all {
		all[i] = newKillClient(w, i)
		wg.Go(func() { all[i].run(ctx) })
	}
	publishing := w.publishOn(ctx)

	kills, terms, starts := 0, 0, 0
	for cycle := range cycles {
		w.waitFor(ctx, rnd.IntN(300))
		if cycle%8 == 7 {
			terms++
			p.cmd.Process.Signal(syscall.SIGTERM)
			if status := p.wait(t); status != 0 {
				t.Errorf("cycle %d: after SIGTERM, status %d\n%s", cycle, status, tail(p.stderr.String()))
			}
		} else {
			kills++
			p.cmd.Process.Kill()
			p.wait(t)
		}
		if rnd.IntN(4) == 0 { // also while it opens its store
			starts++
			early, _ := launch(t, args...)
			time.Sleep(time.Duration(rnd.IntN(20)) * time.Millisecond) // at random, that is the point
			early.cmd.Process.Kill()
			early.wait(t)
		}
		p = spawn(t, args...)
		w.moveTo(p.url)
	}
	w.waitFor(ctx, 100)

	// The chat itself tells the clients to stop, and when all is over.
	publishing.stop()
	w.publish(ctx, "stop")
	for _, c := range all {
		select {
		case <-c.quiet:
		case <-ctx.Done():
			t.Fatalf("client %d waits for acknowledgements: %v\n%s", c.number, context.Cause(ctx), tail(p.stderr.String()))
		}
	}
	w.publish(ctx, "end")
	wg.Wait()
	if ctx.Err() != nil {
		t.Fatalf("%v\n%s", context.Cause(ctx), tail(p.stderr.String()))
	}

	total := w.verify(ctx, all)
	p.cmd.Process.Signal(syscall.SIGTERM)
	if status := p.wait(t); status != 0 {
		t.Errorf("the last one ended with status %d", status)
	}
	reconnects := 0
	for _, c := range all {
		reconnects += c.connects - 1
	}
	t.Logf("%d kills, %d of them while starting, %d orderly ends; %d messages in order at each of %d clients, which reconnected %d times and sent %d again",
		kills+starts, starts, terms, total, clients, reconnects, w.resent.Load())
}

var killRooms = []string{"one", "two"}

// A killWorld is what the clients of one test share.
type killWorld struct {
	t        *testing.T
	url      atomic.Pointer[string]
	acks     atomic.Int64
	resent   atomic.Int64
	progress chan struct{} // gets a value when there was an acknowledgement

	mu        sync.Mutex
	published map[string]string // by room and id: the cursor

	fail context.CancelCauseFunc // ends the test
}

func (w *killWorld) moveTo(url string) { w.url.Store(&url) }

// waitFor waits until so many more messages were acknowledged.
func (w *killWorld) waitFor(ctx context.Context, n int) {
	for target := w.acks.Load() + int64(n); w.acks.Load() < target; {
		select {
		case <-w.progress:
		case <-ctx.Done():
			w.t.Fatalf("no more progress: %v", context.Cause(ctx))
		}
	}
}

// publish sends a message to each room by POST /publish, as often as it takes.
func (w *killWorld) publish(ctx context.Context, text string) {
	for _, room := range killRooms {
		body, _ := json.Marshal(publishRequest{Room: room, Text: text, ID: "p-" + text})
		for ctx.Err() == nil {
			r, err := http.NewRequestWithContext(ctx, "POST", *w.url.Load()+"/publish", bytes.NewReader(body))
			if err != nil {
				w.t.Error(err)
				return
			}
			r.Header = http.Header{"Authorization": {"Bearer " + testKey}, "Content-Type": {"application/json"}}
			resp, err := http.DefaultClient.Do(r)
			if err == nil {
				var answer struct{ Cursor string }
				err = json.NewDecoder(resp.Body).Decode(&answer)
				resp.Body.Close()
				if err == nil && resp.StatusCode == http.StatusOK {
					w.mu.Lock()
					w.published[room+" p-"+text] = answer.Cursor
					w.mu.Unlock()
					break
				}
			}
			time.Sleep(5 * time.Millisecond) // a client's wait before it tries again
		}
	}
}

// publishOn publishes all the time, until stop is called.
func (w *killWorld) publishOn(ctx context.Context) *publishing {
	p := &publishing{quit: make(chan struct{})}
	p.wg.Go(func() {
		for n := 1; ; n++ {
			select {
			case <-p.quit:
				return
			case <-ctx.Done():
				return
			default:
				w.publish(ctx, strconv.Itoa(n))
			}
		}
	})
	return p
}

type publishing struct {
	quit chan struct{}
	wg   sync.WaitGroup
}

func (p *publishing) stop() {
	close(p.quit)
	p.wg.Wait()
}

// A killEvent is what the test reads of an event.
type killEvent struct {
	killMessage
	Type      string
	Room      string
	Recovered bool
	Messages  []killMessage
	More      bool
	Code      string
}

// A killMessage is one entry of a room's order.
type killMessage struct {
	Cursor string
	From   struct{ ID string }
	ID     string
	Text   string
}

// A killSend is a message that has no acknowledgement yet.
type killSend struct{ room, id, text string }

type killClient struct {
	w      *killWorld
	number int
	quiet  chan struct{} // closed when it was told to stop and everything is acknowledged

	// The client's own.
	conn     *wsnet.Conn
	connects int
	next     int
	stopping bool
	ends     int
	pending  []killSend
	cursor   map[string]string        // by room
	got      map[string][]killMessage // by room
	acked    map[string]string        // by room and id: the cursor
	err      error
}

func newKillClient(w *killWorld, number int) *killClient {
	return &killClient{
		w: w, number: number, quiet: make(chan struct{}),
		cursor: make(map[string]string), got: make(map[string][]killMessage), acked: make(map[string]string),
	}
}

// window is how many messages a client has under way.
const window = 8

func (c *killClient) over() bool { return c.err != nil || c.ends == len(killRooms) }

// run connects, again and again, until the chat says that it is over.
func (c *killClient) run(ctx context.Context) {
	for !c.over() && ctx.Err() == nil {
		c.session(ctx)
		if !c.over() {
			time.Sleep(5 * time.Millisecond) // a client's wait before it tries again
		}
	}
}

func (c *killClient) fail(format string, args ...any) {
	c.err = fmt.Errorf("client %d: %w", c.number, fmt.Errorf(format, args...))
	c.w.fail(c.err)
}

// session is one connection, until it is lost.
func (c *killClient) session(ctx context.Context) {
	conn, err := wsnet.Dial(ctx, *c.w.url.Load()+"/ws", &wsnet.DialOptions{Options: wsnet.Options{Subprotocols: []string{plain.Subprotocol}}})
	if err != nil {
		return
	}
	defer conn.CloseNow()
	c.conn = conn
	c.connects++
	c.request(ctx, "hello", "name", fmt.Sprintf("client %d", c.number), "secret", fmt.Sprintf("the secret of client %d", c.number))
	for _, room := range killRooms {
		c.request(ctx, "join", "room", room, "since", c.cursor[room])
	}
	for _, s := range c.pending {
		c.w.resent.Add(1)
		c.send(ctx, s)
	}
	for !c.over() {
		for !c.stopping && len(c.pending) < window {
			c.next++
			s := killSend{killRooms[c.next%len(killRooms)], fmt.Sprintf("%d-%d", c.number, c.next), fmt.Sprintf("message %d of client %d", c.next, c.number)}
			c.pending = append(c.pending, s)
			c.send(ctx, s)
		}
		_, data, err := conn.Read(ctx)
		if err != nil {
			return
		}
		var e killEvent
		if err := json.Unmarshal(data, &e); err != nil {
			c.fail("%s: %v", data, err)
			return
		}
		c.handle(&e)
	}
}

// request writes; that it could not, the next read tells.
func (c *killClient) request(ctx context.Context, kind string, fields ...string) {
	m := map[string]string{"type": kind}
	for i := 0; i < len(fields); i += 2 {
		if fields[i+1] != "" {
			m[fields[i]] = fields[i+1]
		}
	}
	data, _ := json.Marshal(m)
	c.conn.Write(ctx, ws.OpText, data)
}

func (c *killClient) send(ctx context.Context, s killSend) {
	c.request(ctx, "send", "room", s.room, "id", s.id, "text", s.text)
}

func (c *killClient) handle(e *killEvent) {
	switch e.Type {
	case "joined":
		if c.cursor[e.Room] != "" && !e.Recovered {
			c.fail("room %s: not recovered from cursor %s", e.Room, c.cursor[e.Room])
			return
		}
		for _, m := range e.Messages {
			c.take(e.Room, m)
		}
		c.cursor[e.Room] = e.Cursor
	case "message":
		c.take(e.Room, e.killMessage)
		c.cursor[e.Room] = e.Cursor
	case "ack":
		key := e.Room + " " + e.ID
		if before := c.acked[key]; before != "" && before != e.Cursor {
			c.fail("%s was acknowledged with %s and then with %s", key, before, e.Cursor)
		}
		c.acked[key] = e.Cursor
		c.pending = slices.DeleteFunc(c.pending, func(s killSend) bool { return s.id == e.ID })
		c.w.acks.Add(1)
		select {
		case c.w.progress <- struct{}{}:
		default:
		}
	case "error":
		if e.Code != "unavailable" && e.Code != "not-joined" { // while it ends; what was refused is sent again
			c.fail("refused: %s %s", e.Code, e.Text)
		}
	}
	if c.stopping && len(c.pending) == 0 {
		select {
		case <-c.quiet:
		default:
			close(c.quiet)
		}
	}
}

// take adds a message to what the client has seen.
func (c *killClient) take(room string, m killMessage) {
	c.got[room] = append(c.got[room], m)
	if m.From.ID == publisherID {
		switch m.Text {
		case "stop":
			c.stopping = true
		case "end":
			c.ends++
		}
	}
}

// verify holds what every client saw against what the store has, and that
// against what was acknowledged. It returns the number of messages.
func (w *killWorld) verify(ctx context.Context, all []*killClient) (total int) {
	for _, room := range killRooms {
		want := w.history(ctx, room)
		total += len(want)
		at := make(map[string]string) // by room and id: the cursor
		for i, m := range want {
			key := room + " " + m.From.ID + " " + m.ID
			if at[key] != "" {
				w.t.Errorf("%s is there twice", key)
			}
			at[key] = m.Cursor
			if i > 0 && seq(m.Cursor) != seq(want[i-1].Cursor)+1 {
				w.t.Errorf("room %s: after %s comes %s", room, want[i-1].Cursor, m.Cursor)
			}
		}
		acked := 0
		for _, c := range all {
			if d := cmp.Diff(want, c.got[room]); d != "" {
				w.t.Errorf("room %s, client %d (-stored +seen)\n%.3000s", room, c.number, d)
			}
			person, _ := chat.PersonFromSecret("", fmt.Sprintf("the secret of client %d", c.number))
			for key, cursor := range c.acked {
				if id, ok := strings.CutPrefix(key, room+" "); ok {
					acked++
					if got := at[room+" "+person.ID+" "+id]; got != cursor {
						w.t.Errorf("%s was acknowledged with %s and is at %q", key, cursor, got)
					}
				}
			}
		}
		for key, cursor := range w.published {
			if id, ok := strings.CutPrefix(key, room+" "); ok {
				acked++
				if got := at[room+" "+publisherID+" "+id]; got != cursor {
					w.t.Errorf("%s was published with %s and is at %q", key, cursor, got)
				}
			}
		}
		if acked != len(want) {
			w.t.Errorf("room %s: %d acknowledged, %d stored", room, acked, len(want))
		}
	}
	return total
}

// seq is the place that a cursor names, "epoch-place" in base 36.
func seq(cursor string) uint64 {
	_, text, _ := strings.Cut(cursor, "-")
	n, _ := strconv.ParseUint(text, 36, 64)
	return n
}

// history reads all of a room, as somebody new would by scrolling up.
func (w *killWorld) history(ctx context.Context, room string) []killMessage {
	w.t.Helper()
	c := newKillClient(w, 99)
	var err error
	if c.conn, err = wsnet.Dial(ctx, *w.url.Load()+"/ws", &wsnet.DialOptions{Options: wsnet.Options{Subprotocols: []string{plain.Subprotocol}}}); err != nil {
		w.t.Fatal(err)
	}
	defer c.conn.CloseNow()
	c.request(ctx, "hello", "name", "historian")
	c.request(ctx, "join", "room", room)
	var all []killMessage
	for {
		_, data, err := c.conn.Read(ctx)
		if err != nil {
			w.t.Fatal(err)
		}
		var e killEvent
		if err := json.Unmarshal(data, &e); err != nil {
			w.t.Fatalf("%s: %v", data, err)
		}
		if e.Type != "history" && e.Type != "joined" {
			continue
		}
		all = append(e.Messages, all...)
		if e.Type == "history" && !e.More {
			return all
		}
		c.request(ctx, "history", "room", room, "before", all[0].Cursor)
	}
}
