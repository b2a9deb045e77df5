package main

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"net"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"time"

	"framewright/autobahn/wsspec"
	"framewright/internal/procgroup"
)

// A judged is what the suite says of a library in a role.
type judged struct {
	library library
	role    wsspec.Role
	results map[*wsspec.Case]wsspec.Result
	crashes map[*wsspec.Case]string // by which its process ended, and its last words
	err     error                   // why it could not be judged at all
}

// judge plays cases with a library, as often as it takes: one whose process ends by
// a case is started again, and its cases are played one by one then, to know by
// which.
func (l library) judge(ctx context.Context, role wsspec.Role, cases []*wsspec.Case, s wsspec.Settings) judged {
	j := judged{library: l, role: role, results: map[*wsspec.Case]wsspec.Result{}, crashes: map[*wsspec.Case]string{}}
	if role == wsspec.Client {
		results, err := l.playClient(ctx, l.echoProcess, cases, s, 6, os.Stderr)
		if err != nil {
			j.err = err
			return j
		}
		for r := range results {
			j.results[r.Case] = r
		}
		return j
	}
	byChapter := map[string][]*wsspec.Case{}
	for _, c := range cases {
		byChapter[c.Chapter] = append(byChapter[c.Chapter], c)
	}
	for _, chapter := range slices.Sorted(maps.Keys(byChapter)) {
		if j.err = j.playServer(ctx, byChapter[chapter], s, 16); j.err != nil {
			if !errors.Is(j.err, errDied) {
				return j
			}
			j.err = nil
			for _, c := range byChapter[chapter] {
				if err := j.playServer(ctx, []*wsspec.Case{c}, s, 1); errors.Is(err, errDied) {
					j.crashes[c] = strings.TrimPrefix(err.Error(), errDied.Error()+": ")
				}
			}
		}
	}
	return j
}

var errDied = errors.New("the process ended")

// playServer plays cases with a process of its own, which may end by them.
func (j *judged) playServer(ctx context.Context, cases []*wsspec.Case, s wsspec.Settings, parallel int) error {
	p, err := serveProcess(ctx, j.library.name)
	if err != nil {
		return err
	}
	defer p.end()
	st, err := wsspec.NewServerTest(p.url, s, nil)
	if err != nil {
		return err
	}
	for r := range wsspec.PlayAll(ctx, st, cases, wsspec.Pace{Parallel: parallel}) {
		j.results[r.Case] = r
	}
	select {
	case <-p.gone:
		return fmt.Errorf("%w: %s", errDied, p.lastWords())
	case <-time.After(50 * time.Millisecond): // one that is about to end does so
		return nil
	}
}

// A process is a library that serves.
type process struct {
	url  string
	gone chan struct{}
	in   io.Closer
	err  strings.Builder // to be read when it has gone
	kill func()
}

// playClient plays cases with the library as a client: start is that, and is started
// for each. One in another language is a few processes, each of which asks for its share of
// the cases, as to start it for each would take a quarter of an hour; those that it has not
// asked for when it ends have no result.
func (l library) playClient(ctx context.Context, start wsspec.ClientFunc, cases []*wsspec.Case, s wsspec.Settings, parallel int, out io.Writer) (iter.Seq[wsspec.Result], error) {
	if l.command == nil {
		ln, err := net.Listen("tcp4", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		return wsspec.PlayAll(ctx, wsspec.NewClientTest(ctx, ln, s, start), cases, wsspec.Pace{Parallel: parallel}), nil
	}
	return func(yield func(wsspec.Result) bool) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		results := make(chan wsspec.Result)
		var shares sync.WaitGroup
		for i := range parallel {
			var share []*wsspec.Case
			for at := i; at < len(cases); at += parallel {
				share = append(share, cases[at])
			}
			if len(share) > 0 {
				shares.Go(func() { l.playShare(ctx, share, s, out, results) })
			}
		}
		go func() {
			shares.Wait()
			close(results)
		}()
		for r := range results {
			if !yield(r) {
				cancel()
				for range results {
				}
			}
		}
	}, nil
}

// playShare plays cases with one process, one after the other: it costs a second to
// start, in some languages.
func (l library) playShare(ctx context.Context, cases []*wsspec.Case, s wsspec.Settings, out io.Writer, results chan<- wsspec.Result) {
	ln, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		fmt.Fprintln(out, err)
		return
	}
	ctx, cancel := context.WithCancel(ctx)
	cmd := selfCommand(ctx, "-client", l.name, "ws://"+ln.Addr().String())
	procgroup.Own(cmd, 5*time.Second)
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Start(); err != nil {
		cancel()
		ln.Close()
		fmt.Fprintln(out, err)
		return
	}
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		if err := cmd.Wait(); err != nil {
			fmt.Fprintf(out, "%s: the client ended: %v\n", l.name, err)
		}
		time.AfterFunc(5*time.Second, cancel) // its last case may still be judged
	}()
	defer func() { // out is not written to behind the last result
		cancel()
		<-gone
	}()
	for r := range wsspec.ServeClients(ctx, ln, cases, s) {
		results <- r
	}
}

// echoProcess is a client of the library, in a process of its own.
func (l library) echoProcess(ctx context.Context, url string, out io.Writer) error {
	cmd := selfCommand(ctx, "-echo", l.name, url)
	procgroup.Own(cmd, time.Second)
	cmd.Stdout, cmd.Stderr = out, out
	return cmd.Run()
}

func selfCommand(ctx context.Context, args ...string) *exec.Cmd {
	self, err := os.Executable()
	if err != nil {
		self = os.Args[0]
	}
	return exec.CommandContext(ctx, self, args...)
}

func serveProcess(ctx context.Context, name string) (*process, error) {
	ctx, kill := context.WithCancel(ctx)
	cmd := selfCommand(ctx, "-serve", name)
	procgroup.Own(cmd, 5*time.Second) // it may have a process of its own
	p := &process{gone: make(chan struct{}), kill: kill}
	cmd.Stderr = &p.err
	in, err1 := cmd.StdinPipe()
	out, err2 := cmd.StdoutPipe()
	if err := cmp.Or(err1, err2); err != nil {
		kill()
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		kill()
		return nil, err
	}
	p.in = in
	lines := bufio.NewScanner(out)
	ok := lines.Scan()
	p.url = lines.Text()
	go func() {
		io.Copy(io.Discard, out)
		cmd.Wait()
		kill()
		close(p.gone)
	}()
	if !ok {
		p.end()
		return nil, fmt.Errorf("%s does not serve: %s", name, p.lastWords())
	}
	return p, nil
}

func (p *process) end() {
	p.in.Close()
	select {
	case <-p.gone:
	case <-time.After(5 * time.Second):
		p.kill()
		<-p.gone
	}
}

// lastWords are the first line of what it said at its end.
func (p *process) lastWords() string {
	line, _, _ := strings.Cut(strings.TrimSpace(p.err.String()), "\n")
	return cmp.Or(line, "without a word")
}
