package plain

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"framewright/chat"
	"framewright/internal/ending"
	"framewright/ws"
	"framewright/ws/wsnet"
)

// flushTimeout is how long a session that was ended may take to be sent
// what was queued for it before.
const flushTimeout = 3 * time.Second

// floodTimeout is how long a client that asks too much may take for its part of
// the closing handshake. Until then what it sends is read and dropped.
const floodTimeout = time.Second

// batchBytes is how much goes out by one write, if so much waits. It no longer
// counts for the queue, so it is small beside one.
const batchBytes = 16 << 10

// A writer is the writing half of one connection, after the hello. It is the only
// one that writes, and closes the connection in the end.
type writer struct {
	h       *handler
	c       *wsnet.Conn
	s       *chat.Session
	patient ending.Context // ends when what waits for this peer is not to be waited for
	ended   sync.WaitGroup // until the connection was closed
}

// attend has what is queued for s written, by a goroutine that there is while
// something is.
func attend(h *handler, c *wsnet.Conn, s *chat.Session) *writer {
	w := &writer{h: h, c: c, s: s}
	w.ended.Add(1)
	s.Attend(w, batchBytes)
	return w
}

// gathered is how many frames go out by one write at the most.
const gathered = 32

// Write implements [chat.Writer].
func (w *writer) Write(batch []chat.Packet) error {
	for len(batch) > 0 {
		var frames [gathered]*wsnet.Prepared
		n := min(len(batch), len(frames))
		for i, p := range batch[:n] {
			frames[i] = p.Value.(*wsnet.Prepared)
		}
		if err := w.c.WritePrepared(&w.patient, frames[:n]...); err != nil {
			return err
		}
		batch = batch[n:]
	}
	return nil
}

// Over implements [chat.Writer].
func (w *writer) Over(reason error) {
	if errors.Is(reason, chat.ErrSlow) {
		w.patient.End()
		return
	}
	time.AfterFunc(flushTimeout, w.patient.End)
}

// End implements [chat.Writer]: it closes the connection.
func (w *writer) End(err error) {
	defer w.ended.Done()
	if over := w.s.Err(); over != nil {
		err = over
	}
	ctx := w.c.Context()
	if errors.Is(err, chat.ErrFlood) { // it need not be read from for as long as others
		patient, cancel := context.WithTimeout(ctx, floodTimeout)
		defer cancel()
		ctx = patient
	}
	code, reason := w.h.closing(err)
	w.c.Close(ctx, code, reason) // its error is the reader's, too
}

// closing says with which code and reason a connection is closed whose session
// ended with err.
func (h *handler) closing(err error) (ws.Code, string) {
	if ce, ok := errors.AsType[*ws.CloseError](err); ok && ce.Code.MaySend() {
		return ce.Code, ce.Reason
	}
	switch {
	case errors.Is(err, chat.ErrSlow):
		return CloseSlow, "reads too slowly"
	case errors.Is(err, chat.ErrKicked):
		return CloseKicked, strings.TrimPrefix(err.Error(), "chat: ") // and why, if a reason was given
	case errors.Is(err, chat.ErrExpired):
		return CloseExpired, "token has expired"
	case errors.Is(err, chat.ErrFlood):
		return ws.CodePolicyViolation, "too many requests"
	case errors.Is(err, chat.ErrRestart):
		return h.o.RestartCode, "server is restarting"
	case errors.Is(err, chat.ErrShutdown):
		return ws.CodeGoingAway, "server is shutting down"
	case errors.Is(err, chat.ErrClosed):
		return ws.CodeNormal, ""
	}
	return ws.CodeInternalError, ""
}
