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

// sessionFigures are what a session takes, in KiB but for the last.
var sessionFigures = []string{"resident", "given back", "heap", "stacks", "goroutines"}

// one starts a server, lets the clients in, and notes what each of them takes.
func (r *sessionsRun) one(ctx context.Context, s chatServer, kind idler) error {
	ctx, cancel := context.WithTimeout(ctx, sessionsLimit)
	defer cancel()
	if r.profile != "" {
		os.Setenv("BENCH_PROFILE", r.profile)
	}
	// The bounds for one address are off: all come from one. The rest is as it is.
	p, err := machine.Start(ctx, -1, s.file, "-addr", "127.0.0.1:0", "-memory", "-log-level", "error", "-lab", "off",
		"-max-conns", "0", "-max-per-address", "0", "-max-http-per-address", "0", "-handshake-rate", "0")
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
	line := fmt.Sprintf("%s, %s:", s.name, kind.name)
	for i, figure := range sessionFigures {
		v := (after[i] - before[i]) / float64(r.clients)
		if figure != "goroutines" {
			v /= 1024
		}
		r.add(s.name, kind.name, figure, v)
		line += fmt.Sprintf(" %s %.2f", figure, v)
	}
	fmt.Fprintln(r.log, line)
	return nil
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
// what it means to, for half a minute at most, and returns what is resident then.
func resting(p *machine.Process) (float64, error) {
	last := int64(math.MaxInt64)
	for range 30 {
		rss, err := p.Resident()
		if err != nil || rss > last-last/1000 {
			return float64(rss), err
		}
		last = rss
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
				row = append(row, r.samples[s.name][kind.name][f].String())
			}
			rows = append(rows, row)
		}
	}
	fmt.Fprint(w, report.Table([]string{"client", "server", "resident, KiB", "given back, KiB", "heap, KiB", "stacks, KiB", "goroutines"}, rows))
}
