package wsspec

import (
	"fmt"
	"strings"
)

// negotiation is RFC 7692: what is agreed on, and that it is kept. A testee that does
// not have permessage-deflate is skipped: an extension is optional.
func negotiation() []*Case {
	ch := &chapter{name: "negotiation", rfc: "7692", roles: ServerOnly}
	ch.deflateOffers()
	ch.deflateOfferForms()
	ch.roles = ClientOnly
	ch.deflateRequest()
	ch.deflateAnswers()
	ch.roles = Both
	ch.deflateContexts()
	ch.deflateBits()
	ch.deflateMessages()
	ch.deflateStreams()
	ch.deflateFaults()
	for _, c := range ch.cases {
		c.Tags = append(c.Tags, "compression")
	}
	return ch.cases
}

const (
	mustDecline  = `[§7] A server MUST decline an extension negotiation offer for this extension if any of the following conditions are met: The negotiation offer contains an extension parameter not defined for use in an offer. The negotiation offer contains an extension parameter with an invalid value. The negotiation offer contains multiple extension parameters with the same name. The server doesn't support the offered configuration.`
	clientFails  = `[§7] A client MUST _Fail the WebSocket Connection_ if the peer server accepted an extension negotiation offer for this extension with an extension negotiation response meeting any of the following conditions: The negotiation response contains an extension parameter not defined for use in a response. The negotiation response contains an extension parameter with an invalid value. The negotiation response contains multiple extension parameters with the same name. The client does not support the configuration that the response represents.`
	smallerOrSo  = `A server accepts an extension negotiation offer with this parameter by including the "server_max_window_bits" extension parameter in the extension negotiation response to send back to the client with the same or smaller value as the offer.`
	equalOrSo    = `the server may either ignore this value or use this value to avoid allocating an unnecessarily big LZ77 sliding window by including the "client_max_window_bits" extension parameter in the corresponding extension negotiation response to the offer with a value equal to or smaller than the received value.`
	includesBack = `A server accepts an extension negotiation offer that includes the "server_no_context_takeover" extension parameter by including the "server_no_context_takeover" extension parameter in the corresponding extension negotiation response to send back to the client.`
	notUnasked   = `If a received extension negotiation offer doesn't have the "client_max_window_bits" extension parameter, the corresponding extension negotiation response to the offer MUST NOT include the "client_max_window_bits" extension parameter.`
	decimal      = `This parameter has a decimal integer value without leading zeroes between 8 to 15, inclusive, indicating the base-2 logarithm of the LZ77 sliding window size.`
	malformed    = `[RFC 6455 §9.1] If a value is received by either the client or the server during negotiation that does not conform to the ABNF below, the recipient of such malformed data MUST immediately _Fail the WebSocket Connection_.`
	preference   = `The order of elements is important as it specifies the client's preference. An element preceding another element has higher preference. It is recommended that a server accepts PMCEs with higher preference if the server supports them.`
)

// An offering is a client's offer to a server as data.
type offering struct {
	fields []string        // the values of as many fields
	valid  []deflateParams // what may be accepted; none: nothing may be
	broken bool            // it is no list (RFC 6455 §9.1)
	wanted bool            // a server that has the extension accepts it
}

// play makes the offer, judges the answer, and has a conversation.
func (o offering) play(d *Dialogue) Verdict {
	if !d.hasDeflate() {
		return Skip("no permessage-deflate")
	}
	var lines []string
	for _, f := range o.fields {
		lines = append(lines, extensionsField+": "+f)
	}
	d.CloseNow()
	if err := d.Open(lines...); err != nil {
		if s := d.Answer.Status(); s >= 400 && !o.wanted {
			return Verdict{Outcome: Passed, Expected: o.expected(), Actual: fmt.Sprintf("refused: %.60q", d.Answer.First)}
		}
		return Fail(o.expected(), "%v", err)
	}
	p, on, err := judgeAgreement(d.Answer, o.valid)
	switch {
	case err != nil:
		return Fail(o.expected(), "%v", err)
	case on && len(o.valid) == 0:
		return Fail(o.expected(), "it was accepted: %q", d.Answer.Values(extensionsField))
	case !on:
		v := script{main: frames(Text("Hello"))}.on(d)
		v.Expected, v.Actual = o.expected(), "declined: "+v.Actual
		if v.Outcome == Passed && (o.wanted || o.broken) {
			v.Outcome = Weak
		}
		return v
	}
	return newDeflation(d, p).converse(o.expected())
}

func (o offering) expected() string {
	switch {
	case o.broken:
		return "an HTTP answer of 400 or above"
	case len(o.valid) == 0:
		return "101 without the extension, or an HTTP answer of 400 or above"
	}
	var ways []string
	for _, p := range o.valid {
		ways = append(ways, p.String())
	}
	return "101 with an answer to " + strings.Join(ways, " or to ") + ", which is then kept"
}

// hasDeflate reports whether the server has the extension at all.
func (d *Dialogue) hasDeflate() bool {
	defer d.CloseNow()
	return d.Open(extensionsField+": "+deflateName) == nil && strings.Contains(strings.ToLower(d.Answer.Get(extensionsField)), deflateName)
}

// converse has a conversation in which all that was agreed on is of use: what is sent
// uses the window and the context, and what comes back would show a testee that uses
// more of them than it may.
func (n *deflation) converse(expected string) Verdict {
	in := window(n.agreed.serverBits)
	if n.d.Testee == Client {
		in = window(n.agreed.clientBits)
	}
	ok := n.echoes(
		n.message(OpText, "Hello, hello, hello"), n.message(OpText, "Hello, hello, hello"),
		n.message(OpBinary, afar(n.window, 0)), n.message(OpText, afar(in, 1)), n.message(OpText, afar(in, 1)),
		said{frames(Text("plain")), Text("plain")}, n.message(OpText, "Hello, hello, hello"),
	)
	return n.finish(ok, expected)
}

// afar is a content that repeats itself from as far as a window reaches, and more
// bytes.
func afar(bits, more int) string {
	size := 1<<bits + more
	once := noise(size)
	return once + once[:min(size, 2000)]
}

// noise is a text without repetitions worth speaking of, always the same.
func noise(n int) string {
	const digits = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_"
	b := make([]byte, n)
	x := uint64(88172645463325252)
	for i := range b {
		x ^= x << 13
		x ^= x >> 7
		x ^= x << 17
		b[i] = digits[x>>58]
	}
	return string(b)
}

// A badValue is what no parameter with a number may have.
type badValue struct{ word, value string }

var badValues = []badValue{
	{"out-of-range-0", "0"}, {"out-of-range-1", "1"}, {"out-of-range-7", "7"}, {"out-of-range-16", "16"}, {"out-of-range-17", "17"},
	{"out-of-range-32", "32"}, {"out-of-range-100", "100"}, {"out-of-range-265", "265"}, {"out-of-range-65545", "65545"}, {"out-of-range-2-to-32-and-9", "4294967305"}, {"out-of-range-2-to-64-and-9", "18446744073709551625"},
	{"leading-zero-08", "08"}, {"leading-zero-09", "09"}, {"leading-zero-010", "010"}, {"leading-zero-015", "015"},
	{"negative", "-9"}, {"signed", "+9"}, {"fraction", "9.5"}, {"hexadecimal", "0x9"}, {"with-letter", "9a"}, {"word", "nine"}, {"exponent", "1e1"},
	{"quoted-16", `"16"`}, {"quoted-09", `"09"`},
}

var bitsParams = []struct{ section, name, clause string }{
	{"7.1.2.1", "server_max_window_bits", decimal},
	{"7.1.2.2", "client_max_window_bits", `This parameter has no value or a decimal integer value without leading zeroes between 8 to 15 inclusive.`},
}

var contextParams = []struct{ section, name string }{
	{"7.1.1.1", "server_no_context_takeover"},
	{"7.1.1.2", "client_no_context_takeover"},
}

func (ch *chapter) offer(word, title string, o offering, choices ...choice) {
	ch.add(word, title, o.play, choices...)
}

// declines adds an offer that has to be declined.
func (ch *chapter) declines(word, params string, choices ...choice) {
	ch.offer(word, "an offer with "+params, offering{fields: []string{deflateName + "; " + params}}, choices...)
}

// deflateOffers are offers with one parameter, right and wrong.
func (ch *chapter) deflateOffers() {
	for _, p := range contextParams {
		ch.at(p.section, mustDecline)
		ch.declines("value", p.name+"=1")
		ch.declines("value-true", p.name+"=true")
		ch.declines("value-quoted", p.name+`="0"`)
		ch.declines("doubled", p.name+"; "+p.name)
	}
	for _, p := range bitsParams {
		ch.at(p.section, p.clause)
		for _, v := range badValues {
			ch.declines("offer-"+v.word, p.name+"="+v.value)
		}
		ch.at(p.section, mustDecline)
		ch.declines("doubled", p.name+"=10; "+p.name+"=10")
		ch.declines("doubled-differing", p.name+"=10; "+p.name+"=15")
		ch.offer("offer-empty", "an offer with "+p.name+" and = and nothing", offering{fields: []string{deflateName + "; " + p.name + "="}, broken: true}, quoting(malformed),
			because("The list itself is broken (RFC 6455 §9.1): a server that only declines is weak."))
	}
	ch.at("7.1.2.1", decimal)
	ch.declines("offer-no-value", "server_max_window_bits")
	ch.at("7.1.2.2", mustDecline)
	ch.declines("doubled-no-value", "client_max_window_bits; client_max_window_bits")
	ch.declines("doubled-one-value", "client_max_window_bits; client_max_window_bits=10")

	ch.at("7.1.1.1", includesBack)
	ch.params("offered", deflateParams{serverNoContext: true})
	ch.at("7.1.1.2", `A client MAY include the "client_no_context_takeover" extension parameter in an extension negotiation offer.`)
	ch.params("offered", deflateParams{clientNoContext: true})
	for bits := 8; bits <= 15; bits++ {
		ch.at("7.1.2.1", smallerOrSo)
		ch.params(fmt.Sprintf("offered-%d", bits), deflateParams{serverBits: bits})
		ch.at("7.1.2.2", equalOrSo)
		ch.params(fmt.Sprintf("offered-%d", bits), deflateParams{clientBits: bits})
	}
	ch.at("7.1.2.2", `If a received extension negotiation offer has the "client_max_window_bits" extension parameter, the server MAY include the "client_max_window_bits" extension parameter in the corresponding extension negotiation response to the offer.`)
	ch.params("offered-no-value", deflateParams{clientBitsAny: true})
	ch.at("7.1.2.2", notUnasked)
	ch.params("not-offered", deflateParams{})
	ch.params("not-offered-with-server", deflateParams{serverBits: 9})
	ch.at("7.1", "[§7.1.2.1] "+smallerOrSo)
	for i := range 16 {
		p := deflateParams{serverNoContext: i&1 != 0, clientNoContext: i&2 != 0, clientBitsAny: i&8 != 0}
		if i&4 != 0 {
			p.serverBits = 10
		}
		ch.params(fmt.Sprintf("together-%d", i), p)
	}
}

// params adds an offer that may be accepted, and is not made up for.
func (ch *chapter) params(word string, p deflateParams) {
	ch.offer(word, "the offer "+p.String(), offering{fields: []string{p.String()}, valid: []deflateParams{p}})
}

// deflateOfferForms are forms of a list, and several offers.
func (ch *chapter) deflateOfferForms() {
	ch.at("7", mustDecline)
	for _, p := range []struct{ word, param string }{
		{"unknown", "x"}, {"unknown-value", "x=1"}, {"unknown-near", "max_window_bits=10"}, {"unknown-nearer", "server_max_window_bit=10"},
		{"unknown-dash", "server-no-context-takeover"}, {"unknown-among-known", "client_no_context_takeover; x; client_max_window_bits"},
	} {
		ch.declines("parameter-"+p.word, p.param)
	}
	ch.at("5", preference)
	plain := []deflateParams{{}}
	ten := deflateParams{serverNoContext: true, serverBits: 10}
	for _, o := range []struct {
		word, title string
		o           offering
	}{
		{"second-of-two", "an offer that must be declined, and one that need not be", offering{fields: []string{deflateName + "; server_max_window_bits=7, " + deflateName}, valid: plain}},
		{"third-of-three", "two offers that must be declined, and one that need not be", offering{fields: []string{deflateName + "; x, " + deflateName + "; client_no_context_takeover=1, " + deflateName}, valid: plain}},
		{"two", "two offers, both of which are right", offering{fields: []string{ten.String() + ", " + deflateName}, valid: []deflateParams{ten, {}}}},
		{"two-fields", "two offers in two fields", offering{fields: []string{ten.String(), deflateName}, valid: []deflateParams{ten, {}}}},
		{"second-field", "an extension that nobody has, and an offer in the second field", offering{fields: []string{"x-unknown", deflateName}, valid: plain}},
		{"behind-unknown", "an extension that nobody has, and an offer", offering{fields: []string{`x-unknown; a; b="c", ` + deflateName}, valid: plain}},
		{"before-unknown", "an offer, and an extension that nobody has", offering{fields: []string{deflateName + ", x-unknown"}, valid: plain}},
		{"near-names", "an offer among extensions with names like it", offering{fields: []string{"permessage-deflate2, x-webkit-deflate-frame, permessage-bzip2, " + deflateName}, valid: plain}},
		{"100-offers", "100 offers that must be declined, and one that need not be", offering{fields: []string{strings.Repeat(deflateName+"; x, ", 100) + deflateName}, valid: plain}},
	} {
		ch.offer(o.word, o.title, o.o)
	}
	ch.offer("declined-all", "three offers that must be declined", offering{fields: []string{deflateName + "; x, " + deflateName + "; server_max_window_bits, " + deflateName + "; client_max_window_bits=16"}}, quoting(mustDecline))
	ch.offer("1000-empty", "a list of 1,000 empty elements, and an offer", offering{fields: []string{strings.Repeat(",", 1000) + deflateName}, valid: plain},
		should("RFC 9110 §5.6.1.2 wants a reasonable number of empty elements to be ignored."))

	ch.at("7.1", `[RFC 6455 §9.1] extension-param = token [ "=" (token | quoted-string) ]`)
	for _, o := range []struct{ word, value string }{
		{"quoted", deflateName + `; server_max_window_bits="10"`},
		{"quoted-escape", deflateName + `; server_max_window_bits="1\0"`},
		{"spaces", deflateName + " ; server_max_window_bits = 10 "},
		{"no-spaces", deflateName + ";server_max_window_bits=10"},
		{"tabs", deflateName + "\t;\tserver_max_window_bits=10"},
		{"empty-elements", ", ," + deflateName + "; server_max_window_bits=10,,"},
	} {
		ch.offer("form-"+o.word, fmt.Sprintf("the offer %q", o.value), offering{fields: []string{o.value}, valid: []deflateParams{{serverBits: 10}}})
	}
	for _, o := range []struct{ word, value string }{
		{"capitals", "Permessage-Deflate"}, {"parameter-capitals", deflateName + "; Server_Max_Window_Bits=10"},
	} {
		ch.offer("form-"+o.word, fmt.Sprintf("the offer %q", o.value), offering{fields: []string{o.value}, valid: []deflateParams{{}, {serverBits: 10}}},
			info("Neither RFC says whether case matters in the names of extensions and their parameters."))
	}
	ch.at("7.1", malformed)
	for _, o := range []struct{ word, value string }{
		{"semicolon-at-end", deflateName + ";"}, {"two-semicolons", deflateName + ";; client_no_context_takeover"}, {"no-semicolon", deflateName + " client_no_context_takeover"},
		{"no-parameter-name", deflateName + "; =10"}, {"two-equals", deflateName + "; server_max_window_bits==10"}, {"quote-open", deflateName + `; server_max_window_bits="10`},
		{"behind-quote", deflateName + `; server_max_window_bits="10"1`}, {"no-name", "; client_no_context_takeover, " + deflateName}, {"slash", deflateName + "/1"}, {"brackets", "[" + deflateName + "]"},
		{"quoted-name", `"` + deflateName + `"`}, {"quoted-no-token", deflateName + `; server_max_window_bits="10,"`},
	} {
		ch.offer("broken-"+o.word, fmt.Sprintf("the offer %q", o.value), offering{fields: []string{o.value}, broken: true},
			because("A server that takes it for no offer is weak; one that accepts it has failed."))
	}
}
