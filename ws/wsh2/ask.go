package wsh2

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"framewright/ws"
	"framewright/ws/internal/h2"
)

// An answer is what a client gets to a request.
type answer struct {
	resp *http.Response
	err  error
}

// answers gives a client's request its answer, if that is the first. It has conn.mu.
func (s *stream) answers(a answer) {
	if s.answer == nil {
		return
	}
	delete(s.c.asked, s.h)
	select {
	case s.answer <- a:
	default:
	}
}

// answered takes a server's answer. It has mu.
func (c *conn) answered(ev h2.Event) {
	st := c.asked[ev.Stream]
	if st == nil {
		return
	}
	resp := &http.Response{Proto: "HTTP/2.0", ProtoMajor: 2, Header: http.Header{}, ContentLength: -1, Body: io.NopCloser(st), TLS: c.tls}
	r := &http.Request{Header: resp.Header}
	readFields(r, ev.Fields)
	if ev.TooBig {
		limit := strconv.Itoa(c.e.Limits().HeaderBytes)
		st.answers(answer{err: ws.RuleAnswerSize.Refusal("the answer's headers are longer than " + limit + " bytes, which MaxHeaderBytes allows")})
		return
	}
	for _, f := range ev.Fields {
		if f.Name == ":status" {
			resp.StatusCode, _ = strconv.Atoi(f.Value) // of three digits, or it would be no Answer
			resp.Status = strings.TrimSpace(f.Value + " " + http.StatusText(resp.StatusCode))
		}
	}
	st.answers(answer{resp: resp})
}

// isSettled notes that a server's SETTINGS have come, or that nothing comes any more. It
// has mu.
func (c *conn) isSettled() {
	if c.settled != nil && !c.known {
		c.known = true
		close(c.settled)
	}
}

// errNotOpened: a connection takes no stream, so nothing of a request was sent.
var errNotOpened = errors.New("wsh2: no stream was opened")

// ask opens a stream with the request r and waits for its answer.
func (c *conn) ask(ctx context.Context, r *ws.Request) (*http.Response, *stream, error) {
	c.mu.Lock()
	h, err := c.e.Open(requestFields(r), false)
	if err != nil {
		c.mu.Unlock()
		return nil, nil, fmt.Errorf("%w: %w", errNotOpened, err)
	}
	st := newStream(c, h)
	st.answer = make(chan answer, 1)
	c.asked[h], c.used = st, true
	c.idle.Stop()
	c.occupied(true)
	c.more.Signal()
	c.mu.Unlock()
	a := answer{}
	select {
	case a = <-st.answer:
	case <-ctx.Done():
		a.err = context.Cause(ctx)
	}
	if a.err != nil {
		st.reset(http2.ErrCodeCancel)
		st.Close()
		return nil, nil, a.err
	}
	return a.resp, st, nil
}

// wasUsed reports whether a stream was ever opened.
func (c *conn) wasUsed() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.used
}

// requestFields are a request's as HTTP/2 has them (RFC 8441 §5.1).
func requestFields(r *ws.Request) []hpack.HeaderField {
	list := []hpack.HeaderField{{Name: ":method", Value: r.Method}, {Name: ":protocol", Value: r.Protocol}, {Name: ":scheme", Value: r.Scheme},
		{Name: ":path", Value: r.Target}, {Name: ":authority", Value: r.Host}}
	for _, name := range slices.Sorted(maps.Keys(r.Header)) {
		canonical := http.CanonicalHeaderKey(name)
		for _, v := range r.Header[name] {
			secret := canonical == "Authorization" || canonical == "Cookie"
			list = append(list, hpack.HeaderField{Name: strings.ToLower(name), Value: strings.Trim(v, " \t"), Sensitive: secret})
		}
	}
	return list
}
