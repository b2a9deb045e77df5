//go:build linux

// Package window is the second client of the benchmarks, made to have nothing in
// common with the first, traffic, so that what is fast with one load only is
// seen. It is one thread around epoll, too, but first takes all replies that
// have come, on all connections, and then fills the window of each connection
// with one write of whole frames. The kernel drops the replies: the client counts
// their bytes and looks at none but the first of each connection.
package window

import (
	"errors"
	"fmt"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"framewright/bench/internal/traffic"
)

// Work is what a Client does.
type Work struct {
	Sizes    []int // of the messages' contents, in bytes, one after the other
	InFlight int   // messages under way on each connection
	Text     bool  // text instead of binary messages
	Burst    bool  // all InFlight replies are waited for before the next message

	Compressed bool // by permessage-deflate, each message by itself
	Raw        bool // no handshake; the very bytes come back that were sent
}

// patience is how long a server may take for anything.
const patience = 20 * time.Second

// A Client keeps connections to one server. It belongs to one goroutine.
type Client struct {
	work   Work
	addr   string
	script *script
	epoll  int
	conns  []*conn
	byFD   map[int32]*conn
	events [256]unix.EpollEvent
	ready  []*conn // that have had replies in this round

	deadline time.Time
	pending  int
	result   traffic.Result
}

// New returns a Client with conns connections.
func New(addr string, conns int, w Work) (*Client, error) {
	epoll, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("window: epoll: %w", err)
	}
	c := &Client{work: w, addr: addr, script: newScript(w), epoll: epoll, byFD: map[int32]*conn{}}
	for i := range conns {
		x, err := c.open(i)
		if err != nil {
			c.Close()
			return nil, err
		}
		c.conns = append(c.conns, x)
		c.byFD[int32(x.fd)] = x
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

// Run keeps messages under way for d, waits for the last replies and says what
// came of it.
func (c *Client) Run(d time.Duration) (*traffic.Result, error) {
	c.result = traffic.Result{}
	begin := time.Now()
	c.deadline = begin.Add(d)
	for _, x := range c.conns {
		if err := c.send(x, begin); err != nil {
			return nil, err
		}
	}
	for c.pending > 0 {
		if err := c.round(); err != nil {
			return nil, err
		}
	}
	c.result.Elapsed = time.Since(begin)
	c.result.Deliveries = c.result.Messages
	return &c.result, nil
}

// round takes what has come, and then sends.
func (c *Client) round() error {
	n, err := unix.EpollWait(c.epoll, c.events[:], int(patience/time.Millisecond))
	if err == unix.EINTR {
		return nil
	}
	if err != nil || n == 0 {
		return fmt.Errorf("window: nothing came for %v, and %d messages are not answered: %v", patience, c.pending, err)
	}
	c.ready = c.ready[:0]
	now := time.Now()
	for _, e := range c.events[:n] {
		x := c.byFD[e.Fd]
		if e.Events&unix.EPOLLOUT != 0 {
			if err := c.flush(x); err != nil {
				return err
			}
		}
		if e.Events&^unix.EPOLLOUT != 0 {
			replies, err := c.drop(x)
			if err != nil {
				return err
			}
			c.answered(x, replies, now)
		}
	}
	if now.After(c.deadline) {
		return nil
	}
	now = time.Now()
	for _, x := range c.ready {
		if err := c.send(x, now); err != nil {
			return err
		}
	}
	return nil
}

func (c *Client) answered(x *conn, replies int, now time.Time) {
	for range replies {
		c.result.Latency.Add(now.Sub(x.begun[x.arrived%len(x.begun)]))
		x.arrived++
	}
	c.pending -= replies
	c.result.Messages += int64(replies)
	if replies > 0 && (!c.work.Burst || x.arrived == x.sent) {
		c.ready = append(c.ready, x)
	}
}

// send fills the connection's window with one write, unless the one before is
// not all out: then there is time.
func (c *Client) send(x *conn, now time.Time) error {
	n := c.work.InFlight - (x.sent - x.arrived)
	if n == 0 || len(x.rest) > 0 {
		return nil
	}
	x.rest = c.script.frames(x.first+x.sent, n)
	for range n {
		x.begun[x.sent%len(x.begun)] = now
		x.sent++
	}
	c.pending += n
	if err := x.write(); err != nil || len(x.rest) == 0 {
		return err
	}
	return c.watch(x, unix.EPOLLIN|unix.EPOLLOUT)
}

// flush sends what the socket did not take before.
func (c *Client) flush(x *conn) error {
	if err := x.write(); err != nil || len(x.rest) > 0 {
		return err
	}
	if !c.work.Burst {
		c.ready = append(c.ready, x) // its window may have room by now
	}
	return c.watch(x, unix.EPOLLIN)
}

func (x *conn) write() error {
	for len(x.rest) > 0 {
		n, err := unix.Write(x.fd, x.rest)
		switch err {
		case nil:
			x.rest = x.rest[n:]
		case unix.EINTR:
		case unix.EAGAIN:
			return nil
		default:
			return fmt.Errorf("window: write: %w", err)
		}
	}
	return nil
}

func (c *Client) watch(x *conn, events uint32) error {
	if err := unix.EpollCtl(c.epoll, unix.EPOLL_CTL_MOD, x.fd, &unix.EpollEvent{Events: events, Fd: int32(x.fd)}); err != nil {
		return fmt.Errorf("window: epoll: %w", err)
	}
	return nil
}

// drop lets the kernel drop what has come, and says how many replies that
// completes.
func (c *Client) drop(x *conn) (replies int, err error) {
	if c.work.Compressed {
		return x.dropCompressed()
	}
	n, err := discard(x.fd, 16<<20)
	x.got += n
	for {
		size := c.script.reply[(x.first+x.arrived+replies)%c.script.count]
		if x.got < size {
			return replies, err
		}
		if x.arrived+replies == x.sent {
			return replies, errors.New("window: more replies than messages")
		}
		x.got -= size
		replies++
	}
}

// dropCompressed reads the frames' headers, which say how much there is to drop.
func (x *conn) dropCompressed() (replies int, err error) {
	for {
		if !x.head.whole() {
			n, err := unix.Read(x.fd, x.head.room())
			if err == unix.EAGAIN || err == unix.EINTR {
				return replies, nil
			}
			if err != nil || n == 0 {
				return replies, fmt.Errorf("window: the server closed a connection: %d bytes, %v", n, err)
			}
			x.head.n += n
			continue
		}
		size := x.head.payload()
		if x.got < size {
			n, err := discard(x.fd, size-x.got)
			if err != nil || n == 0 {
				return replies, err
			}
			x.got += n
			continue
		}
		if x.head.b[0]&fin != 0 {
			replies++
		}
		x.head.n, x.got = 0, 0
	}
}

// nowhere stands for the memory that nothing is read into: with MSG_TRUNC, TCP
// drops what it would copy (tcp(7)).
var nowhere byte

// discard drops up to limit bytes; 0 if none have come.
func discard(fd, limit int) (int, error) {
	for {
		n, _, errno := unix.Syscall6(unix.SYS_RECVFROM, uintptr(fd), uintptr(unsafe.Pointer(&nowhere)), uintptr(limit), unix.MSG_TRUNC|unix.MSG_DONTWAIT, 0, 0)
		switch {
		case errno == unix.EINTR:
		case errno == unix.EAGAIN:
			return 0, nil
		case errno != 0:
			return 0, fmt.Errorf("window: read: %w", errno)
		case n == 0:
			return 0, errors.New("window: the server closed a connection")
		default:
			return int(n), nil
		}
	}
}
