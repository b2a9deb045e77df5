package h2_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/http2"

	"framewright/ws/internal/h2"
	"framewright/ws/wstest"
)

// wire puts frames together from literals of type, flags, stream and payload, whose
// length it puts in front (RFC 9113 §4.1): "00 01 00000001 | 'Hello'".
func wire(frames ...string) (b []byte) {
	for _, f := range frames {
		f := wstest.MustHex(f)
		n := len(f) - 6
		b = append(append(b, byte(n>>16), byte(n>>8), byte(n)), f...)
	}
	return b
}

// The frames that tests begin with, and requests as HPACK has them (RFC 7541).
const (
	settings = "04 00 00000000"
	get      = "82 86 84 | 41 01 'h'"        // GET http://h/
	post     = "83 86 84 | 41 01 'h'"        // POST
	tunnel   = "42 07 'CONNECT' | 41 01 'h'" // CONNECT h
	connect  = "42 07 'CONNECT' | 86 84 41 01 'h' | 40 09 ':protocol' 09 'websocket'"
	opened   = "01 04 00000001 | " + connect // stream 1, which stays open
)

// frames says in words what is on the wire, a line each.
func frames(t *testing.T, b []byte) (lines []string) {
	t.Helper()
	fr := http2.NewFramer(nil, bytes.NewReader(b))
	for {
		f, err := fr.ReadFrame()
		if err != nil {
			if err != io.EOF {
				t.Errorf("what is sent is no frame: %v", err)
			}
			return lines
		}
		h := f.Header()
		line := fmt.Sprintf("%s %d", h.Type, h.StreamID)
		switch f := f.(type) {
		case *http2.SettingsFrame:
			line = "SETTINGS"
			if f.IsAck() {
				line += " ACK"
			}
		case *http2.DataFrame:
			line += fmt.Sprintf(" %d", len(f.Data()))
			if f.StreamEnded() {
				line += " END"
			}
		case *http2.HeadersFrame:
			if f.StreamEnded() {
				line += " END"
			}
		case *http2.RSTStreamFrame:
			line += " " + f.ErrCode.String()
		case *http2.GoAwayFrame:
			line = fmt.Sprintf("GOAWAY %d %s", f.LastStreamID, f.ErrCode)
		case *http2.WindowUpdateFrame:
			line += fmt.Sprintf(" +%d", f.Increment)
		case *http2.PingFrame:
			line = fmt.Sprintf("PING %q", f.Data[:])
			if f.IsAck() {
				line += " ACK"
			}
		}
		lines = append(lines, line)
	}
}

// A dialogue is an Endpoint and what came of the frames that it was fed.
type dialogue struct {
	e       *h2.Endpoint
	streams []*h2.Stream // of Requests, and what Open returned
	events  []string
	now     int64
	err     error // the last that Receive or Broken returned
}

func serverDialogue(l h2.Limits) *dialogue {
	d := &dialogue{e: h2.NewServer(l)}
	d.e.Append(nil, 1<<20)
	return d
}

// feed gives the Endpoint all frames of b; each is whether they come byte by byte.
func (d *dialogue) feed(b []byte, each bool) {
	var r io.Reader = bytes.NewReader(b)
	if each {
		r = iotest.OneByteReader(r)
	}
	in := h2.NewFrames(r, d.e)
	for d.e.Err() == nil {
		f, err := in.Next()
		if err == io.EOF {
			return
		}
		if err != nil {
			d.err = d.e.Broken(err, d.now)
			continue
		}
		ev, err := d.e.Receive(f, d.now)
		if d.err = err; ev.Kind == h2.NoEvent {
			continue
		}
		line := map[h2.EventKind]string{h2.Request: "request", h2.Answer: "answer"}[ev.Kind] + fmt.Sprintf(" %d", ev.Stream.ID)
		if ev.End {
			line += " END"
		}
		if ev.TooBig {
			line += " TOO BIG"
		}
		d.events = append(d.events, line)
		d.streams = append(d.streams, ev.Stream)
	}
}

// sent takes what the Endpoint sends.
func (d *dialogue) sent(t *testing.T) []string {
	t.Helper()
	return frames(t, d.e.Append(nil, 1<<30))
}

// TestServer has one row for each thing that a client does: whole, and byte by byte.
func TestServer(t *testing.T) {
	small := h2.Limits{Streams: 1, HeaderBytes: 300}
	for _, tt := range []struct {
		name   string
		limits h2.Limits
		in     []string // behind SETTINGS
		events string   // all of them
		sent   string   // behind the ACK
		code   http2.ErrCode
	}{
		{name: "nothing"},
		{name: "a request", in: []string{"01 05 00000001 | " + get}, events: "request 1 END"},
		{name: "a request with content", in: []string{"01 04 00000001 | " + post, "00 01 00000001 | 'Hello'"}, events: "request 1"},
		{name: "its trailers", in: []string{"01 04 00000001 | " + post, "01 05 00000001 | 40 01 'a' 01 'b'"}, events: "request 1"},
		{name: "an extended CONNECT", in: []string{opened}, events: "request 1"},
		{name: "a tunnel to another host", in: []string{"01 04 00000001 | " + tunnel}, events: "request 1"},
		{name: "headers in three frames", in: []string{"01 01 00000001 | 82 86", "09 00 00000001 | 84", "09 04 00000001 | 41 01 'h'"}, events: "request 1 END"},
		{name: "padding", in: []string{"01 0d 00000001 | 03 " + get + " 000000"}, events: "request 1 END"},
		{name: "priority", in: []string{"01 25 00000001 | 80000000 ff | " + get, "02 00 00000003 | 00000000 ff"}, events: "request 1 END"},
		{name: "a ping", in: []string{"06 00 00000000 | '12345678'"}, sent: `PING "12345678" ACK`},
		{name: "the answer to a ping", in: []string{"06 01 00000000 | '12345678'"}},
		{name: "a frame that nobody knows", in: []string{"fe ff 00000007 | 'x'"}},
		{name: "a setting that nobody knows", in: []string{"04 00 00000000 | 00ff 00000000"}, sent: "SETTINGS ACK"},
		{name: "GOAWAY", in: []string{"07 00 00000000 | 00000000 00000000"}},
		{name: "a reset", in: []string{opened, "03 00 00000001 | 00000008"}, events: "request 1"},
		{name: "a window update", in: []string{opened, "08 00 00000001 | 00000001", "08 00 00000000 | 00000001"}, events: "request 1"},

		// What breaks a stream (§5.4.2).
		{name: "no method", in: []string{"01 05 00000001 | 86 84 41 01 'h'"}, sent: "RST_STREAM 1 PROTOCOL_ERROR"},
		{name: "no path", in: []string{"01 05 00000001 | 82 86 41 01 'h'"}, sent: "RST_STREAM 1 PROTOCOL_ERROR"},
		{name: "no scheme", in: []string{"01 05 00000001 | 82 84 41 01 'h'"}, sent: "RST_STREAM 1 PROTOCOL_ERROR"},
		{name: ":protocol without CONNECT", in: []string{"01 05 00000001 | " + get + " 40 09 ':protocol' 09 'websocket'"}, sent: "RST_STREAM 1 PROTOCOL_ERROR"},
		{name: "a tunnel with a path", in: []string{"01 04 00000001 | 84 " + tunnel}, sent: "RST_STREAM 1 PROTOCOL_ERROR"},
		{name: "two methods", in: []string{"01 05 00000001 | 83 " + get}, sent: "RST_STREAM 1 PROTOCOL_ERROR"},
		{name: "a pseudo-header behind a header", in: []string{"01 05 00000001 | 40 01 'a' 01 'b' " + get}, sent: "RST_STREAM 1 PROTOCOL_ERROR"},
		{name: "a pseudo-header of an answer", in: []string{"01 05 00000001 | 88 " + get}, sent: "RST_STREAM 1 PROTOCOL_ERROR"},
		{name: "a name in upper case", in: []string{"01 05 00000001 | " + get + " 40 01 'A' 01 'b'"}, sent: "RST_STREAM 1 PROTOCOL_ERROR"},
		{name: "Connection", in: []string{"01 05 00000001 | " + get + " 40 0a 'connection' 01 'b'"}, sent: "RST_STREAM 1 PROTOCOL_ERROR"},
		{name: "Transfer-Encoding", in: []string{"01 05 00000001 | " + get + " 79 07 'chunked'"}, sent: "RST_STREAM 1 PROTOCOL_ERROR"},
		{name: "TE other than trailers", in: []string{"01 05 00000001 | " + get + " 40 02 'te' 04 'gzip'"}, sent: "RST_STREAM 1 PROTOCOL_ERROR"},
		{name: "two hosts", in: []string{"01 05 00000001 | " + get + " 66 04 'evil'"}, sent: "RST_STREAM 1 PROTOCOL_ERROR"},
		{name: "a length, and nothing", in: []string{"01 05 00000001 | " + post + " 5c 01 '5'"}, sent: "RST_STREAM 1 PROTOCOL_ERROR"},
		{name: "less than the length", in: []string{"01 04 00000001 | " + post + " 5c 01 '5'", "00 01 00000001 | 'Hi'"}, events: "request 1", sent: "RST_STREAM 1 PROTOCOL_ERROR"},
		{name: "more than the length", in: []string{"01 04 00000001 | " + post + " 5c 01 '1'", "00 00 00000001 | 'Hi'"}, events: "request 1", sent: "RST_STREAM 1 PROTOCOL_ERROR"},
		{name: "trailers that are not the end", in: []string{opened, "01 04 00000001 | 40 01 'a' 01 'b'"}, events: "request 1", sent: "RST_STREAM 1 PROTOCOL_ERROR"},
		{name: "trailers with a pseudo-header", in: []string{opened, "01 05 00000001 | 82"}, events: "request 1", sent: "RST_STREAM 1 PROTOCOL_ERROR"},
		{name: "DATA after the end", in: []string{"01 05 00000001 | " + get, "00 00 00000001 | 'x'"}, events: "request 1 END", sent: "RST_STREAM 1 STREAM_CLOSED"},
		{name: "HEADERS after the end", in: []string{"01 05 00000001 | " + get, "01 05 00000001 | " + get}, events: "request 1 END", sent: "RST_STREAM 1 STREAM_CLOSED"},
		{name: "DATA after a reset", in: []string{opened, "03 00 00000001 | 00000008", "00 00 00000001 | 'x'"}, events: "request 1", sent: "RST_STREAM 1 STREAM_CLOSED"},
		{name: "one stream too many", limits: small, in: []string{opened, "01 05 00000003 | " + get}, events: "request 1", sent: "RST_STREAM 3 REFUSED_STREAM"},
		{name: "a second, when the first is over but not released", limits: small, in: []string{opened, "03 00 00000001 | 00000008", "01 05 00000003 | " + get}, events: "request 1, request 3 END"},
		{name: "a third, when neither is released", limits: small, in: []string{opened, "03 00 00000001 | 00000008", "01 04 00000003 | " + post, "03 00 00000003 | 00000008", "01 05 00000005 | " + get},
			events: "request 1, request 3", sent: "RST_STREAM 5 REFUSED_STREAM"},
		{name: "a window beyond 2^31-1", in: []string{opened, "08 00 00000001 | 7fffffff"}, events: "request 1", sent: "RST_STREAM 1 FLOW_CONTROL_ERROR"},
		{name: "a window update of nothing", in: []string{opened, "08 00 00000001 | 00000000"}, events: "request 1", sent: "RST_STREAM 1 PROTOCOL_ERROR"},
		{name: "more DATA than the stream's window", in: []string{opened, "00 00 00000001 | 00*16384", "00 00 00000001 | 00*16384", "00 00 00000001 | 00*16384", "00 00 00000001 | 00*16384", "00 00 00000001 | 00"},
			events: "request 1", sent: "RST_STREAM 1 FLOW_CONTROL_ERROR"},
		{name: "headers that are too big", limits: small, in: []string{"01 05 00000001 | " + get + " 40 01 'a' 7f 79 'b'*248"}, events: "request 1 END TOO BIG"},

		// What breaks the connection (§5.4.1).
		{name: "a stream of the server's", in: []string{"01 05 00000002 | " + get}, sent: "GOAWAY 0 PROTOCOL_ERROR", code: http2.ErrCodeProtocol},
		{name: "a stream below the last", in: []string{"01 04 00000003 | " + post, "01 05 00000001 | " + get}, events: "request 3", sent: "GOAWAY 3 PROTOCOL_ERROR", code: http2.ErrCodeProtocol},
		{name: "DATA on no stream", in: []string{"00 00 00000001 | 'x'"}, sent: "GOAWAY 0 PROTOCOL_ERROR", code: http2.ErrCodeProtocol},
		{name: "a reset of no stream", in: []string{"03 00 00000001 | 00000008"}, sent: "GOAWAY 0 PROTOCOL_ERROR", code: http2.ErrCodeProtocol},
		{name: "a window update of no stream", in: []string{"08 00 00000001 | 00000001"}, sent: "GOAWAY 0 PROTOCOL_ERROR", code: http2.ErrCodeProtocol},
		{name: "the connection's window beyond 2^31-1", in: []string{"08 00 00000000 | 7fffffff"}, sent: "GOAWAY 0 FLOW_CONTROL_ERROR", code: http2.ErrCodeFlowControl},
		{name: "an initial window beyond 2^31-1", in: []string{"04 00 00000000 | 0004 80000000"}, sent: "GOAWAY 0 FLOW_CONTROL_ERROR", code: http2.ErrCodeFlowControl},
		{name: "an initial window that makes a stream's too large", in: []string{opened, "08 00 00000001 | 7fff0000", "04 00 00000000 | 0004 7fffffff"}, events: "request 1", sent: "GOAWAY 1 FLOW_CONTROL_ERROR", code: http2.ErrCodeFlowControl},
		{name: "a frame size below 2^14", in: []string{"04 00 00000000 | 0005 00000001"}, sent: "GOAWAY 0 PROTOCOL_ERROR", code: http2.ErrCodeProtocol},
		{name: "PUSH_PROMISE", in: []string{opened, "05 04 00000001 | 00000002 " + get}, events: "request 1", sent: "GOAWAY 1 PROTOCOL_ERROR", code: http2.ErrCodeProtocol},
		{name: "a frame of 2^14+1 bytes", in: []string{opened, "00 00 00000001 | 00*16385"}, events: "request 1", sent: "GOAWAY 1 FRAME_SIZE_ERROR", code: http2.ErrCodeFrameSize},
		{name: "a ping of 7 bytes", in: []string{"06 00 00000000 | '1234567'"}, sent: "GOAWAY 0 FRAME_SIZE_ERROR", code: http2.ErrCodeFrameSize},
		{name: "HPACK that is none", in: []string{"01 05 00000001 | ff ff ff ff ff ff ff ff ff ff ff"}, sent: "GOAWAY 0 COMPRESSION_ERROR", code: http2.ErrCodeCompression},
		{name: "a frame between HEADERS and CONTINUATION", in: []string{"01 01 00000001 | 82", "06 00 00000000 | '12345678'"}, sent: "GOAWAY 0 PROTOCOL_ERROR", code: http2.ErrCodeProtocol},
		{name: "CONTINUATIONs without end, and without anything", in: append([]string{"01 01 00000001 | 82"}, strings.Split(strings.Repeat("09 00 00000001,", 20_000), ",")[:20_000]...), sent: "GOAWAY 0 ENHANCE_YOUR_CALM", code: http2.ErrCodeEnhanceYourCalm},
		{name: "headers without end", in: append([]string{"01 01 00000001 | " + get}, strings.Split(strings.Repeat("09 00 00000001 | 40 01 'a' 01 'b'*1,", 20_000), ",")[:20_000]...), sent: "GOAWAY 0 PROTOCOL_ERROR", code: http2.ErrCodeProtocol},
	} {
		for _, each := range []bool{false, true} {
			d := serverDialogue(tt.limits)
			d.feed(wire(append([]string{settings}, tt.in...)...), each)
			sent := d.sent(t)
			if len(sent) == 0 || sent[0] != "SETTINGS ACK" {
				t.Errorf("%s: SETTINGS are not acknowledged: %q", tt.name, sent)
				continue
			}
			if diff := cmp.Diff([]string{tt.events, tt.sent}, []string{strings.Join(d.events, ", "), strings.Join(sent[1:], ", ")}); diff != "" {
				t.Errorf("%s, byte by byte %t (-want +got)\n%s", tt.name, each, diff)
			}
			var e *h2.Error
			if errors.As(d.e.Err(), &e); (e == nil) != (tt.code == 0) || e != nil && e.Code != tt.code || e != d.err && e != nil {
				t.Errorf("%s: the connection's error is %v, Receive's %v", tt.name, e, d.err)
			}
		}
	}
}

func TestFirstFrame(t *testing.T) {
	for _, first := range []string{"06 00 00000000 | '12345678'", "04 01 00000000", opened} {
		d := serverDialogue(h2.Limits{})
		d.feed(wire(first), false)
		if got := d.sent(t); len(got) != 1 || !strings.HasSuffix(got[0], "PROTOCOL_ERROR") || d.e.Settled() {
			t.Errorf("%s: %q", first, got)
		}
	}
	if got := frames(t, h2.NewServer(h2.Limits{}).Append(nil, 1)); cmp.Diff([]string{"SETTINGS", "WINDOW_UPDATE 0 +983041"}, got) != "" {
		t.Errorf("a server begins with %q", got)
	}
}
