package fact

import (
	"fmt"
	"strings"
	"sync"

	"framewright/lab/inflate"
	"framewright/ws"
)

// The bounds of a Follower, in bytes: of a message's payload, all its frames together.
// Besides it keeps a window.
const followedPayload = 32 << 10

// FollowedTokens is how many tokens of a message a Tracker lists.
const FollowedTokens = 128

// A Follower explains the compressed messages of one direction of a connection. It keeps
// the window (RFC 7692 §7.1.1), if that was agreed, and bounds what else it keeps: what it
// has not seen it knows to be unknown.
type Follower struct {
	bits int
	keep bool

	payload []byte // of the message under way, its beginning
	whole   int64  // how long that is
	lacks   bool   // there is more of it that never came

	window []byte // what messages came to, the last 2^bits bytes of it; 0 for what is unknown
	known  int    // bytes at its end with nothing unknown among them
}

// NewFollower follows a direction with a window of 2^bits bytes, which is kept from
// message to message or not.
func NewFollower(bits int, keep bool) *Follower {
	return &Follower{bits: bits, keep: keep}
}

// Add adds payload of the message: p, or as much of it as is known, of whole bytes.
func (f *Follower) Add(p []byte, whole int64) {
	if int64(len(f.payload)) == f.whole { // nothing is missing before it
		f.payload = append(f.payload, p[:min(len(p), followedPayload-len(f.payload))]...)
	}
	f.whole += whole
}

// Lacks says that the message is not whole: that it ends where it does is no mistake.
func (f *Follower) Lacks() { f.lacks = true }

// End explains the message, and remembers what it came to: length bytes, which begin with
// content. At most so many tokens are listed.
func (f *Follower) End(content []byte, length int64, tokens int) *Inflate {
	defer func() { f.payload, f.whole, f.lacks = nil, 0, false }()
	size := 1 << f.bits
	blind := f.known < len(f.window) // some of the window is unknown
	if tokens < 1 {
		tokens = -1
	}
	m, err := inflate.Explain(f.payload, inflate.Options{
		Context: f.window, Bits: f.bits, MaxContent: inflateContent, MaxTokens: tokens, MaxBlocks: inflateBlocks,
		Partial: f.lacks || int64(len(f.payload)) < f.whole,
	})
	text := m.Content
	if blind || len(content) > len(text) {
		text = content
	}
	text = text[:min(int64(len(text)), max(length, int64(len(content))))]
	out := ofMessage(m, f.payload, text, err)
	out.Compressed, out.Length, out.WindowBits, out.Keep = f.whole, length, f.bits, f.keep
	if blind {
		out.Notes = append(out.Notes, fmt.Sprintf("of what came before the message, only the last %d bytes are known", f.known))
	}
	if listed := out.Listed(); listed < m.AllTokens {
		out.Notes = append(out.Notes, fmt.Sprintf("%d of %d tokens are shown", listed, m.AllTokens))
	}
	if err == nil && m.Context > 0 && int64(len(text)) == length && length <= followedPayload {
		out.Alone = int64(len(NewDeflater(f.bits).Message(text)))
	}
	if f.keep {
		f.remember(text, length, size)
	}
	out.say()
	return out
}

// remember adds text to the window, and what is missing of length bytes behind it.
func (f *Follower) remember(text []byte, length int64, size int) {
	f.push(text, size)
	f.known = min(f.known+len(text), size)
	if missing := length - int64(len(text)); missing > 0 {
		f.push(make([]byte, min(missing, int64(size))), size)
		f.known = 0
	}
}

// push adds p to the window, whose memory is never much more than size bytes.
func (f *Follower) push(p []byte, size int) {
	p = p[max(0, len(p)-size):]
	if over := len(f.window) + len(p) - size; over > 0 {
		f.window = append(f.window[:0], f.window[over:]...)
	}
	f.window = append(f.window, p...)
}

// A Tracker makes facts of the events of one connection, and explains its compressed
// messages. Both directions may be told of at the same time. The zero Tracker is ready.
type Tracker struct {
	mu         sync.Mutex
	directions [2]*Follower // received, sent; nil without permessage-deflate
	forgotten  bool
}

// Of explains an event. What it returns shares no memory with e.
func (t *Tracker) Of(e ws.TraceEvent) Fact {
	f := Of(e)
	f.Inflate = t.Inflate(e)
	return f
}

// Inflate is that of the message which ends with e; nil if none does.
func (t *Tracker) Inflate(e ws.TraceEvent) *Inflate {
	if e.Handshake == "" && !e.Compressed {
		return nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if e.Handshake != "" {
		t.agreed(e.Role, e.Handshake, false)
		return nil
	}
	direction := t.directions[0]
	if e.Sent {
		direction = t.directions[1]
	}
	if direction == nil || len(e.Wire) == 0 {
		return nil
	}
	direction.Add(e.Payload, e.Header.Length)
	if !e.Header.Fin && e.Rule != "" {
		direction.Lacks()
	}
	if e.Header.Fin || e.Rule != "" {
		return direction.End(e.Content, e.ContentLength, FollowedTokens)
	}
	return nil
}

// Handshake is for a connection that comes late to t: a fact of its handshake. missed says
// that compressed messages have gone by.
func (t *Tracker) Handshake(f Fact, missed bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	role := ws.RoleServer
	if f.Role == ws.RoleClient.String() {
		role = ws.RoleClient
	}
	t.agreed(role, f.Head, missed)
}

// agreed notes what an answer says that was agreed on.
func (t *Tracker) agreed(role ws.Role, answer string, missed bool) {
	if t.forgotten || !strings.HasPrefix(answer, "HTTP/") {
		return
	}
	var values []string
	for line := range strings.SplitSeq(answer, "\r\n") {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.EqualFold(name, "Sec-WebSocket-Extensions") {
			values = append(values, strings.TrimSpace(value))
		}
	}
	p, err := ws.CheckDeflate(values, &ws.Compression{SendContext: true, ReceiveContext: true})
	if p != nil && err == nil {
		t.directions = [2]*Follower{NewFollower(p.Receiving(role)), NewFollower(p.Sending(role))}
		for _, d := range t.directions {
			if missed && d.keep {
				d.window = make([]byte, 1<<d.bits) // with nothing known of it
			}
		}
	}
}

// Forget frees what is remembered. Messages that are still to come are not explained.
func (t *Tracker) Forget() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.directions, t.forgotten = [2]*Follower{}, true
}
