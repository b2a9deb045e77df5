package fact

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"framewright/lab/inflate"
	"framewright/ws"
)

const answer = "HTTP/1.1 101 Switching Protocols\r\nsec-websocket-extensions: permessage-deflate; client_no_context_takeover; server_max_window_bits=10\r\n\r\n"

// follows is a Tracker of a connection that has agreed to compression, at its server.
func follows() *Tracker {
	t := new(Tracker)
	t.Of(ws.TraceEvent{Handshake: "GET / HTTP/1.1\r\n\r\n"})
	t.Of(ws.TraceEvent{Sent: true, Handshake: answer})
	return t
}

// frame is the event of a compressed frame; with the last one comes what the message is.
func frameOf(sent bool, op ws.Opcode, fin bool, p []byte, content string) ws.TraceEvent {
	return ws.TraceEvent{Sent: sent, Wire: []byte{0, 0}, Compressed: true, Payload: p[:min(len(p), ws.TracePayload)], Header: ws.Header{Opcode: op, Fin: fin, Length: int64(len(p))},
		Content: []byte(content[:min(len(content), ws.TracePayload)]), ContentLength: int64(len(content))}
}

// said is what a page shows of a message, in a line.
func said(f *Inflate) string {
	if f == nil {
		return "nothing"
	}
	s := fmt.Sprintf("%d of %d by %s", f.Length, f.Compressed, f.Words)
	if f.Alone > 0 {
		s += fmt.Sprintf("; alone %d", f.Alone)
	}
	for _, n := range f.Notes {
		s += "; " + n
	}
	if f.Error != "" {
		s += "; " + f.Error
	}
	return s
}

// Each direction has its own window, or none, as was agreed.
func TestTracker(t *testing.T) {
	text := "the same text again, and again the same text"
	d := NewDeflater(10)
	first, second := d.Message([]byte(text)), d.Message([]byte(text))
	if len(second) >= len(first)/2 {
		t.Fatalf("%d bytes, then %d", len(first), len(second))
	}
	tr := follows()
	var got []string
	for _, e := range []ws.TraceEvent{
		frameOf(true, ws.OpText, true, first, text),
		frameOf(false, ws.OpText, true, first, text),
		frameOf(true, ws.OpText, false, second[:3], text),
		frameOf(false, ws.OpText, true, first, text),
		frameOf(true, ws.OpContinuation, true, second[3:], text),
		{Wire: []byte{0, 0}, Header: ws.Header{Opcode: ws.OpText, Fin: true}},
	} {
		got = append(got, said(tr.Of(e).Inflate))
	}
	whole := fmt.Sprintf("44 of %d by 25 literals and 2 matches, which copy 19 bytes", len(first))
	want := []string{whole, whole, "nothing", whole, fmt.Sprintf("44 of %d by 1 match, which copies 44 bytes, all of them from earlier messages; alone %d", len(second), len(first)), "nothing"}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
	tr.Forget()
	if got := said(tr.Of(frameOf(true, ws.OpText, true, first, text)).Inflate); got != "nothing" {
		t.Errorf("after Forget: %s", got)
	}
}

// A page that comes late does not know what came before, and is told.
func TestTrackerLate(t *testing.T) {
	text := "the same text again, and again the same text"
	d := NewDeflater(10)
	d.Message([]byte(text))
	tr := new(Tracker)
	tr.Handshake(Of(ws.TraceEvent{Sent: true, Handshake: answer}), true)
	if got := said(tr.Of(frameOf(true, ws.OpText, true, d.Message([]byte(text)), text)).Inflate); !strings.Contains(got, "1 match, which copies 44 bytes, all of them from earlier messages; alone") ||
		!strings.HasSuffix(got, "; of what came before the message, only the last 0 bytes are known") {
		t.Error(got)
	}
}

// What a trace does not have is not known, and said so; what comes of it is still right.
func TestTrackerCut(t *testing.T) {
	noise := make([]byte, 5000)
	x := uint32(1)
	for i := range noise {
		x = x*1664525 + 1013904223
		noise[i] = byte(x >> 24)
	}
	text := string(noise)
	d := NewDeflater(15)
	tr := new(Tracker)
	tr.Of(ws.TraceEvent{Sent: true, Handshake: "HTTP/1.1 101 x\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n"})
	cut := tr.Of(frameOf(true, ws.OpBinary, true, d.Message(noise), text)).Inflate
	if got := said(cut); !strings.Contains(got, "only the first 4096 bytes of the payload are known") || !strings.HasPrefix(got, "5000 of 5006 by 4091 bytes stored") {
		t.Error(got)
	}
	// The next message copies from what is known of it and from what is not.
	next := text[4500:4600] + "Hello" + text[:50]
	f := tr.Of(frameOf(true, ws.OpBinary, true, d.Message([]byte(next)), next)).Inflate
	if got := said(f); !strings.Contains(got, "by 5 literals and 2 matches, which copy 150 bytes, all of them from earlier messages; alone 161; of what came before the message, only the last 0 bytes are known") {
		t.Error(got)
	}
	var shown []byte
	for _, b := range f.Blocks {
		for _, k := range b.Tokens {
			shown = fmt.Append(shown, k.Bytes)
		}
	}
	if want := fmt.Sprintf("%x", next); string(shown) != want {
		t.Errorf("the tokens show %s, want %s", shown, want)
	}
	// Once as much has come as the window holds, all of it is known.
	var last *Inflate
	for range 9 {
		next := text[:4096]
		last = tr.Of(frameOf(true, ws.OpBinary, true, d.Message([]byte(next)), next)).Inflate
	}
	if len(last.Notes) > 0 || last.Alone == 0 || last.Context != 1<<15 {
		t.Errorf("%s, %d bytes of context", said(last), last.Context)
	}
}

// A message that is malformed says where, and what is listed is bounded.
func TestTrackerMalformed(t *testing.T) {
	tr := follows()
	if got := said(tr.Of(frameOf(false, ws.OpText, true, []byte{0xf2, 0, 0x11, 0, 0}, "H")).Inflate); got != "1 of 5 by 1 literal; bit 18: a distance of 5 bytes, after only 1 (RFC 7692 §7.1.2)" {
		t.Error(got)
	}
	e := frameOf(false, ws.OpText, false, []byte{0xf2, 0x48}, "H")
	e.Rule = ws.RuleMessageSize
	if got := said(tr.Of(e).Inflate); got != "1 of 2 by 1 literal; only the first 2 bytes of the payload are known" {
		t.Error(got)
	}
	text := strings.Repeat("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-+*/", 2) + string(bytes.Repeat([]byte{200, 7, 9}, 100))
	var all []byte
	for i := range text {
		all = append(all, text[i], byte(i*i*7))
	}
	f := tr.Of(frameOf(false, ws.OpBinary, true, NewDeflater(15).Message(all), string(all))).Inflate
	if f.Listed() > FollowedTokens {
		t.Errorf("%d tokens are listed, of %d", f.Listed(), f.AllTokens)
	}
}

// Messages that are longer than the window leave it as large as it is.
func TestFollowerMemory(t *testing.T) {
	f, d := NewFollower(9, true), NewDeflater(9)
	for i := range 20 {
		text := bytes.Repeat([]byte{byte(i), 'x', byte(i * 7)}, 10_000)
		p := d.Message(text)
		f.Add(p, int64(len(p)))
		out := f.End(text[:100], int64(len(text)), 10)
		if len(out.Notes) != 1 || out.Context != min(i, 1)*512 || out.Error != "" { // the note: not all tokens are listed
			t.Fatalf("message %d: %s", i, said(out))
		}
	}
	if len(f.window) != 512 || cap(f.window) > 2*512 || cap(f.payload) > 0 {
		t.Errorf("a window of %d bytes, with room for %d, and a payload of %d", len(f.window), cap(f.window), cap(f.payload))
	}
}

// The parts of a match are told apart.
func TestTokenCode(t *testing.T) {
	f := NewFollower(15, true)
	for _, tt := range []struct{ payload, content, want string }{
		{"\xf2\x48\xcd\xc9\xc9\x07\x00", "Hello", "01111000,10010101,10011100,10011100,10011111,0000000"},
		{"\xf2\x00\x11\x00\x00", "Hello", "01111000,0000010 00100+0,0000000"},
	} {
		f.Add([]byte(tt.payload), int64(len(tt.payload)))
		var codes []string
		for _, k := range f.End([]byte(tt.content), int64(len(tt.content)), 100).Blocks[0].Tokens {
			codes = append(codes, k.Code)
		}
		if got := strings.Join(codes, ","); got != tt.want {
			t.Errorf("%s, want %s", got, tt.want)
		}
	}
}

// The codes of a dynamic block by their symbols' names.
func TestCodes(t *testing.T) {
	text := strings.Repeat("never say never to those who say so; ", 3)
	for _, word := range []string{"the", "quick", "brown", "fox", "jumps", "over", "it"} {
		text += word + " eee ttt " + strings.ToUpper(word) + " "
	}
	f := NewFollower(15, true)
	payload := NewDeflater(15).Message([]byte(text))
	f.Add(payload, int64(len(payload)))
	out := f.End(nil, int64(len(text)), 1000)
	codes := ""
	for _, c := range out.Blocks[0].Codes {
		codes += fmt.Sprintf("%s %d: %s\n", c.Of, c.Bits, c.Symbols)
	}
	if !strings.Contains(codes, "space") || !strings.Contains(codes, "end") || !strings.Contains(codes, "distances") {
		t.Errorf("%s: %s", out.Blocks[0].Type, codes)
	}
	for symbol, want := range map[int]string{257: "3", 265: "11–12", 284: "227–257", 285: "258", 'a': "a", ' ': "space", 10: "0x0a", 256: "end"} {
		if got := literalName(symbol); got != want {
			t.Errorf("%d is %q, want %q", symbol, got, want)
		}
	}
	if first, last := inflate.Distances(29); first != 24577 || last != 32768 {
		t.Errorf("%d to %d", first, last)
	}
}
