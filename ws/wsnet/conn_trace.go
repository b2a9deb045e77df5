package wsnet

import "framewright/ws"

// A frameTrace gathers an event for one direction. A nil one does nothing, so
// that a connection nobody listens to pays a comparison a frame.
type frameTrace struct {
	c      *Conn
	e      ws.TraceEvent
	report func(ws.TraceEvent)
	active bool // between begin and end
	held   bool // ended, but not reported before its message is inflated

	compressed bool   // the message under way
	content    []byte // of it
	length     int64
}

func newFrameTrace(c *Conn, sent bool) *frameTrace {
	if c.set.trace == nil {
		return nil
	}
	return &frameTrace{c: c, e: ws.TraceEvent{Conn: c.id, Role: c.Role(), Sent: sent}, report: c.set.trace}
}

func (t *frameTrace) begin(before ws.State, h *ws.Header, wire []byte) {
	if t != nil {
		in := &t.c.in
		t.header(before, h, wire, int64(t.c.stats.bytesIn.Load())-int64(in.w-in.r))
	}
}

func (t *frameTrace) header(before ws.State, h *ws.Header, wire []byte, offset int64) {
	t.flush()
	t.active = true
	t.e.Before, t.e.After, t.e.Header, t.e.Offset, t.e.Rule, t.e.Detail = before, before, *h, offset, "", ""
	t.e.Compressed, t.e.Content, t.e.ContentLength = false, nil, 0
	if !h.Opcode.IsControl() && t.c.Deflate() != nil {
		if h.Opcode != ws.OpContinuation {
			t.compressed = h.RSV == ws.RSV1
		}
		t.e.Compressed = t.compressed
	}
	t.e.Wire = append(t.e.Wire[:0], wire...)
	t.e.Payload = t.e.Payload[:0]
}

func (t *frameTrace) payload(p []byte) {
	if t != nil {
		t.e.Payload = append(t.e.Payload, p[:min(len(p), ws.TracePayload-len(t.e.Payload))]...)
	}
}

func (t *frameTrace) end(after ws.State) {
	if t != nil {
		t.e.After = after
		t.frame()
	}
}

// inflated adds p to what the current message inflates to.
func (t *frameTrace) inflated(p []byte) {
	if t != nil {
		t.content = append(t.content, p[:min(len(p), ws.TracePayload-len(t.content))]...)
		t.length += int64(len(p))
	}
}

// original is inflated for the whole message, or its first part.
func (t *frameTrace) original(p []byte) {
	if t != nil {
		t.content, t.length = t.content[:0], 0
		t.inflated(p)
	}
}

// frame reports a frame, or holds it until it is known what it inflates to.
func (t *frameTrace) frame() {
	if t.held = t.e.Compressed && t.e.Header.Fin; !t.held {
		t.send()
	} else if t.e.Sent {
		t.flush()
	}
	t.active = false
}

// flush reports the last frame of a compressed message, with what it inflates
// to; if that could not be read to its end, with as much as was.
func (t *frameTrace) flush() {
	if t != nil && t.held {
		t.held = false
		t.e.Content, t.e.ContentLength = t.content, t.length
		t.send()
		t.content, t.length = t.content[:0], 0
	}
}

// send is apart from its callers, whose stacks it would make larger.
//
//go:noinline
func (t *frameTrace) send() {
	t.active = false
	t.report(t.e)
}

func (t *frameTrace) violation(pe *ws.ProtocolError) {
	if t == nil {
		return
	}
	t.e.Detail = pe.Detail
	if t.held {
		t.e.Rule = pe.Rule
		t.flush()
		return
	}
	if !t.active {
		t.e.Header, t.e.Wire, t.e.Payload = ws.Header{}, nil, nil
		t.e.Compressed, t.e.Content, t.e.ContentLength = false, nil, 0
		t.e.Before = t.e.After
	}
	t.e.Rule = pe.Rule
	t.send()
}

// whole reports a frame that is about to be sent.
func (t *frameTrace) whole(out *outgoing, h *ws.Header, p []byte) {
	if t != nil {
		t.sent(out, h, p)
	}
}

func (t *frameTrace) sent(out *outgoing, h *ws.Header, p []byte) {
	t.header(out.state, h, h.Append(t.e.Wire[:0]), int64(t.c.stats.bytesOut.Load())+int64(len(out.pending)))
	t.payload(p)
	t.end(out.next)
}

// A shaking is an opening handshake under way, as its trace sees it.
type shaking struct {
	o    *Options
	role ws.Role
	id   uint64 // what will be Conn.ID
}

// on reports whether somebody listens: what is for the trace alone need not be
// made if not.
func (s *shaking) on() bool { return s.o != nil && s.o.Trace != nil }

// trace reports one half of the handshake, and the rule that it broke, if any.
func (s *shaking) trace(sent, parsed bool, text []byte, rule ws.RuleID) {
	if s.on() && (len(text) > 0 || rule != "") {
		s.o.Trace(ws.TraceEvent{Conn: s.id, Role: s.role, Sent: sent, Handshake: string(text), Parsed: parsed, Rule: rule})
	}
}
