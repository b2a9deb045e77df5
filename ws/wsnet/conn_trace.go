package wsnet

import "framewright/ws"

// A frameTrace gathers an event for one direction. A nil one does nothing, so
// that a connection nobody listens to pays a comparison a frame.
type frameTrace struct {
	link    *link
	e       ws.TraceEvent
	report  func(ws.TraceEvent)
	active  bool // between begin and end
	deflate bool // permessage-deflate was negotiated
	held    bool // ended, but not reported before its message is inflated

	compressed bool   // the message under way
	content    []byte // of it
	length     int64
}

func newFrameTrace(l *link, sent, deflate bool) *frameTrace {
	if l.set.trace == nil {
		return nil
	}
	return &frameTrace{link: l, e: ws.TraceEvent{Conn: l.id, Role: l.ep.Out.Role(), Sent: sent}, report: l.set.trace, deflate: deflate}
}

// next is rx.Next, and reports what comes of it; offset is that of b.
func (t *frameTrace) next(rx *ws.Receiver, b []byte, offset int64) (ev ws.Event, n int, err error) {
	before, starts := rx.State(), rx.Remaining() == 0
	ev, n, err = rx.Next(b)
	head := 0
	if starts && (n > 0 || err != nil) {
		h := rx.Frame()
		if head = h.Size(); brokenByHeader(err) {
			head = max(n, min(2, len(b)))
		}
		t.header(before, h, b[:head], offset)
	}
	if head < n {
		t.payload(b[head:n])
	}
	if err == nil && n > 0 && rx.Remaining() == 0 {
		t.end(rx.State())
	}
	return ev, n, err
}

// brokenByHeader reports whether it was a frame's header, and not its payload, that broke
// a rule.
func brokenByHeader(err error) bool {
	pe, ok := err.(*ws.ProtocolError)
	if !ok {
		return false
	}
	switch pe.Rule {
	case ws.RuleTextUTF8, ws.RuleCloseLength, ws.RuleCloseUTF8, ws.RuleCloseCode:
		return false
	}
	return true
}

func (t *frameTrace) header(before ws.State, h *ws.Header, wire []byte, offset int64) {
	t.flush()
	t.active = true
	t.e.Before, t.e.After, t.e.Header, t.e.Offset, t.e.Rule, t.e.Detail = before, before, *h, offset, "", ""
	t.e.Compressed, t.e.Content, t.e.ContentLength = false, nil, 0
	if !h.Opcode.IsControl() && t.deflate {
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

// whole reports a frame that is about to be sent, behind some that wait.
func (t *frameTrace) whole(h *ws.Header, p []byte, waiting int) {
	tx := &t.link.ep.Out
	t.header(tx.Before(), h, h.Append(t.e.Wire[:0]), int64(t.link.stats.bytesOut.Load())+int64(waiting))
	t.payload(p)
	t.end(tx.State())
}

// A shaking is an opening handshake under way, as its trace sees it.
type shaking struct {
	o    *Options
	role ws.Role
	id   uint64 // what will be Conn.ID
}

// on reports whether somebody listens: what is for the trace alone need not be
// made if not.
func (s *shaking) on() bool { return s.o.Trace != nil }

// trace reports one half of the handshake, and the rule that it broke, if any.
func (s *shaking) trace(sent, parsed bool, text []byte, rule ws.RuleID) {
	if s.on() && (len(text) > 0 || rule != "") {
		s.o.Trace(ws.TraceEvent{Conn: s.id, Role: s.role, Sent: sent, Handshake: string(text), Parsed: parsed, Rule: rule})
	}
}
