package wsspec

import "fmt"

const (
	parsed      = `Incoming data MUST be parsed as WebSocket frames as defined in Section 5.2.`
	noBoundary  = `One implication of this is that in absence of extensions, senders and receivers must not depend on the presence of specific frame boundaries.`
	sampleBytes = 130
)

// everyKind is a dialogue with each kind of frame but a Close.
func everyKind() []Frame {
	body := make([]byte, sampleBytes)
	for i := range body {
		body[i] = byte(i * 7)
	}
	return frames(Text("Hello"), Ping("1"), begun("He"), Ping(""), more(""), Pong("2"), more("l"), last("lo"),
		Text(""), Binary(body), Ping("3"))
}

// segmentation is the independence of frames from how TCP brings them (§6.2).
func segmentation() []*Case {
	ch := &chapter{name: "segmentation", roles: Both}
	ch.at("6.2", parsed)
	ch.script("glued", "every kind of frame in one write", script{main: everyKind()})
	ch.add("each", "every kind of frame, a write for each", func(d *Dialogue) Verdict {
		var rounds []round
		for _, f := range everyKind() {
			rounds = append(rounds, round{frames: frames(f)})
		}
		return inRounds(d, rounds, true)
	})
	for _, n := range []int{1, 2, 3, 5, 7, 13, 64} {
		ch.script(fmt.Sprintf("by-%d", n), fmt.Sprintf("every kind of frame, %d bytes a write", n), script{main: everyKind(), cut: cut{every: n}})
	}
	ch.script("glued-20-times", "every kind of frame 20 times in one write", script{main: times(20, everyKind())})
	ch.script("long-by-1000", "a message of 65536 bytes, 1000 bytes a write", script{main: frames(Binary(letters(65536))), cut: cut{every: 1000}})

	// Pings come in one of these only: a peer may have enough of them (§10.4).
	ch.add("cut-everywhere", "every kind of message in two writes, cut at each byte in turn", func(d *Dialogue) Verdict {
		return inRounds(d, cutsOf(d, messageKinds()), false)
	})
	ch.add("cut-everywhere-control", "a ping and a pong among fragments in two writes, cut at each byte in turn", func(d *Dialogue) Verdict {
		return inRounds(d, cutsOf(d, frames(begun("He"), Ping("ping"), Pong(""), last("llo"))), false)
	})
	small := frames(Text("Hi"), Binary([]byte("a")))
	ch.add("cut-twice-everywhere", "two messages in three writes, cut at each pair of bytes", func(d *Dialogue) Verdict {
		var rounds []round
		n := len(d.Encode(small...))
		for a := 1; a < n; a++ {
			for b := a + 1; b < n; b++ {
				rounds = append(rounds, round{small, cut{at: []int{a, b}}})
			}
		}
		return inRounds(d, rounds, false)
	})
	for _, n := range []int{126, 65536} {
		ch.add(fmt.Sprintf("cut-head-%d", n), fmt.Sprintf("a message of %d bytes, cut at each byte of its head", n), func(d *Dialogue) Verdict {
			var rounds []round
			for at := 1; at <= 15; at++ {
				rounds = append(rounds, round{frames(Binary(letters(n))), cut{at: []int{at}}})
			}
			return inRounds(d, rounds, false)
		})
	}
	for _, size := range []int{512, 1024, 2048, 4096, 8192, 16384, 32768, 65536} {
		ch.add(fmt.Sprintf("across-%d", size), fmt.Sprintf("two messages in one write, so that each byte of the second's head comes at %d", size), func(d *Dialogue) Verdict {
			var rounds []round
			for n := size - 32; n <= size+2; n++ {
				rounds = append(rounds, round{frames: frames(Binary(letters(n)), Text("behind"))})
			}
			return inRounds(d, rounds, false)
		})
	}
	ch.at("5.4", noBoundary)
	ch.add("fragments-everywhere", "a text in two fragments, cut at each byte in turn", func(d *Dialogue) Verdict {
		const text = "to be cut"
		var rounds []round
		for at := 0; at <= len(text); at++ {
			rounds = append(rounds, round{frames: frames(begun(text[:at]), last(text[at:]))})
		}
		return inRounds(d, rounds, false)
	})
	return ch.cases
}

// messageKinds are messages of every form.
func messageKinds() []Frame {
	return frames(Text("Hello"), begun("He"), more(""), more("l"), last("lo"), Text(""), Binary(letters(sampleBytes)))
}

// cutsOf are rounds of the same frames, cut at another byte each time.
func cutsOf(d *Dialogue, f []Frame) []round {
	var rounds []round
	for at := 1; at < len(d.Encode(f...)); at++ {
		rounds = append(rounds, round{f, cut{at: []int{at}}})
	}
	return rounds
}

func times(n int, f []Frame) []Frame {
	var out []Frame
	for range n {
		out = append(out, f...)
	}
	return out
}

// A round is a part of a dialogue that is answered before the next one.
type round struct {
	frames []Frame
	cut    cut
}

// inRounds plays rounds on one connection. With pieces, a round need not be whole
// messages, and the answers are waited for at the end.
func inRounds(d *Dialogue, rounds []round, pieces bool) Verdict {
	expected := fmt.Sprintf("%d times what was asked for", len(rounds))
	if pieces {
		expected = "what was asked for"
	}
	if err := d.Open(); err != nil {
		return Fail(expected, "%v", err)
	}
	var all []Frame
	for i, r := range rounds {
		h := &hearing{}
		d.writeCut(d.Encode(r.frames...), r.cut)
		if all = append(all, r.frames...); pieces {
			pause(d)
			continue
		}
		if !h.await(d, r.frames) {
			v := h.fail(expected)
			v.Actual = fmt.Sprintf("cut at %v, round %d of %d: %s", r.cut.at, i+1, len(rounds), v.Actual)
			return v
		}
	}
	h := &hearing{}
	if pieces && !h.await(d, all) {
		return h.fail(expected)
	}
	d.Send(CloseFrame(1000, ""))
	if h.listen(d, func() bool { return h.close != nil }); h.close == nil || len(h.faults) > 0 || failure(h.close.CloseCode()) {
		return h.fail(expected)
	}
	return Pass(expected)
}
