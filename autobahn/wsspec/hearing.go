package wsspec

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// A hearing is what was seen of the testee on an open connection. Messages, pongs
// and the end are kept apart: a testee may answer a ping before a message that came
// earlier, or after one that came later (§5.5.2 says "as soon as is practical").
type hearing struct {
	messages []Frame // whole, however they were fragmented
	pongs    []string
	close    *Frame   // the first Close frame
	behind   []string // what came after it
	faults   []string // what the testee itself did against §5, §7.4 and §8.1
	end      error    // why nothing more comes

	open *Frame // a message that is not finished
	mute bool   // pings are not answered: nothing more is to be sent
}

// listen hears the testee until there is enough, or nothing more comes.
func (h *hearing) listen(d *Dialogue, enough func() bool) {
	for h.end == nil && !enough() {
		e := d.Next()
		if e.Err != nil {
			h.end = e.Err
			return
		}
		h.take(e)
		if e.Frame.Opcode == OpPing && !h.mute && h.close == nil {
			d.Send(Pong(string(e.Frame.Payload)))
		}
	}
}

func (h *hearing) fault(format string, args ...any) {
	h.faults = append(h.faults, fmt.Sprintf(format, args...))
}

// take notes one frame. Nothing that is told here is an extension's: none is offered.
func (h *hearing) take(e Event) {
	f := e.Frame
	h.faults = append(h.faults, e.Faults...)
	if h.close != nil {
		h.behind = append(h.behind, f.String())
		if !f.IsControl() {
			h.fault("data is sent behind a Close (§5.5.1)")
		}
		return
	}
	if f.RSV != 0 {
		h.fault("%v has reserved bits without an extension (§5.2)", f)
	}
	switch f.Opcode {
	case OpText, OpBinary, OpContinuation:
		h.data(f)
	case OpPing:
	case OpPong:
		h.pongs = append(h.pongs, string(f.Payload))
	case OpClose:
		h.close = &f
		if len(f.Payload) == 1 {
			h.fault("a Close frame has a body of one byte (§5.5.1)")
		}
		if len(f.Payload) >= 2 && !sendable(f.CloseCode()) {
			h.fault("a Close frame has the code %d, which no endpoint may send (§7.4)", f.CloseCode())
		}
		if len(f.Payload) > 2 && !utf8.Valid(f.Payload[2:]) {
			h.fault("a Close frame's reason is not UTF-8 (§5.5.1)")
		}
	default:
		h.fault("%v has a reserved opcode (§5.2)", f)
	}
}

func (h *hearing) data(f Frame) {
	if first := f.Opcode != OpContinuation; first == (h.open != nil) {
		h.fault("%v is out of place among fragments (§5.4)", f)
	}
	if f.Opcode != OpContinuation || h.open == nil {
		h.open = &Frame{Opcode: f.Opcode}
	}
	h.open.Payload = append(h.open.Payload, f.Payload...)
	if f.Fin {
		h.open.Fin = true
		h.messages = append(h.messages, *h.open)
		h.open = nil
	}
}

// sendable reports whether an endpoint may put a code into a Close frame (§7.4.1,
// §7.4.2). What is only reserved for later, or in no range at all, is left alone.
func sendable(code int) bool {
	return code >= 1000 && code != 1005 && code != 1006 && code != 1015
}

// over reports whether the testee has ended its direction of the connection.
func (h *hearing) over() bool { return gone(h.end) }

func (h *hearing) reset() bool { return errors.Is(h.end, ErrReset) }

// gone reports whether an error of reading is that the testee has ended its
// direction, in either way.
func gone(err error) bool { return err == io.EOF || errors.Is(err, ErrReset) }

// String tells it in words, for Verdict.Actual.
func (h *hearing) String() string {
	var parts []string
	for _, m := range h.messages {
		parts = append(parts, m.String())
	}
	for _, p := range h.pongs {
		parts = append(parts, Pong(p).String())
	}
	const shown = 6
	if len(parts) > shown {
		parts = append(parts[:shown:shown], fmt.Sprintf("%d more", len(parts)-shown))
	}
	if h.open != nil {
		parts = append(parts, "a message that did not end")
	}
	if h.close != nil {
		parts = append(parts, h.close.String())
	}
	if len(h.behind) > 0 {
		parts = append(parts, "and behind its Close "+strings.Join(h.behind[:min(3, len(h.behind))], ", "))
	}
	if h.end != nil {
		parts = append(parts, endWords(h.end))
	}
	parts = append(parts, h.faults[:min(3, len(h.faults))]...)
	if len(parts) == 0 {
		return "nothing"
	}
	return strings.Join(parts, ", ")
}

func endWords(err error) string {
	switch {
	case err == io.EOF:
		return "the end of the connection"
	case errors.Is(err, ErrReset):
		return "a reset"
	}
	return err.Error()
}

// pass, weak and fail are verdicts that tell what was heard. What the testee itself
// did against the RFC fails whatever the case is about.
func (h *hearing) pass(expected string) Verdict {
	return Verdict{Outcome: Passed, Expected: expected, Actual: h.String()}
}

func (h *hearing) weak(expected string) Verdict {
	return Verdict{Outcome: Weak, Expected: expected, Actual: h.String()}
}

func (h *hearing) fail(expected string) Verdict {
	return Verdict{Outcome: Failed, Expected: expected, Actual: h.String(), Hard: len(h.faults) > 0}
}

// same reports whether messages are equal in kind and content.
func same(a, b Frame) bool { return a.Opcode == b.Opcode && string(a.Payload) == string(b.Payload) }

// prefix reports whether got is the beginning of want, or all of it.
func prefix(got, want []Frame) bool {
	if len(got) > len(want) {
		return false
	}
	for i := range got {
		if !same(got[i], want[i]) {
			return false
		}
	}
	return true
}

// owed says what right frames ask for: the messages that an echo sends back, and the
// payloads that pongs have.
func owed(frames []Frame) (messages []Frame, pongs []string) {
	var open *Frame
	for _, f := range frames {
		switch {
		case f.Opcode == OpPing:
			pongs = append(pongs, string(f.Payload))
		case f.IsControl():
		default:
			if open == nil {
				open = &Frame{Fin: true, Opcode: f.Opcode}
			}
			open.Payload = append(open.Payload, f.Payload...)
			if f.Fin {
				messages = append(messages, *open)
				open = nil
			}
		}
	}
	return messages, pongs
}
