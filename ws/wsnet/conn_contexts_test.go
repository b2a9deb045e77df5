package wsnet_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"framewright/ws"
	"framewright/ws/wsnet"
	"framewright/ws/wstest"
)

// A countingContext knows how many wait for its end.
type countingContext struct {
	context.Context
	done chan struct{}

	mu      sync.Mutex
	waiting int
}

func newCountingContext(t *testing.T) *countingContext {
	return &countingContext{Context: t.Context(), done: make(chan struct{})}
}

func (c *countingContext) Done() <-chan struct{} { return c.done }

// AfterFunc is what package context calls.
func (c *countingContext) AfterFunc(func()) (stop func() bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.waiting++
	stopped := false
	return func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		if stopped {
			return false
		}
		stopped = true
		c.waiting--
		return true
	}
}

func (c *countingContext) want(t *testing.T, why string, most int) {
	t.Helper()
	synctest.Wait()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.waiting > most {
		t.Errorf("%s: the context holds on to %d functions, want %d at most", why, c.waiting, most)
	}
}

// A program may have one context for all it does. A connection that is over must not be
// held by it, nor may one that goes on be held once for each operation.
func TestContextsAreLetGo(t *testing.T) {
	for name, end := range map[string]func(ctx context.Context, c *wsnet.Conn, p *wstest.Peer){
		"CloseNow":      func(_ context.Context, c *wsnet.Conn, _ *wstest.Peer) { c.CloseNow() },
		"the peer goes": func(_ context.Context, _ *wsnet.Conn, p *wstest.Peer) { p.Close() },
		"Close": func(ctx context.Context, c *wsnet.Conn, p *wstest.Peer) {
			p.SendFrame(wstest.Close(ws.CodeNormal, ""))
			p.Close()
			c.Close(ctx, ws.CodeNormal, "")
		},
		"a violation": func(_ context.Context, _ *wsnet.Conn, p *wstest.Peer) { p.Send("f1 80 | 37fa213d"); p.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, p := ctConn(t, ws.RoleServer, &wsnet.Options{PingInterval: -1, CloseTimeout: time.Hour})
				ctx := newCountingContext(t)
				for range 3 {
					p.SendFrame(wstest.Text("hi"))
					if _, _, err := c.Read(ctx); err != nil {
						t.Fatal(err)
					}
					p.SendFrame(wstest.Text("hi"))
					if _, _, err := c.Read(context.WithoutCancel(t.Context())); err != nil {
						t.Fatal(err)
					}
					if err := c.Write(ctx, ws.OpText, []byte("hi")); err != nil {
						t.Fatal(err)
					}
					c.Write(t.Context(), ws.OpText, []byte("hi"))
					w, err := c.Writer(ctx, ws.OpText)
					if err != nil {
						t.Fatal(err)
					}
					w.Write([]byte("hi"))
					w.Close()
				}
				reader := ctAsync(func() error { _, _, err := c.Read(ctx); return err })
				ctx.want(t, "reading and writing", 2)
				end(ctx, c, p)
				<-reader
				time.Sleep(time.Second) // the last goodbye
				ctx.want(t, "after the end", 0)
			})
		})
	}
}

// The context of another connection is one like any other.
func TestReadUnderAnotherConnectionsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _ := ctConn(t, ws.RoleServer, ctQuiet())
		other, _ := ctConn(t, ws.RoleServer, ctQuiet())
		reader := ctAsync(func() error { _, _, err := c.Read(other.Context()); return err })
		ctPending(t, "the read", reader)
		other.CloseNow()
		if err := <-reader; err == nil || c.Err() != nil {
			t.Errorf("got %v, and the connection's end is %v", err, c.Err())
		}
	})
}
