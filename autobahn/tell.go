package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"framewright/autobahn/internal/progress"
	"framewright/autobahn/internal/report"
	"framewright/autobahn/wsspec"
)

// A teller tells people how a run goes.
type teller struct {
	out          io.Writer
	line         *progress.Line
	total        int
	done, failed int
	began, shown time.Time
}

func newTeller(out io.Writer) *teller { return &teller{out: out, line: progress.New(out)} }

// waits says what a client has to ask for.
func (t *teller) waits(tr *trial) {
	t.line.Println("waiting at " + tr.target + " for a client; it has to ask for\n" +
		"  /getCaseCount, /runCase?case=N&agent=NAME for N from 1, /updateReports?agent=NAME\n" +
		"  interrupt (Ctrl-C) to judge what there is")
}

func (t *teller) begin(tr *trial, total int) {
	t.total, t.done, t.failed, t.began = total, 0, 0, time.Now()
	t.line.Println(fmt.Sprintf("%s: %d cases", tr.target, total))
}

func (t *teller) played(tr *trial, c report.Case) {
	t.done++
	if !c.OK {
		t.failed++
		t.line.Println(failure(tr.role, c))
	}
	t.counted(tr, t.done)
}

// counted shows how far a run has come.
func (t *teller) counted(tr *trial, done int) {
	t.done = done
	if now := time.Now(); now.Sub(t.shown) > 100*time.Millisecond {
		t.shown = now
		t.line.Show(fmt.Sprintf("%s: %d of %d cases, %d failed, %v", tr.role, t.done, t.total, t.failed, now.Sub(t.began).Round(time.Second)))
	}
}

// failure is a case that is not as expected, in one line.
func failure(role wsspec.Role, c report.Case) string {
	text := fmt.Sprintf("FAIL %s %s [%s] %s", role, c.ID, strings.TrimSpace(string(c.Level)+" "+c.Section), c.Title)
	if c.Behavior != "" {
		text += fmt.Sprintf(" | %s / %s", c.Behavior, c.BehaviorClose)
	}
	if c.Outcome != wsspec.Failed {
		text += " | " + string(c.Outcome)
	}
	if c.Expected != "" {
		text += " | want " + c.Expected
	}
	text += " | " + c.Actual
	if c.Known {
		text += " | " + c.Why
	}
	return oneLine(text, 500)
}

// oneLine makes white space single spaces and cuts what is too long.
func oneLine(s string, most int) string {
	s = strings.Join(strings.Fields(s), " ")
	if r := []rune(s); len(r) > most {
		s = string(r[:most]) + "..."
	}
	return s
}

// lately are the cases that were done last, the last one first.
type lately []string

func (l *lately) add(id string) {
	const kept = 16
	*l = append(lately{id}, (*l)[:min(len(*l), kept-1)]...)
}

// goneID is no case of the suite: it has nothing to replay.
const goneID = "gone"

// gone is the case that a testee fails by not living to the end of the run.
func (t *teller) gone(tr *trial, r wsspec.Result, last lately) report.Case {
	c := report.NewCase(wsspec.Result{
		Case: &wsspec.Case{ID: goneID, Chapter: "the testee itself", Level: wsspec.Must, Title: "it runs until the end"},
		Role: tr.role,
		Verdict: wsspec.Fail("a server that takes connections until the end",
			"it takes none any more; has it crashed? The last case was, with -parallel 1 surely, the first of these: %s (%s)", strings.Join(last, " "), r.Actual),
		Wire: r.Wire,
	}, wsspec.Judgement{})
	t.line.Println(failure(tr.role, c))
	return c
}

// end tells what all came to. Its last line is for programs.
func (t *teller) end(reports []*report.Report, stale []string) {
	t.line.Clear()
	for _, r := range reports {
		t.table(r)
		t.remarks(r)
	}
	for _, s := range stale {
		fmt.Fprintln(t.out, s)
	}
	s := sum(reports)
	last := fmt.Sprintf("%d passed, %d failed", s.Passed, s.Failed)
	if s.Skipped > 0 {
		last += fmt.Sprintf(", %d skipped", s.Skipped)
	}
	if s.NotRun > 0 {
		last += fmt.Sprintf(", %d not run", s.NotRun)
	}
	fmt.Fprintf(t.out, "\n%s\n", last)
}

// table counts outcomes by chapter.
func (t *teller) table(r *report.Report) {
	var chapters []string
	counts := map[string]map[wsspec.Outcome]int{}
	unexpected := map[string]int{}
	for _, c := range r.Cases {
		if counts[c.Chapter] == nil {
			counts[c.Chapter] = map[wsspec.Outcome]int{}
			chapters = append(chapters, c.Chapter)
		}
		counts[c.Chapter][c.Outcome]++
		if !c.OK {
			unexpected[c.Chapter]++
		}
	}
	columns := []wsspec.Outcome{wsspec.Passed, wsspec.Weak, wsspec.Noted, wsspec.Skipped, wsspec.Failed}
	fmt.Fprintf(t.out, "\n%-28s", r.Agent+", "+string(r.Role))
	for _, o := range columns {
		fmt.Fprintf(t.out, "%9s", o)
	}
	fmt.Fprintf(t.out, "   %v\n", r.Took.Round(100*time.Millisecond))
	for _, ch := range chapters {
		fmt.Fprintf(t.out, "  %-26s", ch)
		for _, o := range columns {
			n := fmt.Sprint(counts[ch][o])
			if n == "0" {
				n = "."
			}
			fmt.Fprintf(t.out, "%9s", n)
		}
		if unexpected[ch] != counts[ch][wsspec.Failed] {
			fmt.Fprintf(t.out, "   %d not as expected", unexpected[ch])
		}
		fmt.Fprintln(t.out)
	}
}

// remarks tells each reason to skip once, what is weak, and how to look closer.
func (t *teller) remarks(r *report.Report) {
	var reasons, weak []string
	skipped := map[string]int{}
	failed := ""
	for _, c := range r.Cases {
		switch {
		case !c.OK:
			if failed == "" && c.ID != goneID {
				failed = c.ID
			}
		case c.Outcome == wsspec.Skipped:
			if skipped[c.Actual]++; skipped[c.Actual] == 1 {
				reasons = append(reasons, c.Actual)
			}
		case c.Outcome == wsspec.Weak && !c.Known:
			weak = append(weak, c.ID)
		}
	}
	const most = 6 // different reasons
	for i, why := range reasons {
		if i == most {
			fmt.Fprintf(t.out, "and %d more reasons to skip, which the reports have\n", len(reasons)-most)
			break
		}
		fmt.Fprintf(t.out, "skipped %d of %s: %s\n", skipped[why], r.Role, oneLine(why, 300))
	}
	if n := len(weak); n > 0 {
		fmt.Fprintf(t.out, "%d weak, a SHOULD that is not kept (-strict makes them failures): %s\n", n, oneLine(strings.Join(weak, " "), 200))
	}
	if failed != "" && r.Rerun != "" {
		fmt.Fprintf(t.out, "a closer look: %s %s\n", r.Rerun, report.Quote(failed))
	}
}
