//go:build linux

package main

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"framewright/bench/internal/machine"
	"framewright/bench/internal/report"
)

// sessionsRun measures the memory of chat sessions that wait, in the chat server
// as people run it.
type sessionsRun struct {
	clients int
	repeat  int
	profile string
	log     io.Writer
	servers []chatServer
	samples map[string]map[string]map[string]report.Samples // server, kind, figure
}

// A chatServer is a server that was built of one state of the sources.
type chatServer struct{ name, file string }

// settleHook is what is built into the servers.
//
//go:embed sessions/settle.go.txt
var settleHook []byte

// sessionsLimit bounds all of one measurement.
const sessionsLimit = 3 * time.Minute

// sessionsCommand is "go run . sessions".
func sessionsCommand(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	r := &sessionsRun{log: stderr, samples: map[string]map[string]map[string]report.Samples{}}
	flags := flag.NewFlagSet("sessions", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.IntVar(&r.clients, "conns", 5000, "clients, 10 to 20000")
	flags.IntVar(&r.repeat, "repeat", 3, "repetitions, of which the median counts, 1 to 20")
	flags.StringVar(&r.profile, "profile", "", "write profiles of the heap and the goroutines to `FILE`.heap and so on")
	only := flags.String("kind", "", "measure only kinds of clients with this `TEXT` in their names")
	sources := flags.String("sources", "framewright=..", "servers in turns, a `LIST` with semicolons of NAME=FOLDER, the main module's")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return nil
		}
		return err
	}
	switch {
	case flags.NArg() > 0:
		return fmt.Errorf("%q is no setting", flags.Arg(0))
	case r.clients < 10 || r.clients > 20000:
		return fmt.Errorf("-conns %d: expected 10 to 20000", r.clients)
	case r.repeat < 1 || r.repeat > 20:
		return fmt.Errorf("-repeat %d: expected 1 to 20", r.repeat)
	}
	if err := raiseFiles(r.clients); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "sessions")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	for i, source := range strings.Split(*sources, ";") {
		name, folder, ok := strings.Cut(strings.TrimSpace(source), "=")
		if !ok {
			return fmt.Errorf("-sources: %q: expected NAME=FOLDER", source)
		}
		s := chatServer{name, filepath.Join(dir, fmt.Sprint("server", i))}
		if err := buildSettling(ctx, dir, folder, s.file); err != nil {
			return err
		}
		r.servers = append(r.servers, s)
	}
	for rep := range r.repeat {
		for i := range r.servers { // another one begins each time
			s := r.servers[(i+rep)%len(r.servers)]
			for _, kind := range idlers {
				if !strings.Contains(kind.name, *only) {
					continue
				}
				if err := r.one(ctx, s, kind); err != nil {
					return fmt.Errorf("%s, %s: %w", s.name, kind.name, err)
				}
			}
		}
	}
	r.write(stdout)
	return nil
}

// buildSettling builds the chat server of a folder with the hook in it.
func buildSettling(ctx context.Context, dir, folder, file string) error {
	folder, err := filepath.Abs(folder)
	if err != nil {
		return err
	}
	hook, overlay := filepath.Join(dir, "settle.go"), filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(hook, settleHook, 0o600); err != nil {
		return err
	}
	replace, err := json.Marshal(map[string]map[string]string{"Replace": {filepath.Join(folder, "cmd", "server", "bench_settle.go"): hook}})
	if err != nil {
		return err
	}
	if err := os.WriteFile(overlay, replace, 0o600); err != nil {
		return err
	}
	build := exec.CommandContext(ctx, "go", "build", "-overlay", overlay, "-o", file, "./cmd/server")
	build.Dir, build.Stderr = folder, os.Stderr
	if err := build.Run(); err != nil {
		return fmt.Errorf("building %s: %w", filepath.Join(folder, "cmd", "server"), err)
	}
	return nil
}

// sessionFigures are what a session takes, and what a message to all of them does for
// each: one at a time, and sixteen.
var sessionFigures = []sessionFigure{
	{"resident, KiB", 1 << 10}, {"given back, KiB", 1 << 10}, {"heap, KiB", 1 << 10}, {"stacks, KiB", 1 << 10}, {"goroutines", 1},
	{"µs CPU a delivery", 1}, {"16 under way", 1},
}

type sessionFigure struct {
	name string
	unit float64
}

// one starts a server, lets the clients in, and notes what each of them takes.
func (r *sessionsRun) one(ctx context.Context, s chatServer, kind idler) error {
	ctx, cancel := context.WithTimeout(ctx, sessionsLimit)
	defer cancel()
	if r.profile != "" {
		os.Setenv("BENCH_PROFILE", r.profile)
	}
	// The bounds for one address are off, and for who talks: all come from one. The rest is as it is.
	p, err := machine.Start(ctx, -1, s.file, "-addr", "127.0.0.1:0", "-memory", "-log-level", "error", "-lab", "off",
		"-message-rate", "0", "-person-rate", "0", "-max-conns", "0", "-max-per-address", "0", "-max-http-per-address", "0", "-handshake-rate", "0")
	if err != nil {
		return err
	}
	defer p.Stop()
	m := serverURL.FindStringSubmatch(p.Addr)
	if m == nil {
		return fmt.Errorf("the server says %q", p.Addr)
	}
	for line := ""; !strings.Contains(line, "Ctrl-C"); { // who can reach it, and where it keeps what
		if line, err = p.Line(); err != nil {
			return err
		}
	}
	// What is made once, and the pages of the program itself, are no session's.
	warm, err := letIn(ctx, m[1], kind, warmUp)
	if err != nil {
		return err
	}
	defer warm.close()
	before, err := holds(p)
	if err != nil {
		return err
	}
	all, err := letIn(ctx, m[1], kind, r.clients)
	if err != nil {
		return err
	}
	defer all.close()
	after, err := holds(p)
	if err != nil {
		return err
	}
	if err := errors.Join(warm.err(), all.err()); err != nil {
		return err
	}
	values := make([]float64, 0, len(sessionFigures))
	for i := range after {
		values = append(values, (after[i]-before[i])/float64(r.clients))
	}
	for _, window := range roomModes {
		micros, err := r.deliver(p, kind, window, all, warm)
		if err != nil {
			return err
		}
		values = append(values, micros)
	}
	line := fmt.Sprintf("%s, %s:", s.name, kind.name)
	for i, f := range sessionFigures {
		v := values[i] / f.unit
		r.add(s.name, kind.name, f.name, v)
		line += fmt.Sprintf(" %s %.2f;", f.name, v)
	}
	fmt.Fprintln(r.log, line)
	return errors.Join(warm.err(), all.err())
}

// sayings is how many messages are said for a measurement, for each that is under way.
const sayings = 40

// deliver has a client say things, window of them at once, each time when all of them
// have reached everyone, and returns the server's processor time for one delivery in
// microseconds.
func (r *sessionsRun) deliver(p *machine.Process, kind idler, window int, crowds ...*crowd) (float64, error) {
	heard, everyone := func() (n int64) {
		for _, c := range crowds {
			n += c.heard.Load()
		}
		return n
	}, 0
	for _, c := range crowds {
		everyone += len(c.conns)
	}
	p.Settle(10 * time.Second)
	before, begin := p.CPU(), heard()
	for said := 0; said < sayings*window; said += window {
		if err := kind.say(crowds[0].conns[0], window); err != nil {
			return 0, err
		}
		for end := time.Now().Add(roomTimeout); heard()-begin < int64((said+window)*everyone); time.Sleep(time.Millisecond) {
			if time.Now().After(end) {
				return 0, fmt.Errorf("of %d messages to %d clients %d came", said+window, everyone, heard()-begin)
			}
		}
	}
	return (p.CPU() - before).Seconds() * 1e6 / float64(sayings*window*everyone), nil
}

// warmUp is how many clients are there before it is measured.
const warmUp = 100

// holds says what a server holds once it is at rest, as in sessionFigures: bytes,
// and goroutines.
func holds(p *machine.Process) (figures [5]float64, err error) {
	p.Settle(10 * time.Second)
	if _, err := p.Signal(syscall.SIGUSR1); err != nil {
		return figures, err
	}
	rss, err := resting(p)
	if err != nil {
		return figures, err
	}
	line, err := p.Signal(syscall.SIGUSR2)
	if err != nil {
		return figures, err
	}
	free, err := p.Resident()
	if err != nil {
		return figures, err
	}
	var objects, stacks, goroutines float64
	if _, err := fmt.Sscan(line, &objects, &stacks, &goroutines); err != nil {
		return figures, fmt.Errorf("the server says %q: %w", line, err)
	}
	return [5]float64{rss, float64(free), objects, stacks, goroutines}, nil
}

// resting waits until the runtime has given back to the system, in the background,
// what it means to, for half a minute at most, and returns what is resident then. It
// takes a hundredth of the processor for that, so it seems to rest in between.
func resting(p *machine.Process) (float64, error) {
	const atRest = 3 // seconds without a change
	last, same := int64(math.MaxInt64), 0
	for range 30 {
		rss, err := p.Resident()
		if err != nil {
			return 0, err
		}
		if same++; rss < last-last/1000 {
			last, same = rss, 0
		}
		if same == atRest {
			break
		}
		time.Sleep(time.Second)
	}
	return float64(last), nil
}

func (r *sessionsRun) add(server, kind, figure string, v float64) {
	if r.samples[server] == nil {
		r.samples[server] = map[string]map[string]report.Samples{}
	}
	if r.samples[server][kind] == nil {
		r.samples[server][kind] = map[string]report.Samples{}
	}
	r.samples[server][kind][figure] = append(r.samples[server][kind][figure], v)
}

// write prints the tables.
func (r *sessionsRun) write(w io.Writer) {
	fmt.Fprintf(w, "## Chat sessions that wait, %s at once\n\n", report.Count(r.clients))
	for _, line := range machine.About() {
		fmt.Fprintln(w, "- "+line)
	}
	fmt.Fprintln(w)
	var rows [][]string
	for _, kind := range idlers {
		for _, s := range r.servers {
			if r.samples[s.name][kind.name] == nil {
				continue
			}
			row := []string{kind.name, s.name}
			for _, f := range sessionFigures {
				row = append(row, r.samples[s.name][kind.name][f.name].String())
			}
			rows = append(rows, row)
		}
	}
	head := []string{"client", "server"}
	for _, f := range sessionFigures {
		head = append(head, f.name)
	}
	fmt.Fprint(w, report.Table(head, rows))
}
