package wstest

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A fakeMachine answers a finder. tools maps a program's path to what it says;
// an answer that begins with "!" is a failure. The first word of the
// arguments may follow the path.
type fakeMachine struct {
	tools     map[string]string
	installed []string
	said      []string
}

func (m *fakeMachine) finder(home string) *finder {
	return &finder{
		home: home, cache: "/cache",
		lookPath: func(name string) (string, error) {
			for path := range m.tools {
				if p, _, _ := strings.Cut(path, " "); p == "/bin/"+name {
					return p, nil
				}
			}
			return "", errors.New("not found")
		},
		output: func(_ context.Context, argv ...string) (string, error) {
			answer, ok := m.tools[argv[0]+" "+argv[1]]
			if !ok {
				answer, ok = m.tools[argv[0]]
			}
			if !ok {
				return "", os.ErrNotExist
			}
			if failure, bad := strings.CutPrefix(answer, "!"); bad {
				return failure, errors.New("exit status 1")
			}
			return answer, nil
		},
		install: func(_ context.Context, python, dir string) (string, error) {
			m.installed = append(m.installed, python)
			return dir + "/env/bin/wstest", nil
		},
		say: func(format string, _ ...any) { m.said = append(m.said, format) },
	}
}

const wstestAnswer = "Autobahn 0.10.9\nAutobahnTestSuite 25.10.1"

func TestFindSuite(t *testing.T) {
	home := t.TempDir()
	pyenv := filepath.Join(home, ".pyenv", "versions", "2.7.18", "bin", "python2.7")
	if err := os.MkdirAll(filepath.Dir(pyenv), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(pyenv, nil, 0o755); err != nil {
		t.Fatal(err)
	}
	venv := "/cache/autobahn-" + pinsHash() + "/env/bin/wstest"

	for _, tt := range []struct {
		name, home, which string
		tools             map[string]string
		want, wantErr     string
		python            string
	}{
		{name: "wstest on PATH comes first", tools: map[string]string{
			"/bin/wstest": wstestAnswer, "/bin/docker": "28.2 Debian", "/bin/python2.7": "2.7"},
			want: "wstest 25.10.1 on PATH (/bin/wstest)"},
		{name: "another version is named", tools: map[string]string{"/bin/wstest": "AutobahnTestSuite 0.8.2"},
			want: "wstest 0.8.2 on PATH (/bin/wstest), while the case list was read off 25.10.1"},
		{name: "a wstest shim that refuses is passed over", tools: map[string]string{
			"/bin/wstest": "!pyenv: wstest: command not found", "/bin/docker": "28.2 Debian"},
			want: "the Docker image crossbario/autobahn-testsuite (engine 28.2 Debian)"},
		{name: "some other wstest is passed over", tools: map[string]string{
			"/bin/wstest": "usage: wstest", "/bin/docker": "28.2 Debian"},
			want: "the Docker image crossbario/autobahn-testsuite (engine 28.2 Debian)"},
		{name: "docker without an engine, python behind", tools: map[string]string{
			"/bin/docker": "!Cannot connect", "/bin/python2.7": "2.7", venv: wstestAnswer},
			want: "wstest 25.10.1 in the virtualenv /cache/autobahn-" + pinsHash() + " (/bin/python2.7)", python: "/bin/python2.7"},
		{name: "python2.7 is a shim, pyenv has one", home: home, tools: map[string]string{
			"/bin/python2.7": "!pyenv: python2.7: command not found", "/bin/python": "3.11", pyenv: "2.7", venv: wstestAnswer},
			want: "wstest 25.10.1 in the virtualenv /cache/autobahn-" + pinsHash() + " (" + pyenv + ")", python: pyenv},
		{name: "python is only 3", tools: map[string]string{"/bin/python": "3.11"},
			wantErr: "none of these is a Python 2.7 that runs: /bin/python"},
		{name: "nothing", wantErr: "how to get one"},
		{name: "nothing, and only docker asked for", which: "docker", tools: map[string]string{"/bin/wstest": wstestAnswer},
			wantErr: "no docker on PATH"},
		{name: "an unknown way", which: "podman", wantErr: `-suite "podman"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := &fakeMachine{tools: tt.tools}
			s, err := m.finder(tt.home).find(t.Context(), tt.which)
			if tt.wantErr != "" {
				if err == nil || !strings.Contains(err.Error(), tt.wantErr) {
					t.Fatalf("error %v; want one that says %q", err, tt.wantErr)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if s.text != tt.want {
				t.Errorf("took %q, want %q", s.text, tt.want)
			}
			if got := strings.Join(m.installed, " "); got != tt.python {
				t.Errorf("installed for %q, want %q", got, tt.python)
			}
		})
	}
}

func TestDockerArguments(t *testing.T) {
	common := []string{"docker", "run", "--rm", "--init", "--name", "n", "--platform", "linux/amd64",
		"-e", "PYTHONUNBUFFERED=1", "-v", "/r/server:/reports", "-w", "/reports"}
	image := func(mode string) []string {
		return []string{"crossbario/autobahn-testsuite", "wstest", "-m", mode, "-s", "spec-1.json", "-u", "0"}
	}
	for _, tt := range []struct {
		name string
		d    dockerRun
		mode string
		want []string
	}{
		{"host network, as the user", dockerRun{"docker", true, 1000, 100}, modeServer, []string{"--user", "1000:100", "--network", "host"}},
		{"a virtual machine, to a client", dockerRun{"docker", false, -1, -1}, modeServer, []string{"-p", "127.0.0.1:9001:9001"}},
		{"a virtual machine, to a server", dockerRun{"docker", false, -1, -1}, modeClient, []string{"--add-host", "host.docker.internal:host-gateway"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			want := append(append(append([]string{}, common...), tt.want...), image(tt.mode)...)
			if d := cmp.Diff(want, tt.d.argv(tt.mode, "/r/server", "spec-1.json", "n", 9001)); d != "" {
				t.Errorf("arguments (-want +got):\n%s", d)
			}
		})
	}
}

func TestLocalArguments(t *testing.T) {
	want := []string{"/x/wstest", "-m", "fuzzingclient", "-s", "spec-2.json", "-u", "0"}
	if d := cmp.Diff(want, localSuite("/x/wstest", "").argv(modeClient, "/r", "spec-2.json", "n", 1)); d != "" {
		t.Errorf("arguments (-want +got):\n%s", d)
	}
}

func TestEchoServerArguments(t *testing.T) {
	e := echoServer{addr: "127.0.0.1:9", limit: 32 << 20}
	if d := cmp.Diff([]string{"echo", "-addr", "127.0.0.1:9", "-limit", "33554432"}, e.args()); d != "" {
		t.Errorf("arguments (-want +got):\n%s", d)
	}
	e.compress = "takeover"
	if d := cmp.Diff([]string{"echo", "-addr", "127.0.0.1:9", "-limit", "33554432", "-compress", "takeover"}, e.args()); d != "" {
		t.Errorf("arguments with compression (-want +got):\n%s", d)
	}
}

func TestReachable(t *testing.T) {
	for _, tt := range []struct{ target, host, want string }{
		{"ws://127.0.0.1:9000/e?x=1", "127.0.0.1", "ws://127.0.0.1:9000/e?x=1"},
		{"ws://127.0.0.1:9000/e?x=1", "host.docker.internal", "ws://host.docker.internal:9000/e?x=1"},
		{"ws://localhost", "host.docker.internal", "ws://host.docker.internal"},
		{"ws://[::1]:80/", "host.docker.internal", "ws://host.docker.internal:80/"},
		{"wss://example.com/ws", "host.docker.internal", "wss://example.com/ws"},
	} {
		if got := reachable(tt.target, tt.host); got != tt.want {
			t.Errorf("reachable(%q, %q) = %q, want %q", tt.target, tt.host, got, tt.want)
		}
	}
}

// fakeInstall records what an installation runs, and fails where told to.
type fakeInstall struct {
	ran  []string
	fail func(argv string) bool
}

func (f *fakeInstall) run(_ context.Context, _ *os.File, _ []string, argv ...string) error {
	line := strings.Join(argv, " ")
	f.ran = append(f.ran, line)
	if f.fail != nil && f.fail(line) {
		return errors.New("no luck")
	}
	return nil
}

func TestInstall(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "deep", "autobahn-0")
	f := &fakeInstall{}
	in := installer{say: t.Logf, run: f.run}
	install := func() error {
		f.ran = nil
		_, err := in.install(t.Context(), "/py/python2.7", dir)
		return err
	}

	// The first attempt breaks half way: it says so with the log's name, and
	// leaves nothing that a second would take for whole.
	f.fail = func(line string) bool { return strings.Contains(line, "--no-deps") }
	if err := install(); err == nil || !strings.Contains(err.Error(), "install.log") {
		t.Fatalf("error %v; want one that names the log", err)
	}
	half := filepath.Join(dir, "half-made")
	if err := os.WriteFile(half, nil, 0o644); err != nil {
		t.Fatal(err)
	}

	// The second starts from nothing. Python 2.7 has no pip this time.
	f.fail = func(line string) bool { return strings.HasPrefix(line, "/py/python2.7 -m pip") }
	if err := install(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(half); err == nil {
		t.Error("the half-made environment was kept")
	}
	boot, env := filepath.Join(dir, "boot"), filepath.Join(dir, "env")
	want := []string{
		"/py/python2.7 -m pip install -q --target " + boot + " virtualenv==20.15.1",
		"python3 -m venv " + boot,
		boot + "/bin/python -m pip install -q " + strings.Join(virtualenvPins3, " "),
		boot + "/bin/python -m virtualenv -q -p /py/python2.7 " + env,
		env + "/bin/python -m pip install -q --no-deps -r " + filepath.Join(dir, "requirements.txt"),
	}
	if d := cmp.Diff(want, f.ran); d != "" {
		t.Errorf("ran (-want +got):\n%s", d)
	}

	// The third finds it whole.
	if err := install(); err != nil || len(f.ran) > 0 {
		t.Errorf("a whole environment: ran %q, %v; want nothing", f.ran, err)
	}
}

// Every package is pinned to one version: the verdicts depend on them.
func TestRequirementsArePinned(t *testing.T) {
	n := 0
	for line := range strings.Lines(requirements) {
		if line = strings.TrimSpace(line); line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		n++
		if _, v, ok := strings.Cut(line, "=="); !ok || v == "" {
			t.Errorf("%q is not pinned", line)
		}
	}
	if n < 10 || !strings.Contains(requirements, "autobahntestsuite=="+suiteVersion+"\n") {
		t.Errorf("%d packages, or not the suite's version %s", n, suiteVersion)
	}
}

// Without a suite the cases of both roles are skipped, and one line says why.
func TestNoSuite(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	t.Setenv("HOME", t.TempDir())
	t.Setenv("PYENV_ROOT", "")
	var stdout, stderr strings.Builder
	if code := Main(t.Context(), []string{"-out", t.TempDir()}, &stdout, &stderr); code != 2 {
		t.Errorf("exit status %d, want 2", code)
	}
	lines := strings.Split(strings.TrimSpace(stdout.String()), "\n")
	want := []string{
		"cannot get the Autobahn testsuite: wstest: no wstest on PATH; docker: no docker on PATH; python: no python2.7 on PATH and none of pyenv's",
		"0 passed, 0 failed, 1034 skipped",
	}
	if got := lines[max(0, len(lines)-2):]; !slices.Equal(got, want) {
		t.Errorf("it ends with %q, want %q", got, want)
	}
	if !strings.Contains(stderr.String(), howToGet) {
		t.Errorf("how to get one is not said: %s", &stderr)
	}
}
