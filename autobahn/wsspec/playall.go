package wsspec

import (
	"context"
	"fmt"
	"iter"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"
)

// A Player plays cases with a testee: a [ServerTest] or a [ClientTest].
type Player interface {
	// Preflight says what keeps all cases from being played, as one sentence, or nil.
	Preflight(context.Context) error
	// Play plays a case. It may be called by several goroutines at once.
	Play(context.Context, *Case) Result
}

// A Pace says how a run of cases goes on. Its zero value is a quick one.
type Pace struct {
	Parallel int           // dialogues side by side; default 16
	Repeat   int           // how often each case is played; default 1
	Timeout  time.Duration // of one case; default what its own waits come to
}

// The tags that tell PlayAll of a case which would disturb others.
const (
	TagHeavy = "heavy" // many bytes: as many side by side as there are processors, after the others
	TagAlone = "alone" // nothing beside it
)

// phase says when a case is played.
func (c *Case) phase() int {
	group, _, _ := strings.Cut(c.ID, ".")
	switch {
	case slices.Contains(c.Tags, TagAlone):
		return 2
	case slices.Contains(c.Tags, TagHeavy),
		c.Chapter == "autobahn" && (group == "9" || group == "12" || group == "13"):
		return 1
	}
	return 0
}

// workers is how many dialogues of a phase go on side by side.
func (p Pace) workers(phase int) int {
	n := p.Parallel
	if n <= 0 {
		n = 16
	}
	return min(n, [...]int{n, max(2, runtime.GOMAXPROCS(0)), 1}[phase])
}

// PlayAll plays cases and yields a result for each as it comes, in any order. A
// case that was not done when ctx ended or the loop was left has none. Cases whose
// role is not the testee's must not be among them.
//
// Of a case that is played several times the worst result is yielded, when all
// have come; Runs has the outcome of each.
func PlayAll(ctx context.Context, p Player, cases []*Case, pace Pace) iter.Seq[Result] {
	return func(yield func(Result) bool) {
		for phase := range 3 {
			of := slices.DeleteFunc(slices.Clone(cases), func(c *Case) bool { return c.phase() != phase })
			for r := range playPhase(ctx, p, of, pace, pace.workers(phase)) {
				if !yield(r) {
					return
				}
			}
			if ctx.Err() != nil {
				return
			}
		}
	}
}

func playPhase(ctx context.Context, p Player, cases []*Case, pace Pace, workers int) iter.Seq[Result] {
	return func(yield func(Result) bool) {
		ctx, cancel := context.WithCancel(ctx)
		repeat := max(1, pace.Repeat)
		jobs, results := make(chan *Case), make(chan Result)
		go func() {
			defer close(jobs)
			for _, c := range cases {
				for range repeat {
					select {
					case jobs <- c:
					case <-ctx.Done():
						return
					}
				}
			}
		}()
		var wg sync.WaitGroup
		for range min(workers, len(cases)*repeat) {
			wg.Go(func() {
				for c := range jobs {
					if r := playIn(ctx, p, c, pace.Timeout); ctx.Err() == nil {
						results <- r
					}
				}
			})
		}
		go func() {
			wg.Wait()
			close(results)
		}()
		defer func() { // all have ended when the loop has
			cancel()
			for range results {
			}
		}()
		runs := map[*Case]*Result{}
		for r := range results {
			worst := addRun(runs, r)
			if len(worst.Runs) < repeat {
				continue
			}
			delete(runs, r.Case)
			worst.unsteady()
			if !yield(*worst) {
				return
			}
		}
	}
}

func playIn(ctx context.Context, p Player, c *Case, timeout time.Duration) Result {
	if timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, timeout, fmt.Errorf("not done after %v (-timeout)", timeout))
		defer cancel()
	}
	return p.Play(ctx, c)
}

// badness orders outcomes: the worst of several runs is what a case is worth.
var badness = map[Outcome]int{Skipped: 1, Noted: 2, Weak: 3, Failed: 4}

// addRun keeps the worst result of a case so far.
func addRun(runs map[*Case]*Result, r Result) *Result {
	worst := runs[r.Case]
	if worst == nil {
		worst = &Result{}
		runs[r.Case] = worst
	}
	outcomes := append(worst.Runs, r.Outcome)
	if worst.Case == nil || badness[r.Outcome] > badness[worst.Outcome] {
		*worst = r
	}
	worst.Runs = outcomes
	return worst
}

// unsteady says in words that a case did not come to the same each time.
func (r *Result) unsteady() {
	same := 0
	for _, o := range r.Runs {
		if o == r.Outcome {
			same++
		}
	}
	if same < len(r.Runs) {
		r.Actual += fmt.Sprintf(" (so in %d of %d runs)", same, len(r.Runs))
	}
}
