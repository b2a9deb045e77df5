package wsspec

import (
	"fmt"
	"strings"
)

const (
	statusLine  = `A Status-Line with a 101 response code as per RFC 2616 [RFC2616].`
	upgradeBack = `An |Upgrade| header field with value "websocket" as per RFC 2616 [RFC2616].`
	connBack    = `A |Connection| header field with value "Upgrade".`
	acceptBack  = `The value of this header field is constructed by concatenating /key/, defined above in step 4 in Section 4.2.2, with the string "258EAFA5-E914-47DA-95CA-C5AB0DC85B11", taking the SHA-1 hash of this concatenated value to obtain a 20-byte value and base64-encoding`
	validAnswer = `If the server chooses to accept the incoming connection, it MUST reply with a valid HTTP response`
	neverHalf   = `The server must parse at least part of this handshake in order to obtain the necessary information to generate the server part of the handshake.`
)

// answerForm looks at the 101 itself.
func (ch *chapter) answerForm() {
	look := func(section, word, title, clause, expected string, wrong func(h Head, key string) string) {
		ch.at(section, clause)
		ch.add(word, title, func(d *Dialogue) Verdict {
			if err := d.Dial(); err != nil {
				return Fail(expected, "%v", err)
			}
			key := NewKey()
			d.Write(Lines(d.RequestLines(key)))
			h, err := d.answer()
			if d.Answer = h; err != nil {
				return Fail(expected, "no answer: %s", endWords(err))
			}
			if w := wrong(h, key); w != "" {
				return Fail(expected, "%s", w)
			}
			return Verdict{Outcome: Passed, Expected: expected, Actual: fmt.Sprintf("%.60q", h.First)}
		})
	}
	one := func(h Head, name string) (string, string) {
		vs := h.Values(name)
		if len(vs) != 1 {
			return "", fmt.Sprintf("%s is there %d times: %q", name, len(vs), vs)
		}
		return vs[0], ""
	}
	look("4.2.2", "status-line", "the status line of a 101", statusLine, "HTTP/1.1 101 and a reason", func(h Head, _ string) string {
		if !strings.HasPrefix(h.First, "HTTP/1.1 101 ") {
			return fmt.Sprintf("%q", h.First)
		}
		return ""
	})
	look("4.2.2", "upgrade", "Upgrade of a 101", upgradeBack, "Upgrade: websocket, once", func(h Head, _ string) string {
		v, wrong := one(h, "Upgrade")
		if wrong == "" && !sameWord(v, "websocket") {
			wrong = fmt.Sprintf("Upgrade is %q", v)
		}
		return wrong
	})
	look("4.2.2", "connection", "Connection of a 101", connBack, "Connection: Upgrade", func(h Head, _ string) string {
		if !h.Has("Connection", "Upgrade") {
			return fmt.Sprintf("Connection is %q", h.Values("Connection"))
		}
		return ""
	})
	look("4.2.2", "accept", "Sec-WebSocket-Accept of a 101", acceptBack, "the right Sec-WebSocket-Accept, once", func(h Head, key string) string {
		v, wrong := one(h, "Sec-WebSocket-Accept")
		if wrong == "" && v != AcceptFor(key) {
			wrong = fmt.Sprintf("Sec-WebSocket-Accept is %q; want %q", v, AcceptFor(key))
		}
		return wrong
	})
	look("4.2.2", "lines", "the lines of a 101", validAnswer, "a colon in each line, CR LF behind it", func(h Head, _ string) string {
		for _, line := range strings.Split(strings.TrimSuffix(h.Raw, "\r\n\r\n"), "\r\n")[1:] {
			name, value, ok := strings.Cut(line, ":")
			if !ok || name == "" || strings.ContainsAny(name, " \t\r\n") || strings.ContainsAny(value, "\r\n\x00") {
				return fmt.Sprintf("the line %q", line)
			}
		}
		return ""
	})
	look("4.2.2", "no-body", "a 101 has no body", validAnswer, "neither Content-Length nor Transfer-Encoding (RFC 9110 §8.6, RFC 9112 §6.1)", func(h Head, _ string) string {
		if vs := append(h.Values("Content-Length"), h.Values("Transfer-Encoding")...); len(vs) > 0 {
			return fmt.Sprintf("Content-Length or Transfer-Encoding is %q", vs)
		}
		return ""
	})
	ch.at("4.2.2", acceptBack)
	for i, key := range []string{"dGhlIHNhbXBsZSBub25jZQ==", "AAAAAAAAAAAAAAAAAAAAAA==", "/////////////////////w==", "+/+/+/+/+/+/+/+/+/+/+w=="} {
		ch.ask(fmt.Sprintf("accept-of-key-%d", i+1), "the key "+key, request{edits: []edit{instead("Sec-WebSocket-Key", "Sec-WebSocket-Key: "+key)}})
	}
}

func (ch *chapter) requestCuts() {
	ch.at("4.2.1", neverHalf)
	ch.ask("cut-by-byte", "the request one byte at a time", request{cut: byByte}, should("There are servers that take very many small pieces for an attack."))
	ch.ask("cut-with-line", "the request a line at a time", request{cut: cut{every: 25}})
	ch.add("cut-everywhere", "the request in two writes, cut at each of its bytes on a connection of its own", cutEverywhere)
	ch.add("unfinished", "a request whose last line end does not come", unfinished,
		info("How long a server waits for a request is its own affair."))
	ch.add("nothing", "a connection on which nothing comes", unfinishedAt(0),
		info("How long a server waits for a request is its own affair."))
	ch.add("cut-off", "a request that ends in its middle, and so does the connection", func(d *Dialogue) Verdict {
		const expected = "the end of the connection, or an answer that is not 101"
		if err := d.Dial(); err != nil {
			return Fail(expected, "%v", err)
		}
		b := Lines(d.RequestLines(NewKey()))
		d.Write(b[:len(b)-2])
		if err := d.CloseWrite(); err != nil {
			return Skip("%v", err)
		}
		h, err := d.answer()
		if h.Status() == 101 {
			return Fail(expected, "%q", h.First)
		}
		switch {
		case gone(err):
			return Verdict{Outcome: Passed, Expected: expected, Actual: endWords(err)}
		case err != nil:
			return Fail(expected, "%v", err)
		}
		return Verdict{Outcome: Passed, Expected: expected, Actual: fmt.Sprintf("%.60q", h.First)}
	})
}

// cutEverywhere sends a request in two writes, once for each way to cut it.
func cutEverywhere(d *Dialogue) Verdict {
	const expected = "101 wherever it is cut"
	size := len(Lines(d.RequestLines(NewKey())))
	for at := 1; at < size; at++ {
		v := request{cut: cut{at: []int{at}}}.play(d)
		if v.Outcome != Passed {
			v.Actual = fmt.Sprintf("cut behind byte %d of %d: %s", at, size, v.Actual)
			return v
		}
	}
	return Pass(expected)
}

func unfinished(d *Dialogue) Verdict {
	return unfinishedAt(len(Lines(d.RequestLines(NewKey()))) - 2)(d)
}

// unfinishedAt sends so many bytes of a request and looks what the server does.
func unfinishedAt(n int) func(*Dialogue) Verdict {
	return func(d *Dialogue) Verdict {
		const expected = "the server gives it up some time"
		if err := d.Dial(); err != nil {
			return Fail(expected, "%v", err)
		}
		if n > 0 {
			d.Write(Lines(d.RequestLines(NewKey()))[:n])
		}
		h, err := d.answer()
		switch {
		case h.Status() == 101:
			v := Fail(expected, "%q before the request has ended", h.First)
			v.Hard = true
			return v
		case h.Status() != 0:
			return Verdict{Expected: expected, Actual: fmt.Sprintf("%.60q", h.First)}
		}
		return Verdict{Expected: expected, Actual: endWords(err)}
	}
}

func (ch *chapter) requestSizes() {
	ch.at("4.2.1", unknownField)
	const why = "What a server takes is its own affair. It has to be there for others all the same."
	size := func(word, title string, more ...string) {
		ch.add(word, title, func(d *Dialogue) Verdict {
			v := request{edits: []edit{plus(more...)}, want: either}.play(d)
			if v.Outcome == Failed && !v.Hard {
				v.Actual = "no verdict: " + v.Actual
			}
			return d.stillThere(v)
		}, info(why), tagged("sizes", "aftermath"))
	}
	for _, kib := range []int{4, 8, 16, 64, 1024} {
		size(fmt.Sprintf("field-of-%d-kib", kib), fmt.Sprintf("a field of %d KiB", kib), "X-Long: "+strings.Repeat("a", kib<<10))
	}
	for _, n := range []int{50, 100, 1000, 10000} {
		lines := make([]string, n)
		for i := range lines {
			lines[i] = fmt.Sprintf("X-%d: a", i)
		}
		size(fmt.Sprintf("fields-%d", n), fmt.Sprintf("%d fields", n), lines...)
	}
	size("subprotocols-50000", "a list of 50,000 commas for subprotocols", "Sec-WebSocket-Protocol: "+strings.Repeat(",", 50000))
	size("extensions-10000", "10,000 offers of extensions", "Sec-WebSocket-Extensions: x"+strings.Repeat(", x", 9999))
	size("target-64-kib", "a parameter of 64 KiB in the target", "X-A: b")
	ch.cases[len(ch.cases)-1].Play = noted(func(d *Dialogue) Verdict {
		return d.stillThere(request{edits: []edit{firstLine("GET {}?" + strings.Repeat("a", 64<<10) + " HTTP/1.1")}, want: either}.play(d))
	})
}

// stillThere goes on with a verdict only if the server serves a new connection.
func (d *Dialogue) stillThere(v Verdict) Verdict {
	if d.Testee != Server {
		return v
	}
	d.CloseNow()
	again := script{main: frames(Text("still there"))}.play(d)
	if again.Outcome != Passed {
		again.Actual = v.Actual + "; and on a new connection: " + again.Actual
		again.Outcome, again.Hard = Failed, true
		return again
	}
	return v
}
