// Package echo is a bare echo server for conformance tests and benchmarks: every
// message goes back to its sender as it came, or to everyone. It has none of the
// protections that a public server needs.
package echo

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"time"

	"framewright/internal/boundedlog"
	"framewright/ws"
	"framewright/ws/wsnet"
)

// Options of [Serve]. The zero value echoes messages of up to 1 MiB, which is
// ws's own limit.
type Options struct {
	Limit       int64           // longest message in bytes; below 0 for no limit
	Broadcast   bool            // send each message to every connection instead of back
	Compression *ws.Compression // nil: none
	Trace       func(ws.TraceEvent)
	Logger      *slog.Logger // nil is slog.Default()
}

// Serve serves connections of l until ctx ends, and closes them then; those that
// take longer than 5 s for it are cut. It closes l. The error is the listener's.
func Serve(ctx context.Context, l net.Listener, o Options) error {
	log := cmp.Or(o.Logger, slog.Default())
	server := wsnet.Handler(back)
	server.Logger = log
	if o.Broadcast {
		server.Handler = new(broadcaster).serve
	}
	server.Options = wsnet.ServerOptions{
		Options: wsnet.Options{
			MaxMessage:   o.Limit,
			MaxFragments: -1,
			PingRate:     -1,
			EmptyRate:    -1,
			InflateRate:  -1,
			Compression:  o.Compression,
			Trace:        o.Trace,
		},
		OriginPatterns: []string{"*"},
	}
	hs := &http.Server{Handler: withPage(server), ReadHeaderTimeout: 5 * time.Second, MaxHeaderBytes: 16 << 10,
		ErrorLog: boundedlog.ErrorLog(log, slog.LevelWarn)}
	served := make(chan error, 1)
	go func() { served <- hs.Serve(l) }()
	select {
	case err := <-served:
		return err
	case <-ctx.Done():
	}
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	server.Shutdown(end) // what is left then was cut
	hs.Close()
	if err := <-served; !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// back sends every message back.
func back(ctx context.Context, c *wsnet.Conn) error {
	for m, err := range c.Messages(ctx) {
		if err != nil {
			return err
		}
		if err := c.Write(ctx, m.Opcode, m.Data); err != nil {
			return err
		}
	}
	return nil
}
