package lab

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"log"
	"maps"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"framewright/ws"
	"framewright/ws/wsnet"
)

// A way is one client under way, with a server of its own.
type way struct {
	name   string
	f      *feed
	plan   *MeasurePlan
	fields http.Header
	deck   *deck
	server *http.Server
	client *http.Client

	mu   sync.Mutex
	taps []*tap
	pair Pair
	to   chan net.Conn // to the server

	asked  int         // requests
	had    []time.Time // when each message did come
	by     []int       // with which request
	events []ws.TraceEvent
}

func newWay(name string, f *feed, p *MeasurePlan, fields http.Header, pair Pair) (*way, error) {
	d, err := newDeck(f, nil, nil)
	if err != nil {
		return nil, err
	}
	w := &way{name: name, f: f, plan: p, fields: fields, deck: d, pair: pair, to: make(chan net.Conn)}
	if fields == nil {
		w.fields = http.Header{}
	}
	w.server = &http.Server{
		Handler:           http.StripPrefix("/lab/measure", w.deck),
		ReadHeaderTimeout: maxMeasuring,
		ErrorLog:          log.New(io.Discard, "", 0),
	}
	// One connection at a time, or the transport may open another while the first is
	// being put back. What is not compressed is not to be asked for compressed, either.
	w.client = &http.Client{Transport: &http.Transport{DialContext: w.dial, MaxConnsPerHost: 1, DisableCompression: true}}
	return w, nil
}

// dial makes a connection to the server, tapped.
func (w *way) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	client, server, err := w.pair(ctx)
	if err != nil {
		return nil, err
	}
	select {
	case w.to <- server:
	case <-ctx.Done():
		client.Close()
		server.Close()
		return nil, context.Cause(ctx)
	}
	t := &tap{Conn: client}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.taps = append(w.taps, t)
	return t, nil
}

// measure receives all messages, and says what that has taken. It calls ready when the
// first may come to be.
func (w *way) measure(ctx context.Context, ready func()) (*WayCost, error) {
	l := &given{conns: w.to, closed: make(chan struct{})}
	l.close = sync.OnceFunc(func() { close(l.closed) })
	var serving sync.WaitGroup
	serving.Go(func() { w.server.Serve(l) })
	start := time.Now()
	err := map[string]func(context.Context, func()) error{
		WayPolling: w.polling, WayLongPolling: w.longPolling, WayEvents: w.eventStream, WayWebSocket: w.webSocket,
	}[w.name](ctx, ready)
	w.stop()
	serving.Wait()
	if err != nil {
		return nil, err
	}
	c := &WayCost{Way: w.name}
	born, came := w.f.births(), w.deck.arrivals()
	c.times(start, born, w.had)
	for i, by := range w.by {
		if !came[by-1].After(born[i]) {
			c.Pushed++
		}
	}
	return c, c.account(w)
}

// stop ends the server, and waits for what it has under way.
func (w *way) stop() {
	w.client.CloseIdleConnections()
	w.deck.close()
	ctx, cancel := context.WithTimeout(context.Background(), maxMeasuring)
	defer cancel()
	if w.server.Shutdown(ctx) != nil {
		w.server.Close()
	}
}

// given is a listener of connections that are made here.
type given struct {
	conns  chan net.Conn
	closed chan struct{}
	close  func()
}

func (g *given) Accept() (net.Conn, error) {
	select {
	case c := <-g.conns:
		return c, nil
	case <-g.closed:
		return nil, net.ErrClosed
	}
}

func (g *given) Close() error   { g.close(); return nil }
func (g *given) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)} }

// receive takes a message, which must be the next.
func (w *way) receive(message string) error {
	n := len(w.had)
	if n == len(w.f.messages) {
		return fmt.Errorf("a message more than the %d there are: %.20q", n, message)
	}
	if message != w.f.messages[n] {
		return fmt.Errorf("message %d is %.20q, where %.20q is expected", n+1, message, w.f.messages[n])
	}
	w.had, w.by = append(w.had, time.Now()), append(w.by, w.asked)
	return nil
}

// whole reports whether all have come.
func (w *way) whole() bool { return len(w.had) == len(w.f.messages) }

// The address has no port: the connection is made here, whatever it says.
const measuredURL = "http://localhost/lab/measure/"

// do sends a request and returns its answer.
func (w *way) do(ctx context.Context, method, path, accept, body string) (*http.Response, error) {
	var r io.Reader
	if body != "" {
		r = strings.NewReader(body)
	}
	req, err := http.NewRequestWithContext(ctx, method, measuredURL+path, r)
	if err != nil {
		return nil, err
	}
	maps.Copy(req.Header, w.fields)
	if len(w.fields) > 0 {
		req.Header.Set("Accept", accept)
	}
	if body != "" {
		req.Header.Set("Content-Type", "text/plain;charset=UTF-8")
	}
	w.asked++
	resp, err := w.client.Do(req)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode >= 300 {
		defer resp.Body.Close()
		said, _ := io.ReadAll(io.LimitReader(resp.Body, 200))
		return nil, fmt.Errorf("HTTP %d: %s", resp.StatusCode, bytes.TrimSpace(said))
	}
	return resp, nil
}

// read is do, with the body read.
func (w *way) read(ctx context.Context, method, path, body string) (string, error) {
	resp, err := w.do(ctx, method, path, "*/*", body)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	return string(b), err
}

// polling asks every so often, as setInterval does.
func (w *way) polling(ctx context.Context, ready func()) error {
	tick := time.NewTicker(w.plan.poll())
	defer tick.Stop()
	ready()
	for {
		body, err := w.read(ctx, "GET", "poll?after="+strconv.Itoa(len(w.had)), "")
		if err != nil {
			return err
		}
		if body != "" {
			for m := range strings.SplitSeq(body, "\n") {
				if err := w.receive(m); err != nil {
					return err
				}
			}
		}
		if w.whole() {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// longPolling does as engine.io-client does, without an upgrade.
func (w *way) longPolling(ctx context.Context, ready func()) error {
	const engine = "engine/?EIO=4&transport=polling"
	opened, err := w.read(ctx, "GET", engine, "")
	if err != nil {
		return err
	}
	_, rest, _ := strings.Cut(opened, `"sid":"`)
	sid, _, ok := strings.Cut(rest, `"`)
	if !ok || !strings.HasPrefix(opened, "0{") {
		return fmt.Errorf("the handshake is %.40q, where 0 and JSON with a sid are expected", opened)
	}
	session := engine + "&sid=" + url.QueryEscape(sid)
	ready()
	for !w.whole() {
		body, err := w.read(ctx, "GET", session, "")
		if err != nil {
			return err
		}
		for packet := range strings.SplitSeq(body, "\x1e") {
			m, ok := strings.CutPrefix(packet, "4")
			if !ok {
				return fmt.Errorf("a packet %.20q, where a message, 4, is expected", packet)
			}
			if err := w.receive(m); err != nil {
				return err
			}
		}
	}
	_, err = w.read(ctx, "POST", session, "1")
	return err
}

// eventStream reads what an EventSource would, which leaves when all has come.
func (w *way) eventStream(ctx context.Context, ready func()) error {
	resp, err := w.do(ctx, "GET", "events", "text/event-stream", "")
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	ready()
	var event string // whole with the empty line behind it
	lines := bufio.NewScanner(resp.Body)
	for !w.whole() && lines.Scan() {
		if m, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
			event = m
		} else if err := w.receive(event); err != nil {
			return err
		}
	}
	if !w.whole() {
		return cmp.Or(lines.Err(), io.ErrUnexpectedEOF)
	}
	return nil
}

// webSocket reads messages, and closes properly.
func (w *way) webSocket(ctx context.Context, ready func()) error {
	o := &wsnet.DialOptions{HTTPClient: w.client, Header: w.fields.Clone()}
	o.PingInterval, o.Trace = -1, w.trace
	if o.Header.Get("Sec-Fetch-Mode") != "" {
		o.Header.Set("Sec-Fetch-Mode", "websocket")
		o.Header.Set("Sec-Fetch-Dest", "websocket")
	}
	w.asked++
	c, err := wsnet.Dial(ctx, measuredURL+"websocket", o)
	if err != nil {
		return err
	}
	defer c.CloseNow()
	ready()
	for !w.whole() {
		_, data, err := c.Read(ctx)
		if err != nil {
			return err
		}
		if err := w.receive(string(data)); err != nil {
			return err
		}
	}
	return c.Close(ctx, ws.CodeNormal, "")
}

// trace keeps the first message and what belongs to the end.
func (w *way) trace(e ws.TraceEvent) {
	w.mu.Lock()
	defer w.mu.Unlock()
	first := !slices.ContainsFunc(w.events, func(e ws.TraceEvent) bool { return !e.Header.Opcode.IsControl() })
	if e.Handshake == "" && (first || e.Header.Opcode.IsControl()) {
		e.Wire, e.Payload = bytes.Clone(e.Wire), bytes.Clone(e.Payload)
		w.events = append(w.events, e)
	}
}
