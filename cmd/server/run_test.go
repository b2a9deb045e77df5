package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"framewright/chat/plain"
	"framewright/ws"
	"framewright/ws/wsnet"
	"framewright/ws/wstest"
)

// buffer is a bytes.Buffer for several goroutines.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// program is a run of the program inside this process.
type program struct {
	url    string // as it printed it, without the slash at the end
	stderr *buffer
	stop   context.CancelFunc
	status chan int
}

var printed = regexp.MustCompile(`(https?|ws)://[^/\s]+`)

// start runs the program with args on a free port until the test ends.
func start(t *testing.T, args ...string) *program {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	r, w := io.Pipe()
	p := &program{stderr: new(buffer), stop: cancel, status: make(chan int, 1)}
	at := len(args)
	if at > 0 && args[0] == "echo" {
		at = 1
	}
	var more []string
	if !slices.Contains(args, "-addr") {
		more = []string{"-addr", "127.0.0.1:0"}
	}
	if !slices.Contains(args, "echo") && !slices.Contains(args, "-data") {
		more = append(more, "-memory")
	}
	args = slices.Concat(args[:at], more, args[at:])
	go func() {
		p.status <- run(ctx, args, nil, w, p.stderr)
		w.CloseWithError(errors.New("the program ended"))
	}()
	buf := make([]byte, 1000)
	n, err := r.Read(buf)
	if err != nil {
		t.Fatalf("%v: %v\n%s", args, err, p.stderr)
	}
	go io.Copy(io.Discard, r)
	p.url = printed.FindString(string(buf[:n]))
	t.Cleanup(func() { p.end(t) })
	return p
}

// end asks the program to end, and wants status 0.
func (p *program) end(t *testing.T) {
	t.Helper()
	p.stop()
	select {
	case status := <-p.status:
		if status != 0 {
			t.Errorf("status %d\n%s", status, p.stderr)
		}
		p.status <- status
	case <-time.After(20 * time.Second):
		t.Fatalf("it does not end\n%s", p.stderr)
	}
}

func dial(t *testing.T, url string, o *wsnet.DialOptions) *wsnet.Conn {
	t.Helper()
	c, err := wsnet.Dial(t.Context(), url, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.CloseNow() })
	return c
}

func read(t *testing.T, c *wsnet.Conn) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	_, data, err := c.Read(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func write(t *testing.T, c *wsnet.Conn, text string) {
	t.Helper()
	if err := c.Write(t.Context(), ws.OpText, []byte(text)); err != nil {
		t.Fatal(err)
	}
}

func wantClose(t *testing.T, c *wsnet.Conn, code ws.Code) {
	t.Helper()
	for {
		_, _, err := c.Read(t.Context())
		if err == nil {
			continue
		}
		if ce, ok := errors.AsType[*ws.CloseError](err); !ok || ce.Code != code {
			t.Fatalf("closed with %v, want %v", err, code)
		}
		return
	}
}

func TestArguments(t *testing.T) {
	busy, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer busy.Close()
	notPEM := filepath.Join(t.TempDir(), "cert.pem")
	os.WriteFile(notPEM, []byte("hello"), 0o600)
	for _, tt := range []struct {
		args   string
		status int
		stdout string
		stderr string
	}{
		{"-h", 0, "127.0.0.1:8080", ""},
		{"--help", 0, "-origin HOST", ""},
		{"echo -h", 0, "-broadcast", ""},
		{"-nope", 2, "", "-nope"},
		{"-history many", 2, "", `"many" for flag -history`},
		{"-history -1", 2, "", "-history -1: a number, 0 or more"},
		{"-queue 10", 2, "", "16384 or more"},
		{"-max-presence -1", 2, "", "-max-presence -1: a number, 0 or more"},
		{"-max-text 20000 -queue 100000", 2, "", "at least eight times"},
		{"-max-text 70000", 2, "", "does not fit into -max-message"},
		{"-drain 0s", 2, "", "above 0"},
		{"-log xml", 2, "", "text or json"},
		{"-max-con 5", 2, "", "did you mean -max-conns?"},
		{"-log-level loud", 2, "", "loud"},
		{"-origin http://example.com/path", 2, "", "origin pattern"},
		{"-cert cert.pem", 2, "", "go together"},
		{"serve", 2, "", `unexpected argument "serve"`},
		{"-addr 127.0.0.1:0 extra", 2, "", `unexpected argument "extra"`},
		{"echo extra", 2, "", `unexpected argument "extra"`},
		{"echo -limit -1", 2, "", "0 or more"},
		{"-trace=", 2, "", "-trace=FILE"},
		{"connect", 2, "", "there is no URL"},
		{"connect -h", 0, "usage: server connect", ""},
		{"connect -raw ws://x ws://y", 2, "", "unexpected argument \"ws://y\""},
		{"-addr " + busy.Addr().String(), 1, "", "-addr takes another"},
		{"echo -addr " + busy.Addr().String(), 1, "", "-addr takes another"},
		{"-addr 127.0.0.1:0 -web /nowhere/at/all", 1, "", "-web: "},
		{"-addr nowhere", 1, "", "missing port"},
		{"-cert nope.pem -key nope.pem", 1, "", "nope.pem"},
		{"-cert " + notPEM + " -key " + notPEM, 1, "", "-cert and -key"},
		{"-addr 127.0.0.1:0 -trace=/nowhere/at/all", 1, "", "/nowhere/at/all"},
	} {
		var stdout, stderr bytes.Buffer
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		status := run(ctx, strings.Fields(tt.args), []string{"FRAMEWRIGHT_MEMORY=1"}, &stdout, &stderr)
		cancel()
		if status != tt.status || !strings.Contains(stdout.String(), tt.stdout) || !strings.Contains(stderr.String(), tt.stderr) {
			t.Errorf("%s: status %d\nstdout: %s\nstderr: %s\nwant %d, %q, %q",
				tt.args, status, stdout.String(), stderr.String(), tt.status, tt.stdout, tt.stderr)
		}
		if tt.status == 0 != (stderr.Len() == 0) {
			t.Errorf("%s: stderr %q", tt.args, stderr.String())
		}
	}
}

func chatDial(t *testing.T, url string) *wsnet.Conn {
	t.Helper()
	return dial(t, url+"/ws", &wsnet.DialOptions{Options: wsnet.Options{Subprotocols: []string{plain.Subprotocol}}})
}

func (p *program) wantLine(t *testing.T, parts ...string) {
	t.Helper()
	wantLine(t, p.stderr, parts...)
}

// wantLine waits for a log to have a line with all of these.
func wantLine(t *testing.T, log *buffer, parts ...string) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
	lines:
		for line := range strings.Lines(log.String()) {
			for _, part := range parts {
				if !strings.Contains(line, part) {
					continue lines
				}
			}
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("no line with %q in\n%s", parts, log)
		}
	}
}

func TestLog(t *testing.T) {
	for _, format := range []string{"text", "json"} {
		t.Run(format, func(t *testing.T) {
			p := start(t, "-log-level", "debug", "-log", format)
			has := func(key, value string) string {
				if format == "json" {
					return `"` + key + `":"` + value + `"`
				}
				if strings.Contains(value, " ") {
					value = `"` + value + `"`
				}
				return key + "=" + value
			}
			c := chatDial(t, p.url)
			write(t, c, `{"type":"hello","name":"Ada\nlevel=ERROR"}`) // row 95
			read(t, c)
			write(t, c, `{"type":"hello","name":"Ada"}`)
			read(t, c)
			write(t, c, `{"type":"join","room":"back room"}`)
			read(t, c)
			write(t, c, `{"type":"send","room":"back room","id":"1","text":"between\nus"}`)
			p.wantLine(t, has("msg", "open"), has("remote", "127.0.0.1"))
			p.wantLine(t, has("msg", "connect"), "session", has("name", "Ada"))
			p.wantLine(t, has("msg", "join"), has("name", "Ada"), has("room", "back room"))
			p.wantLine(t, has("msg", "message"), has("name", "Ada"), "bytes")
			write(t, c, `{"type":"leave","room":"back room"}`)
			p.wantLine(t, has("msg", "leave"), has("name", "Ada"))
			for range 5 {
				write(t, c, `nonsense`)
			}
			wantClose(t, c, ws.CodePolicyViolation)
			p.wantLine(t, has("msg", "disconnect"), has("name", "Ada"), "bad requests")
			p.wantLine(t, has("msg", "closed"), has("remote", "127.0.0.1"), "1008", "bad requests")
			session := regexp.MustCompile(`session[":=]+(\w{8})\b`).FindStringSubmatch(p.stderr.String())
			if session == nil {
				t.Fatal("no session in the log")
			}
			p.wantLine(t, has("msg", "closed"), has("session", session[1]))
			if strings.Contains(p.stderr.String(), "between") {
				t.Error("what was said is in the log")
			}
			for line := range strings.Lines(p.stderr.String()) {
				if ok := strings.HasPrefix(line, "time="); format == "text" && !ok {
					t.Errorf("a line of the log is not the log's own: %s", line)
				}
				if format == "json" && !json.Valid([]byte(line)) {
					t.Errorf("not JSON: %s", line)
				}
			}
		})
	}
}

func TestOrigins(t *testing.T) {
	p := start(t, "-origin", "other.example, *.third.example")
	for origin, ok := range map[string]bool{
		p.url: true, "https://other.example": true, "https://a.third.example": true, "https://evil.example": false, "null": false,
	} {
		c, err := wsnet.Dial(t.Context(), p.url+"/ws", &wsnet.DialOptions{Header: map[string][]string{"Origin": {origin}}})
		if (err == nil) != ok {
			t.Errorf("%s: %v", origin, err)
		}
		if err == nil {
			c.CloseNow()
		}
	}
}

func TestLimits(t *testing.T) {
	p := start(t, "-max-message", "2000", "-max-text", "100", "-max-per-address", "2", "-history", "1", "-keep", "2")
	c := chatDial(t, p.url)
	write(t, c, `{"type":"hello","name":"Ada"}`)
	read(t, c)
	write(t, c, `{"type":"join","room":"lobby"}`)
	read(t, c)
	for _, id := range []string{"1", "2", "3"} {
		write(t, c, `{"type":"send","room":"lobby","id":"`+id+`","text":"text `+id+`"}`)
		read(t, c)
		read(t, c)
	}
	write(t, c, `{"type":"join","room":"lobby"}`)
	if got := read(t, c); strings.Contains(got, "text 2") || !strings.Contains(got, "text 3") {
		t.Errorf("history of 1: %s", got)
	}
	write(t, c, `{"type":"send","room":"lobby","id":"4","text":"`+strings.Repeat("x", 101)+`"}`)
	if got := read(t, c); !strings.Contains(got, "bad-message") {
		t.Errorf("101 bytes: %s", got)
	}
	chatDial(t, p.url)
	_, err := wsnet.Dial(t.Context(), p.url+"/ws", nil)
	if he, ok := errors.AsType[*ws.HandshakeError](err); !ok || he.Status != 429 {
		t.Errorf("third connection from one address: %v, want 429", err)
	}
	write(t, c, strings.Repeat("x", 2001))
	wantClose(t, c, ws.CodeTooBig)
}

// Each session gets what waits for it, a hint when to come back, and the close
// code; a connection that has not even said hello is closed as well.
func TestDrain(t *testing.T) {
	for _, code := range []ws.Code{ws.CodeServiceRestart, ws.CodeGoingAway} {
		t.Run(code.String(), func(t *testing.T) {
			p := start(t, "-drain-close", strconv.Itoa(int(code)))
			c := chatDial(t, p.url)
			write(t, c, `{"type":"hello","name":"Ada"}`)
			read(t, c)
			quiet := chatDial(t, p.url)
			p.stop()
			if got := read(t, c); !strings.HasPrefix(got, `{"type":"restart","retry":`) {
				t.Error(got)
			}
			wantClose(t, c, code)
			wantClose(t, quiet, ws.CodeGoingAway)
			p.end(t)
			if _, err := net.Dial("tcp", strings.TrimPrefix(p.url, "http://")); !errors.Is(err, syscall.ECONNREFUSED) {
				t.Errorf("after the end: %v", err)
			}
		})
	}
}

// After the end nothing runs any more, whoever was connected, and however.
func TestNothingIsLeft(t *testing.T) {
	wstest.CheckLeaks(t)
	p := start(t, "-data", t.TempDir(), "-publish-key", testKey, "-drain-window", "10ms")
	for i := range 5 {
		c := chatDial(t, p.url)
		write(t, c, fmt.Sprintf(`{"type":"hello","name":"Ada %d"}`, i))
		read(t, c)
		write(t, c, `{"type":"join","room":"lobby"}`)
		read(t, c)
		defer wantClose(t, c, ws.CodeServiceRestart)
	}
	defer wantClose(t, chatDial(t, p.url), ws.CodeGoingAway)
	if status, _, body := get(t, p.url+"/socket.io/?EIO=4&transport=polling"); status != 200 {
		t.Errorf("Socket.IO: %d %s", status, body)
	}
	post(t, p, `{"room":"lobby","text":"green"}`)
	get(t, p.url+"/metrics")
	http.DefaultClient.CloseIdleConnections()
	p.stop()
}

// The shortest of drains is one.
func TestDrainInNoTime(t *testing.T) {
	start(t, "-drain", "1ms").end(t)
}

// A client that never answers does not hold the end up for longer than -drain.
func TestDrainIsBounded(t *testing.T) {
	p := start(t, "-drain", "50ms")
	conn, err := net.Dial("tcp", strings.TrimPrefix(p.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	io.WriteString(conn, "GET /ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n")
	if _, err := conn.Read(make([]byte, 10)); err != nil {
		t.Fatal(err)
	}
	p.end(t)
	p.wantLine(t, "drain took too long")
}

// The real thing, as a process: built, started, told to end by signal.
func TestSignals(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the program, which takes seconds")
	}
	for _, tt := range []struct {
		name    string
		signals []os.Signal
		stuck   bool
		status  int
	}{
		{"SIGTERM", []os.Signal{syscall.SIGTERM}, false, 0},
		{"SIGINT", []os.Signal{os.Interrupt}, false, 0},
		{"SIGINT twice", []os.Signal{os.Interrupt, os.Interrupt}, true, -1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := spawn(t, "-memory", "-drain", "1m")
			c := chatDial(t, p.url)
			write(t, c, `{"type":"hello","name":"Ada"}`)
			read(t, c)
			for i, s := range tt.signals {
				if i > 0 {
					wantLine(t, p.stderr, "draining")
				}
				p.cmd.Process.Signal(s)
			}
			if !tt.stuck {
				wantClose(t, c, ws.CodeServiceRestart)
			}
			if status := p.wait(t); status != tt.status {
				t.Errorf("status %d, want %d\n%s", status, tt.status, p.stderr)
			}
		})
	}
}
