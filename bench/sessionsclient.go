//go:build linux

package main

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// An idler is a kind of client that comes in, does what its chat page does at first,
// and then waits. Steps are what it sends once the server has said what it waits for.
type idler struct {
	name   string
	target string
	fields string // of the request
	steps  []idleStep
	saying string // %d is the message's number
}

type idleStep struct {
	want string // in a message of the server's; "" for nothing
	send string // %d is the client's number; "" for nothing
}

var idlers = []idler{
	{
		name: "Socket.IO", target: "/socket.io/?EIO=4&transport=websocket",
		steps:  []idleStep{{"0{", `40{"name":"guest %d","secret":"a secret of its own, number %d"}`}, {"40{", ""}, {`42["message"`, ""}},
		saying: `42["message","this is said to everyone in the room, as number %d"]`,
	},
	{
		name: "native", target: "/ws", fields: "Sec-WebSocket-Protocol: chat.v1.framewright\r\n",
		steps: []idleStep{
			{"", `{"type":"hello","name":"guest %d","secret":"a secret of its own, number %d"}`},
			{`"type":"welcome"`, `{"type":"join","room":"lobby"}`},
			{`"type":"joined"`, ""},
		},
		saying: `{"type":"send","room":"lobby","id":"%d","text":"this is said to everyone in the room"}`,
	},
}

// browserFields are what a browser sends besides.
const browserFields = "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36\r\n" +
	"Accept-Encoding: gzip, deflate, br\r\nAccept-Language: en-GB,en;q=0.9\r\nCache-Control: no-cache\r\nPragma: no-cache\r\n" +
	"Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n"

// crowd are clients that wait. They answer pings and take what comes.
type crowd struct {
	conns  []*idleConn
	wg     sync.WaitGroup
	closed atomic.Bool
	failed chan error
	heard  atomic.Int64 // messages that were said to everyone
}

type idleConn struct {
	net.Conn
	r *bufio.Reader
}

var crowdNumber atomic.Int64 // names are one client's each

// comers is how many come in at the same time.
const comers = 16

// letIn has n clients come in, and returns when all of them wait.
func letIn(ctx context.Context, addr string, kind idler, n int) (*crowd, error) {
	c := &crowd{failed: make(chan error, n)}
	var mu sync.Mutex
	var wg sync.WaitGroup
	var left atomic.Int64
	left.Store(int64(n))
	errs := make(chan error, comers)
	for range comers {
		wg.Go(func() {
			for left.Add(-1) >= 0 && ctx.Err() == nil {
				x, err := kind.enter(ctx, addr, crowdNumber.Add(1))
				if err != nil {
					errs <- err
					return
				}
				mu.Lock()
				c.conns = append(c.conns, x)
				mu.Unlock()
				c.wg.Go(func() {
					if err := x.wait(&c.heard); !c.closed.Load() {
						c.failed <- fmt.Errorf("a client that waits: %w", err)
					}
				})
			}
		})
	}
	wg.Wait()
	select {
	case err := <-errs:
		c.close()
		return nil, err
	default:
	}
	if err := ctx.Err(); err != nil {
		c.close()
		return nil, err
	}
	return c, nil
}

// err is why a client does not wait any more, or nil.
func (c *crowd) err() error {
	select {
	case err := <-c.failed:
		return err
	default:
		return nil
	}
}

func (c *crowd) close() {
	c.closed.Store(true)
	for _, x := range c.conns {
		x.Close()
	}
	c.wg.Wait()
}

// enter connects one client and takes its steps.
func (k idler) enter(ctx context.Context, addr string, number int64) (*idleConn, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	conn.SetDeadline(time.Now().Add(roomTimeout))
	x := &idleConn{conn, bufio.NewReaderSize(conn, 512)}
	if err := k.begin(x, addr, number); err != nil {
		conn.Close()
		return nil, err
	}
	return x, conn.SetDeadline(time.Time{})
}

func (k idler) begin(x *idleConn, addr string, number int64) error {
	_, err := fmt.Fprintf(x, "GET %s HTTP/1.1\r\nHost: %s\r\nOrigin: http://%s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n%s%s\r\n", k.target, addr, addr, k.fields, browserFields)
	if err != nil {
		return err
	}
	status, err := x.r.ReadString('\n')
	if err == nil && !strings.Contains(status, " 101 ") {
		err = fmt.Errorf("the server answered %q", status)
	}
	for line := status; err == nil && line != "\r\n"; {
		line, err = x.r.ReadString('\n')
	}
	for _, step := range k.steps {
		for found := step.want == ""; err == nil && !found; {
			var text string
			text, err = x.next()
			if found = strings.Contains(text, step.want); err == nil && !found && strings.Contains(text, `"type":"error"`) {
				err = fmt.Errorf("the server said %.200s", text)
			}
		}
		if err == nil && step.send != "" {
			text := step.send
			if n := strings.Count(text, "%d"); n > 0 {
				text = strings.ReplaceAll(text, "%d", fmt.Sprint(number))
			}
			_, err = x.Write(frame(1, text))
		}
	}
	return err
}

// say says n things to everyone, with one write.
func (k idler) say(x *idleConn, n int) error {
	var all []byte
	for range n {
		all = append(all, frame(1, strings.ReplaceAll(k.saying, "%d", fmt.Sprint(crowdNumber.Add(1))))...)
	}
	_, err := x.Write(all)
	return err
}

// wait takes what comes and answers pings, of WebSocket and of Engine.IO.
func (x *idleConn) wait(heard *atomic.Int64) error {
	for {
		text, err := x.next()
		if strings.Contains(text, "said to everyone") {
			heard.Add(1)
		}
		if err == nil && text == "2" {
			_, err = x.Write(frame(1, "3"))
		}
		if err != nil {
			return err
		}
	}
}

// next returns the beginning of the next text message, or all of it if it is short.
func (x *idleConn) next() (string, error) {
	for {
		var h [2]byte
		if _, err := io.ReadFull(x.r, h[:]); err != nil {
			return "", err
		}
		n := int64(h[1] & 0x7f)
		switch {
		case h[1]&0x80 != 0:
			return "", errors.New("a frame of the server's is masked")
		case n == 126:
			var b [2]byte
			if _, err := io.ReadFull(x.r, b[:]); err != nil {
				return "", err
			}
			n = int64(binary.BigEndian.Uint16(b[:]))
		case n == 127:
			var b [8]byte
			if _, err := io.ReadFull(x.r, b[:]); err != nil {
				return "", err
			}
			n = int64(binary.BigEndian.Uint64(b[:]))
		}
		kept := make([]byte, min(n, 256))
		if _, err := io.ReadFull(x.r, kept); err != nil {
			return "", err
		}
		if _, err := io.CopyN(io.Discard, x.r, n-int64(len(kept))); err != nil {
			return "", err
		}
		switch h[0] & 0x0f {
		case 1:
			return string(kept), nil
		case 8:
			return "", fmt.Errorf("the server closed: %q", kept)
		case 9:
			if _, err := x.Write(frame(10, string(kept))); err != nil {
				return "", err
			}
		}
	}
}
