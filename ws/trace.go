package ws

// A TraceEvent is one thing that went over a connection: a frame, the text of
// one half of an opening handshake, or, with only Rule set, the breach of a
// rule outside of any frame.
type TraceEvent struct {
	Conn    uint64 // Conn.ID; a handshake that does not become a Conn has a number, too
	Role    Role   // of the endpoint that looks on
	Sent    bool   // by this endpoint; false: received
	Offset  int64  // of the frame's first byte since the handshake
	Header  Header
	Wire    []byte // the header's bytes, as they are on the wire
	Payload []byte // unmasked; its first TracePayload bytes at most
	Before  State  // of the frame's direction
	After   State
	Rule    RuleID // that the frame broke, or the handshake, with its last event; "" if none

	// Compressed says that the payload is of a compressed message. With the
	// last frame of one comes what the whole message inflates to (RFC 7692
	// §7.2.2): its first TracePayload bytes at most, and its length.
	Compressed    bool
	Content       []byte
	ContentLength int64

	// Detail is what was seen of the breach, with the place: for a text that is
	// not UTF-8, the byte and its offset in the message.
	Detail string

	// Handshake is one half of an opening handshake, or as much of it as came:
	// the bytes that were sent or received, unless Parsed says that they went
	// through net/http. Then it is what net/http said of them, and the order of
	// the header lines, the spelling of their names, and white space are not
	// known; nor is what net/http adds, such as Date.
	Handshake string
	Parsed    bool
}

// TracePayload is how much of a frame's payload a TraceEvent has, in bytes.
const TracePayload = 4096
