package ws

import (
	"cmp"
	"strconv"

	"framewright/ws/internal/http1"
)

// Compression turns permessage-deflate (RFC 7692) on and sets it up. The zero
// value is the choice for a server with many connections: every message is
// compressed by itself, so a connection holds no memory for it between two
// messages.
//
// A direction that keeps its context compresses a message against those
// before it. That makes messages of 1 KiB that resemble each other about a
// third smaller, and those of 200 bytes half as large; it costs each
// connection a window of up to 2^bits bytes per direction, which grows as it is
// used. What a connection over TCP holds while it waits, with both contexts
// kept and both windows full, all inclusive but for its goroutine's stack, and
// what JSON of 1 KiB comes to, in bytes and in processor time of one machine:
//
//	              memory  a message    compress  inflate
//	no context   2.1 KiB  445 bytes      9.7 µs   3.3 µs
//	 8 bits      2.6 KiB  419 bytes     10.4 µs   3.1 µs
//	10 bits      4.1 KiB  345 bytes     10.6 µs   3.3 µs
//	12 bits     10.1 KiB  306 bytes     11.6 µs   3.5 µs
//	15 bits     66.1 KiB  306 bytes     14.3 µs   3.4 µs
//
// So with contexts kept 10,000 connections may come to hold some 630 MiB at 15
// bits, 80 MiB at 12 and 20 MiB at 10. For many connections and small messages
// 10 to 12 bits in both directions are the better bargain. A longer window pays
// where messages repeat what was said long ago. The project's
// bench/COMPRESSION.md has every window, other sizes and other libraries.
//
// Compression is not for messages that mix a secret with what somebody else
// can choose: see WriteUncompressed.
type Compression struct {
	// SendContext and ReceiveContext keep the context from one message to the
	// next, in the direction that this endpoint sends or receives, if the peer
	// allows it (RFC 7692 §7.1.1). A server that does not keep what it
	// receives demands client_no_context_takeover, a client
	// server_no_context_takeover.
	SendContext    bool
	ReceiveContext bool

	// SendWindow and ReceiveWindow are the base-2 logarithm of the largest
	// window in each direction, 8 to 15 (RFC 7692 §7.1.2); 0 is 15. A window
	// of 8 bits is honoured exactly: no distance in what is sent is beyond 256
	// bytes, and one in what is received is refused. zlib cannot do that as a
	// sender, so a peer built on it may decline, or go without compression;
	// 9 is what every peer can do. A server can limit what a client sends only if
	// the client's offer says client_max_window_bits; from one whose offer
	// does not, it takes 15 bits without context.
	SendWindow    int
	ReceiveWindow int

	// Threshold is the length in bytes from which on a message is compressed:
	// 128 by default, all below 0. Shorter ones gain nothing without context
	// and cost time.
	Threshold int
}

// DefaultThreshold is Compression.Threshold's default.
const DefaultThreshold = 128

func (c *Compression) sendBits() int    { return cmp.Or(c.SendWindow, maxWindowBits) }
func (c *Compression) receiveBits() int { return cmp.Or(c.ReceiveWindow, maxWindowBits) }

const (
	minWindowBits = 8  // RFC 7692 §7.1.2
	maxWindowBits = 15 // the window of DEFLATE itself (RFC 1951)
)

// CheckCompression reports what is wrong with c, so that a program can refuse
// a bad setting when it starts; nil is fine.
func CheckCompression(c *Compression) error {
	if c == nil {
		return nil
	}
	for _, f := range []struct {
		name string
		bits int
	}{{"SendWindow", c.SendWindow}, {"ReceiveWindow", c.ReceiveWindow}} {
		if f.bits != 0 && (f.bits < minWindowBits || f.bits > maxWindowBits) {
			return &HandshakeError{Detail: "Compression." + f.name + " is " + strconv.Itoa(f.bits) + ", expected 8 to 15, or 0 for 15 (RFC 7692 §7.1.2)"}
		}
	}
	return nil
}

// DeflateParams are what the two endpoints agreed on (RFC 7692 §7.1).
type DeflateParams struct {
	ServerNoContext bool // server_no_context_takeover
	ClientNoContext bool // client_no_context_takeover
	ServerBits      int  // server_max_window_bits, 8 to 15
	ClientBits      int  // client_max_window_bits, 8 to 15
}

// Sending returns the window of the direction in which an endpoint with the given role
// sends, and whether its context is kept.
func (p DeflateParams) Sending(r Role) (bits int, keep bool) {
	if r == RoleServer {
		return cmp.Or(p.ServerBits, maxWindowBits), !p.ServerNoContext
	}
	return cmp.Or(p.ClientBits, maxWindowBits), !p.ClientNoContext
}

// Receiving does the same for the direction in which it receives.
func (p DeflateParams) Receiving(r Role) (bits int, keep bool) { return p.Sending(1 - r) }

// Compressed reports whether a message of plain bytes goes out in its compressed form of
// so many (RFC 7692 §6): if that is shorter; and where the context is kept in any case, as
// the peer's is only like ours if it sees every message that way.
func Compressed(plain, compressed int, keep bool) bool { return compressed < plain || keep }

// The parameters of permessage-deflate, as one offer or answer has them.
type deflateOffer struct {
	serverNoContext, clientNoContext bool
	serverBits, clientBits           int  // 0: absent
	clientBitsAny                    bool // client_max_window_bits without a value
}

const deflateName = "permessage-deflate"

// parseDeflate reads the parameters of one permessage-deflate element. They
// are wrong if one is unknown, doubled, out of range, or has a value where it
// must not or none where it must (RFC 7692 §7.1); reason says which. Only an
// offer may have client_max_window_bits without a value.
func parseDeflate(e http1.Element, offer bool) (d deflateOffer, reason string) {
	seen := map[string]bool{}
	for _, p := range e.Params {
		if seen[p.Name] {
			return d, p.Name + " stands twice"
		}
		seen[p.Name] = true
		switch p.Name {
		case "server_no_context_takeover", "client_no_context_takeover":
			if p.Valued {
				return d, p.Name + " has a value"
			}
			if p.Name[0] == 's' {
				d.serverNoContext = true
			} else {
				d.clientNoContext = true
			}
		case "server_max_window_bits", "client_max_window_bits":
			if !p.Valued {
				if p.Name[0] == 's' || !offer {
					return d, p.Name + " has no value"
				}
				d.clientBitsAny = true
				continue
			}
			bits := parseBits(p.Value)
			if bits == 0 {
				return d, p.Name + " is " + strconv.Quote(p.Value) + ", expected 8 to 15"
			}
			if p.Name[0] == 's' {
				d.serverBits = bits
			} else {
				d.clientBits = bits
			}
		default:
			return d, "unknown parameter " + strconv.Quote(p.Name)
		}
	}
	return d, ""
}

// parseBits reads "a decimal integer value without leading zeroes between 8 to
// 15 inclusive" (RFC 7692 §7.1.2.1); 0 if it is none.
func parseBits(s string) int {
	switch s {
	case "8", "9":
		return int(s[0] - '0')
	case "10", "11", "12", "13", "14", "15":
		return 10 + int(s[1]-'0')
	}
	return 0
}

// AcceptDeflate is the server's half of the negotiation: it takes the first
// offer of the request's Sec-WebSocket-Extensions headers that is valid, and
// returns what is agreed and the header of the answer; nil and "" if there is
// no such offer, or c is nil. An error is a *HandshakeError: the header is malformed
// (RFC 6455 §9.1).
func AcceptDeflate(offers []string, c *Compression) (agreed *DeflateParams, answer string, err error) {
	list, wellFormed := http1.ParseList(offers)
	if !wellFormed {
		return nil, "", RuleExtensions.Refusal("Sec-WebSocket-Extensions " + http1.QuoteValues(offers) + " is not a list of extensions")
	}
	if c == nil {
		return nil, "", nil
	}
	for _, e := range list {
		if e.Name != deflateName {
			continue
		}
		d, reason := parseDeflate(e, true)
		if reason != "" {
			continue // "A server MUST decline an extension negotiation offer" (RFC 7692 §7.1)
		}
		p, answer := c.accept(d)
		return &p, answer, nil
	}
	return nil, "", nil
}

// accept answers a valid offer, parameter by parameter.
func (c *Compression) accept(d deflateOffer) (p DeflateParams, answer string) {
	answer = deflateName
	// server_no_context_takeover: a server that is asked accepts by saying it
	// too; it may say it unasked (RFC 7692 §7.1.1.1).
	if p.ServerNoContext = d.serverNoContext || !c.SendContext; p.ServerNoContext {
		answer += "; server_no_context_takeover"
	}
	// client_no_context_takeover: the server may demand it, asked or unasked
	// (§7.1.1.2). A client that cannot limit its window is not trusted with a
	// context either, or each connection could cost the full window.
	unlimited := d.clientBits == 0 && !d.clientBitsAny && c.receiveBits() < maxWindowBits
	if p.ClientNoContext = d.clientNoContext || !c.ReceiveContext || unlimited; p.ClientNoContext {
		answer += "; client_no_context_takeover"
	}
	// server_max_window_bits: "the same or smaller value as the offer", or
	// unasked (§7.1.2.1).
	p.ServerBits = min(c.sendBits(), cmp.Or(d.serverBits, maxWindowBits))
	if d.serverBits != 0 || p.ServerBits < maxWindowBits {
		answer += "; server_max_window_bits=" + strconv.Itoa(p.ServerBits)
	}
	// client_max_window_bits: only if the offer has it, and then no larger
	// (§7.1.2.2).
	p.ClientBits = maxWindowBits
	if d.clientBits != 0 || d.clientBitsAny {
		p.ClientBits = min(c.receiveBits(), cmp.Or(d.clientBits, maxWindowBits))
		if d.clientBits != 0 || p.ClientBits < maxWindowBits {
			answer += "; client_max_window_bits=" + strconv.Itoa(p.ClientBits)
		}
	}
	return p, answer
}

// OfferDeflate returns the header of a client's offer for c.
func OfferDeflate(c *Compression) string {
	offer := deflateName
	if !c.ReceiveContext {
		offer += "; server_no_context_takeover"
	}
	if !c.SendContext {
		offer += "; client_no_context_takeover"
	}
	if bits := c.receiveBits(); bits < maxWindowBits {
		offer += "; server_max_window_bits=" + strconv.Itoa(bits)
	}
	offer += "; client_max_window_bits"
	if bits := c.sendBits(); bits < maxWindowBits {
		offer += "=" + strconv.Itoa(bits)
	}
	return offer
}

// CheckDeflate is the client's half: it holds the answer's Sec-WebSocket-Extensions
// headers against the offer that OfferDeflate made for c, nil if none was made, and
// returns what is agreed, nil if the server declined. An error is a *HandshakeError; the
// client then fails the connection (RFC 7692 §7.1).
func CheckDeflate(answer []string, c *Compression) (agreed *DeflateParams, err error) {
	bad := func(why string) (*DeflateParams, error) {
		return nil, RuleAnswerExtensions.Refusal("the answer's Sec-WebSocket-Extensions " + http1.QuoteValues(answer) + ": " + why)
	}
	list, wellFormed := http1.ParseList(answer)
	switch {
	case !wellFormed:
		return bad("not a list of extensions")
	case c == nil && len(answer) > 0:
		return bad("none was offered")
	case len(list) == 0:
		return nil, nil
	case len(list) > 1:
		return bad("one was offered")
	case list[0].Name != deflateName:
		return bad("only " + deflateName + " was offered")
	}
	d, reason := parseDeflate(list[0], false)
	switch {
	case reason != "":
		return bad(reason)
	case !c.ReceiveContext && !d.serverNoContext:
		return bad("server_no_context_takeover was offered and is missing (RFC 7692 §7.1.1.1)")
	case c.receiveBits() < maxWindowBits && d.serverBits == 0:
		return bad("server_max_window_bits was offered and is missing (RFC 7692 §7.1.2.1)")
	case d.serverBits > c.receiveBits():
		return bad("server_max_window_bits is larger than what was offered (RFC 7692 §7.1.2.1)")
	case d.clientBits > c.sendBits():
		return bad("client_max_window_bits is larger than what was offered (RFC 7692 §7.1.2.2)")
	}
	return &DeflateParams{
		ServerNoContext: d.serverNoContext,
		ClientNoContext: d.clientNoContext || !c.SendContext,
		ServerBits:      cmp.Or(d.serverBits, maxWindowBits),
		ClientBits:      min(cmp.Or(d.clientBits, maxWindowBits), c.sendBits()),
	}, nil
}
