//go:build linux

package main

import (
	"bufio"
	"bytes"
	"compress/flate"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	kflate "github.com/klauspost/compress/flate"
)

// A load is what every connection sends, as frames made beforehand, so that
// the client does next to nothing per message and the same for each server.
type load struct {
	size     int
	context  bool
	messages [][]byte
	frames   [][]byte // masked, compressed; with context: in this order from a connection's start
}

// tail is what RFC 7692 §7.2.2 appends before inflating, and an empty last
// block that lets a reader of DEFLATE end.
const tail = "\x00\x00\xff\xff\x01\x00\x00\xff\xff"

func newLoad(n, size int, context bool) *load {
	l := &load{size: size, context: context, messages: messages(n, size)}
	var out bytes.Buffer
	// A window of 12 bits satisfies every server: gws limits clients to that.
	z, err := kflate.NewWriterWindow(&out, 1<<12)
	if err != nil {
		panic(err) // a fixed window
	}
	r := rand.New(rand.NewPCG(6455, 1))
	for _, m := range l.messages {
		out.Reset()
		if !context {
			z.Reset(&out)
		}
		_, _ = z.Write(m)
		_ = z.Flush()
		payload := out.Bytes()[:out.Len()-4]
		f := []byte{0x80 | 0x40 | 1}
		switch {
		case len(payload) < 126:
			f = append(f, 0x80|byte(len(payload)))
		case len(payload) < 1<<16:
			f = binary.BigEndian.AppendUint16(append(f, 0x80|126), uint16(len(payload)))
		default:
			f = binary.BigEndian.AppendUint64(append(f, 0x80|127), uint64(len(payload)))
		}
		var key [4]byte
		binary.LittleEndian.PutUint32(key[:], r.Uint32())
		f = append(f, key[:]...)
		for i, b := range payload {
			f = append(f, b^key[i&3])
		}
		l.frames = append(l.frames, f)
	}
	return l
}

// A client is one raw connection.
type client struct {
	net.Conn
	r *bufio.Reader
}

const ioTimeout = 20 * time.Second

// dial opens a connection and sees to it that the server took the offer.
func dial(addr string, context bool) (*client, error) {
	conn, err := net.DialTimeout("tcp", addr, ioTimeout)
	if err != nil {
		return nil, err
	}
	offer := "permessage-deflate; client_max_window_bits" // as browsers do
	if !context {
		offer += "; server_no_context_takeover; client_no_context_takeover"
	}
	_ = conn.SetDeadline(time.Now().Add(ioTimeout))
	fmt.Fprintf(conn, "GET / HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Extensions: %s\r\n\r\n", addr, offer)
	c := &client{conn, bufio.NewReaderSize(conn, 4<<10)}
	answer, err := http.ReadResponse(c.r, nil)
	if err != nil {
		conn.Close()
		return nil, err
	}
	agreed := answer.Header.Get("Sec-WebSocket-Extensions")
	if answer.StatusCode != http.StatusSwitchingProtocols || !strings.HasPrefix(agreed, "permessage-deflate") ||
		context && strings.Contains(agreed, "no_context_takeover") {
		conn.Close()
		return nil, fmt.Errorf("the server answered %s with extensions %q to %q", answer.Status, agreed, offer)
	}
	return c, nil
}

// reply reads one message, checks its frames and returns its bytes on the
// wire; if payload is not nil, it also appends the compressed content there.
func (c *client) reply(payload *[]byte) (wire int, err error) {
	for first := true; ; first = false {
		h, err := c.r.Peek(2)
		if err != nil {
			return 0, err
		}
		n, head := int(h[1]), 2
		switch want := byte(0x41); {
		case first && h[0]&0x7f != want:
			return 0, fmt.Errorf("a reply begins with %#02x, expected a compressed text frame", h[0])
		case !first && h[0]&0x7f != 0:
			return 0, fmt.Errorf("a reply goes on with %#02x, expected a continuation frame", h[0])
		case n > 127:
			return 0, errors.New("a reply is masked")
		}
		fin := h[0]&0x80 != 0
		switch n {
		case 126:
			head = 4
		case 127:
			head = 10
		}
		if h, err = c.r.Peek(head); err != nil {
			return 0, err
		}
		switch n {
		case 126:
			n = int(binary.BigEndian.Uint16(h[2:]))
		case 127:
			n = int(binary.BigEndian.Uint64(h[2:]))
		}
		if n > 1<<20 {
			return 0, fmt.Errorf("a reply's frame has %d bytes", n)
		}
		_, _ = c.r.Discard(head)
		wire += head + n
		if payload != nil {
			*payload = append(*payload, make([]byte, n)...)
			_, err = io.ReadFull(c.r, (*payload)[len(*payload)-n:])
		} else {
			_, err = c.r.Discard(n)
		}
		if err != nil {
			return 0, err
		}
		if fin {
			return wire, nil
		}
	}
}

// sampled is how many of a connection's first replies are inflated and
// compared, on the first connection.
const sampled = 40

// verifier inflates replies with the context of those before.
type verifier struct{ window []byte }

func (v *verifier) check(payload, want []byte, context bool) error {
	z := flate.NewReaderDict(io.MultiReader(bytes.NewReader(payload), strings.NewReader(tail)), v.window)
	got, err := io.ReadAll(z)
	if err != nil {
		return err
	}
	if !bytes.Equal(got, want) {
		return fmt.Errorf("a reply has %d bytes, and not those that were sent", len(got))
	}
	if context {
		v.window = append(v.window, got...)
		v.window = v.window[max(0, len(v.window)-(32<<10)):]
	}
	return nil
}

// A count is what a run of the load came to.
type count struct {
	messages  int
	sizedMsgs int
	sized     int // bytes of the first replies, the same ones for each server
}

// run sends the load over conns connections, each with one message under way,
// until each has sent all or limit has passed.
func (l *load) run(addr string, conns int, limit time.Duration, before func()) (total count, err error) {
	cs := make([]*client, conns)
	defer func() {
		for _, c := range cs {
			if c != nil {
				c.Close()
			}
		}
	}()
	for i := range cs {
		if cs[i], err = dial(addr, l.context); err != nil {
			return total, err
		}
	}
	before()
	deadline := time.Now().Add(limit)
	counts, errs := make([]count, conns), make([]error, conns)
	var wg sync.WaitGroup
	for i, c := range cs {
		wg.Go(func() {
			counts[i], errs[i] = l.one(c, i == 0, deadline)
		})
	}
	wg.Wait()
	for _, n := range counts {
		total.messages += n.messages
		total.sized += n.sized
		total.sizedMsgs += n.sizedMsgs
	}
	return total, errors.Join(errs...)
}

func (l *load) one(c *client, verify bool, deadline time.Time) (n count, err error) {
	_ = c.SetDeadline(deadline.Add(ioTimeout))
	var v verifier
	var buf []byte
	for i, f := range l.frames {
		if i >= sampled && time.Now().After(deadline) {
			break
		}
		if _, err := c.Write(f); err != nil {
			return n, err
		}
		var payload *[]byte
		if verify && i < sampled {
			buf = buf[:0]
			payload = &buf
		}
		wire, err := c.reply(payload)
		if err != nil {
			return n, err
		}
		if payload != nil {
			if err := v.check(buf, l.messages[i], l.context); err != nil {
				return n, err
			}
		}
		n.messages++
		if i < sampled {
			n.sized += wire
			n.sizedMsgs++
		}
	}
	return n, nil
}
