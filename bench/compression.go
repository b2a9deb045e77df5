//go:build linux

package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"

	"framewright/bench/internal/machine"
	"framewright/bench/internal/report"
)

type bench struct {
	reps, idle int
	limit      time.Duration
	nodeDir    string
}

// loadConns are the connections of a CPU measurement, one message under way
// on each.
const loadConns = 8

// peers are the columns' order. Those without context keep none.
var peers = []struct {
	name    string
	context bool
}{
	{"framewright", true}, {"gws", true}, {"coder", true}, {"gorilla", false}, {"fasthttp", false}, {"gobwas", false}, {"npm ws", true},
}

// A sample is one measurement: µs of CPU and bytes per message, or KiB.
type samples struct {
	values report.Samples
	bytes  float64
	err    error
}

func (s *samples) text(digits int) string {
	if s == nil {
		return "–"
	}
	if s.err != nil {
		return "failed"
	}
	return fmt.Sprintf("%.*f (%.*f–%.*f)", digits, s.values.Median(), digits, s.values.Min(), digits, s.values.Max())
}

type key struct {
	server  string
	size    int
	context bool
}

// compression measures and prints. Every server is measured once before any
// is measured again, so that a slow minute of the machine hits all of them.
func (b *bench) compression(ctx context.Context) error {
	var missing string
	var err error
	if b.nodeDir, err = installNode(ctx); err != nil {
		missing = fmt.Sprintf("npm ws cannot be had: %v", err)
	}
	cpu, memory := map[key]*samples{}, map[string]*samples{}
	loads := map[key]*load{}
	for _, size := range []int{1 << 10, 64 << 10} {
		for _, keep := range []bool{false, true} {
			loads[key{size: size, context: keep}] = newLoad(8<<20/size, size, keep)
		}
	}
	begin := time.Now()
	for rep := range b.reps {
		for _, keep := range []bool{false, true} {
			for _, p := range peers {
				if keep && !p.context || p.name == "npm ws" && b.nodeDir == "" {
					continue
				}
				if ctx.Err() != nil {
					return ctx.Err()
				}
				fmt.Fprintf(os.Stderr, "%3.0f s: %d of %d: %s, context kept: %t\n", time.Since(begin).Seconds(), rep+1, b.reps, p.name, keep)
				b.measure(ctx, p.name, keep, loads, cpu)
				if keep {
					b.weigh(ctx, p.name, loads[key{size: 1 << 10, context: true}], memory)
				}
			}
		}
	}
	b.print(cpu, memory, missing)
	for k, s := range cpu {
		if s.err != nil {
			return fmt.Errorf("%v: %w", k, s.err)
		}
	}
	for k, s := range memory {
		if s.err != nil {
			return fmt.Errorf("memory of %s: %w", k, s.err)
		}
	}
	return nil
}

// measure starts a server, warms it up and adds one sample for each size.
func (b *bench) measure(ctx context.Context, name string, keep bool, loads map[key]*load, all map[key]*samples) {
	p, err := startServer(ctx, name, keep, b.nodeDir)
	if err == nil {
		defer p.Stop()
	}
	for _, size := range []int{1 << 10, 64 << 10} {
		s := all[key{name, size, keep}]
		if s == nil {
			s = &samples{}
			all[key{name, size, keep}] = s
		}
		if err != nil {
			s.err = err
			continue
		}
		l := loads[key{size: size, context: keep}]
		var before, after time.Duration
		if _, s.err = l.run(p.Addr, loadConns, b.limit/4, func() {}); s.err != nil {
			continue
		}
		var n count
		n, s.err = l.run(p.Addr, loadConns, b.limit, func() { before = p.CPU() })
		after = p.CPU()
		if s.err == nil {
			s.values = append(s.values, (after-before).Seconds()*1e6/float64(n.messages))
			s.bytes = float64(n.sized) / float64(n.sizedMsgs)
		}
	}
}

// weigh adds a sample of a new server's memory per connection, each of which
// has had one message echoed.
func (b *bench) weigh(ctx context.Context, name string, l *load, all map[string]*samples) {
	s := all[name]
	if s == nil {
		s = &samples{}
		all[name] = s
	}
	kib, err := b.perConn(ctx, name, l)
	if err != nil {
		s.err = err
		return
	}
	s.values = append(s.values, kib)
}

func (b *bench) perConn(ctx context.Context, name string, l *load) (kib float64, err error) {
	p, err := startServer(ctx, name, true, b.nodeDir)
	if err != nil {
		return 0, err
	}
	defer p.Stop()
	if _, err := l.run(p.Addr, 1, 0, func() {}); err != nil { // what the first connection sets up for all
		return 0, err
	}
	before, err := p.Memory()
	if err != nil {
		return 0, err
	}
	cs := make([]*client, 0, b.idle)
	defer func() {
		for _, c := range cs {
			c.Close()
		}
	}()
	for range b.idle {
		c, err := dial(p.Addr, true)
		if err != nil {
			return 0, err
		}
		cs = append(cs, c)
		if _, err := c.Write(l.frames[0]); err != nil {
			return 0, err
		}
		if _, err := c.reply(nil); err != nil {
			return 0, err
		}
	}
	after, err := p.Memory()
	return float64(after-before) / 1024 / float64(b.idle), err
}

func (b *bench) print(cpu map[key]*samples, memory map[string]*samples, missing string) {
	cell := func(k key) string {
		s := cpu[k]
		if s == nil || s.err != nil {
			return s.text(0)
		}
		digits := 1
		if k.size > 1<<10 {
			digits = 0
		}
		return fmt.Sprintf("%s µs, %.0f B", s.text(digits), s.bytes)
	}
	fmt.Printf("| server | 1 KiB, no context | 1 KiB, context | 64 KiB, no context | 64 KiB, context | KiB/connection, context |\n| --- | --- | --- | --- | --- | --- |\n")
	for _, p := range peers {
		mem := "–"
		if s := memory[p.name]; s != nil {
			mem = s.text(1)
		}
		fmt.Printf("| %s | %s | %s | %s | %s | %s |\n", p.name,
			cell(key{p.name, 1 << 10, false}), cell(key{p.name, 1 << 10, true}),
			cell(key{p.name, 64 << 10, false}), cell(key{p.name, 64 << 10, true}), mem)
	}
	pin := "nothing is pinned"
	if serverCoreNumber() >= 0 {
		pin = "server and load are pinned to a core each"
	}
	fmt.Printf("\n%s; %s; %d connections under load, %d for memory; medians of %d (min–max), up to %v each.\n",
		strings.Join(append(machine.About(), versions(b.nodeDir)...), ", "), pin, loadConns, b.idle, b.reps, b.limit)
	if missing != "" {
		fmt.Println("\n" + missing)
	}
}

// versions are those of the libraries that were measured.
func versions(nodeDir string) (list []string) {
	for _, module := range []string{
		"github.com/lxzan/gws", "github.com/coder/websocket", "github.com/gorilla/websocket", "github.com/fasthttp/websocket",
		"github.com/valyala/fasthttp", "github.com/gobwas/ws", "github.com/klauspost/compress",
	} {
		list = append(list, strings.TrimPrefix(module, "github.com/")+" "+machine.Version(module))
	}
	if nodeDir != "" {
		if out, err := exec.Command("node", "-p", `process.version+", ws "+require(process.argv[1]).version`, nodeDir+"/node_modules/ws/package.json").Output(); err == nil {
			list = append(list, "Node.js "+strings.TrimSpace(string(out)))
		}
	}
	return list
}
