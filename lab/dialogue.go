package lab

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"framewright/lab/capture"
	"framewright/ws"
	"framewright/ws/wsnet"
)

// The bounds of an experiment.
const (
	maxSteps    = 64
	maxSent     = 256 << 10        // bytes
	maxPause    = 2 * time.Second  // of one step
	maxPauses   = 10 * time.Second // of all
	maxDialogue = 20 * time.Second // all in all
	maxMoments  = 1000
	echoMessage = 64 << 10 // the longest message that the echo takes, in bytes
)

// A Step is some bytes that a raw peer sends in one piece, after a pause.
type Step struct {
	Pause time.Duration
	Bytes []byte
}

// An Experiment is what a raw peer sends to the lab's echo, or, with an Answer, to a
// client that has called it.
type Experiment struct {
	// Request is the opening handshake; nil is one that is right, without
	// permessage-deflate: see Handshake.
	Request []byte

	// Answer, if there is one, makes the raw peer a server, and is what it says to the
	// client's opening handshake: see Answer. The client offers the subprotocols chat and
	// superchat (§1.9), and permessage-deflate if Deflate is set.
	Answer  []byte
	Deflate bool

	Steps []Step
}

// A Dialogue is what came of an experiment.
type Dialogue struct {
	Moments []Moment        // as the echo's own trace told them
	Pieces  []capture.Piece // the bytes both ways
	Closed  bool            // the echo has closed the connection, or said that it does
	End     *ws.CloseError  // why; nil if it had not ended when the peer had nothing more to send
	Outcome string          // in a word: see outcome
}

// Handshake is an opening handshake that is right (§1.3), with the field lines that are
// given besides.
func Handshake(lines ...string) []byte {
	b := []byte("GET /lab/echo HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n")
	for _, l := range lines {
		b = append(append(b, l...), "\r\n"...)
	}
	return append(b, "\r\n"...)
}

// OffersDeflate is the line for a Handshake that lets the peer compress.
const OffersDeflate = "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits"

// check holds an experiment against the bounds.
func (x *Experiment) check() error {
	if len(x.Steps) > maxSteps {
		return fmt.Errorf("%d steps, the limit is %d", len(x.Steps), maxSteps)
	}
	sent, pauses := len(x.Request)+len(x.Answer), time.Duration(0)
	for i, s := range x.Steps {
		sent += len(s.Bytes)
		if s.Pause < 0 || s.Pause > maxPause {
			return fmt.Errorf("step %d has a pause of %v: 0 to %v is expected", i+1, s.Pause, maxPause)
		}
		pauses += s.Pause
	}
	if sent > maxSent {
		return fmt.Errorf("%d bytes to send, the limit is %d", sent, maxSent)
	}
	if pauses > maxPauses {
		return fmt.Errorf("pauses of %v in all, the limit is %v", pauses, maxPauses)
	}
	return nil
}

// Run holds the experiment: in memory, with an endpoint of wsnet that echoes. Each step
// is sent when that has nothing more to say to the one before. An error says that the
// experiment is beyond the bounds, or that ctx has ended.
func (x *Experiment) Run(ctx context.Context) (*Dialogue, error) {
	if err := x.check(); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, maxDialogue, fmt.Errorf("the experiment takes longer than %v", maxDialogue))
	defer cancel()
	l := newLine()
	d := &dialogue{line: l}
	ended := make(chan error, 1)
	first := x.Request
	if x.Answer != nil {
		l.calls, first = true, x.Answer
		go func() { ended <- d.call(ctx, x.Deflate) }()
	} else {
		go func() { ended <- d.echo(ctx) }()
	}
	if first == nil {
		first = Handshake()
	}
	err := d.play(ctx, first, x.Steps)
	pieces, closed := l.seen()
	moments, said := d.told()
	l.leave()
	end := <-ended // the first reason stays: that the peer leaves is none if there was one
	l.Close()
	if err != nil {
		return nil, err
	}
	out := &Dialogue{Moments: moments, Pieces: pieces, Closed: closed || said}
	if out.Closed {
		errors.As(end, &out.End)
	}
	out.Outcome = outcome(moments)
	return out, nil
}

// A dialogue is an experiment under way.
type dialogue struct {
	line *line

	mu      sync.Mutex
	moments []Moment
	ping    []byte // the payload of the last one
	over    bool   // a Close frame was sent
}

// play sends its half of the handshake and the steps, and waits for what comes of each.
func (d *dialogue) play(ctx context.Context, half []byte, steps []Step) error {
	if d.line.calls { // the client begins
		if err := d.line.settle(ctx); err != nil {
			return err
		}
	}
	d.line.send(half)
	if err := d.line.settle(ctx); err != nil {
		return err
	}
	for _, s := range steps {
		if s.Pause > 0 {
			timer := time.NewTimer(s.Pause)
			select {
			case <-timer.C:
			case <-ctx.Done():
				timer.Stop()
				return context.Cause(ctx)
			}
		}
		if _, over := d.told(); over || !d.line.send(s.Bytes) {
			return nil // nothing is heard any more
		}
		if err := d.line.settle(ctx); err != nil {
			return err
		}
	}
	return nil
}

// echo is the endpoint: every message goes back as it came.
func (d *dialogue) echo(ctx context.Context) error {
	c, err := wsnet.AcceptStream(ctx, d.line, &wsnet.ServerOptions{Options: wsnet.Options{
		Compression:  &ws.Compression{SendContext: true, ReceiveContext: true, Threshold: -1},
		MaxMessage:   echoMessage,
		PingInterval: -1, // it says nothing by itself
		Trace:        d.note,
	}})
	if err != nil {
		return err
	}
	defer c.CloseNow()
	return echo(ctx, c)
}

// note keeps an event, which is the trace's own only while it is told.
func (d *dialogue) note(e ws.TraceEvent) {
	e.Wire, e.Payload, e.Content = bytes.Clone(e.Wire), bytes.Clone(e.Payload), bytes.Clone(e.Content)
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.moments) < maxMoments || e.Rule != "" || e.Sent && e.Header.Opcode == ws.OpClose { // how it ends is told in any case
		d.moments = append(d.moments, Moment{At: time.Since(d.line.start), Event: e})
	}
	switch {
	case e.Rule != "" || len(e.Wire) == 0:
	case e.Header.Opcode == ws.OpPing && !e.Sent:
		d.ping = e.Payload
		d.line.owe(true)
	case e.Header.Opcode == ws.OpPong && e.Sent && bytes.Equal(e.Payload, d.ping): // one may answer several (§5.5.3)
		d.line.owe(false)
	case e.Header.Opcode == ws.OpClose && e.Sent:
		d.over = true
	}
}

// told is what was noted so far, and whether a Close frame was sent.
func (d *dialogue) told() (moments []Moment, over bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.moments), d.over
}

// outcome is what the last frame that the endpoint has sent was: "text", "pong",
// "close 1002"; "http 400" if it has refused the handshake as a server, "refused" as a
// client; "nothing" if it has sent none.
func outcome(moments []Moment) string {
	last := "nothing"
	for _, m := range moments {
		e := m.Event
		switch {
		case e.Handshake != "":
			last = judgement(e, last)
		case !e.Sent || len(e.Wire) == 0:
		case e.Header.Opcode == ws.OpClose && len(e.Payload) >= 2:
			last = fmt.Sprintf("close %d", int(e.Payload[0])<<8|int(e.Payload[1]))
		default:
			last = e.Header.Opcode.String()
		}
	}
	return last
}

// judgement is what a half of the handshake says of the other; without any, it is last.
func judgement(e ws.TraceEvent, last string) string {
	switch {
	case e.Role == ws.RoleClient && !e.Sent && e.Rule != "":
		return "refused"
	case e.Role == ws.RoleServer && e.Sent:
		if status, _, _ := strings.Cut(e.Handshake[min(len(e.Handshake), len("HTTP/1.1 ")):], " "); status != "101" {
			return "http " + status
		}
	}
	return last
}
