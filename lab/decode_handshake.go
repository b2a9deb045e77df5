package lab

import (
	"bytes"
	"errors"
	"net/textproto"
	"strconv"
	"strings"
	"time"

	"framewright/lab/capture"
	"framewright/ws"
)

// begins looks at the first bytes each way, and returns why they are not explained, if
// they are not. only says that the capture has no other connection: then bytes without a
// handshake are taken for frames.
func (d *decoder) begins(pieces []capture.Piece, only bool) string {
	var first [2][]byte
	for _, p := range pieces {
		i := 1
		if p.FromClient {
			i = 0
		}
		if len(first[i]) < 16 {
			first[i] = append(first[i], p.Data[:min(len(p.Data), 16)]...)
		}
	}
	switch client, server := first[0], first[1]; {
	case isTLS(client) || isTLS(server):
		return "this connection is encrypted (TLS): a capture has no bytes of its frames. Capture a ws:// connection on loopback, or save a NetLog with raw bytes"
	case len(client) == 0 && len(server) == 0:
		return "no data on this connection"
	case bytes.HasPrefix(client, []byte("GET ")), bytes.HasPrefix(server, []byte("HTTP/")):
		// A dump of one direction may be either; where one half is missing, frames follow.
		d.halves[0].open = !bytes.HasPrefix(client, []byte("GET "))
		d.halves[1].open = !bytes.HasPrefix(server, []byte("HTTP/"))
		return ""
	case !only:
		return "no opening handshake at the beginning: this is no WebSocket connection, or the capture began later. Alone in a capture, its bytes are taken for frames"
	}
	d.halves[0].open, d.halves[1].open = true, true
	d.note("there is no opening handshake: the bytes are taken for frames, without compression")
	return ""
}

// isTLS reports whether b begins with a TLS handshake record.
func isTLS(b []byte) bool { return len(b) >= 3 && b[0] == 0x16 && b[1] == 3 && b[2] <= 4 }

// handshake takes this direction's half of the opening handshake off rest, and reports
// whether frames follow.
func (h *half) handshake(at time.Duration) bool {
	end := bytes.Index(h.rest[:min(len(h.rest), decodeHead)], []byte("\r\n\r\n"))
	if end < 0 {
		if len(h.rest) > decodeHead {
			h.over = true
			h.d.note("the opening handshake of the %s does not end within %d bytes", sender(h), decodeHead)
		}
		return false
	}
	head := h.rest[:end+4]
	e := ws.TraceEvent{Handshake: string(head)}
	var err error
	if h.rx.Role() == ws.RoleServer {
		err = h.d.asked(head)
	} else {
		err = h.d.answeredWith(head)
	}
	h.rest = h.rest[len(head):]
	h.open = true
	var he *ws.HandshakeError
	if errors.As(err, &he) {
		e.Rule, e.Detail = he.Rule, he.Detail
	}
	h.d.event(h, e, at, false)
	if err != nil {
		h.d.halves[0].over, h.d.halves[1].over = true, true
		h.d.note("no connection came of this handshake: %v", err)
		return false
	}
	return true
}

// asked judges a request.
func (d *decoder) asked(head []byte) error {
	r, _, err := ws.ParseRequest(head)
	if err != nil {
		return err
	}
	if err := ws.CheckHTTP(r); err != nil {
		return err
	}
	if err := ws.CheckRequest(r, nil); err != nil {
		return err
	}
	d.request = r
	return nil
}

// answeredWith judges an answer, and allows the compression that it agrees to.
func (d *decoder) answeredWith(head []byte) error {
	r, err := parseResponse(head)
	if err != nil {
		return err
	}
	offered := &ws.Compression{SendContext: true, ReceiveContext: true}
	if q := d.request; q != nil {
		var protocols []string
		for _, line := range q.Header["Sec-Websocket-Protocol"] {
			for p := range strings.SplitSeq(line, ",") {
				protocols = append(protocols, strings.TrimSpace(p))
			}
		}
		if _, err := ws.CheckResponse(r, q.Header["Sec-Websocket-Key"][0], protocols); err != nil {
			return err
		}
		if !strings.Contains(strings.Join(q.Header["Sec-Websocket-Extensions"], ","), "permessage-deflate") {
			offered = nil
		}
	} else if r.Status != 101 {
		return ws.RuleStatus.Refusal("the server answered with status " + strconv.Itoa(r.Status) + ", 101 is needed")
	}
	agreed, err := ws.CheckDeflate(r.Header["Sec-Websocket-Extensions"], offered)
	if err != nil {
		return err
	}
	if agreed != nil {
		d.allow(*agreed)
	}
	return nil
}

// parseResponse reads a status line and fields. Names are spelled as net/http has them.
func parseResponse(head []byte) (*ws.Response, error) {
	first, rest, _ := strings.Cut(string(head), "\r\n")
	version, status, _ := strings.Cut(first, " ")
	code, err := strconv.Atoi(status[:min(3, len(status))])
	if version != "HTTP/1.1" || err != nil || code < 100 {
		return nil, ws.RuleAnswerNotHTTP.Refusal("the answer begins with " + strconv.Quote(first[:min(len(first), 40)]) + ", HTTP/1.1 and a status are expected")
	}
	r := &ws.Response{Status: code, Header: ws.Fields{}}
	for line := range strings.SplitSeq(strings.TrimSuffix(rest, "\r\n\r\n"), "\r\n") {
		name, value, ok := strings.Cut(line, ":")
		if !ok {
			if line == "" {
				continue
			}
			return nil, ws.RuleAnswerNotHTTP.Refusal("the answer has a line without a colon: " + strconv.Quote(line[:min(len(line), 40)]))
		}
		name = textproto.CanonicalMIMEHeaderKey(name)
		r.Header[name] = append(r.Header[name], strings.Trim(value, " \t"))
	}
	return r, nil
}
