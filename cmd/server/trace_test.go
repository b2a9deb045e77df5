package main

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"framewright/lab/fact"
	"framewright/ws"
	"framewright/ws/wsnet"
)

// Settings of a trace that say nothing are refused, with the flag's name.
func TestTraceSettings(t *testing.T) {
	for args, want := range map[string]string{
		"-trace -trace-payload 0":     "-trace-payload 0: a number of bytes, 1 to",
		"-trace -trace-payload 70000": "-trace-payload 70000",
		"-trace -trace-color red":     "-trace-color \"red\": always, never or auto",
		"-trace-only 7":               "without -trace",
		"-trace -trace-only ws":       "-trace-only \"ws\"",
		"-trace -trace-only 7,,8":     "-trace-only \"\"",
	} {
		s, err := parseSettings(strings.Fields(args), []string{"HOME=/home/ada"}, io.Discard)
		if err == nil {
			_, err = s.trace.open(nil, io.Discard)
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", args, err, want)
		}
	}
}

// Colours are for terminals, unless they are asked for.
func TestTraceColor(t *testing.T) {
	for _, tt := range []struct {
		color, env string
		want       bool
	}{{"auto", "", false}, {"always", "", true}, {"always", "NO_COLOR=1", true}, {"never", "", false}} {
		tr, err := (&traceSettings{to: "-", color: tt.color, payload: 1}).open([]string{tt.env}, new(bytes.Buffer))
		if err != nil || tr.style.Color != tt.want {
			t.Errorf("%+v: %v", tt, err)
		}
	}
}

// Which connections are traced, how an entry begins, and that what is remembered of
// connections is bounded.
func TestTracer(t *testing.T) {
	var out bytes.Buffer
	tr, err := (&traceSettings{to: "-", color: "auto", payload: 100, line: true, time: true, only: "3, /a"}).open(nil, &out)
	if err != nil {
		t.Fatal(err)
	}
	tr.now = func() time.Time { return time.Date(2026, 1, 2, 3, 4, 5, 6000, time.UTC) }
	hook := tr.hook()
	text := func(conn uint64, s string) {
		hook(ws.TraceEvent{Conn: conn, Wire: []byte{0x81, byte(len(s))}, Header: ws.Header{Fin: true, Opcode: ws.OpText, Length: int64(len(s))}, Payload: []byte(s)})
	}
	hook(ws.TraceEvent{Conn: 1, Handshake: "GET /abc?x=1 HTTP/1.1\r\n\r\n"})
	hook(ws.TraceEvent{Conn: 2, Handshake: "GET /b HTTP/1.1\r\n\r\n"})
	text(1, "one")
	text(2, "two")
	text(3, "three")
	want := "03:04:05.000006 #1 < GET /abc?x=1 HTTP/1.1\n03:04:05.000006 #1 < text 3 \"one\"\n03:04:05.000006 #3 < text 5 \"three\"\n"
	if d := cmp.Diff(want, out.String()); d != "" {
		t.Error(d)
	}
	for i := range uint64(3 * maxTraced) {
		hook(ws.TraceEvent{Conn: 10 + i, Handshake: "GET /b HTTP/1.1\r\n\r\n"})
	}
	if len(tr.conns) > maxTraced {
		t.Errorf("%d connections are remembered, want %d at the most", len(tr.conns), maxTraced)
	}
	if tr.conn(ws.TraceEvent{Conn: 10 + 3*maxTraced - 1}).path != "/b" {
		t.Error("the newest is not remembered")
	}
}

// Packets of Engine.IO and Socket.IO are explained above the frames that carry them.
func TestTracePackets(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{`42["message","hi"]`, "Engine.IO 4 message, Socket.IO 2 EVENT in /"},
		{`42/chat,7["message"]`, "Engine.IO 4 message, Socket.IO 2 EVENT in /chat, acknowledgement 7"},
		{`451-["x",{"_placeholder":true,"num":0}]`, "Engine.IO 4 message, Socket.IO 5 BINARY_EVENT in /, with 1 binary messages behind it"},
		{`40`, "Engine.IO 4 message, Socket.IO 0 CONNECT in /"},
		{`2probe`, "Engine.IO 2 ping of an upgrade"},
		{`3`, "Engine.IO 3 pong"},
		{`0{"sid":"x"}`, "Engine.IO 0 open"},
		{`bAAE=`, "Engine.IO b binary message in base64"},
		{`4x`, "Engine.IO 4 message, no packet of Socket.IO: socketio: a packet begins with its type, 0 to 6, and not with 'x'"},
		{``, "no packet of Engine.IO: an empty packet; expected a type, 0 to 6"},
		{`9`, "no packet of Engine.IO: packet type '9'; expected 0 to 6, or b"},
	} {
		got := string(appendPacketWords(nil, []byte(tt.text), false))
		if got != "     "+tt.want+"\n" {
			t.Errorf("%q: %q, want %q", tt.text, got, tt.want)
		}
	}
	text := ws.Header{Fin: true, Opcode: ws.OpText, Length: 2}
	for want, e := range map[string]ws.TraceEvent{
		"Engine.IO 4 message, Socket.IO 0 CONNECT in /": {Header: text, Payload: []byte("40")},
		"Engine.IO 2 ping":                   {Header: text, Payload: []byte("\x4a"), Compressed: true, Content: []byte("2"), ContentLength: 1},
		"Engine.IO packet that begins \"4\"": {Header: text, Payload: []byte("4")},
		"Engine.IO binary message":           {Header: ws.Header{Fin: true, Opcode: ws.OpBinary}},
		"":                                   {Header: ws.Header{Fin: true, Opcode: ws.OpPing}},
	} {
		if want != "" {
			want = "     " + want + "\n"
		}
		if got := string(appendPacket(nil, e)); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// The whole of it: the chat server's trace has the frames of Socket.IO, what its packets
// are, and the bodies of polling.
func TestTraceOfSocketIO(t *testing.T) {
	name := filepath.Join(t.TempDir(), "trace")
	p := start(t, "-trace="+name, "-trace-line")
	base := strings.TrimRight(p.url, "/")
	get := func(method, query, body string) string {
		t.Helper()
		req, _ := http.NewRequest(method, base+"/socket.io/?EIO=4&transport=polling"+query, strings.NewReader(body))
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		b, _ := io.ReadAll(resp.Body)
		return string(b)
	}
	open := get("GET", "", "")
	sid := regexp.MustCompile(`"sid":"([^"]+)"`).FindStringSubmatch(open)
	if sid == nil {
		t.Fatal(open)
	}
	get("POST", "&sid="+sid[1], "40")
	c, err := wsnet.Dial(t.Context(), "ws"+strings.TrimPrefix(base, "http")+"/socket.io/?EIO=4&transport=websocket", nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := c.Read(t.Context()); err != nil {
		t.Fatal(err)
	}
	c.Write(t.Context(), ws.OpText, []byte("40"))
	c.Read(t.Context())
	c.Close(context.Background(), ws.CodeNormal, "")
	p.end(t)
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"< POST /socket.io/?EIO=4&transport=polling&sid=" + sid[1], "     Engine.IO 4 message, Socket.IO 0 CONNECT in /\n     \"40\"\n> HTTP 200, 2 bytes\n",
		"     Engine.IO 0 open\n     \"0{", "< GET /socket.io/?EIO=4&transport=websocket HTTP/1.1",
		"     Engine.IO 4 message, Socket.IO 0 CONNECT in /\n#", "< text 2 \"40\"\n",
	} {
		if !strings.Contains(string(b), want) {
			t.Errorf("no %q in the trace:\n%s", want, b)
		}
	}
}

// What a compressed message is made of stands below it, in the words that the lab has; of
// many connections, for the last ones.
func TestTraceInflates(t *testing.T) {
	var out bytes.Buffer
	tr, err := (&traceSettings{to: "-", color: "never", payload: 100}).open(nil, &out)
	if err != nil {
		t.Fatal(err)
	}
	hook := tr.hook()
	opens := func(conn uint64) {
		hook(ws.TraceEvent{Conn: conn, Handshake: "GET /ws HTTP/1.1\r\n\r\n"})
		hook(ws.TraceEvent{Conn: conn, Sent: true, Handshake: "HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n"})
	}
	said := func(conn uint64, payload []byte, content string) string {
		out.Reset()
		hook(ws.TraceEvent{Conn: conn, Sent: true, Wire: []byte{0xC1, byte(len(payload))}, Compressed: true, Payload: payload,
			Header: ws.Header{Fin: true, RSV: ws.RSV1, Opcode: ws.OpText, Length: int64(len(payload))}, Content: []byte(content), ContentLength: int64(len(content))})
		_, said, _ := strings.Cut(out.String(), "\n     (")
		return strings.TrimSpace(said)
	}
	opens(1)
	d := fact.NewDeflater(15)
	if got, want := said(1, d.Message([]byte("Hello")), "Hello"), "7 bytes inflate to 5 by 5 literals)"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got, want := said(1, d.Message([]byte("Hello")), "Hello"), "4 bytes inflate to 5 by 1 match, which copies 5 bytes, all of them from earlier messages; without the messages before, this server would need 7: the kept window saves 3)"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got, want := said(1, []byte{7}, ""), "1 byte inflates to 0 by nothing)\n     (bit 1: block type 3, which is reserved (RFC 1951 §3.2.3))"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	for conn := range uint64(maxFollowed) {
		opens(conn + 2)
	}
	if got := said(1, d.Message([]byte("Hello")), "Hello"); got != "" {
		t.Errorf("the oldest of %d connections: %q", maxFollowed+1, got)
	}
}
