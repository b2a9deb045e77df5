package main

import (
	"cmp"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"framewright/autobahn/internal/cli"

	"framewright/autobahn/wsspec"
)

const usageHead = `usage: autobahn [flags]

Says what a WebSocket server or client keeps of RFC 6455 and RFC 7692. The server
or client has to send every message back. Without flags: ours, both of them.

  autobahn -url ws://127.0.0.1:9000/             a server
  autobahn -exec './my-client {url}'             a client that is a command
  autobahn -listen 127.0.0.1:9001                a client that asks for its cases
  autobahn -list                                 the cases
  autobahn -url ws://... -replay 6.4.1           one of them, frame by frame
  autobahn -url ws://... -fuzz 10000             generated dialogues
  autobahn -url wss://... -http2                 a server, over HTTP/2
  autobahn -engine wstest -h                     the real Autobahn testsuite

Exit status: 0 when every case is as expected, 1 when one is not, 2 when nothing
could be judged.

flags:
`

// options are the command line.
type options struct {
	url, exec, listen, role, agent   string
	cases, exclude, replay           string
	cert, key                        string
	list, strict, failFast, insecure bool
	track                            bool
	github                           bool
	junit, json, html, out, expect   string
	fuzzCount                        int
	seed                             uint64
	settings                         wsspec.Settings
	pace                             wsspec.Pace
}

func parseFlags(args []string, stderr io.Writer) (*options, error) {
	o := &options{}
	fs := flag.NewFlagSet("autobahn", flag.ContinueOnError)

	fs.StringVar(&o.url, "url", "", "test the server at this ws:// or wss:// `URL`")
	fs.StringVar(&o.exec, "exec", "", "test a client: this `command` is started once for each case, with {url} replaced")
	fs.StringVar(&o.listen, "listen", "", "test a client that comes to this `address` and asks for its cases by Autobahn's protocol")
	fs.StringVar(&o.role, "role", "", "without those three, which of ours is tested: `server`, client or both (the default)")
	fs.StringVar(&o.agent, "agent", "", "the testee's `name` in the reports")
	fs.BoolVar(&o.insecure, "insecure", false, "take any certificate of a wss:// server")
	fs.StringVar(&o.cert, "cert", "", "with -exec or -listen, speak TLS: the `file` of the certificate chain, PEM; clients get wss:// URLs")
	fs.StringVar(&o.key, "key", "", "the `file` of its key")
	fs.Func("header", "a further header `line` of the suite's requests, such as 'Origin: https://example.com'; may be given several times", func(line string) error {
		return addHeader(&o.settings, line)
	})

	fs.BoolVar(&o.settings.HTTP2, "http2", false, "over HTTP/2 (RFC 8441): by ALPN with TLS, else by prior knowledge; cases of HTTP/1.1's handshake are skipped")
	fs.BoolVar(&o.settings.CutData, "http2-cut", false, "with -http2, cut each write into DATA frames of 1, 2, 4, 8 bytes and so on")

	fs.StringVar(&o.cases, "cases", "", "which cases: `patterns` with commas between, ids such as 6.4.1, 6.* or 5.5.1/*, chapters, tags,\nsections such as §5.5; ! before one takes it out")
	fs.StringVar(&o.exclude, "exclude", "", "`patterns` of cases to leave out")
	fs.BoolVar(&o.list, "list", false, "list the cases and end; with -json - as JSON")
	fs.StringVar(&o.replay, "replay", "", "run the case of this `id` and show the whole dialogue, frame by frame")
	fs.BoolVar(&o.track, "track", false, "with -url: say how far a server that one builds oneself is, step by step, and what fails next")
	fs.IntVar(&o.fuzzCount, "fuzz", 0, "instead of the cases play so many generated `dialogues`, legal ones and broken ones,\nand show each that fails as small as it can be made")
	fs.Uint64Var(&o.seed, "seed", 1, "`number` from which -fuzz generates")
	fs.IntVar(&o.settings.Count, "count", defaultCount, "`messages` of each case of groups 12 and 13; Autobahn has 1000")

	fs.IntVar(&o.pace.Parallel, "parallel", 0, "`dialogues` side by side (default 16; 4 with -exec)")
	fs.IntVar(&o.pace.Repeat, "repeat", 1, "play each case so many `times`; the worst counts")
	fs.BoolVar(&o.failFast, "fail-fast", false, "end with the first case that is not as expected")
	fs.DurationVar(&o.pace.Timeout, "timeout", 0, "give a case up after this `time` (default what its own waits come to)")
	fs.DurationVar(&o.settings.Patience, "patience", 5*time.Second, "how `long` to wait for what should come and does not")

	fs.BoolVar(&o.strict, "strict", false, "a SHOULD that is not kept is a failure, too")
	fs.StringVar(&o.expect, "expect", "", "`file` of exceptions, lines of ID [role] outcome: reason")
	fs.StringVar(&o.out, "out", "", "`folder` for a report that has every run with another -agent as a column")
	fs.StringVar(&o.html, "html", "", "`file` for a report of this run alone")
	fs.StringVar(&o.junit, "junit", "", "`file` for JUnit's XML")
	fs.StringVar(&o.json, "json", "", "`file` for all results as JSON; - is the standard output")
	fs.BoolVar(&o.github, "github", os.Getenv("GITHUB_ACTIONS") == "true", "annotations for GitHub Actions; by itself when run there")
	if err := cli.Parse(fs, args, usageHead, stderr); err != nil {
		return o, err
	}
	return o, o.complete()
}

// defaultCount is quick: the whole of groups 12 and 13 sends two hundredths of what
// the Autobahn testsuite does.
const defaultCount = 20

func addHeader(s *wsspec.Settings, line string) error {
	name, value, ok := strings.Cut(line, ":")
	if !ok || strings.TrimSpace(name) == "" || strings.ContainsAny(line, "\r\n\x00") {
		return fmt.Errorf("%q; want NAME: VALUE", line)
	}
	s.Header = append(s.Header, strings.TrimSpace(name)+": "+strings.TrimSpace(value))
	return nil
}

// complete checks the flags against each other and fills in what follows.
func (o *options) complete() error {
	given := 0
	for _, s := range []string{o.url, o.exec, o.listen} {
		if s != "" {
			given++
		}
	}
	switch {
	case given > 1:
		return errors.New("-url tests a server, -exec and -listen a client; give one of them")
	case given == 1 && o.role != "" && (o.role == "server") != (o.url != ""):
		return fmt.Errorf("-role %s does not go with -url, which tests a server, nor with -exec or -listen, which test a client", o.role)
	case o.track && (o.url == "" || o.replay != "" || o.fuzzCount > 0 || o.cases != "" || o.exclude != ""):
		return errors.New("-track needs the -url of your server, and chooses the cases itself: it does not go with -cases, -exclude, -replay or -fuzz")
	case o.role != "" && o.role != "server" && o.role != "client" && o.role != "both":
		return fmt.Errorf("-role %q; want server, client or both", o.role)
	case (o.cert == "") != (o.key == ""):
		return errors.New("-cert and -key go together")
	case o.cert != "" && o.exec == "" && o.listen == "":
		return errors.New("-cert and -key are for clients, with -exec or -listen; a server with TLS has a wss:// -url")
	case o.settings.CutData && !o.settings.HTTP2:
		return errors.New("-http2-cut is about the DATA frames of -http2")
	case o.settings.Count < 1 || o.settings.Count > 100_000:
		return fmt.Errorf("-count %d; want 1 to 100000", o.settings.Count)
	case o.fuzzCount < 0 || o.fuzzCount > maxFuzz:
		return fmt.Errorf("-fuzz %d; want 1 to %d", o.fuzzCount, maxFuzz)
	case o.fuzzCount > 0 && (o.listen != "" || o.replay != ""):
		return errors.New("-fuzz does not go with -listen, where the client chooses, nor with -replay, which takes the id of a generated dialogue")
	case o.pace.Parallel < 0 || o.pace.Parallel > 256:
		return fmt.Errorf("-parallel %d; want 1 to 256", o.pace.Parallel)
	case o.pace.Repeat < 1 || o.pace.Repeat > 100_000:
		return fmt.Errorf("-repeat %d; want 1 to 100000", o.pace.Repeat)
	case o.pace.Timeout < 0 || o.settings.Patience < 10*time.Millisecond:
		return fmt.Errorf("-timeout %v -patience %v; want a positive timeout, and a patience of 10ms at least", o.pace.Timeout, o.settings.Patience)
	case o.replay != "" && given == 0 && o.role != "server" && o.role != "client":
		o.role = "server"
	case o.replay != "" && o.listen != "":
		return errors.New("-replay does not go with -listen, where the client chooses; use -cases with an id")
	}
	if o.exec != "" && o.pace.Parallel == 0 {
		o.pace.Parallel = 4
	}
	o.settings.KeepWire = o.replay != "" || o.track
	o.role = cmp.Or(o.role, "both")
	o.agent = cmp.Or(o.agent, o.defaultAgent())
	return nil
}

func (o *options) defaultAgent() string {
	if u, err := url.Parse(o.url); err == nil && u.Host != "" {
		return u.Host
	}
	if argv, err := splitCommand(o.exec); err == nil && len(argv) > 0 {
		return filepath.Base(argv[0])
	}
	if o.listen != "" {
		return "client"
	}
	return "framewright"
}
