package wsspec

import (
	"errors"
	"fmt"
	"net"
	"time"
)

const (
	limits    = `Implementations that have implementation- and/or platform-specific limitations regarding the frame size or total message size after reassembly from multiple frames MUST protect themselves against exceeding those limits.`
	figureWhy = "The RFC has no limits of its own: what a peer takes, and when it has enough, is told and not judged. That it serves the next connection is a MUST."
	lengthIs  = `127, the following 8 bytes interpreted as a 64-bit unsigned integer (the most significant bit MUST be 0) are the payload length.`
)

// robustness is what a peer does with what is legal, and too much. All of it is
// bounded, and harmless to a healthy peer.
func robustness() []*Case {
	ch := &chapter{name: "robustness", roles: Both}
	ch.declared()
	ch.endless()
	ch.floods()
	ch.slow()
	ch.roles = ServerOnly
	ch.gone()
	return ch.cases
}

// figure adds a case whose result is told. What play returns is for the report; if
// it is hard, it fails. After it, a server has to serve a new connection.
func (ch *chapter) figure(word, title string, play func(*Dialogue, *hearing) Verdict, choices ...choice) {
	ch.add(word, title, func(d *Dialogue) Verdict {
		if err := d.Open(); err != nil {
			return Verdict{Outcome: Failed, Expected: "an opening handshake", Actual: err.Error(), Hard: true}
		}
		return d.stillThere(play(d, &hearing{}))
	}, append([]choice{info(figureWhy), tagged("aftermath")}, choices...)...)
}

// told is a figure, but for what the testee itself did wrong.
func (h *hearing) told(format string, args ...any) Verdict {
	v := Verdict{Outcome: Noted, Expected: "a server that is there afterwards", Actual: fmt.Sprintf(format, args...)}
	if len(h.faults) > 0 {
		v.Outcome, v.Hard, v.Actual = Failed, true, h.String()
	}
	return v
}

// wrongEcho is the verdict on messages that are not what was sent.
func (h *hearing) wrongEcho(what string) Verdict {
	return Verdict{Outcome: Failed, Expected: "what comes back is what was sent", Actual: what + ": " + h.String(), Hard: true}
}

// some hears the testee for a part of Patience, until there is enough.
func (h *hearing) some(d *Dialogue, wait time.Duration, enough func() bool) {
	until := time.Now().Add(wait)
	for h.end == nil && !enough() {
		e := d.NextIn(max(time.Millisecond, time.Until(until)))
		if errors.Is(e.Err, ErrSilent) {
			return
		}
		if e.Err != nil {
			h.end = e.Err
			return
		}
		h.take(e)
	}
}

// howItEnds tells what was seen since began.
func (h *hearing) howItEnds(began time.Time) string {
	took := time.Since(began).Round(time.Millisecond)
	switch {
	case h.close != nil:
		return fmt.Sprintf("%v in %v", *h.close, took)
	case h.end != nil:
		return fmt.Sprintf("%s in %v", endWords(h.end), took)
	}
	return fmt.Sprintf("open after %v", took)
}

// declared are frames that state a length and do not have it.
func (ch *chapter) declared() {
	ch.at("10.4", limits)
	for _, n := range []struct {
		word string
		n    uint64
	}{{"2-31", 1 << 31}, {"2-32", 1 << 32}, {"2-62", 1 << 62}, {"2-63-less-1", 1<<63 - 1}} {
		for _, f := range []struct {
			word, title string
			lead        []Frame
			f           Frame
		}{
			{"binary", "a binary message", nil, Binary(nil)}, {"first", "a first fragment", nil, Frame{Opcode: OpBinary}},
			{"continuation", "a continuation", frames(begun("good")), more("")}, {"opcode-3", "a frame with the reserved opcode 3", nil, Frame{Fin: true, Opcode: 3}},
			{"ping", "a ping", nil, Ping("")},
		} {
			f.f.Declared = &n.n
			ch.figure("declared-"+n.word+"-"+f.word, fmt.Sprintf("%s that states %d bytes, none of which come", f.title, n.n), func(d *Dialogue, h *hearing) Verdict {
				h.mute = true
				began := time.Now()
				d.Send(append(f.lead, f.f)...)
				h.some(d, d.Patience/5, func() bool { return h.close != nil })
				return h.told("%s", h.howItEnds(began))
			})
		}
	}
	ch.at("5.2", lengthIs)
	for _, n := range []uint64{1<<32 + 5, 1<<63 - 1<<32 + 5, 1<<16 + 5, 1<<31 + 5} {
		f := Text("Hello")
		f.Declared, f.Form = &n, Length64
		ch.add(fmt.Sprintf("declared-%x-has-5", n), fmt.Sprintf("a text of 5 bytes that states %d", n), func(d *Dialogue) Verdict {
			const expected = "nothing comes back: the message is not there yet"
			if err := d.Open(); err != nil {
				return Fail(expected, "%v", err)
			}
			h := &hearing{mute: true}
			d.Send(f)
			h.some(d, d.Patience/5, func() bool { return len(h.messages) > 0 || h.open != nil && len(h.open.Payload) >= 5 })
			if len(h.messages) > 0 || len(h.faults) > 0 {
				return h.fail(expected)
			}
			return d.stillThere(h.pass(expected))
		})
	}
}

// endless are messages without end, or with very many frames.
func (ch *chapter) endless() {
	ch.at("10.4", limits)
	run := func(word, title string, n int, piece string) {
		ch.figure(word, title, func(d *Dialogue, h *hearing) Verdict {
			d.Quiet()
			began := time.Now()
			d.Send(begun("a"))
			h.some(d, 0, never)
			sent := d.volleyOf(h, n, more(piece))
			d.Send(last("z"))
			h.some(d, d.Patience, func() bool { return len(h.messages) > 0 || h.close != nil })
			if len(h.messages) > 0 {
				if want := 2 + n*len(piece); len(h.messages[0].Payload) != want {
					return h.wrongEcho(fmt.Sprintf("%d bytes instead of %d", len(h.messages[0].Payload), want))
				}
				return h.told("all %d are taken, and echoed in %v", n, time.Since(began).Round(time.Millisecond))
			}
			return h.told("%d of %d sent; %s", sent, n, h.howItEnds(began))
		}, tagged("floods"))
	}
	run("empty-fragments-1000", "a message with 1,000 empty fragments", 1000, "")
	run("empty-fragments-100000", "a message with 100,000 empty fragments", 100000, "")
	run("byte-fragments-1000", "a message in 1,000 fragments of a byte", 1000, "a")
	run("byte-fragments-20000", "a message in 20,000 fragments of a byte", 20000, "a")
	ch.figure("never-finished", "a first fragment, and nothing behind it", func(d *Dialogue, h *hearing) Verdict {
		began := time.Now()
		d.Send(begun("a"))
		h.some(d, d.Patience, func() bool { return h.close != nil })
		return h.told("%s", h.howItEnds(began))
	})
	for _, n := range []int{1 << 20, 16 << 20} {
		ch.figure(fmt.Sprintf("message-of-%d-mib", n>>20), fmt.Sprintf("a message of %d MiB in fragments of 64 KiB", n>>20), func(d *Dialogue, h *hearing) Verdict {
			d.Quiet()
			began := time.Now()
			part := Frame{Payload: letters(64 << 10)}
			d.Send(Frame{Opcode: OpBinary})
			sent := d.volleyOf(h, n/len(part.Payload), part)
			d.Send(last(""))
			h.some(d, 2*d.Patience, func() bool { return len(h.messages) > 0 || h.close != nil })
			if len(h.messages) > 0 {
				if len(h.messages[0].Payload) != n {
					return h.wrongEcho("the length is another")
				}
				return h.told("it is echoed in %v", time.Since(began).Round(time.Millisecond))
			}
			return h.told("%d KiB sent; %s", sent*64, h.howItEnds(began))
		}, tagged("sizes"))
	}
}

// volleyOf sends a frame n times, many in one write, for as long as the testee takes
// them and does not end. It returns how many were sent.
func (d *Dialogue) volleyOf(h *hearing, n int, f Frame) int {
	one := len(d.Encode(f))
	batch := max(1, (64<<10)/one)
	for sent := 0; sent < n; {
		k := min(batch, n-sent)
		d.Send(many(k, f)...)
		if d.WriteError() != nil {
			return sent
		}
		sent += k
		h.some(d, 0, func() bool { return h.close != nil })
		if h.close != nil || h.end != nil {
			return sent
		}
	}
	return n
}

// gone are connections that end before they have begun.
func (ch *chapter) gone() {
	ch.at("10.4", limits)
	after := func(word, title string, play func(*Dialogue) error) {
		ch.add(word, title, func(d *Dialogue) Verdict {
			const expected = "a server that serves the next connection"
			if err := play(d); err != nil {
				return Fail(expected, "%v", err)
			}
			return d.stillThere(Verdict{Outcome: Passed, Expected: expected, Actual: "it does"})
		})
	}
	reset := func(d *Dialogue) {
		if t, ok := d.Conn().(*net.TCPConn); ok {
			t.SetLinger(0)
		}
		d.CloseNow()
	}
	after("connect-and-go", "a hundred connections that end at once", func(d *Dialogue) error {
		for range 100 {
			if err := d.Dial(); err != nil {
				return err
			}
		}
		return nil
	})
	after("reset-in-request", "a reset inside the request", func(d *Dialogue) error {
		if err := d.Dial(); err != nil {
			return err
		}
		d.Write(Lines(d.RequestLines(NewKey()))[:40])
		reset(d)
		return nil
	})
	after("reset-in-frame", "a reset inside a frame, twenty times", func(d *Dialogue) error {
		for range 20 {
			if err := d.Open(); err != nil {
				return err
			}
			b := d.Encode(Text("never whole"))
			d.Write(b[:len(b)-3])
			reset(d)
		}
		return nil
	})
	after("reset-in-echo", "a reset while a long message comes back", func(d *Dialogue) error {
		if err := d.Open(); err != nil {
			return err
		}
		d.Send(many(16, Binary(letters(64<<10)))...)
		reset(d)
		return nil
	})
	after("open-and-go", "a hundred handshakes, each connection dropped behind its answer", func(d *Dialogue) error {
		for i := range 100 {
			if err := d.Open(); err != nil {
				return fmt.Errorf("connection %d: %w", i+1, err)
			}
			d.CloseNow()
		}
		return nil
	})
}
