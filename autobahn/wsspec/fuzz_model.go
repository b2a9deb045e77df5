package wsspec

import "slices"

// A forecast is what may come of a row of frames. It is made by the smallest model
// of an echo that a reader can hold in mind: it knows messages, pings, the end, and
// nothing else.
type forecast struct {
	echoes []fuzzMessage // that are due, in order
	pongs  []string      // payloads of the pings before the end, in order
	end    int           // the frame that ends the conversation; len(frames) if none does
	fails  bool          // it breaks a rule; otherwise it is a Close
	codes  []int         // what a Close may say then
	early  bool          // it may be failed before that frame: a text has gone wrong and is not whole
	orEcho bool          // an end without a failure will do, too
	why    string        // the rule that it breaks
	late   []string      // payloads of later pings, which may be answered by who looks at text when it is asked for
}

// A fuzzMessage is a whole message.
type fuzzMessage struct {
	opcode byte
	text   string
}

// predict says what may come of frames that the suite sends.
func predict(frames []Frame, testee Role) forecast {
	f := forecast{end: len(frames)}
	m := &fuzzModel{forecast: &f, masked: testee == Server}
	for i, frame := range frames {
		if m.frame(frame) {
			f.end = i
			break
		}
	}
	if slices.Equal(f.codes, []int{1007}) || f.early {
		for _, frame := range frames[min(len(frames), f.end+1):] {
			if frame.Opcode == OpPing {
				f.late = append(f.late, string(frame.Payload))
			}
		}
	}
	return f
}

// A fuzzModel is what the model knows of a direction so far.
type fuzzModel struct {
	*forecast
	masked bool // frames have to be
	open   bool // inside a message
	opcode byte
	text   []byte
	check  textCheck
}

// frame takes a frame in and reports whether it ends the conversation.
func (m *fuzzModel) frame(f Frame) bool {
	switch {
	case f.Declared != nil && *f.Declared>>63 == 1:
		return m.fail("a length with the top bit (§5.2)", 1002, 1009)
	case f.RSV != 0:
		return m.fail("a reserved bit (§5.2)", 1002)
	case f.Opcode >= 3 && f.Opcode <= 7 || f.Opcode > OpPong:
		return m.fail("a reserved opcode (§5.2)", 1002)
	case m.masked != (f.Masking == MaskAsDue && m.masked || f.Masking == MaskAlways):
		return m.fail("masked or not by the wrong side (§5.1)", 1002)
	case f.IsControl() && (!f.Fin || len(f.Payload) > 125):
		return m.fail("a control frame that is fragmented or too long (§5.5)", 1002)
	}
	switch f.Opcode {
	case OpPing:
		m.pongs = append(m.pongs, string(f.Payload))
		return false
	case OpPong:
		return false
	case OpClose:
		return m.close(f)
	case OpContinuation:
		if !m.open {
			return m.fail("a continuation of nothing (§5.4)", 1002)
		}
	default:
		if m.open {
			return m.fail("a message inside a message (§5.4)", 1002)
		}
		m.open, m.opcode, m.text, m.check = true, f.Opcode, nil, textCheck{}
	}
	return m.data(f)
}

// data takes in what a message is made of. Text that is wrong may be noticed at once
// or at the message's end (§8.1).
func (m *fuzzModel) data(f Frame) bool {
	m.text = append(m.text, f.Payload...)
	if m.opcode == OpText && !m.check.add(f.Payload) {
		m.codes, m.early = []int{1007}, m.early || !f.Fin
	}
	if !f.Fin {
		return false
	}
	if m.opcode == OpText && !m.check.ended() {
		return m.fail("a text that is not UTF-8 (§8.1)", 1007)
	}
	m.open = false
	m.echoes = append(m.echoes, fuzzMessage{m.opcode, string(m.text)})
	return false
}

// badCodes are the close codes that nobody may send, but for those that are not yet
// given out, of which peers think differently.
var badCodes = []int{0, 999, 1005, 1006, 1015}

func (m *fuzzModel) close(f Frame) bool {
	var reason textCheck
	switch {
	case len(f.Payload) == 1:
		return m.fail("a Close of one byte (§5.5.1)", 1002)
	case len(f.Payload) >= 2 && slices.Contains(badCodes, f.CloseCode()):
		return m.fail("a close code that is never sent (§7.4)", 1002)
	case len(f.Payload) > 2 && !(reason.add(f.Payload[2:]) && reason.ended()):
		return m.fail("a close reason that is not UTF-8 (§5.5.1)", 1002, 1007)
	}
	m.orEcho, m.fails = m.early, m.early // of a message that never ends
	return true
}

func (m *fuzzModel) fail(why string, codes ...int) bool {
	m.fails, m.why = true, why
	for _, c := range codes {
		if !slices.Contains(m.codes, c) {
			m.codes = append(m.codes, c)
		}
	}
	return true
}
