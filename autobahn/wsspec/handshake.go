package wsspec

import (
	"errors"
	"fmt"
	"io"
	"strings"
)

// handshake is §4: what a server makes of requests, and a client of answers.
func handshake() []*Case {
	ch := &chapter{name: "handshake", roles: ServerOnly}
	ch.requestLines()
	ch.hosts()
	ch.upgradeFields()
	ch.keys()
	ch.versions()
	ch.bodies()
	ch.fieldSyntax()
	ch.subprotocols()
	ch.offers()
	ch.answerForm()
	ch.requestCuts()
	ch.requestSizes()
	ch.roles = ClientOnly
	ch.clientRequest()
	ch.answers()
	ch.answerFields()
	ch.answerCuts()
	return ch.cases
}

// An edit changes the lines of a head.
type edit func(lines []string) []string

// edited applies edits to a copy of a head's lines.
func edited(lines []string, edits []edit) []string {
	lines = append([]string{}, lines...)
	for _, e := range edits {
		lines = e(lines)
	}
	return lines
}

// without leaves the lines of a name out.
func without(name string) edit {
	return func(lines []string) []string {
		var out []string
		for i, l := range lines {
			if i == 0 || !isField(l, name) {
				out = append(out, l)
			}
		}
		return out
	}
}

// instead puts lines in the place of those of a name. In them, {} is the value that
// was there.
func instead(name string, with ...string) edit {
	return func(lines []string) []string {
		var out []string
		for i, l := range lines {
			if i == 0 || !isField(l, name) {
				out = append(out, l)
				continue
			}
			_, value, _ := strings.Cut(l, ": ")
			for _, w := range with {
				out = append(out, strings.ReplaceAll(w, "{}", value))
			}
		}
		return out
	}
}

// plus adds lines at the end.
func plus(more ...string) edit {
	return func(lines []string) []string { return append(lines, more...) }
}

// firstLine replaces the request line or the status line. In it, {} is the path.
func firstLine(line string) edit {
	return func(lines []string) []string {
		path := ""
		if f := strings.Fields(lines[0]); len(f) > 1 {
			path = f[1]
		}
		lines[0] = strings.ReplaceAll(line, "{}", path)
		return lines
	}
}

func isField(line, name string) bool {
	n, _, ok := strings.Cut(line, ":")
	return ok && sameWord(n, name)
}

// A request is an opening handshake to a server as data.
type request struct {
	edits  []edit
	end    string // of a line; "" is CR LF
	before []byte // bytes before the request
	body   string // bytes behind it
	cut    cut
	frames []Frame  // behind all of that, in the same write
	offers []string // the subprotocols in it

	want    asked
	version bool // the answer has to name version 13 (§4.2.2, §4.4)
	told    bool // the end of the connection is no answer, and fails
}

// asked is what a request may come to.
type asked byte

const (
	accepted asked = iota // 101, and messages are echoed
	refused               // an HTTP answer that says that something is wrong
	declined              // any HTTP answer but 101: this is no WebSocket request
	hungUp                // as refused, or no answer at all: it is hardly HTTP
	either                // accepted or refused
)

// bytes is the request on the wire.
func (r request) bytes(d *Dialogue, key string) []byte {
	end := r.end
	if end == "" {
		end = "\r\n"
	}
	lines := edited(d.RequestLines(key), r.edits)
	b := append([]byte{}, r.before...)
	b = append(b, strings.Join(lines, end)+end+end...)
	b = append(b, r.body...)
	return append(b, d.Encode(r.frames...)...)
}

// play sends the request and judges the answer.
func (r request) play(d *Dialogue) Verdict {
	if err := d.Dial(); err != nil {
		return Fail(r.expected(), "%v", err)
	}
	key := NewKey()
	b := r.bytes(d, key)
	d.Request = parseHead(string(b))
	if k := d.Request.Get("Sec-WebSocket-Key"); k != "" {
		key = k
	}
	d.writeCut(b, r.cut)
	return r.judge(d, key)
}

func (r request) judge(d *Dialogue, key string) Verdict {
	h, err := d.answer()
	d.Answer = h
	said := fmt.Sprintf("%.60q", h.First)
	switch {
	case errors.Is(err, ErrReset) && r.want != accepted:
		return Verdict{Outcome: Passed, Expected: r.expected(), Actual: "a reset, which may have overtaken the answer"}
	case err == io.EOF && r.want == hungUp:
		return Verdict{Outcome: Passed, Expected: r.expected(), Actual: "the end of the connection"}
	case err == io.EOF && (r.want == refused || r.want == declined) && !r.told: // error-answer is about this
		return Verdict{Outcome: Weak, Expected: r.expected(), Actual: "no answer: the end of the connection"}
	case err != nil:
		return Fail(r.expected(), "no answer: %s", endWords(err))
	case h.Status() == 0 && r.want != hungUp:
		return Fail(r.expected(), "the answer is no HTTP/1: %s", said)
	case h.Status() == 101 && r.want != accepted && r.want != either:
		return Fail(r.expected(), "it was accepted: %s", said)
	case h.Status() != 101 && r.want == accepted:
		return Fail(r.expected(), "it was refused: %s", said)
	case h.Status() != 101:
		return r.refusal(h, said)
	}
	if wrong := wrongAnswer(h, key, r.offers); wrong != "" {
		v := Fail(r.expected(), "%s", wrong)
		v.Hard = true
		return v
	}
	v := script{main: frames(Text("Hello"))}.on(d)
	v.Expected, v.Actual = r.expected(), said+", "+v.Actual
	return v
}

// refusal judges an answer that is not 101.
func (r request) refusal(h Head, said string) Verdict {
	v := Verdict{Outcome: Passed, Expected: r.expected(), Actual: said}
	switch {
	case r.version && !h.Has("Sec-WebSocket-Version", "13"):
		v.Outcome, v.Actual = Failed, said+" without a Sec-WebSocket-Version that has 13"
	case (r.want == refused || r.want == either) && h.Status() < 400:
		v.Outcome = Failed
	}
	return v
}

// answer reads the final answer to a request; those that only say that one will come
// are passed over.
func (d *Dialogue) answer() (Head, error) {
	for range 10 {
		h, err := d.ReadHead()
		if s := h.Status(); err != nil || s == 0 || s == 101 || s >= 200 {
			return h, err
		}
	}
	return Head{}, fmt.Errorf("%w: ten answers that announce another", ErrBroken)
}

// expected is the outcome in words.
func (r request) expected() string {
	version := ""
	if r.version {
		version = ", with a Sec-WebSocket-Version that has 13"
	}
	switch r.want {
	case accepted:
		return "101, and messages are echoed"
	case refused:
		return "an HTTP answer of 400 or above" + version
	case declined:
		return "an HTTP answer that is not 101"
	case hungUp:
		return "an HTTP answer that is not 101, or the end of the connection"
	}
	return "101, and messages are echoed; or an HTTP answer of 400 or above"
}

// wrongAnswer says what is wrong with a 101 to a handshake that offered these
// subprotocols and no extension (§4.2.2), or "".
func wrongAnswer(h Head, key string, offers []string) string {
	if err := checkAnswer(h, strings.Trim(key, " \t")); err != nil {
		return err.Error()
	}
	if !strings.HasPrefix(h.First, "HTTP/1.1 101 ") {
		return fmt.Sprintf("the status line is %q", h.First)
	}
	for _, name := range []string{"Upgrade", "Sec-WebSocket-Accept"} {
		if vs := h.Values(name); len(vs) != 1 {
			return fmt.Sprintf("%s is there %d times: %q", name, len(vs), vs)
		}
	}
	if vs := h.Values("Sec-WebSocket-Extensions"); len(vs) > 0 {
		return fmt.Sprintf("it names extensions that were not offered: %q", vs)
	}
	switch vs := h.Values("Sec-WebSocket-Protocol"); {
	case len(vs) > 1:
		return fmt.Sprintf("it has several subprotocols: %q", vs)
	case len(vs) == 1:
		for _, o := range offers {
			if o == vs[0] {
				return ""
			}
		}
		return fmt.Sprintf("it names the subprotocol %q; %q were offered", vs[0], offers)
	}
	return ""
}
