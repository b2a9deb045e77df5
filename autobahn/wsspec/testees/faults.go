package testees

import "time"

// Faults are the ways in which an endpoint can be broken. The zero value is one that
// echoes messages and keeps to RFC 6455 as strictly as it can.
type Faults struct {
	// Opening.
	Accept  string // the Sec-WebSocket-Accept, instead of the right one
	Answer  string // header lines more in a server's answer, each with its CRLF
	Greet   []byte // a frame that is sent at once, unmasked here: the loop masks it
	Silent  bool   // nothing is ever sent but the handshake
	EndOpen bool   // TCP ends at once

	// Messages.
	NoText       bool // no check of UTF-8
	LateText     bool // the check is made when the message is whole
	NoEcho       bool
	TwiceEcho    bool
	EachEcho     bool // every fragment is echoed as a message
	AsBinary     bool // texts come back binary
	AsText       bool // and the other way
	Shout        bool // the first byte of an echo is another
	MaxEcho      int  // echoes are cut off behind so many bytes
	Pieces       int  // echoes are fragments of so many bytes
	Lose         bool // continuations are dropped
	CloseAfter   bool // a Close 1000 behind the first echo
	PingBefore   bool // a ping of its own before each echo
	PongBefore   bool // a pong that nothing asked for before each echo
	EchoRSV      byte
	EchoOpcode   byte // instead of the message's; 16 for a continuation
	EchoForm     byte // 16 or 64: bits that every length is written with
	NoFinal      bool // echoes do not end: FIN is never set
	HeadApart    bool // each byte of a head is a write of its own
	WrongMask    bool // a server masks, a client does not
	ShortPayload bool // a byte less than the head says
	Delay        time.Duration

	// Pings.
	NoPong      bool
	EmptyPong   bool
	LatePong    bool // pongs wait until the message is whole
	LastPong    bool // a ping with something close behind it is not answered
	TwicePong   bool
	CloseOnPing bool // a Close 1011 for a ping with payload
	PingAsText  bool // a ping comes back as a message

	// Rules that are not looked at.
	AnyRSV      bool
	AnyOpcode   bool // reserved opcodes are passed over
	AnyControl  bool // control frames may be fragmented and long
	AnyNew      bool // a new message may begin inside another
	AnyOrphan   bool // continuations need no message
	AnyLength   bool // lengths need not be in the shortest form
	AnyMask     bool
	EchoUnknown bool // and reserved opcodes come back

	// What is done about what is against the rules.
	FaultCode   int    // the code of the Close, instead of the right one; below 0 none
	FaultReason string // its reason
	FaultTCP    bool   // TCP ends without a Close
	FaultReset  bool   // or is reset
	FaultHang   bool   // nothing is done and nothing read any more
	FaultSkip   bool   // the frame is passed over, and the connection goes on
	FaultEcho   bool   // the Close comes behind an echo of what was wrong
	FaultWrites bool   // only its own direction of TCP ends, and nothing is read

	// Closing.
	NoAnswer    bool // a Close is passed over
	DropAnswer  bool // TCP ends instead
	AnswerCode  int  // of every answer; below 0 none
	AnswerRaw   []byte
	AnyCode     bool // every code comes back
	HalfCode    bool // a Close of one byte is answered with 1000
	AnyReason   bool // reasons need not be UTF-8
	BehindClose bool // a text is sent behind the answer
	PongBehind  bool // a pong is
	TwiceClose  int  // the code of a second Close behind the answer
	GoesOn      bool // frames behind a Close are still answered
	KeepTCP     bool // a server leaves it to the client to end TCP
	EndTCP      bool // a client ends TCP itself
	ResetTCP    bool // TCP is reset behind the answer
	HalfTCP     bool // only its own direction ends behind the answer
	AnswerLate  time.Duration
}
