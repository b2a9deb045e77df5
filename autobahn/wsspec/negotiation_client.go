package wsspec

import (
	"fmt"
	"strings"
)

// deflateRequest looks at what a client offers.
func (ch *chapter) deflateRequest() {
	ch.at("7.1", mustDecline)
	ch.add("offers", "the client's offers", func(d *Dialogue) Verdict {
		defer d.hello()
		const expected = "no unknown parameter, none twice, numbers of 8 to 15"
		offers, err := d.clientOffers()
		if err != nil {
			return Fail(expected, "%v", err)
		}
		if len(offers) == 0 {
			return Skip("no permessage-deflate")
		}
		return Verdict{Outcome: Passed, Expected: expected, Actual: strings.Join(d.Request.Values(extensionsField), "; ")}
	})
}

// withClientOffers plays a case with a client that has the extension.
func withClientOffers(play func(d *Dialogue, offers []deflateParams) Verdict) func(*Dialogue) Verdict {
	return func(d *Dialogue) Verdict {
		offers, err := d.clientOffers()
		if err != nil {
			return Fail("offers that can be read", "%v", err)
		}
		if len(offers) == 0 {
			d.hello()
			return Skip("no permessage-deflate")
		}
		return play(d, offers)
	}
}

// refuses adds an answer that a client must not take.
func (ch *chapter) refuses(word string, choices []choice, fields ...string) {
	title := fmt.Sprintf("the answer %q", strings.Join(fields, `" and "`))
	ch.add(word, title, withClientOffers(func(d *Dialogue, _ []deflateParams) Verdict { return refusing(d, fields...) }), choices...)
}

func refusing(d *Dialogue, fields ...string) Verdict {
	var lines []string
	for _, f := range fields {
		lines = append(lines, extensionsField+": "+f)
	}
	return answer{edits: []edit{plus(lines...)}, want: refuses}.play(d)
}

// deflateAnswers are a server's answers, right and wrong.
func (ch *chapter) deflateAnswers() {
	for _, p := range contextParams {
		ch.at(p.section, clientFails)
		ch.refuses("answer-value", nil, deflateName+"; "+p.name+"=1")
		ch.refuses("answer-doubled", nil, deflateName+"; "+p.name+"; "+p.name)
	}
	for _, p := range bitsParams {
		ch.at(p.section, clientFails)
		for _, v := range badValues {
			ch.refuses("answer-"+v.word, nil, deflateName+"; "+p.name+"="+v.value)
		}
		ch.refuses("answer-no-value", nil, deflateName+"; "+p.name)
		ch.refuses("answer-empty", nil, deflateName+"; "+p.name+"=")
		ch.refuses("answer-doubled", nil, deflateName+"; "+p.name+"=10; "+p.name+"=10")
	}
	ch.at("7", clientFails)
	ch.refuses("answer-parameter-unknown", nil, deflateName+"; x")
	ch.refuses("answer-parameter-unknown-value", nil, deflateName+"; x=1")
	ch.refuses("answer-parameter-near", nil, deflateName+"; max_window_bits=10")
	ch.at("7.1", malformed)
	ch.refuses("answer-broken", nil, deflateName+";")
	ch.refuses("answer-no-semicolon", nil, deflateName+" client_no_context_takeover")
	ch.refuses("answer-quote-open", nil, deflateName+`; server_max_window_bits="10`)
	ch.at("5", `To accept the use of an offered PMCE, a server MUST include the extension name of the PMCE in the "Sec-WebSocket-Extensions" header field`)
	ch.refuses("answer-twice", nil, deflateName+", "+deflateName)
	ch.refuses("answer-two-fields", nil, deflateName, deflateName)
	ch.refuses("answer-with-unknown", nil, deflateName+", x-unknown")
	ch.refuses("answer-near-name", nil, deflateName+"2")
	ch.at("7.1.2.2", notUnasked)
	ch.add("answer-not-offered", "the answer has client_max_window_bits, which the client has not offered", withClientOffers(func(d *Dialogue, offers []deflateParams) Verdict {
		for _, o := range offers {
			if o.clientBitsAny || o.clientBits != 0 {
				d.hello()
				return Skip("the client has offered it")
			}
		}
		return refusing(d, deflateName+"; client_max_window_bits=15")
	}))
	ch.at("7.1.2.1", smallerOrSo)
	ch.add("answer-greater", "the answer has a greater server_max_window_bits than the client has offered", withClientOffers(func(d *Dialogue, offers []deflateParams) Verdict {
		bits := offers[0].serverBits
		if bits == 0 || bits == 15 || len(offers) > 1 {
			d.hello()
			return Skip("the client has offered no less than 15")
		}
		return refusing(d, fmt.Sprintf("%s; server_max_window_bits=%d", deflateName, bits+1))
	}))
	ch.add("answer-without", "the answer is without server_max_window_bits, which the client has offered", withClientOffers(func(d *Dialogue, offers []deflateParams) Verdict {
		if offers[0].serverBits == 0 || len(offers) > 1 {
			d.hello()
			return Skip("the client has not offered it")
		}
		return refusing(d, deflateName)
	}), should("The server has not accepted what was offered; a client that can inflate any window need not mind."))

	ch.deflateAgreed()
}

// deflateAgreed are answers that a client may take, and what is then kept.
func (ch *chapter) deflateAgreed() {
	right := func(word string, p deflateParams, mustTake bool) {
		ch.add(word, "the answer "+p.String(), withClientOffers(func(d *Dialogue, offers []deflateParams) Verdict {
			n, err := d.openDeflated(p)
			if err != nil {
				return notAgreed(d, p)
			}
			// One that has said that it will keep no context may want to hear it.
			mustTake := mustTake && (p.clientNoContext || !offers[0].clientNoContext)
			v := n.converse("the answer is taken, and what it says is kept")
			if v.Outcome == Failed && !mustTake && len(n.messages) == 0 && len(n.faults) == 0 && n.over() {
				return Skip("the client does not take every answer that fits its offer, and ends the connection, as it must then")
			}
			return v
		}))
	}
	ch.at("7.2.1", takesOver)
	right("answer-plain", deflateParams{}, true)
	ch.at("7.1.1.1", takesOver)
	right("answer", deflateParams{serverNoContext: true}, true)
	ch.at("7.1.1.2", `A client MUST support the "client_no_context_takeover" extension parameter in an extension negotiation response.`)
	right("answer", deflateParams{clientNoContext: true}, true)
	for bits := 8; bits <= 15; bits++ {
		ch.at("7.1.2.1", `A server MAY include the "server_max_window_bits" extension parameter in an extension negotiation response even if the extension negotiation offer being accepted by the response didn't include the "server_max_window_bits" extension parameter.`)
		right(fmt.Sprintf("answer-%d", bits), deflateParams{serverBits: bits}, false)
		ch.at("7.1.2.2", windowHeld)
		right(fmt.Sprintf("answer-%d", bits), deflateParams{clientBits: bits}, false)
	}
	ch.at("7.1", clientFails)
	for i := range 16 {
		p := deflateParams{serverNoContext: i&1 != 0, clientNoContext: i&2 != 0}
		if i&4 != 0 {
			p.serverBits = 10
		}
		if i&8 != 0 {
			p.clientBits = 10
		}
		right(fmt.Sprintf("answer-together-%d", i), p, false)
	}
	ch.at("6", unsetBit)
	ch.add("rsv1-declined", "RSV1 on a text where the server has declined what the client offered", withClientOffers(func(d *Dialogue, _ []deflateParams) Verdict {
		return script{main: frames(Frame{Fin: true, RSV: RSV1, Opcode: OpText, Payload: []byte(rfcHello)}), want: fails, codes: []int{1002}}.play(d)
	}))
}
