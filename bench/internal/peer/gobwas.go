package peer

import (
	"bufio"
	"io"
	"net"
	"slices"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"
)

// gobwasServer uses the lower level of its README, with buffers: frames are read
// through a bufio.Reader, and replies gathered in a bufio.Writer that is flushed
// once nothing is left to read. Both have 4 KiB, bufio's size. There is no
// net/http: ws.Upgrade reads the request from the connection.
var gobwasServer = Server{
	Name:   "gobwas, own buffers",
	Module: "github.com/gobwas/ws",
	Echo: func(l net.Listener) error {
		return gobwasEach(l, func(c net.Conn) {
			r, w := bufio.NewReader(c), bufio.NewWriter(c)
			var buf []byte
			for {
				h, payload, err := gobwasRead(r, buf)
				if err != nil {
					return
				}
				buf = payload
				h.Masked = false
				if ws.WriteHeader(w, h) != nil {
					return
				}
				if _, err := w.Write(payload); err != nil {
					return
				}
				if r.Buffered() == 0 && w.Flush() != nil {
					return
				}
			}
		})
	},
	Broadcast: func(l net.Listener) error {
		var all hub[[]byte]
		return gobwasEach(l, func(c net.Conn) {
			queue := all.join()
			defer all.leave(queue)
			go func() {
				w := bufio.NewWriter(c)
				for b := range queue {
					if _, err := w.Write(b); err != nil {
						break
					}
					if len(queue) == 0 && w.Flush() != nil {
						break
					}
				}
				c.Close()
			}()
			r := bufio.NewReader(c)
			for {
				h, payload, err := gobwasRead(r, nil)
				if err != nil {
					return
				}
				h.Masked = false
				frame, err := ws.CompileFrame(ws.Frame{Header: h, Payload: payload})
				if err != nil {
					return
				}
				all.send(frame)
			}
		})
	},
}

// gobwasEach serves each connection, once upgraded, in a goroutine.
func gobwasEach(l net.Listener, serve func(net.Conn)) error {
	return each(l, func(c net.Conn) {
		defer c.Close()
		if _, err := ws.Upgrade(c); err == nil {
			serve(c)
		}
	})
}

// gobwasRead reads a frame into buf and unmasks it.
func gobwasRead(r io.Reader, buf []byte) (ws.Header, []byte, error) {
	h, err := ws.ReadHeader(r)
	if err != nil || h.Length > 2<<20 {
		return h, nil, err
	}
	buf = slices.Grow(buf[:0], int(h.Length))[:h.Length]
	if _, err := io.ReadFull(r, buf); err != nil {
		return h, nil, err
	}
	ws.Cipher(buf, h.Mask, 0)
	return h, buf, nil
}

// gobwasPlain is the first example of the README: no buffers at all, so the
// least memory, and a system call for every piece of a message.
var gobwasPlain = Server{
	Name:   "gobwas",
	Module: "github.com/gobwas/ws",
	Echo: func(l net.Listener) error {
		return gobwasEach(l, func(c net.Conn) {
			for {
				b, op, err := wsutil.ReadClientData(c)
				if err != nil || wsutil.WriteServerMessage(c, op, b) != nil {
					return
				}
			}
		})
	},
}
