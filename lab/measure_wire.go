package lab

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"

	"framewright/ws"
)

// A Pair makes the two ends of a connection.
type Pair func(ctx context.Context) (client, server net.Conn, err error)

// loopback is a Pair of TCP on this machine. Its listener is there for this one connection,
// and takes nobody else's.
func loopback(ctx context.Context) (client, server net.Conn, err error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		if l, err = net.Listen("tcp", "[::1]:0"); err != nil {
			return nil, nil, fmt.Errorf("no listener on the loopback interface: %w", err)
		}
	}
	defer l.Close()
	defer context.AfterFunc(ctx, func() { l.Close() })()
	if client, err = new(net.Dialer).DialContext(ctx, "tcp", l.Addr().String()); err != nil {
		return nil, nil, err
	}
	for {
		if server, err = l.Accept(); err != nil {
			client.Close()
			return nil, nil, err
		}
		if server.RemoteAddr().String() == client.LocalAddr().String() {
			return client, server, nil
		}
		server.Close()
	}
}

// maxTapped bounds what one connection of a measurement may carry, in bytes: 200 messages
// of 4096, and 1,000 polls with heads of 2 KiB.
const maxTapped = 4 << 20

var errTapFull = fmt.Errorf("lab: a connection of the measurement carries more than %d bytes", maxTapped)

// A tap is the client's end of a connection. It keeps every byte that goes over it.
type tap struct {
	net.Conn
	mu       sync.Mutex
	up, down []byte
}

func (t *tap) Read(p []byte) (int, error) {
	n, err := t.Conn.Read(p)
	if full := t.keep(&t.down, p[:n]); full != nil {
		return n, full
	}
	return n, err
}

func (t *tap) Write(p []byte) (int, error) {
	if err := t.keep(&t.up, p); err != nil { // before the answer can be here
		return 0, err
	}
	n, err := t.Conn.Write(p)
	if n < len(p) {
		t.mu.Lock()
		t.up = t.up[:len(t.up)-(len(p)-n)]
		t.mu.Unlock()
	}
	return n, err
}

func (t *tap) keep(b *[]byte, p []byte) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(*b)+len(p) > maxTapped {
		return errTapFull
	}
	*b = append(*b, p...)
	return nil
}

// bytes are those that the client has sent and received.
func (t *tap) bytes() (up, down []byte) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.up, t.down
}

// WireBytes are the bytes of one direction, all that TCP carried for it, by what they are.
type WireBytes struct {
	Heads    int `json:"heads"`    // of HTTP requests and answers, the handshake's too
	Framing  int `json:"framing"`  // of chunks (RFC 9112 §7.1); of frames, with control frames as a whole
	Envelope int `json:"envelope"` // what stands around messages in a body
	Messages int `json:"messages"` // themselves
	Total    int `json:"total"`
}

// sum checks that the parts are all there is.
func (b *WireBytes) sum(total int) error {
	b.Total = total
	if parts := b.Heads + b.Framing + b.Envelope + b.Messages; parts != total {
		return fmt.Errorf("%d bytes went over the wire, of which %d are accounted for", total, parts)
	}
	return nil
}

// An httpPiece is a request or an answer as it went over the wire.
type httpPiece struct {
	raw     []byte
	head    int // bytes of raw
	body    string
	framing int // bytes of raw that are neither
}

// splitHTTP cuts the bytes of one direction. rest is what follows a switch of protocols.
func splitHTTP(b []byte, answers bool) (pieces []httpPiece, rest []byte, err error) {
	all := bytes.NewReader(b)
	r := bufio.NewReader(all)
	at := func() int { return len(b) - all.Len() - r.Buffered() }
	for at() < len(b) {
		from := at()
		body, switched, err := readHTTP(r, answers)
		if err != nil {
			return nil, nil, fmt.Errorf("byte %d: %w", from, err)
		}
		p := httpPiece{head: at() - from}
		if !switched {
			data, err := io.ReadAll(body)
			if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) { // a client may leave amid an answer
				return nil, nil, fmt.Errorf("byte %d: %w", at(), err)
			}
			p.body = string(data)
		}
		p.raw = b[from:at()]
		p.framing = len(p.raw) - p.head - len(p.body)
		pieces = append(pieces, p)
		if switched {
			return pieces, b[at():], nil
		}
	}
	return pieces, nil, nil
}

// readHTTP reads a head.
func readHTTP(r *bufio.Reader, answer bool) (body io.Reader, switched bool, err error) {
	if answer {
		resp, err := http.ReadResponse(r, nil)
		if err != nil {
			return nil, false, err
		}
		return resp.Body, resp.StatusCode == http.StatusSwitchingProtocols, nil
	}
	req, err := http.ReadRequest(r)
	if err != nil {
		return nil, false, err
	}
	return req.Body, strings.EqualFold(req.Header.Get("Upgrade"), "websocket"), nil
}

// splitFrames adds the frames that b consists of.
func (w *WireBytes) splitFrames(b []byte) error {
	for len(b) > 0 {
		h, n, err := ws.ParseHeader(b)
		if err != nil {
			return err
		}
		if n == 0 || int64(len(b)-n) < h.Length {
			return fmt.Errorf("a frame of which %d bytes are there", len(b))
		}
		length := int(h.Length)
		w.Framing += n
		if h.Opcode.IsControl() {
			w.Framing += length
		} else {
			w.Messages += length
		}
		b = b[n+length:]
	}
	return nil
}
