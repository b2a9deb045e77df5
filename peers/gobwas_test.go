package peers

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"testing"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"
)

// gobwasPeer uses gobwas as it is meant to be used: its own handshake on a bare
// TCP connection, without net/http, and its frames by hand.
type gobwasPeer struct{}

func TestGobwas(t *testing.T) { run(t, gobwasPeer{}) }

func (gobwasPeer) Lacks() map[Ability]string {
	return map[Ability]string{
		Limits: "gobwas checks a frame's size but leaves the closing to its user",
	}
}

func (gobwasPeer) Listen(t *testing.T, o Options) *Listener {
	ln, url := o.TLS.listen(t)
	up := ws.Upgrader{Protocol: func(p []byte) bool {
		for _, mine := range o.Protocols {
			if mine == string(p) {
				return true
			}
		}
		return false
	}}
	accepted := make(chan *Session, 16)
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			wg.Go(func() {
				defer conn.Close()
				stop := context.AfterFunc(t.Context(), func() { _ = conn.Close() })
				defer stop()
				hs, err := up.Upgrade(conn)
				if err != nil {
					return
				}
				s := gobwasSession(conn, ws.StateServerSide, hs.Protocol)
				if o.Greeting != nil {
					_ = s.Do(t.Context(), *o.Greeting)
				}
				accepted <- s.Session
				s.read(conn)
			})
		}
	})
	t.Cleanup(func() { _ = ln.Close(); wg.Wait() })
	return &Listener{URL: url + "/ws", Accepted: accepted}
}

func (gobwasPeer) Dial(t *testing.T, url string, o Options) (*Session, error) {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	d := ws.Dialer{Protocols: o.Protocols, TLSConfig: o.TLS.client()}
	conn, br, hs, err := d.Dial(ctx, url)
	if err != nil {
		return nil, err
	}
	s := gobwasSession(conn, ws.StateClientSide, hs.Protocol)
	var r io.Reader = conn
	if br != nil { // the server's first frames came with its response
		r = io.MultiReader(io.LimitReader(br, int64(br.Buffered())), conn)
	}
	go s.read(r)
	t.Cleanup(func() { _ = conn.Close(); <-s.done })
	return s.Session, nil
}

// A gobwasConn is a session with the connection and the lock that keep its
// frames whole.
type gobwasConn struct {
	*Session
	conn      net.Conn
	state     ws.State
	mu        sync.Mutex
	sentClose bool
}

func gobwasSession(conn net.Conn, state ws.State, protocol string) *gobwasConn {
	c := &gobwasConn{Session: newSession(), conn: conn, state: state}
	c.Protocol = protocol
	c.Do = func(_ context.Context, a Action) error {
		switch a.Do {
		case "send":
			op := ws.OpText
			if a.Kind == binary {
				op = ws.OpBinary
			}
			for i, p := range a.Parts {
				if i > 0 && a.Pings {
					if err := c.write(ws.NewPingFrame([]byte(inside(i)))); err != nil {
						return err
					}
				}
				if err := c.write(ws.NewFrame(op, i == len(a.Parts)-1, p.bytes(a.Kind))); err != nil {
					return err
				}
				op = ws.OpContinuation
			}
			return nil
		case "ping":
			return c.write(ws.NewPingFrame([]byte(a.Data)))
		case "close":
			if a.Code == 0 {
				return c.write(ws.NewCloseFrame(nil))
			}
			return c.write(ws.NewCloseFrame(ws.NewCloseFrameBody(ws.StatusCode(a.Code), a.Reason)))
		case "abort":
			return c.conn.Close()
		}
		return errors.ErrUnsupported
	}
	return c
}

// write sends one frame. After a close frame it sends nothing more.
func (c *gobwasConn) write(f ws.Frame) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.sentClose {
		return net.ErrClosed
	}
	c.sentClose = f.Header.OpCode == ws.OpClose
	if c.state.ClientSide() {
		f = ws.MaskFrame(f)
	}
	_ = c.conn.SetWriteDeadline(soon())
	return ws.WriteFrame(c.conn, f)
}

// read reads until the connection is over. wsutil.Reader puts fragments
// together and checks headers and UTF-8.
func (c *gobwasConn) read(src io.Reader) {
	defer c.conn.Close()
	over := func(code int, reason string, err error) {
		e := closed(code, reason)
		if err != nil {
			e.Err = err.Error()
		}
		c.report(e)
	}
	control := func(h ws.Header, r io.Reader) error {
		body, err := io.ReadAll(r)
		if err != nil {
			return err
		}
		switch h.OpCode {
		case ws.OpPing:
			return c.write(ws.NewPongFrame(body))
		case ws.OpPong:
			c.report(pong(string(body)))
			return nil
		default:
			code, reason := ws.ParseCloseFrameData(body)
			answer := ws.NewCloseFrame(nil)
			if code.Empty() {
				code = ws.StatusNoStatusRcvd
			} else {
				answer = ws.NewCloseFrame(ws.NewCloseFrameBody(code, ""))
			}
			_ = c.write(answer) // fails when ours went first: then this was the answer
			return wsutil.ClosedError{Code: code, Reason: reason}
		}
	}
	r := wsutil.Reader{Source: bufio.NewReaderSize(src, 64<<10), State: c.state, CheckUTF8: true, OnIntermediate: control}
	for {
		h, err := r.NextFrame()
		var b []byte
		switch {
		case err != nil:
		case h.OpCode.IsControl():
			err = control(h, &r)
		default:
			var buf bytes.Buffer
			_, err = buf.ReadFrom(&r)
			b = buf.Bytes()
		}
		if ce, ok := errors.AsType[wsutil.ClosedError](err); ok {
			over(int(ce.Code), ce.Reason, nil)
			return
		}
		if err != nil {
			over(1006, "", err)
			return
		}
		if h.OpCode == ws.OpText {
			c.report(received(text, b))
		} else if h.OpCode == ws.OpBinary {
			c.report(received(binary, b))
		}
	}
}
