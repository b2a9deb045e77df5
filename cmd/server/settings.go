package main

import (
	"cmp"
	"crypto/tls"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"

	"framewright/chat"
	"framewright/ws"
)

const chatAbout = `Usage: server [settings]
       server echo [settings]   a bare echo server; see "server echo -h"

A chat for browsers: open the address that it prints. History is kept in memory
and gone when the server ends. SIGINT (Ctrl-C) or SIGTERM ends it in an orderly
way, a second one at once.

By default only this machine can reach it. To let others in, give -addr a
public address, and -cert and -key (or a proxy that does TLS in front).
`

// settings are the chat server's flags.
type settings struct {
	addr      string
	origins   patterns
	cert, key string

	maxConns      int
	maxPerAddress int
	maxMessage    int64
	maxText       int
	maxRooms      int
	queue         int
	history       int
	keep          int
	memory        int

	drain     time.Duration
	logFormat string
	logLevel  slog.Level
	trace     *traceTo
}

// patterns is a flag that may be given many times, and have many values.
type patterns []string

func (p *patterns) String() string { return strings.Join(*p, ",") }
func (p *patterns) Set(s string) error {
	for one := range strings.SplitSeq(s, ",") {
		one = strings.TrimSpace(one)
		if err := ws.CheckOriginPattern(one); err != nil {
			return err
		}
		*p = append(*p, one)
	}
	return nil
}

func parseSettings(args []string, stdout io.Writer) (*settings, error) {
	s := &settings{}
	f := flag.NewFlagSet("server", flag.ContinueOnError)
	f.StringVar(&s.addr, "addr", "127.0.0.1:8080", "`HOST:PORT` to listen on; :8080 is every address of this machine,\nport 0 a free one")
	f.Var(&s.origins, "origin", "`HOST` of a page elsewhere that may connect, besides the server's own page:\nexample.com, *.example.com, https://example.com:8443; may be repeated")
	f.StringVar(&s.cert, "cert", "", "`FILE` with the TLS certificate chain (PEM); turns on https and wss")
	f.StringVar(&s.key, "key", "", "`FILE` with the certificate's private key (PEM)")
	f.IntVar(&s.maxConns, "max-conns", 10_000, "connections at one time; 0 for no limit")
	f.IntVar(&s.maxPerAddress, "max-per-address", 256, "connections from one address; 0 for no limit, which is right\nbehind a proxy, where all come from one")
	f.Int64Var(&s.maxMessage, "max-message", 64<<10, "longest WebSocket message from a client, in `BYTES`")
	f.IntVar(&s.maxText, "max-text", 16<<10, "longest text of a chat message, in `BYTES`")
	f.IntVar(&s.maxRooms, "max-rooms", 10_000, "rooms in use at one time")
	f.IntVar(&s.queue, "queue", 1<<20, "`BYTES` that may wait for one connection; a slower reader is cut")
	f.IntVar(&s.history, "history", 100, "messages shown to who joins a room; 0 for none")
	f.IntVar(&s.keep, "keep", 1000, "messages kept for each room, from which clients catch up")
	f.IntVar(&s.memory, "memory", 64<<20, "`BYTES` of messages kept for all rooms together")
	f.DurationVar(&s.drain, "drain", 10*time.Second, "how long the orderly end may take")
	f.StringVar(&s.logFormat, "log", "text", "`FORMAT` of the log on stderr: text or json")
	f.TextVar(&s.logLevel, "log-level", slog.LevelInfo, "`LEVEL` of the log: debug (with what people write), info, warn or error")
	s.trace = traceFlag(f)
	if err := parseFlags(f, args, stdout, chatAbout); err != nil {
		return nil, err
	}
	return s, s.check(f)
}

func (s *settings) check(f *flag.FlagSet) error {
	if (s.cert == "") != (s.key == "") {
		return usagef("-cert and -key go together: one is the certificate, the other its key")
	}
	if s.logFormat != "text" && s.logFormat != "json" {
		return usagef("-log %q: text or json", s.logFormat)
	}
	if s.drain <= 0 {
		return usagef("-drain %v: a time above 0", s.drain)
	}
	for _, n := range []struct {
		name  string
		least int64
	}{
		{"max-conns", 0}, {"max-per-address", 0}, {"history", 0},
		{"max-message", 1024}, {"max-text", 1}, {"max-rooms", 1}, {"queue", 16 << 10}, {"keep", 1}, {"memory", 64 << 10},
	} {
		var value int64
		v := f.Lookup(n.name).Value
		if _, err := fmt.Sscan(v.String(), &value); err != nil || value < n.least {
			return usagef("-%s %s: a number, %d or more", n.name, v, n.least)
		}
	}
	// The least that JSON adds. Text that needs many escapes can still be too
	// long for -max-message, and the client learns that by 1009.
	if int64(s.maxText)+512 > s.maxMessage {
		return usagef("-max-text %d does not fit into -max-message %d with what JSON adds", s.maxText, s.maxMessage)
	}
	if s.maxText*8 > s.queue {
		return usagef("-queue %d is too small for messages of -max-text %d: at least eight times that", s.queue, s.maxText)
	}
	return nil
}

// tls returns nil if TLS is off.
func (s *settings) tls() (*tls.Config, error) {
	if s.cert == "" {
		return nil, nil
	}
	pair, err := tls.LoadX509KeyPair(s.cert, s.key)
	if err != nil {
		return nil, fmt.Errorf("-cert and -key: %w", err)
	}
	// HTTP/1.1 only: RFC 6455 needs it, and one protocol is enough for a page.
	return &tls.Config{Certificates: []tls.Certificate{pair}, NextProtos: []string{"http/1.1"}}, nil
}

func (s *settings) logger(w io.Writer) *slog.Logger {
	o := &slog.HandlerOptions{Level: s.logLevel}
	if s.logFormat == "json" {
		return slog.New(slog.NewJSONHandler(w, o))
	}
	return slog.New(slog.NewTextHandler(w, o))
}

func (s *settings) chat() chat.Options {
	return chat.Options{
		Store:      &chat.Memory{MaxMessages: s.keep, MaxBytes: s.memory, MaxRooms: 2 * s.maxRooms},
		QueueBytes: s.queue,
		MaxText:    s.maxText,
		MaxRooms:   s.maxRooms,
		History:    cmp.Or(s.history, -1),
		Resume:     s.keep,
	}
}
