package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"framewright/internal/procgroup"
)

// A result counts what a stage ran: files, packages, tests or cases.
type result struct {
	passed, failed, skipped int
	notes                   []string // what was skipped and why, what failed
}

func (r *result) add(o result) {
	r.passed += o.passed
	r.failed += o.failed
	r.skipped += o.skipped
	r.notes = append(r.notes, o.notes...)
}

// A stage is one line of the report.
type stage struct {
	name    string
	unit    string
	lane    lane
	timeout time.Duration
	run     func(*job) result
}

// A lane says what a stage runs beside.
type lane int

const (
	alone  lane = iota // nothing
	first              // the gentle ones around it
	gentle             // those of the first row, to which it gives way
	rows
)

// A job is one run of a stage.
type job struct {
	context.Context
	log  io.Writer
	nice bool          // give way to others
	cpu  time.Duration // that its commands took so far, with what they started and waited for
}

// command prepares a child in a process group of its own, so that when the job is
// over what the child has started ends, too.
func (j *job) command(dir, name string, args ...string) *exec.Cmd {
	if j.nice {
		if nice, err := exec.LookPath("nice"); err == nil {
			name, args = nice, append([]string{name}, args...)
		}
	}
	cmd := exec.CommandContext(j, name, args...)
	cmd.Dir = dir
	cmd.Stdout, cmd.Stderr = j.log, j.log
	procgroup.Own(cmd, 20*time.Second)
	return cmd
}

// wait is for a command's Wait, or Run: it adds up what the command cost.
func (j *job) wait(cmd *exec.Cmd, wait func() error) error {
	err := wait()
	if p := cmd.ProcessState; p != nil {
		j.cpu += p.UserTime() + p.SystemTime()
	}
	return err
}

func (j *job) do(cmd *exec.Cmd) error { return j.wait(cmd, cmd.Run) }

// runAll runs stages in their order, those in lanes side by side.
func runAll(ctx context.Context, stages []stage, logs string) (total result) {
	for len(stages) > 0 {
		n := 1
		for stages[0].lane != alone && n < len(stages) && stages[n].lane != alone {
			n++
		}
		var (
			wg      sync.WaitGroup
			results [rows]result
		)
		for row := range results {
			wg.Go(func() {
				for _, s := range stages[:n] {
					if s.lane == lane(row) {
						results[row].add(s.report(ctx, logs))
					}
				}
			})
		}
		wg.Wait()
		for _, r := range results {
			total.add(r)
		}
		stages = stages[n:]
	}
	return total
}

// report runs s and prints its line, and on failure the end of its log.
func (s stage) report(ctx context.Context, logs string) result {
	ctx, cancel := context.WithTimeoutCause(ctx, s.timeout, fmt.Errorf("took longer than %v", s.timeout))
	defer cancel()
	path := filepath.Join(logs, s.name+".log")
	log, err := os.Create(path)
	if err != nil {
		return result{failed: 1, notes: []string{err.Error()}}
	}
	defer log.Close()
	start := time.Now()
	j := &job{Context: ctx, log: log, nice: s.lane == gentle}
	r := s.run(j)
	if err := context.Cause(ctx); err != nil {
		r.failed++
		r.notes = append(r.notes, "stopped: "+err.Error())
	}
	verdict := "ok"
	if r.failed > 0 {
		verdict = "FAILED"
	} else if r.passed == 0 {
		verdict = "NOT RUN"
	}
	var out strings.Builder
	fmt.Fprintf(&out, "%-12s %-8s %6d %-8s passed %4d failed %4d skipped  %6.1fs %6.0fs cpu\n",
		s.name, verdict, r.passed, s.unit, r.failed, r.skipped, time.Since(start).Seconds(), j.cpu.Seconds())
	for _, n := range r.notes {
		fmt.Fprintf(&out, "             %s\n", n)
	}
	if r.failed > 0 {
		tail(&out, path, 60)
	}
	fmt.Print(out.String()) // at once: another stage may have something to say
	return r
}

func tail(out io.Writer, path string, n int) {
	b, err := os.ReadFile(path)
	if err != nil {
		return
	}
	lines := strings.Split(strings.TrimRight(string(b), "\n"), "\n")
	for _, line := range lines[max(0, len(lines)-n):] {
		fmt.Fprintf(out, "    | %.400s\n", line)
	}
}
