package client

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"sync"
	"time"

	"framewright/engineio"
	"framewright/internal/queue"
	"framewright/internal/tokens"
	"framewright/ws"
	"framewright/ws/wsnet"
)

// A Conn is the client's end of one session. All methods may be called by any
// number of goroutines at once.
type Conn struct {
	o    Options
	url  *url.URL
	http *http.Client
	idle func() // closes the connections that http has kept; nil: it is the caller's

	// What the handshake said.
	sid        string
	interval   time.Duration // between two pings
	silence    time.Duration // after which the server is dead
	maxPayload int           // that the server takes; 0 if it did not say
	upgrades   bool
	early      []byte // packets that came behind it

	ctx    context.Context // of the session
	cancel context.CancelCauseFunc
	life   context.Context // of its requests and its WebSocket: until all is told
	kill   context.CancelCauseFunc
	tasks  sync.WaitGroup
	polled chan struct{} // closed when the last GET has been dealt with
	done   chan struct{} // closed when nothing is left

	mu  sync.Mutex
	err *engineio.CloseError // why the session is over

	in     queue.List[engineio.Message] // wait to be received
	inWake queue.Signal                 // there is a message, or the end
	inRoom queue.Signal                 // put can go on
	held   bool                         // put waits

	out         queue.List[packet] // wait to be sent
	sending     int                // bytes of what is on its way
	outRoom     queue.Signal
	writing     bool  // write is running
	getting     bool  // a GET has not come to its end
	pausing     bool  // for an upgrade: no further request is begun
	notUpgraded error // why an upgrade failed
	changed     queue.Signal
	pinged      time.Time   // when a ping came last
	reading     bool        // an answer's body
	unsent      int         // packets that were lost on their way when the session ended
	ponging     bool        // a pong waits to be sent
	conn        *wsnet.Conn // nil: polling
	useless     tokens.Bucket
	seen        time.Time // when something came last
	stats       wsnet.Stats
	watchdog    *time.Timer
}

// ID returns the session's id. Who knows it can speak as this client.
func (c *Conn) ID() string { return c.sid }

// Transport returns the name of the transport that the session uses now,
// [engineio.Polling] or [engineio.WebSocket].
func (c *Conn) Transport() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.conn != nil {
		return engineio.WebSocket
	}
	return engineio.Polling
}

// Context returns a context that ends with the session. Its cause is the error that
// Err returns; its values are those of the context given to Dial.
func (c *Conn) Context() context.Context { return c.ctx }

// Done returns a channel that is closed when the session is over and nothing of it
// is left: no request, no connection, no goroutine.
func (c *Conn) Done() <-chan struct{} { return c.done }

// Err returns nil while the session is open, and then always the same
// [*engineio.CloseError].
func (c *Conn) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err == nil {
		return nil
	}
	return c.err
}

// Close ends the session with [engineio.ForcedClose]: what was queued is sent, the
// server is told, and Close returns when nothing is left of the session, or
// Options.CloseTimeout is over. The error says what the server was not told.
func (c *Conn) Close() error {
	c.end(&engineio.CloseError{Reason: engineio.ForcedClose}, true)
	<-c.done
	c.mu.Lock()
	defer c.mu.Unlock()
	if n := c.out.Len() + c.unsent; n > 0 && c.err.Reason == engineio.ForcedClose {
		return fmt.Errorf("engineio: %d packets were not taken by the server within %v of Close (option CloseTimeout)", n, c.o.CloseTimeout)
	}
	return nil
}

// Abort ends the session at once for a reason of the program's, such as
// [engineio.ParseError] for a layer above. What was queued is not sent, but the
// server is told, in the background.
func (c *Conn) Abort(why engineio.Reason, err error) {
	c.end(&engineio.CloseError{Reason: why, Err: err}, false)
}

// begin starts a session whose handshake is done.
func (c *Conn) begin() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.seen = time.Now()
	c.watchdog = time.AfterFunc(c.silence, c.watch)
	if c.conn != nil {
		close(c.polled)
		c.tasks.Go(func() { c.read(c.conn) })
		return
	}
	c.tasks.Go(c.poll)
	if c.upgrades {
		c.tasks.Go(c.upgrade)
	}
}

// end ends the session. If it is orderly, what is queued is still sent.
func (c *Conn) end(why *engineio.CloseError, orderly bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.endLocked(why, orderly)
}

func (c *Conn) endLocked(why *engineio.CloseError, orderly bool) {
	if c.err != nil {
		if !orderly {
			c.kill(c.err) // the rest cannot be delivered, or need not be
		}
		return
	}
	c.err = why
	c.watchdog.Stop()
	if why.Reason == engineio.ForcedClose {
		c.in.Clear()
	}
	if !orderly {
		c.out.Clear()
	}
	c.inWake.Raise()
	c.inRoom.Raise()
	c.outRoom.Raise()
	c.changed.Raise()
	if tells(why.Reason) {
		c.tasks.Go(c.finish)
	} else {
		c.kill(why)
	}
	go func() {
		c.tasks.Wait()
		c.kill(why)
		if c.conn != nil {
			_ = c.conn.CloseNow() // if it is not closed
		}
		c.closeIdle()
		close(c.done)
	}()
	c.cancel(why)
}

// tells reports whether the server is to hear of an end.
func tells(why engineio.Reason) bool {
	switch why {
	case engineio.TransportClose, engineio.TransportError, engineio.PingTimeout:
		return false
	}
	return true
}

// finish sends what is left, tells the server that the session is over, and cuts
// the rest of it.
func (c *Conn) finish() {
	limit := time.AfterFunc(c.o.CloseTimeout, func() { c.kill(errCloseTimeout) })
	defer limit.Stop()
	c.mu.Lock()
	why := c.err
	c.flush()
	for c.life.Err() == nil && (c.writing || c.pausing) {
		c.await(&c.changed, c.life)
	}
	conn := c.conn
	c.mu.Unlock()
	switch {
	case c.life.Err() != nil:
	case conn != nil && why.Reason == engineio.ForcedClose:
		_ = conn.Close(c.life, ws.CodeNormal, "") // it is over either way
	case conn != nil:
		_ = conn.Close(c.life, ws.CodePolicyViolation, string(why.Reason))
	default:
		_ = c.post(c.life, []packet{{engineio.Packet{Type: engineio.PacketClose}}})
	}
	c.kill(why)
}

var errCloseTimeout = errors.New("engineio: the server did not let the session end in time (option CloseTimeout)")

// await waits, without the lock, until s is raised or ctx is over. The caller holds
// c.mu.
func (c *Conn) await(s *queue.Signal, ctx context.Context) {
	raised := s.Wait()
	c.mu.Unlock()
	select {
	case <-raised:
	case <-ctx.Done():
	}
	c.mu.Lock()
}

// lost ends the session because of what became of its transport.
func (c *Conn) lost(err error) {
	if why, ok := errors.AsType[*engineio.CloseError](err); ok {
		c.end(why, false)
		return
	}
	c.end(&engineio.CloseError{Reason: engineio.TransportError, Err: err}, false)
}

// alive takes note of a sign of life. The caller holds c.mu.
func (c *Conn) alive() { c.seen = time.Now() }

// watch ends a session whose server is silent. It looks again when the silence could
// be long enough.
func (c *Conn) watch() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		return
	}
	if c.held || c.reading || c.midMessage() {
		c.alive()
	}
	if left := time.Until(c.seen.Add(c.silence)); left > 0 {
		c.watchdog.Reset(left)
		return
	}
	c.endLocked(&engineio.CloseError{Reason: engineio.PingTimeout, Err: fmt.Errorf("nothing came from the server for %v, the pingInterval and pingTimeout of its handshake", c.silence)}, false)
}

// midMessage reports whether a part of a message, but no whole one, has come over
// the WebSocket since it was called before: how long a message may take, wsnet sees
// to. The caller holds c.mu.
func (c *Conn) midMessage() bool {
	if c.conn == nil {
		return false
	}
	before, now := c.stats, c.conn.Stats()
	c.stats = now
	return now.BytesIn > before.BytesIn && now.MessagesIn == before.MessagesIn
}
