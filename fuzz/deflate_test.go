package main

import (
	"bytes"
	"compress/flate"
	"context"
	"errors"
	"io"
	"slices"
	"testing"
	"unicode/utf8"

	"framewright/ws"
	"framewright/ws/wsnet"
	"framewright/ws/wstest"
)

// deflateParams are the sets of permessage-deflate parameters (RFC 7692 §7.1),
// by number.
func deflateParams(set uint16) ws.DeflateParams {
	return ws.DeflateParams{
		ServerNoContext: set&1 != 0,
		ClientNoContext: set&2 != 0,
		ServerBits:      8 + int(set>>2&7),
		ClientBits:      8 + int(set>>5&7),
	}
}

// fromPeer is what params say of the direction in which an endpoint with role
// receives.
func fromPeer(p ws.DeflateParams, role ws.Role) (bits int, keep bool) {
	if role == ws.RoleServer {
		return p.ClientBits, !p.ClientNoContext
	}
	return p.ServerBits, !p.ServerNoContext
}

// deflateOptions are connOptions where everything is compressed.
func deflateOptions(limits ws.Limits) *wsnet.Options {
	o := connOptions(limits)
	o.InflateRate = -1
	o.Compression = &ws.Compression{Threshold: -1}
	return o
}

// frames returns payload as one message, cut into fragments with pings in
// between, as an endpoint with role receives it.
func frames(dst []byte, role ws.Role, h ws.Header, payload []byte, cuts *xorshift) []byte {
	h.Masked, h.Key = role == ws.RoleServer, wstest.Key
	for {
		n := len(payload)
		if cuts.next(2) == 0 {
			n = cuts.next(n + 1)
		}
		h.Fin = n == len(payload)
		dst = ws.AppendFrame(dst, h, bytes.Clone(payload[:n])) // masked in place
		if h.Fin {
			return dst
		}
		payload = payload[n:]
		h.Opcode, h.RSV = ws.OpContinuation, 0
		if cuts.next(4) == 0 {
			ping := ws.Header{Fin: true, Opcode: ws.OpPing, Masked: h.Masked, Key: h.Key}
			dst = ws.AppendFrame(dst, ping, []byte("p"))
		}
	}
}

const (
	deflateTail = "\x00\x00\xff\xff"                   // RFC 7692 §7.2.2
	deflateLast = deflateTail + "\x01\x00\x00\xff\xff" // and a last block
)

// FuzzInflateConn: arbitrary bytes into the inflating side of a Conn, as the
// payload of two compressed messages or as they are. However the stream is cut
// and by whatever method it is read, the messages are the same and so is the
// end; they are what compress/flate makes of the payload, within the limit,
// and text is UTF-8.
func FuzzInflateConn(f *testing.F) {
	f.Fuzz(func(t *testing.T, client, small, framed bool, set uint16, seed uint64, payload []byte) {
		defer bounded()()
		if len(payload) > 20_000 {
			return // a thousand times as much comes out of it
		}
		role, params := roleFor(client), deflateParams(set)
		limits, maxSize, _ := limitsFor(small)
		op := ws.OpText + ws.Opcode(set>>8&1)
		wire := payload
		if framed {
			cuts := xorshift(seed)
			h := ws.Header{Opcode: op, RSV: ws.RSV1}
			wire = frames(nil, role, h, payload, &cuts)
			wire = frames(wire, role, h, payload, &cuts)
		}
		got, end := inflateAll(t, &stub{in: bytes.Clone(wire), cuts: xorshift(seed + 1)}, role, limits, params, seed)
		again, endAgain := inflateAll(t, &stub{in: bytes.Clone(wire), cuts: xorshift(seed + 2)}, role, limits, params, seed+3)
		// Blocks without content are counted a call at a time, so something
		// else that is wrong may be seen before.
		rule, ruleAgain := ruleIn(end), ruleIn(endAgain)
		same := rule == ruleAgain || rule == ws.RuleEmptyBlocks || ruleAgain == ws.RuleEmptyBlocks
		// A whole message that looks like a bomb is inflated once all of it is
		// there; what is wrong with the stream behind it is then seen before
		// what is wrong inside.
		for _, content := range []ws.RuleID{ws.RuleDeflate, ws.RuleTextUTF8, ws.RuleMessageSize} {
			same = same || !framed && (rule == content || ruleAgain == content)
		}
		if !slices.Equal(got, again) || !same {
			t.Fatalf("%d messages, then %v; cut otherwise: %d, then %v", len(got), end, len(again), endAgain)
		}
		for i, m := range got {
			if len(m.Data) > maxSize || m.Op == ws.OpText && !utf8.ValidString(m.Data) {
				t.Fatalf("message %d: %d bytes, UTF-8 %v", i, len(m.Data), utf8.ValidString(m.Data))
			}
		}
		if !framed {
			return
		}
		if _, keep := fromPeer(params, role); len(got) == 2 && !keep && got[0] != got[1] {
			t.Fatalf("the same payload became %d and %d bytes, with no context kept", len(got[0].Data), len(got[1].Data))
		}
		// compress/flate stops behind a block with BFINAL, and says nothing
		// of a stream that ends inside of a block.
		std, err := io.ReadAll(io.LimitReader(flate.NewReader(bytes.NewReader(slices.Concat(payload, []byte(deflateLast)))), int64(maxSize)))
		if len(got) > 0 && len(payload) > 0 && (err != nil && err != io.ErrUnexpectedEOF || !bytes.HasPrefix([]byte(got[0].Data), std)) {
			t.Fatalf("%d bytes; compress/flate: %d bytes, %v", len(got[0].Data), len(std), err)
		}
	})
}

// ruleIn returns the rule that the end e is about, or "".
func ruleIn(e *ws.CloseError) ws.RuleID {
	if p, ok := errors.AsType[*ws.ProtocolError](e.Err); ok {
		return p.Rule
	}
	return ""
}

// inflateAll reads every message, each by one of the reading methods.
func inflateAll(t *testing.T, s *stub, role ws.Role, limits ws.Limits, params ws.DeflateParams, modes uint64) (got []event, end *ws.CloseError) {
	c := wsnet.NewDeflateConn(s, role, deflateOptions(limits), params)
	defer closeAndWait(c)
	pick := xorshift(modes)
	for {
		op, p, err := readOne(c, &pick)
		if err == nil {
			got = append(got, event{op, string(p)})
			continue
		}
		end, ok := errors.AsType[*ws.CloseError](err)
		if !ok {
			t.Fatalf("the end is %T %v, want a *CloseError", err, err)
		}
		return got, end
	}
}

func readOne(c *wsnet.Conn, pick *xorshift) (ws.Opcode, []byte, error) {
	ctx := context.Background()
	switch pick.next(3) {
	case 0:
		return c.Read(ctx)
	case 1:
		return c.ReadAppend(ctx, make([]byte, 0, pick.next(2000)))
	}
	op, r, err := c.Reader(ctx)
	if err != nil {
		return 0, nil, err
	}
	p, b := []byte(nil), make([]byte, 1+pick.next(1000))
	for {
		n, err := r.Read(b)
		p = append(p, b[:n]...)
		if err == io.EOF {
			return op, p, nil
		}
		if err != nil {
			return 0, nil, err
		}
	}
}

// FuzzDeflateRoundTrip: messages written in every way, under every set of
// parameters and in both roles, and cut anyhow on the way, are read as they
// were; and compress/flate, shown no more of what came before than the window
// that was agreed on, makes the same of each of them.
func FuzzDeflateRoundTrip(f *testing.F) {
	f.Fuzz(func(t *testing.T, client bool, set uint16, seed uint64, a, b []byte) {
		defer bounded()()
		role, params := roleFor(client), deflateParams(set)
		peer := ws.RoleServer + ws.RoleClient - role
		out := &stub{}
		ways := xorshift(seed)
		sender := wsnet.NewDeflateConn(out, role, deflateOptions(ws.Limits{}), params)
		var want []event
		for _, p := range [][]byte{a, b, slices.Concat(b, a), a, nil, b} {
			op := ws.OpBinary
			if utf8.Valid(p) && ways.next(2) == 0 {
				op = ws.OpText
			}
			if err := writeOne(sender, op, p, &ways); err != nil {
				t.Fatal(err)
			}
			want = append(want, event{op, string(p)})
		}
		wire := out.written()
		sender.CloseNow()

		got, end := inflateAll(t, &stub{in: bytes.Clone(wire), cuts: xorshift(seed + 1)}, peer, ws.Limits{}, params, seed+2)
		if end.Err != io.ErrUnexpectedEOF || !slices.Equal(got, want) {
			t.Fatalf("%d messages, then %v; want %d", len(got), end, len(want))
		}
		bits, keep := fromPeer(params, peer)
		checkStrict(t, wire, want, 1<<bits, keep)
	})
}

// writeOne writes p by one of the writing methods.
func writeOne(c *wsnet.Conn, op ws.Opcode, p []byte, ways *xorshift) error {
	ctx := context.Background()
	switch ways.next(8) {
	case 0:
		return c.WriteUncompressed(ctx, op, p)
	case 1, 2:
		m, err := wsnet.Prepare(op, p)
		if err != nil {
			return err
		}
		return c.WritePrepared(ctx, m)
	case 3, 4:
		w, err := c.Writer(ctx, op)
		if err != nil {
			return err
		}
		w.SetCompression(ways.next(4) > 0)
		for len(p) > 0 {
			n := 1 + ways.next(len(p))
			if _, err := w.Write(p[:n]); err != nil {
				return err
			}
			p = p[n:]
		}
		return w.Close()
	}
	return c.Write(ctx, op, p)
}

// checkStrict inflates the messages on the wire with compress/flate and a
// dictionary of no more than window bytes.
func checkStrict(t *testing.T, wire []byte, want []event, window int, keep bool) {
	var message, before []byte
	compressed, i := false, 0
	for len(wire) > 0 {
		h, n, err := ws.ParseHeader(wire)
		if err != nil || n == 0 {
			t.Fatalf("no header in % x: %v", wire[:min(len(wire), 14)], err)
		}
		payload := bytes.Clone(wire[n : n+int(h.Length)])
		wire = wire[n+int(h.Length):]
		if h.Masked {
			ws.Mask(payload, h.Key, 0)
		}
		if h.Opcode != ws.OpContinuation {
			compressed = h.RSV == ws.RSV1
		}
		message = append(message, payload...)
		if !h.Fin {
			continue
		}
		if compressed {
			z := flate.NewReaderDict(bytes.NewReader(append(message, deflateLast...)), before)
			if message, err = io.ReadAll(z); err != nil {
				t.Fatalf("message %d: %v", i, err)
			}
			if keep {
				before = append(before, message...)
				before = before[max(0, len(before)-window):]
			}
		}
		if string(message) != want[i].Data {
			t.Fatalf("message %d: compress/flate makes %d bytes of it, want %d", i, len(message), len(want[i].Data))
		}
		message = nil
		i++
	}
	if i != len(want) {
		t.Fatalf("%d messages on the wire, want %d", i, len(want))
	}
}
