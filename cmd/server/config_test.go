package main

import (
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// settingsFile writes a configuration file and returns its path.
func settingsFile(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "server.conf")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestSettingsPrecedence(t *testing.T) {
	file := settingsFile(t, `
# everything that may stand there
max-conns = 1
  history=1
drain   =   1m
origin = one.example
origin = two.example, *.three.example
trusted-proxy = 10.0.0.0/8
`)
	s, err := parseSettings(
		[]string{"-max-conns", "3"},
		[]string{"FRAMEWRIGHT_CONFIG=" + file, "FRAMEWRIGHT_MAX_CONNS=2", "FRAMEWRIGHT_HISTORY=2", "FRAMEWRIGHT_QUEUE=", "HOME=/home/ada", "FRAMEWRIGHT_TRUSTED_PROXY=192.0.2.1"},
		io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	type some struct {
		MaxConns, History, Queue int
		Drain                    time.Duration
		Origins, Proxies         string
	}
	got := some{s.maxConns, s.history, s.queue, s.drain, s.origins.String(), s.proxies.trusted.String()}
	want := some{3, 2, 1 << 20, time.Minute, "one.example,two.example,*.three.example", "192.0.2.1/32"}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
}

func TestSettingsErrors(t *testing.T) {
	for _, tt := range []struct {
		name string
		env  string
		file string
		want string
	}{
		{"unknown in the file", "", "max-con = 1", "server.conf:1: there is no setting \"max-con\"; did you mean max-conns?"},
		{"far from all that is known", "", "\n\nzzzzzzzzzz = 1", "server.conf:3: there is no setting \"zzzzzzzzzz\"\n"},
		{"no sign of equality", "", "max-conns 1", "expected name = value"},
		{"no number in the file", "", "max-conns = many", "server.conf:1: invalid value \"many\" for max-conns"},
		{"out of range in the file", "", "max-conns = -1", "server.conf:1: max-conns -1: a number, 0 or more"},
		{"twice in the file", "", "max-conns = 1\nmax-conns = 2", "server.conf:2: max-conns was set before, at"},
		{"a file names a file", "", "config = x", "no setting \"config\""},
		{"an origin with a path", "", "origin = http://a.example/b", "origin pattern"},
		{"no number in the environment", "FRAMEWRIGHT_MAX_CONNS=many", "", "invalid value \"many\" for FRAMEWRIGHT_MAX_CONNS"},
		{"out of range in the environment", "FRAMEWRIGHT_MAX_CONNS=-1", "", "FRAMEWRIGHT_MAX_CONNS -1: a number"},
		{"no such file", "FRAMEWRIGHT_CONFIG=/nowhere/at.all", "", "-config: open /nowhere/at.all"},
		{"a folder", "FRAMEWRIGHT_CONFIG=/", "", "not a file of settings"},
		{"a network that is none", "FRAMEWRIGHT_TRUSTED_PROXY=10.0.0.0/40", "", "neither an address nor a network"},
		{"an unknown header", "FRAMEWRIGHT_PROXY_HEADER=X-Real-IP", "", "X-Forwarded-For or Forwarded"},
		{"an issuer of no tokens", "FRAMEWRIGHT_TOKEN_ISSUER=site", "", "FRAMEWRIGHT_TOKEN_ISSUER site: there are no tokens without -token-key-file"},
		{"an audience of no tokens", "FRAMEWRIGHT_TOKEN_AUDIENCE=chat", "", "FRAMEWRIGHT_TOKEN_AUDIENCE chat: there are no tokens without -token-key-file"},
		{"a close code", "FRAMEWRIGHT_DRAIN_CLOSE=1000", "", "1012 or 1001"},
		{"a window longer than the drain", "FRAMEWRIGHT_DRAIN_WINDOW=1m", "", "less than -drain"},
		{"not a number", "FRAMEWRIGHT_HANDSHAKE_RATE=NaN", "", "a rate is 0, or a number from"},
		{"a burst of none", "FRAMEWRIGHT_MESSAGE_RATE=20/0", "", "a burst is a whole number"},
		{"more text than can be counted", "FRAMEWRIGHT_MAX_TEXT=9223372036854775807", "", "a number, 576460752303423487 at the most"},
		{"more rooms than can be counted", "FRAMEWRIGHT_MAX_ROOMS=9223372036854775807", "", "a number, 576460752303423487 at the most"},
		{"a message longer than can be counted", "FRAMEWRIGHT_MAX_MESSAGE=9223372036854775807", "", "a number, 576460752303423487 at the most"},
		{"a header longer than can be counted", "", "max-header = 9223372036854775807", "a number, 576460752303423487 at the most"},
		{"a rate too slow to be counted", "FRAMEWRIGHT_HANDSHAKE_RATE=1e-12/5", "", "a rate is 0, or a number from"},
		{"a negative time", "FRAMEWRIGHT_PONG_TIMEOUT=-1s", "", "a time above 0"},
		{"a time that cannot be added to", "FRAMEWRIGHT_HEADER_TIMEOUT=2562047h", "", "a time, 876000h0m0s at the most"},
		{"nothing in the file", "", "data =", "server.conf:1: data \"\": expected a DIR; leave the setting out for its default"},
		{"a short key", "FRAMEWRIGHT_PUBLISH_KEY=short", "", "at least 16 bytes"},
		{"a key and a key file", "FRAMEWRIGHT_PUBLISH_KEY=0123456789abcdef", "publish-key-file = /dev/null", "one of them"},
		{"a key file that is not there", "", "publish-key-file = /nowhere/at.all", "publish-key-file: open"},
		{"a token key file that is not there", "FRAMEWRIGHT_TOKEN_KEY_FILE=/nowhere/at.all", "", "FRAMEWRIGHT_TOKEN_KEY_FILE: open"},
		{"an empty token key file", "", "token-key-file = /dev/null", "server.conf:1: token-key-file /dev/null: expected a key of at least 32 bytes"},
		{"an empty key file", "", "publish-key-file = /dev/null", "at least 16 bytes"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var env, args []string
			if tt.env != "" {
				env = append(env, tt.env)
			}
			if tt.file != "" {
				args = append(args, "-config", settingsFile(t, tt.file))
			}
			var stderr strings.Builder
			status := run(t.Context(), args, env, io.Discard, &stderr)
			if status == 0 || !strings.Contains(stderr.String(), tt.want) {
				t.Errorf("status %d, %s\nwant: %s", status, stderr.String(), tt.want)
			}
			if strings.Contains(stderr.String(), "short") {
				t.Error("the key is in the error")
			}
		})
	}
}

// A setting that is given and says nothing is an error that names it, whichever
// it is.
func TestEmptySettings(t *testing.T) {
	s := new(settings)
	s.declare()
	s.flags.VisitAll(func(f *flag.Flag) {
		if _, ok := f.Value.(interface{ IsBoolFlag() bool }); ok && f.Name != "trace" {
			return // -memory= is another error, of the flag package's
		}
		for _, value := range []string{"", " ", "\t"} {
			if strings.TrimSpace(value) == "" && value != "" && f.Name == "trace" {
				continue // a file's name
			}
			_, err := parseSettings([]string{"-" + f.Name + "=" + value}, []string{"HOME=/home/ada"}, io.Discard)
			if _, ok := errors.AsType[*usageError](err); !ok || !strings.Contains(err.Error(), "-"+f.Name) {
				t.Errorf("-%s %q: %v", f.Name, value, err)
			}
		}
		// In the environment it takes the setting away.
		if _, err := parseSettings(nil, []string{"HOME=/home/ada", envName(f.Name) + "="}, io.Discard); err != nil {
			t.Errorf("%s: %v", envName(f.Name), err)
		}
	})
}

// Kubernetes puts FRAMEWRIGHT_PORT and the like there for a service of that
// name.
func TestForeignEnvironment(t *testing.T) {
	s, err := parseSettings([]string{"-memory"}, []string{"FRAMEWRIGHT_SERVICE_HOST=10.0.0.1", "FRAMEWRIGHT_MAX_CONN=1"}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"the environment variable FRAMEWRIGHT_SERVICE_HOST is no setting",
		"the environment variable FRAMEWRIGHT_MAX_CONN is no setting; did you mean FRAMEWRIGHT_MAX_CONNS?",
	}
	if d := cmp.Diff(want, s.warn); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
}

func TestEditDistance(t *testing.T) {
	for _, tt := range []struct {
		a, b string
		want int
	}{
		{"", "", 0}, {"a", "", 1}, {"", "ab", 2}, {"drain", "drain", 0}, {"darin", "drain", 2}, {"queue", "queu", 1}, {"kitten", "sitting", 3},
	} {
		if got := editDistance(tt.a, tt.b); got != tt.want {
			t.Errorf("%q to %q: %d, want %d", tt.a, tt.b, got, tt.want)
		}
	}
}
