package wsspec

import (
	"fmt"
	"strings"
)

const (
	not101       = `If the status code received from the server is not 101, the client handles the response per HTTP [RFC2616] procedures.`
	upgradeGone  = `If the response lacks an |Upgrade| header field or the |Upgrade| header field contains a value that is not an ASCII case-insensitive match for the value "websocket", the client MUST _Fail the WebSocket Connection_.`
	connGone     = `If the response lacks a |Connection| header field or the |Connection| header field doesn't contain a token that is an ASCII case-insensitive match for the value "Upgrade", the client MUST _Fail the WebSocket Connection_.`
	acceptGone   = `If the response lacks a |Sec-WebSocket-Accept| header field or the |Sec-WebSocket-Accept| contains a value other than the base64-encoded SHA-1 of the concatenation of the |Sec-WebSocket-Key| [...] but ignoring any leading and trailing whitespace, the client MUST _Fail the WebSocket Connection_.`
	acceptTwice  = `[§11.3.3] The |Sec-WebSocket-Accept| header MUST NOT appear more than once in an HTTP response.`
	notAsked     = `If the response includes a |Sec-WebSocket-Extensions| header field and this header field indicates the use of an extension that was not present in the client's handshake [...], the client MUST _Fail the WebSocket Connection_.`
	notSpoken    = `If the response includes a |Sec-WebSocket-Protocol| header field and this header field indicates the use of a subprotocol that was not present in the client's handshake [...], the client MUST _Fail the WebSocket Connection_.`
	notConform   = `If the server's response does not conform to the requirements for the server's handshake as defined in this section and in Section 4.2.2, the client MUST _Fail the WebSocket Connection_.`
	established  = `If the server's response is validated as provided for above, it is said that _The WebSocket Connection is Established_ and that the WebSocket Connection is in the OPEN state.`
	anyCase      = `Please note that according to [RFC2616], all header field names in both HTTP requests and HTTP responses are case-insensitive.`
	serverBegins = `At this point, the server may begin sending (and receiving) data.`
)

func (ch *chapter) answered(word, title string, a answer, choices ...choice) {
	ch.add(word, title, a.play, choices...)
}

func (ch *chapter) wrong(word, title string, edits ...edit) {
	ch.answered(word, title, answer{edits: edits, want: refuses})
}

func (ch *chapter) right(word, title string, edits ...edit) {
	ch.answered(word, title, answer{edits: edits})
}

// answers are status lines.
func (ch *chapter) answers() {
	ch.at("4.1", established)
	ch.right("answer", "an answer that is right")
	ch.at("4.1", not101)
	for _, s := range []struct {
		code  int
		title string
		more  []string
	}{
		{200, "OK", nil}, {204, "No Content", nil},
		{301, "Moved Permanently", []string{"Location: ws://127.0.0.1:1/"}}, {302, "Found", []string{"Location: http://127.0.0.1:1/"}},
		{400, "Bad Request", nil}, {401, "Unauthorized", []string{`WWW-Authenticate: Basic realm="a"`}}, {403, "Forbidden", nil},
		{404, "Not Found", nil}, {407, "Proxy Authentication Required", []string{`Proxy-Authenticate: Basic realm="a"`}},
		{426, "Upgrade Required", []string{"Sec-WebSocket-Version: 8"}}, {500, "Internal Server Error", nil}, {503, "Service Unavailable", nil},
	} {
		line := fmt.Sprintf("HTTP/1.1 %d %s", s.code, s.title)
		ch.answered(fmt.Sprintf("answer-%d", s.code), fmt.Sprintf("a %d that is else as right as a 101, and a text behind it", s.code),
			answer{edits: []edit{firstLine(line), plus("Content-Length: 0"), plus(s.more...)}, want: ignores})
	}
	for _, s := range []string{"100 Continue", "102 Processing", "103 Early Hints"} {
		more := ""
		if s[:3] == "103" {
			more = "Link: </a>; rel=preload\r\n"
		}
		ch.answered("answer-"+s[:3]+"-first", "a "+s[:3]+" before the 101", answer{before: "HTTP/1.1 " + s + "\r\n" + more + "\r\n"},
			should("RFC 9110 §15.2: a client MUST be able to parse 1xx answers before the final one. RFC 6455 has them as HTTP's affair."))
	}
	ch.answered("answer-100-only", "a 100, and nothing behind it", answer{edits: []edit{firstLine("HTTP/1.1 100 Continue")}, want: ignores})

	ch.at("4.1", notConform)
	for _, s := range []struct{ word, line string }{
		{"0101", "HTTP/1.1 0101 Switching Protocols"}, {"1010", "HTTP/1.1 1010 Switching Protocols"}, {"101x", "HTTP/1.1 101x Switching Protocols"},
		{"letters", "HTTP/1.1 1O1 Switching Protocols"}, {"no-status", "HTTP/1.1"}, {"other-protocol", "WS/1.1 101 Switching Protocols"},
		{"echo-of-request", "GET / HTTP/1.1"}, {"no-version", "HTTP 101 Switching Protocols"},
	} {
		ch.wrong("status-line-"+s.word, "the status line "+s.line, firstLine(s.line))
	}
	for _, s := range []struct{ word, line, why string }{
		{"http-1.0", "HTTP/1.0 101 Switching Protocols", "HTTP/1.0 has no upgrade; §4.1 does not tell a client to look at the version."},
		{"http-1.2", "HTTP/1.2 101 Switching Protocols", "§4.1 does not tell a client to look at the version."},
		{"http-2", "HTTP/2 101 Switching Protocols", "§4.1 does not tell a client to look at the version."},
		{"no-reason", "HTTP/1.1 101", "RFC 9112 §4 wants the space behind the code."},
		{"lower-case", "http/1.1 101 Switching Protocols", "RFC 9112 §2.3 has it in capitals."},
	} {
		ch.answered("status-line-"+s.word, "the status line "+s.line, answer{edits: []edit{firstLine(s.line)}, want: mayOpen}, info(s.why))
	}
	ch.right("status-line-empty-reason", "a status line with an empty reason", firstLine("HTTP/1.1 101 "))
	ch.right("status-line-other-reason", "a status line with another reason", firstLine("HTTP/1.1 101 Web Socket Protocol Handshake"))
}

// answerFields are the fields of a 101.
func (ch *chapter) answerFields() {
	set := func(name, value string) edit { return instead(name, strings.TrimRight(name+": "+value, " ")) }
	ch.at("4.1", upgradeGone)
	ch.wrong("upgrade-missing", "a 101 without Upgrade", without("Upgrade"))
	for _, v := range []struct{ word, value string }{{"empty", ""}, {"other", "h2c"}, {"longer", "websockets"}, {"shorter", "websocke"}, {"kelvin", "websoc\u212aet"}} {
		ch.wrong("upgrade-"+v.word, fmt.Sprintf("a 101 whose Upgrade is %q", v.value), set("Upgrade", v.value))
	}
	ch.answered("upgrade-list", "a 101 whose Upgrade has another protocol, too", answer{edits: []edit{set("Upgrade", "websocket, h2c")}, want: refuses},
		should("The value is no match; but it is a list, in which there is one."))
	ch.answered("upgrade-doubled", "a 101 with Upgrade twice", answer{edits: []edit{instead("Upgrade", "Upgrade: websocket", "Upgrade: websocket")}, want: mayOpen},
		info("As a list, that is the protocol twice."))
	ch.right("upgrade-case", "a 101 whose Upgrade is WebSocket", set("Upgrade", "WebSocket"))

	ch.at("4.1", connGone)
	ch.wrong("connection-missing", "a 101 without Connection", without("Connection"))
	for _, v := range []struct{ word, value string }{{"empty", ""}, {"other", "keep-alive"}, {"close", "close"}, {"longer", "Upgraded"}, {"two-words", "keep-alive Upgrade"}} {
		ch.wrong("connection-"+v.word, fmt.Sprintf("a 101 whose Connection is %q", v.value), set("Connection", v.value))
	}
	ch.right("connection-case", "a 101 whose Connection is upgrade", set("Connection", "upgrade"))
	ch.right("connection-list", "a 101 whose Connection is a list", set("Connection", "keep-alive, Upgrade"))
	ch.right("connection-two-lines", "a 101 with two lines of Connection", instead("Connection", "Connection: keep-alive", "Connection: Upgrade"))

	ch.at("4.1", acceptGone)
	changed := func(f func(string) string) edit {
		return func(lines []string) []string {
			for i, l := range lines {
				if name, value, ok := strings.Cut(l, ": "); ok && sameWord(name, "Sec-WebSocket-Accept") {
					lines[i] = name + ": " + f(value)
				}
			}
			return lines
		}
	}
	ch.wrong("accept-missing", "a 101 without Sec-WebSocket-Accept", without("Sec-WebSocket-Accept"))
	for _, v := range []struct {
		word, title string
		f           func(string) string
	}{
		{"empty", "is empty", func(string) string { return "" }},
		{"other", "is that of another key", func(string) string { return AcceptFor(NewKey()) }},
		{"example", "is that of the RFC's example", func(string) string { return "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" }},
		{"lower-case", "is in lower case", strings.ToLower},
		{"upper-case", "is in upper case", strings.ToUpper},
		{"no-padding", "has no padding", func(s string) string { return strings.TrimRight(s, "=") }},
		{"shorter", "lacks its first character", func(s string) string { return s[1:] }},
		{"longer", "has something behind it", func(s string) string { return s + "x" }},
		{"list", "is a list with the right one", func(s string) string { return s + ", " + s }},
		{"quoted", "is quoted", func(s string) string { return `"` + s + `"` }},
	} {
		ch.wrong("accept-"+v.word, "a 101 whose Sec-WebSocket-Accept "+v.title, changed(v.f))
	}
	ch.right("accept-spaces", "a 101 with white space around Sec-WebSocket-Accept", changed(func(s string) string { return " \t" + s + " \t " }))
	other := "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
	for _, v := range []struct {
		word, title string
		lines       []string
	}{
		{"doubled", "the right Sec-WebSocket-Accept twice", []string{"Sec-WebSocket-Accept: {}", "Sec-WebSocket-Accept: {}"}},
		{"right-and-wrong", "a right and a wrong Sec-WebSocket-Accept", []string{"Sec-WebSocket-Accept: {}", other}},
		{"wrong-and-right", "a wrong and a right Sec-WebSocket-Accept", []string{other, "Sec-WebSocket-Accept: {}"}},
	} {
		ch.answered("accept-"+v.word, "a 101 with "+v.title, answer{edits: []edit{instead("Sec-WebSocket-Accept", v.lines...)}, want: refuses},
			quoting(acceptTwice), should("The clause binds the server; what a client does with two is not said."))
	}
	ch.agreements()
	ch.answerForms()
}

// agreements are extensions and subprotocols that the client has not asked for.
func (ch *chapter) agreements() {
	ch.at("4.1", notAsked)
	for _, v := range []struct{ word, value string }{{"unknown", "x-unknown"}, {"parameter", "x-unknown; a=1"}, {"two", "x-1, x-2"}} {
		ch.wrong("extension-"+v.word, "a 101 with the extension "+v.value, plus("Sec-WebSocket-Extensions: "+v.value))
	}
	ch.add("extension-deflate", "a 101 with permessage-deflate, which the client has not offered", func(d *Dialogue) Verdict {
		if h := d.Request; strings.Contains(strings.Join(h.Values("Sec-WebSocket-Extensions"), ","), "permessage-deflate") {
			d.hello()
			return Skip("the client has offered it")
		}
		return answer{edits: []edit{plus("Sec-WebSocket-Extensions: permessage-deflate")}, want: refuses}.play(d)
	})
	ch.answered("extension-empty", "a 101 with an empty list of extensions", answer{edits: []edit{plus("Sec-WebSocket-Extensions:")}, want: mayOpen},
		info("The grammar wants one at least; none is indicated."))
	ch.answered("extension-garbage", "a 101 whose extensions are no list", answer{edits: []edit{plus("Sec-WebSocket-Extensions: ;;=")}, want: refuses})
	ch.at("4.1", notSpoken)
	ch.wrong("subprotocol-unknown", "a 101 with a subprotocol that was not offered", plus("Sec-WebSocket-Protocol: x.unknown"))
	ch.wrong("subprotocol-two", "a 101 with two subprotocols that were not offered", plus("Sec-WebSocket-Protocol: x.1", "Sec-WebSocket-Protocol: x.2"))
	ch.answered("subprotocol-empty", "a 101 with an empty subprotocol", answer{edits: []edit{plus("Sec-WebSocket-Protocol:")}, want: refuses},
		quoting(`[§4.2.2] The empty string is not the same as the null value for these purposes and is not a legal value for this field.`),
		should("No subprotocol is indicated that was not asked for."))
}

// answerForms are forms that HTTP lets an answer have, and some that it does not.
func (ch *chapter) answerForms() {
	ch.at("4.1", anyCase)
	ch.right("fields-lower-case", "a 101 with all names in lower case", func(l []string) []string { return renamed(l, strings.ToLower) })
	ch.right("fields-upper-case", "a 101 with all names in upper case", func(l []string) []string { return renamed(l, strings.ToUpper) })
	ch.at("4.1", established)
	ch.right("fields-more", "a 101 with fields that nobody knows", plus("Server: x", "Date: Thu, 01 Jan 1970 00:00:00 GMT", "X-Unknown:", "Set-Cookie: a=b"))
	ch.right("fields-reversed", "a 101 with its fields in reverse order", func(lines []string) []string {
		return []string{lines[0], lines[3], lines[2], lines[1]}
	})
	ch.right("fields-tight", "a 101 without spaces behind colons", func(lines []string) []string {
		for i := 1; i < len(lines); i++ {
			lines[i] = strings.Replace(lines[i], ": ", ":", 1)
		}
		return lines
	})
	for _, f := range []struct {
		word, title, why string
		a                answer
	}{
		{"folded", "a folded line", "RFC 9112 §5.2: a client must replace it by a space; it is no longer sent.", answer{edits: []edit{instead("Upgrade", "Upgrade:", " websocket")}}},
		{"bare-lf", "lines that end in LF alone", "RFC 9112 §2.2 lets a recipient take it.", answer{end: "\n"}},
		{"space-before-colon", "a space before a colon", "RFC 9112 §5.1 speaks of proxies and servers.", answer{edits: []edit{instead("Upgrade", "Upgrade : websocket")}}},
		{"without-colon", "a line without a colon", "HTTP does not say what a client does with it.", answer{edits: []edit{plus("nothing")}}},
		{"content-length-0", "Content-Length: 0", "RFC 9110 §8.6 forbids the field to the server.", answer{edits: []edit{plus("Content-Length: 0")}}},
		{"content-length-5", "Content-Length: 5", "RFC 9110 §8.6 forbids the field to the server.", answer{edits: []edit{plus("Content-Length: 5")}}},
		{"chunked", "Transfer-Encoding: chunked", "RFC 9112 §6.1 forbids the field to the server.", answer{edits: []edit{plus("Transfer-Encoding: chunked")}}},
		{"8-kib", "a field of 8 KiB", "How much a client takes is its own affair.", answer{edits: []edit{plus("X-Long: " + strings.Repeat("a", 8<<10))}}},
		{"64-kib", "a field of 64 KiB", "How much a client takes is its own affair.", answer{edits: []edit{plus("X-Long: " + strings.Repeat("a", 64<<10))}}},
		{"1-mib", "a field of 1 MiB", "How much a client takes is its own affair.", answer{edits: []edit{plus("X-Long: " + strings.Repeat("a", 1<<20))}}},
		{"1000", "1,000 fields", "How much a client takes is its own affair.", answer{edits: []edit{plus(strings.Split(strings.Repeat("X-A: b,", 1000)+"X-C: d", ",")...)}}},
	} {
		f.a.want = mayOpen
		ch.answered("fields-"+f.word, "a 101 with "+f.title, f.a, info(f.why), tagged("sizes"))
	}
}

// answerCuts are an answer in pieces, and with frames behind it.
func (ch *chapter) answerCuts() {
	ch.at("4.1", established)
	ch.answered("answer-by-byte", "a 101 one byte at a time", answer{cut: byByte})
	ch.answered("answer-by-7", "a 101 seven bytes at a time", answer{cut: cut{every: 7}})
	status := len("HTTP/1.1 101 Switching Protocols\r\n")
	upgrade := status + len("Upgrade: websocket\r\n")
	for _, c := range []struct {
		word string
		at   int
	}{
		{"in-version", 3}, {"before-status", 9}, {"in-status", 10}, {"before-cr", status - 2}, {"before-lf", status - 1}, {"behind-status-line", status},
		{"in-name", status + 3}, {"before-colon", status + 7}, {"behind-colon", status + 8}, {"in-value", status + 12}, {"behind-field", upgrade},
		{"before-last-crlf", -2}, {"before-last-lf", -1}, {"before-field-lf", -3},
	} {
		ch.answered("answer-cut-"+c.word, "a 101 in two pieces: "+strings.ReplaceAll(c.word, "-", " "), answer{cut: cut{at: []int{c.at}}})
	}
	ch.at("4.2.2", serverBegins)
	for _, g := range []struct {
		word, title string
		f           []Frame
	}{
		{"text", "a text", frames(Text("early"))}, {"ping", "a ping", frames(Ping("early"))}, {"two", "two texts", frames(Text("early"), Text("birds"))},
		{"fragments", "a fragmented text", frames(begun("ear"), last("ly"))}, {"8192", "8192 bytes", frames(Binary(letters(8192)))}, {"65536", "65536 bytes", frames(Binary(letters(65536)))},
	} {
		ch.answered("early-"+g.word, g.title+" in one write with the 101", answer{near: g.f})
	}
	ch.answered("early-by-byte", "a 101 and a text one byte at a time", answer{near: frames(Text("early")), cut: byByte})
	ch.answered("early-in-frame", "a 101 and a text in two pieces, cut inside the frame", answer{near: frames(Text("early")), cut: cut{at: []int{-3}}})
	ch.add("early-close", "a Close in one write with the 101", func(d *Dialogue) Verdict {
		d.Write(append(Lines(d.AnswerLines()), d.Encode(CloseFrame(1000, ""))...))
		s := script{main: frames(CloseFrame(1000, "")), want: closes, codes: []int{0, 1000}}
		return s.closed(d, &hearing{mute: true})
	})
	ch.at("7.2.1", lostTCP)
	ch.answered("answer-cut-off", "a 101 whose last line end does not come, and TCP ends", answer{short: 2, want: refuses})
	ch.answered("answer-half", "half of a 101, and TCP ends", answer{short: 60, want: refuses})
	ch.add("answer-none", "no answer, and TCP ends", func(d *Dialogue) Verdict {
		d.CloseWrite()
		return answer{want: refuses}.refused(d)
	})
	ch.at("4.1", established)
	ch.add("answer-late", "no answer at all", func(d *Dialogue) Verdict {
		h := &hearing{mute: true}
		h.listen(d, never)
		return h.pass("the client gives it up some time")
	}, info("How long a client waits is its own affair."))
}
