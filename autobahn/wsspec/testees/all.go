package testees

import "time"

// All returns the testees. The first is not broken, the last have several faults each.
func All() []Testee {
	var all []Testee
	for _, group := range [][]Testee{messages, pings, rules, faults, closings, openings} {
		all = append(all, group...)
	}
	return append(all, mixed(40, all[1:])...)
}

var messages = []Testee{
	{Name: "sound", What: "keeps to the RFC"},
	{Name: "no-text", What: "does not check UTF-8", Faults: Faults{NoText: true}},
	{Name: "late-text", What: "checks UTF-8 when a message is whole", Faults: Faults{LateText: true}},
	{Name: "mute", What: "does not echo", Faults: Faults{NoEcho: true}},
	{Name: "twice", What: "echoes twice", Faults: Faults{TwiceEcho: true}},
	{Name: "each-fragment", What: "echoes every fragment as a message", Faults: Faults{EachEcho: true, NoText: true}},
	{Name: "binary-echo", What: "echoes texts as binary", Faults: Faults{AsBinary: true}},
	{Name: "text-echo", What: "echoes binary as text", Faults: Faults{AsText: true}},
	{Name: "shout", What: "changes a byte", Faults: Faults{Shout: true}},
	{Name: "short-echo", What: "cuts echoes off behind 65,535 bytes", Faults: Faults{MaxEcho: 65535}},
	{Name: "pieces", What: "echoes in fragments of 10 bytes, which is right", Faults: Faults{Pieces: 10}},
	{Name: "lose", What: "drops continuations", Faults: Faults{Lose: true}},
	{Name: "close-after", What: "closes behind its first echo", Faults: Faults{CloseAfter: true}},
	{Name: "own-pings", What: "pings before each echo, which is right", Faults: Faults{PingBefore: true}},
	{Name: "own-pongs", What: "sends a pong before each echo, which is right", Faults: Faults{PongBefore: true}},
	{Name: "rsv1-echo", What: "sets RSV1 in echoes", Faults: Faults{EchoRSV: 4}},
	{Name: "opcode-echo", What: "echoes with opcode 3", Faults: Faults{EchoOpcode: 3}},
	{Name: "opcode-control", What: "echoes with opcode 11", Faults: Faults{EchoOpcode: 11}},
	{Name: "orphan-echo", What: "echoes with continuations", Faults: Faults{EchoOpcode: 16}},
	{Name: "long-form", What: "writes lengths of data with 64 bits", Faults: Faults{EchoForm: 64}},
	{Name: "middle-form", What: "writes lengths of data with 16 bits", Faults: Faults{EchoForm: 16}},
	{Name: "no-final", What: "never sets FIN in echoes", Faults: Faults{NoFinal: true}},
	{Name: "head-apart", What: "writes heads byte by byte, which is right", Faults: Faults{HeadApart: true}},
	{Name: "wrong-mask", What: "masks as a server, does not as a client", Faults: Faults{WrongMask: true}},
	{Name: "short-payload", What: "sends a byte less than the head says", Faults: Faults{ShortPayload: true}},
	{Name: "slow", What: "takes a tenth of a second for an echo, which is right", Faults: Faults{Delay: 100 * time.Millisecond}},
}

var pings = []Testee{
	{Name: "no-pong", What: "does not answer pings", Faults: Faults{NoPong: true}},
	{Name: "empty-pong", What: "answers pings without their payload", Faults: Faults{EmptyPong: true}},
	{Name: "late-pong", What: "answers pings behind the message they are in", Faults: Faults{LatePong: true}},
	{Name: "last-pong", What: "answers the last of several pings, which is right", Faults: Faults{LastPong: true}},
	{Name: "twice-pong", What: "answers pings twice", Faults: Faults{TwicePong: true}},
	{Name: "close-on-ping", What: "closes when a ping has a payload", Faults: Faults{CloseOnPing: true}},
	{Name: "ping-as-text", What: "sends a ping's payload back as a text", Faults: Faults{PingAsText: true}},
}

var rules = []Testee{
	{Name: "any-rsv", What: "does not look at reserved bits", Faults: Faults{AnyRSV: true}},
	{Name: "any-opcode", What: "passes reserved opcodes over", Faults: Faults{AnyOpcode: true}},
	{Name: "echo-unknown", What: "sends reserved opcodes back", Faults: Faults{EchoUnknown: true}},
	{Name: "any-control", What: "takes fragmented and long control frames", Faults: Faults{AnyControl: true}},
	{Name: "any-new", What: "takes a message inside another", Faults: Faults{AnyNew: true}},
	{Name: "any-orphan", What: "takes a continuation for a text", Faults: Faults{AnyOrphan: true}},
	{Name: "any-frame", What: "looks at nothing", Faults: Faults{AnyRSV: true, AnyOpcode: true, AnyControl: true, AnyNew: true, AnyOrphan: true, NoText: true, AnyCode: true, HalfCode: true, AnyReason: true}},
}

var faults = []Testee{
	{Name: "fault-1000", What: "fails the connection with 1000", Faults: Faults{FaultCode: 1000}},
	{Name: "fault-1011", What: "fails the connection with 1011", Faults: Faults{FaultCode: 1011}},
	{Name: "fault-1006", What: "fails the connection with 1006", Faults: Faults{FaultCode: 1006}},
	{Name: "fault-0", What: "fails the connection with 1", Faults: Faults{FaultCode: 1}},
	{Name: "fault-bare", What: "fails the connection without a code, which is right", Faults: Faults{FaultCode: -1}},
	{Name: "fault-tcp", What: "fails the connection by ending TCP, which is right", Faults: Faults{FaultTCP: true}},
	{Name: "fault-reset", What: "fails the connection by a reset, which is right", Faults: Faults{FaultReset: true}},
	{Name: "fault-half", What: "ends its own direction and waits", Faults: Faults{FaultWrites: true}},
	{Name: "fault-hang", What: "hangs at what is against the rules", Faults: Faults{FaultHang: true}},
	{Name: "fault-skip", What: "passes over what is against the rules", Faults: Faults{FaultSkip: true}},
	{Name: "fault-echo", What: "echoes what is against the rules, and fails then", Faults: Faults{FaultEcho: true}},
	{Name: "fault-bytes", What: "gives a reason that is not UTF-8", Faults: Faults{FaultReason: "\xff\xfe"}},
	{Name: "fault-surrogate", What: "gives a reason with a surrogate", Faults: Faults{FaultReason: "\xed\xa0\x80"}},
	{Name: "fault-cut", What: "gives a reason that ends inside a character", Faults: Faults{FaultReason: "caf\xc3"}},
	{Name: "fault-keep", What: "fails the connection and does not end TCP", Only: "server", Faults: Faults{KeepTCP: true, FaultCode: 1002}},
}

var closings = []Testee{
	{Name: "no-answer", What: "does not answer a Close", Faults: Faults{NoAnswer: true}},
	{Name: "drop-answer", What: "ends TCP instead of answering a Close", Faults: Faults{DropAnswer: true}},
	{Name: "answer-1000", What: "answers every Close with 1000", Faults: Faults{AnswerCode: 1000}},
	{Name: "answer-1001", What: "answers every Close with 1001", Faults: Faults{AnswerCode: 1001}},
	{Name: "answer-1005", What: "answers every Close with 1005", Faults: Faults{AnswerCode: 1005}},
	{Name: "answer-1012", What: "answers every Close with 1012", Faults: Faults{AnswerCode: 1012}},
	{Name: "answer-4000", What: "answers every Close with 4000", Faults: Faults{AnswerCode: 4000}},
	{Name: "answer-bare", What: "answers every Close without a code", Faults: Faults{AnswerCode: -1}},
	{Name: "answer-half", What: "answers every Close with half a code", Faults: Faults{AnswerRaw: []byte{3}}},
	{Name: "answer-bytes", What: "answers every Close with a reason that is not UTF-8", Faults: Faults{AnswerRaw: []byte{3, 0xE8, 0xFF}}},
	{Name: "answer-cut", What: "answers with a reason that ends inside a character", Faults: Faults{AnswerRaw: []byte{3, 0xE8, 0xC3}}},
	{Name: "answer-surrogate", What: "answers with a reason that is a surrogate", Faults: Faults{AnswerRaw: []byte("\x03\xe8\xed\xa0\x80")}},
	{Name: "answer-long", What: "answers with a reason of 124 bytes", Faults: Faults{AnswerRaw: append([]byte{3, 0xE8}, make([]byte, 124)...)}},
	{Name: "any-code", What: "sends every code back", Faults: Faults{AnyCode: true}},
	{Name: "half-code", What: "answers half a code with 1000", Faults: Faults{HalfCode: true}},
	{Name: "any-reason", What: "does not look at reasons", Faults: Faults{AnyReason: true}},
	{Name: "behind-close", What: "sends a text behind its Close", Faults: Faults{BehindClose: true}},
	{Name: "pong-behind", What: "sends a pong behind its Close", Faults: Faults{PongBehind: true}},
	{Name: "twice-close", What: "sends a second Close, with 1001", Faults: Faults{TwiceClose: 1001}},
	{Name: "twice-close-bare", What: "sends a second Close, without a code", Faults: Faults{TwiceClose: -1}},
	{Name: "goes-on", What: "answers what comes behind a Close, and waits", Faults: Faults{GoesOn: true}},
	{Name: "keep-tcp", What: "leaves the end of TCP to the client", Only: "server", Faults: Faults{KeepTCP: true}},
	{Name: "end-tcp", What: "ends TCP itself, at once", Only: "client", Faults: Faults{EndTCP: true}},
	{Name: "reset-tcp", What: "resets TCP behind its Close", Faults: Faults{ResetTCP: true, EndTCP: true}},
	{Name: "half-tcp", What: "ends its own direction of TCP and waits", Only: "server", Faults: Faults{HalfTCP: true}},
	{Name: "answer-late", What: "takes a fifth of a second to answer a Close, which is right", Faults: Faults{AnswerLate: 200 * time.Millisecond}},
}

var openings = []Testee{
	{Name: "wrong-accept", What: "has a wrong Sec-WebSocket-Accept", Only: "server", Faults: Faults{Accept: "bm90IHJpZ2h0"}},
	{Name: "extension", What: "answers with an extension that was not offered", Only: "server", Faults: Faults{Answer: "Sec-WebSocket-Extensions: permessage-deflate\r\n"}},
	{Name: "protocol", What: "answers with a subprotocol that was not offered", Only: "server", Faults: Faults{Answer: "Sec-WebSocket-Protocol: chat\r\n"}},
	{Name: "silent", What: "says nothing after the handshake", Faults: Faults{Silent: true}},
	{Name: "end-open", What: "ends TCP after the handshake", Faults: Faults{EndOpen: true}},
	{Name: "greet-text", What: "begins with a text", Faults: Faults{Greet: []byte("\x81hello")}},
	{Name: "greet-pong", What: "begins with a pong, which is right", Faults: Faults{Greet: []byte("\x8ahello")}},
	{Name: "greet-close", What: "begins with a Close, and goes on", Faults: Faults{Greet: []byte("\x88\x03\xe8")}},
}
