package client

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"

	"framewright/engineio"
)

var (
	errClosePacket = errors.New("the server sent a close packet")
	errSecondOpen  = errors.New("a second open packet")
)

// poll asks for packets, one GET after the other, until a WebSocket has taken over or
// all is over.
func (c *Conn) poll() {
	defer close(c.polled)
	body := c.early
	c.early = nil
	for {
		if len(body) > 0 {
			if err := c.payload(body); err != nil {
				c.lost(err)
				return
			}
		}
		c.mu.Lock()
		for c.pausing && c.conn == nil && c.life.Err() == nil {
			c.await(&c.changed, c.life)
		}
		if c.conn != nil || c.life.Err() != nil {
			c.mu.Unlock()
			return
		}
		c.getting = true
		c.mu.Unlock()
		var err error
		if body, err = c.get(c.life); err == nil && len(body) == 0 {
			err = &engineio.CloseError{Reason: engineio.ParseError, Err: errors.New("an answer by polling without a packet")}
		}
		c.mu.Lock()
		c.getting = false
		c.alive()
		c.changed.Raise()
		c.mu.Unlock()
		if err != nil {
			c.lost(err)
			return
		}
	}
}

// payload takes in the packets of an answer.
func (c *Conn) payload(body []byte) error {
	for b := range bytes.SplitSeq(body, []byte{engineio.Separator}) {
		p, err := engineio.ParsePacket(b)
		if err != nil {
			return &engineio.CloseError{Reason: engineio.ParseError, Err: err}
		}
		if !p.Binary {
			p.Data = bytes.Clone(p.Data) // a message that is kept must not keep the body
		}
		if err := c.handle(p); err != nil {
			return err
		}
		if c.life.Err() != nil {
			return context.Cause(c.life)
		}
	}
	return nil
}

var errBodyTimeout = errors.New("an answer's body did not come in time (option BodyTimeout)")

// get makes one GET and returns the body of its answer.
func (c *Conn) get(ctx context.Context) ([]byte, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	resp, err := c.do(ctx, http.MethodGet, nil)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	timer := time.AfterFunc(c.o.BodyTimeout, func() { cancel(errBodyTimeout) })
	defer timer.Stop()
	kind := resp.Header.Get("Content-Type")
	if media, _, _ := mime.ParseMediaType(kind); kind != "" && media != "text/plain" {
		return nil, fmt.Errorf("engineio: an answer of the type %q, expected text/plain; is another program at %q?", clip(kind), c.url.Path)
	}
	limit := int64(c.o.MaxPayload)
	var body []byte
	if resp.ContentLength <= limit { // -1 if it is not known
		c.setReading(true)
		body, err = io.ReadAll(io.LimitReader(resp.Body, limit+1))
		c.setReading(false)
	}
	switch {
	case resp.ContentLength > limit || int64(len(body)) > limit:
		return nil, fmt.Errorf("engineio: an answer by polling of more than %d bytes (option MaxPayload)", limit)
	case err != nil:
		return nil, fmt.Errorf("engineio: an answer by polling: %w", cause(ctx, err))
	}
	return body, nil
}

// setReading says whether an answer's body is under way: BodyTimeout bounds that, and
// a ping may be in it.
func (c *Conn) setReading(on bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.reading = on
}

// post makes one POST of packets and waits for the server to take them. That it may
// take as long as it likes is how it makes its clients wait; whether it is alive, the
// pings tell.
func (c *Conn) post(ctx context.Context, packets []packet) error {
	size := 0
	for _, p := range packets {
		size += 1 + engineio.PacketLen(p.Packet)
	}
	body := make([]byte, 0, size)
	for i, p := range packets {
		if i > 0 {
			body = append(body, engineio.Separator)
		}
		body = engineio.AppendPacket(body, p.Packet)
	}
	resp, err := c.do(ctx, http.MethodPost, body)
	if err != nil {
		return err
	}
	// Read to its end, an answer leaves the connection for the next request.
	_, _ = io.CopyN(io.Discard, resp.Body, maxText)
	return resp.Body.Close()
}

// do makes a request. An answer other than 200 is an error.
func (c *Conn) do(ctx context.Context, method string, body []byte) (*http.Response, error) {
	r, err := http.NewRequestWithContext(ctx, method, c.request(engineio.Polling), bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("engineio: %w", err)
	}
	if method == http.MethodGet {
		r.Body, r.GetBody = nil, nil
	} else {
		r.Header.Set("Content-Type", "text/plain;charset=UTF-8")
	}
	for name, values := range c.o.Header {
		r.Header[http.CanonicalHeaderKey(name)] = values
		if strings.EqualFold(name, "Host") {
			r.Host = strings.Join(values, ",")
		}
	}
	resp, err := c.http.Do(r)
	if err != nil {
		return nil, fmt.Errorf("engineio: %w", cause(ctx, err))
	}
	if resp.StatusCode == http.StatusOK {
		return resp, nil
	}
	defer resp.Body.Close()
	timer := time.AfterFunc(c.o.BodyTimeout, func() { resp.Body.Close() })
	defer timer.Stop()
	text, _ := io.ReadAll(io.LimitReader(resp.Body, maxText)) // as much as there is
	return nil, c.refused(resp.StatusCode, resp.Header, text)
}

// maxText is how much is read of an answer that is no payload, in bytes.
const maxText = 4 << 10

// cause is the reason for which ctx was ended, in place of that it was.
func cause(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return cmp.Or(context.Cause(ctx), err)
	}
	if e, ok := errors.AsType[*url.Error](err); ok { // its text has the URL, and that the session's id
		return e.Err
	}
	return err
}

// refused is what an answer says that is not what was asked for.
func (c *Conn) refused(status int, h http.Header, body []byte) error {
	e := &RefusedError{Status: status, Code: -1, Header: h, hint: c.hint(status, h)}
	var said codeRefusal
	if json.Unmarshal(body, &said) == nil && said.Code != nil {
		e.Code, e.Message = *said.Code, clip(said.Message)
	} else {
		e.Message = clip(strings.ToValidUTF8(string(body), "\uFFFD"))
	}
	return e
}
