package testee

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"time"

	"framewright/ws/wsnet"
)

// Serve echoes on the connections of l until ctx ends, and closes them then; those
// that take longer than two seconds for it are cut. It closes l.
func Serve(ctx context.Context, l net.Listener) error {
	server := echoServer()
	hs := &http.Server{Handler: server, ReadHeaderTimeout: 10 * time.Second, MaxHeaderBytes: 64 << 10,
		ErrorLog: slog.NewLogLogger(server.Logger.Handler(), slog.LevelWarn)}
	stop := context.AfterFunc(ctx, func() {
		end, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
		defer cancel()
		server.Shutdown(end)
		hs.Close()
	})
	defer stop()
	if err := hs.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

func echoServer() *wsnet.Server {
	server := wsnet.Handler(echo)
	server.Logger = slog.New(slog.NewTextHandler(io.Discard, nil)) // the suite breaks rules all the time
	server.Options = wsnet.ServerOptions{Options: options().Options, OriginPatterns: []string{"*"}}
	return server
}
