package wsspec

import (
	"errors"
	"fmt"

	"framewright/autobahn/wsspec/internal/deflate"
	"framewright/autobahn/wsspec/internal/inflate"
)

// A deflation is an open connection on which permessage-deflate is agreed on
// (RFC 7692 §7), and what was heard on it. All that the testee sends is held against
// what was agreed on.
type deflation struct {
	hearing
	d      *Dialogue
	agreed deflateParams

	window int    // that the suite sends in
	keeps  bool   // the suite may refer to what it has sent
	sent   []byte // its last 32 KiB

	inflate *inflate.Decoder
	packed  bool            // the message that comes is compressed
	stats   []inflate.Stats // of the testee's compressed messages
}

// maxEcho bounds a message of the testee's in bytes, once inflated: more than any case
// sends.
const maxEcho = 64 << 20

// newDeflation is for a connection that is open now.
func newDeflation(d *Dialogue, p deflateParams) *deflation {
	n := &deflation{d: d, agreed: p}
	out, in := window(p.clientBits), window(p.serverBits)
	outKeeps, inKeeps := !p.clientNoContext, !p.serverNoContext
	if d.Testee == Client {
		out, in, outKeeps, inKeeps = in, out, inKeeps, outKeeps
	}
	n.window, n.keeps = out, outKeeps
	n.inflate = inflate.New(inflate.Options{Window: in, NoContext: !inKeeps, Limit: maxEcho})
	return n
}

// errNotAgreed is why there is no deflation: the testee does not have the extension, or
// not what the case is about.
var errNotAgreed = errors.New("permessage-deflate is not agreed on")

// openDeflated opens a connection with what a case wants: to a server that is the
// offer, to a client the answer, if its offer allows it.
func (d *Dialogue) openDeflated(want deflateParams) (*deflation, error) {
	if d.Testee == Client {
		return d.answerDeflated(want)
	}
	err := d.Open(extensionsField + ": " + want.String())
	if err != nil {
		return nil, err
	}
	// Whether the answer fits the offer is for other cases to say.
	p, on, err := judgeAgreement(d.Answer, nil)
	if err != nil {
		return nil, err
	}
	if !on {
		return nil, errNotAgreed
	}
	return newDeflation(d, p), nil
}

// answerDeflated answers a client.
func (d *Dialogue) answerDeflated(want deflateParams) (*deflation, error) {
	offers, err := d.clientOffers()
	if err != nil {
		return nil, err
	}
	for _, o := range offers {
		p := want
		p.clientBitsAny = false
		p.serverNoContext = p.serverNoContext || o.serverNoContext
		if o.serverBits != 0 {
			p.serverBits = min(window(p.serverBits), o.serverBits)
		}
		if p.clientBits != 0 && !o.clientBitsAny && (o.clientBits == 0 || o.clientBits < p.clientBits) {
			continue
		}
		if err := d.Open(extensionsField + ": " + p.String()); err != nil {
			return nil, err
		}
		return newDeflation(d, p), nil
	}
	if err := d.Open(); err != nil {
		return nil, err
	}
	return nil, errNotAgreed
}

// clientOffers are the client's offers of permessage-deflate that are right.
func (d *Dialogue) clientOffers() ([]deflateParams, error) {
	all, err := parseExtensions(d.Request.Values(extensionsField))
	if err != nil {
		return nil, err
	}
	var offers []deflateParams
	for _, e := range all {
		if e.name == deflateName {
			o, err := readDeflate(e, false)
			if err != nil {
				return nil, err
			}
			offers = append(offers, o)
		}
	}
	return offers, nil
}

// judgeAgreement reads a server's answer to offers, all of which it may accept. The
// error says what is wrong with it.
func judgeAgreement(answer Head, offers []deflateParams) (p deflateParams, on bool, err error) {
	all, err := parseExtensions(answer.Values(extensionsField))
	if err != nil || len(all) == 0 {
		return p, false, err
	}
	if len(all) > 1 {
		return p, false, fmt.Errorf("the answer has %d extensions: %q", len(all), answer.Values(extensionsField))
	}
	if all[0].name != deflateName {
		return p, false, fmt.Errorf("the answer has %q, which was not offered", all[0])
	}
	if p, err = readDeflate(all[0], true); err != nil {
		return p, false, fmt.Errorf("the answer %q: %w", all[0], err)
	}
	if len(offers) == 0 {
		return p, true, nil
	}
	for _, o := range offers {
		if err = o.allows(p); err == nil {
			return p, true, nil
		}
	}
	return p, false, fmt.Errorf("the answer %q: %w", all[0], err)
}

// allows says why an answer does not fit an offer.
func (o deflateParams) allows(p deflateParams) error {
	switch {
	case o.serverNoContext && !p.serverNoContext:
		return errors.New("server_no_context_takeover was offered, and is not accepted with it (RFC 7692 §7.1.1.1)")
	case o.serverBits != 0 && p.serverBits == 0:
		return fmt.Errorf("server_max_window_bits=%d was offered, and is not accepted with it (RFC 7692 §7.1.2.1)", o.serverBits)
	case o.serverBits != 0 && p.serverBits > o.serverBits:
		return fmt.Errorf("server_max_window_bits=%d was offered (RFC 7692 §7.1.2.1)", o.serverBits)
	case p.clientBits != 0 && o.clientBits == 0 && !o.clientBitsAny:
		return errors.New("client_max_window_bits was not offered (RFC 7692 §7.1.2.2)")
	case o.clientBits != 0 && p.clientBits > o.clientBits:
		return fmt.Errorf("client_max_window_bits=%d was offered (RFC 7692 §7.1.2.2)", o.clientBits)
	}
	return nil
}

// pack compresses content as the suite's next message; it keeps to what was agreed on
// and uses all of it.
func (n *deflation) pack(content string) []byte {
	var history []byte
	if n.keeps {
		history = n.sent
	}
	b := deflate.Append(nil, history, []byte(content), n.window)
	n.said(content)
	return b
}

// said keeps what the suite has sent compressed.
func (n *deflation) said(content string) {
	n.sent = append(n.sent, content...)
	n.sent = n.sent[max(0, len(n.sent)-1<<15):]
}

// listen hears the testee until there is enough, or nothing more comes.
func (n *deflation) listen(enough func() bool) {
	for n.end == nil && !enough() {
		e := n.d.Next()
		if e.Err != nil {
			n.end = e.Err
			return
		}
		n.take(e)
		if e.Frame.Opcode == OpPing && !n.mute && n.close == nil {
			n.d.Send(Pong(string(e.Frame.Payload)))
		}
	}
}

// take notes a frame; a compressed message is noted with its content.
func (n *deflation) take(e Event) {
	f := &e.Frame
	if f.RSV&RSV1 != 0 {
		f.RSV &^= RSV1
		if f.Opcode == OpText || f.Opcode == OpBinary {
			n.packed = true
		} else {
			n.fault("RSV1 on a %s frame (RFC 7692 §6)", opcodeNames[f.Opcode])
		}
	} else if f.Opcode == OpText || f.Opcode == OpBinary {
		n.packed = false
	}
	had := len(n.messages)
	n.hearing.take(e)
	if len(n.messages) == had || !n.packed {
		return
	}
	m := &n.messages[had]
	content, stats, err := n.inflate.Message(nil, m.Payload)
	n.stats = append(n.stats, stats)
	if err != nil {
		n.fault("a message cannot be inflated, with %s agreed on: %v", n.agreed, err)
	}
	m.Payload = content
}

// A said is a message in the suite's frames, and what its echo is to say.
type said struct {
	frames  []Frame
	content Frame
}

// message is compressed content in one frame.
func (n *deflation) message(opcode byte, content string) said {
	return said{frames(Frame{Fin: true, RSV: RSV1, Opcode: opcode, Payload: n.pack(content)}), Frame{Fin: true, Opcode: opcode, Payload: []byte(content)}}
}

// raw is a text whose compressed form is given.
func (n *deflation) raw(payload []byte, content string) said {
	n.said(content)
	return said{frames(Frame{Fin: true, RSV: RSV1, Opcode: OpText, Payload: payload}), Text(content)}
}

// echoes sends messages, each in one write, and reports whether all echoes came; none is
// sent before the last one's came.
func (n *deflation) echoes(all ...said) bool {
	for _, s := range all {
		had := len(n.messages)
		n.d.Send(s.frames...)
		n.listen(func() bool { return n.close != nil || len(n.faults) > 0 || len(n.messages) > had })
		if len(n.faults) > 0 || n.close != nil || len(n.messages) != had+1 || !same(n.messages[had], s.content) {
			return false
		}
	}
	return true
}

// finish closes the connection and judges all.
func (n *deflation) finish(ok bool, expected string) Verdict {
	if !ok {
		return n.fail(expected)
	}
	had := len(n.messages)
	n.d.Send(CloseFrame(1000, ""))
	n.listen(func() bool { return n.close != nil })
	switch {
	case n.close == nil, len(n.faults) > 0, len(n.messages) != had:
		return n.fail(expected)
	case failure(n.close.CloseCode()):
		return Fail(expected, "the connection was failed: %v", n)
	}
	return n.pass(expected)
}

// fails sends what has to fail the connection: nothing comes back for it but a Close
// frame, with one of the codes, and the end.
func (n *deflation) fails(codes []int, bad ...Frame) Verdict {
	s := script{want: fails, codes: codes}
	had, pongs := len(n.messages), len(n.pongs)
	n.mute = true
	n.d.Send(bad...)
	answered := func() bool { return len(n.messages) > had || len(n.pongs) > pongs }
	n.listen(func() bool { return n.close != nil || len(n.faults) > 0 || answered() })
	s.end(n.d, &n.hearing)
	switch {
	case answered():
		return Fail(s.expected(), "what should have failed the connection was answered: %v", n)
	case len(n.faults) > 0:
		return n.fail(s.expected())
	case !n.over():
		return Fail(s.expected(), "the connection does not end: %v", n)
	case n.close != nil && !s.codeFits(n.close.CloseCode()), n.close == nil && !n.reset():
		return n.weak(s.expected())
	}
	return n.pass(s.expected())
}

// String tells what was heard, and what was agreed on.
func (n *deflation) String() string {
	return fmt.Sprintf("%v (%s)", &n.hearing, n.agreed)
}

// deflated plays a case on a connection with the given parameters.
func deflated(want deflateParams, play func(*deflation) Verdict) func(*Dialogue) Verdict {
	return func(d *Dialogue) Verdict {
		want := want
		if d.Testee == Client {
			// What a client says that it will do it may also want to hear.
			offers, _ := d.clientOffers()
			want.clientNoContext = want.clientNoContext || len(offers) > 0 && offers[0].clientNoContext
		}
		n, err := d.openDeflated(want)
		if errors.Is(err, errNotAgreed) {
			return notAgreed(d, want)
		}
		if err != nil {
			return Fail("an opening handshake", "%v", err)
		}
		return play(n)
	}
}

// notAgreed skips a case, once an uncompressed conversation has shown that the
// connection is sound.
func notAgreed(d *Dialogue, want deflateParams) Verdict {
	if v := (script{main: frames(Text("Hello"))}).on(d); v.Outcome == Failed {
		return v
	}
	if d.Testee == Client {
		if offers, _ := d.clientOffers(); len(offers) > 0 {
			return Skip("the client does not offer client_max_window_bits")
		}
	} else if d.CloseNow(); d.hasDeflate() {
		return Skip("no %s", want)
	}
	return Skip("no permessage-deflate")
}

// cutAt is a message whose only frame is cut before these bytes of its payload.
func (s said) cutAt(at ...int) said {
	f := s.frames[0]
	var out []Frame
	from := 0
	for _, to := range append(at, len(f.Payload)) {
		part := Frame{Payload: f.Payload[from:to]}
		if len(out) == 0 {
			part.Opcode, part.RSV = f.Opcode, f.RSV
		}
		out = append(out, part)
		from = to
	}
	out[len(out)-1].Fin = true
	return said{out, s.content}
}
