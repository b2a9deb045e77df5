package wsh2

import (
	"context"
	"errors"
	"maps"
	"net"
	"net/http"
	"net/textproto"
	"net/url"
	"strconv"
	"sync"
	"time"

	"golang.org/x/net/http2/hpack"

	"framewright/ws"
	"framewright/ws/internal/h2"
)

// newRequest is what came, as net/http would have it. refusal, if not nil, answers it in
// place of the connection's handler. It has conn.mu.
func newRequest(c *conn, st *stream, ev h2.Event) (r *http.Request, refusal http.Handler) {
	r = &http.Request{
		Proto: "HTTP/2.0", ProtoMajor: 2, Header: http.Header{}, URL: &url.URL{}, ContentLength: -1,
		RemoteAddr: c.nc.RemoteAddr().String(), TLS: c.tls,
	}
	scheme := readFields(r, ev.Fields)
	ctx, cancel := context.WithCancel(c.ctx)
	st.cancel = cancel
	r = r.WithContext(ctx)
	if v := r.Header["Content-Length"]; len(v) > 0 {
		if n, err := strconv.ParseInt(v[0], 10, 64); err == nil && n >= 0 {
			r.ContentLength = n
		}
	}
	if r.Body = http.NoBody; ev.End {
		r.ContentLength = 0
	} else {
		r.Body = &body{st: st}
		st.read = after(c.times.read, time.Minute)
	}
	switch {
	case ev.TooBig:
		limit := c.e.Limits().HeaderBytes
		return r, refuse(http.StatusRequestHeaderFieldsTooLarge, nil, "request headers of more than "+strconv.Itoa(limit)+" bytes, the limit that MaxHeaderBytes sets (RFC 9113 §6.5.2)")
	case r.Method == http.MethodConnect:
		if e, ok := errors.AsType[*ws.HandshakeError](checkConnect(r, scheme)); ok {
			return r, refuse(e.Status, e.Header, e.Error())
		}
	}
	u, err := url.ParseRequestURI(r.RequestURI)
	if err != nil {
		return r, refuse(http.StatusBadRequest, nil, "the :path is no path (RFC 9113 §8.3.1)")
	}
	r.URL = u
	return r, nil
}

// checkConnect holds a CONNECT against RFC 8441: nobody here makes tunnels to elsewhere.
func checkConnect(r *http.Request, scheme string) error {
	return ws.CheckConnect(&ws.Request{Method: r.Method, Target: r.RequestURI, Major: 2, Host: r.Host, Scheme: scheme, Protocol: r.Header.Get(":protocol"), Header: r.Header})
}

// readFields fills in r what the header list says, but for the :scheme.
func readFields(r *http.Request, fields []hpack.HeaderField) (scheme string) {
	for _, f := range fields {
		switch f.Name {
		case ":method":
			r.Method = f.Value
		case ":path":
			r.RequestURI = f.Value
		case ":authority":
			r.Host = f.Value
		case ":scheme":
			scheme = f.Value
		case ":status": // of an answer
		case ":protocol":
			r.Header[f.Name] = []string{f.Value} // as net/http has it
		case "cookie":
			// "If there are multiple Cookie header fields after decompression, these
			// MUST be concatenated into a single octet string using the two-octet
			// delimiter of 0x3b, 0x20" (RFC 9113 §8.2.3)
			if v := r.Header["Cookie"]; len(v) > 0 {
				v[0] += "; " + f.Value
			} else {
				r.Header["Cookie"] = []string{f.Value}
			}
		default:
			name := textproto.CanonicalMIMEHeaderKey(f.Name)
			r.Header[name] = append(r.Header[name], f.Value)
		}
	}
	if v := r.Header["Host"]; r.Host == "" && len(v) > 0 {
		r.Host = v[0] // of a request that was HTTP/1.1 before (§8.3.1)
	}
	if len(r.Header["Host"]) == 1 && r.Header["Host"][0] == r.Host {
		delete(r.Header, "Host") // net/http has it in Request.Host alone
	}
	return scheme
}

// refuse answers with a status and a text.
func refuse(status int, header http.Header, text string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		maps.Copy(w.Header(), header)
		http.Error(w, text, status)
	})
}

// A body is a request's content.
type body struct {
	st      *stream
	goOn    func() // sends 100 (Continue); nil if that is not asked for
	expects sync.Once
}

func (b *body) Read(p []byte) (int, error) {
	if b.goOn != nil {
		b.expects.Do(b.goOn)
	}
	n, err := b.st.Read(p)
	if err == net.ErrClosed {
		err = http.ErrBodyReadAfterClose
	}
	return n, err
}

// Close lets the handler go on without the rest, which the response's end cancels.
func (b *body) Close() error {
	b.st.c.mu.Lock()
	defer b.st.c.mu.Unlock()
	b.st.unread = true
	b.st.cond.Broadcast()
	return nil
}
