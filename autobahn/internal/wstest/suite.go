package wstest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// suiteVersion is the release that requirements.txt pins and cases.go was read
// off. Another one is used when it is found first, and named.
const suiteVersion = "25.10.1"

// A suite is a way to run wstest on this machine.
type suite struct {
	text string // which one it is, for people
	host string // the name by which the suite reaches our loopback

	// argv is the command line that runs wstest in a mode with a spec file.
	// dir holds the spec and is wstest's working directory, name is unique to
	// the process, port is where a fuzzingserver listens.
	argv func(mode, dir, spec, name string, port int) []string

	// remove makes sure a process named name is gone; nil when stopping the
	// command is enough.
	remove func(name string)
}

// finder looks for the suite. Its fields are what it takes from the machine,
// so that a test can give it another one.
type finder struct {
	lookPath func(string) (string, error)
	output   func(ctx context.Context, argv ...string) (string, error) // stdout and stderr, trimmed
	home     string                                                    // "" when there is none
	pyenv    string                                                    // $PYENV_ROOT
	cache    string                                                    // where virtualenvs go
	install  func(ctx context.Context, python, dir string) (string, error)
	say      func(format string, args ...any)
}

func newFinder(say func(string, ...any)) (*finder, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return nil, fmt.Errorf("no folder for caches: %w", err)
	}
	home, _ := os.UserHomeDir()
	f := &finder{
		lookPath: exec.LookPath, output: runOutput, say: say,
		home: home, pyenv: os.Getenv("PYENV_ROOT"),
		cache: filepath.Join(cache, "framewright"),
	}
	in := installer{say: say, run: runLogged}
	f.install = in.install
	return f, nil
}

// howToGet ends the error when no suite was found.
const howToGet = `how to get one, any of:
  - a wstest on PATH (pip install autobahntestsuite==` + suiteVersion + ` into a Python 2.7)
  - a running Docker engine (the image ` + dockerImage + ` is pulled when needed)
  - a CPython 2.7, for example pyenv install 2.7.18; this command then makes a virtualenv
    by itself (it needs the network and a C compiler, once)`

// find takes the first suite that works: wstest on PATH, Docker, Python 2.7.
// which, if not empty, is the only one to try: wstest, docker or python.
func (f *finder) find(ctx context.Context, which string) (suite, error) {
	ways := []struct {
		name string
		find func(context.Context) (suite, error)
	}{{"wstest", f.onPath}, {"docker", f.docker}, {"python", f.python}}
	var missed []error
	for _, w := range ways {
		if which != "" && which != w.name {
			continue
		}
		s, err := w.find(ctx)
		if err == nil {
			f.say("suite: %s", s.text)
			return s, nil
		}
		if ctx.Err() != nil {
			return suite{}, ctx.Err()
		}
		f.say("suite: not by %s: %v", w.name, err)
		missed = append(missed, fmt.Errorf("%s: %w", w.name, err))
	}
	if missed == nil {
		return suite{}, fmt.Errorf("-suite %q; want wstest, docker, python or nothing", which)
	}
	return suite{}, &noSuiteError{missed}
}

// A noSuiteError says why each way to a suite leads nowhere here.
type noSuiteError struct{ missed []error }

func (e *noSuiteError) Error() string {
	return fmt.Sprintf("no Autobahn testsuite here:\n%v\n%s", errors.Join(e.missed...), howToGet)
}

func (e *noSuiteError) Unwrap() []error { return e.missed }

// line is the error without what helps, on one line.
func (e *noSuiteError) line() string {
	var why []string
	for _, err := range e.missed {
		why = append(why, firstLine(err.Error()))
	}
	return "cannot get the Autobahn testsuite: " + strings.Join(why, "; ")
}

// onPath takes the wstest of PATH, if it is Autobahn's and answers: pyenv and
// the like leave shims there that refuse.
func (f *finder) onPath(ctx context.Context) (suite, error) {
	path, err := f.lookPath("wstest")
	if err != nil {
		return suite{}, errors.New("no wstest on PATH")
	}
	version, err := f.version(ctx, path)
	if err != nil {
		return suite{}, err
	}
	return localSuite(path, fmt.Sprintf("wstest %s on PATH (%s)%s", version, path, otherVersion(version))), nil
}

// version asks a wstest which release it is.
func (f *finder) version(ctx context.Context, wstest string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	out, err := f.output(ctx, wstest, "-a")
	if err != nil {
		return "", fmt.Errorf("%s -a: %w: %s", wstest, err, firstLine(out))
	}
	for line := range strings.Lines(out) {
		if v, ok := strings.CutPrefix(strings.TrimSpace(line), "AutobahnTestSuite "); ok {
			return v, nil
		}
	}
	return "", fmt.Errorf("%s -a does not name AutobahnTestSuite but says: %s", wstest, firstLine(out))
}

func otherVersion(v string) string {
	if v == suiteVersion {
		return ""
	}
	return ", while the case list was read off " + suiteVersion
}

// python finds a CPython 2.7 and makes or finds the virtualenv for it.
func (f *finder) python(ctx context.Context) (suite, error) {
	py, err := f.python27(ctx)
	if err != nil {
		return suite{}, err
	}
	dir := filepath.Join(f.cache, "autobahn-"+pinsHash())
	wstest, err := f.install(ctx, py, dir)
	if err != nil {
		return suite{}, err
	}
	version, err := f.version(ctx, wstest)
	if err != nil {
		return suite{}, fmt.Errorf("the virtualenv %s is broken, remove it and run again: %w", dir, err)
	}
	return localSuite(wstest, fmt.Sprintf("wstest %s in the virtualenv %s (%s)", version, dir, py)), nil
}

// python27 looks on PATH and then among pyenv's versions, where one often sits
// behind a shim that refuses. Only an interpreter that runs counts.
func (f *finder) python27(ctx context.Context) (string, error) {
	var candidates []string
	for _, name := range []string{"python2.7", "python2", "python"} {
		if p, err := f.lookPath(name); err == nil {
			candidates = append(candidates, p)
		}
	}
	roots := []string{f.pyenv}
	if f.home != "" {
		roots = append(roots, filepath.Join(f.home, ".pyenv"))
	}
	for _, root := range roots {
		if root == "" {
			continue
		}
		found, _ := filepath.Glob(filepath.Join(root, "versions", "2.7*", "bin", "python2.7"))
		slices.SortFunc(found, func(a, b string) int { return strings.Compare(b, a) })
		candidates = append(candidates, found...)
	}
	for _, p := range candidates {
		ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
		out, err := f.output(ctx, p, "-c", "import sys; sys.stdout.write('%d.%d' % sys.version_info[:2])")
		cancel()
		if err == nil && out == "2.7" {
			return p, nil
		}
	}
	if len(candidates) == 0 {
		return "", errors.New("no python2.7 on PATH and none of pyenv's")
	}
	return "", fmt.Errorf("none of these is a Python 2.7 that runs: %s", strings.Join(candidates, ", "))
}

// localSuite runs a wstest of this machine.
func localSuite(wstest, text string) suite {
	return suite{
		text: text,
		host: "127.0.0.1",
		argv: func(mode, _, spec, _ string, _ int) []string {
			return []string{wstest, "-m", mode, "-s", spec, "-u", "0"}
		},
	}
}

// runOutput runs a command to its end.
func runOutput(ctx context.Context, argv ...string) (string, error) {
	var b bytes.Buffer
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Stdout, cmd.Stderr = &b, &b
	cmd.WaitDelay = termGrace
	err := cmd.Run()
	return strings.TrimSpace(b.String()), err
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(s), "\n")
	return line
}
