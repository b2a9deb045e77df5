package h2_test

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"framewright/ws/internal/h2"
)

var (
	request = []hpack.HeaderField{{Name: ":method", Value: "CONNECT"}, {Name: ":protocol", Value: "websocket"}, {Name: ":scheme", Value: "https"}, {Name: ":path", Value: "/"}, {Name: ":authority", Value: "h"}}
	ok200   = []hpack.HeaderField{{Name: ":status", Value: "200"}}
)

// pair is two ends that talk to each other in memory.
type pair struct{ client, server *dialogue }

func newPair(t *testing.T) *pair {
	t.Helper()
	p := &pair{&dialogue{e: h2.NewClient(h2.Limits{})}, &dialogue{e: h2.NewServer(h2.Limits{})}}
	hello := p.client.e.Append(nil, 1<<20)
	rest, ok := bytes.CutPrefix(hello, []byte(http2.ClientPreface))
	if !ok {
		t.Fatalf("a client begins with %q", hello)
	}
	p.server.feed(rest, false)
	p.talk(t)
	return p
}

// talk carries bytes until there are none. Each end keeps its HPACK state over the whole
// of it, which feed does not: so one call carries all that a test has to say.
func (p *pair) talk(t *testing.T) {
	t.Helper()
	for p.client.e.Pending() || p.server.e.Pending() {
		p.client.feed(p.server.e.Append(nil, 1<<20), true)
		p.server.feed(p.client.e.Append(nil, 1<<20), true)
	}
	if err := errors.Join(p.client.e.Err(), p.server.e.Err()); err != nil {
		t.Fatal(err)
	}
}

func TestClientAndServer(t *testing.T) {
	p := newPair(t)
	if !p.client.e.Connect() || !p.client.e.Settled() {
		t.Error("the client does not know that the server speaks RFC 8441")
	}
	s, err := p.client.e.Open(request, false)
	if err != nil {
		t.Fatal(err)
	}
	p.talk(t)
	p.server.e.Headers(p.server.streams[0], ok200, false)
	text := strings.Repeat("Hello, ", 100_000)
	for rest, got := text, ""; len(got) < len(text); {
		n, err := p.server.e.Write(p.server.streams[0], []byte(rest))
		if err != nil {
			t.Fatal(err)
		}
		rest = rest[n:]
		p.talk(t)
		b := make([]byte, 10_000)
		n, err = p.client.e.Read(s, b)
		if err != nil {
			t.Fatal(err)
		}
		if got += string(b[:n]); !strings.HasPrefix(text, got) {
			t.Fatal("what came is not what was sent")
		}
		p.talk(t)
	}
	p.server.e.Release(p.server.streams[0])
	p.talk(t)
	if _, err := p.client.e.Read(s, make([]byte, 1)); err != io.EOF && !strings.Contains(err.Error(), "CANCEL") {
		t.Error(err)
	}
	p.client.e.Release(s)
	p.talk(t)
	if p.client.e.Taken()+p.server.e.Taken() != 0 {
		t.Error("streams are left")
	}
}

// TestClient has what a server says to a client that has opened stream 1.
func TestClient(t *testing.T) {
	for _, tt := range []struct {
		name, in, events, sent string
		code                   http2.ErrCode
	}{
		{name: "200", in: "01 04 00000001 | 88", events: "answer 1"},
		{name: "404 and the end", in: "01 05 00000001 | 8d", events: "answer 1 END"},
		{name: "103", in: "01 04 00000001 | 08 03 '103'"},
		{name: "101", in: "01 04 00000001 | 08 03 '101'", sent: "RST_STREAM 1 PROTOCOL_ERROR"},
		{name: "no status", in: "01 04 00000001 | 40 01 'a' 01 'b'", sent: "RST_STREAM 1 PROTOCOL_ERROR"},
		{name: "a request", in: "01 04 00000002 | " + get, sent: "GOAWAY 0 PROTOCOL_ERROR", code: http2.ErrCodeProtocol},
		{name: "a push", in: "05 04 00000001 | 00000002 " + get, sent: "GOAWAY 0 PROTOCOL_ERROR", code: http2.ErrCodeProtocol},
		{name: "the setting, 1", in: "04 00 00000000 | 0008 00000001", sent: "SETTINGS ACK"},
		{name: "the setting, 2", in: "04 00 00000000 | 0008 00000002", sent: "GOAWAY 0 PROTOCOL_ERROR", code: http2.ErrCodeProtocol},
		{name: "the setting, 1 and 0", in: "04 00 00000000 | 0008 00000001 0008 00000000", sent: "GOAWAY 0 PROTOCOL_ERROR", code: http2.ErrCodeProtocol},
	} {
		for _, each := range []bool{false, true} {
			d := &dialogue{e: h2.NewClient(h2.Limits{})}
			d.e.Open(request, false)
			d.e.Append(nil, 1<<20)
			d.feed(wire(settings, tt.in), each)
			if got := strings.Join(d.sent(t)[1:], ", "); got != tt.sent {
				t.Errorf("%s: sent %q, want %q", tt.name, got, tt.sent)
			}
			if got := strings.Join(d.events, ", "); got != tt.events {
				t.Errorf("%s: %q, want %q", tt.name, got, tt.events)
			}
			if e, _ := errors.AsType[*h2.Error](d.e.Err()); (e == nil) != (tt.code == 0) || e != nil && e.Code != tt.code {
				t.Errorf("%s: %v", tt.name, e)
			}
		}
	}
}

// A client opens no more than it may.
func TestClientStreams(t *testing.T) {
	d := &dialogue{e: h2.NewClient(h2.Limits{})}
	d.feed(wire("04 00 00000000 | 0003 00000001"), false)
	one, err := d.e.Open(request, false)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.e.Open(request, false); err != h2.ErrStreams {
		t.Error(err)
	}
	d.e.Reset(one, http2.ErrCodeCancel)
	two, err := d.e.Open(request, false)
	if err != nil || two.ID != 3 {
		t.Fatal(err)
	}
	d.feed(wire("07 00 00000000 | 00000001 00000000"), false) // it has seen only the first
	if _, err := d.e.Read(two, make([]byte, 1)); err == nil || !strings.Contains(err.Error(), "REFUSED_STREAM") {
		t.Error(err)
	}
	if _, err := d.e.Open(request, false); err != h2.ErrStreams {
		t.Error(err)
	}
}
