package engineio

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"framewright/ws"
	"framewright/ws/wsnet"
)

// acceptUpgrade takes a WebSocket for a session that is polling. One that has
// a WebSocket already, or is about to, is told so on the second and lives on.
func (s *Socket) acceptUpgrade(w http.ResponseWriter, r *http.Request) *refusal {
	if !s.server.upgrades() {
		return &refusal{code: codeRequest, detail: "an upgrade, which Options.NoUpgrade forbids"}
	}
	s.mu.Lock()
	flooded := s.idled(upgradeCosts)
	s.mu.Unlock()
	if flooded {
		return &refusal{code: codeRequest, detail: flood(s.server.o.IdleRate).Error()}
	}
	conn, err := wsnet.Accept(w, r, &s.server.o.WebSocket)
	if err != nil { // and answered
		s.server.o.Logger.Info("engineio: refused", "remote", s.server.o.Remote(r), "path", r.URL.Path, "err", err)
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conn != nil || s.next != nil || s.err != nil {
		go conn.Close(context.Background(), ws.CodePolicyViolation, "the session has a WebSocket already, or is over")
		return nil
	}
	ctx, cancel := context.WithCancelCause(context.Background())
	s.next, s.stopUpgrade = conn, func() { cancel(nil) }
	s.limitUpgrade(ctx, cancel)
	go s.upgrade(ctx, conn) // this goroutine has net/http's stack and buffers
	return nil
}

// limitUpgrade ends an upgrade that takes too long. What this side makes the
// client wait for does not count: it moves when its POST was answered. The caller
// holds s.mu.
func (s *Socket) limitUpgrade(ctx context.Context, cancel context.CancelCauseFunc) {
	limit := s.server.o.UpgradeTimeout
	var timer *time.Timer
	timer = time.AfterFunc(limit, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		switch {
		case ctx.Err() != nil: // it is over
		case s.posting && s.holds():
			timer.Reset(limit)
		default:
			cancel(fmt.Errorf("not done within %v", limit))
		}
	})
	context.AfterFunc(ctx, func() { timer.Stop() })
}

// upgrade does the server's half of an upgrade, and then reads from conn for
// as long as the session lasts.
func (s *Socket) upgrade(ctx context.Context, conn *wsnet.Conn) {
	err := s.probe(ctx, conn)
	s.mu.Lock()
	s.stopUpgrade()
	s.next, s.stopUpgrade, s.probed = nil, nil, false
	s.mu.Unlock()
	if err != nil {
		s.server.o.Logger.Debug("engineio: no upgrade", "remote", s.remote, "err", err)
		conn.Close(context.Background(), ws.CodePolicyViolation, "upgrade not done")
		return
	}
	s.read(conn)
}

// probe waits for the client to try the WebSocket out and then to move to it.
// The client sends the last packet when its GET requests have come to an end,
// so what is queued from then on comes behind what they were given.
func (s *Socket) probe(ctx context.Context, conn *wsnet.Conn) error {
	if err := expect(ctx, conn, "2probe"); err != nil {
		return err
	}
	if err := conn.Write(ctx, ws.OpText, []byte("3probe")); err != nil {
		return err
	}
	s.mu.Lock()
	s.probed = true
	if s.poll != nil {
		s.answerPoll([]packet{noopPacket})
	}
	s.mu.Unlock()
	if err := expect(ctx, conn, "5"); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.phase == phaseGone {
		return errors.New("the session is over")
	}
	s.conn = conn
	if s.poll != nil { // a client that did not wait for its end
		s.answerPoll([]packet{noopPacket})
	}
	if s.phase == phaseClosing {
		s.setTimer(s.server.o.CloseTimeout)
		s.writing = true
		go s.write(conn)
		return nil
	}
	s.flush()
	return nil
}

func expect(ctx context.Context, conn *wsnet.Conn, want string) error {
	op, data, err := conn.Read(ctx)
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case err != nil:
		return err
	case op != ws.OpText || string(data) != want:
		return fmt.Errorf("%s of %d bytes; expected the packet %q", op, len(data), want)
	}
	return nil
}
