package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha1"
	"encoding/base64"
	"errors"
	"io"
	"net"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"framewright/ws"
	"framewright/ws/wsnet"
)

const (
	guid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

	// What a client with the randomness of keys sends, and wants to see.
	fixedKey    = "N/ohPTf6IT03+iE9N/ohPQ=="
	fixedAccept = "7Ubo2JRe6fIuZAdGHq7kDA4XEQ0="
)

var subprotocols = []string{"chat.v2", "chat"}

// FuzzRequest: any bytes that net/http takes for a request pass CheckRequest
// exactly if the list of §4.2.1, ticked off in the plainest way, says so; a
// refusal names a rule and its status; the answer to one that passes is an
// answer that the client's check takes, and AppendRequest writes it so that
// it reads as the same request.
func FuzzRequest(f *testing.F) {
	f.Fuzz(func(t *testing.T, tls bool, wire []byte) {
		r, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(wire)))
		if err != nil {
			return
		}
		req := requestOf(r)
		req.TLS = tls
		err = ws.CheckRequest(req, nil)
		if legal := legalRequest(req); (err == nil) != legal {
			t.Fatalf("%q: %v, but the list says %v", wire, err, legal)
		}
		if err != nil {
			checkRefusal(t, err)
			return
		}
		if err := ws.CheckOrigin(req, nil); err != nil {
			checkRefusal(t, err)
		}
		subprotocol := ws.ChooseSubprotocol(r.Header["Sec-Websocket-Protocol"], subprotocols)
		if want := chosen(r.Header["Sec-Websocket-Protocol"]); subprotocol != want {
			t.Fatalf("%q: subprotocol %q, want %q", wire, subprotocol, want)
		}
		key := r.Header.Get("Sec-Websocket-Key")
		answer := ws.AppendResponse(nil, key, subprotocol, "", http.Header{"Set-Cookie": {"a=b"}})
		resp, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(answer)), nil)
		if err != nil {
			t.Fatalf("%q: %v", answer, err)
		}
		checkSwitch(t, resp, key)
		if got, err := ws.CheckResponse(&ws.Response{Status: resp.StatusCode, Header: resp.Header}, key, subprotocols); err != nil || got != subprotocol {
			t.Fatalf("%q: %q, %v", answer, got, err)
		}

		again, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(ws.AppendRequest(nil, req))))
		if err != nil {
			t.Fatalf("%q: %v", ws.AppendRequest(nil, req), err)
		}
		if again.Host != r.Host || again.RequestURI != r.RequestURI || len(again.Header) != len(r.Header) {
			t.Fatalf("%q is written as %q", wire, ws.AppendRequest(nil, req))
		}
		for name, values := range r.Header {
			if !slices.Equal(values, again.Header[name]) {
				t.Fatalf("header %s: %q is written as %q", name, values, again.Header[name])
			}
		}
	})
}

func requestOf(r *http.Request) *ws.Request {
	return &ws.Request{
		Method: r.Method, Target: r.RequestURI, Major: r.ProtoMajor, Minor: r.ProtoMinor,
		Host: r.Host, Length: r.ContentLength, Header: r.Header,
	}
}

// legalRequest ticks off §4.2.1 and our limits.
func legalRequest(r *ws.Request) bool {
	lines := 1
	for _, values := range r.Header {
		lines += len(values)
	}
	keys := r.Header["Sec-Websocket-Key"]
	versions := r.Header["Sec-Websocket-Version"]
	if len(keys) != 1 || len(versions) != 1 {
		return false
	}
	nonce, err := base64.StdEncoding.DecodeString(keys[0])
	return err == nil && len(nonce) == 16 && len(keys[0]) == 24 &&
		versions[0] == "13" && r.Method == "GET" && r.Major == 1 && r.Minor >= 1 && r.Host != "" && r.Length == 0 &&
		listed(r.Header["Upgrade"], "websocket") && listed(r.Header["Connection"], "upgrade") &&
		lines <= 100 && len(ws.AppendRequest(nil, r))-2 <= 8<<10
}

// listed reports whether the comma-separated lists in lines have the word, in
// any ASCII case.
func listed(lines []string, word string) bool {
	for _, line := range lines {
		for part := range strings.SplitSeq(line, ",") {
			if asciiLower(strings.Trim(part, " \t")) == word {
				return true
			}
		}
	}
	return false
}

// chosen is the first of our subprotocols that the lines offer.
func chosen(lines []string) string {
	for _, ours := range subprotocols {
		for _, line := range lines {
			for part := range strings.SplitSeq(line, ",") {
				if strings.Trim(part, " \t") == ours {
					return ours
				}
			}
		}
	}
	return ""
}

func asciiLower(s string) string {
	b := []byte(s)
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return string(b)
}

func checkRefusal(t *testing.T, err error) {
	e, ok := errors.AsType[*ws.HandshakeError](err)
	if !ok {
		t.Fatalf("%T %v, want a *HandshakeError", err, err)
	}
	rule := e.Rule.Rule()
	if rule == nil || rule.Status != e.Status || e.Status < 400 || e.Status > 599 || e.Detail == "" || len(e.Error()) > 1000 {
		t.Fatalf("%+v does not fit its rule %+v", e, rule)
	}
}

// checkSwitch wants resp to be a 101 for key.
func checkSwitch(t *testing.T, resp *http.Response, key string) {
	sum := sha1.Sum([]byte(key + guid))
	if resp.StatusCode != 101 || resp.ProtoMajor != 1 || resp.ProtoMinor != 1 ||
		!slices.Equal(resp.Header["Upgrade"], []string{"websocket"}) || !slices.Equal(resp.Header["Connection"], []string{"Upgrade"}) ||
		!slices.Equal(resp.Header["Sec-Websocket-Accept"], []string{base64.StdEncoding.EncodeToString(sum[:])}) {
		t.Fatalf("answer %+v to key %q", resp, key)
	}
}

// FuzzResponse: NewClient takes an answer exactly if the list of §4.1 does,
// and then loses none of the frames behind it; if not, its error says what
// the server answered and the stream is closed.
func FuzzResponse(f *testing.F) {
	f.Fuzz(func(t *testing.T, seed uint64, wire []byte) {
		defer bounded()()
		br := bufio.NewReader(bytes.NewReader(wire))
		resp, readErr := http.ReadResponse(br, &http.Request{Method: "GET"})
		for n := 0; readErr == nil && resp.StatusCode/100 == 1 && resp.StatusCode != 101 && n < 8; n++ {
			resp, readErr = http.ReadResponse(br, &http.Request{Method: "GET"})
		}
		s := &stub{in: wire, cuts: xorshift(seed)}
		o := connOptions(ws.Limits{})
		o.Subprotocols = subprotocols
		c, err := wsnet.NewClient(context.Background(), s, "ws://example.com:8080/chat?x=1", &wsnet.DialOptions{Options: *o})
		legal := readErr == nil && legalResponse(resp) && len(wire) < 64<<10
		if (err == nil) != legal {
			t.Fatalf("%q: %v, but the list says %v", wire, err, legal)
		}
		r, reqErr := http.ReadRequest(bufio.NewReader(bytes.NewReader(s.written())))
		if reqErr != nil || r.Header.Get("Sec-Websocket-Key") != fixedKey || r.Host != "example.com:8080" || r.RequestURI != "/chat?x=1" {
			t.Fatalf("%v: sent %q", reqErr, s.written())
		}
		if err := ws.CheckRequest(requestOf(r), nil); err != nil {
			t.Fatalf("sent %q: %v", s.written(), err)
		}
		if err != nil {
			e, ok := errors.AsType[*ws.HandshakeError](err)
			switch {
			case !ok:
				t.Fatalf("%T %v, want a *HandshakeError", err, err)
			case readErr == nil && e.Status != resp.StatusCode && e.Rule != ws.RuleAnswerNotHTTP && len(wire) < 64<<10:
				t.Fatalf("status %d: %+v", resp.StatusCode, e)
			case len(e.Body) > 1<<10 || !s.closed || e.Detail == "" || e.Rule != "" && e.Rule.Rule() == nil:
				t.Fatalf("%q: %+v, closed %v", wire, e, s.closed)
			}
			return
		}
		if got := c.Subprotocol(); got != resp.Header.Get("Sec-Websocket-Protocol") {
			t.Fatalf("%q: subprotocol %q", wire, got)
		}
		frames, _ := io.ReadAll(br)
		want := decode(frames, ws.RoleClient, ws.DefaultMessageSize, ws.DefaultFragments)
		modes := xorshift(seed)
		checkEnd(t, c, readAll(t, c, &modes, want.messages(), len(wire)), want)
		closeAndWait(c)
	})
}

// extensionList is the grammar of §9.1, with the empty elements that a reader
// of a list takes (RFC 9110 §5.6.1). What a quoted string says is a token, too.
var extensionList = func() *regexp.Regexp {
	const (
		char   = "[!#$%&'*+.^_`|~0-9A-Za-z-]"
		quoted = `"(?:` + char + `|\\` + char + `)+"`
		param  = `[ \t]*;[ \t]*` + char + `+(?:[ \t]*=[ \t]*(?:` + char + `+|` + quoted + `))?`
		ext    = char + `+(?:` + param + `)*`
	)
	return regexp.MustCompile(`^(?:[ \t]*,)*[ \t]*(?:` + ext + `(?:[ \t]*(?:,[ \t]*)+` + ext + `)*[ \t]*(?:,[ \t]*)*)?$`)
}()

func legalExtensions(values []string) bool {
	return !slices.ContainsFunc(values, func(v string) bool { return !extensionList.MatchString(v) })
}

// legalResponse ticks off the client's list of §4.1.
func legalResponse(r *http.Response) bool {
	h := r.Header
	if n := h.Get("Content-Length"); n != "" && n != "0" {
		return false
	}
	return r.StatusCode == 101 && r.ProtoMajor == 1 && r.ProtoMinor >= 1 &&
		len(h["Upgrade"]) == 1 && asciiLower(h["Upgrade"][0]) == "websocket" &&
		listed(h["Connection"], "upgrade") &&
		len(h["Sec-Websocket-Accept"]) == 1 && strings.Trim(h["Sec-Websocket-Accept"][0], " \t") == fixedAccept &&
		len(h["Sec-Websocket-Extensions"]) == 0 &&
		len(h["Sec-Websocket-Protocol"]) < 2 && (len(h["Sec-Websocket-Protocol"]) == 0 || slices.Contains(subprotocols, h["Sec-Websocket-Protocol"][0])) &&
		len(r.TransferEncoding) == 0
}

// FuzzAccept: any bytes, sent to a real http.Server whose handler is Accept. A
// 101 goes out only to a request that the list takes and whose origin passes,
// once, with the right key; everything that goes out is well-formed; the
// frames behind the request arrive.
func FuzzAccept(f *testing.F) {
	server := newAcceptServer(f)
	f.Fuzz(func(t *testing.T, seed uint64, wire []byte) {
		defer bounded()()
		s := &acceptConn{stub: stub{in: wire, cuts: xorshift(seed)}, done: make(chan struct{})}
		server.conns <- s
		<-s.done
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.panicked != nil {
			t.Fatalf("%q: panic: %v", wire, s.panicked)
		}
		out := bufio.NewReader(bytes.NewReader(s.out))
		for i := 0; ; i++ {
			if _, err := out.Peek(1); err == io.EOF {
				break
			}
			method := &http.Request{Method: "GET"}
			if i < len(s.requests) {
				method.Method = s.requests[i].method
			}
			resp, err := http.ReadResponse(out, method)
			if err != nil {
				t.Fatalf("%q is answered with %q: %v", wire, s.out, err)
			}
			if resp.StatusCode == 100 { // the request has an Expect
				i--
				continue
			}
			body, err := []byte(nil), error(nil)
			if resp.StatusCode != 101 {
				body, err = io.ReadAll(resp.Body)
			}
			if err != nil {
				t.Fatalf("%q is answered with %q, whose body: %v", wire, s.out, err)
			}
			if i >= len(s.requests) { // net/http refused it by itself
				if resp.StatusCode < 400 {
					t.Fatalf("%q: status %d, but no request was seen", wire, resp.StatusCode)
				}
				continue
			}
			r := s.requests[i]
			if r.legal != (resp.StatusCode == 101) || r.legal != (r.err == nil) {
				t.Fatalf("%q: legal %v, status %d, %v", wire, r.legal, resp.StatusCode, r.err)
			}
			if !r.legal {
				checkRefusal(t, r.err)
				if r.method != "HEAD" && !bytes.Contains(body, []byte(r.err.Error())) {
					t.Fatalf("%q: the answer's text is %q, want %v", wire, body, r.err)
				}
				continue
			}
			checkSwitch(t, resp, r.key)
			rest, _ := io.ReadAll(out)
			if frames := decode(rest, ws.RoleClient, 0, 0); frames.Rule != "" || frames.Rest != 0 {
				t.Fatalf("%q is answered with %q, which does not end in frames: %+v", wire, s.out, frames)
			}
			if i == 0 {
				checkBehind(t, wire, r)
			}
		}
	})
}

// checkBehind wants the messages that r's connection read to be those behind
// the first request in wire.
func checkBehind(t *testing.T, wire []byte, r accepted) {
	br := bufio.NewReader(bytes.NewReader(wire))
	if _, err := http.ReadRequest(br); err != nil {
		return // the server skips what ReadRequest does not, such as an empty line before
	}
	rest, _ := io.ReadAll(br)
	want := decode(rest, ws.RoleServer, ws.DefaultMessageSize, ws.DefaultFragments)
	if !slices.Equal(r.messages, want.messages()) {
		t.Fatalf("%q: read %q, want %q", wire, r.messages, want.messages())
	}
}

// accepted is what the handler saw of one request.
type accepted struct {
	method, key string
	legal       bool
	err         error // of Accept
	messages    []event
}

// An acceptConn is a stub that a http.Server serves.
type acceptConn struct {
	stub
	hijacked bool // the handler says when it is over, not Close
	over     bool
	done     chan struct{} // closed when all has been written and noted
	requests []accepted
	panicked any
}

func (c *acceptConn) finish() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.over {
		c.over = true
		close(c.done)
	}
}

func (c *acceptConn) Close() error {
	c.stub.Close()
	return c.CloseWrite()
}

// CloseWrite is what net/http calls before it waits for half a second.
func (c *acceptConn) CloseWrite() error {
	c.mu.Lock()
	hijacked := c.hijacked
	c.mu.Unlock()
	if !hijacked {
		c.finish()
	}
	return nil
}

func (c *acceptConn) LocalAddr() net.Addr         { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 80} }
func (c *acceptConn) SetDeadline(time.Time) error { return nil }
func (c *acceptConn) RemoteAddr() net.Addr        { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1} }
