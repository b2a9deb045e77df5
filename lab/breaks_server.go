package lab

import (
	"strings"

	"framewright/ws"
)

// sv is a frame as a server sends it; first is its first byte.
func sv(first byte, payload string) []byte {
	h := ws.Header{Fin: first&0x80 != 0, RSV: first >> 4 & 7, Opcode: ws.Opcode(first & 0x0F), Length: int64(len(payload))}
	return ws.AppendFrame(nil, h, []byte(payload))
}

// serverBreaks are those of a server, which a client has to notice.
func serverBreaks() (all []*Break) {
	answer := func(id string, rule ws.RuleID, title, about, from, to string) *Break {
		b := &Break{ID: "server-" + id, Group: "a server's answer", Title: title, About: about, Rule: rule, Outcome: "refused",
			answer: []byte(strings.Replace(string(Answer()), from, to, 1))}
		all = append(all, b)
		return b
	}
	const accept, end = "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n", "\r\n\r\n"
	answer("accept", ws.RuleAccept, "The Accept of another key", "An answer that a cache has kept from somebody else.", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", "HSmrc0sMlYUkAGmm5OPpG2HaGWk=")
	answer("accept-lower", ws.RuleAccept, "The Accept in lower case", "Base64 tells A from a.", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", "s3pplmbitxaq9kygzzhzrbk+xoo=")
	answer("no-accept", ws.RuleAccept, "Without an Accept", "It says 101, and does not show that it has read the key.", accept, "")
	answer("status-200", ws.RuleStatus, "200 OK", "All lines are right but the first.", "101 Switching Protocols", "200 OK\r\nContent-Length: 0")
	answer("redirect", ws.RuleStatus, "302, to somewhere else", "A client may follow, if it has been told to.", "101 Switching Protocols", "302 Found\r\nContent-Length: 0\r\nLocation: ws://127.0.0.1/other")
	answer("behind-a-refusal", ws.RuleStatus, "A frame behind a refusal", "403, and then a text all the same, in one piece.", "101 Switching Protocols", "403 Forbidden\r\nContent-Length: 0").answerEnds(sv(0x81, "Hello"))
	answer("upgrade", ws.RuleAnswerUpgrade, "Upgrade: h2c", "It changes to a protocol that nobody has asked for.", "Upgrade: websocket", "Upgrade: h2c")
	answer("no-upgrade", ws.RuleAnswerUpgrade, "Without Upgrade", "101, but to what?", "Upgrade: websocket\r\n", "")
	answer("connection", ws.RuleAnswerConnection, "Connection: close", "The Upgrade was for this connection.", "Connection: Upgrade", "Connection: close")
	answer("http-1-0", ws.RuleAnswerNotHTTP, "HTTP/1.0", "It knows no Upgrade, and says 101 all the same.", "HTTP/1.1", "HTTP/1.0")
	answer("not-http", ws.RuleAnswerNotHTTP, "Another protocol's greeting", "The port was that of something else.", string(Answer()), "SSH-2.0-OpenSSH_9.2\r\n")
	answer("body", ws.RuleAnswerBodyForbidden, "With a body", "What stands behind a 101 are frames already.", end, "\r\nContent-Length: 5\r\n\r\nHello")
	answer("subprotocol", ws.RuleAnswerSubprotocol, "A subprotocol that was not offered", "The client has offered chat and superchat.", end, "\r\nSec-WebSocket-Protocol: mqtt"+end)
	answer("two-subprotocols", ws.RuleAnswerOneSubproto, "Two subprotocols", "Both were offered.", end, "\r\nSec-WebSocket-Protocol: chat, superchat"+end)
	answer("extension", ws.RuleAnswerExtensions, "An extension that was not offered", "The client cannot inflate.", end, "\r\nSec-WebSocket-Extensions: permessage-deflate"+end)
	answer("extension-twice", ws.RuleAnswerExtensions, "An extension, twice", "It was offered once.", end, "\r\nSec-WebSocket-Extensions: permessage-deflate, permessage-deflate"+end).deflate = true
	answer("window-16", ws.RuleAnswerExtensions, "A window of 16 bits", "It has 8 to 15 (RFC 7692 §7.1.2).", end, "\r\nSec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=16"+end).deflate = true
	answer("unknown-parameter", ws.RuleAnswerExtensions, "A parameter that does not exist", "What it asks for, nobody can know.", end, "\r\nSec-WebSocket-Extensions: permessage-deflate; faster"+end).deflate = true

	frames := func(id string, rule ws.RuleID, outcome, title, about string, steps ...[]byte) *Break {
		b := &Break{ID: "server-" + id, Group: "a server's frames", Title: title, About: about, Rule: rule, Outcome: outcome, judged: true,
			answer: Answer(), steps: steps}
		all = append(all, b)
		return b
	}
	frames("masked", ws.RuleServerUnmasked, "close 1002", "A masked frame", "It carries its key, so the client could read it.", fr(0x81, "Hello"))
	frames("rsv1", ws.RuleRSV, "close 1002", "RSV1, and no extension", "Nobody has agreed on compression.", sv(0xC1, "Hello"))
	frames("opcode", ws.RuleOpcode, "close 1002", "Opcode f", "The last one, of a control frame that does not exist.", sv(0x8F, ""))
	frames("length", ws.RuleMinimalLength, "close 1002", "5 bytes, in 16 bits", "A server counts as a client does.", bs("81 7e 0005 48656c6c6f"))
	frames("ping", ws.RuleControlFin, "close 1002", "A ping in fragments", "FIN is 0 on a control frame.", sv(0x09, "p"))
	frames("orphan", ws.RuleContinuation, "close 1002", "A continuation of nothing", "The message before is whole.", append(sv(0x81, "Hello"), sv(0x80, "lo")...))
	frames("bad-text", ws.RuleTextUTF8, "close 1007", "Latin-1 as text", "An é in one byte, as before Unicode.", sv(0x81, "caf\xe9!"))
	frames("too-long", ws.RuleMessageSize, "close 1009", "64 KiB and a byte", "A client has its limits, too.", bs("82 7f 0000000000010001")).judged = false
	frames("close-1006", ws.RuleCloseCode, "close 1002", "A Close with 1006", "1006 says that there was no Close frame.", sv(0x88, "\x03\xee"))
	frames("after-close", ws.RuleAfterClose, "close 1000", "A text behind a Close", "In one write, so that the client has both at once.", append(sv(0x88, "\x03\xe8"), sv(0x81, "late")...)).judged = false
	return all
}

// answerEnds puts bytes right behind a server's answer.
func (b *Break) answerEnds(behind []byte) { b.answer = append(b.answer, behind...) }

// victim is who has to notice: "server" or "client".
func (b *Break) victim() string {
	if b.answer != nil {
		return ws.RoleClient.String()
	}
	return ws.RoleServer.String()
}
