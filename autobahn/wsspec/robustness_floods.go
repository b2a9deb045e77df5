package wsspec

import (
	"fmt"
	"time"
)

// floods are very many small frames.
func (ch *chapter) floods() {
	ch.at("10.4", limits)
	ch.figure("messages-10000", "10,000 messages of a byte", func(d *Dialogue, h *hearing) Verdict {
		return flood(d, h, Text("a"), 10000)
	}, tagged("floods"))
	ch.figure("messages-empty-10000", "10,000 empty messages", func(d *Dialogue, h *hearing) Verdict {
		return flood(d, h, Text(""), 10000)
	}, tagged("floods"))
	ch.figure("pings-10000", "10,000 pings, whose pongs are read", func(d *Dialogue, h *hearing) Verdict {
		return flood(d, h, Ping("flood"), 10000)
	}, tagged("floods"))
	ch.figure("pongs-10000", "10,000 pongs that nobody asked for, and a text", func(d *Dialogue, h *hearing) Verdict {
		d.Quiet()
		h.mute = true
		began := time.Now()
		sent := d.volleyOf(h, 10000, Pong("unasked"))
		d.Send(Text("behind"))
		h.some(d, d.Patience, func() bool { return len(h.messages) > 0 || h.close != nil })
		if len(h.messages) > 0 {
			return h.told("all are taken, and the text is echoed in %v", time.Since(began).Round(time.Millisecond))
		}
		return h.told("%d sent; %s", sent, h.howItEnds(began))
	}, tagged("floods"))
	ch.figure("behind-close", "a Close and 1 MiB of texts behind it", func(d *Dialogue, h *hearing) Verdict {
		d.Quiet()
		h.mute = true
		began := time.Now()
		d.Send(append(frames(CloseFrame(1000, "")), many(16, Binary(letters(64<<10)))...)...)
		h.some(d, d.Patience, never)
		if len(h.messages) > 0 {
			return h.wrongEcho("something was echoed that came behind the Close")
		}
		return h.told("%s", h.howItEnds(began))
	}, tagged("floods"))
	ch.unreadPings()
}

// flood sends a frame many times and counts what comes back.
func flood(d *Dialogue, h *hearing, f Frame, n int) Verdict {
	d.Quiet()
	h.mute = true
	back := func() int { return len(h.messages) + len(h.pongs) }
	began := time.Now()
	sent := d.volleyOf(h, n, f)
	last := func() bool {
		return h.close != nil || len(h.faults) > 0 || f.Opcode == OpPing && back() > 0 || back() >= n
	}
	h.some(d, d.Patience, last)
	for f.Opcode == OpPing && h.close == nil && h.end == nil && len(h.pongs) < n { // the last ones may be left out (§5.5.3)
		before := len(h.pongs)
		h.some(d, d.Patience/20, func() bool { return len(h.pongs) > before || h.close != nil })
		if len(h.pongs) == before {
			break
		}
	}
	for _, m := range h.messages {
		if !same(m, f) {
			return h.wrongEcho(fmt.Sprintf("%v came back for %v", m, f))
		}
	}
	return h.told("%d of %d sent, %d came back; %s", sent, n, back(), h.howItEnds(began))
}

// pingsUnread is how many bytes of pings are sent at the most.
const pingsUnread = 8 << 20

// unreadPings are pings whose pongs are not read: where do they wait?
func (ch *chapter) unreadPings() {
	ch.add("pings-unread", "pings of 125 bytes, 8 MiB of them, while nothing is read", func(d *Dialogue) Verdict {
		if err := d.Open(); err != nil {
			return Verdict{Outcome: Failed, Actual: err.Error(), Hard: true}
		}
		d.Quiet()
		one := d.Encode(Ping(string(letters(125))))
		batch := d.Encode(many((64<<10)/len(one), Ping(string(letters(125))))...)
		took, began := 0, time.Now()
		for took < pingsUnread {
			d.conn.SetWriteDeadline(time.Now().Add(d.Patience / 5))
			n, err := d.conn.Write(batch)
			if took += n; err != nil {
				break
			}
		}
		h := &hearing{mute: true}
		stopped := time.Since(began).Round(time.Millisecond)
		pongs := 0
		for h.end == nil { // what is held of them is not more than a batch
			h.pongs = h.pongs[:0]
			h.some(d, d.Patience/5, func() bool { return len(h.pongs) > 1000 || h.close != nil && h.end != nil })
			if pongs += len(h.pongs); len(h.pongs) == 0 {
				break
			}
		}
		h.pongs = nil
		v := h.told("it took %d KiB of pings in %v while nothing was read; then %d pongs came, and %s", took>>10, stopped, pongs, h.howItEnds(began))
		return d.stillThere(v)
	}, info(figureWhy), tagged("floods", "aftermath"))
}

// slow are peers that take their time.
func (ch *chapter) slow() {
	ch.at("6.2", parsed)
	ch.add("dribble", "a text of 100 bytes, a byte every 10 ms", func(d *Dialogue) Verdict {
		const expected = "the text is echoed"
		if err := d.Open(); err != nil {
			return Fail(expected, "%v", err)
		}
		text := frames(Text(string(letters(100))))
		for _, piece := range byByte.pieces(d.Encode(text...)) {
			d.Write(piece)
			select {
			case <-time.After(10 * time.Millisecond):
			case <-d.Ctx.Done():
			}
		}
		h := &hearing{}
		if !h.await(d, text) {
			return h.fail(expected)
		}
		d.Send(CloseFrame(1000, ""))
		return h.pass(expected)
	})
	ch.at("10.4", limits)
	ch.figure("slow-reader", "64 messages of 64 KiB, whose echoes are read after a second", func(d *Dialogue, h *hearing) Verdict {
		d.Quiet()
		h.mute = true
		const n = 64
		began := time.Now()
		done := make(chan int)
		go func() { // what is not taken yet waits here
			sent := 0
			for ; sent < n && d.WriteError() == nil; sent++ {
				d.Send(Binary(append([]byte{byte(sent)}, letters(64<<10-1)...)))
			}
			done <- sent
		}()
		select {
		case <-time.After(min(time.Second, d.Patience/2)):
		case <-d.Ctx.Done():
		}
		h.some(d, d.Patience, func() bool { return len(h.messages) == n || h.close != nil })
		if h.close != nil || h.end != nil {
			d.conn.SetWriteDeadline(time.Now())
		}
		sent := <-done
		for i, m := range h.messages {
			if len(m.Payload) != 64<<10 || m.Payload[0] != byte(i) {
				return h.wrongEcho(fmt.Sprintf("message %d is another", i+1))
			}
		}
		return h.told("%d of %d sent, %d echoed in order; %s", sent, n, len(h.messages), h.howItEnds(began))
	})
}
