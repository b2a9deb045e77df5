package wsspec

import (
	"context"
	"iter"
	"slices"
	"strings"
	"time"
)

// A FuzzFailure is a generated dialogue in which a testee did what it may not.
type FuzzFailure struct {
	First  Result // as it was generated
	Result        // the smallest that was found to fail in the same way
	Frames []Frame
	Steady bool // it fails again; otherwise Result is First
	Gone   bool // the testee takes no connections any more: it was one of the dialogues before this
}

// Bounds of a search for small dialogues.
const (
	maxFuzzFailures = 8           // different ones that a run tells of
	shrinkTime      = time.Minute // for each
	shrinkPlays     = 400
	fuzzBatch       = 512
)

// Fuzz plays n dialogues of the stream of a seed with a testee, see FuzzCase, and
// yields those that fail, each made as small as it can be and still fail in the same
// way. Of several that fail in the same way only the first is yielded; the run ends
// with the eighth, or when a server takes no connections any more. played, unless it is
// nil, hears which one is done.
func Fuzz(ctx context.Context, p Player, seed uint64, n int, pace Pace, played func(id string)) iter.Seq[FuzzFailure] {
	return func(yield func(FuzzFailure) bool) {
		seen := map[string]bool{}
		for first := 0; first < n && ctx.Err() == nil; first += fuzzBatch {
			var batch []*Case
			for i := first; i < min(n, first+fuzzBatch); i++ {
				batch = append(batch, FuzzCase(seed, i))
			}
			var failed []Result
			for r := range PlayAll(ctx, p, batch, pace) {
				if r.Unreached && p.Preflight(ctx) != nil {
					yield(FuzzFailure{First: r, Result: r, Frames: r.Case.script(r.Role).frames, Gone: true})
					return
				}
				if played != nil {
					played(r.Case.ID)
				}
				if kind := fuzzKind(r); r.Outcome == Failed && !seen[kind] {
					seen[kind] = true
					failed = append(failed, r)
				}
			}
			for _, r := range failed {
				if !yield(shrink(ctx, p, r)) || len(seen) >= maxFuzzFailures {
					return
				}
			}
		}
	}
}

// fuzzKind is what is the same in failures of the same kind: what happened, without
// its numbers and payloads, and the rule that was broken before it.
func fuzzKind(r Result) string {
	what, _, _ := strings.Cut(r.Actual, ":")
	_, why, _ := strings.Cut(r.Expected, ": ")
	return strings.Map(func(c rune) rune {
		if c >= '0' && c <= '9' {
			return -1
		}
		return c
	}, what+"|"+why)
}

// alike reports whether a smaller dialogue's kind of failure is likely to be of the
// same fault: the same happened, or the same rule was broken before, or none is
// broken any more.
func alike(smaller, kind string) bool {
	what, why, _ := strings.Cut(smaller, "|")
	was, rule, _ := strings.Cut(kind, "|")
	return what == was || why == rule || why == ""
}

// shrink looks for a smaller dialogue that fails in the same way.
func shrink(ctx context.Context, p Player, first Result) FuzzFailure {
	ctx, cancel := context.WithTimeout(ctx, shrinkTime)
	defer cancel()
	s := &shrinker{ctx: ctx, player: p, kind: fuzzKind(first), id: first.Case.ID, plays: shrinkPlays}
	f := FuzzFailure{First: first, Result: first}
	s.best = first.Case.script(first.Role)
	if s.fails(s.best) {
		f.Steady = true
		for s.smaller() {
		}
		f.Result = s.result
	}
	f.Frames = s.best.frames
	return f
}

// A shrinker has the smallest script so far.
type shrinker struct {
	ctx    context.Context
	player Player
	kind   string
	id     string
	plays  int // left
	best   fuzzScript
	result Result // of best
}

// fails plays a script and keeps it if it fails in the same way.
func (s *shrinker) fails(script fuzzScript) bool {
	if s.plays--; s.plays < 0 || s.ctx.Err() != nil {
		return false
	}
	r := s.player.Play(s.ctx, scriptCase(s.id, func(Role) fuzzScript { return script }))
	if s.ctx.Err() != nil || r.Outcome != Failed || r.Unreached || !alike(fuzzKind(r), s.kind) {
		return false
	}
	s.best, s.result = script, r
	return true
}

// smaller tries every way to make the script smaller, and reports whether one was
// one.
func (s *shrinker) smaller() bool {
	found := false
	for n := len(s.best.frames) / 2; n >= 1; n /= 2 {
		for at := 0; at+n <= len(s.best.frames); {
			script := s.best
			script.frames = slices.Delete(slices.Clone(script.frames), at, at+n)
			if s.fails(script) {
				found = true
			} else {
				at += n
			}
		}
	}
	for _, chop := range []int{-1, 0} {
		if s.best.chop > 0 || s.best.chop == 0 && chop < 0 {
			script := s.best
			script.chop = chop
			found = s.fails(script) || found
		}
	}
	for i := 0; i+1 < len(s.best.frames); i++ {
		found = s.merge(i) || found
	}
	for i := range s.best.frames {
		found = s.shorter(i) || found
	}
	return found
}

// merge makes one of a fragment and the next.
func (s *shrinker) merge(i int) bool {
	a, b := s.best.frames[i], s.best.frames[i+1]
	if a.Fin || a.IsControl() || b.Opcode != OpContinuation {
		return false
	}
	a.Fin, a.Payload = b.Fin, append(slices.Clone(a.Payload), b.Payload...)
	script := s.best
	script.frames = slices.Replace(slices.Clone(script.frames), i, i+2, a)
	return s.fails(script)
}

// shorter makes a frame's payload shorter.
func (s *shrinker) shorter(i int) bool {
	found := false
	for {
		n := len(s.best.frames[i].Payload)
		cut := func(from, to int) bool {
			if from < 0 || to < from || to > n || to-from == n {
				return false
			}
			script := s.best
			script.frames = slices.Clone(script.frames)
			script.frames[i].Payload = script.frames[i].Payload[from:to]
			return s.fails(script)
		}
		if !(cut(0, 0) || cut(0, 1) || cut(n-1, n) || cut(0, n/2) || cut(n/2, n) || cut(0, n-n/4) || cut(n/4, n) || cut(0, n-1) || cut(1, n)) {
			return found
		}
		found = true
	}
}
