package ws_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"
	"testing/synctest"

	"framewright/ws"
	"framewright/ws/wsnet"
	"framewright/ws/wstest"
)

func TestErrorTexts(t *testing.T) {
	broken := &ws.ProtocolError{Code: ws.CodeProtocolError, Rule: ws.RuleContinuation, Section: "§5.4", Detail: "continuation without a message"}
	for _, tt := range []struct {
		err  error
		want string
	}{
		{broken, "ws: continuation without a message (§5.4)"},

		{&ws.CloseError{Code: ws.CodeNormal}, "ws: closed by this endpoint with 1000 (normal closure)"},
		{&ws.CloseError{Code: ws.CodeNormal, Remote: true}, "ws: closed by the peer with 1000 (normal closure)"},
		{&ws.CloseError{Code: ws.CodeGoingAway, Reason: `see "you"`, Remote: true}, `ws: closed by the peer with 1001 (going away): "see \"you\""`},
		{&ws.CloseError{Code: ws.CodeNoStatus, Remote: true}, "ws: closed by the peer with 1005 (no status received)"},
		{&ws.CloseError{Code: 4001, Reason: "kicked", Remote: true}, `ws: closed by the peer with 4001: "kicked"`},
		{&ws.CloseError{Code: ws.CodeProtocolError, Reason: "continuation without a message (§5.4)", Err: broken},
			"ws: closed by this endpoint with 1002 (protocol error): continuation without a message (§5.4)"},
		{&ws.CloseError{Code: ws.CodeAbnormal, Remote: true, Err: io.ErrUnexpectedEOF}, "ws: connection lost without a closing handshake: unexpected EOF"},
		{&ws.CloseError{Code: ws.CodeAbnormal, Remote: true, Err: wsnet.ErrPongTimeout},
			"ws: connection lost without a closing handshake: no sign of life from the peer within PongTimeout after a ping (§5.5.2)"},
		{&ws.CloseError{Code: ws.CodeAbnormal}, "ws: connection lost without a closing handshake (§7.1.5)"},

		{&ws.HandshakeError{Status: 405, Rule: ws.RuleMethod, Section: "§4.1", Detail: `"POST" request, GET is needed`}, `ws: handshake: "POST" request, GET is needed (§4.1)`},
		{&ws.HandshakeError{Detail: `no answer from "example.com"`, Err: io.EOF}, `ws: handshake: no answer from "example.com": EOF`},
		{&ws.HandshakeError{Detail: "refused", Err: ws.ErrNotUTF8}, "ws: handshake: refused: text to send is not UTF-8 (§5.6)"},
		{&ws.HandshakeError{Detail: "the answer is not HTTP", Section: "§4.1", Err: io.EOF}, "ws: handshake: the answer is not HTTP: EOF (§4.1)"},

		{ws.ErrOpcode, "ws: a message is OpText or OpBinary (§5.6)"},
		{ws.ErrNotUTF8, "ws: text to send is not UTF-8 (§5.6)"},
		{ws.ErrCloseCode, "ws: close code must not be sent (§7.4)"},
		{ws.ErrReasonTooLong, "ws: close reason is longer than 123 bytes (§5.5)"},
		{wsnet.ErrWriterClosed, "ws: message writer is closed"},
		{wsnet.ErrReaderStale, "ws: message was skipped by a later read"},
		{wsnet.ErrWriteTimeout, "ws: the peer did not take data within WriteTimeout"},
		{wsnet.ErrCloseTimeout, "ws: the peer did not answer the Close frame within CloseTimeout (§7.1.2)"},
	} {
		if got := tt.err.Error(); got != tt.want {
			t.Errorf("got  %s\nwant %s", got, tt.want)
		}
	}
}

// The chain of a connection's end: the operation, the close, what made us
// close.
func TestErrorChain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := wstest.Pipe()
		c := wsnet.NewConn(b, ws.RoleServer, nil)
		p := wstest.NewPeer(t, a)
		p.Send("80 80 | 00000000")
		_, _, err := c.Read(t.Context())
		p.WantClose("the violation", ws.CodeProtocolError, "§5.4")
		p.Close()

		const want = "ws: read: closed by this endpoint with 1002 (protocol error): continuation without a message (§5.4)"
		if err == nil || err.Error() != want {
			t.Errorf("got  %v\nwant %s", err, want)
		}
		ce, ok := errors.AsType[*ws.CloseError](err)
		if !ok || ce.Code != ws.CodeProtocolError || ce.Remote || ce.Reason != "continuation without a message (§5.4)" {
			t.Errorf("no *CloseError as it should be: %#v", ce)
		}
		pe, ok := errors.AsType[*ws.ProtocolError](err)
		if !ok || pe.Rule != ws.RuleContinuation {
			t.Errorf("no *ProtocolError as it should be: %#v", pe)
		}
		if c.Err() != error(ce) || context.Cause(c.Context()) != error(ce) || !errors.Is(c.Write(t.Context(), ws.OpText, nil), ce) {
			t.Error("the connection's end is not one and the same")
		}
	})
}

// Mistakes of the caller's are said before anything is sent.
func TestErrorOfTheCaller(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := wstest.Pipe()
		c := wsnet.NewConn(b, ws.RoleServer, nil)
		defer c.CloseNow()
		p := wstest.NewPeer(t, a)
		ctx := t.Context()
		_, prepareOpcode := wsnet.Prepare(ws.OpClose, nil)
		_, prepareText := wsnet.Prepare(ws.OpText, []byte("\xff"))
		_, writerOpcode := c.Writer(ctx, ws.OpPing)
		for _, tt := range []struct {
			name string
			err  error
			is   error
			want string
		}{
			{"Write ping", c.Write(ctx, ws.OpPing, nil), ws.ErrOpcode, "ws: write: a message is OpText or OpBinary (§5.6)"},
			{"Write continuation", c.Write(ctx, ws.OpContinuation, nil), ws.ErrOpcode, "ws: write: a message is OpText or OpBinary (§5.6)"},
			{"Write bad text", c.Write(ctx, ws.OpText, []byte("a\xff")), ws.ErrNotUTF8, "ws: write: text to send is not UTF-8 (§5.6)"},
			{"Writer ping", writerOpcode, ws.ErrOpcode, "ws: write: a message is OpText or OpBinary (§5.6)"},
			{"Prepare close", prepareOpcode, ws.ErrOpcode, "ws: prepare: a message is OpText or OpBinary (§5.6)"},
			{"Prepare bad text", prepareText, ws.ErrNotUTF8, "ws: prepare: text to send is not UTF-8 (§5.6)"},
		} {
			if !errors.Is(tt.err, tt.is) || tt.err.Error() != tt.want {
				t.Errorf("%s: got %v, want %s", tt.name, tt.err, tt.want)
			}
		}
		p.WantIdle("nothing was sent")
		if c.Err() != nil {
			t.Errorf("the connection is over: %v", c.Err())
		}
	})
}

func TestCloseStatus(t *testing.T) {
	for _, tt := range []struct {
		err  error
		want ws.Code
	}{
		{nil, 0},
		{io.EOF, 0},
		{context.Canceled, 0},
		{&ws.ProtocolError{Code: ws.CodeProtocolError}, 0},
		{&ws.CloseError{Code: ws.CodeNormal, Remote: true}, 1000},
		{&ws.CloseError{Code: ws.CodeNoStatus, Remote: true}, 1005},
		{&ws.CloseError{Code: ws.CodeAbnormal, Err: io.EOF}, 1006},
		{fmt.Errorf("read: %w", &ws.CloseError{Code: 4000}), 4000},
		{errors.Join(io.EOF, &ws.CloseError{Code: ws.CodeProtocolError, Err: &ws.ProtocolError{}}), 1002},
	} {
		if got := ws.CloseStatus(tt.err); got != tt.want {
			t.Errorf("%v: got %d, want %d", tt.err, got, tt.want)
		}
	}
}
