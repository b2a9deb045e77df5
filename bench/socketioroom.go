//go:build linux

package main

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// A room is what is in a chat room: WebSocket connections that speak Socket.IO
// by hand. Each holds what comes against what has to come next.
type room struct {
	members []*member
	text    string
	said    int // messages so far

	arrived atomic.Int64
	target  atomic.Int64 // what arrived has to come to
	reached chan struct{}
	failed  chan error
	wg      sync.WaitGroup
}

type member struct {
	conn net.Conn
	r    *bufio.Reader
	next int // the number that the next message has to have
}

const roomTimeout = 60 * time.Second

// openRoom opens n connections, all at the namespace "/".
func openRoom(addr string, n int) (*room, error) {
	m := &room{text: strings.Repeat("the quick brown fox ", 3), reached: make(chan struct{}, 1), failed: make(chan error, n)}
	m.target.Store(-1)
	for range n {
		x, err := enterRoom(addr)
		if err != nil {
			m.close()
			return nil, err
		}
		m.members = append(m.members, x)
	}
	for _, x := range m.members {
		m.wg.Go(func() {
			if err := m.listen(x); !errors.Is(err, net.ErrClosed) {
				m.failed <- err
			}
		})
	}
	return m, nil
}

func (m *room) close() {
	for _, x := range m.members {
		x.conn.Close()
	}
	m.wg.Wait()
}

func enterRoom(addr string) (*member, error) {
	conn, err := net.DialTimeout("tcp", addr, roomTimeout)
	if err != nil {
		return nil, err
	}
	_ = conn.SetDeadline(time.Now().Add(roomTimeout))
	x := &member{conn: conn, r: bufio.NewReaderSize(conn, 2<<10)}
	fmt.Fprintf(conn, "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n", addr)
	status, err := x.r.ReadString('\n')
	for line := status; err == nil && line != "\r\n"; {
		line, err = x.r.ReadString('\n')
	}
	if err == nil && !strings.Contains(status, " 101 ") {
		err = fmt.Errorf("the server answered %q", status)
	}
	for _, step := range []struct{ want, send string }{{"0{", "40"}, {"40{", ""}} {
		if err != nil {
			break
		}
		var got []byte
		if got, err = x.read(nil); err == nil && !strings.HasPrefix(string(got), step.want) {
			err = fmt.Errorf("the server said %.100q, expected %s", got, step.want)
		}
		if err == nil && step.send != "" {
			err = x.send(step.send)
		}
	}
	if err != nil {
		conn.Close()
		return nil, err
	}
	return x, conn.SetDeadline(time.Time{})
}

// send sends a text frame, masked with zeros, which costs a server the same.
func (x *member) send(text string) error {
	f := []byte{0x81, 0x80 | byte(len(text)), 0, 0, 0, 0}
	_, err := x.conn.Write(append(f, text...))
	return err
}

// read returns the next text message, in buf if that is large enough.
func (x *member) read(buf []byte) ([]byte, error) {
	h, err := x.r.Peek(2)
	if err != nil {
		return nil, err
	}
	if h[0] != 0x81 || h[1] > 126 {
		return nil, fmt.Errorf("a frame that begins with %x, expected a short text message", h)
	}
	n, head := int(h[1]), 2
	if n == 126 {
		if h, err = x.r.Peek(4); err != nil {
			return nil, err
		}
		n, head = int(binary.BigEndian.Uint16(h[2:])), 4
	}
	_, _ = x.r.Discard(head)
	if cap(buf) < n {
		buf = make([]byte, n)
	}
	buf = buf[:n]
	_, err = io.ReadFull(x.r, buf)
	return buf, err
}

// listen counts the messages that come, and answers pings.
func (m *room) listen(x *member) error {
	var buf, want []byte
	for {
		var err error
		if buf, err = x.read(buf); err != nil {
			return err
		}
		if string(buf) == "2" {
			if err := x.send("3"); err != nil {
				return err
			}
			continue
		}
		want = append(want[:0], `42["message","`...)
		want = append(want, m.text...)
		want = strconv.AppendInt(want, int64(x.next), 10)
		want = append(want, `"]`...)
		if string(buf) != string(want) {
			return fmt.Errorf("got %.200q, expected %s", buf, want)
		}
		x.next++
		if m.arrived.Add(1) == m.target.Load() {
			m.reached <- struct{}{}
		}
	}
}

// run says things for some time, window of them at once, each time when all of
// them have reached everyone. It returns the number of deliveries.
func (m *room) run(d time.Duration, window int) (deliveries int, err error) {
	timeout := time.NewTimer(d + roomTimeout)
	defer timeout.Stop()
	for end := time.Now().Add(d); time.Now().Before(end); {
		m.target.Store(m.arrived.Load() + int64(window*len(m.members)))
		for range window {
			if err := m.members[0].send(`42["message","` + m.text + strconv.Itoa(m.said) + `"]`); err != nil {
				return 0, err
			}
			m.said++
		}
		select {
		case <-m.reached:
		case err := <-m.failed:
			return 0, err
		case <-timeout.C:
			return 0, fmt.Errorf("not everyone has heard message %d", m.said)
		}
		deliveries += window * len(m.members)
	}
	return deliveries, nil
}
