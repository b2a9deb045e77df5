// Command setup gets the peers that the tests talk to and prints one line for
// each: whether it was there (have), was installed, or cannot be had, and why.
// The tests do the same by themselves; this is for doing it beforehand.
//
// With -strict the exit status is 1 if a peer is missing.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"

	"framewright/peers/internal/install"
)

func main() {
	strict := flag.Bool("strict", false, "exit with status 1 if a peer cannot be had")
	flag.Usage = func() {
		fmt.Fprintln(flag.CommandLine.Output(), "usage: go run ./setup [-strict]\n\nFinds or installs the peers of the interoperability tests: ws,\nengine.io-client, socket.io and its client (Node.js), websockets and python-socketio\n(Python), TypeScript, Chromium and tshark. They go to the user's cache folder;\nChromium and tshark are installed by apt-get, as root on Debian only.")
		flag.PrintDefaults()
	}
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	missing := false
	for _, r := range install.All(ctx) {
		fmt.Println(r)
		missing = missing || r.State == install.Cannot
	}
	if missing && *strict {
		os.Exit(1)
	}
}
