// Mutate changes one small thing after the other in a file, and says which
// changes the package's tests do not notice.
//
//	go run ./internal/mutate -pkg ./ws -file frame.go -run 'Frame|Header'
//
// Conditions become true, false or their opposite; bounds move by one; operators
// and whole numbers are replaced; statements go; zero is returned. All mutants
// that may be are in one build, each behind a number (those in constants are
// built one by one), which go's -overlay makes: the work tree is not touched.
// Each runs the tests that -run names; those that survive them run all the
// package's tests with -whole. A mutant that does not end is killed by the time
// it takes. With -reach, the command first runs each test alone to see which
// lines it reaches, and each mutant gets all tests that reach it and no others.
// The tests of another package, which uses this one, are those with -tests.
//
// Survivors that were looked at stand in a list with a reason. Others make the
// command fail, and so does an entry of the list that no survivor needs.
// docs/mutants.md has the counts.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
)

type settings struct {
	pkg, file, run, reviewed string
	tests                    string
	list, whole, together, v bool
	jobs                     int
	only, skip, reach, again string
}

func main() {
	var s settings
	flag.StringVar(&s.pkg, "pkg", "", "the package, such as ./ws")
	flag.StringVar(&s.tests, "tests", "", "the `package` whose tests are run, such as ./ws for ./ws/internal/http1; -pkg's own by default")
	flag.StringVar(&s.file, "file", "", "its file, such as frame.go, or several, each with the tests that its own mutants run first, if not those of -run: frame.go=Frame,mask.go=Mask; one build does for all")
	flag.StringVar(&s.run, "run", "", "a regular `expression`: the tests that each mutant runs first; all of them by default")
	flag.StringVar(&s.skip, "skip", "", "a regular `expression`: tests that are left out, such as those that take long")
	flag.BoolVar(&s.whole, "whole", false, "run all tests on what -run lets survive")
	flag.BoolVar(&s.together, "together", false, "leave out the mutants that need a build of their own; a build takes much longer than a run")
	flag.BoolVar(&s.v, "v", false, "say of each mutant what became of it when it is known")
	flag.BoolVar(&s.list, "list", false, "only list the mutants")
	flag.StringVar(&s.only, "only", "", "a regular `expression`: only mutants of functions that match")
	flag.StringVar(&s.reach, "reach", "", "measure what each test reaches, keep it in this `file` (remove it when tests have changed; it is measured again when the package has, and new ones are added), and run on each mutant all tests that reach it, quick ones first")
	flag.StringVar(&s.again, "again", "", "only the mutants that stand in this `file`, an earlier run's output, as open")
	flag.IntVar(&s.jobs, "p", 2, "how many mutants run at the same time")
	flag.StringVar(&s.reviewed, "reviewed", "", "the list of survivors that were looked at (default: internal/mutate/reviewed.txt of the module)")
	flag.Parse()
	ok, err := mutate(s, os.Stdout)
	if err != nil {
		fmt.Fprintln(os.Stderr, "mutate:", err)
		os.Exit(2)
	}
	if !ok {
		os.Exit(1)
	}
}

// A verdict is what became of a mutant.
type verdict int

const (
	survived verdict = iota
	killed
	timedOut
	stillborn // it does not compile
	untried   // with -together
)

func (v verdict) String() string {
	return [...]string{"survived", "killed", "killed by its time", "does not compile", "not tried"}[v]
}

// mutate is the command. ok says that there is no survivor without a reason, and
// no reason without a survivor.
func mutate(s settings, out io.Writer) (ok bool, err error) {
	if s.pkg == "" || s.file == "" {
		return false, errors.New("say which file: -pkg ./ws -file frame.go")
	}
	only, err := regexp.Compile(s.only)
	if err != nil {
		return false, fmt.Errorf("-only: %w", err)
	}
	t, err := open(s.pkg, s.tests, strings.Split(s.file, ",")...)
	if err != nil {
		return false, err
	}
	prefix := func(of *source) string {
		if rel, err := filepath.Rel(t.module, t.dir); t.module != "" && err == nil {
			return filepath.ToSlash(filepath.Join(rel, of.name))
		}
		return of.name
	}
	if s.list {
		for _, m := range t.all {
			fmt.Fprintf(out, "%s:%d: %s\n", prefix(m.source), m.line, m.key())
		}
		fmt.Fprintf(out, "%d mutants\n", len(t.all))
		return true, nil
	}
	if s.reviewed == "" {
		s.reviewed = filepath.Join(t.module, "internal", "mutate", "reviewed.txt")
	}
	b, err := os.ReadFile(s.reviewed)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return false, err
	}
	reviewed, err := parseReviewed(b)
	if err != nil {
		return false, fmt.Errorf("%s: %w", s.reviewed, err)
	}
	tmp, err := os.MkdirTemp("", "mutate")
	if err != nil {
		return false, err
	}
	defer os.RemoveAll(tmp)
	mutants := slices.DeleteFunc(slices.Clone(t.all), func(m *mutant) bool { return !only.MatchString(m.fn) })
	if s.again != "" {
		b, err := os.ReadFile(s.again)
		if err != nil {
			return false, err
		}
		before := openIn(b)
		mutants = slices.DeleteFunc(mutants, func(m *mutant) bool { return !before[prefix(m.source)+": "+m.key()] })
	}
	verdicts, err := t.judge(s, tmp, mutants, out)
	if err != nil {
		return false, err
	}
	ok = true
	for _, of := range t.sources {
		mine := slices.DeleteFunc(slices.Clone(mutants), func(m *mutant) bool { return m.source != of })
		ok = report(out, prefix(of), mine, verdicts, reviewed, s.only == "" && s.again == "") && ok
	}
	return ok, nil
}

// report prints what survived, and the sum.
func report(out io.Writer, prefix string, mutants []*mutant, verdicts map[*mutant]verdict, reviewed map[string]*review, all bool) bool {
	counts := map[verdict]int{}
	explained, open := 0, 0
	for _, m := range mutants {
		v := verdicts[m]
		counts[v]++
		if v != survived {
			continue
		}
		if r := reviewed[prefix+": "+m.key()]; r != nil {
			r.used = true
			explained++
			continue
		}
		open++
		fmt.Fprintf(out, "%s:%d: %s\n", prefix, m.line, m.key())
	}
	stale := 0
	seen := map[string]bool{}
	for _, m := range mutants {
		seen[prefix+": "+m.key()] = true
		if r := reviewed[prefix+": "+m.key()]; r != nil && !r.used && verdicts[m] != untried {
			r.used = true
			stale++
			fmt.Fprintf(out, "stale: line %d of the reviewed list, %s: the tests notice it now\n", r.line, r.mutant)
		}
	}
	for _, r := range reviewed {
		if all && !r.used && !seen[r.mutant] && strings.HasPrefix(r.mutant, prefix+": ") {
			stale++
			fmt.Fprintf(out, "stale: line %d of the reviewed list, %s: there is no such mutant\n", r.line, r.mutant)
		}
	}
	alive := len(mutants) - counts[stillborn] - counts[untried]
	share := 100.0
	if alive > 0 {
		share = 100 * float64(counts[killed]+counts[timedOut]) / float64(alive)
	}
	fmt.Fprintf(out, "%s: %d mutants, %d killed (%.1f %%; %d of them by the time they took), %d explained, %d open; of the others, %d do not compile and %d were not tried\n",
		prefix, alive, counts[killed]+counts[timedOut], share, counts[timedOut], explained, open, counts[stillborn], counts[untried])
	return open == 0 && stale == 0
}

// judge runs the mutants.
func (t *target) judge(s settings, tmp string, mutants []*mutant, out io.Writer) (map[*mutant]verdict, error) {
	texts, err := t.woven()
	if err != nil {
		return nil, err
	}
	r := &runner{t: t, tmp: tmp, woven: filepath.Join(tmp, "woven.test"), skip: s.skip}
	if output, err := t.compile(tmp, texts, r.woven); err != nil {
		return nil, fmt.Errorf("the build with the mutants: %w\n%s", err, output)
	}
	verdicts := make(map[*mutant]verdict)
	var tests map[string]*reached
	if s.reach != "" {
		if tests, err = t.measure(tmp, cmp.Or(s.run, "."), s.skip, s.reach, s.jobs); err != nil {
			return nil, err
		}
	}
	passed := map[string]bool{}
	round := func(runs func(*mutant) string, left []*mutant) error {
		for _, of := range t.sources {
			i := slices.IndexFunc(left, func(m *mutant) bool { return m.source == of })
			if i < 0 || passed[runs(left[i])] {
				continue
			}
			if err := r.baseline(runs(left[i]), out); err != nil {
				return err
			}
			passed[runs(left[i])] = true
		}
		var mu sync.Mutex
		var wg sync.WaitGroup
		next := make(chan *mutant)
		for range max(s.jobs, 1) {
			wg.Go(func() {
				for m := range next {
					v := untried
					switch {
					case s.together && m.site.kind == alone:
					case tests != nil:
						v = r.tryReaching(m, tests)
					default:
						v = r.try(m, runs(m))
					}
					mu.Lock()
					if s.v {
						fmt.Fprintf(out, "%s: %s:%d: %s\n", v, m.source.name, m.line, m.key())
					}
					verdicts[m] = v
					mu.Unlock()
				}
			})
		}
		for _, m := range left {
			next <- m
		}
		close(next)
		wg.Wait()
		return nil
	}
	first := func(m *mutant) string { return cmp.Or(m.source.run, s.run) }
	if tests != nil { // those that reach some mutant must pass without one
		needed := map[string]bool{}
		for _, m := range mutants {
			for _, b := range t.batches(m, tests) {
				for _, name := range b.names {
					needed[name] = true
				}
			}
		}
		run := "^(" + strings.Join(slices.Sorted(maps.Keys(needed)), "|") + ")$"
		first = func(*mutant) string { return run }
	}
	if err := round(first, mutants); err != nil {
		return nil, err
	}
	if s.whole {
		left := slices.DeleteFunc(slices.Clone(mutants), func(m *mutant) bool { return verdicts[m] != survived || first(m) == "" })
		if err := round(func(*mutant) string { return "" }, left); err != nil {
			return nil, err
		}
	}
	return verdicts, nil
}

// A runner runs the tests' binaries.
type runner struct {
	t     *target
	tmp   string
	woven string
	skip  string        // tests that fail in the build with the mutants, without any at work
	limit time.Duration // for one run
}

var failed = regexp.MustCompile(`(?m)^--- FAIL: (\S+)`)

// baseline runs the tests without a mutant. Some cannot pass in the build with
// the mutants, such as those that count what is allocated: they are left out.
func (r *runner) baseline(run string, out io.Writer) error {
	for range 5 {
		start := time.Now()
		ok, output := r.tests(r.woven, 0, run, 10*time.Minute)
		if ok {
			r.limit = max(r.limit, 5*time.Since(start)+10*time.Second)
			return nil
		}
		var names []string
		for _, m := range failed.FindAllStringSubmatch(output, -1) {
			names = append(names, "^"+regexp.QuoteMeta(m[1])+"$")
		}
		if len(names) == 0 {
			return fmt.Errorf("the tests do not pass without a mutant:\n%s", output)
		}
		fmt.Fprintf(out, "left out, because they fail without a mutant: %s\n", strings.Join(names, ", "))
		if r.skip != "" {
			names = append(names, r.skip)
		}
		r.skip = strings.Join(names, "|")
	}
	return errors.New("ever more tests fail without a mutant")
}

// tests runs a binary's tests with one mutant at work.
func (r *runner) tests(binary string, id int, run string, limit time.Duration) (ok bool, output string) {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	args := []string{"-test.failfast", "-test.timeout=0"}
	if id == 0 {
		args = nil
	}
	if run != "" {
		args = append(args, "-test.run="+run)
	}
	if r.skip != "" {
		args = append(args, "-test.skip="+r.skip)
	}
	cmd := exec.CommandContext(ctx, binary, args...)
	cmd.Dir = r.t.testDir
	cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%d", switchEnv, id))
	cmd.WaitDelay = time.Second
	b, err := cmd.CombinedOutput()
	return err == nil, string(b)
}

func (r *runner) try(m *mutant, run string) verdict {
	binary := r.woven
	if m.site.kind == alone {
		binary = filepath.Join(r.tmp, fmt.Sprintf("mutant%d.test", m.id))
		defer os.Remove(binary)
		if _, err := r.t.compile(r.tmp, r.t.by(m), binary); err != nil {
			return stillborn
		}
	}
	start := time.Now()
	ok, _ := r.tests(binary, m.id, run, r.limit)
	switch {
	case ok:
		return survived
	case time.Since(start) >= r.limit:
		return timedOut
	}
	return killed
}
