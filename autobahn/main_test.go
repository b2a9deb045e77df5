package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"io"
	"log"
	"net"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"framewright/autobahn/internal/testee"
	"framewright/ws/wsnet"
	"framewright/ws/wstest"

	"github.com/google/go-cmp/cmp"
)

// TestMain lets the test binary play a client under test: with FAKE_CLIENT set it
// echoes on the URL of its last argument, or does what the variable says.
func TestMain(m *testing.M) {
	switch os.Getenv("FAKE_CLIENT") {
	case "":
		os.Exit(m.Run())
	case "dies":
		io.WriteString(os.Stderr, "it broke\n")
		os.Exit(3)
	}
	io.WriteString(os.Stdout, "hello\n")
	url := os.Args[len(os.Args)-1]
	testee.Echo(context.Background(), url)
	if os.Getenv("FAKE_CLIENT") == "crashes" && strings.HasSuffix(url, "/1.1.1") {
		self, _ := os.FindProcess(os.Getpid())
		self.Kill()
		select {}
	}
}

// command runs the command and returns its status and what it wrote.
func command(t *testing.T, args ...string) (code int, out string) {
	t.Helper()
	wstest.CheckLeaks(t)
	var b bytes.Buffer
	code = choose(args)(t.Context(), &b, &b)
	return code, b.String()
}

// echoServer is a server of ours.
func echoServer(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); testee.Serve(ctx, l) }()
	t.Cleanup(func() { cancel(); <-done })
	return "ws://" + l.Addr().String() + "/"
}

func TestOwnServerAndClient(t *testing.T) {
	code, out := command(t, "-cases", "1.*,2.*")
	lines := strings.Split(strings.TrimSpace(out), "\n")
	if want := "54 passed, 0 failed"; code != 0 || lines[len(lines)-1] != want {
		t.Errorf("exit status %d, and it ends with %q; want 0 and %q:\n%s", code, lines[len(lines)-1], want, out)
	}
}

func TestServerAtURL(t *testing.T) {
	code, out := command(t, "-url", echoServer(t), "-cases", "1.1.*", "-parallel", "2", "-repeat", "3")
	if code != 0 || !strings.Contains(out, "8 passed, 0 failed") {
		t.Errorf("exit status %d:\n%s", code, out)
	}
}

func TestClientCommand(t *testing.T) {
	t.Setenv("FAKE_CLIENT", "echoes")
	code, out := command(t, "-exec", "'"+os.Args[0]+"' {url}", "-cases", "1.1.1,2.*")
	if code != 0 || !strings.Contains(out, "12 passed, 0 failed") {
		t.Errorf("exit status %d:\n%s", code, out)
	}
	t.Setenv("FAKE_CLIENT", "dies")
	code, out = command(t, "-exec", "'"+os.Args[0]+"' {url}", "-cases", "1.1.1")
	if code != 2 || !strings.Contains(out, "the client ended without connecting: exit status 3\nits output:\n    it broke") {
		t.Errorf("a client that dies: exit status %d:\n%s", code, out)
	}
	if runtime.GOOS == "windows" {
		return // where a process that is killed chooses its status
	}
	t.Setenv("FAKE_CLIENT", "crashes")
	code, out = command(t, "-exec", "'"+os.Args[0]+"' {url}", "-cases", "1.1.1,1.1.2")
	if code != 1 || !strings.Contains(out, "the client crashed: signal: killed") || !strings.Contains(out, "1 passed, 1 failed") {
		t.Errorf("a client that crashes after its echo: exit status %d:\n%s", code, out)
	}
}

// A client under test comes over TLS if there is a certificate.
func TestClientTLS(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("how a process is told which certificates to trust differs")
	}
	s := httptest.NewTLSServer(nil)
	pair := s.TLS.Certificates[0]
	s.Close()
	der, err := x509.MarshalPKCS8PrivateKey(pair.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	cert, key := filepath.Join(folder, "cert.pem"), filepath.Join(folder, "key.pem")
	for name, block := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: pair.Certificate[0]}, key: {Type: "PRIVATE KEY", Bytes: der}} {
		if err := os.WriteFile(name, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("FAKE_CLIENT", "echoes")
	t.Setenv("SSL_CERT_FILE", cert)
	code, out := command(t, "-exec", "'"+os.Args[0]+"' {url}", "-cases", "1.1.1,2.*,7.*", "-cert", cert, "-key", key)
	if code != 0 || !strings.Contains(out, "49 passed, 0 failed") {
		t.Errorf("exit status %d:\n%s", code, out)
	}
	t.Setenv("SSL_CERT_FILE", os.DevNull)
	code, out = command(t, "-exec", "'"+os.Args[0]+"' {url}", "-cases", "1.1.1", "-cert", cert, "-key", key)
	if code != 2 || !strings.Contains(out, "the client ended without connecting") {
		t.Errorf("a client that does not trust the certificate: exit status %d:\n%s", code, out)
	}
}

// Nothing to judge is exit status 2 and one sentence.
func TestNothingToJudge(t *testing.T) {
	folder := t.TempDir()
	wrong := filepath.Join(folder, "wrong")
	os.WriteFile(wrong, []byte("6.4.1 broken: x\n"), 0o644)
	for _, tt := range []struct {
		args  []string
		names string
	}{
		{[]string{"-url", "ws://" + wstest.NobodyAt(t)}, "nobody listens at"},
		{[]string{"-url", "http://x"}, "want a ws:// or wss:// URL"},
		{[]string{"-url", "ws://x", "-exec", "y {url}"}, "give one of them"},
		{[]string{"-url", "ws://x", "-role", "client"}, "does not go with -url"},
		{[]string{"-role", "both sides"}, "want server, client or both"},
		{[]string{"-exec", "./client"}, "with {url} in it"},
		{[]string{"-exec", "no-such-program {url}"}, "executable file not found"},
		{[]string{"-exec", "'a {url}"}, "a quote is not closed"},
		{[]string{"-listen", "9001"}, "want HOST:PORT"},
		{[]string{"-exec", "true {url}", "-cert", "c.pem"}, "-cert and -key go together"},
		{[]string{"-url", "wss://x", "-cert", "c.pem", "-key", "k.pem"}, "has a wss:// -url"},
		{[]string{"-listen", "127.0.0.1:0", "-cert", "c.pem", "-key", "k.pem"}, "c.pem: no such file"},
		{[]string{"-cases", "8.*"}, `"8.*" names no case`},
		{[]string{"-cases", "1.1.1", "-exclude", "1.*"}, "-exclude"},
		{[]string{"-count", "0"}, "-count 0; want 1 to"},
		{[]string{"-parallel", "1000"}, "-parallel 1000; want"},
		{[]string{"-patience", "1ms"}, "10ms at least"},
		{[]string{"-header", "x"}, "want NAME: VALUE"},
		{[]string{"-expect", wrong}, "wrong:1: the outcome \"broken\""},
		{[]string{"-expect", filepath.Join(folder, "none")}, "no such file"},
		{[]string{"ws://x"}, "unexpected argument"},
		{[]string{"-engine", "fast"}, "-engine fast; want native, or wstest"},
		{[]string{"-engine", "wstest", "-cases", "8.*"}, "matches none of the suite's 517 cases"},
		{[]string{"-role", "server", "-engine=wstest", "-jobs", "0"}, "-jobs 0"},
	} {
		if code, out := command(t, tt.args...); code != 2 || !strings.Contains(out, tt.names) {
			t.Errorf("%q: exit status %d, want 2 and %q:\n%s", tt.args, code, tt.names, out)
		}
	}
}

// An expectation that does not hold is a failure, one that does is none.
func TestExpectationsFile(t *testing.T) {
	name := filepath.Join(t.TempDir(), "expect")
	url := echoServer(t)
	os.WriteFile(name, []byte("1.1.1 failed: it did once\n"), 0o644)
	code, out := command(t, "-url", url, "-cases", "1.1.1,1.1.2", "-expect", name)
	if code != 1 || !strings.Contains(out, "1 passed, 1 failed") || !strings.Contains(out, "take the line out") {
		t.Errorf("a stale line: exit status %d:\n%s", code, out)
	}
	os.WriteFile(name, []byte("1.1.1 passed: it must\n"), 0o644)
	if code, out := command(t, "-url", url, "-cases", "1.1.1", "-expect", name); code != 0 {
		t.Errorf("a line that holds: exit status %d:\n%s", code, out)
	}
}

// Two runs with other names become two columns; what the other files have is in the
// tests of package report.
func TestReports(t *testing.T) {
	dir := t.TempDir()
	url := echoServer(t)
	file := func(name string) string { return filepath.Join(dir, name) }
	for _, agent := range []string{"one", "two"} {
		code, out := command(t, "-url", url, "-cases", "1.1.1", "-agent", agent, "-out", file("out"),
			"-html", file("html"), "-junit", file("junit"), "-json", file("json"), "-github")
		if code != 0 {
			t.Fatalf("exit status %d:\n%s", code, out)
		}
	}
	for name, want := range map[string]string{
		"out/index.html": "<th>one, server</th><th>two, server</th>",
		"html":           "<th>two, server</th>",
		"junit":          `<testsuite name="two server autobahn" tests="1" failures="0"`,
		"json":           `"outcome": "passed"`,
	} {
		if b, err := os.ReadFile(file(name)); err != nil || !strings.Contains(string(b), want) {
			t.Errorf("%s: %v; no %q in\n%.3000s", name, err, want, b)
		}
	}
	code, out := command(t, "-url", url, "-cases", "1.1.1", "-html", filepath.Join(dir, "none", "x"))
	if code != 2 || !strings.Contains(out, "no such file or directory") {
		t.Errorf("a file that cannot be written: exit status %d:\n%s", code, out)
	}
}

func TestReplay(t *testing.T) {
	code, out := command(t, "-url", echoServer(t), "-replay", "5.6")
	if code != 0 {
		t.Errorf("exit status %d", code)
	}
	rest := out
	for _, want := range []string{"5.6  ", "clause ", "> GET / HTTP/1.1", "client sends ping", "in text -> in text", "client receives pong", "outcome    passed", "expected ", "actual "} {
		_, after, found := strings.Cut(rest, want)
		if !found {
			t.Fatalf("no %q (in its place) in\n%s", want, out)
		}
		rest = after
	}
	if code, out := command(t, "-replay", "5.66"); code != 2 || !strings.Contains(out, "no case has that id") {
		t.Errorf("exit status %d:\n%s", code, out)
	}
}

func TestFuzz(t *testing.T) {
	code, out := command(t, "-fuzz", "60", "-seed", "5")
	if code != 0 || !strings.Contains(out, "our client: 60 generated dialogues of seed 5") || !strings.Contains(out, "120 passed, 0 failed") {
		t.Errorf("exit status %d:\n%s", code, out)
	}
	if code, out := command(t, "-replay", "fuzz/5/7", "-role", "client"); code != 0 || !strings.Contains(out, "outcome    passed") {
		t.Errorf("exit status %d:\n%s", code, out)
	}
}

// A server that dies on the way is said to have gone, once; what was not run counts
// as that.
func TestServerThatDies(t *testing.T) {
	for _, args := range [][]string{{"-cases", "1.*"}, {"-fuzz", "100"}} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan struct{})
		go func() { defer close(done); testee.Serve(ctx, &mortal{Listener: l, lives: 4}) }()
		code, out := command(t, append(args, "-parallel", "1", "-url", "ws://"+l.Addr().String())...)
		if code != 1 || strings.Count(out, "FAIL server gone") != 1 || strings.Count(out, "FAIL") > 2 || !strings.Contains(out, "it takes none any more; has it crashed?") {
			t.Errorf("%q: exit status %d:\n%s", args, code, out)
		}
		cancel()
		<-done
	}
}

// A mortal listener ends after some connections.
type mortal struct {
	net.Listener
	lives int
}

func (m *mortal) Accept() (net.Conn, error) {
	if m.lives--; m.lives < 0 {
		m.Listener.Close()
	}
	return m.Listener.Accept()
}

// A client that speaks Autobahn's protocol plays all cases and ends the run.
func TestListen(t *testing.T) {
	wstest.CheckLeaks(t)
	r, w := io.Pipe()
	code := make(chan int, 1)
	go func() {
		code <- choose([]string{"-listen", "127.0.0.1:0", "-cases", "1.1.*,2.*"})(t.Context(), w, w)
		w.Close()
	}()
	lines := bufio.NewScanner(r)
	lines.Scan()
	_, rest, _ := strings.Cut(lines.Text(), "waiting at ")
	base, _, _ := strings.Cut(rest, " ")
	client := make(chan error, 1)
	go func() { client <- testee.Client{Base: base, Agent: "theirs", Log: io.Discard}.Run(t.Context()) }()
	var out strings.Builder
	for lines.Scan() {
		out.WriteString(lines.Text() + "\n")
	}
	if c := <-code; c != 0 || !strings.Contains(out.String(), "theirs, client") || !strings.Contains(out.String(), "19 passed, 0 failed") {
		t.Errorf("exit status %d:\n%s", c, &out)
	}
	if err := <-client; err != nil {
		t.Error(err)
	}
}

// What was not played when the run is interrupted is not run, and never failed.
func TestInterrupted(t *testing.T) {
	wstest.CheckLeaks(t)
	url := echoServer(t)
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	var b bytes.Buffer
	code := choose([]string{"-url", url, "-cases", "5.19,1.1.1,5.20"})(ctx, &b, &b)
	if code == 0 || !strings.Contains(b.String(), " 0 failed, ") || !strings.Contains(b.String(), " not run\n") {
		t.Errorf("exit status %d:\n%s", code, &b)
	}
}

func TestTLS(t *testing.T) {
	s := httptest.NewUnstartedServer(wsnet.Handler(func(ctx context.Context, c *wsnet.Conn) error {
		for m, err := range c.Messages(ctx) {
			if err != nil || c.Write(ctx, m.Opcode, m.Data) != nil {
				return err
			}
		}
		return nil
	}))
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	defer s.Close()
	url := "wss" + strings.TrimPrefix(s.URL, "https")
	if code, out := command(t, "-url", url, "-cases", "1.1.*", "-insecure"); code != 0 || !strings.Contains(out, "8 passed") {
		t.Errorf("exit status %d:\n%s", code, out)
	}
	if code, out := command(t, "-url", url, "-cases", "1.1.*"); code != 2 || !strings.Contains(out, "-insecure takes any") {
		t.Errorf("with a certificate of nobody: exit status %d:\n%s", code, out)
	}
}

func TestList(t *testing.T) {
	code, out := command(t, "-list", "-cases", "6455 §5.5.2")
	if code != 0 || !strings.Contains(out, "2.1 ") || !strings.Contains(out, "MUST") {
		t.Errorf("exit status %d:\n%s", code, out)
	}
	code, out = command(t, "-list", "-cases", "2.*", "-json", "-")
	var entries []struct{ ID, Level, Roles string }
	if err := json.Unmarshal([]byte(out), &entries); err != nil || code != 0 || len(entries) != 11 || entries[0].ID != "2.1" || entries[0].Roles != "server,client" {
		t.Errorf("exit status %d, %v: %+v", code, err, entries)
	}
}

func TestSplitCommand(t *testing.T) {
	for _, tt := range []struct {
		line string
		want []string
	}{
		{"./my-client {url}", []string{"./my-client", "{url}"}},
		{`node -e 'a "b"  c' "d e"`, []string{"node", "-e", `a "b"  c`, "d e"}},
		{`C:\bin\client.exe {url}`, []string{`C:\bin\client.exe`, "{url}"}},
		{`a\ b "c\"d" ''`, []string{"a b", `c"d`, ""}},
		{"  ", nil},
	} {
		got, err := splitCommand(tt.line)
		if err != nil || !slices.Equal(got, tt.want) {
			t.Errorf("splitCommand(%q) = %q, %v; want %q (-want +got):\n%s", tt.line, got, err, tt.want, cmp.Diff(tt.want, got))
		}
	}
}
