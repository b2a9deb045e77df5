package capture

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"framewright/ws"
)

// A netLog reads Chromium's NetLog, as chrome://net-export and --log-net-log write it. If
// it has the bytes of the sockets (capture mode "Everything"), they are the connection;
// else the headers of its frames are all there is to see.
type netLog struct {
	c         *Capture
	l         Limits
	constants struct {
		LogEventTypes map[string]int
	}
	kinds   map[int]string
	sources map[int64]*netSource
	order   []int64
	start   int64 // milliseconds
	events  int
	begun   bool
}

// A netSource is a socket, or a request.
type netSource struct {
	id        int64
	url       string
	extension string  // of the answer to its handshake
	raw       []Piece // the bytes of the socket
	plain     []Piece // those above TLS
	frames    []Piece
	noContent bool // the lengths of bytes, and not the bytes
	size      int
	mistake   string
}

// A netEvent is one entry of "events".
type netEvent struct {
	Params json.RawMessage
	Source struct {
		ID int64
	}
	Time string // milliseconds
	Type int
}

type netParams struct {
	URL       string
	Headers   []string
	Bytes     *string // base64
	HexBytes  *string `json:"hex_encoded_bytes"` // until 2018
	ByteCount int     `json:"byte_count"`

	Final         bool
	Reserved1     bool
	Reserved2     bool
	Reserved3     bool
	Opcode        int
	Masked        bool
	PayloadLength float64 `json:"payload_length"`
}

func newNetLog(l Limits) *netLog {
	return &netLog{c: &Capture{Format: NetLog}, l: l, sources: make(map[int64]*netSource)}
}

// maxNetSources bounds what is kept of a log: a browser has many sockets, and which of
// them are WebSockets shows at the end.
const maxNetSources = 4096

const netRebuilt = "the NetLog has the frames' headers only: for the bytes, choose \"Include raw bytes\" at chrome://net-export. Payloads and masking keys are unknown, and shown as nothing"

// names turns the table of event types round.
func (n *netLog) names() error {
	if len(n.constants.LogEventTypes) == 0 {
		return errors.New("the NetLog's \"constants\" have no \"logEventTypes\"")
	}
	n.kinds = make(map[int]string)
	for _, name := range []string{
		"URL_REQUEST_START_JOB", "HTTP_TRANSACTION_READ_RESPONSE_HEADERS", "WEBSOCKET_RECV_FRAME_HEADER", "WEBSOCKET_SENT_FRAME_HEADER",
		"SOCKET_BYTES_SENT", "SOCKET_BYTES_RECEIVED", "SSL_SOCKET_BYTES_SENT", "SSL_SOCKET_BYTES_RECEIVED",
	} {
		if i, ok := n.constants.LogEventTypes[name]; ok {
			n.kinds[i] = name
		}
	}
	return nil
}

func (n *netLog) event(e *netEvent) {
	n.events++
	kind := n.kinds[e.Type]
	if kind == "" {
		return
	}
	s := n.sources[e.Source.ID]
	if s == nil {
		if len(n.sources) == maxNetSources {
			return
		}
		s = &netSource{id: e.Source.ID}
		n.sources[e.Source.ID] = s
		n.order = append(n.order, e.Source.ID)
	}
	var p netParams
	if json.Unmarshal(e.Params, &p) != nil || s.mistake != "" {
		return // params of another shape say nothing that is looked for
	}
	ms, _ := strconv.ParseInt(e.Time, 10, 64)
	if !n.begun {
		n.begun, n.start = true, ms
	}
	at := time.Duration(max(0, min(ms-n.start, 1<<40))) * time.Millisecond
	switch kind {
	case "URL_REQUEST_START_JOB":
		s.url = short(p.URL)
	case "HTTP_TRANSACTION_READ_RESPONSE_HEADERS":
		s.answered(p.Headers)
	case "WEBSOCKET_RECV_FRAME_HEADER", "WEBSOCKET_SENT_FRAME_HEADER":
		s.frame(&p, kind == "WEBSOCKET_SENT_FRAME_HEADER", at, n.l)
	case "SOCKET_BYTES_SENT", "SOCKET_BYTES_RECEIVED":
		s.raw = s.bytes(s.raw, &p, kind == "SOCKET_BYTES_SENT", at, n.l)
	default:
		s.plain = s.bytes(s.plain, &p, kind == "SSL_SOCKET_BYTES_SENT", at, n.l)
	}
}

// answered notes what the answer to a handshake agreed to.
func (s *netSource) answered(lines []string) {
	for _, line := range lines {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.EqualFold(name, "Sec-WebSocket-Extensions") {
			s.extension = strings.TrimSpace(value)
		}
	}
}

// bytes adds what a socket sent or received.
func (s *netSource) bytes(to []Piece, p *netParams, sent bool, at time.Duration, l Limits) []Piece {
	var data []byte
	var err error
	switch {
	case p.Bytes != nil:
		data, err = base64.StdEncoding.DecodeString(*p.Bytes)
	case p.HexBytes != nil:
		data, err = ParseHex(*p.HexBytes)
	default:
		s.noContent = s.noContent || p.ByteCount > 0
		return to
	}
	if err != nil {
		s.mistake = "the bytes of an event are not base64"
		return to
	}
	if s.size += len(data); s.size > 2*l.Bytes { // twice: below TLS, and above
		return to
	}
	return append(to, Piece{FromClient: sent, At: at, Data: data})
}

// frame adds the header of a frame. The log does not have the masking key.
func (s *netSource) frame(p *netParams, sent bool, at time.Duration, l Limits) {
	if p.Opcode < 0 || p.Opcode > 0xF || !(p.PayloadLength >= 0 && p.PayloadLength < 1<<53) {
		s.mistake = fmt.Sprintf("a frame has opcode %d and length %g: 0 to 15, and 0 to 2^53 are expected", p.Opcode, p.PayloadLength)
		return
	}
	h := ws.Header{Fin: p.Final, Opcode: ws.Opcode(p.Opcode), Masked: p.Masked, Length: int64(p.PayloadLength)}
	for _, b := range []struct {
		set bool
		bit uint8
	}{{p.Reserved1, ws.RSV1}, {p.Reserved2, ws.RSV2}, {p.Reserved3, ws.RSV3}} {
		if b.set {
			h.RSV |= b.bit
		}
	}
	if s.size += ws.MaxHeaderSize; s.size <= 2*l.Bytes {
		s.frames = append(s.frames, Piece{FromClient: sent, At: at, Data: ws.AppendHeader(nil, h), HeaderOnly: true})
	}
}

// finish picks the sockets that speak WebSocket, or the requests that had frames.
func (n *netLog) finish() (*Capture, error) {
	for _, id := range n.order {
		s := n.sources[id]
		pieces := s.plain
		if len(pieces) == 0 {
			pieces = s.raw
		}
		if upgrades(pieces) {
			n.add(s, fmt.Sprintf("socket %d", id), pieces, "")
		}
	}
	if len(n.c.Streams) > 0 {
		return n.c, nil
	}
	for _, id := range n.order {
		if s := n.sources[id]; len(s.frames) > 0 {
			n.add(s, s.url, s.frames, netRebuilt)
		}
	}
	if len(n.c.Streams) == 0 {
		return nil, fmt.Errorf("no WebSocket in the %d events of the NetLog: neither the bytes of a handshake nor frame headers", n.events)
	}
	return n.c, nil
}

func (n *netLog) add(s *netSource, name string, pieces []Piece, rebuilt string) {
	stream := n.c.stream(name, n.l)
	if stream == nil {
		return
	}
	stream.Rebuilt = rebuilt
	if rebuilt != "" {
		stream.Extensions = s.extension
	}
	for _, p := range pieces {
		stream.add(p, n.l)
	}
	if s.mistake != "" {
		stream.note("what follows is left out: %s", s.mistake)
	}
}

// upgrades reports whether the client's first bytes ask for a WebSocket.
func upgrades(pieces []Piece) bool {
	for _, p := range pieces {
		if p.FromClient {
			return asksUpgrade(p.Data)
		}
	}
	return false
}

// asksUpgrade reports whether b begins with a request for a WebSocket, or with the
// beginning of one.
func asksUpgrade(b []byte) bool {
	head, _, _ := bytes.Cut(b, []byte("\r\n\r\n"))
	return bytes.HasPrefix(head, []byte("GET ")) && bytes.Contains(bytes.ToLower(head), []byte("\r\nsec-websocket-key:"))
}
