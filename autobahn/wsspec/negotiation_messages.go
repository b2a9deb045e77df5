package wsspec

import (
	"fmt"
	"strings"

	"framewright/autobahn/wsspec/internal/deflate"
)

const (
	unsetBit   = `[§6.1] An endpoint MUST NOT set the "Per-Message Compressed" bit of control frames and non-first fragments of a data message. An endpoint receiving such a frame MUST _Fail the WebSocket Connection_.`
	otherBits  = `[RFC 6455 §5.2] MUST be 0 unless an extension is negotiated that defines meanings for non-zero values. If a nonzero value is received and none of the negotiated extensions defines the meaning of such a nonzero value, the receiving endpoint MUST _Fail the WebSocket Connection_.`
	notPacked  = `A message with the "Per-Message Compressed" bit unset on the first fragment of the message is called an "uncompressed message". Frames of an uncompressed message have uncompressed original data as is in the payload data portion.`
	windowHeld = `[§7.2.1] If the "agreed parameters" contain the "client_max_window_bits" extension parameter with a value of w, the client MUST NOT use an LZ77 sliding window longer than the w-th power of 2 bytes to compress messages to send.`
	multiple   = `[§7.2.1] An endpoint MAY use multiple DEFLATE blocks to compress one message. An endpoint MAY use DEFLATE blocks of any type.`
	inflating  = `Append 4 octets of 0x00 0x00 0xff 0xff to the tail end of the payload of the message. […] Decompress the resulting data using DEFLATE.`
	cutAnyhow  = `An endpoint receiving a compressed message decompresses the concatenation of the compressed data of the frames of the message by following the decompression procedure specified by the PMCE in use.`
	takesOver  = `[§7.2.1] If the "agreed parameters" contain the "server_no_context_takeover" extension parameter, the server MUST start compressing each new message with an empty LZ77 sliding window. Otherwise, the server MAY take over the LZ77 sliding window used to build the last compressed message.`
	takesTail  = `Remove 4 octets (that are 0x00 0x00 0xff 0xff) from the tail end. After this step, the last octet of the compressed data contains (possibly part of) the DEFLATE header bits with the "BTYPE" bits set to 00.`
	anyBlocks  = `[§7.2.1] An endpoint MAY use both DEFLATE blocks with the "BFINAL" bit set to 0 and DEFLATE blocks with the "BFINAL" bit set to 1. When any DEFLATE block with the "BFINAL" bit set to 1 doesn't end at a byte boundary, an endpoint MUST add minimal padding bits of 0 to make it end at a byte boundary. The next DEFLATE block follows the padded data if any.`
)

const noMessage = "What cannot be decompressed is no message; RFC 7692 does not name a code, RFC 6455 §7.4.1 has 1007 and 1002."

const notAtEnd = "RFC 7692 does not say what becomes of a message that is not at its end, and zlib reports nothing. Its receiver has a part of it, or bytes that nobody sent."

// rfcHello is RFC 7692 §7.2.3.1's.
const rfcHello = "\xf2\x48\xcd\xc9\xc9\x07\x00"

// usualOffer is what browsers offer.
var usualOffer = deflateParams{clientBitsAny: true}

// A middle is that of a case's conversation.
type middle func(n *deflation) bool

// talk adds a case in which all is right, with contexts and windows as large as they
// can be.
func (ch *chapter) talk(word, title string, play middle, choices ...choice) {
	ch.add(word, title, deflated(usualOffer, func(n *deflation) Verdict {
		return n.finish(play(n), "an echo of each message, and a Close as the answer to 1000")
	}), choices...)
}

// deflateContexts are messages that refer to earlier ones.
func (ch *chapter) deflateContexts() {
	ch.at("7.2.3.2", takesOver)
	ch.talk("context", "two messages, the second of which refers to the first", func(n *deflation) bool {
		return n.echoes(n.message(OpText, "Hello"), n.message(OpText, "Hello"))
	})
	ch.talk("context-window", "a message that refers as far back as the window reaches", func(n *deflation) bool {
		once := noise(1 << n.window)
		return n.echoes(n.message(OpText, once), n.message(OpText, once[:len(once)/2]), n.message(OpText, once[len(once)/2:]))
	})
	ch.talk("context-many", "many short messages, and then the first of them once more, a window away", func(n *deflation) bool {
		all := noise(1 << n.window)
		for at := 0; at < len(all); at += 1024 {
			if !n.echoes(n.message(OpBinary, all[at:at+min(1024, len(all)-at)])) {
				return false
			}
		}
		return n.echoes(n.message(OpBinary, all[:1024]))
	})
	ch.at("6", notPacked)
	ch.talk("uncompressed-between", "compressed messages, and uncompressed ones between, which are no part of the context", func(n *deflation) bool {
		return n.echoes(n.message(OpText, "Hello, Hello"), said{frames(Text("uncompressed")), Text("uncompressed")}, n.message(OpText, "Hello, Hello"),
			said{frames(begun("un"), last("compressed")), Text("uncompressed")}, n.message(OpBinary, "Hello, Hello"))
	})
	ch.talk("uncompressed-only", "nothing but uncompressed messages", func(n *deflation) bool {
		return n.echoes(said{frames(Text("")), Text("")}, said{frames(Text("plain")), Text("plain")}, said{frames(Binary([]byte("plain"))), Binary([]byte("plain"))})
	})
	ch.at("7.2.1", takesTail)
	ch.talk("tail", "whether the testee takes the four bytes off that end a message, and leaves the rest", func(n *deflation) bool {
		return n.echoes(n.message(OpText, noise(300)), n.message(OpText, noise(300)), n.message(OpText, afar(9, 0)))
	}, because("With four more bytes, or fewer, a message ends inside a block. A reader that does not mind has lost its place for the next message."))
	ch.add("habits", "how the testee compresses", deflated(usualOffer, habits), info("A sender compresses as it likes, and what it likes."))
}

// habits sends texts, and has figures of the echoes.
func habits(n *deflation) Verdict {
	text := corpora[0].part(0, 64<<10)
	v := n.finish(n.echoes(n.message(OpText, text[:200]), n.message(OpText, text[200:4000]), n.message(OpText, text[4000:]), n.message(OpText, text[:16<<10])), "echoes")
	if v.Outcome != Passed {
		return v
	}
	var s struct{ in, out, stored, fixed, dynamic, final, distance, before int }
	for _, m := range n.stats {
		s.in, s.out, s.stored, s.fixed, s.dynamic, s.final = s.in+int(m.In), s.out+int(m.Out), s.stored+m.Stored, s.fixed+m.Fixed, s.dynamic+m.Dynamic, s.final+m.Final
		s.distance, s.before = max(s.distance, m.Distance), max(s.before, m.Before)
	}
	v.Actual = fmt.Sprintf("%s; %d of 4 echoes compressed, %d bytes to %d; %d stored, %d fixed and %d dynamic blocks, %d of them final; distances up to %d, up to %d bytes into earlier messages",
		n.agreed, len(n.stats), s.out, s.in, s.stored, s.fixed, s.dynamic, s.final, s.distance, s.before)
	return v
}

// deflateBits are reserved bits where the extension has none.
func (ch *chapter) deflateBits() {
	bit := func(word, title, clause string, play func(n *deflation) []Frame) {
		ch.at("6", clause)
		ch.add(word, title, deflated(usualOffer, func(n *deflation) Verdict {
			if bad := play(n); n.echoes(n.message(OpText, "good")) {
				return n.fails([]int{1002}, bad...)
			}
			return n.fail("an echo first")
		}))
	}
	rsv := func(f Frame, bits byte) Frame { f.RSV = bits; return f }
	always := func(f ...Frame) func(*deflation) []Frame { return func(*deflation) []Frame { return f } }
	hello := Frame{Fin: true, RSV: RSV1, Opcode: OpText, Payload: []byte(rfcHello)}
	cut := said{frames(hello), Text("Hello")}.cutAt(3).frames
	bit("rsv1-continuation", "RSV1 on the second fragment of a compressed message", unsetBit, always(cut[0], rsv(cut[1], RSV1)))
	bit("rsv1-continuation-of-plain", "RSV1 on the second fragment of an uncompressed message", unsetBit, always(begun("bad"), rsv(last("bad"), RSV1)))
	bit("rsv1-continuation-empty", "RSV1 on an empty last fragment", unsetBit, always(begun("bad"), rsv(last(""), RSV1)))
	bit("rsv1-ping", "RSV1 on a ping", unsetBit, always(rsv(Ping("bad"), RSV1)))
	bit("rsv1-pong", "RSV1 on a pong", unsetBit, always(rsv(Pong("bad"), RSV1)))
	bit("rsv1-close", "RSV1 on a Close", unsetBit, always(rsv(CloseFrame(1000, ""), RSV1)))
	bit("rsv1-ping-inside", "RSV1 on a ping inside a compressed message", unsetBit, always(cut[0], rsv(Ping("bad"), RSV1), cut[1]))
	for bits := byte(1); bits < 8; bits++ {
		if bits != RSV1 {
			bit(fmt.Sprintf("rsv-%d", bits), fmt.Sprintf("the reserved bits %03b on a text", bits), otherBits, always(rsv(hello, bits)))
		}
	}
	bit("rsv2-continuation", "RSV2 on the second fragment", otherBits, always(cut[0], rsv(cut[1], RSV2)))
	ch.at("6", `[RFC 6455 §8.1] When an endpoint is to interpret a byte stream as UTF-8 but finds that the byte stream is not, in fact, a valid UTF-8 stream, that endpoint MUST _Fail the WebSocket Connection_.`)
	for _, t := range []struct{ word, content string }{{"ff", "bad \xff"}, {"cut-off", "bad \xe2\x82"}, {"surrogate", "bad \xed\xa0\x80"}} {
		ch.add("not-utf-8-"+t.word, fmt.Sprintf("a compressed text of %q", t.content), deflated(usualOffer, func(n *deflation) Verdict {
			return n.fails([]int{1007}, n.message(OpText, t.content).frames...)
		}))
	}
	ch.talk("utf-8", "compressed texts of UTF-8, cut inside characters", func(n *deflation) bool {
		for at := 1; at < 6; at++ {
			s := n.message(OpText, "κόσμε 𝄞 €")
			if !n.echoes(s.cutAt(min(at, len(s.frames[0].Payload)))) {
				return false
			}
		}
		return true
	})
}

// deflateMessages are compressed messages in all kinds of frames.
func (ch *chapter) deflateMessages() {
	ch.at("6", cutAnyhow)
	ch.talk("cut-everywhere", "a compressed message in two fragments, cut at each of its bytes", func(n *deflation) bool {
		for at := 0; ; at++ {
			s := n.message(OpText, "The quick brown fox jumps over the lazy dog, the quick brown dog over the fox")
			if at > len(s.frames[0].Payload) {
				return n.echoes(s)
			}
			if !n.echoes(s.cutAt(at)) {
				return false
			}
		}
	})
	byBytes := func(n *deflation, content string, between ...Frame) said {
		s := n.message(OpText, content)
		var at []int
		for i := 1; i < len(s.frames[0].Payload); i++ {
			at = append(at, i)
		}
		s = s.cutAt(at...)
		if len(between) > 0 {
			var all []Frame
			for _, f := range s.frames {
				all = append(append(all, f), between...)
			}
			s.frames = all[:len(all)-len(between)]
		}
		return s
	}
	ch.talk("one-byte-fragments", "a compressed message in fragments of one byte", func(n *deflation) bool {
		return n.echoes(byBytes(n, "Hello, Hello, Hello"), byBytes(n, "Hello, Hello, Hello"))
	})
	ch.talk("empty-fragments", "a compressed message with empty fragments between", func(n *deflation) bool {
		return n.echoes(byBytes(n, "Hello, Hello, Hello", Frame{Opcode: OpContinuation}, Frame{Opcode: OpContinuation}))
	})
	ch.talk("empty-first", "a compressed message whose first fragment is empty, and the last", func(n *deflation) bool {
		s := n.message(OpText, "Hello, Hello, Hello")
		return n.echoes(s.cutAt(0, len(s.frames[0].Payload)))
	})
	ch.talk("pings-between", "a compressed message with pings between its fragments", func(n *deflation) bool {
		return n.echoes(byBytes(n, "Hello, Hello, Hello", Ping("between")))
	})
	for _, size := range []int{1, 125, 126, 65535, 65536, 200000} {
		ch.talk(fmt.Sprintf("length-%d", size), fmt.Sprintf("compressed messages of %d bytes", size), func(n *deflation) bool {
			return n.echoes(n.message(OpText, strings.Repeat("a", size)), n.message(OpBinary, noise(size)))
		})
	}
	ch.at("7.2.3.6", `If the compression library being used doesn't generate any data when its buffer is empty, an empty uncompressed DEFLATE block can be built and used for this purpose as follows: 0x00`)
	ch.talk("empty", "empty compressed messages", func(n *deflation) bool {
		return n.echoes(n.raw([]byte{0}, ""), said{frames(Frame{Fin: true, RSV: RSV1, Opcode: OpBinary, Payload: []byte{0}}), Binary(nil)}, n.message(OpText, "Hello"), n.raw([]byte{2, 0}, ""), n.message(OpText, "Hello"))
	})
	ch.add("empty-payload", "a compressed message whose payload has no byte", deflated(usualOffer, func(n *deflation) Verdict {
		v := n.finish(n.echoes(n.raw(nil, "")), "an echo of an empty message; or the connection fails")
		return v
	}), info("With the four bytes put back it is no DEFLATE data; who stops reading at the end of the data does not see that."))
}

// A madeMessage is put together by hand.
type madeMessage struct {
	word, title, section string
	content              string
	make                 func(w *deflate.Writer)
}

// deflateStreams are messages of all kinds of blocks.
func (ch *chapter) deflateStreams() {
	long := noise(65535 + 100)
	for _, s := range []madeMessage{
		{"fixed", "a fixed block", "7.2.3.1", "Hello", func(w *deflate.Writer) { w.Fixed(false); w.Literals("Hello"); w.EndBlock() }},
		{"match", "a match of the longest length and the shortest distance", "7.2.3.1", "a" + strings.Repeat("a", 258), func(w *deflate.Writer) { w.Fixed(false); w.Literals("a"); w.Match(258, 1); w.EndBlock() }},
		{"stored", "a stored block", "7.2.3.3", "Hello", func(w *deflate.Writer) { w.Stored(false, []byte("Hello")) }},
		{"stored-long", "stored blocks, one as long as it can be", "7.2.3.3", long, func(w *deflate.Writer) { w.Stored(false, []byte(long)) }},
		{"two-blocks", "two fixed blocks with an empty stored one between", "7.2.3.5", "Hello", func(w *deflate.Writer) {
			w.Fixed(false)
			w.Literals("He")
			w.EndBlock()
			w.Stored(false, nil)
			w.Fixed(false)
			w.Literals("llo")
			w.EndBlock()
		}},
		{"unaligned-blocks", "fixed blocks that begin inside bytes, and a match into one before", "7.2.3.5", "HelloHello", func(w *deflate.Writer) {
			w.Fixed(false)
			w.Literals("Hello")
			w.EndBlock()
			w.Fixed(false)
			w.Match(5, 5)
			w.EndBlock()
		}},
		{"empty-blocks", "100 empty blocks, and some content", "7.2.3.5", "Hello", func(w *deflate.Writer) {
			for range 50 {
				w.Stored(false, nil)
				w.Fixed(false)
				w.EndBlock()
			}
			w.Stored(false, []byte("Hello"))
		}},
		{"final", "a final block, and a byte for an empty one behind it", "7.2.3.4", "Hello", func(w *deflate.Writer) { w.Fixed(true); w.Literals("Hello"); w.EndBlock(); w.Align() }},
		{"final-stored", "a final stored block, and a byte for an empty one behind it", "7.2.3.4", "Hello", func(w *deflate.Writer) { w.Stored(true, []byte("Hello")) }},
	} {
		ch.at(s.section, multiple)
		if s.section == "7.2.3.4" {
			ch.clause = anyBlocks
		}
		ch.talk("block-"+s.word, s.title, func(n *deflation) bool {
			var w deflate.Writer
			s.make(&w)
			if s.section != "7.2.3.4" {
				return n.echoes(n.raw(w.Message(), s.content), n.message(OpText, "Hello, Hello"))
			}
			// What comes behind it is asked for below.
			return n.echoes(n.raw(w.Message(), s.content))
		})
	}
	final := func(n *deflation, content string) said {
		var w deflate.Writer
		w.Fixed(true)
		w.Literals(content)
		w.EndBlock()
		w.Align()
		return n.raw(w.Message(), content)
	}
	ch.at("7.2.3.4", anyBlocks)
	ch.talk("final-and-more", "three messages with final blocks, none of which refers to another", func(n *deflation) bool {
		return n.echoes(final(n, "Hello"), final(n, "world"), final(n, "!"))
	})
	ch.talk("final-and-context", "a message with a final block, and one that refers to it", func(n *deflation) bool {
		return n.echoes(final(n, "Hello, Hello"), n.message(OpText, "Hello, Hello"))
	}, should("Whether the window outlives a final block is not said; who takes it for the end of a DEFLATE stream has none then."))
	ch.talk("final-in-middle", "a final block with another block behind it in the same message", func(n *deflation) bool {
		var w deflate.Writer
		w.Stored(true, []byte("Hel"))
		w.Stored(false, []byte("lo"))
		return n.echoes(n.raw(w.Message(), "Hello"))
	}, should("DEFLATE data ends with a final block, and readers of DEFLATE stop there, unless they are told that more may come."))
	ch.talk("final-without-byte", "a final block, and no byte behind it", func(n *deflation) bool {
		b := []byte("\xf3\x48\xcd\xc9\xc9\x07\x00")
		return n.echoes(n.raw(b, "Hello"))
	}, info("The four bytes that are put back are no block then; who stops at the final block does not see that."))
	ch.at("7.2.2", inflating)
	ch.add("tail-left", "a message whose four bytes at the end are still there", deflated(usualOffer, func(n *deflation) Verdict {
		return n.finish(n.echoes(n.raw([]byte(rfcHello+"\x00\x00\xff\xff"), "Hello")), "an echo, or the end of the connection")
	}), info("With the four bytes put back once more it ends inside a block; who stops reading at the end of the data does not see that."))
	ch.add("bomb", "16 MiB of zeros, compressed to 16 KiB", deflated(usualOffer, bomb), info("How much a testee takes is its own affair."), tagged("sizes"))
}

// bomb sends what becomes a thousand times as much.
func bomb(n *deflation) Verdict {
	const size = 16 << 20
	var w deflate.Writer
	w.Fixed(false)
	w.Literals("\x00")
	for left := size - 1; left > 0; left -= min(258, left) {
		w.Match(min(258, left), 1)
	}
	w.EndBlock()
	b := w.Message()
	n.d.Quiet()
	n.mute = true
	n.d.Send(Frame{Fin: true, RSV: RSV1, Opcode: OpBinary, Payload: b})
	n.listen(func() bool { return n.close != nil || len(n.faults) > 0 || len(n.messages) > 0 })
	v := Verdict{Outcome: Noted, Expected: "an echo, or a Close with 1009"}
	switch {
	case len(n.faults) > 0:
		return n.fail(v.Expected)
	case len(n.messages) > 0:
		v.Actual = fmt.Sprintf("%d bytes became %d, and were echoed", len(b), len(n.messages[0].Payload))
	case n.close != nil:
		v.Actual = fmt.Sprintf("%d bytes of %d: closed with %d", len(b), size, n.close.CloseCode())
	default:
		v.Actual = fmt.Sprintf("%d bytes of %d: %s", len(b), size, endWords(n.end))
	}
	return v
}

// deflateFaults are messages that cannot be inflated.
func (ch *chapter) deflateFaults() {
	ch.at("7.2.2", inflating)
	for _, f := range []struct{ word, title, payload string }{
		{"reserved-type", "a block of the reserved type", "\x06"},
		{"reserved-type-later", "a block of the reserved type behind one that is right", "\xf2\x48\xcd\xc9\xc9\x07\x18"},
		{"length-mismatch", "a stored block whose LEN and NLEN do not fit", "\x00\x05\x00\xfa\xfeHello\x00"},
		{"distance-before-start", "a distance that goes back to before the first message", "\x02\x43\x00\x00"},
		{"symbol-286", "the literal symbol 286, which means nothing", "\x1a\x03\x00\x00"},
		{"distance-symbol-30", "the distance symbol 30, which means nothing", "\x4a\x04\x3f\x00\x00"},
		{"too-many-codes", "a dynamic block with 287 codes", "\xf4\x07\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"},
		{"codes-over-subscribed", "a dynamic block whose code cannot be", "\x04\xc0\x49\x92\x24\x00\x00\x00\x00\x00\x00"},
		{"codes-incomplete", "a dynamic block whose code is incomplete", "\x04\x00\x04\x00\x00\x00\x00\x00\x00\x00\x00"},
		{"ones", "20 bytes of ones", strings.Repeat("\xff", 20)},
		{"text", "a text that is not compressed at all", "This is not compressed at all."},
	} {
		ch.add("corrupt-"+f.word, f.title, deflated(usualOffer, func(n *deflation) Verdict {
			return n.fails([]int{1002, 1007}, Frame{Fin: true, RSV: RSV1, Opcode: OpText, Payload: []byte(f.payload)})
		}), because(noMessage))
	}
	ch.add("cut-off-stored", "a message that ends inside a stored block", deflated(usualOffer, func(n *deflation) Verdict {
		return n.fails([]int{1002, 1007}, Frame{Fin: true, RSV: RSV1, Opcode: OpBinary, Payload: []byte("\x00\x50\x00\xaf\xffHello")})
	}), should(notAtEnd))
	ch.add("cut-off-dynamic", "a message that ends inside a dynamic block", deflated(usualOffer, func(n *deflation) Verdict {
		b := deflate.Append(nil, nil, []byte(corpora[0].part(0, 4000)), 15)
		return n.fails([]int{1002, 1007}, Frame{Fin: true, RSV: RSV1, Opcode: OpBinary, Payload: b[:len(b)/2]})
	}), should(notAtEnd))
	ch.at("7.2.1", takesOver)
	ch.add("reference-without-context", "a message that refers to the one before, though the suite keeps no context", deflated(deflateParams{clientNoContext: true, serverNoContext: true}, func(n *deflation) Verdict {
		if n.keeps {
			return Skip("the context is kept all the same")
		}
		if !n.echoes(n.message(OpText, "Hello")) {
			return n.fail("an echo first")
		}
		return n.fails([]int{1002, 1007}, Frame{Fin: true, RSV: RSV1, Opcode: OpText, Payload: []byte("\xf2\x00\x11\x00\x00")})
	}), info("It is the sender who breaks the agreement. A receiver that has kept the window can read it."))
	ch.at("7.2.1", windowHeld)
	ch.add("reference-beyond-window", "a distance of one byte more than the window", deflated(deflateParams{clientBits: 9, serverBits: 9}, func(n *deflation) Verdict {
		if n.window > 14 {
			return Skip("no smaller window is agreed on")
		}
		once := noise(1<<n.window + 1)
		b := deflate.Append(nil, nil, []byte(once+once[:100]), 15)
		return n.fails([]int{1002, 1007}, Frame{Fin: true, RSV: RSV1, Opcode: OpText, Payload: b})
	}), info("It is the sender who breaks the agreement. A receiver with a larger window can read it."))
}
