package wsspec

import (
	"fmt"
	"strings"
)

const (
	waitFirst     = `Once the client's opening handshake has been sent, the client MUST wait for a response from the server before sending any further data.`
	unknownField  = `Unknown header fields are ignored, as per [RFC2616].`
	validHTTP     = `[…] including but not limited to any violations of the ABNF grammar specified for the components of the handshake`
	oneProtocol   = `The value chosen MUST be derived from the client's handshake, specifically by selecting one of the values from the |Sec-WebSocket-Protocol| field that the server is willing to use for this connection (if any).`
	noProtocol    = `If the client's handshake did not contain such a header field or if the server does not agree to any of the client's requested subprotocols, the only acceptable value is null.`
	protocolList  = `The elements that comprise this value MUST be non-empty strings with characters in the range U+0021 to U+007E not including separator characters as defined in [RFC2616] and MUST all be unique strings.`
	protocolField = `Optionally, a |Sec-WebSocket-Protocol| header field, with a list of values indicating which protocols the client would like to speak, ordered by preference.`
	noExtension   = `Extensions not listed by the client MUST NOT be listed.`
	originField   = `The server MAY use this information as part of a determination of whether to accept the incoming connection. [...] If the server does not wish to accept this connection, it MUST return an appropriate HTTP error code (e.g., 403 Forbidden) and abort the WebSocket handshake`
	bodyWhy       = "RFC 6455 does not speak of a body in the handshake. RFC 9110 §7.8 lets the protocol change only behind the whole request."
)

func (ch *chapter) bodies() {
	ch.at("4.2.1", getRequest)
	ch.good("content-length-0", "Content-Length: 0", plus("Content-Length: 0"))
	frame := "\x82\x85\x00\x00\x00\x00Hello" // a whole binary message, masked with zeros
	for _, b := range []struct {
		word, title string
		edits       []edit
		body        string
	}{
		{"content-length", "a body of 11 bytes that looks like a message", []edit{plus("Content-Length: 11")}, frame},
		{"chunked", "a chunk that looks like a message", []edit{plus("Transfer-Encoding: chunked")}, "b\r\n" + frame + "\r\n0\r\n\r\n"},
		{"both", "Content-Length and Transfer-Encoding", []edit{plus("Content-Length: 11", "Transfer-Encoding: chunked")}, "0\r\n\r\n"},
	} {
		ch.ask("body-"+b.word, b.title, request{edits: b.edits, body: b.body, want: either}, should(bodyWhy))
	}
	ch.ask("content-length-bad", "Content-Length: x", request{edits: []edit{plus("Content-Length: x")}, want: refused},
		should("RFC 9112 §6.3 has it: unrecoverable; RFC 6455 does not speak of it."))
	ch.ask("content-length-two", "two lengths that differ", request{edits: []edit{plus("Content-Length: 0", "Content-Length: 5")}, want: refused},
		should("RFC 9112 §6.3 has it: unrecoverable; RFC 6455 does not speak of it."))
	ch.ask("expect-continue", "Expect: 100-continue", request{edits: []edit{plus("Expect: 100-continue")}, want: either},
		info("RFC 9110 §10.1.1: there is no body that a client would wait with."))

	ch.at("4.1", waitFirst)
	const why = "The clause forbids it to the client. A server that accepts must not lose a part of the stream all the same: what comes next would be read from the wrong place."
	for _, f := range []struct {
		word, title string
		frames      []Frame
	}{
		{"text", "a text", frames(Text("early"))},
		{"two-texts", "two texts", frames(Text("early"), Text("birds"))},
		{"fragments", "a fragmented text", frames(begun("ear"), last("ly"))},
		{"ping", "a ping", frames(Ping("early"))},
		{"65536", "a binary message of 65536 bytes", frames(Binary(letters(65536)))},
	} {
		ch.add("early-"+f.word, f.title+" in one write with the request", early{f.frames}.play, should(why))
	}
}

// An early is a handshake with frames glued to it.
type early struct{ frames []Frame }

func (e early) play(d *Dialogue) Verdict {
	const expected = "the frames are answered behind the 101; or the handshake is refused; or the connection ends"
	if err := d.Dial(); err != nil {
		return Fail(expected, "%v", err)
	}
	key := NewKey()
	d.Write(append(Lines(d.RequestLines(key)), d.Encode(e.frames...)...))
	h, err := d.answer()
	d.Answer = h
	if err != nil || h.Status() != 101 {
		switch {
		case gone(err):
			return Verdict{Outcome: Passed, Expected: expected, Actual: endWords(err)}
		case err == nil && h.Status() >= 400:
			return Verdict{Outcome: Passed, Expected: expected, Actual: fmt.Sprintf("%.60q", h.First)}
		case err != nil:
			return Fail(expected, "no answer: %v", err)
		}
		return Fail(expected, "%.60q", h.First)
	}
	if wrong := wrongAnswer(h, key, nil); wrong != "" {
		return Fail(expected, "%s", wrong)
	}
	heard := &hearing{}
	if !heard.await(d, e.frames) {
		if heard.over() && len(heard.faults) == 0 && len(heard.messages) == 0 {
			return heard.pass(expected)
		}
		return heard.fail(expected)
	}
	v := script{main: frames(Text("Hello"))}.on(d)
	v.Expected = expected
	return v
}

func (ch *chapter) fieldSyntax() {
	ch.at("4.2.1", unknownField)
	ch.good("field-unknown", "fields that nobody knows", plus("X-Unknown: 1", "Sec-WebSocket-Unknown: x", "sec-: y"))
	ch.good("field-names-lower-case", "all names in lower case", func(lines []string) []string { return renamed(lines, strings.ToLower) })
	ch.good("field-names-upper-case", "all names in upper case", func(lines []string) []string { return renamed(lines, strings.ToUpper) })
	ch.good("field-order", "all fields in reverse order", func(lines []string) []string {
		out := lines[:1:1]
		for i := len(lines) - 1; i > 0; i-- {
			out = append(out, lines[i])
		}
		return out
	})
	around := func(before, after string) edit {
		return func(lines []string) []string {
			for i := 1; i < len(lines); i++ {
				name, value, _ := strings.Cut(lines[i], ": ")
				lines[i] = name + ":" + before + value + after
			}
			return lines
		}
	}
	ch.good("field-no-space", "no space behind colons", around("", ""))
	ch.good("field-spaces", "spaces and tabs around all values", around(" \t  ", "  \t "))
	ch.good("field-empty-value", "a field without a value", plus("X-Empty:"))
	ch.good("field-cookie", "a cookie and an Authorization", plus("Cookie: a=b; c=d", "Authorization: Basic YTpi"))

	ch.at("4.2.1", validHTTP)
	for _, f := range []struct {
		word, title string
		e           edit
	}{
		{"space-before-colon", "a space before a colon", instead("Upgrade", "Upgrade : websocket")},
		{"without-colon", "a line without a colon", plus("nothing")},
		{"without-name", "a line that begins with its colon", plus(": nothing")},
		{"name-with-space", "a name with a space in it", plus("X y: z")},
	} {
		ch.ask("field-"+f.word, f.title, request{edits: []edit{f.e}, want: refused}, should("RFC 9112 §5 forbids it; RFC 6455 leaves HTTP to its RFC."))
	}
	for _, f := range []struct {
		word, title, why string
		r                request
	}{
		{"folded", "a folded line", "RFC 9112 §5.2 lets a server read it as a space, or refuse it.",
			request{edits: []edit{instead("Upgrade", "Upgrade:", " websocket")}}},
		{"bare-lf", "lines that end in LF alone", "RFC 9112 §2.2 lets a server take it.", request{end: "\n"}},
		{"bare-cr", "a CR inside a value", "RFC 9112 §2.2: refused, or read as a space.", request{edits: []edit{plus("X-A: b\rc")}}},
		{"nul", "a NUL inside a value", "RFC 9110 §5.5: refused, or read as a space.", request{edits: []edit{plus("X-A: b\x00c")}}},
		{"latin-1", "a value beyond ASCII", "RFC 9110 §5.5 calls it opaque.", request{edits: []edit{plus("X-A: \xe9")}}},
	} {
		f.r.want = either
		ch.ask("field-"+f.word, f.title, f.r, info(f.why))
	}
	ch.at("4.2.2", originField)
	for _, o := range []struct{ word, title string }{
		{"null", "Origin: null"}, {"foreign", "Origin: http://foreign.example"}, {"empty", "Origin:"}, {"garbage", "Origin: %%%"},
	} {
		ch.ask("origin-"+o.word, o.title, request{edits: []edit{plus(o.title)}, want: either}, info("A server may look at it, or not."))
	}
	ch.ask("origin-two", "two Origins", request{edits: []edit{plus("Origin: http://a.example", "Origin: http://b.example")}, want: either},
		info("A server may look at it, or not."))
}

// renamed changes the names of all fields.
func renamed(lines []string, to func(string) string) []string {
	for i := 1; i < len(lines); i++ {
		name, value, _ := strings.Cut(lines[i], ":")
		lines[i] = to(name) + ":" + value
	}
	return lines
}

func (ch *chapter) subprotocols() {
	ch.at("4.2.2", oneProtocol)
	offer := func(word, title string, offers []string, choice choice, lines ...string) {
		want := accepted
		if choice != nil {
			want = either
		} else {
			choice = should(mayRefuse)
		}
		ch.ask("subprotocol-"+word, title, request{edits: []edit{plus(lines...)}, offers: offers, want: want}, choice)
	}
	offer("one", "one that no server has", []string{"x.unknown"}, nil, "Sec-WebSocket-Protocol: x.unknown")
	offer("several", "three of them", []string{"x.1", "x.2", "x.3"}, nil, "Sec-WebSocket-Protocol: x.1, x.2,x.3")
	offer("two-lines", "two lines of them", []string{"x.1", "x.2", "x.3"}, nil, "Sec-WebSocket-Protocol: x.1", "Sec-WebSocket-Protocol: x.2, x.3")
	offer("known", "some that servers may have", []string{"chat", "echo", "mqtt", "graphql-ws"}, nil, "Sec-WebSocket-Protocol: chat, echo, mqtt, graphql-ws")
	ch.at("4.2.1", protocolField)
	const why = "§4.1 forbids it to the client. What is answered must be one of those that were offered all the same."
	offer("empty", "an empty list", nil, info(why), "Sec-WebSocket-Protocol:")
	offer("commas", "a list of commas", nil, info(why), "Sec-WebSocket-Protocol: , ,,")
	offer("doubled", "the same one twice", []string{"x.1"}, info(why), "Sec-WebSocket-Protocol: x.1, x.1")
	offer("separator", "one that is no token", []string{"a b", "c/d"}, info(why), "Sec-WebSocket-Protocol: a b, c/d")
	offer("case", "one in two cases", []string{"chat", "CHAT"}, info(why), "Sec-WebSocket-Protocol: chat, CHAT")
	ch.at("4.2.2", noProtocol)
	ch.ask("subprotocol-none", "none is offered", request{})
}

func (ch *chapter) offers() {
	ch.at("4.2.2", noExtension)
	ch.ask("extension-none", "none is offered", request{})
	for _, o := range []struct{ word, title, line string }{
		{"unknown", "one that nobody has", "x-unknown"},
		{"unknown-parameters", "one that nobody has, with parameters", `x-unknown; a; b=1; c="d"`},
		{"several", "several that nobody has", "x-1, x-2; a, x-3"},
		{"near-deflate", "names near permessage-deflate", "permessage-deflat, permessage-deflate-x, x-permessage-deflate"},
	} {
		ch.ask("extension-"+o.word, o.title, request{edits: []edit{plus("Sec-WebSocket-Extensions: " + o.line)}}, should(mayRefuse))
	}
	for _, o := range []struct{ word, title, line string }{
		{"empty", "an empty list", ""}, {"commas", "a list of commas", ", ,,"}, {"no-name", "parameters without a name", "; a=b"},
		{"quoted-no-token", "a quoted value that is no token", `x-unknown; a="b, c"`}, {"quote-open", "a quotation that does not end", `x-unknown; a="b`}, {"garbage", "bytes that are no list", "{}[]()<>@"},
	} {
		ch.ask("extension-"+o.word, o.title, request{edits: []edit{plus("Sec-WebSocket-Extensions: " + o.line)}, want: either},
			info("The list's grammar (§9.1) is broken: it may be refused, or ignored. It must not be agreed to."))
	}
}
