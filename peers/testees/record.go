package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"framewright/autobahn/wsspec/testees"
)

// notRecorded are the sizes of groups 12 and 13 that take the testsuite two seconds and
// more each. Of all other cases the libraries' verdicts are recorded.
const notRecorded = "12.*.9,12.*.10,12.*.14,12.*.15,12.*.16,12.*.17,12.*.18,13.*.9,13.*.10,13.*.14,13.*.15,13.*.16,13.*.17,13.*.18"

// recordAll has the real Autobahn testsuite judge every library, one after the other,
// and writes its verdicts to a file. It takes half an hour.
func recordAll(ctx context.Context, file string) error {
	dir, err := os.MkdirTemp("", "record-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	verdicts := testees.Verdicts{}
	for _, l := range libraries {
		for _, role := range []string{"server", "client"} {
			out := filepath.Join(dir, l.name+"-"+role)
			if err := l.record(ctx, role, out); err != nil {
				return fmt.Errorf("%s, %s: %w", l.name, role, err)
			}
			if verdicts[testees.Key{Name: l.name, Role: role}], err = readIndex(filepath.Join(out, role, "index.json")); err != nil {
				return err
			}
			fmt.Fprintf(os.Stderr, "%s, %s\n", l.name, role)
		}
	}
	return os.WriteFile(file, testees.FormatVerdicts(verdicts), 0o644)
}

// record runs the testsuite once. That some cases fail is what is recorded.
func (l library) record(ctx context.Context, role, out string) error {
	args := []string{"run", "framewright/autobahn", "-engine", "wstest", "-agent", l.name, "-exclude", notRecorded, "-out", out}
	if role == "server" {
		p, err := serveProcess(ctx, l.name)
		if err != nil {
			return err
		}
		defer p.end()
		return wstest(exec.CommandContext(ctx, "go", append(args, "-url", p.url)...))
	}
	const base = "ws://127.0.0.1:9001" // where -wait waits
	cmd := exec.CommandContext(ctx, "go", append(args, "-wait")...)
	done := make(chan error, 1)
	go func() { done <- wstest(cmd) }()
	for ask(ctx, base+"/getCaseCount", nil) != nil {
		select {
		case err := <-done:
			return fmt.Errorf("the testsuite ended: %w", err)
		case <-time.After(time.Second):
		}
	}
	if err := selfCommand(ctx, "-client", l.name, base).Run(); err != nil {
		return err
	}
	return <-done
}

// wstest runs the testsuite; its status 1 says that cases failed.
func wstest(cmd *exec.Cmd) error {
	out, err := cmd.CombinedOutput()
	if cmd.ProcessState != nil && cmd.ProcessState.ExitCode() == 1 {
		return nil
	}
	if err != nil {
		return fmt.Errorf("%w\n%s", err, out)
	}
	return nil
}

// readIndex reads the verdicts of the one agent in the testsuite's index.
func readIndex(file string) (map[string][2]string, error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var index map[string]map[string]struct{ Behavior, BehaviorClose string }
	if err := json.Unmarshal(b, &index); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	pairs := map[string][2]string{}
	for _, cases := range index {
		for id, c := range cases {
			pairs[id] = [2]string{c.Behavior, c.BehaviorClose}
		}
	}
	return pairs, nil
}
