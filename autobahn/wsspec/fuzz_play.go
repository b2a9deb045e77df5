package wsspec

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// scriptCase is the case of a script, which may depend on the testee's role.
func scriptCase(id string, script func(Role) fuzzScript) *Case {
	return &Case{ID: id, Chapter: FuzzChapter, Section: "6455", Level: Must, Roles: Both,
		Title: "a generated dialogue", script: script,
		Play: func(d *Dialogue) Verdict { return playScript(d, script(d.Testee)) },
	}
}

// playScript has the dialogue and holds it against the forecast.
func playScript(d *Dialogue, s fuzzScript) Verdict {
	if err := d.Open(); err != nil {
		return Fail("an opening handshake", "%v", err)
	}
	s.frames = slices.Clone(s.frames)
	f := predict(s.frames, d.Testee)
	if f.end == len(s.frames) {
		s.frames = append(s.frames, CloseFrame(1000, ""))
	}
	p := &fuzzPlay{Dialogue: d, forecast: f, tail: f.end < len(s.frames)-1}
	polite := s.polite || !f.fails // who has said that it is through need not answer any more
	if polite {
		p.write(s, s.frames[:f.end])
		p.listen(true)
	}
	if p.fault == "" {
		if polite {
			p.write(s, s.frames[f.end:])
		} else {
			p.write(s, s.frames)
		}
		p.listen(false)
	}
	if p.fault != "" {
		return Verdict{Outcome: Failed, Expected: p.expected(), Actual: p.fault}
	}
	return Pass(p.expected())
}

// write sends frames as the script wants them cut.
func (p *fuzzPlay) write(s fuzzScript, frames []Frame) {
	switch {
	case s.chop == 0:
		p.SendEach(frames...)
	case s.chop < 0:
		p.Send(frames...)
	default:
		p.WriteChopped(p.Encode(frames...), s.chop)
	}
}

// A fuzzPlay holds what comes against a forecast.
type fuzzPlay struct {
	*Dialogue
	forecast
	tail bool // frames were sent behind the end

	echoed int         // of echoes
	ponged int         // of pongs: behind the last that was answered
	parts  fuzzMessage // of a message that is not whole yet
	open   bool
	closed bool // its Close has come
	fault  string
}

func (p *fuzzPlay) expected() string {
	text := fmt.Sprintf("%d messages back in order, the pongs of %d pings, ", len(p.echoes), len(p.pongs))
	if !p.fails {
		return text + "then a Close in answer to ours, and the end"
	}
	text += fmt.Sprintf("then that frame %d fails the connection, with %s", p.end+1, codesInWords(p.codes))
	if p.why != "" {
		text += ": " + p.why
	}
	if p.orEcho {
		text += "; or an answer to the Close"
	}
	return text
}

func codesInWords(codes []int) string {
	var words []string
	for _, c := range codes {
		words = append(words, fmt.Sprint(c))
	}
	return strings.Join(words, " or ") + " or no Close"
}

// listen takes in what comes until the connection ends, or, if all is set, until all
// that is due has come.
func (p *fuzzPlay) listen(all bool) {
	for p.fault == "" && !(all && p.echoed == len(p.echoes) && p.ponged == len(p.pongs)) {
		e := p.Next()
		if e.Err != nil {
			p.ended(e.Err, all)
			return
		}
		p.frame(e)
		if p.closed && p.fault == "" {
			p.farewell(all)
			return
		}
	}
}

// ended judges an end without a Close.
func (p *fuzzPlay) ended(err error, tooEarly bool) {
	switch {
	case errors.Is(err, ErrSilent) && tooEarly:
		p.fault = fmt.Sprintf("%d of %d messages and the pongs of %d of %d pings have come back, then nothing", p.echoed, len(p.echoes), p.ponged, len(p.pongs))
	case errors.Is(err, ErrSilent):
		p.fault = "the connection is neither failed nor closed"
	case !gone(err):
		p.fault = err.Error()
	case tooEarly && !p.early:
		p.fault = fmt.Sprintf("the connection ends (%v) before anything was wrong", err)
	case !p.fails && !(p.tail && errors.Is(err, ErrReset)): // a reset may overtake a Close
		p.fault = fmt.Sprintf("the connection ends (%v) without an answer to the Close", err)
	}
}

// farewell judges the end behind a Close.
func (p *fuzzPlay) farewell(tooEarly bool) {
	code := p.remoteClose
	if tooEarly && !p.early {
		p.fault = fmt.Sprintf("it closes, with %d, before anything was wrong", code)
		return
	}
	if ok := code == 0 || slices.Contains(p.codes, code); p.fails && !ok && !p.orEcho {
		p.fault = fmt.Sprintf("a Close with %d", code)
		return
	}
	if p.fails {
		p.Send(CloseFrame(1000, ""))
	}
	if p.Testee == Client {
		return // we end TCP (§7.1.1)
	}
	switch e := p.Next(); {
	case e.Err == nil:
		p.fault = fmt.Sprintf("a frame behind the Close: %s", e.Frame)
	case errors.Is(e.Err, ErrSilent):
		p.fault = "a Close, but no end of TCP, which is the server's to end (§7.1.1)"
	}
}

// frame judges a frame of the testee's.
func (p *fuzzPlay) frame(e Event) {
	f := e.Frame
	if len(e.Faults) > 0 || f.RSV != 0 {
		p.fault = fmt.Sprintf("a frame that is wrong itself: %s %s", f, strings.Join(e.Faults, ", "))
		return
	}
	switch f.Opcode {
	case OpPing:
		p.Send(Pong(string(f.Payload)))
	case OpPong:
		// Only the last of several pings needs an answer (§5.5.3), and one that nobody has
		// asked for is allowed.
		if i := lastIndex(p.pongs, string(f.Payload)); i >= p.ponged {
			p.ponged = i + 1
		} else if i < 0 && len(f.Payload) > 0 && !slices.Contains(p.late, string(f.Payload)) {
			p.fault = fmt.Sprintf("a pong that answers no ping: %s", f)
		}
	case OpClose:
		p.closed = true
		if c := f.CloseCode(); slices.Contains(badCodes, c) && len(f.Payload) > 0 {
			p.fault = fmt.Sprintf("a Close with %d, which is never sent (§7.4)", c)
		}
	case OpText, OpBinary, OpContinuation:
		p.data(f)
	default:
		p.fault = fmt.Sprintf("a frame with a reserved opcode: %s", f)
	}
}

func (p *fuzzPlay) data(f Frame) {
	if p.open != (f.Opcode == OpContinuation) {
		p.fault = fmt.Sprintf("a fragment out of its place: %s", f)
		return
	}
	if !p.open {
		p.parts = fuzzMessage{opcode: f.Opcode}
	}
	p.parts.text += string(f.Payload)
	if p.open = !f.Fin; p.open {
		return
	}
	got := Frame{Fin: true, Opcode: p.parts.opcode, Payload: []byte(p.parts.text)}
	if p.echoed == len(p.echoes) {
		p.fault = fmt.Sprintf("a message too many: %s", got)
		return
	}
	if want := p.echoes[p.echoed]; want != p.parts {
		p.fault = fmt.Sprintf("message %d comes back as %s; sent was %s", p.echoed+1, got, Frame{Fin: true, Opcode: want.opcode, Payload: []byte(want.text)})
		return
	}
	p.echoed++
}

func lastIndex(all []string, s string) int {
	for i, x := range slices.Backward(all) {
		if x == s {
			return i
		}
	}
	return -1
}
