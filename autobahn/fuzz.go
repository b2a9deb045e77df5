package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"framewright/autobahn/internal/explain"
	"framewright/autobahn/internal/report"
	"framewright/autobahn/wsspec"
)

// maxFuzz is how many dialogues one run generates at the most.
const maxFuzz = 10_000_000

// fuzz plays generated dialogues with a testee, and writes those that fail, each as
// small as it could be made, as a dialogue.
func (o *options) fuzz(ctx context.Context, tr *trial, x *wsspec.Expectations, t *teller) (*report.Report, error) {
	if err := o.preflight(ctx, tr, t); err != nil {
		return nil, err
	}
	rep := o.newReport(tr, o.agent, time.Now())
	t.begin(tr, o.fuzzCount)
	done := 0
	var last lately
	failures := wsspec.Fuzz(ctx, tr.player, o.seed, o.fuzzCount, o.pace, func(id string) {
		done++
		last.add(id)
		t.counted(tr, done)
	})
	var err error
	for f := range failures {
		if f.Gone {
			t.failed++
			rep.Cases = append(rep.Cases, t.gone(tr, f.Result, last))
			break
		}
		c := report.NewCase(f.Result, x.Judge(f.Result, o.strict))
		rep.Cases = append(rep.Cases, c)
		t.failed++
		t.line.Println(failure(tr.role, c))
		if err = tellFuzz(t.out, f, tr); err != nil || o.failFast {
			break
		}
	}
	rep.Took = time.Since(rep.Began)
	rep.Summarize()
	rep.Summary.Passed += max(0, done-len(rep.Cases))
	if ctx.Err() != nil {
		rep.Summary.NotRun = o.fuzzCount - done
	}
	t.line.Println(fmt.Sprintf("%s: %d generated dialogues of seed %d in %v", tr.target, done, o.seed, rep.Took.Round(100*time.Millisecond)))
	return rep, err
}

// tellFuzz writes a failure as a dialogue.
func tellFuzz(w io.Writer, f wsspec.FuzzFailure, tr *trial) error {
	var errs []error
	say := func(format string, args ...any) {
		_, err := fmt.Fprintf(w, format+"\n", args...)
		errs = append(errs, err)
	}
	if f.Steady {
		say("  the smallest dialogue that fails so:")
	} else {
		say("  it did not fail so again; the frames as they were generated:")
	}
	for i, frame := range f.Frames {
		say("  %3d  %s", i+1, frame)
	}
	say("\n> is sent by the suite, < by %s", tr.target)
	errs = append(errs, explain.Write(w, tr.role, f.Wire, f.LeftOut))
	say("expected   %s\nactual     %s", f.Expected, f.Actual)
	if tr.rerun != "" {
		say("as it was generated: %s %s", tr.rerun, f.First.Case.ID)
	}
	say("")
	return errors.Join(errs...)
}
