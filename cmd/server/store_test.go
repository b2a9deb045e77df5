package main

import (
	"errors"
	"io"
	"net"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestDefaultData(t *testing.T) {
	for _, tt := range []struct {
		goos string
		env  string
		want string
	}{
		{"linux", "HOME=/home/ada", "/home/ada/.local/share/framewright"},
		{"linux", "HOME=/home/ada XDG_DATA_HOME=/data", "/data/framewright"},
		{"linux", "HOME=/home/ada STATE_DIRECTORY=/var/lib/framewright:/var/lib/more", "/var/lib/framewright"},
		{"linux", "USER=ada", ""},
		{"darwin", "HOME=/Users/ada", "/Users/ada/Library/Application Support/framewright"},
		{"windows", "LOCALAPPDATA=/local", "/local/framewright"},
	} {
		if got := defaultData(tt.goos, strings.Fields(tt.env)); got != filepath.FromSlash(tt.want) {
			t.Errorf("%s, %s: %q, want %q", tt.goos, tt.env, got, tt.want)
		}
	}
}

func TestDataAndMemory(t *testing.T) {
	for _, tt := range []struct {
		args, env string
		want      string // where the history is; "" in memory
	}{
		{"", "HOME=/home/ada", "/home/ada/.local/share/framewright"},
		{"-memory", "HOME=/home/ada", ""},
		{"-memory", "FRAMEWRIGHT_DATA=/data", ""},
		{"-data /data", "FRAMEWRIGHT_MEMORY=true", "/data"},
		{"-data /data -memory", "", "-data and -memory exclude each other"},
		{"-data /data -memory=false", "", "/data"},
		{"", "FRAMEWRIGHT_DATA=/data FRAMEWRIGHT_MEMORY=1", "FRAMEWRIGHT_DATA and FRAMEWRIGHT_MEMORY exclude"},
		{"", "", "-data DIR names one, -memory does without"},
	} {
		s, err := parseSettings(strings.Fields(tt.args), strings.Fields(tt.env), io.Discard)
		got := ""
		switch {
		case err != nil:
			got = err.Error()
		case !s.inMemory:
			got = s.data
		}
		if !strings.Contains(got, tt.want) || tt.want == "" && got != "" {
			t.Errorf("%s, %s: %q, want %q", tt.args, tt.env, got, tt.want)
		}
	}
}

// What was sent is there after a restart, and nobody is told otherwise.
func TestHistoryOutlivesTheServer(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "not", "there", "yet")
	p := start(t, "-data", dir)
	c := chatDial(t, p.url)
	write(t, c, `{"type":"hello","name":"Ada","secret":"0123456789abcdef"}`)
	read(t, c)
	write(t, c, `{"type":"join","room":"lobby"}`)
	read(t, c)
	write(t, c, `{"type":"send","room":"lobby","id":"1","text":"still here"}`)
	ack := read(t, c)
	p.end(t)

	p = start(t, "-data", dir)
	c = chatDial(t, p.url)
	write(t, c, `{"type":"hello","name":"Ada","secret":"0123456789abcdef"}`)
	read(t, c)
	write(t, c, `{"type":"join","room":"lobby"}`)
	if got := read(t, c); !strings.Contains(got, "still here") {
		t.Errorf("after the restart: %s", got)
	}
	write(t, c, `{"type":"send","room":"lobby","id":"1","text":"still here"}`)
	if got := read(t, c); got != ack {
		t.Errorf("sent again, it is acknowledged with %s\nwas %s", got, ack)
	}
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("what people write is in a folder of mode %v, %v", info.Mode(), err)
	}
}

func TestDataErrors(t *testing.T) {
	foreign := t.TempDir()
	os.WriteFile(filepath.Join(foreign, storeName), []byte("hello"), 0o600)
	file := filepath.Join(t.TempDir(), "file")
	os.WriteFile(file, nil, 0o600)
	used := t.TempDir()
	start(t, "-data", used)
	for _, tt := range []struct{ name, dir, want string }{
		{"a file that is no store", foreign, "left as it is"},
		{"a file in place of the folder", file, "-data takes another folder"},
		{"a folder that cannot be made", "/proc/nowhere", "-data takes another folder"},
		{"in use", used, "another server works there"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var stderr strings.Builder
			status := run(t.Context(), []string{"-addr", "127.0.0.1:0", "-data", tt.dir}, nil, io.Discard, &stderr)
			if status != 1 || !strings.Contains(stderr.String(), tt.want) || !strings.Contains(stderr.String(), tt.dir) {
				t.Errorf("status %d: %s", status, stderr.String())
			}
		})
	}
	if data, _ := os.ReadFile(filepath.Join(foreign, storeName)); string(data) != "hello" {
		t.Error("the foreign file was changed")
	}
}

func TestGreeting(t *testing.T) {
	for addr, want := range map[string]string{
		"127.0.0.1:8080": "http://127.0.0.1:8080/", "[::]:8080": "http://localhost:8080/", "192.0.2.1:80": "Whoever can reach",
	} {
		a, err := net.ResolveTCPAddr("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		if got := greeting(a, false, ""); !strings.Contains(got, want) {
			t.Errorf("%s: %s", addr, got)
		}
	}
}

// From a write that failed until one that did not the server is not ready. It
// tries by itself, because nobody may be sent to it any more.
func TestNotReadyWhileTheStoreFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		set, err := parseSettings([]string{"-memory"}, nil, io.Discard)
		if err != nil {
			t.Fatal(err)
		}
		a := newApp(set, io.Discard)
		a.gate.become(ready)
		full := errors.New("no space left")
		tries, trial := 0, full
		a.gate.health.try = func() error { tries++; return trial }
		o := a.metrics.observer(a.log, &a.gate.health)
		want := func(why string, status int, body string, triesSoFar int) {
			t.Helper()
			w := httptest.NewRecorder()
			a.gate.readyz().ServeHTTP(w, httptest.NewRequest("GET", "/readyz", nil))
			if w.Code != status || w.Body.String() != body || tries != triesSoFar {
				t.Errorf("%s: %d %q after %d trials; want %d %q after %d", why, w.Code, w.Body, tries, status, body, triesSoFar)
			}
		}
		want("nothing written yet", 200, "ready\n", 0)
		o.Stored(1, 0, nil)
		want("a write", 200, "ready\n", 0)
		o.Stored(1, 0, full)
		want("a write that failed", 503, "the store cannot write\n", 1)
		want("asked again at once", 503, "the store cannot write\n", 1)
		o.Stored(1, 0, nil)
		want("a write that succeeded", 200, "ready\n", 1)
		o.Stored(1, 0, full)
		time.Sleep(tryEvery)
		want("a second later", 503, "the store cannot write\n", 2)
		time.Sleep(tryEvery)
		trial = nil
		want("there is room", 200, "ready\n", 3)
		want("and asked again", 200, "ready\n", 3)
		o.Stored(1, 0, full)
		a.gate.become(draining)
		want("a drain", 503, "draining\n", 3)
	})
}
