package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"framewright/chat"
	"framewright/internal/boundedlog"
	"framewright/ws"
	"framewright/ws/wsnet"
)

// The log says who came and went, from where and why, and that messages were
// sent. What people write is never in it, at no level: -trace shows that.

// logHandler makes the log, whose lines a peer cannot have for nothing: see
// [boundedlog]. Every line that is a peer's doing says "remote".
func (s *settings) logHandler(w io.Writer, suppressed func(message string)) *boundedlog.Handler {
	o := &slog.HandlerOptions{Level: s.logLevel}
	var h slog.Handler = slog.NewJSONHandler(w, o)
	if s.logFormat == "text" || s.logFormat == "auto" && isTerminal(w) {
		h = slog.NewTextHandler(w, o)
	}
	limit := s.logRate.limit()
	return boundedlog.New(h, boundedlog.Options{PerSecond: limit.PerSecond, Burst: limit.Burst, Suppressed: suppressed})
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// logChat sets the hooks that log what happens in the chat, unless nobody would
// see it: a hook costs each message a goroutine's start.
func logChat(o *chat.Options, log *slog.Logger) {
	if !log.Enabled(context.Background(), slog.LevelInfo) {
		return
	}
	line := func(what string, s *chat.Session, args ...any) {
		who := []any{"session", sessionLabel(s), "remote", s.Address(), "person", s.Person().ID, "name", s.Person().Name}
		log.Info(what, append(who, args...)...)
	}
	o.Connected = func(s *chat.Session) { line("connect", s) }
	o.Disconnected = func(s *chat.Session, reason error) {
		if reason == nil {
			line("disconnect", s, "reason", chat.EndReason(nil))
			return
		}
		line("disconnect", s, "reason", reason.Error())
	}
	o.Joined = func(s *chat.Session, room string) { line("join", s, "room", room) }
	o.Left = func(s *chat.Session, room string) { line("leave", s, "room", room) }
	o.Message = func(s *chat.Session, m *chat.Message) {
		line("message", s, "room", m.Room, "cursor", m.Cursor.String(), "bytes", len(m.Text))
	}
}

// sessionLabel is enough of a session's id to tell its lines from others', and
// too little to be taken for the session.
func sessionLabel(s *chat.Session) string { return s.ID()[:min(8, len(s.ID()))] }

// A watcher counts each WebSocket connection while it lives and logs its end.
type watcher struct {
	log     *slog.Logger
	metrics *metrics
	ends    sync.WaitGroup // of connections whose end is not in the log yet
}

// watch wraps the connections' handler.
func (w *watcher) watch(handle func(context.Context, *wsnet.Conn) error) func(context.Context, *wsnet.Conn) error {
	return func(ctx context.Context, c *wsnet.Conn) error {
		who := clientOf(ctx)
		who.began = time.Now()
		w.ends.Add(1)
		w.metrics.sockets.add(c)
		w.log.Debug("open", "conn", c.ID(), "remote", remote(who.addr))
		return handle(ctx, c)
	}
}

// ended is the server's hook of that name.
func (w *watcher) ended(c *wsnet.Conn) {
	defer w.ends.Done()
	who := clientOf(c.Context())
	end, _ := errors.AsType[*ws.CloseError](c.Err())
	stats := c.Stats()
	w.metrics.sockets.remove(c)
	w.metrics.closed.WithLabelValues(closeCode(end.Code)).Inc()
	w.log.Info("closed", "conn", c.ID(), "remote", remote(who.addr), "session", who.label(), "code", int(end.Code), "reason", end.Error(), "said", end.Reason,
		"seconds", time.Since(who.began).Seconds(), "bytes_in", stats.BytesIn, "bytes_out", stats.BytesOut)
}

// A client is what the server knows of who is behind a connection.
type client struct {
	addr    netip.Addr
	session atomic.Pointer[chat.Session] // nil until it has said who it is
	began   time.Time                    // of a WebSocket connection of the native protocol
}

func (c *client) label() string {
	if s := c.session.Load(); s != nil {
		return sessionLabel(s)
	}
	return ""
}

type clientKey struct{}

// withClient is a Connect hook: the connection's context knows the client.
func (g *gate) withClient(r *http.Request) (context.Context, error) {
	return context.WithValue(r.Context(), clientKey{}, &client{addr: g.proxies.client(r)}), nil
}

// clientOf returns what withClient put into ctx.
func clientOf(ctx context.Context) *client {
	if c, ok := ctx.Value(clientKey{}).(*client); ok {
		return c
	}
	return new(client)
}

// admitted is a plain.Options' Admitted.
func (w *watcher) admitted(ctx context.Context, c *wsnet.Conn, s *chat.Session) {
	clientOf(ctx).session.Store(s)
	w.log.Debug("admitted", "conn", c.ID(), "session", sessionLabel(s))
}
