package differential

import (
	"bufio"
	"bytes"
	"crypto/sha1"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"framewright/ws"

	peer1 "github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"
	"github.com/lxzan/gws"
)

// gobwas reads wire with github.com/gobwas/ws: its Reader with all checks on,
// and its handler for control frames.
func gobwas(wire []byte, role ws.Role) (v verdict) {
	defer recovered(&v)
	state := peer1.StateServerSide
	if role == ws.RoleClient {
		state = peer1.StateClientSide
	}
	r := &wsutil.Reader{Source: bytes.NewReader(wire), State: state, CheckUTF8: true, MaxMessageSize: maxMessage}
	control := func(h peer1.Header, payload io.Reader) error {
		return wsutil.ControlHandler{Src: payload, Dst: io.Discard, State: state, DisableSrcCiphering: true}.Handle(h)
	}
	r.OnIntermediate = control
	for {
		h, err := r.NextFrame()
		if err == nil && h.OpCode.IsControl() {
			if err = control(h, r); err == nil {
				err = r.Discard()
			}
		} else if err == nil {
			var p []byte
			if p, err = io.ReadAll(r); err == nil {
				v.messages = append(v.messages, string("?tb"[h.OpCode])+string(p))
			}
		}
		if err == nil {
			continue
		}
		v.err, v.end = err, refused
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			v.end = open
		} else if e, ok := errors.AsType[wsutil.ClosedError](err); ok {
			v.end, v.code = closed, int(e.Code)
		}
		return v
	}
}

func recovered(v *verdict) {
	if p := recover(); p != nil {
		v.end, v.err = paniced, fmt.Errorf("panic: %v", p)
	}
}

// lxzan reads wire with github.com/lxzan/gws, after a handshake as its client
// or its server.
func lxzan(wire []byte, role ws.Role) verdict {
	h := &gwsHandler{}
	s := &gwsConn{}
	var c *gws.Conn
	var err error
	if role == ws.RoleServer {
		s.in = wire
		r := &http.Request{Method: "GET", Header: http.Header{
			"Connection": {"Upgrade"}, "Upgrade": {"websocket"}, "Sec-Websocket-Version": {"13"}, "Sec-Websocket-Key": {"dGhlIHNhbXBsZSBub25jZQ=="},
		}}
		c, err = gws.NewUpgrader(h, &gws.ServerOption{CheckUtf8Enabled: true, ReadMaxPayloadSize: maxMessage}).
			UpgradeFromConn(s, bufio.NewReader(s), r)
	} else {
		s.behind = wire
		c, _, err = gws.NewClientFromConn(h, &gws.ClientOption{Addr: "ws://example.com/", CheckUtf8Enabled: true, ReadMaxPayloadSize: maxMessage}, s)
	}
	if err != nil {
		return verdict{end: refused, err: err}
	}
	s.out = nil
	func() {
		defer recovered(&h.verdict)
		c.ReadLoop()
	}()
	if h.end == closed && s.closeCode() != h.answer() {
		h.end = refused // a Close frame that it did not like
	}
	return h.verdict
}

type gwsHandler struct {
	gws.BuiltinEventHandler
	verdict
}

func (h *gwsHandler) OnMessage(_ *gws.Conn, m *gws.Message) {
	h.messages = append(h.messages, string("?tb"[m.Opcode])+m.Data.String())
	m.Close()
}

func (h *gwsHandler) OnPing(*gws.Conn, []byte) {}

func (h *gwsHandler) OnClose(_ *gws.Conn, err error) {
	h.err, h.end = err, refused
	if e, ok := errors.AsType[*gws.CloseError](err); ok {
		h.end, h.code = closed, int(e.Code)
		if h.code == 0 {
			h.code = 1005
		}
	} else if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		h.end = open
	}
}

// answer is the code with which gws answers a Close frame that it takes.
func (h *gwsHandler) answer() int {
	if 1000 <= h.code && h.code < 1016 && h.code != 1005 {
		return 1000
	}
	return h.code
}

// A gwsConn is the net.Conn that gws runs over: in memory, and never waiting.
type gwsConn struct {
	in, out []byte
	behind  []byte // for a client: what comes behind the answer to its request
}

func (s *gwsConn) Read(p []byte) (int, error) {
	if len(s.in) == 0 && s.behind != nil {
		key := strings.TrimSpace(strings.SplitN(strings.SplitN(string(s.out), "Sec-Websocket-Key:", 2)[1], "\r\n", 2)[0])
		sum := sha1.Sum([]byte(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
		s.in = append([]byte("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "+
			base64.StdEncoding.EncodeToString(sum[:])+"\r\n\r\n"), s.behind...)
		s.behind = nil
	}
	if len(s.in) == 0 {
		return 0, io.EOF
	}
	n := copy(p, s.in)
	s.in = s.in[n:]
	return n, nil
}

func (s *gwsConn) Write(p []byte) (int, error) { s.out = append(s.out, p...); return len(p), nil }

// closeCode is what the Close frame says that was written last, 1005 if it
// has no code.
func (s *gwsConn) closeCode() int {
	r := ws.NewReceiver(ws.RoleClient, ws.Limits{})
	if len(s.out) > 1 && s.out[1]&0x80 != 0 {
		r = ws.NewReceiver(ws.RoleServer, ws.Limits{})
	}
	for {
		_, n, err := r.Next(s.out)
		if err != nil || n == 0 {
			code, _ := r.CloseFrame()
			return int(code)
		}
		s.out = s.out[n:]
	}
}

func (s *gwsConn) Close() error                     { return nil }
func (s *gwsConn) LocalAddr() net.Addr              { return &net.TCPAddr{} }
func (s *gwsConn) RemoteAddr() net.Addr             { return &net.TCPAddr{} }
func (s *gwsConn) SetDeadline(time.Time) error      { return nil }
func (s *gwsConn) SetReadDeadline(time.Time) error  { return nil }
func (s *gwsConn) SetWriteDeadline(time.Time) error { return nil }
