//go:build linux

package traffic

import (
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// Work is what a Client does.
type Work struct {
	Size     int // of a message's content, in bytes
	InFlight int // messages under way on each connection, or in all for Broadcast

	// Broadcast lets only the first connection send, and waits for each
	// message on all of them.
	Broadcast bool

	// Fragment is the longest payload that the server puts into one frame; 0
	// if it does not cut messages.
	Fragment int

	// Chat has the first connection send texts to a room of Framewright's chat,
	// by its JSON protocol, and waits for each on all connections; Broadcast
	// has to be set.
	Chat bool

	// Raw leaves out the handshake and expects the very bytes that were sent.
	Raw bool
}

// A Result is what came of a run.
type Result struct {
	Messages   int64 // that were sent, and answered
	Deliveries int64 // that were checked: for Broadcast a message's number of receivers, else one
	Elapsed    time.Duration
	Latency    Histogram // from sending to the reply, or to the last receiver's copy
}

// A protocol is what goes over a connection.
type protocol interface {
	// open does what comes before the first message, on a socket that blocks.
	open(x *conn) error

	// next returns the bytes of the next n messages, valid until the next call.
	next(x *conn, n int) []byte

	// check compares what came with what has to come, and returns how many
	// messages are now complete.
	check(x *conn, b []byte) (int, error)
}

// A Client keeps connections to one server. It belongs to one goroutine.
type Client struct {
	work     Work
	addr     string
	protocol protocol
	epoll    int
	conns    []*conn
	byFD     map[int32]*conn
	buf      []byte
	events   [256]unix.EpollEvent

	deadline time.Time // nothing is sent after it
	pending  int       // messages under way
	result   Result

	// For Broadcast:
	missing   []int // how many receivers lack message k, at k % len(missing)
	completed int   // messages that all receivers have
	known     int   // connections that the server is known to know
}

// A conn is one connection. Its message k was, or will be, sent at
// begun[k % len(begun)].
type conn struct {
	fd      int
	sent    int // messages so far
	arrived int // replies so far
	unsent  []byte
	begun   []time.Time

	// Of the ring:
	first int // the message that it began with
	at    int // position of the byte that comes next
	part  int // bytes of the current reply that are here

	frame []byte // of the chat: the beginning of a frame
}

// readBuffer is what one read takes: large, so that the client needs few reads.
const readBuffer = 256 << 10

// New returns a Client without connections.
func New(addr string, w Work) (*Client, error) {
	epoll, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("traffic: epoll: %w", err)
	}
	c := &Client{
		work: w, addr: addr, epoll: epoll,
		byFD:    map[int32]*conn{},
		buf:     make([]byte, readBuffer),
		missing: make([]int, w.InFlight),
	}
	if w.Chat {
		c.protocol = newChat(w)
	} else {
		c.protocol = newRing(w)
	}
	return c, nil
}

// Close closes all connections.
func (c *Client) Close() {
	for _, x := range c.conns {
		unix.Close(x.fd)
	}
	unix.Close(c.epoll)
}

// Grow opens connections until there are n.
func (c *Client) Grow(n int) error {
	for i := len(c.conns); i < n; i++ {
		fd, err := connect(c.addr, i)
		if err != nil {
			return err
		}
		x := &conn{fd: fd, begun: make([]time.Time, c.work.InFlight)}
		c.conns = append(c.conns, x)
		c.byFD[int32(fd)] = x
		if c.work.Broadcast {
			x.arrived = c.completed // before it came
		}
		if !c.work.Raw {
			rest, err := handshake(fd, c.request())
			if err != nil {
				return err
			}
			if len(rest) > 0 {
				return fmt.Errorf("traffic: the server sent %d bytes before it was asked", len(rest))
			}
		}
		if err := c.protocol.open(x); err != nil {
			return err
		}
		err = errors.Join(
			unix.SetNonblock(fd, true),
			unix.EpollCtl(c.epoll, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(fd)}))
		if err != nil {
			return fmt.Errorf("traffic: epoll: %w", err)
		}
	}
	return nil
}

// Run keeps messages under way for d, waits for the last replies and says what
// came of it.
func (c *Client) Run(d time.Duration) (*Result, error) {
	if err := c.introduce(); err != nil {
		return nil, err
	}
	c.result = Result{}
	begin := time.Now()
	c.deadline = begin.Add(d)
	senders := c.conns
	if c.work.Broadcast {
		senders = senders[:1]
	}
	for _, x := range senders {
		if err := c.send(x, c.work.InFlight, begin); err != nil {
			return nil, err
		}
	}
	silent, err := c.loop(patience)
	if err != nil {
		return nil, err
	}
	if silent {
		return nil, fmt.Errorf("traffic: nothing came for %v, and %d messages are not answered", patience, c.pending)
	}
	c.result.Elapsed = time.Since(begin)
	return &c.result, nil
}

// introduce sees to it that a server that broadcasts knows all connections: it
// answers a handshake before it counts the connection in. So one message is
// sent until all have it.
func (c *Client) introduce() error {
	if !c.work.Broadcast || c.work.Chat || c.known == len(c.conns) {
		return nil
	}
	sender := c.conns[0]
	for begin := time.Now(); time.Since(begin) < patience; {
		c.deadline = time.Time{} // one message, and no other behind it
		if err := c.send(sender, 1, begin); err != nil {
			return err
		}
		silent, err := c.loop(time.Second)
		if err != nil {
			return err
		}
		if !silent {
			c.known = len(c.conns)
			return nil
		}
		// Who did not get it goes on with the next one.
		c.pending, c.completed = 0, sender.sent
		for _, x := range c.conns {
			x.arrived = sender.sent
			if err := c.protocol.open(x); err != nil {
				return err
			}
		}
	}
	return errors.New("traffic: some receivers get nothing")
}

// loop reads until everything is answered, or until nothing has come for a time.
func (c *Client) loop(limit time.Duration) (silent bool, err error) {
	for c.pending > 0 {
		n, err := unix.EpollWait(c.epoll, c.events[:], int(limit/time.Millisecond))
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return false, fmt.Errorf("traffic: epoll: %w", err)
		}
		if n == 0 {
			return true, nil
		}
		for _, e := range c.events[:n] {
			x := c.byFD[e.Fd]
			if e.Events&unix.EPOLLOUT != 0 {
				if err := c.flush(x); err != nil {
					return false, err
				}
			}
			if e.Events&^unix.EPOLLOUT != 0 {
				if err := c.read(x); err != nil {
					return false, err
				}
			}
		}
	}
	return false, nil
}

// send sends the next n messages of a connection.
func (c *Client) send(x *conn, n int, now time.Time) error {
	b := c.protocol.next(x, n)
	for range n {
		slot := x.sent % c.work.InFlight
		x.begun[slot] = now
		c.missing[slot] = len(c.conns)
		x.sent++
	}
	c.pending += n
	if len(x.unsent) > 0 {
		x.unsent = append(x.unsent, b...)
		return nil
	}
	written, err := write(x.fd, b)
	if err == unix.EAGAIN {
		written, err = 0, nil
	}
	if err != nil {
		return fmt.Errorf("traffic: write: %w", err)
	}
	if written == len(b) {
		return nil
	}
	x.unsent = append(x.unsent, b[written:]...)
	return c.watch(x, unix.EPOLLIN|unix.EPOLLOUT)
}

// flush sends what the socket did not take before.
func (c *Client) flush(x *conn) error {
	n, err := write(x.fd, x.unsent)
	if err == unix.EAGAIN {
		return nil
	}
	if err != nil {
		return fmt.Errorf("traffic: write: %w", err)
	}
	x.unsent = x.unsent[:copy(x.unsent, x.unsent[n:])]
	if len(x.unsent) > 0 {
		return nil
	}
	return c.watch(x, unix.EPOLLIN)
}

func (c *Client) watch(x *conn, events uint32) error {
	if err := unix.EpollCtl(c.epoll, unix.EPOLL_CTL_MOD, x.fd, &unix.EpollEvent{Events: events, Fd: int32(x.fd)}); err != nil {
		return fmt.Errorf("traffic: epoll: %w", err)
	}
	return nil
}

// read takes what came, compares it, and has new messages sent for those that
// were answered.
func (c *Client) read(x *conn) error {
	n, err := read(x.fd, c.buf)
	if err == unix.EAGAIN {
		return nil
	}
	if err != nil || n == 0 {
		return fmt.Errorf("traffic: the server closed a connection: %d bytes, %v", n, err)
	}
	replies, err := c.protocol.check(x, c.buf[:n])
	if err != nil || replies == 0 {
		return err
	}
	now := time.Now()
	c.result.Deliveries += int64(replies)
	if x.arrived+replies > c.sender(x).sent {
		return errors.New("traffic: more replies than messages")
	}
	answered := 0
	for range replies {
		slot := x.arrived % c.work.InFlight
		x.arrived++
		if c.work.Broadcast {
			if c.missing[slot]--; c.missing[slot] > 0 {
				continue
			}
			c.completed++
		}
		c.result.Latency.Add(now.Sub(c.sender(x).begun[slot]))
		answered++
	}
	c.pending -= answered
	c.result.Messages += int64(answered)
	if answered == 0 || now.After(c.deadline) {
		return nil
	}
	return c.send(c.sender(x), answered, now)
}

// sender returns who sent what x receives.
func (c *Client) sender(x *conn) *conn {
	if c.work.Broadcast {
		return c.conns[0]
	}
	return x
}
