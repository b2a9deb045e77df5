package wsspec

import (
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"
)

const (
	validRequest = `The handshake MUST be a valid HTTP request as specified by [RFC2616].`
	getMust      = `The method of the request MUST be GET, and the HTTP version MUST be at least 1.1.`
	targetMust   = `The "Request-URI" part of the request MUST match the /resource name/ defined in Section 3 (a relative URI) or be an absolute http/https URI`
	noFragment   = `[§3] Fragment identifiers are meaningless in the context of WebSocket URIs and MUST NOT be used on these URIs.`
	hostMust     = `The request MUST contain a |Host| header field whose value contains /host/ plus optionally ":" followed by /port/ (when not using the default port).`
	upgradeMust  = `The request MUST contain an |Upgrade| header field whose value MUST include the "websocket" keyword.`
	connMust     = `The request MUST contain a |Connection| header field whose value MUST include the "Upgrade" token.`
	keyMust      = `The value of this header field MUST be a nonce consisting of a randomly selected 16-byte value that has been base64-encoded`
	keyFresh     = `The nonce MUST be selected randomly for each connection.`
	versionMust  = `The request MUST include a header field with the name |Sec-WebSocket-Version|. The value of this header field MUST be 13.`
)

// clientRequest looks at what a client sends.
func (ch *chapter) clientRequest() {
	ch.nonces = &nonces{}
	look := func(word, title, clause, expected string, wrong func(Head) string) {
		ch.at("4.1", clause)
		ch.add(word, title, func(d *Dialogue) Verdict {
			defer d.hello()
			if w := wrong(d.Request); w != "" {
				return Fail(expected, "%s", w)
			}
			return Verdict{Outcome: Passed, Expected: expected, Actual: fmt.Sprintf("%.60q", d.Request.First)}
		})
	}
	once := func(name string, wrong func(value string) string) func(Head) string {
		return func(h Head) string {
			if vs := h.Values(name); len(vs) != 1 {
				return fmt.Sprintf("%s is there %d times: %q", name, len(vs), vs)
			}
			return wrong(h.Get(name))
		}
	}
	look("request-line", "the request line", getMust, "GET and HTTP/1.1", func(h Head) string {
		if f := strings.Split(h.First, " "); len(f) != 3 || f[0] != "GET" || f[2] != "HTTP/1.1" {
			return fmt.Sprintf("%.80q", h.First)
		}
		return ""
	})
	look("request-target", "the request's target", targetMust, "a path, or an http URI", func(h Head) string {
		_, rest, _ := strings.Cut(h.First, " ")
		if !strings.HasPrefix(rest, "/") && !strings.HasPrefix(rest, "http://") && !strings.HasPrefix(rest, "https://") {
			return fmt.Sprintf("%.80q", h.First)
		}
		return ""
	})
	look("request-fragment", "no fragment in the target", noFragment, "no #", func(h Head) string {
		if strings.Contains(h.First, "#") {
			return fmt.Sprintf("%.80q", h.First)
		}
		return ""
	})
	look("request-lines", "the request's lines", validRequest, "a name without spaces, a colon, and CR LF in each", wrongLines)
	look("request-host", "Host", hostMust, "Host, once, with a value", once("Host", func(v string) string {
		if v == "" || strings.ContainsAny(v, " ,/") {
			return fmt.Sprintf("Host is %q", v)
		}
		return ""
	}))
	look("request-upgrade", "Upgrade", upgradeMust, "websocket in Upgrade", func(h Head) string {
		if !h.Has("Upgrade", "websocket") {
			return fmt.Sprintf("Upgrade is %q", h.Values("Upgrade"))
		}
		return ""
	})
	look("request-connection", "Connection", connMust, "Upgrade in Connection", func(h Head) string {
		if !h.Has("Connection", "Upgrade") {
			return fmt.Sprintf("Connection is %q", h.Values("Connection"))
		}
		return ""
	})
	look("request-key", "Sec-WebSocket-Key", keyMust, "the base64 of 16 bytes, once", once("Sec-WebSocket-Key", func(v string) string {
		if b, err := base64.StdEncoding.Strict().DecodeString(v); err != nil || len(b) != 16 {
			return fmt.Sprintf("the key is %q", v)
		}
		return ""
	}))
	look("request-key-fresh", "a key that is no other connection's", keyFresh, "a key that did not come before and has no order in it", once("Sec-WebSocket-Key", ch.nonces.wrong))
	look("request-version", "Sec-WebSocket-Version", versionMust, "13, once", once("Sec-WebSocket-Version", func(v string) string {
		if v != "13" {
			return fmt.Sprintf("Sec-WebSocket-Version is %q", v)
		}
		return ""
	}))
	look("request-body", "no body", validRequest, "neither a length nor a coding", func(h Head) string {
		if n := h.Get("Content-Length"); n != "" && n != "0" || len(h.Values("Transfer-Encoding")) > 0 {
			return fmt.Sprintf("Content-Length %q, Transfer-Encoding %q", n, h.Values("Transfer-Encoding"))
		}
		return ""
	})
	look("request-subprotocols", "Sec-WebSocket-Protocol, if there is one", protocolList, "tokens, each once", func(h Head) string {
		seen := map[string]bool{}
		for _, p := range strings.Split(strings.Join(h.Values("Sec-WebSocket-Protocol"), ","), ",") {
			p = strings.Trim(p, " \t")
			if len(h.Values("Sec-WebSocket-Protocol")) > 0 && (!token(p) || seen[p]) {
				return fmt.Sprintf("Sec-WebSocket-Protocol is %q", h.Values("Sec-WebSocket-Protocol"))
			}
			seen[p] = true
		}
		return ""
	})
	ch.at("4.1", waitFirst)
	ch.add("request-waits", "the answer comes late", clientWaitsForAnswer)
}

// hello lets a client whose request was looked at have a short conversation.
func (d *Dialogue) hello() { script{main: frames(Text("Hello"))}.play(d) }

func wrongLines(h Head) string {
	for _, line := range strings.Split(strings.TrimSuffix(h.Raw, "\r\n\r\n"), "\r\n")[1:] {
		name, value, ok := strings.Cut(line, ":")
		if !ok || !token(name) || strings.ContainsAny(value, "\r\n\x00") {
			return fmt.Sprintf("the line %.80q", line)
		}
	}
	return ""
}

// token reports whether s is a token (RFC 9110 §5.6.2).
func token(s string) bool {
	for _, c := range []byte(s) {
		if c <= ' ' || c >= 0x7F || strings.IndexByte(`"(),/:;<=>?@[\]{}`, c) >= 0 {
			return false
		}
	}
	return s != ""
}

// clientWaitsForAnswer keeps the answer back for a moment.
func clientWaitsForAnswer(d *Dialogue) Verdict {
	const expected = "nothing behind the request until the answer has come"
	early := d.Rest()
	if len(early) == 0 {
		buf := make([]byte, 512)
		d.conn.SetReadDeadline(time.Now().Add(min(200*time.Millisecond, d.Patience)))
		n, err := d.conn.Read(buf)
		d.conn.SetReadDeadline(time.Time{})
		if early = buf[:n]; n == 0 && !errors.Is(err, os.ErrDeadlineExceeded) {
			return Fail(expected, "%s", endWords(named(err, d.Patience)))
		}
	}
	if len(early) > 0 {
		return Fail(expected, "% x came", early[:min(len(early), 40)])
	}
	v := script{main: frames(Text("Hello"))}.play(d)
	v.Expected = expected
	return v
}

// nonces remembers the keys that came, to see one that comes again. It forgets the
// oldest.
type nonces struct {
	mu   sync.Mutex
	seen []string
}

const noncesKept = 1024

// count reports how often a key was there.
func (n *nonces) count(key string) int {
	n.mu.Lock()
	defer n.mu.Unlock()
	times := 0
	for _, k := range n.seen {
		if k == key {
			times++
		}
	}
	return times
}

func (n *nonces) note(key string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(n.seen) == noncesKept {
		n.seen = n.seen[1:]
	}
	n.seen = append(n.seen, key)
}

// wrong says why a key cannot be random. That of this dialogue is noted already.
func (n *nonces) wrong(key string) string {
	if times := n.count(key); times > 1 {
		return fmt.Sprintf("the key %q came on %d connections", key, times)
	}
	if key == "dGhlIHNhbXBsZSBub25jZQ==" || key == "x3JJHMbDL1EzLkh9GBhXDw==" {
		return fmt.Sprintf("the key %q is one that documents have as an example", key)
	}
	b, err := base64.StdEncoding.DecodeString(key)
	if err != nil || len(b) < 2 {
		return fmt.Sprintf("the key %q", key)
	}
	steps := map[byte]int{}
	for i := range b[1:] {
		steps[b[i+1]-b[i]]++
	}
	for step, n := range steps {
		if n > len(b)/2 {
			return fmt.Sprintf("the bytes of the key % x go up by %d", b, step)
		}
	}
	return ""
}

// An answer is the server's part of a handshake as data.
type answer struct {
	before string // heads in front of it
	edits  []edit
	end    string // of a line; "" is CR LF
	cut    cut
	near   []Frame // behind it in the same write, when it is right
	short  int     // so many bytes of its end are not sent, and TCP ends there

	want taken
}

// taken is what a client may make of an answer.
type taken byte

const (
	opens   taken = iota // the answer is right: the client's messages come
	refuses              // the client fails the connection: it ends TCP
	ignores              // no connection comes about; what becomes of TCP is HTTP's affair
	mayOpen              // opens or refuses
)

// play sends the answer, with a text glued to it that nobody may echo if the answer
// is wrong.
func (a answer) play(d *Dialogue) Verdict {
	end := a.end
	if end == "" {
		end = "\r\n"
	}
	head := a.before + strings.Join(edited(d.AnswerLines(), a.edits), end) + end + end
	if a.short > 0 {
		d.Write([]byte(head[:len(head)-a.short]))
		if err := d.CloseWrite(); err != nil {
			return Skip("%v", err)
		}
		return a.refused(d)
	}
	glued := a.near
	if a.want != opens {
		glued = frames(Text("bad"))
	}
	d.writeCut(append([]byte(head), d.Encode(glued...)...), a.cut)
	if a.want == ignores {
		d.CloseWrite()
	}
	if a.want != opens {
		return a.refused(d)
	}
	v := a.opened(d, glued)
	v.Expected = a.expected()
	return v
}

// opened goes on with a client that has taken the answer.
func (a answer) opened(d *Dialogue, near []Frame) Verdict {
	h := &hearing{}
	if len(near) > 0 && !h.await(d, near) {
		return h.fail("")
	}
	return script{main: frames(Text("Hello"))}.on(d)
}

// refused judges what a client does with an answer that is wrong. The frames that it
// sends are the proof that it has taken it.
func (a answer) refused(d *Dialogue) Verdict {
	h := &hearing{mute: true}
	h.listen(d, func() bool { return len(h.messages) > 0 || h.close != nil })
	if a.want == mayOpen && len(h.messages) > 0 {
		v := script{main: frames(Text("Hello"))}.on(d)
		v.Expected, v.Actual = a.expected(), "it is taken: "+v.Actual
		return v
	}
	if h.close != nil {
		d.CloseWrite()
		h.listen(d, never)
	}
	switch {
	case len(h.messages) > 0, len(h.pongs) > 0:
		return Fail(a.expected(), "the client has taken it: %v", h)
	case !h.over() && a.want != ignores:
		return Fail(a.expected(), "the client leaves TCP open: %v", h)
	}
	return h.pass(a.expected())
}

func (a answer) expected() string {
	switch a.want {
	case opens:
		return "the client takes it: messages are echoed"
	case refuses:
		return "the client ends TCP and echoes nothing"
	case ignores:
		return "the client echoes nothing"
	}
	return "messages are echoed; or the client ends TCP"
}
