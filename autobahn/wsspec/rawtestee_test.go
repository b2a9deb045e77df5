package wsspec

import (
	"context"
	"io"
	"net"
	"strings"
	"testing"

	"framewright/autobahn/wsspec/internal/deflate"
	"framewright/autobahn/wsspec/internal/inflate"
)

// A rawTestee is a testee of either role that echoes, made to be broken: it checks
// next to nothing, and each field makes it do something else than it ought to.
type rawTestee struct {
	// extensions is what it offers, or answers when it was given these offers; "" is no
	// field.
	extensions string
	answer     func(offers []string) string

	window   int  // that it compresses in; 0: 15
	forgets  bool // it does not keep what it has received
	keeps    bool // it refers to what it has sent
	plain    bool // it compresses nothing
	reads    int  // the window that it inflates in; 0: 15
	noCheck  bool // it takes a message that cannot be inflated for an empty one
	strict   bool // it fails the connection for RSV1 where none may be
	silent   bool // it echoes nothing
	stays    bool // it never ends TCP
	noClose  bool // it answers no Close
	closes   int  // the code that it answers a Close with; 0: the same
	ends     int  // it ends the connection behind so many messages, with a Close if sends it
	endsWith *Frame

	// pack makes an echo's payload, if it is not the usual one.
	pack func(t *rawTalk, content []byte) []byte
	// send makes its frames.
	send func(t *rawTalk, f Frame) []Frame
}

// A rawTalk is one connection of it.
type rawTalk struct {
	*rawTestee
	conn    net.Conn
	client  bool
	inflate *inflate.Decoder
	sent    []byte // history
	count   int
	partial []byte
	first   Frame
}

// server serves any number of connections; its URL is returned.
func (r *rawTestee) server(t *testing.T) string {
	t.Helper()
	return serveEach(t, func(_ context.Context, _ net.Listener, conn net.Conn) {
		raw, rest, err := readRequest(conn)
		if err != nil {
			return
		}
		head := parseHead(string(raw))
		lines := []string{"HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade",
			"Sec-WebSocket-Accept: " + AcceptFor(head.Get("Sec-WebSocket-Key"))}
		field := r.extensions
		if r.answer != nil {
			field = r.answer(head.Values(extensionsField))
		}
		if field != "" {
			lines = append(lines, extensionsField+": "+field)
		}
		conn.Write(Lines(lines))
		r.talk(conn, rest, false, field != "")
	}) + "/"
}

// client is the other role.
func (r *rawTestee) client(ctx context.Context, url string) {
	host, path, _ := strings.Cut(strings.TrimPrefix(url, "ws://"), "/")
	conn, err := net.Dial("tcp", host)
	if err != nil {
		return
	}
	defer conn.Close()
	lines := []string{"GET /" + path + " HTTP/1.1", "Host: " + host, "Upgrade: websocket", "Connection: Upgrade",
		"Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="}
	if r.extensions != "" {
		lines = append(lines, extensionsField+": "+r.extensions)
	}
	conn.Write(Lines(lines))
	raw, rest, err := readRequest(conn)
	if err == nil {
		r.talk(conn, rest, true, len(parseHead(string(raw)).Values(extensionsField)) > 0)
	}
}

func (r *rawTestee) talk(conn net.Conn, b []byte, client, agreed bool) {
	t := &rawTalk{rawTestee: r, conn: conn, client: client}
	t.inflate = inflate.New(inflate.Options{Window: r.reads, NoContext: r.forgets})
	for {
		f := read(b, !client)
		if f.broken != "" {
			return
		}
		if f.size > 0 {
			b = b[f.size:]
			if !t.frame(f.frame, agreed) {
				return
			}
			continue
		}
		more := make([]byte, 64<<10)
		n, err := conn.Read(more)
		if b = append(b, more[:n]...); err != nil {
			return
		}
	}
}

func (t *rawTalk) write(frames ...Frame) {
	var b []byte
	for _, f := range frames {
		b = f.Append(b, t.client)
	}
	t.conn.Write(b)
}

// fail fails the connection.
func (t *rawTalk) fail(code int) bool {
	t.write(CloseFrame(code, ""))
	if t.client {
		io.Copy(io.Discard, t.conn)
	}
	return false
}

func (t *rawTalk) frame(f Frame, agreed bool) (more bool) {
	switch f.Opcode {
	case OpPing:
		t.write(Pong(string(f.Payload)))
		return true
	case OpPong:
		return true
	case OpClose:
		if t.noClose {
			io.Copy(io.Discard, t.conn)
			return false
		}
		if t.closes != 0 {
			f = CloseFrame(t.closes, "")
		}
		t.write(Frame{Fin: true, Opcode: OpClose, Payload: f.Payload})
		if t.client || t.stays {
			io.Copy(io.Discard, t.conn)
		}
		return false
	}
	if f.Opcode != OpContinuation {
		t.first, t.partial = f, nil
	}
	t.partial = append(t.partial, f.Payload...)
	if t.strict && f.RSV != 0 && (!agreed || f.Opcode == OpContinuation) {
		return t.fail(1002)
	}
	if !f.Fin {
		return true
	}
	content := t.partial
	if t.first.RSV == RSV1 && agreed {
		var err error
		if content, _, err = t.inflate.Message(nil, t.partial); err != nil {
			if !t.noCheck {
				return t.fail(1007)
			}
			t.inflate.Reset(inflate.Options{Window: t.reads, NoContext: t.forgets})
		}
	}
	if t.count++; t.silent {
		return true
	}
	t.echo(content, agreed)
	if t.ends > 0 && t.count >= t.ends {
		if t.endsWith != nil {
			t.write(*t.endsWith)
			io.Copy(io.Discard, t.conn)
		}
		return false
	}
	return true
}

func (t *rawTalk) echo(content []byte, agreed bool) {
	out := Frame{Fin: true, Opcode: t.first.Opcode, Payload: content}
	if agreed && !t.plain {
		out.RSV = RSV1
		if t.pack != nil {
			out.Payload = t.pack(t, content)
		} else {
			out.Payload = t.usual(content)
		}
	}
	if t.send != nil {
		t.write(t.send(t, out)...)
		return
	}
	t.write(out)
}

// usual compresses a message and remembers it.
func (t *rawTalk) usual(content []byte) []byte {
	var history []byte
	if t.keeps {
		history = t.sent
		t.sent = append(t.sent, content...)
	}
	return deflate.Append(nil, history, content, window(t.window))
}
