//go:build linux

package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"framewright/bench/internal/machine"
	"framewright/bench/internal/peer"
	"framewright/bench/internal/report"
	"framewright/bench/internal/traffic"
)

// A row is one kind of work, done by several servers.
type row struct {
	group   string // the command that runs it
	title   string
	unit    string   // of all figures, where they have one
	note    string   // what a reader has to know
	floor   string   // the server that others are compared with; default "raw TCP"
	servers []string // by name
	figures []figure // what is measured; the first is the one that counts
	measure func(ctx context.Context, r *run, s peer.Server) (map[string]float64, error)
}

// A figure is a value that a measurement gives, under the name key.
type figure struct{ key, head string }

// A run is one call of the program.
type run struct {
	command  string  // as it was given
	seconds  float64 // of one measurement
	repeat   int
	limit    time.Duration // no repetition begins that would end later
	conns    int           // of idle and the last step of growth
	only     []string      // servers; empty: all
	log      io.Writer
	patience machine.Patience
	wait     func() bool // patience.Wait, but for tests
	uws      string      // the program, or "" if it cannot be had
	echo     string      // the program of oursEcho
	missing  []string

	rows    []*row
	samples map[*row]map[string]map[string]report.Samples // by server and figure
	failed  map[*row]map[string]error
	others  report.Samples // how many cores others kept busy, for each measurement
	waited  bool           // the machine did not become quiet
	reps    int            // repetitions that were done
	began   time.Time
	took    time.Duration
}

// do runs all rows. Every server is measured once before any is measured again,
// and in another order each time, so that a slow minute of the machine does not
// hit one of them alone.
func (r *run) do(ctx context.Context) error {
	r.samples = map[*row]map[string]map[string]report.Samples{}
	r.failed = map[*row]map[string]error{}
	r.began = time.Now()
	for ; r.reps < r.repeat; r.reps++ {
		begin := time.Now()
		for _, row := range r.rows {
			names := slices.DeleteFunc(slices.Clone(row.servers), r.left)
			for i := range names {
				name := names[(i+r.reps*(len(names)/2+1))%len(names)]
				if err := r.one(ctx, row, name); err != nil {
					return err
				}
			}
		}
		each := time.Since(begin)
		if r.reps+1 < r.repeat && time.Since(r.began)+each > r.limit {
			r.reps++
			fmt.Fprintf(r.log, "stopping after %d of %d repetitions: another %v would exceed -limit %v\n", r.reps, r.repeat, each.Round(time.Second), r.limit)
			break
		}
	}
	r.took = time.Since(r.began)
	return nil
}

// left says that a server was left out, by -servers or because it is not here.
func (r *run) left(name string) bool {
	if name == uwsName && r.uws == "" {
		return true
	}
	return r.onlyWithout(name)
}

// one does one measurement. Its error is that of ctx; that of a server is kept.
func (r *run) one(ctx context.Context, row *row, name string) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if r.failed[row][name] != nil {
		return nil
	}
	s, ok := peer.ByName(name)
	if !ok {
		s = peer.Server{Name: name} // no server, such as copy beside masking
	}
	if r.samples[row] == nil {
		r.samples[row] = map[string]map[string]report.Samples{}
		r.failed[row] = map[string]error{}
	}
	if !r.wait() {
		r.waited = true
	}
	got, err := row.measure(ctx, r, s)
	for err == nil && got["others"] > 3*machine.Quiet && r.patience.Left > 0 {
		// Somebody came in between. The quieter measurement counts, whatever
		// its result.
		begin := time.Now()
		r.wait()
		var again map[string]float64
		if again, err = row.measure(ctx, r, s); err == nil && again["others"] < got["others"] {
			got = again
		}
		r.patience.Left -= time.Since(begin)
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	fmt.Fprintf(r.log, "%4.0f s  %d/%d  %-45s %-20s ", time.Since(r.began).Seconds(), r.reps+1, r.repeat, row.title, name)
	if err != nil {
		fmt.Fprintf(r.log, "failed: %v\n", err)
		r.failed[row][name] = err
		return nil
	}
	fmt.Fprintf(r.log, "%s\n", r.line(row, got))
	of := r.samples[row][name]
	if of == nil {
		of = map[string]report.Samples{}
		r.samples[row][name] = of
	}
	for key, v := range got {
		of[key] = append(of[key], v)
	}
	if v, ok := got["others"]; ok {
		r.others = append(r.others, v)
	}
	return nil
}

func (r *run) line(row *row, got map[string]float64) string {
	var parts []string
	for _, f := range row.figures {
		parts = append(parts, f.head+" "+report.Number(got[f.key]))
	}
	return strings.Join(parts, ", ")
}

// errors are all that failed, in the order of the rows.
func (r *run) errors() []string {
	var all []string
	for _, row := range r.rows {
		for _, name := range slices.Sorted(maps.Keys(r.failed[row])) {
			all = append(all, fmt.Sprintf("%s, %s: %v", row.title, name, r.failed[row][name]))
		}
	}
	return all
}

// start starts a server on its core.
func (r *run) start(ctx context.Context, s peer.Server, work string) (*machine.Process, error) {
	if s.Name == uwsName {
		return machine.Start(ctx, serverCoreNumber(), r.uws, work)
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	return machine.Start(ctx, serverCoreNumber(), self, "server", s.Name, work)
}

// spent does f and returns what server and client used meanwhile.
func spent(p *machine.Process, f func() (*traffic.Result, error)) (map[string]float64, *traffic.Result, error) {
	before := machine.Look(p)
	res, err := f()
	after := machine.Look(p)
	if err != nil {
		return nil, nil, err
	}
	wall := after.At.Sub(before.At).Seconds()
	return map[string]float64{
		"cpu":    (after.Server - before.Server).Seconds() * 1e6 / float64(res.Deliveries),
		"rate":   float64(res.Deliveries) / wall,
		"p50":    res.Latency.Quantile(0.5).Seconds() * 1e3,
		"p99":    res.Latency.Quantile(0.99).Seconds() * 1e3,
		"busy":   (after.Server - before.Server).Seconds() / wall * 100,
		"load":   (after.Load - before.Load).Seconds() / wall * 100,
		"others": machine.Others(before, after),
	}, res, nil
}
