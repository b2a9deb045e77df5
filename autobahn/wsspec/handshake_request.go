package wsspec

import (
	"fmt"
	"strings"
)

const (
	errorCode  = `[§4.2.1] If the server, while reading the handshake, finds that the client did not send a handshake that matches the description below [...], the server MUST stop processing the client's handshake and return an HTTP response with an appropriate error code (such as 400 Bad Request).`
	getRequest = `An HTTP/1.1 or higher GET request, including a "Request-URI" [RFC2616] that should be interpreted as a /resource name/ defined in Section 3 (or an absolute HTTP/HTTPS URI containing the /resource name/).`
	hostField  = `A |Host| header field containing the server's authority.`
	upgrade    = `An |Upgrade| header field containing the value "websocket", treated as an ASCII case-insensitive value.`
	connection = `A |Connection| header field that includes the token "Upgrade", treated as an ASCII case-insensitive value.`

	// mayRefuse is why nothing has to be accepted.
	mayRefuse = "No rule makes a server accept a handshake; but this one is right, and there are clients that send it."
)

// ask adds a case that is a request.
func (ch *chapter) ask(word, title string, r request, choices ...choice) {
	ch.add(word, title, r.play, choices...)
}

// good and bad add requests that are right, and such that are not.
func (ch *chapter) good(word, title string, edits ...edit) {
	ch.ask(word, title, request{edits: edits}, should(mayRefuse))
}

func (ch *chapter) bad(word, title string, edits ...edit) {
	ch.ask(word, title, request{edits: edits, want: refused})
}

// A line is a header line in a case whose id ends with word.
type line struct{ word, text string }

// unasked adds a request without the field, and one with each of the lines in its
// place: none of them asks for WebSocket.
func (ch *chapter) unasked(word, field string, lines []line) {
	ch.ask(word+"-missing", "no "+field, request{edits: []edit{without(field)}, want: declined})
	for _, l := range lines {
		ch.ask(word+"-"+l.word, l.text, request{edits: []edit{instead(field, l.text)}, want: declined})
	}
}

func (ch *chapter) requestLines() {
	ch.at("4.2.1", getRequest)
	ch.ask("plain", "a handshake as all send it", request{})
	ch.good("target-absolute", "an absolute URI in the request line", func(lines []string) []string {
		_, host, _ := strings.Cut(lines[1], ": ")
		return firstLine("GET http://" + host + "{} HTTP/1.1")(lines)
	})
	ch.ask("http-1.2", "HTTP/1.2", request{edits: []edit{firstLine("GET {} HTTP/1.2")}, want: either},
		info("it is higher than 1.1, and there is no such version"))
	ch.ask("http-2.0", "HTTP/2.0 in a request of HTTP/1's form", request{edits: []edit{firstLine("GET {} HTTP/2.0")}, want: either},
		info("it is higher than 1.1, and HTTP/2 has another form"))
	for _, method := range []string{"POST", "PUT", "HEAD", "OPTIONS", "DELETE", "get", "GETT"} {
		ch.ask("method-"+method, "the method "+method, request{edits: []edit{firstLine(method + " {} HTTP/1.1")}, want: declined}, quoting(getRequest))
	}
	ch.ask("http-1.0", "HTTP/1.0", request{edits: []edit{firstLine("GET {} HTTP/1.0")}, want: declined})
	ch.ask("http-0.9", "a request line without a version", request{edits: []edit{firstLine("GET {}")}, want: hungUp})
	ch.ask("http-1.1x", "the version HTTP/1.1x", request{edits: []edit{firstLine("GET {} HTTP/1.1x")}, want: hungUp})
	ch.ask("http-lower-case", "the version http/1.1", request{edits: []edit{firstLine("GET {} http/1.1")}, want: hungUp})
	ch.ask("spaces", "two spaces before the request's target", request{edits: []edit{firstLine("GET  {} HTTP/1.1")}, want: either},
		info("RFC 9112 §3 lets a server split at white space, and lets it not."))
	ch.ask("target-missing", "a request line without a target", request{edits: []edit{firstLine("GET HTTP/1.1")}, want: hungUp})
	ch.ask("empty-line-first", "an empty line before the request", request{before: []byte("\r\n")},
		should("RFC 9112 §2.2: a server SHOULD ignore at least one."))
	ch.ask("tls-bytes", "the beginning of a TLS handshake", request{
		before: []byte{0x16, 3, 1, 0, 5, 1, 0, 0, 1, 0}, edits: []edit{firstLine("\r\n")}, want: hungUp})
}

func (ch *chapter) hosts() {
	ch.at("4.2.1", hostField)
	ch.bad("host-missing", "no Host", without("Host"))
	ch.bad("host-doubled", "Host twice", instead("Host", "Host: {}", "Host: {}"))
	ch.bad("host-two", "two Hosts that differ", instead("Host", "Host: {}", "Host: other.example"))
	ch.ask("host-empty", "an empty Host", request{edits: []edit{instead("Host", "Host:")}, want: either},
		info("RFC 9112 §3.2 has it for targets without an authority"))
	ch.ask("host-other", "a Host that is another's", request{edits: []edit{instead("Host", "Host: other.example")}, want: either},
		info("A server knows its names, or does not."))
	const why = "RFC 9112 §3.2 has it refused; RFC 6455 leaves HTTP to its RFC."
	ch.ask("host-with-space", "a Host with a space in it", request{edits: []edit{instead("Host", "Host: a b")}, want: refused}, should(why))
	ch.ask("host-list", "two Hosts in one line", request{edits: []edit{instead("Host", "Host: {}, other.example")}, want: refused}, should(why))
}

func (ch *chapter) upgradeFields() {
	ch.at("4.2.1", upgrade)
	ch.good("upgrade-mixed-case", "Upgrade: WebSocket", instead("Upgrade", "Upgrade: WebSocket"))
	ch.good("upgrade-upper-case", "Upgrade: WEBSOCKET", instead("Upgrade", "Upgrade: WEBSOCKET"))
	ch.good("upgrade-list-last", "Upgrade: other, websocket", instead("Upgrade", "Upgrade: other, websocket"))
	ch.good("upgrade-list-first", "Upgrade: websocket, other/2", instead("Upgrade", "Upgrade: websocket, other/2"))
	ch.good("upgrade-two-lines", "Upgrade in two lines, websocket in the second", instead("Upgrade", "Upgrade: other", "Upgrade: websocket"))
	ch.unasked("upgrade", "Upgrade", []line{
		{"empty", "Upgrade:"}, {"other", "Upgrade: h2c"}, {"longer", "Upgrade: websocketx"}, {"shorter", "Upgrade: websocke"},
		{"two-words", "Upgrade: web socket"}, {"quoted", `Upgrade: "websocket"`}, {"kelvin", "Upgrade: websoc\u212aet"},
	})
	ch.ask("upgrade-with-version", "Upgrade: websocket/13", request{edits: []edit{instead("Upgrade", "Upgrade: websocket/13")}, want: either},
		info("HTTP lets a protocol have a version there; WebSocket does not use it."))

	ch.at("4.2.1", connection)
	for _, v := range []struct{ word, title string }{
		{"lower-case", "Connection: upgrade"}, {"upper-case", "Connection: UPGRADE"},
		{"list-last", "Connection: keep-alive, Upgrade"}, {"list-first", "Connection: Upgrade, keep-alive"},
		{"list-tight", "Connection: keep-alive,Upgrade"}, {"list-loose", "Connection: ,\t keep-alive ,, \tUpgrade , "},
	} {
		ch.good("connection-"+v.word, v.title, instead("Connection", v.title))
	}
	ch.good("connection-two-lines", "Connection in two lines, Upgrade in the second", instead("Connection", "Connection: keep-alive", "Connection: Upgrade"))
	ch.unasked("connection", "Connection", []line{
		{"empty", "Connection:"}, {"other", "Connection: keep-alive"}, {"close", "Connection: close"},
		{"longer", "Connection: Upgrades"}, {"two-words", "Connection: keep-alive Upgrade"}, {"quoted", `Connection: "Upgrade"`},
		{"inside", "Connection: keep-alive-Upgrade"},
	})
	ch.ask("connection-close-and-upgrade", "Connection: close, Upgrade", request{edits: []edit{instead("Connection", "Connection: close, Upgrade")}, want: either},
		info("It includes the token; what close means beside it is not said."))
}

const (
	keyField  = `A |Sec-WebSocket-Key| header field with a base64-encoded (see Section 4 of [RFC4648]) value that, when decoded, is 16 bytes in length.`
	keyWhy    = `§4.2.2 says: "It is not necessary for the server to base64-decode the |Sec-WebSocket-Key| value."`
	keyTwice  = `[§11.3.1] The |Sec-WebSocket-Key| header field MUST NOT appear more than once in an HTTP request.`
	versions  = `[§4.2.2] If this version does not match a version understood by the server, the server MUST abort the WebSocket handshake described in this section and instead send an appropriate HTTP error code (such as 426 Upgrade Required) and a |Sec-WebSocket-Version| header field indicating the version(s) the server is capable of understanding.`
	version13 = `A |Sec-WebSocket-Version| header field, with a value of 13.`
	verTwice  = `[§11.3.5] However, the |Sec-WebSocket-Version| header field MUST NOT appear more than once in an HTTP request.`
	twiceWhy  = "The clause binds the client; what a server does with two is not said."
)

func (ch *chapter) keys() {
	ch.at("4.2.1", keyField)
	set := func(value string) edit { return instead("Sec-WebSocket-Key", "Sec-WebSocket-Key: "+value) }
	ch.ask("error-answer", "whether there is an answer to a handshake without a key", request{edits: []edit{without("Sec-WebSocket-Key")}, want: refused, told: true}, quoting(errorCode))
	ch.bad("key-missing", "no Sec-WebSocket-Key", without("Sec-WebSocket-Key"))
	ch.bad("key-empty", "an empty key", instead("Sec-WebSocket-Key", "Sec-WebSocket-Key:"))
	for _, v := range []struct{ word, title, value string }{
		{"15-bytes", "a key of 15 bytes", "AQIDBAUGBwgJCgsMDQ4P"},
		{"17-bytes", "a key of 17 bytes", "AQIDBAUGBwgJCgsMDQ4PEBE="},
		{"32-bytes", "a key of 32 bytes", "AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA="},
		{"no-padding", "a key without padding", "AQIDBAUGBwgJCgsMDQ4PEA"},
		{"no-base64", "a key that is not base64", "not base64 at all, no!!!"},
		{"url-alphabet", "a key in the URL's alphabet", "-_-_-_-_-_-_-_-_-_-_-A=="},
		{"space-inside", "a key with a space inside", "AQIDBAUGBwgJ CgsMDQ4PEA=="},
		{"trailing", "a key with something behind it", "AQIDBAUGBwgJCgsMDQ4PEA==x"},
		{"list", "two keys in a list", "AQIDBAUGBwgJCgsMDQ4PEA==, AQIDBAUGBwgJCgsMDQ4PEA=="},
	} {
		ch.ask("key-"+v.word, v.title, request{edits: []edit{set(v.value)}, want: refused}, should(keyWhy))
	}
	ch.ask("key-bits-left-over", "the key of the RFC's own example, whose last bits are not zero",
		request{edits: []edit{set("AQIDBAUGBwgJCgsMDQ4PEC==")}, want: either},
		info("RFC 4648 §3.5 lets a decoder refuse it; §4.1 of RFC 6455 has it as an example."))
	ch.ask("key-doubled", "the same key twice", request{edits: []edit{instead("Sec-WebSocket-Key", "Sec-WebSocket-Key: {}", "Sec-WebSocket-Key: {}")}, want: refused},
		quoting(keyTwice), should(twiceWhy))
	ch.ask("key-two", "two keys", request{edits: []edit{instead("Sec-WebSocket-Key", "Sec-WebSocket-Key: {}", "Sec-WebSocket-Key: AQIDBAUGBwgJCgsMDQ4PEA==")}, want: refused},
		quoting(keyTwice), should(twiceWhy))
}

func (ch *chapter) versions() {
	ch.at("4.2.2", versions)
	set := func(value string) edit { return instead("Sec-WebSocket-Version", "Sec-WebSocket-Version: "+value) }
	ch.ask("version-answer", "the answer to version 14", request{edits: []edit{set("14")}, want: refused, version: true})
	ch.add("version-426", "the answer to version 14, if it is 426", wrong426,
		quoting(`[RFC 9110 §15.5.22] The server MUST send an Upgrade header field in a 426 response to indicate the required protocol(s)`),
		should("It is a MUST of HTTP's; RFC 6455 has 426 as one of several answers."))
	other := func(word, value string) {
		ch.ask("version-"+word, "version "+value, request{edits: []edit{set(value)}, want: refused})
	}
	for _, v := range []string{"1", "12", "14", "25", "99", "255", "256", "1300"} {
		other(v, v)
	}
	for _, v := range []string{"0", "4", "6", "7", "8"} {
		ch.ask("version-"+v, "version "+v+", of a draft", request{edits: []edit{set(v)}, want: either},
			info("A server may understand drafts of the protocol; what it takes for one has to be as right as 13."))
		ch.ask("version-"+v+"-without-key", "version "+v+", of a draft, without a key",
			request{edits: []edit{set(v), without("Sec-WebSocket-Key")}, want: refused}, quoting(errorCode))
		ch.ask("version-"+v+"-without-upgrade", "version "+v+", of a draft, without Upgrade",
			request{edits: []edit{set(v), without("Upgrade")}, want: declined}, quoting(errorCode))
	}
	for _, v := range []struct{ word, value string }{
		{"leading-zero", "013"}, {"fraction", "13.0"}, {"negative", "-13"}, {"plus", "+13"}, {"word", "thirteen"}, {"hex", "0x0d"},
		{"list", "13, 8"}, {"list-last", "8, 13"}, {"trailing", "13 x"}, {"quoted", `"13"`}, {"empty", ""},
	} {
		other(v.word, v.value)
	}
	ch.at("4.2.1", version13)
	ch.bad("version-missing", "no Sec-WebSocket-Version", without("Sec-WebSocket-Version"))
	ch.ask("version-missing-says-13", "no Sec-WebSocket-Version",
		request{edits: []edit{without("Sec-WebSocket-Version")}, want: refused, version: true}, quoting(versions),
		should("The clause is about a version that does not match; here is none."))
	ch.ask("version-doubled", "version 13 twice", request{edits: []edit{instead("Sec-WebSocket-Version", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Version: 13")}, want: refused},
		quoting(verTwice), should(twiceWhy))
	for i, two := range [][]string{{"13", "8"}, {"8", "13"}} {
		ch.ask(fmt.Sprintf("version-two-%d", i+1), "versions "+two[0]+" and "+two[1]+" in two lines", request{edits: []edit{
			instead("Sec-WebSocket-Version", "Sec-WebSocket-Version: "+two[0], "Sec-WebSocket-Version: "+two[1])}, want: refused},
			quoting(verTwice), should(twiceWhy))
	}
}

// wrong426 looks at a 426, if there is one.
func wrong426(d *Dialogue) Verdict {
	const expected = "an Upgrade that has websocket"
	if err := d.Dial(); err != nil {
		return Fail(expected, "%v", err)
	}
	d.Write(Lines(edited(d.RequestLines(NewKey()), []edit{instead("Sec-WebSocket-Version", "Sec-WebSocket-Version: 14")})))
	h, err := d.answer()
	switch d.Answer = h; {
	case err != nil:
		return Fail(expected, "no answer: %s", endWords(err))
	case h.Status() != 426:
		return Skip("the answer is %.60q", h.First)
	case !h.Has("Upgrade", "websocket"):
		return Fail(expected, "%.60q with Upgrade %q", h.First, h.Values("Upgrade"))
	}
	return Verdict{Outcome: Passed, Expected: expected, Actual: fmt.Sprintf("%.60q", h.First)}
}
