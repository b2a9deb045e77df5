package lab

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"framewright/lab/capture"
	"framewright/ws"
	"framewright/ws/wstest"

	"github.com/google/go-cmp/cmp"
)

// told is what a decoding says, in one line an event.
func told(s *DecodedStream) (lines []string) {
	for _, m := range s.Moment {
		e := m.Event
		way := "<"
		if e.Sent {
			way = ">"
		}
		switch {
		case e.Handshake != "":
			first, _, _ := strings.Cut(e.Handshake, "\r\n")
			lines = append(lines, fmt.Sprintf("%s %s %s", way, first, e.Rule))
		case len(e.Wire) == 0:
			lines = append(lines, fmt.Sprintf("%s %s", way, e.Rule))
		default:
			text := fmt.Sprintf("%s @%d %x %s %q %s->%s %s", way, e.Offset, e.Wire, e.Header.Opcode, e.Payload, e.Before, e.After, e.Rule)
			if e.Compressed && e.Header.Fin {
				text += fmt.Sprintf("= %q", e.Content)
			}
			lines = append(lines, text)
		}
	}
	for i, l := range lines {
		lines[i] = strings.TrimSpace(l)
	}
	return lines
}

// TestDecodeHex has frames as people paste them, and what is told of them.
func TestDecodeHex(t *testing.T) {
	for _, tc := range []struct {
		name, hex string
		role      ws.Role
		want      []string
		note      string
	}{
		{"a text", "81 85 37fa213d 7f9f4d5158", ws.RoleServer,
			[]string{`< @0 818537fa213d text "Hello" ready->ready`}, "no opening handshake"},
		{"fragments and a ping between", "01 01 61 | 89 00 | 80 01 62", ws.RoleClient,
			[]string{`< @0 0101 text "a" ready->in text`, `< @3 8900 ping "" in text->in text`, `< @5 8001 continuation "b" in text->ready`}, ""},
		{"not masked", "81 05 48656c6c6f 8900", ws.RoleServer,
			[]string{`< @0 8105 text "" ready->ready 5.1-client-masks`}, "breaks a rule at offset 0"},
		{"the second is broken", "8900 b100", ws.RoleClient,
			[]string{`< @0 8900 ping "" ready->ready`, `< @2 b100 text "" ready->ready 5.2-rsv`}, "at offset 2"},
		{"a length that could be shorter", "81 7e 0001 61", ws.RoleClient,
			[]string{`< @0 817e0001 text "" ready->ready 5.2-minimal-length`}, ""},
		{"a top bit", "82 ff 8000000000000000 01020304", ws.RoleServer,
			[]string{`< @0 82ff800000000000000001020304 binary "" ready->ready 5.2-length-top-bit`}, ""},
		{"a bad byte", "81 03 61ff62", ws.RoleClient,
			[]string{`< @0 8103 text "a\xffb" ready->ready 8.1-text-utf8`}, ""},
		{"a bad close", "88 02 03ed", ws.RoleClient,
			[]string{`< @0 8802 close "\x03\xed" ready->ready 7.4-close-code`}, ""},
		{"after a close", "88 02 03e8 8900", ws.RoleClient,
			[]string{`< @0 8802 close "\x03\xe8" ready->closed`, `< 5.5.1-after-close`}, "2 bytes follow"},
		{"cut in the header", "8900 82", ws.RoleClient,
			[]string{`< @0 8900 ping "" ready->ready`, `< @2 82 continuation "" ready->ready`}, "inside the header of a frame of the server, after 1 bytes"},
		{"cut in the payload", "82 05 01 02", ws.RoleClient,
			[]string{`< @0 8205 binary "\x01\x02" ready->ready`}, "3 bytes of its payload are missing"},
		{"TLS", "16 03 01 02 00 01 00", ws.RoleServer, nil, "encrypted"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			d, err := Decode([]byte(tc.hex), tc.role, capture.Limits{})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, told(d.Streams[0])); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			if notes := strings.Join(d.Streams[0].Notes, "\n"); !strings.Contains(notes, tc.note) {
				t.Errorf("notes %q, want %q", notes, tc.note)
			}
		})
	}
}

const (
	sampleKey     = "dGhlIHNhbXBsZSBub25jZQ=="
	sampleRequest = "GET /chat HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: " + sampleKey +
		"\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n\r\n"
	sampleAnswer = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
)

// deflated are the messages of RFC 7692 §7.2.3.2: "Hello" twice, the second from the
// kept window.
var deflated = []capture.Piece{
	{FromClient: true, Data: []byte(sampleRequest)},
	{Data: []byte(sampleAnswer + "Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n")},
	{Data: wstest.MustHex("c107 f248cdc9c90700")},
	{Data: wstest.MustHex("c105 f200110000")},
	{FromClient: true, Data: wstest.MustHex("4183 00000000 f248cd")},
	{FromClient: true, Data: wstest.MustHex("8084 00000000 c9c90700")},
}

// TestDecodeDeflate inflates what the handshake of the capture agreed to, and looks on
// at either end.
func TestDecodeDeflate(t *testing.T) {
	b := capture.AppendPcap(nil, deflated, time.Unix(1, 0))
	want := []string{
		`< GET /chat HTTP/1.1`,
		`> HTTP/1.1 101 Switching Protocols`,
		`> @0 c107 text "\xf2H\xcd\xc9\xc9\a\x00" ready->ready = "Hello"`,
		`> @9 c105 text "\xf2\x00\x11\x00\x00" ready->ready = "Hello"`,
		`< @0 418300000000 text "\xf2H\xcd" ready->in text`,
		`< @9 808400000000 continuation "\xc9\xc9\a\x00" in text->ready = "Hello"`,
	}
	for _, role := range []ws.Role{ws.RoleServer, ws.RoleClient} {
		d, err := Decode(b, role, capture.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, told(d.Streams[0])); diff != "" || len(d.Streams[0].Notes) > 0 {
			t.Errorf("%s (-want +got)\n%s\nnotes %q", role, diff, d.Streams[0].Notes)
		}
		for i, w := range want { // the other end sees it the other way round
			want[i] = string('<'+'>'-w[0]) + w[1:]
		}
	}
}

// TestDecodeChunks cuts the bytes anywhere: what is told is the same.
func TestDecodeChunks(t *testing.T) {
	whole := decodeStream(&capture.Stream{Pieces: deflated}, ws.RoleServer, 1, true, fullBudget())
	var bytewise []capture.Piece
	for _, p := range deflated {
		for i := range p.Data {
			bytewise = append(bytewise, capture.Piece{FromClient: p.FromClient, Data: p.Data[i : i+1]})
		}
	}
	cut := decodeStream(&capture.Stream{Pieces: bytewise}, ws.RoleServer, 1, true, fullBudget())
	if diff := cmp.Diff(whole, cut); diff != "" {
		t.Errorf("(-whole +cut)\n%s", diff)
	}
}

func TestDecodeHandshakes(t *testing.T) {
	for name, tc := range map[string]struct {
		request, answer string
		rule            ws.RuleID
		note            string
	}{
		"wrong key":     {strings.Replace(sampleRequest, sampleKey, "short", 1), "", ws.RuleKey, "no connection came of this"},
		"wrong accept":  {sampleRequest, strings.Replace(sampleAnswer, "s3p", "xxx", 1) + "\r\n", ws.RuleAccept, "is needed"},
		"refused":       {sampleRequest, "HTTP/1.1 403 Forbidden\r\n\r\n", ws.RuleStatus, "status 403"},
		"not offered":   {strings.Replace(sampleRequest, "permessage-deflate", "x-other", 1), sampleAnswer + "Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n", ws.RuleAnswerExtensions, "none was offered"},
		"no colon":      {sampleRequest, sampleAnswer + "what\r\n\r\n", ws.RuleAnswerNotHTTP, "colon"},
		"no HTTP":       {sampleRequest, "HTTP/0.9\r\n\r\n", ws.RuleAnswerNotHTTP, "HTTP/1.1 and a status"},
		"ends inside":   {sampleRequest[:40], "", "", "ends inside the opening handshake of the client, after 40 bytes"},
		"does not end":  {"GET /" + strings.Repeat("a", 70<<10), "", "", "does not end within"},
		"another GET":   {"GET / HTTP/1.1\r\nHost: a\r\n\r\n", "", ws.RuleUpgrade, "no websocket in the Upgrade header"},
		"only one half": {"", sampleAnswer + "\r\n", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := decodeStream(&capture.Stream{Pieces: []capture.Piece{
				{FromClient: true, Data: []byte(tc.request)}, {Data: []byte(tc.answer)},
			}}, ws.RoleServer, 1, true, fullBudget())
			var got ws.RuleID
			for _, m := range s.Moment {
				got = m.Event.Rule
			}
			if notes := strings.Join(s.Notes, "\n"); got != tc.rule || !strings.Contains(notes, tc.note) {
				t.Errorf("rule %q, notes %q; want %q, %q", got, notes, tc.rule, tc.note)
			}
		})
	}
}

func TestDecodeHeaderOnly(t *testing.T) {
	s := decodeStream(&capture.Stream{Rebuilt: "headers", Pieces: []capture.Piece{
		{FromClient: true, Data: wstest.MustHex("8185 00000000"), HeaderOnly: true},
		{Data: wstest.MustHex("8802"), HeaderOnly: true},
		{FromClient: true, Data: wstest.MustHex("0085 00000000"), HeaderOnly: true},
	}}, ws.RoleServer, 1, true, fullBudget())
	want := []string{`< @0 818500000000 text "" ready->ready`, `> @0 8802 close "" ready->closed`, `< @11 008500000000 continuation "" ready->ready 5.4-continuation`}
	if diff := cmp.Diff(want, told(s)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	for extensions, rule := range map[string]ws.RuleID{"": ws.RuleRSV, "permessage-deflate": ""} {
		s := decodeStream(&capture.Stream{Rebuilt: "headers", Extensions: extensions, Pieces: []capture.Piece{
			{Data: wstest.MustHex("c105"), HeaderOnly: true},
		}}, ws.RoleServer, 1, true, fullBudget())
		if got := s.Moment[0].Event.Rule; got != rule {
			t.Errorf("with the extensions %q: rule %q, want %q", extensions, got, rule)
		}
	}
}

// TestDecodeIsBounded has more frames than are told, and a payload longer than is shown.
func TestDecodeIsBounded(t *testing.T) {
	many := bytes.Repeat([]byte{0x89, 0}, decodeFrames+1)
	s := decodeStream(&capture.Stream{Pieces: []capture.Piece{{Data: many}}}, ws.RoleServer, 1, true, fullBudget())
	if len(s.Moment) != decodeFrames || !strings.Contains(strings.Join(s.Notes, "\n"), "only the first 1000 frames") {
		t.Errorf("%d frames, notes %q", len(s.Moment), s.Notes)
	}
	left := &budget{frames: 5}
	if s := decodeStream(&capture.Stream{Pieces: []capture.Piece{{Data: many}}}, ws.RoleServer, 1, true, left); len(s.Moment) != 5 {
		t.Errorf("%d frames of a capture that may have 5", len(s.Moment))
	}
	long := ws.AppendFrame(nil, ws.Header{Fin: true, Opcode: ws.OpBinary}, make([]byte, 1<<20))
	s = decodeStream(&capture.Stream{Pieces: []capture.Piece{{Data: long}}}, ws.RoleServer, 1, true, fullBudget())
	if n := len(s.Moment[0].Event.Payload); n != decodePayload {
		t.Errorf("%d bytes of payload are shown, want %d", n, decodePayload)
	}
}

// TestDecodeBomb has compressed messages that inflate to more than the budget.
func TestDecodeBomb(t *testing.T) {
	s := decodeStream(&capture.Stream{Pieces: deflated}, ws.RoleServer, 1, true, &budget{inflate: 7, frames: 100})
	if notes := strings.Join(s.Notes, "\n"); len(s.Moment) != 3 || !strings.Contains(notes, "inflates to more than") {
		t.Errorf("%d events, notes %q", len(s.Moment), notes)
	}
}

// FuzzDecode: no input makes it panic or tell without bound, what is told says nothing
// that was not there, and looking on from the other end tells as much.
func FuzzDecode(f *testing.F) {
	f.Add([]byte("81 85 37fa213d 7f9f4d5158"))
	f.Add([]byte("00000000: 8185 37fa 213d 7f9f 4d51 58  ..7.!=..MQX"))
	f.Add(capture.AppendPcap(nil, deflated, time.Unix(1, 0)))
	f.Add([]byte("\x0a\x0d\x0d\x0a\x1c\x00\x00\x00\x4d\x3c\x2b\x1a\x01\x00\x00\x00\xff\xff\xff\xff\xff\xff\xff\xff\x1c\x00\x00\x00"))
	f.Add([]byte(`{"log":{"entries":[{"request":{"url":"ws://a"},"_webSocketMessages":[{"type":"send","time":1,"opcode":1,"data":"x"}]}]}}`))
	f.Add([]byte(`{"constants":{"logEventTypes":{"WEBSOCKET_SENT_FRAME_HEADER":4}},"events":[{"type":4,"time":"1","source":{"id":1},"params":{"final":true,"opcode":1,"masked":true,"payload_length":5}}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		asServer, err := Decode(bytes.Clone(data), ws.RoleServer, capture.Limits{Input: 1 << 16})
		asClient, err2 := Decode(bytes.Clone(data), ws.RoleClient, capture.Limits{Input: 1 << 16})
		if (err == nil) != (err2 == nil) {
			t.Fatalf("as a server: %v, as a client: %v", err, err2)
		}
		if err != nil {
			if len(err.Error()) > 4096 {
				t.Errorf("an error of %d bytes", len(err.Error()))
			}
			return
		}
		for i, s := range asServer.Streams {
			if len(s.Moment) > decodeFrames+4 {
				t.Errorf("%d events", len(s.Moment))
			}
			if asServer.Format != capture.Hex && len(s.Moment) != len(asClient.Streams[i].Moment) {
				t.Errorf("as a server %d events, as a client %d", len(s.Moment), len(asClient.Streams[i].Moment))
			}
			for _, m := range s.Moment {
				if len(m.Event.Payload) > decodePayload || len(m.Event.Content) > decodePayload {
					t.Errorf("%d bytes of payload, %d of content", len(m.Event.Payload), len(m.Event.Content))
				}
				ws.Explain(m.Event, decodePayload)
			}
		}
	})
}
