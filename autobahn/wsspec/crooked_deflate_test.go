package wsspec

import (
	"context"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"framewright/autobahn/wsspec/internal/deflate"
	"framewright/autobahn/wsspec/internal/inflate"
)

// A deflater is a testee of either role that has permessage-deflate and keeps all of
// RFC 7692 but what its quirk says.
type deflater struct{ quirk string }

// deflaterQuirks are what these testees do, the most telling first.
var deflaterQuirks = []string{
	"leaves-tail", "plain-is-context", "stops-at-final-block", "inflates-fragments", "inflates-first-fragment",
	"takes-rsv", "takes-any-text", "takes-corrupt", "leaves-window", "keeps-context",
	"inflates-everything", "knows-no-stored-blocks", "forgets-context", "inflates-in-8-bits",
	"answers-client-bits", "answers-too-much", "answers-first-offer", "answers-all-offers", "accepts-any-offer",
	"takes-any-answer", "offers-little-and-takes-any-answer", "offers-10-and-takes-any-answer",
	"rsv1-on-continuations", "refuses-rsv1", "echoes-nothing", "offers-16",
}

// agree answers the offers of a client; ok is whether the handshake goes on.
func (x deflater) agree(fields []string) (p deflateParams, field string, ok bool) {
	all, err := parseExtensions(fields)
	list := strings.Join(fields, ", ")
	first, _, _ := strings.Cut(strings.TrimLeft(list, ", "), ",")
	switch x.quirk {
	case "accepts-any-offer":
		if strings.Contains(list, deflateName) {
			return p, deflateName, true
		}
	case "answers-first-offer":
		if strings.Contains(list, deflateName) {
			return p, strings.TrimSpace(first), true
		}
	case "answers-all-offers":
		if strings.Contains(list, deflateName) {
			return p, list, true
		}
	}
	if err != nil {
		return p, "", false
	}
	for _, e := range all {
		if e.name != deflateName {
			continue
		}
		o, err := readDeflate(e, false)
		if err != nil {
			continue
		}
		p = deflateParams{serverNoContext: o.serverNoContext, serverBits: o.serverBits}
		switch x.quirk {
		case "answers-client-bits":
			p.clientBits = 15
		case "answers-too-much":
			p.serverBits = 15
		}
		return p, p.String(), true
	}
	return p, "", true
}

// offer is what it asks a server for.
func (x deflater) offer() string {
	switch x.quirk {
	case "offers-16":
		return deflateName + "; server_max_window_bits=16"
	case "offers-little-and-takes-any-answer":
		return deflateName
	case "offers-10-and-takes-any-answer":
		return deflateName + "; server_max_window_bits=10"
	}
	return deflateName + "; client_max_window_bits"
}

// takes reads a server's answer.
func (x deflater) takes(h Head) (p deflateParams, on, ok bool) {
	p, on, err := judgeAgreement(h, []deflateParams{{clientBitsAny: true}})
	if strings.HasSuffix(x.quirk, "takes-any-answer") && err != nil {
		return deflateParams{}, true, true
	}
	return p, on, err == nil
}

// deflaterServer serves until the test ends; its URL is returned.
func deflaterServer(t testing.TB, quirk string) string {
	return serveEach(t, func(_ context.Context, _ net.Listener, conn net.Conn) { deflater{quirk}.serve(conn) })
}

func (x deflater) serve(conn net.Conn) {
	raw, rest, err := readRequest(conn)
	if err != nil {
		return
	}
	d := Dialogue{Testee: Client, Request: parseHead(string(raw))}
	p, field, ok := x.agree(d.Request.Values(extensionsField))
	if !ok {
		conn.Write(Lines([]string{"HTTP/1.1 400 Bad Request", "Content-Length: 0", "Connection: close"}))
		return
	}
	lines := d.AnswerLines()
	if field != "" {
		lines = append(lines, extensionsField+": "+field)
	}
	conn.Write(Lines(lines))
	x.talk(conn, rest, p, field != "", false)
}

// client is a clientTestee.
func (x deflater) client(ctx context.Context, url string) {
	host, path, _ := strings.Cut(strings.TrimPrefix(url, "ws://"), "/")
	conn, err := net.Dial("tcp", host)
	if err != nil {
		return
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	d := Dialogue{target: &target{host: host, path: "/" + path}}
	key := NewKey()
	conn.Write(Lines(d.RequestLines(key, extensionsField+": "+x.offer())))
	raw, rest, err := readRequest(conn)
	if err != nil || checkAnswer(parseHead(string(raw)), key) != nil {
		return
	}
	if p, on, ok := x.takes(parseHead(string(raw))); ok {
		x.talk(conn, rest, p, on, true)
	}
}

// A deflating is one connection of a deflater.
type deflating struct {
	deflater
	conn         net.Conn
	client, on   bool
	out          int // the window that it sends in
	keeps        bool
	inflate      *inflate.Decoder
	sent         []byte
	first        Frame
	open, packed bool
	payload      []byte
}

func (x deflater) talk(conn net.Conn, b []byte, p deflateParams, on, client bool) {
	t := &deflating{deflater: x, conn: conn, client: client, on: on}
	in, inKeeps := window(p.clientBits), !p.clientNoContext
	t.out, t.keeps = window(p.serverBits), !p.serverNoContext
	if client {
		in, t.out, inKeeps, t.keeps = t.out, in, t.keeps, inKeeps
	}
	switch x.quirk {
	case "leaves-window":
		t.out = 15
	case "keeps-context":
		t.keeps = true
	case "forgets-context":
		inKeeps = false
	case "inflates-in-8-bits":
		in = 8
	}
	t.inflate = inflate.New(inflate.Options{Window: in, NoContext: !inKeeps, Limit: 100 << 20})
	for {
		r := read(b, !client)
		if r.broken != "" || len(r.faults) > 0 {
			return
		}
		if r.size == 0 {
			more := make([]byte, 64<<10)
			n, err := conn.Read(more)
			if b = append(b, more[:n]...); err != nil {
				return
			}
			continue
		}
		b = b[r.size:]
		if code := t.frame(r.frame); code != 0 {
			if code > 0 {
				t.write(CloseFrame(code, ""))
			}
			if client {
				io.Copy(io.Discard, conn)
			}
			return
		}
	}
}

func (t *deflating) write(f Frame) { t.conn.Write(f.Append(nil, t.client)) }

// frame acts on a frame. It returns the code to fail the connection with, -1 to end it,
// 0 to go on.
func (t *deflating) frame(f Frame) int {
	allowed := byte(0)
	if t.on && (f.Opcode == OpText || f.Opcode == OpBinary) {
		allowed = RSV1
	}
	if f.RSV&^allowed != 0 && t.quirk != "takes-rsv" || f.RSV != 0 && t.quirk == "refuses-rsv1" {
		return 1002
	}
	switch f.Opcode {
	case OpPing:
		t.write(Pong(string(f.Payload)))
		return 0
	case OpPong:
		return 0
	case OpClose:
		t.write(Frame{Fin: true, Opcode: OpClose, Payload: f.Payload})
		return -1
	case OpContinuation:
		if !t.open {
			return 1002
		}
	default:
		if t.open {
			return 1002
		}
		t.first, t.payload, t.packed = f, nil, t.on && f.RSV&RSV1 != 0 || t.on && t.quirk == "inflates-everything"
	}
	t.open = !f.Fin
	part := f.Payload
	if t.packed && (t.quirk == "inflates-fragments" || t.quirk == "inflates-first-fragment" && (f.Opcode != OpContinuation)) {
		var err error
		if part, err = t.unpack(part); err != nil {
			return 1007
		}
	}
	if t.payload = append(t.payload, part...); !f.Fin {
		return 0
	}
	content := t.payload
	if t.packed && !strings.HasSuffix(t.quirk, "fragments") && !strings.HasSuffix(t.quirk, "-fragment") {
		var err error
		if content, err = t.unpack(content); err != nil && t.quirk != "takes-corrupt" {
			return 1007
		}
	} else if t.quirk == "plain-is-context" {
		packed := deflate.Append(nil, nil, content, 8)
		t.unpack(packed)
	}
	if t.first.Opcode == OpText && !utf8.Valid(content) && t.quirk != "takes-any-text" {
		return 1007
	}
	if t.quirk != "echoes-nothing" {
		t.echo(content)
	}
	return 0
}

func (t *deflating) unpack(b []byte) ([]byte, error) {
	content, stats, err := t.inflate.Message(nil, b)
	if stats.Final > 0 && t.quirk == "stops-at-final-block" || stats.Stored > 1 && t.quirk == "knows-no-stored-blocks" {
		return nil, io.ErrUnexpectedEOF
	}
	return content, err
}

func (t *deflating) echo(content []byte) {
	f := Frame{Fin: true, Opcode: t.first.Opcode, Payload: content}
	if t.on {
		var history []byte
		if t.keeps {
			history = t.sent
			t.sent = append(t.sent, content...)
			t.sent = t.sent[max(0, len(t.sent)-1<<15):]
		}
		f.RSV, f.Payload = RSV1, deflate.Append(nil, history, content, t.out)
		if t.quirk == "leaves-tail" && len(content) == 300 {
			f.Payload = append(f.Payload, 0, 0, 0xff, 0xff)
		}
	}
	if t.quirk == "rsv1-on-continuations" && t.on && len(f.Payload) > 100 {
		n := len(f.Payload) / 2
		f.Fin = false
		last := Frame{Fin: true, RSV: RSV1, Payload: slices.Clone(f.Payload[n:])}
		f.Payload = f.Payload[:n]
		t.write(f)
		f = last
	}
	t.write(f)
}
