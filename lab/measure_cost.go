package lab

import (
	"fmt"

	"framewright/ws"
)

// An Exchange is a request and the answer to it, as they went over the wire.
type Exchange struct {
	About   string `json:"about"`
	Request string `json:"request"`
	Answer  string `json:"answer"`
	Up      int    `json:"up"`   // bytes, of which Request is the beginning
	Down    int    `json:"down"` // the same of Answer
}

// shownExchange is how much of a request or an answer a page is shown, in bytes.
const shownExchange = 1500

// account counts what went over w's connections, and finds what to show of it.
func (c *WayCost) account(w *way) error {
	up, down := 0, 0
	for _, t := range w.taps {
		sent, received := t.bytes()
		up, down = up+len(sent), down+len(received)
		c.Connections++
		if err := c.connection(w, sent, received); err != nil {
			return err
		}
	}
	if w.name != WayWebSocket { // the messages stand in the bodies
		c.Down.Messages = w.plan.Messages * w.plan.Size
		c.Down.Envelope -= c.Down.Messages
	}
	if err := c.Up.sum(up); err != nil {
		return err
	}
	return c.Down.sum(down)
}

// connection counts one connection.
func (c *WayCost) connection(w *way, sent, received []byte) error {
	requests, framesUp, err := splitHTTP(sent, false)
	if err != nil {
		return fmt.Errorf("what the client sent: %w", err)
	}
	answers, framesDown, err := splitHTTP(received, true)
	if err != nil {
		return fmt.Errorf("what the server sent: %w", err)
	}
	if len(answers) != len(requests) {
		return fmt.Errorf("%d requests have %d answers", len(requests), len(answers))
	}
	c.Requests += len(requests)
	for i, r := range requests {
		c.Up.add(r)
		c.Down.add(answers[i])
		c.show(w.name, r, answers[i])
	}
	if w.name == WayWebSocket {
		c.tell(w, requests[0], answers[0])
	}
	if err := c.Up.splitFrames(framesUp); err != nil {
		return err
	}
	return c.Down.splitFrames(framesDown)
}

func (b *WireBytes) add(p httpPiece) {
	b.Heads += p.head
	b.Framing += p.framing
	b.Envelope += len(p.body) // with the messages, for now
}

// show keeps the first exchange of each kind.
func (c *WayCost) show(name string, r, a httpPiece) {
	about := map[string]string{WayEvents: "the one request and its answer, which goes on", WayWebSocket: "the opening handshake"}[name]
	switch {
	case name == WayPolling && a.body == "":
		about = "a poll that brings nothing"
		c.Empty++
	case name == WayPolling:
		about = "a poll that brings something"
	case name == WayLongPolling && c.Requests > 0 && len(c.Exchanges) == 0:
		about = "the handshake of Engine.IO"
	case name == WayLongPolling && r.body != "":
		about = "the client closes the session"
	case name == WayLongPolling:
		about = "a request that waited, and what it brings"
	}
	for _, x := range c.Exchanges {
		if x.About == about {
			return
		}
	}
	c.Exchanges = append(c.Exchanges, Exchange{about, beginning(r.raw), beginning(a.raw), len(r.raw), len(a.raw)})
}

func beginning(raw []byte) string { return string(raw[:min(len(raw), shownExchange)]) }

// tell makes facts of a WebSocket: the handshake is what the wire had, where the trace has
// what net/http made of it.
func (c *WayCost) tell(w *way, r, a httpPiece) {
	moments := []Moment{{Event: ws.TraceEvent{Role: ws.RoleClient, Sent: true, Handshake: string(r.raw)}}, {Event: ws.TraceEvent{Role: ws.RoleClient, Handshake: string(a.raw)}}}
	for _, e := range w.events {
		moments = append(moments, Moment{Event: e})
	}
	c.Facts = facts(moments, false)
}
