package wsspec

import (
	"bytes"
	"context"
	"maps"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"framewright/autobahn/wsspec/testees"
)

// The Autobahn testsuite and this one say the same of every broken testee, in both
// verdicts of every case. Where they do not, testees/testdata/disagreements.txt says
// why.
//
// It plays over connections in memory and in bubbles of synctest, with the
// testsuite's own second of patience: no verdict depends on the machine.
func TestAgreement(t *testing.T) {
	recorded, err := testees.ReadVerdicts("testees/testdata/autobahn.txt")
	if err != nil {
		t.Fatal(err)
	}
	known := readDisagreements(t)
	cases := map[string]*Case{}
	for _, c := range autobahnCases() {
		cases[c.ID] = c
	}
	for _, testee := range testees.All() {
		for _, role := range []Role{Server, Client} {
			if !testee.Is(string(role)) {
				continue
			}
			key := testees.Key{Name: testee.Name, Role: string(role)}
			t.Run(testee.Name+"/"+string(role), func(t *testing.T) {
				t.Parallel()
				want := recorded[key]
				if len(want) == 0 {
					t.Fatal("the testsuite has not judged it: go run ./autobahn/wsspec/testees/record -only " + testee.Name)
				}
				results := playTestee(t, testee, role, cases, slices.Sorted(maps.Keys(want)))
				for _, id := range slices.Sorted(maps.Keys(want)) {
					r := results[id]
					got := [2]string{r.Behavior, r.BehaviorClose}
					line := known.of(key, id)
					switch {
					case got == want[id] && line != nil:
						t.Errorf("%s: both say %q; disagreements.txt:%d can go or be narrower", id, got, line.number)
					case got != want[id] && (line == nil || line.got != got):
						t.Errorf("%s: this suite says %q, the testsuite %q; %s", id, got, want[id], r.Actual)
					}
				}
			})
		}
	}
}

// playTestee plays cases with a testee, all at once, in no time.
func playTestee(t *testing.T, testee testees.Testee, role Role, cases map[string]*Case, ids []string) map[string]Result {
	results := map[string]Result{}
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var wg sync.WaitGroup
		for _, id := range ids {
			wg.Go(func() {
				r := playWith(t.Context(), testee, role, cases[id])
				mu.Lock()
				defer mu.Unlock()
				results[id] = r
			})
		}
		wg.Wait()
	})
	return results
}

// playWith plays one case with a testee over a connection in memory.
func playWith(ctx context.Context, testee testees.Testee, role Role, c *Case) Result {
	settings := Settings{Patience: time.Second}
	here, there := testees.Pipe()
	var wg sync.WaitGroup
	defer wg.Wait()
	defer here.Close()
	if role == Server {
		wg.Go(func() { testee.Serve(there) })
		tg := &target{host: "testee.example", path: "/", connect: func(context.Context) (net.Conn, error) { return here, nil }}
		return (&ServerTest{settings.filled(), tg}).Play(ctx, c)
	}
	wg.Go(func() { testee.Talk(there, "suite.example", "/") })
	head, rest, err := readRequest(here)
	if err != nil {
		return Result{Verdict: Fail("a request", "%v", err)}
	}
	return PlayClient(ctx, c, settings, here, head, rest)
}

// A disagreement is a line of the reviewed file.
type disagreement struct {
	number   int
	key      testees.Key
	patterns []string
	got      [2]string // what this suite says
}

type disagreements []*disagreement

func (ds disagreements) of(key testees.Key, id string) *disagreement {
	for _, d := range ds {
		if d.key == key && slices.ContainsFunc(d.patterns, func(p string) bool {
			head, ok := strings.CutSuffix(p, "*")
			return p == id || ok && strings.HasPrefix(id, head)
		}) {
			return d
		}
	}
	return nil
}

// readDisagreements reads lines of: testee, role, cases, what this suite says, why.
func readDisagreements(t *testing.T) disagreements {
	const file = "testees/testdata/disagreements.txt"
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var all disagreements
	for i, line := range bytes.Split(b, []byte("\n")) {
		if len(line) == 0 || line[0] == '#' {
			continue
		}
		fields := strings.SplitN(string(line), ";", 5)
		if len(fields) != 5 || !strings.HasSuffix(fields[4], ".") {
			t.Fatalf("%s:%d: want testee; role; cases; behavior / behaviorClose; a sentence", file, i+1)
		}
		for i := range fields {
			fields[i] = strings.TrimSpace(fields[i])
		}
		behavior, end, _ := strings.Cut(fields[3], " / ")
		all = append(all, &disagreement{i + 1, testees.Key{Name: fields[0], Role: fields[1]}, strings.Fields(fields[2]), [2]string{behavior, end}})
	}
	return all
}
