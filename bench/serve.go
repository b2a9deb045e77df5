//go:build linux

package main

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"runtime/debug"

	"framewright/bench/internal/peer"
)

// serveWork is a server's process: it says its address and serves until its
// standard input ends. The line "collect" makes it give back to the system all
// memory that it does not need.
func serveWork(name, work string) error {
	s, ok := peer.ByName(name)
	if !ok {
		return fmt.Errorf("no server is called %q", name)
	}
	serve := map[string]func(net.Listener) error{"echo": s.Echo, "broadcast": s.Broadcast}[work]
	if serve == nil {
		return fmt.Errorf("%s has no server for %q", name, work)
	}
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return err
	}
	go func() {
		in := bufio.NewScanner(os.Stdin)
		for in.Scan() {
			debug.FreeOSMemory()
			fmt.Println("done")
		}
		os.Exit(0)
	}()
	fmt.Println(l.Addr())
	return serve(l)
}
