// Testees are well-known WebSocket libraries as a conformance suite wants them: each
// echoes every message, as a server and as a client, in the way that its own
// documents show, with the limits raised that the suite means to reach and with
// compression if it has that.
//
//	go run ./testees -list
//	go run ./testees -serve NAME            says its URL and serves until its input ends
//	go run ./testees -echo NAME URL         connects once, and echoes until the end
//	go run ./testees -client NAME URL       plays all cases of a suite that waits at URL
//	go run ./testees -page FILE             plays our suite with all of them, and writes a page
//	go run ./testees -record FILE           has the real testsuite judge them all
//
// What is not written in Go is installed on first use, as the tests' peers are.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"
)

// A library is one testee. Those of other languages have a command in place of
// functions.
type library struct {
	name    string
	about   string // how it was set up, where there is a choice
	version func() string
	serve   func(net.Listener) error
	echo    func(ctx context.Context, url string) error
	command func(ctx context.Context) ([]string, error) // takes serve, or echo URL, or client URL
}

var libraries = []library{
	{name: "framewright", about: "wsnet, compression with context", version: func() string { return "of this tree" }, serve: serveFramewright, echo: echoFramewright},
	{name: "gorilla", about: "compression without context, which is all it has; UTF-8 checked by the application, as its documents ask", version: module("github.com/gorilla/websocket"), serve: serveGorilla, echo: echoGorilla},
	{name: "coder", about: "compression with context", version: module("github.com/coder/websocket"), serve: serveCoder, echo: echoCoder},
	{name: "gobwas", about: "wsutil, UTF-8 checked by its reader; no compression", version: module("github.com/gobwas/ws"), serve: serveGobwas, echo: echoGobwas},
	{name: "gws", about: "compression with context, UTF-8 checked", version: module("github.com/lxzan/gws"), serve: serveGws, echo: echoGws},
	{name: "ws", about: "Node.js, compression on", version: pinned(nodeVersion), command: nodeCommand},
	{name: "websockets", about: "Python's asyncio, compression on, as by default", version: pinned(pythonVersion), command: pythonCommand},
	{name: "tungstenite", about: "Rust, blocking; it has no compression", version: pinned(rustVersion), command: rustCommand},
}

func main() {
	list := flag.Bool("list", false, "list the libraries, with their versions")
	serve := flag.String("serve", "", "the library to serve with, by `name`")
	echo := flag.String("echo", "", "the library to connect with, once, to the URL behind the flags")
	client := flag.String("client", "", "the library to play all cases with of the suite at the URL behind the flags")
	page := flag.String("page", "", "judge all libraries and write what there is to say of them to this `file`")
	record := flag.String("record", "", "have the real Autobahn testsuite judge all libraries, and write its verdicts to this `file`")
	only := flag.String("only", "", "with -page, only these `libraries`, with commas between")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var err error
	switch {
	case *list:
		for _, l := range libraries {
			fmt.Printf("%s\t%s\t%s\n", l.name, l.version(), l.about)
		}
	case *serve != "":
		err = on(*serve, func(l library) error { return l.runServe(ctx) })
	case *echo != "":
		err = on(*echo, func(l library) error { return l.run(ctx, "echo", flag.Arg(0)) })
	case *client != "":
		err = on(*client, func(l library) error { return l.run(ctx, "client", flag.Arg(0)) })
	case *page != "":
		err = writePage(ctx, *page, *only)
	case *record != "":
		err = recordAll(ctx, *record)
	default:
		flag.Usage()
		os.Exit(2)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "testees:", err)
		os.Exit(1)
	}
}

func on(name string, f func(library) error) error {
	var names []string
	for _, l := range libraries {
		if l.name == name {
			return f(l)
		}
		names = append(names, l.name)
	}
	return fmt.Errorf("no library is called %q, only %s", name, strings.Join(names, ", "))
}

// runServe serves until standard input ends.
func (l library) runServe(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		io.Copy(io.Discard, os.Stdin)
		cancel()
	}()
	if l.command != nil {
		return l.start(ctx, "serve")
	}
	ln, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return err
	}
	defer ln.Close()
	fmt.Printf("ws://%s/\n", ln.Addr())
	failed := make(chan error, 1)
	go func() { failed <- l.serve(ln) }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done(): // not every library's loop ends with its listener
		return nil
	}
}

// run echoes on one connection, or on one for each case of a suite.
func (l library) run(ctx context.Context, what, url string) error {
	if url == "" {
		return errors.New("want a ws:// URL behind the flags")
	}
	switch {
	case l.command != nil:
		return l.start(ctx, what, url)
	case what == "echo":
		return l.echo(ctx, url)
	}
	return l.playAll(ctx, url)
}

// start runs the command of a library in another language.
func (l library) start(ctx context.Context, args ...string) error {
	argv, err := l.command(ctx)
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, argv[0], append(argv[1:], args...)...)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	if err := cmd.Run(); ctx.Err() == nil {
		return err
	}
	return nil
}

// module returns the version of a Go module that was built in.
func module(path string) func() string {
	return func() string {
		info, ok := debug.ReadBuildInfo()
		if !ok {
			return "unknown"
		}
		for _, d := range info.Deps {
			if d.Path == path {
				return d.Version
			}
		}
		return "unknown"
	}
}

func pinned(v string) func() string { return func() string { return v } }
