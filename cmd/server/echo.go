package main

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"

	"framewright/cmd/server/internal/echo"
	"framewright/internal/boundedlog"
	"framewright/ws"
)

const echoAbout = `Usage: server echo [settings]

A bare echo server for conformance tests, benchmarks and first steps: every message
goes back to its sender as it came, and a browser that opens the address is told what to
type into its console. It has none of the protections that a public server
needs: any origin may connect, and nothing is rate-limited.
`

// serveEcho is the command "echo".
func serveEcho(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("echo", flag.ContinueOnError)
	addr := flags.String("addr", "127.0.0.1:9001", "`HOST:PORT` to listen on; port 0 takes a free one")
	limit := flags.Int64("limit", 16<<20, "longest message in `BYTES`; 0 for no limit")
	all := flags.Bool("broadcast", false, "send each message to every connection instead of back;\na connection that takes nothing for a second is cut")
	compress := flags.String("compress", "off", "permessage-deflate: off, no-takeover (each message by itself) or\ntakeover (contexts kept in both directions)")
	var trace traceSettings
	trace.declare(flags)
	if err := parseFlags(flags, args, stdout, echoAbout); err != nil {
		return err
	}
	if *limit < 0 {
		return usagef("-limit %d: a number of bytes, 0 or more", *limit)
	}
	compression, ok := compressions[*compress]
	if !ok {
		return usagef("-compress %q: off, no-takeover or takeover", *compress)
	}
	tracer, err := trace.open(os.Environ(), stderr)
	if err != nil {
		return err
	}
	defer tracer.Close()
	l, err := listen("-addr", *addr, 0o600)
	if err != nil {
		return err
	}
	fmt.Fprintf(stdout, "listening on ws://%s/\nor by hand, in a browser's console: http://%[1]s/\n", l.Addr())
	return echo.Serve(ctx, l, echo.Options{
		Limit:       cmp.Or(*limit, -1),
		Broadcast:   *all,
		Compression: compression,
		Trace:       tracer.hook(),
		Logger:      slog.New(boundedlog.New(slog.NewTextHandler(stderr, nil), boundedlog.Options{})),
	})
}

// compressions are what -compress chooses from.
var compressions = map[string]*ws.Compression{
	"off":         nil,
	"no-takeover": {},
	"takeover":    {SendContext: true, ReceiveContext: true},
}
