package main

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// reached is what one test reaches, and how long it takes.
type reached struct {
	Of     string // the package's files then, see version
	Took   time.Duration
	Blocks map[string][]block // by the file's name
}

// A block is a piece of a file without a branch, from one place to another: what
// a coverage profile counts.
type block struct{ FromLine, FromCol, ToLine, ToCol int }

func (b block) holds(line, col int) bool {
	return (b.FromLine < line || b.FromLine == line && b.FromCol <= col) &&
		(line < b.ToLine || line == b.ToLine && col < b.ToCol)
}

func (b block) within(a block) bool {
	return a.holds(b.FromLine, b.FromCol) && (b.ToLine < a.ToLine || b.ToLine == a.ToLine && b.ToCol <= a.ToCol)
}

// measure runs every test that run names, and skip does not, alone, and says what
// it reaches. What the file keep says of earlier runs is believed if the package's
// files are still the same, in which the blocks lie, and the rest added to it.
func (t *target) measure(tmp, run, skip, keep string, jobs int) (map[string]*reached, error) {
	leave, err := regexp.Compile(cmp.Or(skip, "^$"))
	if err != nil {
		return nil, fmt.Errorf("-skip: %w", err)
	}
	known := map[string]*reached{}
	if b, err := os.ReadFile(keep); err == nil {
		if err := json.Unmarshal(b, &known); err != nil {
			return nil, fmt.Errorf("-reach %s: %w", keep, err)
		}
	} else if !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	version, err := t.version()
	if err != nil {
		return nil, err
	}
	binary := filepath.Join(tmp, "cover.test")
	build := exec.Command("go", "test", "-c", "-vet=off", "-cover", "-covermode=set", "-coverpkg="+t.path, "-o", binary, ".")
	build.Dir = t.testDir
	if out, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("the build that counts what is reached: %w\n%s", err, out)
	}
	list := exec.Command(binary, "-test.list="+run)
	list.Dir = t.testDir
	out, err := list.CombinedOutput()
	if err != nil {
		return nil, fmt.Errorf("listing the tests: %w\n%s", err, out)
	}
	all := map[string]*reached{}
	var mu sync.Mutex
	var wg sync.WaitGroup
	next := make(chan string)
	for i := range max(jobs, 1) {
		wg.Go(func() {
			for name := range next {
				got := t.alone(binary, filepath.Join(tmp, fmt.Sprintf("profile%d", i)), name)
				got.Of = version
				mu.Lock()
				known[name] = got
				mu.Unlock()
			}
		})
	}
	for _, name := range strings.Fields(string(out)) {
		if strings.HasPrefix(name, "Benchmark") || leave.MatchString(name) {
			continue
		}
		mu.Lock()
		missing := known[name] == nil || known[name].Of != version
		mu.Unlock()
		if missing {
			next <- name
		}
		all[name] = nil
	}
	close(next)
	wg.Wait()
	for name := range all {
		all[name] = known[name]
	}
	b, err := json.Marshal(known)
	if err != nil {
		return nil, err
	}
	return all, os.WriteFile(keep, b, 0o600)
}

// version is another one when any of the package's files is, tests excepted.
func (t *target) version() (string, error) {
	names, err := filepath.Glob(filepath.Join(t.dir, "*.go"))
	if err != nil {
		return "", err
	}
	h := sha256.New()
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		b, err := os.ReadFile(name)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(h, "%s %d\n%s", filepath.Base(name), len(b), b)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// alone runs one test. Whether it passes does not matter here: some cannot when
// what they reach is counted.
func (t *target) alone(binary, profile, name string) *reached {
	start := time.Now()
	cmd := exec.Command(binary, "-test.run=^"+regexp.QuoteMeta(name)+"$", "-test.coverprofile="+profile)
	cmd.Dir = t.testDir
	cmd.Run()
	r := &reached{Took: time.Since(start), Blocks: map[string][]block{}}
	b, _ := os.ReadFile(profile)
	os.Remove(profile)
	for line := range bytes.Lines(b) {
		if file, b, ok := parseBlock(string(line)); ok {
			r.Blocks[file] = append(r.Blocks[file], b)
		}
	}
	return r
}

// parseBlock reads a profile's line, such as path/file.go:1.2,3.4 5 1, of a block
// that was reached.
func parseBlock(line string) (file string, b block, ok bool) {
	path, rest, ok := strings.Cut(strings.TrimSpace(line), ":")
	if !ok || !strings.HasSuffix(rest, " 1") {
		return "", b, false
	}
	var n [4]int
	for i, s := range strings.FieldsFunc(strings.Fields(rest)[0], func(r rune) bool { return r == '.' || r == ',' }) {
		if i == len(n) {
			return "", b, false
		}
		n[i], _ = strconv.Atoi(s)
	}
	return path[strings.LastIndexByte(path, '/')+1:], block{n[0], n[1], n[2], n[3]}, true
}

// batches are the tests that reach a mutant, those that take little first, and
// each batch about as long as those before it.
func (t *target) batches(m *mutant, tests map[string]*reached) (list []batch) {
	at := func(offset int) (line, col int) {
		before := m.source.src[:offset]
		return 1 + bytes.Count(before, []byte("\n")), offset - bytes.LastIndexByte(before, '\n')
	}
	line, col := at(m.start)
	var fn block // the declared function's
	for _, d := range m.source.find.file.Decls {
		if d, ok := d.(*ast.FuncDecl); ok && m.source.find.offset(d.Pos()) <= m.start && m.end <= m.source.find.offset(d.End()) {
			fn.FromLine, fn.FromCol = at(m.source.find.offset(d.Pos()))
			fn.ToLine, fn.ToCol = at(m.source.find.offset(d.End()))
		}
	}
	// What belongs to no block, such as the expressions of a case, is reached with
	// its function. What stands outside of functions, anything may reach.
	var inside []string
	var near []string
	for name, r := range tests {
		blocks := r.Blocks[m.source.name]
		switch {
		case fn == block{}:
			inside = append(inside, name)
		case slices.ContainsFunc(blocks, func(b block) bool { return b.holds(line, col) }):
			inside = append(inside, name)
		case slices.ContainsFunc(blocks, func(b block) bool { return b.within(fn) }):
			near = append(near, name)
		}
	}
	if len(inside) == 0 {
		inside = near
	}
	slices.SortFunc(inside, func(a, b string) int {
		if c := tests[a].Took - tests[b].Took; c != 0 {
			return int(c)
		}
		return strings.Compare(a, b)
	})
	first := 500 * time.Millisecond
	sum := time.Duration(0)
	for _, name := range inside {
		if len(list) == 0 || list[len(list)-1].takes >= max(first, sum/2) {
			list = append(list, batch{})
		}
		last := &list[len(list)-1]
		last.names = append(last.names, regexp.QuoteMeta(name))
		last.takes += tests[name].Took
		sum += tests[name].Took
	}
	return list
}

// A batch is some tests that run in one process.
type batch struct {
	names []string
	takes time.Duration // each alone, all together
}

func (b batch) run() string { return "^(" + strings.Join(b.names, "|") + ")$" }

// tryReaching runs the tests that reach a mutant until one notices it.
func (r *runner) tryReaching(m *mutant, tests map[string]*reached) verdict {
	list := r.t.batches(m, tests)
	if len(list) == 0 {
		return survived
	}
	binary := r.woven
	if m.site.kind == alone {
		binary = filepath.Join(r.tmp, fmt.Sprintf("mutant%d.test", m.id))
		defer os.Remove(binary)
		if _, err := r.t.compile(r.tmp, r.t.by(m), binary); err != nil {
			return stillborn
		}
	}
	for _, b := range list {
		limit := 10*time.Second + 5*b.takes
		start := time.Now()
		ok, _ := r.tests(binary, m.id, b.run(), limit)
		switch {
		case ok:
		case time.Since(start) >= limit:
			return timedOut
		default:
			return killed
		}
	}
	return survived
}

// openIn reads the mutants that an earlier run's output says are open, by the file
// and their key.
func openIn(output []byte) map[string]bool {
	list := map[string]bool{}
	for line := range strings.Lines(string(output)) {
		if m := openLine.FindStringSubmatch(strings.TrimSpace(line)); m != nil {
			list[m[1]+": "+m[2]] = true
		}
	}
	return list
}

var openLine = regexp.MustCompile(`^(\S+\.go):\d+: (.* → .*)$`)
