// Command record has the real Autobahn testsuite judge the testees, and writes its
// verdicts to testdata/autobahn.txt. It needs the environment that
// `go run ./autobahn -engine wstest` makes, and half an hour:
//
//	go run ./autobahn/wsspec/testees/record
//
// The testsuite waits by the clock, a second at most places, so that a busy machine
// makes it say UNCLEAN of what was late. What TestAgreement finds to differ is recorded
// again, on its own: -only late-pong,slow -cases 5.7,6.5.1 -workers 2.
package main

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"maps"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"framewright/autobahn/wsspec"
	"framewright/autobahn/wsspec/testees"
)

//go:embed oracle.py
var oracle []byte

//go:embed wire.py
var wire string

func main() {
	python := flag.String("python", findPython(), "the testsuite's `interpreter`")
	only := flag.String("only", "", "the testees with these `names`, separated by commas; the others keep their verdicts")
	cases := flag.String("cases", "", "only the cases with these `ids`, separated by commas; the others keep their verdicts")
	out := flag.String("out", "autobahn/wsspec/testees/testdata/autobahn.txt", "the `file` to write")
	wireOnly := flag.Bool("wire", false, "only write what the cases send, to wire.txt beside it; that takes a second")
	workers := flag.Int("workers", 6, "how many testees of a role at a time")
	flag.Parse()
	if *wireOnly {
		if err := writeWire(*python, filepath.Join(filepath.Dir(*out), "wire.txt")); err != nil {
			fmt.Fprintln(os.Stderr, "record:", err)
			os.Exit(1)
		}
		return
	}
	if err := run(context.Background(), *python, *only, *cases, *out, *workers); err != nil {
		fmt.Fprintln(os.Stderr, "record:", err)
		os.Exit(1)
	}
}

// writeWire writes what the testsuite's cases send.
func writeWire(python, file string) error {
	cmd := exec.Command(python, "-c", wire)
	cmd.Stderr = os.Stderr
	b, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("the testsuite: %w", err)
	}
	return os.WriteFile(file, b, 0o644)
}

func findPython() string {
	cache, err := os.UserCacheDir()
	if err != nil {
		return ""
	}
	found, _ := filepath.Glob(filepath.Join(cache, "framewright", "autobahn-*", "env", "bin", "python"))
	if len(found) == 0 {
		return ""
	}
	return found[0]
}

func run(ctx context.Context, python, only, cases, out string, workers int) error {
	if python == "" {
		return errors.New("no testsuite here: run `go run ./autobahn -engine wstest -cases 1.1.1` once, or say -python")
	}
	var chosen []testees.Testee
	for _, t := range testees.All() {
		if only == "" || slices.Contains(strings.Split(only, ","), t.Name) {
			chosen = append(chosen, t)
		}
	}
	dir, err := os.MkdirTemp("", "record-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	ids := caseIDs()
	if cases != "" {
		ids = strings.Split(cases, ",")
	}
	conf, closeAll, err := configure(dir, chosen, ids, workers)
	if err != nil {
		return err
	}
	defer closeAll()
	cmd, err := start(ctx, python, dir, conf)
	if err != nil {
		return err
	}
	base := fmt.Sprintf("ws://127.0.0.1:%d", conf.Port)
	if err := clients(ctx, base, chosen, ids, workers); err != nil {
		cmd.Process.Kill()
		return err
	}
	if err := cmd.Wait(); err != nil {
		return fmt.Errorf("the testsuite: %w", err)
	}
	got, err := readVerdicts(conf.Out)
	if err != nil {
		return err
	}
	if only != "" || cases != "" {
		old, err := testees.ReadVerdicts(out)
		if err != nil {
			return err
		}
		for k, v := range got {
			if old[k] == nil {
				old[k] = v
			}
			maps.Copy(old[k], v)
		}
		got = old
	}
	return os.WriteFile(out, testees.FormatVerdicts(got), 0o644)
}

// A config is what the oracle reads.
type config struct {
	Port    int      `json:"port"`
	Out     string   `json:"out"`
	Jobs    []any    `json:"jobs"`
	Workers int      `json:"workers"`
	Cases   []string `json:"cases"`
}

// shares is how many jobs the cases of one testee are: some have to wait at each.
const shares = 4

func configure(dir string, chosen []testees.Testee, ids []string, workers int) (c config, closeAll func(), err error) {
	c = config{Port: freePort(), Out: filepath.Join(dir, "verdicts.json"), Workers: workers, Cases: ids}
	var listeners []*testees.Listener
	closeAll = func() {
		for _, l := range listeners {
			l.Close()
		}
	}
	for _, t := range chosen {
		if !t.Is("server") {
			continue
		}
		l, err := t.Listen()
		if err != nil {
			closeAll()
			return c, nil, err
		}
		listeners = append(listeners, l)
		var parts [shares][]string
		for i, id := range c.Cases {
			parts[i%shares] = append(parts[i%shares], id)
		}
		for _, part := range parts[:min(shares, len(c.Cases))] {
			c.Jobs = append(c.Jobs, []any{t.Name, l.URL, part})
		}
	}
	return c, closeAll, nil
}

// caseIDs are the cases that are compared. Of the long messages of group 9, which
// take the testsuite minutes, two stand for all; 12 and 13 need compression, which no
// testee has.
func caseIDs() []string {
	ids := []string{"9.1.1", "9.2.1"}
	for _, c := range wsspec.Cases() {
		group, _, _ := strings.Cut(c.ID, ".")
		if c.Chapter == "autobahn" && group != "9" && group != "12" && group != "13" {
			ids = append(ids, c.ID)
		}
	}
	return ids
}

func freePort() int {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

func start(ctx context.Context, python, dir string, c config) (*exec.Cmd, error) {
	b, err := json.Marshal(c)
	if err != nil {
		return nil, err
	}
	script, spec := filepath.Join(dir, "oracle.py"), filepath.Join(dir, "spec.json")
	if err := errors.Join(os.WriteFile(script, oracle, 0o644), os.WriteFile(spec, b, 0o644)); err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, python, script, spec)
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	for range 100 {
		conn, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", c.Port))
		if err == nil {
			conn.Close()
			return cmd, nil
		}
		time.Sleep(100 * time.Millisecond)
	}
	cmd.Process.Kill()
	return nil, errors.New("the testsuite does not listen")
}

// clients plays the testees as clients, and tells the testsuite when they are done.
func clients(ctx context.Context, base string, chosen []testees.Testee, ids []string, workers int) error {
	type job struct {
		t  testees.Testee
		id string
	}
	jobs := make(chan job)
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for j := range jobs {
				q := url.Values{"agent": {j.t.Name}, "casetuple": {j.id}}
				ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
				j.t.Dial(ctx, base+"/runCase?"+q.Encode())
				cancel()
			}
		})
	}
	for _, t := range chosen {
		if t.Is("client") {
			for _, id := range ids {
				jobs <- job{t, id}
			}
			fmt.Fprintln(os.Stderr, "client:", t.Name)
		}
	}
	close(jobs)
	wg.Wait()
	sound := testees.All()[0]
	return sound.Dial(ctx, base+"/updateReports?agent=sound")
}

func readVerdicts(file string) (testees.Verdicts, error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var raw map[string]map[string]map[string][2]string
	if err := json.Unmarshal(b, &raw); err != nil {
		return nil, err
	}
	v := testees.Verdicts{}
	for role, agents := range raw {
		for name, cases := range agents {
			v[testees.Key{Name: name, Role: role}] = cases
		}
	}
	return v, nil
}
