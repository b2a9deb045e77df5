package wsspec

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// A fakePlayer does what a function says.
type fakePlayer func(context.Context, *Case) Result

func (f fakePlayer) Preflight(context.Context) error          { return nil }
func (f fakePlayer) Play(ctx context.Context, c *Case) Result { return f(ctx, c) }
func cameTo(c *Case, o Outcome) Result                        { return Result{Case: c, Verdict: Verdict{Outcome: o}} }

func numbered(n int, tags ...string) []*Case {
	var all []*Case
	for i := range n {
		all = append(all, &Case{ID: fmt.Sprint(tags, i), Tags: tags, Roles: Both})
	}
	return all
}

// So many cases are played side by side as are allowed, and heavy ones after the
// others, those that want to be alone after them.
func TestPlayAllInPhases(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var now, most atomic.Int32
		p := fakePlayer(func(ctx context.Context, c *Case) Result {
			n := now.Add(1)
			if m := most.Load(); n > m {
				most.Store(n)
			}
			time.Sleep(time.Second)
			now.Add(-1)
			return cameTo(c, Passed)
		})
		cases := slices.Concat(numbered(2, TagAlone), numbered(30), numbered(4, TagHeavy))
		var order []string
		begin := time.Now()
		for r := range PlayAll(t.Context(), p, cases, Pace{Parallel: 10}) {
			tag := "light"
			if len(r.Case.Tags) > 0 {
				tag = r.Case.Tags[0]
			}
			if len(order) == 0 || order[len(order)-1] != tag {
				order = append(order, tag)
			}
		}
		if d := cmp.Diff([]string{"light", TagHeavy, TagAlone}, order); d != "" {
			t.Errorf("order (-want +got):\n%s", d)
		}
		if most.Load() != 10 {
			t.Errorf("%d side by side, want 10", most.Load())
		}
		if took := time.Since(begin); took > 7*time.Second || took < 5*time.Second {
			t.Errorf("took %v: want 3 s for the light ones, 2 at most for the heavy ones, 2 for those alone", took)
		}
	})
}

// The worst of several runs counts, and says how often it was so.
func TestPlayAllRepeats(t *testing.T) {
	var n atomic.Int32
	p := fakePlayer(func(_ context.Context, c *Case) Result {
		switch n.Add(1) {
		case 2:
			return cameTo(c, Weak)
		case 4:
			return cameTo(c, Failed)
		}
		return cameTo(c, Passed)
	})
	var all []Result
	for r := range PlayAll(t.Context(), p, numbered(1), Pace{Parallel: 1, Repeat: 5}) {
		all = append(all, r)
	}
	if len(all) != 1 || all[0].Outcome != Failed || all[0].Actual != " (so in 1 of 5 runs)" ||
		!slices.Equal(all[0].Runs, []Outcome{Passed, Weak, Passed, Failed, Passed}) {
		t.Errorf("%+v", all)
	}
}

// What was not done when the run was ended, or left, has no result, and nothing of
// it goes on.
func TestPlayAllEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		var running atomic.Int32
		p := fakePlayer(func(ctx context.Context, c *Case) Result {
			running.Add(1)
			defer running.Add(-1)
			if c.ID == "[] 7" {
				<-ctx.Done()
			}
			return cameTo(c, Failed)
		})
		go func() {
			time.Sleep(time.Second)
			cancel()
		}()
		n := 0
		for r := range PlayAll(ctx, p, numbered(9), Pace{Parallel: 4}) {
			if n++; r.Case.ID == "[] 7" {
				t.Error("the case that was ended has a result")
			}
		}
		if n != 8 || running.Load() != 0 {
			t.Errorf("%d results, %d still run; want 8 and 0", n, running.Load())
		}
		for range PlayAll(t.Context(), p, numbered(9), Pace{Parallel: 4}) {
			break
		}
		if running.Load() != 0 {
			t.Errorf("%d still run after the loop was left", running.Load())
		}
	})
}

func TestPlayAllTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := fakePlayer(func(ctx context.Context, c *Case) Result {
			<-ctx.Done()
			return Result{Case: c, Verdict: Fail("", "%v", context.Cause(ctx))}
		})
		for r := range PlayAll(t.Context(), p, numbered(1), Pace{Timeout: time.Minute}) {
			if r.Actual != "not done after 1m0s (-timeout)" {
				t.Errorf("%q", r.Actual)
			}
		}
	})
}
