package wstest

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"framewright/autobahn/internal/cli"
)

const usageHead = `usage: go run ./autobahn -engine wstest [flags]

Runs the Autobahn testsuite against our WebSocket server and our client, and
judges every case against expectations.txt. Without flags: all cases, both roles.

  go run ./autobahn -engine wstest                                everything
  go run ./autobahn -engine wstest -role server -cases '1.*,7.*'  some cases, one role
  go run ./autobahn -engine wstest -url ws://127.0.0.1:9000/echo  any other server
  go run ./autobahn -engine wstest -wait                          any other client

Exit status: 0 when every case is as expected, 1 when one is not, 2 when nothing
could be judged.

flags:
`

// options are the command line.
type options struct {
	role, url, listen, cases, exclude string
	expect, out, agent, suite         string
	wait                              bool
	jobs                              int
	timeout, stall                    time.Duration
}

// Main runs the command with its arguments, without the program's name, and
// returns the exit status.
func Main(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	o, err := parseFlags(args, stderr)
	failed := 0
	if err == nil {
		failed, err = conform(ctx, o, stdout)
	}
	return cli.Status(min(failed, 1), err, stderr)
}

func parseFlags(args []string, stderr io.Writer) (options, error) {
	var o options
	fs := flag.NewFlagSet("autobahn -engine wstest", flag.ContinueOnError)
	fs.StringVar(&o.role, "role", "", "what is tested: `server`, client or both (default both; server with -url, client with -wait)")
	fs.StringVar(&o.cases, "cases", "*", "which cases, `patterns` of ids with commas between: '1.*,7.1.6'; the whole id must match")
	fs.StringVar(&o.exclude, "exclude", "", "which of these not, `patterns` likewise")
	fs.StringVar(&o.url, "url", "", "test the server at this ws:// or wss:// `URL` instead of ours")
	fs.BoolVar(&o.wait, "wait", false, "wait for a client to test instead of running ours")
	fs.StringVar(&o.listen, "listen", "127.0.0.1:9001", "the `address` -wait waits at; the suite listens on all interfaces")
	fs.StringVar(&o.agent, "agent", "", "the testee's `name` in the reports (default framewright, or the host of -url)")
	fs.StringVar(&o.expect, "expect", "", "`file` of expectations (default the built-in one)")
	fs.StringVar(&o.out, "out", "reports", "`folder` for the reports")
	fs.IntVar(&o.jobs, "jobs", min(runtime.NumCPU(), 4), "how many suite `processes` share the cases, side by side")
	fs.StringVar(&o.suite, "suite", "", "use only this `way` to a suite: wstest, docker or python (default the first that works)")
	fs.DurationVar(&o.timeout, "timeout", 0, "give a role up after this `time` (default 40m; none with -wait)")
	fs.DurationVar(&o.stall, "stall", 2*time.Minute, "give a suite process up after this `time` without a sign of life")
	if err := cli.Parse(fs, args, usageHead, stderr); err != nil {
		return o, err
	}
	return o, o.complete()
}

// complete checks the flags against each other and fills in what follows.
func (o *options) complete() error {
	switch {
	case o.url != "" && o.wait:
		return errors.New("-url tests a server and -wait a client; give one of them")
	case o.url != "":
		u, err := url.Parse(o.url)
		if err != nil || u.Host == "" || u.Scheme != "ws" && u.Scheme != "wss" {
			return fmt.Errorf("-url %q; want a ws:// or wss:// URL with a host", o.url)
		}
		o.agent = cmp.Or(o.agent, u.Host)
		o.role = cmp.Or(o.role, "server")
		if o.role != "server" {
			return fmt.Errorf("-url tests a server; it does not go with -role %s", o.role)
		}
	case o.wait:
		o.role = cmp.Or(o.role, "client")
		if o.role != "client" {
			return fmt.Errorf("-wait tests a client; it does not go with -role %s", o.role)
		}
	default:
		o.role = cmp.Or(o.role, "both")
	}
	if o.timeout == 0 && !o.wait {
		o.timeout = 40 * time.Minute
	}
	o.agent = cmp.Or(o.agent, "framewright")
	switch {
	case o.role != "server" && o.role != "client" && o.role != "both":
		return fmt.Errorf("-role %q; want server, client or both", o.role)
	case o.jobs < 1 || o.jobs > 64:
		return fmt.Errorf("-jobs %d; want 1 to 64", o.jobs)
	case o.timeout < 0 || o.stall < 10*time.Second:
		return fmt.Errorf("-timeout %v -stall %v; want a positive timeout and at least 10s of stall (a case has pauses of its own)", o.timeout, o.stall)
	case strings.TrimSpace(o.out) == "":
		return errors.New("-out is empty; want a folder for the reports")
	}
	return nil
}

// conform runs what the options ask for and returns how many cases failed. An
// error means that nothing, or not all of it, could be judged.
func conform(ctx context.Context, o options, stdout io.Writer) (failed int, err error) {
	ids, err := selectCases(o.cases, o.exclude)
	if err != nil {
		return 0, err
	}
	name, text := "expectations.txt", io.Reader(strings.NewReader(builtinExpectations))
	if o.expect != "" {
		f, err := os.Open(o.expect)
		if err != nil {
			return 0, fmt.Errorf("-expect: %w", err)
		}
		defer f.Close()
		name, text = o.expect, f
	}
	x, err := parseExpectations(name, text)
	if err != nil {
		return 0, err
	}
	if o.expect == "" && (o.url != "" || o.wait) {
		x = x.forOthers()
	}
	r := &runner{
		compress: "takeover",
		ids:      ids, jobs: o.jobs, agent: o.agent, url: o.url, expect: x,
		timeout: o.timeout, stall: o.stall, stdout: stdout,
	}
	if o.wait {
		r.listen = o.listen
	}
	if r.out, err = filepath.Abs(o.out); err != nil {
		return 0, err
	}
	f, err := newFinder(r.say)
	if err != nil {
		return 0, err
	}
	roles := []role{roleServer, roleClient}
	if o.role != "both" {
		roles = []role{role(o.role)}
	}
	if r.suite, err = f.find(ctx, o.suite); err != nil {
		if none, ok := errors.AsType[*noSuiteError](err); ok {
			r.say("%s\n0 passed, 0 failed, %d skipped", none.line(), len(ids)*len(roles))
		}
		return 0, err
	}
	var outcomes []*outcome
	passed := 0
	for _, ro := range roles {
		oc, err := r.run(ctx, ro)
		if err != nil {
			return 0, fmt.Errorf("%s: %w", ro, err)
		}
		outcomes = append(outcomes, oc)
		passed += oc.passed
		failed += len(oc.differences)
		if ctx.Err() != nil {
			break
		}
	}
	index, err := writeIndex(r.out, ids, outcomes, r.suite.text)
	if err != nil {
		return 0, err
	}
	for _, oc := range outcomes {
		oc.table(stdout, ids)
	}
	for _, oc := range outcomes {
		oc.tell(stdout)
	}
	r.say("\nreports: %s\n%d passed, %d failed", index, passed, failed)
	if ctx.Err() != nil && !o.wait {
		return failed, context.Cause(ctx)
	}
	return failed, nil
}
