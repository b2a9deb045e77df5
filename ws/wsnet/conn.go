package wsnet

import (
	"context"
	"errors"
	"io"
	"math"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"framewright/ws"
)

// A Conn is a WebSocket connection after its opening handshake. All methods
// may be called by any number of goroutines at once: reads take turns, and so
// do writes, a whole message at a time.
//
// Pings, pongs and the peer's Close are dealt with while somebody reads, so a
// Conn needs a reader even if the application expects no messages; that can
// be
//
//	for range c.Messages(ctx) {
//	}
//
// A context that ends while an operation waits gives an error that wraps the
// context's, and the connection goes on, with nothing lost: the rest of a
// message that was interrupted comes with the next read. The one exception is
// a message of which a part was already sent: it cannot be taken back, so the
// connection fails.
//
// When the connection is over, for whatever reason, every operation returns
// an error that wraps the same *CloseError; see Err.
type Conn struct {
	stream  stream
	socket  syscall.RawConn // nil unless the stream is nothing but a socket
	set     *settings
	id      uint64
	settled *settled // nil: nothing

	life lifetime
	gone event // when the stream is closed and nothing of ours runs any more

	in    incoming
	out   outgoing
	alive keepalive
	stats counters
}

// settled is what the opening handshake settled on.
type settled struct {
	subprotocol string
	response    *http.Response    // client only
	deflate     *ws.DeflateParams // nil: no compression
}

// settle notes the outcome of the handshake.
func (c *Conn) settle(subprotocol string, response *http.Response) {
	if subprotocol != "" || response != nil {
		s := c.outcome()
		s.subprotocol, s.response = subprotocol, response
	}
}

// outcome returns settled, which it makes if need be.
func (c *Conn) outcome() *settled {
	if c.settled == nil {
		c.settled = &settled{}
	}
	return c.settled
}

// A stream is what a Conn runs over: any io.ReadWriteCloser, with deadlines
// that newStream adds where they are missing.
type stream interface {
	io.ReadWriteCloser
	SetReadDeadline(time.Time) error
	SetWriteDeadline(time.Time) error
}

var lastConnID atomic.Uint64

// NewConn returns a connection over rwc, on which the opening handshake has
// already happened, or on which both ends agreed to go without. The Conn owns
// rwc from now on. If rwc has SetReadDeadline and SetWriteDeadline, as a
// net.Conn has, they are used; if not, a goroutine stands in for them while a
// read or a write is under way. A CloseWrite method, as of *net.TCPConn, lets
// a Close frame arrive although the peer is still sending.
func NewConn(rwc io.ReadWriteCloser, role ws.Role, o *Options) *Conn {
	return o.conn(nil).start(context.Background(), rwc, role, nil, nil)
}

// NewDeflateConn is NewConn for two ends that have agreed on
// permessage-deflate, as agreed says.
func NewDeflateConn(rwc io.ReadWriteCloser, role ws.Role, o *Options, agreed ws.DeflateParams) *Conn {
	return o.conn(nil).start(context.Background(), rwc, role, &agreed, nil)
}

// conn returns a Conn, not yet started, with the settings set, or, if that is
// nil, with settings of its own, in one piece of memory with it.
func (o *Options) conn(set *settings) *Conn {
	if set != nil {
		return &Conn{set: set}
	}
	own := &struct {
		conn    Conn
		set     settings
		settled settled
	}{}
	own.conn.set, own.conn.settled = &own.set, &own.settled
	o.settings(&own.set)
	return &own.conn
}

// start begins to use rwc. ctx has the values for the connection's own context;
// agreed is what was agreed on compression, if anything, and early has bytes
// that were already read from rwc.
func (c *Conn) start(ctx context.Context, rwc io.ReadWriteCloser, role ws.Role, agreed *ws.DeflateParams, early []byte) *Conn {
	c.stream = newStream(rwc)
	if c.id == 0 { // the opening handshake had none
		c.id = lastConnID.Add(1)
	}
	c.life.base = context.Background()
	if ctx != c.life.base {
		c.life.base = context.WithoutCancel(ctx)
	}
	c.in.init(c, role, early)
	c.out.init(c)
	c.initRaw()
	if agreed != nil {
		c.startDeflate(*agreed)
	}
	c.alive.start(c)
	return c
}

// Context returns a context that ends with the connection. Its cause is the
// error that Err returns; its values are those of the request, on a server,
// or of the context given to Dial.
func (c *Conn) Context() context.Context { return &c.life }

// Err returns nil while the connection is usable and then, always the same,
// why it is not.
func (c *Conn) Err() error {
	if e := c.life.end.Load(); e != nil {
		return e
	}
	return nil
}

// why says why an operation under ctx did not go on: the connection's end, of
// which the end of a context that was derived from its own is a consequence,
// or else the context's own.
func (c *Conn) why(ctx context.Context) error {
	if err := c.Err(); err != nil {
		return err
	}
	return ctx.Err()
}

// Subprotocol returns what the handshake settled on, or "".
func (c *Conn) Subprotocol() string {
	if c.settled == nil {
		return ""
	}
	return c.settled.subprotocol
}

// Response returns the server's answer to a client's opening handshake, with
// a Body that is empty; nil on a server.
func (c *Conn) Response() *http.Response {
	if c.settled == nil {
		return nil
	}
	return c.settled.response
}

// Role returns the end at which c stands.
func (c *Conn) Role() ws.Role { return c.in.rx.Role() }

// RemoteAddr returns the peer's network address, or "" if the connection has
// none.
func (c *Conn) RemoteAddr() string {
	a, ok := c.stream.(interface{ RemoteAddr() net.Addr })
	if !ok || a.RemoteAddr() == nil {
		return ""
	}
	return a.RemoteAddr().String()
}

// ID returns a number that no other Conn of this process has.
func (c *Conn) ID() uint64 { return c.id }

// Stats returns what went over the connection so far. Messages that came, or
// went out, together are counted together.
func (c *Conn) Stats() Stats { return c.stats.snapshot() }

// Stats counts what went over a connection. Bytes are those on the wire,
// frame headers included, without the opening handshake and TLS.
type Stats struct {
	MessagesIn, MessagesOut uint64
	FramesIn, FramesOut     uint64
	BytesIn, BytesOut       uint64
	PingsIn, PongsOut       uint64
	PingsOut, PongsIn       uint64        // PongsIn are answers to our pings
	Unsolicited             uint64        // pongs that answer none (§5.5.3)
	RTT                     time.Duration // of the last ping that was answered, 0 before
}

type counters struct {
	messagesIn, messagesOut, framesIn, framesOut, bytesIn, bytesOut atomic.Uint64
	pingsIn, pongsOut, pingsOut, pongsIn, unsolicited               atomic.Uint64
	rtt                                                             atomic.Int64
}

func (s *counters) snapshot() Stats {
	return Stats{
		MessagesIn: s.messagesIn.Load(), MessagesOut: s.messagesOut.Load(),
		FramesIn: s.framesIn.Load(), FramesOut: s.framesOut.Load(),
		BytesIn: s.bytesIn.Load(), BytesOut: s.bytesOut.Load(),
		PingsIn: s.pingsIn.Load(), PongsOut: s.pongsOut.Load(),
		PingsOut: s.pingsOut.Load(), PongsIn: s.pongsIn.Load(),
		Unsolicited: s.unsolicited.Load(), RTT: time.Duration(s.rtt.Load()),
	}
}

// A moment is a time in nanoseconds since began, a third of a time.Time. 0 is
// no time at all.
type moment int64

// began is long before anything else, also before the year 2000, in which the
// fake time of testing/synctest begins: so every moment is above 0.
var began = time.Now().Add(-50 * 365 * 24 * time.Hour)

func now() moment { return moment(time.Since(began)) }

// add returns the last moment of all if d, which is not below 0, goes beyond it.
func (m moment) add(d time.Duration) moment {
	if sum := m + moment(d); sum >= m {
		return sum
	}
	return math.MaxInt64
}

func (m moment) sub(other moment) time.Duration { return time.Duration(m - other) }

func (m moment) time() time.Time {
	if m == 0 {
		return time.Time{}
	}
	return began.Add(time.Duration(m))
}

// aLongTimeAgo is a deadline that has passed: it wakes a blocked operation.
var aLongTimeAgo = time.Unix(1, 0)

// An interrupter makes one direction of a stream wake up when a context ends:
// it then moves that direction's deadline into the past. A context stays
// watched from one operation to the next, so that a loop of reads with the
// same context does not pay for each.
type interrupter struct {
	c     *Conn
	write bool // which direction

	seen    <-chan struct{} // of the last operation's context; belongs to the operation
	changed atomic.Bool     // since then fire or shut has run

	mu       sync.Mutex
	done     <-chan struct{} // of the context that is watched, nil if none is
	stop     func() bool
	fired    bool   // ctx ended and the deadline is in the past
	stopped  bool   // the connection is over: the deadline stays in the past
	deadline moment // what the operation itself wants
}

// setDeadline sets the stream's.
func (i *interrupter) setDeadline(t time.Time) {
	if i.write {
		i.c.stream.SetWriteDeadline(t)
	} else {
		i.c.stream.SetReadDeadline(t)
	}
}

// watch begins an operation under ctx. The connection's own context needs no
// watching: the connection's end closes the stream. Contexts are told apart by
// their Done channels, since not every Context can be compared.
func (i *interrupter) watch(ctx context.Context) {
	var done <-chan struct{}
	if l, ok := ctx.(*lifetime); !ok || l != &i.c.life {
		done = ctx.Done()
	}
	if done != i.seen || i.changed.Load() {
		i.change(ctx, done)
	}
}

func (i *interrupter) change(ctx context.Context, done <-chan struct{}) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.seen = done
	i.changed.Store(false)
	if i.stopped || done != nil && done == i.done {
		return
	}
	if i.stop != nil {
		i.stop()
	}
	i.done, i.stop = nil, nil
	if i.fired {
		i.fired = false
		i.setDeadline(i.deadline.time())
	}
	if done == nil {
		return
	}
	i.done = done
	i.stop = context.AfterFunc(ctx, func() { i.fire(done) })
}

func (i *interrupter) fire(done <-chan struct{}) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.done == done && !i.stopped {
		i.changed.Store(true)
		i.fired, i.stop = true, nil // the context is needed no longer
		i.setDeadline(aLongTimeAgo)
	}
}

// limit sets the operation's own deadline; 0 is none.
func (i *interrupter) limit(t moment) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.deadline = t
	if !i.fired && !i.stopped {
		i.setDeadline(t.time())
	}
}

// shut wakes the direction for good.
func (i *interrupter) shut() {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.stop != nil {
		i.stop()
	}
	i.changed.Store(true)
	i.done, i.stop, i.stopped = nil, nil, true
	i.setDeadline(aLongTimeAgo)
}

// reopen lets the closing goroutine use the direction until t.
func (i *interrupter) reopen(t time.Time) { i.setDeadline(t) }

// isTimeout reports whether err came from a deadline.
func isTimeout(err error) bool {
	ne, ok := errors.AsType[net.Error](err)
	return ok && ne.Timeout()
}
