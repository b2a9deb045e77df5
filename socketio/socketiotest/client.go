package socketiotest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"framewright/socketio/client"
)

// A Client is one in one namespace. Its methods are for the test's own goroutine.
type Client struct {
	server    *Server
	t         testing.TB
	conn      *client.Client
	socket    *client.Socket
	auths     *auths
	namespace string
	number    int64

	mu     sync.Mutex
	came   []Event // and was not taken
	ended  bool
	reason client.Reason
	news   chan struct{} // closed with the next of these
}

// maxEvents bounds what may come and not be taken.
const maxEvents = 10_000

// auths are what a client sends as auth, by namespace.
type auths struct {
	mu sync.Mutex
	of map[string]any
}

func (a *auths) get(_ context.Context, namespace string) (any, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.of[namespace], nil
}

func (a *auths) set(namespace string, auth any) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.of[namespace] = auth
}

// String names the client in what a test says.
func (c *Client) String() string { return fmt.Sprintf("client %d in %s", c.number, c.namespace) }

// connect makes the socket of the client's namespace.
func (c *Client) connect() error {
	c.news = make(chan struct{})
	c.socket = c.conn.Of(c.namespace)
	c.socket.OnAny(func(_ context.Context, _ *client.Socket, event string, args client.Args) (client.Reply, error) {
		c.hear(newEvent(event, args))
		return nil, nil
	})
	c.socket.OnDisconnect(func(_ context.Context, _ *client.Socket, why client.Reason) {
		c.change(func() { c.ended, c.reason = true, why })
	})
	ctx, cancel := c.patience()
	defer cancel()
	return c.socket.Connect(ctx)
}

// patience is the test's context, and how long may be waited.
func (c *Client) patience() (context.Context, context.CancelFunc) {
	return context.WithTimeout(c.t.Context(), c.server.Patience)
}

// change does f and wakes who waits.
func (c *Client) change(f func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f()
	close(c.news)
	c.news = make(chan struct{})
}

func (c *Client) hear(e Event) {
	c.change(func() {
		if len(c.came) == maxEvents {
			e = Event{Name: e.Name, err: fmt.Errorf("%d events have come, and the test has taken none of them", maxEvents)}
			c.came = c.came[:0]
		}
		c.came = append(c.came, e)
	})
}

// Of joins one more namespace over the same connection. The test fails if it is
// refused.
func (c *Client) Of(namespace string, auth any) *Client {
	c.t.Helper()
	c.auths.set(namespace, auth)
	d := &Client{server: c.server, t: c.t, conn: c.conn, auths: c.auths, namespace: namespace, number: c.number}
	if err := d.connect(); err != nil {
		c.t.Fatalf("socketiotest: %s cannot connect: %v", d, err)
	}
	return d
}

// ID is the socket's, as the server knows it.
func (c *Client) ID() string { return c.socket.ID() }

// Socket is the client below, for what has no method here: handlers that answer what
// the server asks ([client.OnAck]), or an Emit that waits for nothing. An event that
// has a handler does not come to Next and Received. One that asks, and has none, is
// answered with nothing.
func (c *Client) Socket() *client.Socket { return c.socket }

// Emit sends an event and waits until its handler has run. The test fails if there is
// none, or if it has an error.
func (c *Client) Emit(event string, args ...any) {
	c.t.Helper()
	if _, err := c.ask(event, args); err != nil {
		c.t.Fatalf("socketiotest: %s emits %q: %v", c, event, err)
	}
}

// Fails is Emit of what the server has to answer with an error, which it returns.
func (c *Client) Fails(event string, args ...any) *client.Error {
	c.t.Helper()
	answer, err := c.ask(event, args)
	if e, ok := errors.AsType[*client.Error](err); ok {
		return e
	}
	if err == nil {
		err = fmt.Errorf("answered with %s", answer)
	}
	c.t.Fatalf("socketiotest: %s emits %q, which should be answered with an error: %v", c, event, err)
	return nil
}

// Ask emits an event and returns the first argument of its acknowledgement. The test
// fails as with Emit, or if that is no R; with [Reply] as R, it may be several.
func Ask[R any](c *Client, event string, args ...any) R {
	c.t.Helper()
	answer, err := c.ask(event, args)
	var r R
	if err == nil {
		if all, ok := any(&r).(*Reply); ok {
			*all = Reply(answer.args)
		} else {
			err = answer.Decode(&r)
		}
	}
	if err != nil {
		c.t.Fatalf("socketiotest: %s asks %q: %v", c, event, err)
	}
	return r
}

// Reply is an acknowledgement with any number of arguments, as JSON.
type Reply []json.RawMessage

func (c *Client) ask(event string, args []any) (Event, error) {
	ctx, cancel := c.patience()
	defer cancel()
	answer, err := client.Ask[client.Args](ctx, c.socket, event, args...)
	if err != nil {
		return Event{}, err
	}
	e := newEvent("acknowledgement", answer)
	return e, e.failure()
}

// Next waits for the next event of a name, and takes it out of what came; earlier
// events of other names stay. The test fails if none comes in time, or the client is
// disconnected.
func (c *Client) Next(event string) Event {
	c.t.Helper()
	var found *Event
	why := c.until(func() bool {
		i := slices.IndexFunc(c.came, func(e Event) bool { return e.Name == event })
		if i >= 0 {
			e := c.came[i]
			found = &e
			c.came = slices.Delete(c.came, i, i+1)
		}
		return i >= 0
	})
	if found == nil {
		c.t.Fatalf("socketiotest: %s waits for %q: %s", c, event, why)
	}
	if found.err != nil {
		c.t.Fatalf("socketiotest: %s got %q: %v", c, event, found.err)
	}
	return *found
}

// Next is [Client.Next] for the event's first argument. The test fails if that is no
// A.
func Next[A any](c *Client, event string) (a A) {
	c.t.Helper()
	if err := c.Next(event).Decode(&a); err != nil {
		c.t.Fatalf("socketiotest: %s got %q: %v", c, event, err)
	}
	return a
}

// Received takes all that has come, in order: what the server had sent before it was
// called is there. What a handler is still about to send is not: wait for the handler
// by Emit, for OnConnect by Next of what it sends, and in a bubble for all by
// testing/synctest.Wait.
func (c *Client) Received() []Event {
	c.t.Helper()
	ctx, cancel := c.patience()
	defer cancel()
	// The refusal of a namespace that there is not comes behind all that was sent.
	_ = c.conn.Of(nowhere).Connect(ctx)
	_ = c.socket.Settle(ctx)
	c.mu.Lock()
	defer c.mu.Unlock()
	all := c.came
	c.came = nil
	return all
}

const nowhere = "/socketiotest/nowhere"

// Nothing fails the test if anything has come that was not taken: see Received.
func (c *Client) Nothing() {
	c.t.Helper()
	if all := c.Received(); len(all) > 0 {
		c.t.Fatalf("socketiotest: %s should have got nothing more, and got %s", c, list(all))
	}
}

// Disconnect leaves the namespace, as a page that is closed. It does not wait for the
// server's OnDisconnect.
func (c *Client) Disconnect() { c.socket.Disconnect() }

// Drop cuts the connection, as a network that is lost: the server learns it from the
// connection's end.
func (c *Client) Drop() { c.conn.Drop() }

// Disconnected waits until the client is disconnected, and says why:
// [client.ServerDisconnect], for example. The test fails if it is not in time.
func (c *Client) Disconnected() client.Reason {
	c.t.Helper()
	ended := false
	why := c.until(func() bool {
		ended = c.ended
		return ended
	})
	if !ended {
		c.t.Fatalf("socketiotest: %s waits for its end: %s", c, why)
	}
	return c.reason
}

// until waits until done, which runs with mu held, is true. If it never is, it says
// why not.
func (c *Client) until(done func() bool) (why string) {
	limit := time.NewTimer(c.server.Patience)
	defer limit.Stop()
	c.mu.Lock()
	defer c.mu.Unlock()
	for !done() {
		if c.ended {
			return fmt.Sprintf("it is disconnected: %s; came instead: %s", c.reason, list(c.came))
		}
		news := c.news
		c.mu.Unlock()
		over := false
		select {
		case <-news:
		case <-limit.C:
			over = true
		case <-c.t.Context().Done():
			over = true
		}
		c.mu.Lock()
		if over && !done() {
			return fmt.Sprintf("not within %v; came instead: %s", c.server.Patience, list(c.came))
		}
	}
	return ""
}

// list is events as a test says them.
func list(events []Event) string {
	if len(events) == 0 {
		return "nothing"
	}
	texts := make([]string, 0, len(events))
	for _, e := range events[:min(len(events), 20)] {
		texts = append(texts, e.String())
	}
	return fmt.Sprintf("%d, %s", len(events), strings.Join(texts, " "))
}
