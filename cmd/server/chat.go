package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"time"

	"framewright/chat"
	"framewright/chat/plain"
	"framewright/ws"
)

// serveChat is the program without a command: page and chat.
func serveChat(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	set, err := parseSettings(args, stdout)
	if err != nil {
		return err
	}
	tlsConfig, err := set.tls()
	if err != nil {
		return err
	}
	tracer, err := openTrace(*set.trace, stderr)
	if err != nil {
		return err
	}
	defer tracer.Close()
	log := set.logger(stderr)

	o := set.chat()
	logChat(&o, log)
	hub := chat.New(o)
	defer hub.Close()
	sockets := ws.Handler(plain.Handler(hub, nil))
	sockets.Options = ws.Options{
		Subprotocols:   []string{plain.Subprotocol},
		OriginPatterns: set.origins,
		MaxMessage:     set.maxMessage,
		Trace:          tracer.hook(),
	}
	sockets.MaxConns = set.maxConns
	sockets.MaxPerAddress = set.maxPerAddress
	sockets.Logger = log

	mux := http.NewServeMux()
	mux.Handle("/", page())
	mux.Handle("/ws", sockets)

	l, err := listen(set.addr)
	if err != nil {
		return err
	}
	fmt.Fprint(stdout, greeting(l.Addr(), tlsConfig != nil))
	return serveHTTP(ctx, &http.Server{
		Handler:           mux,
		TLSConfig:         tlsConfig,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       15 * time.Second,
		WriteTimeout:      30 * time.Second,
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}, l, sockets, set.drain, log)
}

// greeting says where to go.
func greeting(addr net.Addr, secure bool) string {
	scheme := "http"
	if secure {
		scheme = "https"
	}
	host, port, _ := net.SplitHostPort(addr.String())
	note := "Only this machine can reach it; -addr :" + port + " lets others in, too."
	if ip := net.ParseIP(host); ip.IsUnspecified() {
		host, note = "localhost", "Every address of this machine works, from other machines as well."
	} else if !ip.IsLoopback() {
		note = "Whoever can reach this address can chat."
	}
	return fmt.Sprintf("Chat at %s://%s/\n%s Ctrl-C ends it.\n", scheme, net.JoinHostPort(host, port), note)
}

// logChat sets the hooks that log who comes and goes and that messages are
// sent. What people write is logged at level debug only.
func logChat(o *chat.Options, log *slog.Logger) {
	who := func(s *chat.Session) slog.Attr {
		return slog.Group("who", "name", s.Person().Name, "id", s.Person().ID)
	}
	o.Connected = func(s *chat.Session) { log.Info("connect", who(s)) }
	o.Disconnected = func(s *chat.Session, reason error) {
		if reason == nil {
			log.Info("disconnect", who(s))
			return
		}
		log.Info("disconnect", who(s), "reason", reason)
	}
	o.Joined = func(s *chat.Session, room string) { log.Info("join", who(s), "room", room) }
	o.Left = func(s *chat.Session, room string) { log.Info("leave", who(s), "room", room) }
	o.Message = func(s *chat.Session, m *chat.Message) {
		args := []any{who(s), "room", m.Room, "cursor", m.Cursor.String(), "bytes", len(m.Text)}
		if log.Enabled(context.Background(), slog.LevelDebug) {
			args = append(args, "text", m.Text)
		}
		log.Info("message", args...)
	}
}
