package lab

import (
	"sync"

	"framewright/lab/fact"
	"framewright/ws"
)

// maxKeptHead is how long a half of a handshake may be, in bytes, to be kept for a page
// that begins to watch later.
const maxKeptHead = 4 << 10

// A tracer sees the events of one connection that names a secret. They go to the page that
// watches with it, and nowhere while none does; only the handshake is kept for a page
// that comes to it later, as the chat's does when its panel is opened.
type tracer struct {
	recorder *recorder
	secret   string

	mu     sync.Mutex
	watch  *watch // that has the handshake
	heads  []fact.Fact
	follow *fact.Tracker // of watch
	missed bool          // compressed messages have gone by unseen
}

func (t *tracer) report(e ws.TraceEvent) {
	t.mu.Lock()
	defer t.mu.Unlock()
	w, watched := t.recorder.find(t.secret)
	kept := e.Handshake != "" && len(e.Handshake) <= maxKeptHead
	if !watched && !kept {
		t.missed = t.missed || e.Compressed
		return
	}
	now := t.recorder.now()
	var facts []fact.Fact
	if watched && t.watch != w {
		t.watch, t.follow, facts = w, w.follow(), t.heads[:len(t.heads):len(t.heads)]
		for _, f := range facts {
			t.follow.Handshake(f, t.missed)
		}
	}
	if watched {
		facts = append(facts, t.follow.Of(e))
	} else {
		facts = append(facts, fact.Of(e))
	}
	if kept {
		t.heads = append(t.heads, facts[len(facts)-1])
	}
	if watched {
		for _, f := range facts {
			w.add(f, now)
		}
	}
}
