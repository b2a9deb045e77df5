//go:build linux

// Command bench measures Framewright side by side with other WebSocket
// servers, in one run on one machine. From this folder:
//
//	go run .
//
// does all but window, compression, socketio, sessions and attacks, and prints tables; README.md says how to read them.
//
//	go run . compression
//
// prints the tables of COMPRESSION.md: echo servers with permessage-deflate.
//
// Every server is a process of its own, pinned to one core, the load on another.
// This is a module of its own, so that the others are no dependencies of the
// main module. A server that cannot be had is left out, and the output says
// why. It needs Linux.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"
)

const usage = `Usage: go run . [COMMAND] [settings]

Commands:
  all          everything but the last five (what runs without a command)
  echo         processor time and latency of an echoed message
  idle         memory of connections that wait
  broadcast    processor time of a delivery, the chat's too
  handshake    processor time of an opening handshake
  growth       the same with 10 to 10,000 connections
  micro        handshake and masking without sockets
  window       echo with another load: other client, arrival and payloads
  compression  echo with permessage-deflate
  socketio     a Socket.IO chat room beside npm socket.io and Flask-SocketIO
  sessions     memory of chat sessions that wait, in the chat server itself, and a delivery
  attacks      what one address that means harm costs the chat server and others

"go run . COMMAND -h" lists the settings.
`

func main() {
	if err := command(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func command(args []string) error {
	if len(args) == 3 && args[0] == "serve" { // what bench starts itself as
		return serve(args[1], args[2] == "keep")
	}
	if len(args) == 3 && args[0] == "server" { // the same, for sideBySide
		return serveWork(args[1], args[2])
	}
	if len(args) == 1 && args[0] == "socketio-server" {
		return serveSocketIO()
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if len(args) == 0 || strings.HasPrefix(args[0], "-") && !isHelp(args[0]) {
		args = append([]string{"all"}, args...)
	}
	switch name := args[0]; {
	case name == "all" || slices.Contains(groups, name):
		return sideBySide(ctx, name, args[1:], os.Stdout, os.Stderr)
	case name == "window":
		return windowCommand(ctx, args[1:], os.Stdout, os.Stderr)
	case name == "attacks":
		if err := raiseFiles(8500); err != nil {
			return err
		}
		return runAttacks(ctx, args[1:])
	case name == "socketio":
		return socketIOCommand(ctx, args[1:], os.Stdout, os.Stderr)
	case name == "sessions":
		return sessionsCommand(ctx, args[1:], os.Stdout, os.Stderr)
	case name == "compression":
		return compressionCommand(ctx, args[1:])
	case isHelp(name):
		fmt.Print(usage)
		return nil
	default:
		return fmt.Errorf("there is no command %q\n\n%s", name, usage)
	}
}

func isHelp(arg string) bool {
	return strings.TrimLeft(arg, "-") == "h" || strings.TrimLeft(arg, "-") == "help"
}

func compressionCommand(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("compression", flag.ExitOnError)
	var b bench
	seconds := flags.Float64("seconds", 1, "longest time of one measurement, up to 10")
	flags.IntVar(&b.reps, "reps", 3, "repetitions, of which the median counts, up to 9")
	flags.IntVar(&b.idle, "conns", 1000, "connections when measuring memory, up to 5000")
	if err := flags.Parse(args); err != nil {
		return err
	}
	b.limit = time.Duration(*seconds * float64(time.Second))
	if b.limit <= 0 || b.limit > 10*time.Second || b.reps < 1 || b.reps > 9 || b.idle < 1 || b.idle > 5000 {
		return fmt.Errorf("-seconds %v -reps %d -conns %d: out of range", *seconds, b.reps, b.idle)
	}
	if err := raiseFiles(b.idle); err != nil {
		return err
	}
	if err := pinLoad(); err != nil {
		return err
	}
	return b.compression(ctx)
}
