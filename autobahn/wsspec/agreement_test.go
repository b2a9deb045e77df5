package wsspec

import (
	"bytes"
	"context"
	"flag"
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
	"framewright/ws/wstest"
)

// The Autobahn testsuite and this one say the same of every broken testee, in both
// verdicts of every case. Where they do not, testees/testdata/disagreements.txt says
// why.
//
// It plays over connections in memory and in bubbles of synctest, so that no verdict
// depends on the machine. With -tcp it plays over TCP and with the testsuite's own
// second of patience, which takes minutes.
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
	for _, testee := range share(testees.All()) {
		for _, role := range []Role{Server, Client} {
			if !testee.Is(string(role)) || wstest.RaceEnabled() && strings.HasPrefix(testee.Name, "mixed-") {
				continue
			}
			key := testees.Key{Name: testee.Name, Role: string(role)}
			t.Run(testee.Name+"/"+string(role), func(t *testing.T) {
				t.Parallel()
				want := recorded[key]
				if len(want) == 0 {
					t.Fatal("the testsuite has not judged it: go run ./autobahn/wsspec/testees/record -only " + testee.Name)
				}
				ids := slices.Sorted(maps.Keys(want))
				results := playTestee(t, testee, role, cases, ids)
				for _, id := range ids {
					known.compare(t, key, id, want[id], results[id])
				}
			})
		}
	}
}

var overTCP = flag.Bool("tcp", false, "TestAgreement plays over TCP")

// playTestee plays cases with a testee, all at once, in no time but with -tcp.
func playTestee(t *testing.T, testee testees.Testee, role Role, cases map[string]*Case, ids []string) map[string]Result {
	results := map[string]Result{}
	bubble, pair, settings := synctest.Test, testees.Pipe, Settings{}
	if *overTCP {
		bubble = func(t *testing.T, f func(*testing.T)) { f(t) }
		pair = func() (net.Conn, net.Conn) { return tcpPair(t) }
		settings.Patience = time.Second
	}
	bubble(t, func(t *testing.T) {
		var mu sync.Mutex
		var wg sync.WaitGroup
		for _, id := range ids {
			wg.Go(func() {
				here, there := pair()
				r := playWith(t.Context(), testee, role, settings, cases[id], here, there)
				mu.Lock()
				defer mu.Unlock()
				results[id] = r
			})
		}
		wg.Wait()
	})
	return results
}

// tcpPair returns the two ends of a connection over the loopback.
func tcpPair(t *testing.T) (net.Conn, net.Conn) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	here, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	there, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	return here, there
}

// playWith plays one case with a testee over a connection.
func playWith(ctx context.Context, testee testees.Testee, role Role, settings Settings, c *Case, here, there net.Conn) Result {
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

// compare reports what is not as the testsuite or the file says.
func (ds disagreements) compare(t *testing.T, key testees.Key, id string, want [2]string, r Result) {
	got := [2]string{r.Behavior, r.BehaviorClose}
	line := ds.of(key, id)
	switch {
	case got == want && line != nil:
		t.Errorf("%s: both say %q; disagreements.txt:%d can go or be narrower", id, got, line.number)
	case got != want && (line == nil || line.got != got):
		t.Errorf("%s: this suite says %q, the testsuite %q; %s", id, got, want, r.Actual)
	}
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
