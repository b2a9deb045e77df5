package wsnet

import (
	"cmp"
	"context"
	"io"
	"net"
	"net/http"
	"sync/atomic"

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
	link  link
	in    inbox
	out   outbox
	alive keepalive
	gone  event // when the stream is closed and nothing of ours runs any more

	handshake *handshake // nil: nothing was agreed on
}

// A handshake is what the opening handshake has agreed on.
type handshake struct {
	subprotocol string
	response    *http.Response    // client only
	deflate     *ws.DeflateParams // nil: no compression
}

var lastConnID atomic.Uint64

// NewConn returns a connection over rwc, on which the opening handshake has
// already happened, or on which both ends agreed to go without. The Conn owns
// rwc from now on. If rwc has SetReadDeadline and SetWriteDeadline, as a
// net.Conn has, they are used; if not, a goroutine stands in for them while a
// read or a write is under way. A CloseWrite method, as of *net.TCPConn, lets
// a Close frame arrive although the peer is still sending.
func NewConn(rwc io.ReadWriteCloser, role ws.Role, o *Options) *Conn {
	return cmp.Or(o, &noOptions).conn(nil).start(context.Background(), rwc, role, nil, nil)
}

// NewDeflateConn is NewConn for two ends that have agreed on
// permessage-deflate, as agreed says.
func NewDeflateConn(rwc io.ReadWriteCloser, role ws.Role, o *Options, agreed ws.DeflateParams) *Conn {
	return cmp.Or(o, &noOptions).conn(nil).start(context.Background(), rwc, role, &agreed, nil)
}

// conn returns a Conn, not yet started, of the group, or, if that is nil, of a group of
// its own, in one piece of memory with it.
func (o *Options) conn(g *group) *Conn {
	if g != nil {
		c := &Conn{}
		c.link.set = g
		return c
	}
	own := &struct {
		conn      Conn
		group     group
		handshake handshake
	}{}
	own.conn.link.set, own.conn.handshake = &own.group, &own.handshake
	own.group.init(o)
	return &own.conn
}

// start begins to use rwc. ctx has the values for the connection's own context;
// agreed is what was agreed on compression, if anything, and early has bytes
// that were already read from rwc.
func (c *Conn) start(ctx context.Context, rwc io.ReadWriteCloser, role ws.Role, agreed *ws.DeflateParams, early []byte) *Conn {
	l := &c.link
	l.owner = c
	l.stream = newStream(rwc)
	if l.socket == nil { // else the handshake has found out
		l.socket = rawConnOf(l.stream)
	}
	if l.id == 0 { // the opening handshake had none
		l.id = lastConnID.Add(1)
	}
	l.life.base = context.Background()
	if ctx != l.life.base {
		l.life.base = context.WithoutCancel(ctx)
	}
	l.ep = ws.Endpoint{In: ws.NewReceiverSharing(role, &l.set.limits), Out: ws.NewSender(role)}
	if agreed != nil {
		c.agree().deflate = agreed
		l.ep.In.AllowDeflate(*agreed)
		c.in.z, c.out.z = &inflating{}, newDeflater(agreed, role)
	}
	c.in.init(l, &c.out, early)
	c.out.init(l)
	c.alive.start(&c.in)
	return c
}

// settle notes the outcome of the handshake.
func (c *Conn) settle(subprotocol string, response *http.Response) {
	if subprotocol != "" || response != nil {
		h := c.agree()
		h.subprotocol, h.response = subprotocol, response
	}
}

// agree returns the handshake's outcome, which it makes if need be.
func (c *Conn) agree() *handshake {
	if c.handshake == nil {
		c.handshake = &handshake{}
	}
	return c.handshake
}

// Context returns a context that ends with the connection. Its cause is the
// error that Err returns; its values are those of the request, on a server,
// or of the context given to Dial.
func (c *Conn) Context() context.Context { return &c.link.life }

// Err returns nil while the connection is usable and then, always the same,
// why it is not.
func (c *Conn) Err() error { return c.link.life.err() }

// Subprotocol returns what the handshake settled on, or "".
func (c *Conn) Subprotocol() string {
	if c.handshake == nil {
		return ""
	}
	return c.handshake.subprotocol
}

// Response returns the server's answer to a client's opening handshake, with
// a Body that is empty; nil on a server.
func (c *Conn) Response() *http.Response {
	if c.handshake == nil {
		return nil
	}
	return c.handshake.response
}

// Deflate returns what the handshake settled on for permessage-deflate, or
// nil if messages are not compressed.
func (c *Conn) Deflate() *ws.DeflateParams {
	if c.handshake == nil {
		return nil
	}
	return c.handshake.deflate
}

// Role returns the end at which c stands.
func (c *Conn) Role() ws.Role { return c.link.ep.Out.Role() }

// RemoteAddr returns the peer's network address, or "" if the connection has
// none.
func (c *Conn) RemoteAddr() string {
	a, ok := c.link.stream.(interface{ RemoteAddr() net.Addr })
	if !ok || a.RemoteAddr() == nil {
		return ""
	}
	return a.RemoteAddr().String()
}

// ID returns a number that no other Conn of this process has.
func (c *Conn) ID() uint64 { return c.link.id }

// Stats returns what went over the connection so far. Messages that came, or
// went out, together are counted together.
func (c *Conn) Stats() Stats { return c.link.stats.snapshot() }
