// Package ws is RFC 6455, the WebSocket protocol, written to be read beside
// it.
//
// # What it is
//
// The package decides everything that the RFC decides: may this frame come now, which
// code does this violation close with, what is owed for a ping. It does no I/O and knows
// no time, so it can be tested with literal bytes, fuzzed, and used by tools. Connections
// over a network are framewright/ws/wsnet, which owns sockets, locks, buffers and the
// clock, and leaves every verdict to this package.
//
//	frame.go      Opcode, Header: ParseHeader, AppendHeader      §5.2
//	mask.go       Mask                                           §5.3
//	utf8.go       UTF8: text that comes in pieces                §8.1
//	close.go      Code, ParseClose, AppendClose                  §5.5.1, §7.4
//	state.go      State, the table of moves                      §5.4, §5.5
//	receiver.go   Receiver: what arrives                         §5, §6.2
//	receiver_rules.go  what is said of a rule that is broken
//	inflate.go    what compressed messages inflate to            RFC 7692 §7.2.2
//	limits.go     Limits: sizes, rates, times                    §10.4
//	sender.go     Sender: what leaves                            §5.1, §5.4
//	keepalive.go  Pings, Keepalive                               §5.5.2, §5.5.3
//	closing.go    the reason of an end, and what is owed         §7.1
//	endpoint.go   Endpoint: all of these, both directions
//	rules.go      Rules: every rule, with its id, section, code
//	policy.go     Policy: what a server demands beyond the RFC
//	handshake.go  AcceptKey, CheckRequest, CheckResponse         §4
//	connect.go    the same over HTTP/2                            RFC 8441
//	request.go    ParseRequest, RequestHead                      §4.1
//	origin.go     CheckOrigin                                    §10.2
//	host.go       CheckHost                                      §10.2
//	deflate.go    Compression: offers and answers                RFC 7692 §7.1
//	errors.go     ProtocolError, CloseError
//	trace.go      TraceEvent: what went over the wire
//	explain.go    what it means, row by row
//
// What a handshake needs of HTTP/1.1 itself, and of hosts, is in internal/http1.
//
// # Vocabulary
//
// The words are the RFC's. An endpoint is a client or a server. Endpoints
// exchange messages, text or binary; a message is one frame or several
// fragments: a first frame, continuation frames, the last with FIN=1. Control
// frames (Close, Ping, Pong) may come between fragments. A client masks what
// it sends, a server does not. The closing handshake is a Close frame each
// way. To fail the connection is to send a Close frame that says why, if that
// is still possible, and to close the stream.
//
// # The states of one direction
//
// Each direction of a connection is in one of four states, and a frame moves
// it to the next; what is not drawn breaks a rule:
//
//	         text, binary FIN=1;
//	         ping, pong
//	           +-----+
//	           |     v
//	        +-----------+   text FIN=0      +-----------+
//	------> |   ready   | ----------------> |  in text  | <-+ continuation FIN=0;
//	        |           | <---------------- |           | --+ ping, pong
//	        +-----------+  continuation     +-----------+
//	         |   |     ^       FIN=1             |
//	         |   |     |                         | close
//	   close |   |     | continuation FIN=1      v
//	         |   |     |                    +-----------+
//	         |   |   +-----------+  close   |  closed   |
//	         |   +-> | in binary | -------> |           |
//	         |binary +-----------+          +-----------+
//	         |FIN=0   ^   | continuation FIN=0;  ^
//	         |        +---+ ping, pong            |
//	         +------------------------------------+
//
// The table stands in state.go.
package ws
