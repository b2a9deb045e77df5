//go:build linux

package main

import (
	"bufio"
	"context"
	"embed"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"framewright/bench/internal/machine"
	"framewright/bench/internal/report"
	"framewright/engineio"
	"framewright/socketio"
)

//go:embed socketio
var socketIOFiles embed.FS

// socketIORun compares chat rooms on Socket.IO.
type socketIORun struct {
	conns    int
	seconds  float64
	repeat   int
	patience machine.Patience
	log      io.Writer
}

// socketIOCommand is "go run . socketio".
func socketIOCommand(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	r := &socketIORun{log: stderr}
	flags := flag.NewFlagSet("socketio", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.IntVar(&r.conns, "conns", 1000, "receivers, 2 to 5000")
	flags.Float64Var(&r.seconds, "seconds", 3, "length of one measurement, in `SECONDS`, 0.1 to 60")
	flags.IntVar(&r.repeat, "repeat", 3, "repetitions, of which the median counts, 1 to 99")
	wait := flags.Duration("wait", time.Minute, "wait this `TIME` at most, in all, for a quiet machine")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return nil
		}
		return err
	}
	switch {
	case flags.NArg() > 0:
		return fmt.Errorf("%q is no setting", flags.Arg(0))
	case r.conns < 2 || r.conns > 5000:
		return fmt.Errorf("-conns %d: expected 2 to 5000", r.conns)
	case r.seconds < 0.1 || r.seconds > 60:
		return fmt.Errorf("-seconds %v: expected 0.1 to 60", r.seconds)
	case r.repeat < 1 || r.repeat > 99:
		return fmt.Errorf("-repeat %d: expected 1 to 99", r.repeat)
	}
	r.patience.Left = *wait
	if err := raiseFiles(r.conns); err != nil {
		return err
	}
	if err := pinLoad(); err != nil {
		return err
	}
	return r.do(ctx, stdout)
}

// roomModes are how many messages are under way at one time.
var roomModes = []int{1, 16}

func (r *socketIORun) do(ctx context.Context, stdout io.Writer) error {
	servers, missing := socketIOServers(ctx)
	samples := map[string]map[int]report.Samples{}
	deliveries := map[string]map[int]report.Samples{}
	var others report.Samples
	quiet := true
	for rep := range r.repeat {
		for i := range servers { // another one begins each time
			s := servers[(i+rep)%len(servers)]
			for _, window := range roomModes {
				quiet = r.patience.Wait() && quiet
				micros, perSecond, busy, err := r.one(ctx, s, window)
				if err != nil {
					return fmt.Errorf("%s: %w", s.name, err)
				}
				if samples[s.name] == nil {
					samples[s.name], deliveries[s.name] = map[int]report.Samples{}, map[int]report.Samples{}
				}
				samples[s.name][window] = append(samples[s.name][window], micros)
				deliveries[s.name][window] = append(deliveries[s.name][window], perSecond)
				others = append(others, busy)
				fmt.Fprintf(r.log, "%d/%d %s, %d under way: %.2f µs a delivery, %.0f deliveries/s\n", rep+1, r.repeat, s.name, window, micros, perSecond)
			}
		}
	}
	fmt.Fprintf(stdout, "## Socket.IO: a chat room of %d over WebSocket\n\n", r.conns)
	for _, line := range machine.About() {
		fmt.Fprintln(stdout, "- "+line)
	}
	fmt.Fprintf(stdout, "- others kept %s cores busy\n", others)
	for _, m := range missing {
		fmt.Fprintln(stdout, "- "+m)
	}
	if !quiet {
		fmt.Fprintln(stdout, "- **the machine was not quiet**: compare with care")
	}
	for _, window := range roomModes {
		title := "One message under way at a time"
		if window > 1 {
			title = fmt.Sprintf("%d messages under way", window)
		}
		fmt.Fprintf(stdout, "\n%s: processor time of the server's process for one delivery.\n\n", title)
		var rows [][]string
		ours := samples[servers[0].name][window].Median()
		for _, s := range servers {
			rows = append(rows, []string{s.name, samples[s.name][window].String(), fmt.Sprintf("%.2f", samples[s.name][window].Median()/ours),
				deliveries[s.name][window].String()})
		}
		fmt.Fprint(stdout, report.Table([]string{"server", "µs CPU", "× framewright", "deliveries/s"}, rows))
	}
	return nil
}

// one starts a server, fills its room and lets it deliver.
func (r *socketIORun) one(ctx context.Context, s ioServer, window int) (micros, perSecond, others float64, err error) {
	p, err := machine.Start(ctx, serverCoreNumber(), s.args...)
	if err != nil {
		return 0, 0, 0, err
	}
	defer p.Stop()
	room, err := openRoom(p.Addr, r.conns)
	if err != nil {
		return 0, 0, 0, err
	}
	defer room.close()
	d := time.Duration(r.seconds * float64(time.Second))
	if _, err := room.run(d/3, window); err != nil { // to warm up
		return 0, 0, 0, err
	}
	p.Settle(3 * time.Second)
	before := machine.Look(p)
	n, err := room.run(d, window)
	if err != nil {
		return 0, 0, 0, err
	}
	after := machine.Look(p)
	cpu := after.Server - before.Server
	return cpu.Seconds() * 1e6 / float64(n), float64(n) / after.At.Sub(before.At).Seconds(), machine.Others(before, after), nil
}

// An ioServer is a program that serves a chat room.
type ioServer struct {
	name string
	args []string
}

// socketIOServers are those that can be had, ours first, and why others cannot.
func socketIOServers(ctx context.Context) (list []ioServer, missing []string) {
	self, err := os.Executable()
	if err != nil {
		return nil, []string{err.Error()}
	}
	list = append(list, ioServer{"framewright socketio", []string{self, "socketio-server"}})
	dir, err := cacheFiles(socketIOFiles, "socketio", "bench-socketio-node", "package.json", "package-lock.json", "server.mjs")
	if err == nil {
		err = install(ctx, dir, "node_modules", npmInstall)
	}
	if err != nil {
		missing = append(missing, fmt.Sprintf("npm socket.io cannot be had: %v", err))
	} else {
		list = append(list, ioServer{"npm socket.io 4.8.4", []string{"node", filepath.Join(dir, "server.mjs"), dir}})
	}
	dir, err = cacheFiles(socketIOFiles, "socketio", "bench-socketio-python", "requirements.txt", "server.py")
	python := filepath.Join(dir, "venv", "bin", "python")
	if err == nil {
		err = install(ctx, dir, "venv", []string{"python3", "-m", "venv", "venv"},
			[]string{python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", "requirements.txt"})
	}
	if err != nil {
		missing = append(missing, fmt.Sprintf("Flask-SocketIO cannot be had: %v", err))
	} else {
		for _, kind := range []string{"gevent", "eventlet"} {
			list = append(list, ioServer{"Flask-SocketIO 5.7.0, " + kind, []string{python, "-W", "ignore", filepath.Join(dir, "server.py"), kind}})
		}
	}
	return list, missing
}

// serveSocketIO is our own server's process: the chat room of a first tutorial,
// as the others have it.
func serveSocketIO() error {
	srv, err := socketio.New(&socketio.Options{
		Engine: engineio.Options{}, // its defaults, as the others have theirs
		Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		return err
	}
	socketio.On(srv, "message", func(ctx context.Context, s *socketio.Socket, text string) error {
		return srv.Emit("message", text)
	})
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return err
	}
	go func() {
		for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		}
		os.Exit(0)
	}()
	fmt.Println(l.Addr())
	return http.Serve(l, srv)
}
