package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"framewright/autobahn/internal/cli"

	"framewright/autobahn/internal/report"
	"framewright/autobahn/wsspec"
)

// run is the command on the suite of our own. It returns the exit status.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	o, err := parseFlags(args, stderr)
	code := 0
	if err == nil {
		code, err = o.do(ctx, stdout, stderr)
	}
	return cli.Status(code, err, stderr)
}

// do does what the flags ask for. An error means that nothing could be judged.
func (o *options) do(ctx context.Context, stdout, stderr io.Writer) (int, error) {
	all := wsspec.Cases()
	cases, err := wsspec.Select(all, o.cases)
	if err == nil && o.exclude != "" {
		cases, err = exclude(cases, o.exclude)
	}
	if err != nil {
		return 0, err
	}
	if o.list {
		if o.json != "" {
			return 0, writeFile(o.json, stdout, func(w io.Writer) error { return listJSON(w, cases) })
		}
		list(stdout, cases)
		return 0, nil
	}
	x, err := o.expectations(all)
	if err != nil {
		return 0, err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	trials, err := o.trials(ctx)
	if err != nil {
		return 0, err
	}
	if o.replay != "" {
		return o.replayCase(ctx, trials[0], all, stdout)
	}
	if o.track {
		return o.walk(ctx, trials[0], all, stdout)
	}
	people := stdout
	if o.json == "-" {
		people = stderr
	}
	t := newTeller(people)
	var reports []*report.Report
	for _, tr := range trials {
		rs, err := o.tryOrFuzz(ctx, tr, cases, x, t)
		if err != nil {
			return 0, fmt.Errorf("%s: %w", tr.target, err)
		}
		reports = append(reports, rs...)
		if ctx.Err() != nil || o.failFast && sum(reports).Failed > 0 {
			break
		}
	}
	stale := x.Stale()
	if err := o.write(reports, stdout); err != nil {
		return 0, err
	}
	if o.out != "" {
		t.line.Println("report: " + filepath.Join(o.out, "index.html"))
	}
	t.end(reports, stale)
	s := sum(reports)
	switch {
	case s.Passed+s.Failed+s.Skipped == 0:
		return 2, nil
	case s.Failed > 0 || s.NotRun > 0 || len(stale) > 0:
		return 1, nil
	}
	return 0, nil
}

// exclude takes the cases of a list of patterns out.
func exclude(cases []*wsspec.Case, list string) ([]*wsspec.Case, error) {
	out, err := wsspec.Select(cases, list)
	if err != nil {
		return nil, fmt.Errorf("-exclude: %w", err)
	}
	left := slices.DeleteFunc(slices.Clone(cases), func(c *wsspec.Case) bool { return slices.Contains(out, c) })
	if len(left) == 0 {
		return nil, fmt.Errorf("-exclude %q leaves no case", list)
	}
	return left, nil
}

func (o *options) expectations(cases []*wsspec.Case) (*wsspec.Expectations, error) {
	if o.expect == "" {
		return &wsspec.Expectations{}, nil
	}
	f, err := os.Open(o.expect)
	if err != nil {
		return nil, fmt.Errorf("-expect: %w", err)
	}
	defer f.Close()
	x, err := wsspec.ParseExpectations(o.expect, f)
	if err != nil {
		return nil, err
	}
	return x, x.Check(cases)
}

func (o *options) tryOrFuzz(ctx context.Context, tr *trial, cases []*wsspec.Case, x *wsspec.Expectations, t *teller) ([]*report.Report, error) {
	if o.fuzzCount == 0 {
		return o.try(ctx, tr, cases, x, t)
	}
	r, err := o.fuzz(ctx, tr, x, t)
	return []*report.Report{r}, err
}

// newReport is a report without cases.
func (o *options) newReport(tr *trial, agent string, began time.Time) *report.Report {
	return &report.Report{Agent: agent, Role: tr.role, Target: tr.target, Began: began, Took: time.Since(began),
		Strict: o.strict, Count: o.settings.Count, Rerun: tr.rerun}
}

// try plays the cases of one trial. It returns a report for each agent, which is
// one unless several clients have come.
func (o *options) try(ctx context.Context, tr *trial, cases []*wsspec.Case, x *wsspec.Expectations, t *teller) ([]*report.Report, error) {
	cases = slices.DeleteFunc(slices.Clone(cases), func(c *wsspec.Case) bool { return !c.Roles.Has(tr.role) })
	if len(cases) == 0 {
		t.line.Println(fmt.Sprintf("%s: none of the cases is for the role of a %s", tr.target, tr.role))
		return nil, nil
	}
	began := time.Now()
	if tr.player == nil {
		t.waits(tr)
	} else if err := o.preflight(ctx, tr, t); err != nil {
		return nil, err
	}
	played := map[string]map[string]report.Case{} // agent, id
	var last lately
	var dead report.Case // if the testee does not live to the end
	t.begin(tr, len(cases))
	for r := range tr.results(ctx, cases) {
		agent := cmp.Or(r.Agent, o.agent)
		if r.Unreached && tr.player.Preflight(ctx) != nil {
			dead = t.gone(tr, r, last)
			break
		}
		last.add(r.Case.ID)
		if played[agent] == nil {
			played[agent] = map[string]report.Case{}
		}
		c := report.NewCase(r, x.Judge(r, o.strict))
		played[agent][c.ID] = c
		t.played(tr, c)
		if o.failFast && !c.OK {
			break
		}
	}
	if len(played) == 0 {
		played[o.agent] = nil
	}
	var reports []*report.Report
	for agent, of := range played {
		rep := o.newReport(tr, agent, began)
		if dead.ID != "" {
			rep.Cases = append(rep.Cases, dead)
		}
		for _, c := range cases {
			if p, ok := of[c.ID]; ok {
				rep.Cases = append(rep.Cases, p)
			} else {
				rep.NotRun = append(rep.NotRun, c.ID)
			}
		}
		rep.Summarize()
		reports = append(reports, rep)
	}
	slices.SortFunc(reports, func(a, b *report.Report) int { return cmp.Compare(a.Agent, b.Agent) })
	return reports, nil
}

// preflight has the one conversation before all others, and says after a second
// that it takes longer.
func (o *options) preflight(ctx context.Context, tr *trial, t *teller) error {
	told := make(chan struct{})
	timer := time.AfterFunc(time.Second, func() {
		defer close(told)
		t.line.Println(fmt.Sprintf("%s: no answer to the first message yet; waiting", tr.target))
	})
	defer func() {
		if !timer.Stop() {
			<-told // or it would write beside what comes next
		}
	}()
	return tr.player.Preflight(ctx)
}

func sum(reports []*report.Report) (s report.Summary) {
	for _, r := range reports {
		s.Passed += r.Summary.Passed
		s.Failed += r.Summary.Failed
		s.Skipped += r.Summary.Skipped
		s.NotRun += r.Summary.NotRun
	}
	return s
}

// write writes the reports that the flags ask for.
func (o *options) write(reports []*report.Report, stdout io.Writer) error {
	var errs []error
	for _, f := range []struct {
		name  string
		write func(io.Writer, []*report.Report) error
	}{{o.json, report.WriteJSON}, {o.junit, report.WriteJUnit}, {o.html, report.WriteHTML}} {
		if f.name != "" {
			errs = append(errs, writeFile(f.name, stdout, func(w io.Writer) error { return f.write(w, reports) }))
		}
	}
	if o.out != "" {
		errs = append(errs, report.AddToFolder(o.out, reports))
	}
	if o.github {
		errs = append(errs, report.WriteAnnotations(stdout, reports))
	}
	return errors.Join(errs...)
}

// writeFile writes a file, or the standard output for "-".
func writeFile(name string, stdout io.Writer, write func(io.Writer) error) error {
	if name == "-" {
		return write(stdout)
	}
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	return errors.Join(write(f), f.Close())
}
