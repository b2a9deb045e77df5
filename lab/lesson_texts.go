package lab

// masked is a frame as a client sends it. The key is that of the RFC's examples, so that
// the lessons' bytes can be followed by hand; a real one is random.
func masked(fin bool, opcode uint8, hex string) WorkshopStep {
	return WorkshopStep{Frame: FrameSpec{Fin: fin, Opcode: opcode, Masked: true, Key: "37fa213d", Hex: hex}}
}

func frames(steps ...WorkshopStep) *WorkshopPlan { return &WorkshopPlan{Steps: steps} }

// lessons are in the order in which one idea needs another.
var lessons = []*Lesson{
	{
		Title:    "HTTP, and why it is not enough",
		Question: "A server has news for a page that has asked for nothing. How can HTTP/1.1 bring it there?",
		Try: Try{To: "echo", Send: []string{"Hello", "Hello again"},
			Say: "The page opens a WebSocket to the lab's echo, sends two messages, and closes."},
		Happened: []string{
			"There is one HTTP request and one answer, 101. From there on no line of HTTP is on this connection: only frames, from both sides, whenever one has something to say.",
			"The header of a short frame is 2 bytes, or 6 from a client. The request before it took some hundred, and with HTTP each question pays for such lines again.",
		},
		Why: []Reason{
			{"HTTP's client asks and its server answers. News can only wait for the next question (polling), or for one that is kept open until there is some (long polling).", "§1.1"},
			{"WebSocket begins as an HTTP request, so that it shares port, proxies and cookies with the web, and then gives TCP's two directions to the page, cut into messages.", "§1.5"},
		},
		Code: []Place{
			{"ws/wsnet/server.go", "Handler", "an application is a function of a connection"},
			{"lab/echo.go", "echo", "the one that has answered you"},
		},
		More: []More{
			{"measure", "Measure it: the same messages by polling, long-polling, Server-Sent Events and WebSocket, in bytes and milliseconds."},
		},
		Do: []Exercise{
			{"Which HTTP status says that the connection now speaks another protocol?", number, []string{"101"}, "101 Switching Protocols. Any other status means that there is no WebSocket."},
			{"How many bytes does a server add to the 5 of Hello, without compression?", number, []string{"2", "two"}, "One byte with FIN and opcode, one with MASK and the length."},
			{"How many does a client add?", number, []string{"6", "six"}, "The same two, and 4 of the masking key."},
		},
	},
	{
		Title:    "The handshake",
		Question: "A server that knows nothing of WebSocket might answer anything, also from a cache. How does a client know that it was understood?",
		Try: Try{To: "echo", Send: []string{"Hello"},
			Say: "Connect once more, and open the two lines of the handshake. The accept key is worked out there step by step."},
		Happened: []string{
			"The browser drew 16 random bytes and sent them in base64 as Sec-WebSocket-Key. The server put 258EAFA5-E914-47DA-95CA-C5AB0DC85B11 behind that text, took the SHA-1 of both, and answered with its base64.",
			"For the RFC's key, dGhlIHNhbXBsZSBub25jZQ==, the answer is s3pPLMBiTxaQ9kYGzzhZRbK+xOo=. No server gives it by chance, and no cache has it.",
		},
		Why: []Reason{
			{"The answer proves understanding, not who the server is: there is no secret in it. For that there is TLS.", "§1.3"},
			{"A browser says in Origin which site's page asks. A server that serves only its own pages refuses others with 403.", "§10.2"},
			{"Subprotocols and extensions are offered by the client; the server takes one of them or none.", "§4.2.2"},
		},
		Code: []Place{
			{"ws/handshake.go", "AcceptKey", "the sum itself"},
			{"ws/handshake.go", "AppendResponse", "the server's lines"},
		},
		More: []More{
			{"break", "Break it: a server that answers with a wrong key, none at all, or another status, and what a client does."},
			{"build", "Build your own: the accept key is the first step."},
		},
		Do: []Exercise{
			{"How many random bytes are in a Sec-WebSocket-Key?", number, []string{"16"}, "24 characters of base64, the last two of them ="},
			{"Which Sec-WebSocket-Version does this RFC have?", number, []string{"13"}, "For any other a server answers 426 and names the one that it speaks."},
			{"The key is dGhlIHNhbXBsZSBub25jZQ==. What is Sec-WebSocket-Accept?", exact, []string{"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="}, "base64(SHA-1(key + GUID)), the key as text, not decoded."},
		},
	},
	{
		Title:    "One frame",
		Question: "TCP brings bytes without borders. How does a receiver know where Hello ends?",
		Try: Try{Plan: frames(masked(true, 1, "48656c6c6f")), Wire: "818537fa213d7f9f4d5158", Outcome: "text",
			Say: "A raw peer sends these 11 bytes to an echo. Open its line and go over the bits."},
		Happened: []string{
			"81 is FIN and opcode 1: a whole text message. 85 is MASK and the length 5. 37 fa 21 3d is the masking key, and 7f 9f 4d 51 58 is Hello under it.",
			"The echo answered 81 05 48 65 6c 6c 6f: no mask, so 7 bytes.",
		},
		Why: []Reason{
			{"A length up to 125 fits into 7 bits. 126 there says that it stands in the next 2 bytes, 127 in the next 8, most significant first; always in the shortest form.", "§5.2"},
			{"The length comes before the payload, so a receiver can refuse what is too large before it has kept a byte of it.", "§10.4"},
		},
		Code: []Place{
			{"ws/frame.go", "parse", "bytes to fields"},
			{"ws/frame.go", "Append", "and back"},
		},
		More: []More{
			{"workshop", "Build a frame by its bits, predict what it brings, and send it."},
			{"decode", "Have bytes of your own explained."},
		},
		Do: []Exercise{
			{"What is the first byte of a whole binary message, in hexadecimal?", hexadecimal, []string{"82"}, "FIN is 80, opcode 2 is binary."},
			{"A server sends 300 bytes of text in one frame. Write its header in hexadecimal.", hexadecimal, []string{"817e012c"}, "81; 7e is 126, so 2 bytes follow: 01 2c is 300."},
			{"How many bytes is the longest payload whose length takes no further bytes?", number, []string{"125"}, "126 and 127 mean something else there."},
		},
	},
	{
		Title:    "Masking, and why",
		Question: "The key is sent along in the same frame, so the mask hides nothing. What is it good for?",
		Try: Try{Plan: frames(WorkshopStep{Frame: FrameSpec{Fin: true, Opcode: 1, Hex: "48656c6c6f"}}), Wire: "810548656c6c6f", Outcome: "close 1002",
			Say: "The same Hello from a client that does not mask:"},
		Happened: []string{
			"The server read two bytes, saw MASK=0, and failed the connection with 1002, protocol error. It did not look at the payload.",
		},
		Why: []Reason{
			{"A page decides what its browser sends. Unmasked, these bytes could look like an HTTP request to a proxy that does not know WebSocket, and the answer of an attacker's server would be kept in its cache for everybody.", "§10.3"},
			{"Byte i of the payload is XORed with byte i mod 4 of the key. The key is new for each frame, and the page cannot foresee it: so the page cannot choose a single byte on the wire.", "§5.3"},
			{"A server never masks. Who gets a frame that is masked the wrong way fails the connection.", "§5.1"},
		},
		Code: []Place{
			{"ws/mask.go", "Mask", "how, and why"},
			{"ws/receiver.go", "start", "where a wrong mask is noticed"},
		},
		More: []More{
			{"break", "Break it: a client that does not mask, a server that does."},
		},
		Do: []Exercise{
			{"The byte 48 under the key byte 37: what is on the wire, in hexadecimal?", hexadecimal, []string{"7f"}, "0100 1000 XOR 0011 0111 is 0111 1111."},
			{"Key 37 fa 21 3d; the fifth byte of the payload on the wire is 58. What is it unmasked, in hexadecimal?", hexadecimal, []string{"6f"}, "Byte 4 is under the key's byte 4 mod 4 = 0, which is 37: 58 XOR 37 is 6f, an o."},
			{"With which close code does a server answer an unmasked frame?", number, []string{"1002"}, "1002 is for any broken rule of the protocol."},
		},
	},
	{
		Title:    "Fragments and control frames",
		Question: "A message of a gigabyte is on its way. How can either side still ask whether the other is there?",
		Try: Try{Plan: frames(masked(false, 1, "48656c"), masked(true, 9, ""), masked(true, 0, "6c6f")), Wire: "018337fa213d7f9f4d | 898037fa213d | 808237fa213d5b95", Outcome: "text",
			Say: "Hello in two fragments, with a ping between them:"},
		Happened: []string{
			"The ping was answered at once by a pong, though the message was not whole yet. The text came back afterwards, as one message.",
			"The first fragment has opcode 1 and FIN=0, the last opcode 0 and FIN=1. Only the first says what the message is.",
		},
		Why: []Reason{
			{"A sender need not know the length of the whole before it begins, and a receiver must not care where the cuts are.", "§5.4"},
			{"Control frames may stand between fragments. So they are small, 125 bytes at most, and never in fragments themselves.", "§5.5"},
			{"Another data message may not begin before the first is whole: on one connection, messages do not interleave.", "§5.4"},
		},
		Code: []Place{
			{"ws/state.go", "moves", "which frame may follow which: one table"},
			{"ws/endpoint.go", "Control", "what a control frame asks of us"},
		},
		More: []More{
			{"workshop", "Send a fragment, a ping in between, and the rest, cut wherever you like."},
			{"break", "Break it: a fragmented ping, a continuation of nothing, a text inside a text."},
		},
		Do: []Exercise{
			{"What is the first byte of a middle fragment, in hexadecimal?", hexadecimal, []string{"00", "0"}, "FIN=0, opcode 0."},
			{"How many bytes may a ping's payload have at most?", number, []string{"125"}, "The length of a control frame must fit into its 7 bits."},
			{"A pong answers a ping that carries 61 62. Its payload in hexadecimal?", hexadecimal, []string{"6162"}, "A pong has its ping's payload."},
		},
	},
	{
		Title:    "UTF-8 across fragments",
		Question: "A text is cut into fragments in the middle of an emoji. Is that allowed?",
		Try: Try{Plan: frames(masked(false, 1, "f0"), masked(false, 0, "9f98"), masked(true, 0, "80")), Wire: "018137fa213dc7 | 008237fa213da862 | 808137fa213db7", Outcome: "text",
			Say: "One emoji, the 4 bytes f0 9f 98 80, in three fragments:"},
		Happened: []string{
			"It came back. None of the three is text by itself; the message as a whole is.",
			"With a byte that cannot follow, ff in place of 9f, the connection would fail at that byte with 1007, and not only at the end. Try it in the frame workshop.",
		},
		Why: []Reason{
			{"A text message is UTF-8 as a whole; a cut may stand anywhere. So a receiver keeps, from fragment to fragment, what is still missing of a character.", "§5.6"},
			{"What is not UTF-8 fails the connection: each receiver would repair it in another way.", "§8.1"},
		},
		Code: []Place{
			{"ws/utf8.go", "Write", "takes text in any pieces"},
			{"ws/utf8.go", "Done", "at the end nothing may be missing"},
		},
		More: []More{
			{"break", "Break it: a split emoji, a bad byte in the middle, half of a surrogate pair. After which byte is it known?"},
		},
		Do: []Exercise{
			{"Which close code says that text was not UTF-8?", number, []string{"1007"}, "1007, invalid payload data."},
			{"A text message of one frame carries c3 alone. Is it valid?", word, []string{"no"}, "c3 begins a character of two bytes, and the message is at its end."},
			{"How many bytes does the character take that begins with e2?", number, []string{"3", "three"}, "1110 at the front says three bytes."},
		},
	},
	{
		Title:    "Closing",
		Question: "TCP can end a connection by itself. Why has WebSocket a Close frame?",
		Try: Try{Plan: frames(masked(true, 8, "03e8")), Wire: "888237fa213d3412", Outcome: "close 1000",
			Say: "A client says goodbye with 1000:"},
		Happened: []string{
			"88 is FIN and opcode 8; the payload 03 e8 is 1000. The echo answered with a Close frame of its own, and ended the TCP connection.",
		},
		Why: []Reason{
			{"TCP's end does not say whether the other has got everything, nor why it is over. Two Close frames do: behind its own each side sends no more data.", "§1.4"},
			{"The server ends TCP first, since who ends it has to remember the connection's ports for a while.", "§7.1.1"},
			{"1005 and 1006 are never sent: they are what a program is told if there was no code, or no Close frame.", "§7.4.1"},
		},
		Code: []Place{
			{"ws/close.go", "ParseClose", "code and reason"},
			{"ws/close.go", "MaySend", "which codes may be on the wire"},
			{"ws/closing.go", "EndByPeer", "who has ended it"},
		},
		More: []More{
			{"break", "Break it: a code that nobody may send, a Close of one byte, data behind a Close."},
		},
		Do: []Exercise{
			{"1001 in hexadecimal, as two bytes?", hexadecimal, []string{"03e9"}, "3 × 256 + 233."},
			{"Which code is an application told when the connection was lost without a Close frame?", number, []string{"1006"}, "It is never on the wire."},
			{"How many bytes can a close reason have?", number, []string{"123"}, "125 of a control frame, less 2 of the code."},
		},
	},
	{
		Title:    "Compression",
		Question: "Hello is sent twice on one connection. Why is it smaller the second time?",
		Try: Try{Plan: &WorkshopPlan{Deflate: true, Steps: []WorkshopStep{
			{Frame: FrameSpec{Fin: true, RSV: 4, Opcode: 1, Masked: true, Key: "37fa213d", Hex: "f248cdc9c90700"}},
			{Frame: FrameSpec{Fin: true, RSV: 4, Opcode: 1, Masked: true, Key: "37fa213d", Hex: "f200110000"}},
		}}, Wire: "c18737fa213dc5b2ecf4fefd21 | c18537fa213dc5fa303d37", Outcome: "text",
			Say: "Hello, compressed, and again with what the first has left in the window:"},
		Happened: []string{
			"The first took 7 bytes, 2 more than plain: five letters that never came before cannot be made shorter. The second took 5, mostly one reference to the first.",
			"Both have RSV1 set: c1 is FIN, RSV1 and opcode 1.",
		},
		Why: []Reason{
			{"A message is compressed by DEFLATE as a whole, and RSV1 on its first frame says so.", "RFC 7692 §6"},
			{"Each ends with an empty block, whose last bytes 00 00 ff ff are left out; the receiver adds them again.", "RFC 7692 §7.2.1"},
			{"The window of what was sent may be kept from message to message, which costs memory on both sides; either may refuse in the handshake.", "RFC 7692 §7.1.1"},
		},
		Code: []Place{
			{"ws/deflate.go", "AcceptDeflate", "what is agreed on"},
			{"ws/inflate.go", "Inflate", "a message, in bounded memory"},
		},
		More: []More{
			{"compression", "See messages token by token: what is a literal, what a match, and what the window remembers."},
			{"break", "Break it: a distance that is too far back, and a bomb."},
		},
		Do: []Exercise{
			{"Which bit marks a compressed message?", word, []string{"rsv1"}, "On the first frame of the message only."},
			{"Which 4 bytes are left out at a message's end, in hexadecimal?", hexadecimal, []string{"0000ffff"}, "Length 0 and its complement, of an empty stored block."},
			{"The first byte of a whole compressed binary message, in hexadecimal?", hexadecimal, []string{"c2"}, "80 FIN, 40 RSV1, 02 binary."},
		},
	},
	{
		Title:    "The chat as an application",
		Question: "WebSocket brings messages. What does a chat have to add, so that nobody misses a line and nobody sees one twice?",
		Try: Try{To: "../ws", Protos: []string{"chat.v1.framewright"}, Answers: 4,
			Send: []string{`{"type":"hello","name":"Learner"}`, `{"type":"join","room":"lesson","id":"1"}`, `{"type":"send","room":"lesson","id":"m1","text":"Hello"}`},
			Say:  "The page says hello to this server's chat, joins the room lesson, and sends a line. Who is in that room sees it."},
		Happened: []string{
			"Each message is an event with a type. To hello the server says welcome, to join joined, with the room's last messages; the line was acknowledged (ack) and given to everybody in the room as message.",
			"Who comes back after a loss joins with the cursor seen last as since, gets what came in between, and sends again what was not acknowledged; the same id is stored once.",
		},
		Why: []Reason{
			{"WebSocket knows nothing of rooms or names. What messages mean is a subprotocol's affair, here chat.v1.framewright, which the handshake agreed on.", "§1.9"},
			{"A connection that is lost may have taken messages with it, in either direction, and Close frames do not say which. So the application numbers them.", "§7.2.3"},
		},
		Code: []Place{
			{"chat/event.go", "Welcome", "an event, and the others beside it"},
			{"chat/hub.go", "Broadcast", "to all"},
			{"chat/hub.go", "ToRoom", "to one room"},
			{"chat/memory.go", "Read", "what was missed after a cursor"},
		},
		More: []More{
			{"room", "Broadcast to a room in which one reader gets slow: its queue, its end, and its return."},
			{"../", "Open the chat beside this, and its panel of frames."},
		},
		Do: []Exercise{
			{"Which event answers hello?", word, []string{"welcome"}, "It comes before any other."},
			{"Which field of join says where one was?", word, []string{"since"}, "A cursor seen in that room."},
			{"A line was sent, and the connection was lost before its ack. What of it must be the same when it is sent again?", word, []string{"id"}, "By its id the server knows it again."},
		},
	},
}
