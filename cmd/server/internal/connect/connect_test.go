package connect

import (
	"bufio"
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"framewright/ws"
	"framewright/ws/wsnet"
	"framewright/ws/wstest"
)

// connecting runs the client with a command line and an input, and returns what it
// writes.
func connecting(t *testing.T, s Streams, args ...string) (out, errs string, err error) {
	t.Helper()
	wstest.CheckLeaks(t)
	c := new(Config)
	f := flag.NewFlagSet("connect", flag.ContinueOnError)
	c.Declare(f)
	if err := f.Parse(args); err != nil {
		t.Fatal(err)
	}
	c.URL = f.Arg(0)
	if err := c.Check(); err != nil {
		return "", "", err
	}
	var o, e bytes.Buffer
	s.Out, s.Err = &lockedWriter{out: &o}, &lockedWriter{out: &e}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	err = Run(ctx, c, &s)
	return o.String(), e.String(), err
}

func echoServer(t *testing.T, o wsnet.ServerOptions) (s *httptest.Server, address string) {
	t.Helper()
	srv := wsnet.Handler(func(ctx context.Context, c *wsnet.Conn) error {
		for m, err := range c.Messages(ctx) {
			if err != nil {
				return err
			}
			if bytes.Equal(m.Data, []byte("close")) {
				return c.Close(ctx, 4000, "as you wish")
			}
			if err := c.Write(ctx, m.Opcode, m.Data); err != nil {
				return err
			}
		}
		return nil
	})
	srv.Options = o
	s = httptest.NewServer(srv)
	t.Cleanup(func() { s.Close(); srv.Shutdown(context.Background()) })
	return s, "ws" + strings.TrimPrefix(s.URL, "http") + "/"
}

const quick = "-wait=200ms"

// A pipe: a line is a message, what comes back is lines, and the end is a good one.
func TestPipe(t *testing.T) {
	_, url := echoServer(t, wsnet.ServerOptions{})
	out, errs, err := connecting(t, Streams{In: strings.NewReader("one\n/two\r\nthree")}, quick, url)
	if err != nil || out != "one\n/two\nthree\n" || errs != "" {
		t.Errorf("%q, %q, %v", out, errs, err)
	}
	out, _, err = connecting(t, Streams{In: strings.NewReader("a\x1b[31m\n")}, quick, "-binary", url)
	if err != nil || out != "a\x1b[31m" {
		t.Errorf("binary: %q, %v", out, err)
	}
	_, _, err = connecting(t, Streams{In: strings.NewReader("close\n")}, "-wait=-1s", url)
	if ws.CloseStatus(err) != 4000 {
		t.Errorf("closed with another code: %v", err)
	}
	_, _, err = connecting(t, Streams{In: strings.NewReader("")}, "ws://"+wstest.NobodyAt(t)+"/")
	if err == nil {
		t.Error("nobody is there, and no error")
	}
}

// A terminal has commands, and does not obey what comes.
func TestTerminal(t *testing.T) {
	_, url := echoServer(t, wsnet.ServerOptions{})
	name := filepath.Join(t.TempDir(), "file")
	os.WriteFile(name, []byte("from a file"), 0o600)
	in := "hello\n//slash\n/binary 00 ff\n/binary 0\n/file " + name + "\n/file /no/such\n/what\n/ping x\nred \x1b[31m\n"
	out, errs, err := connecting(t, Streams{In: strings.NewReader(in), InTTY: true, OutTTY: true, NoColors: true}, quick, url)
	want := "hello\n/slash\nbinary, 2 bytes: 00 ff\nfrom a file\nred \\x1b[31m\n"
	if err != nil || out != want {
		t.Errorf("%q, %v; want %q", out, err, want)
	}
	for _, part := range []string{"(connected)", "/binary 0: want bytes", "/no/such", "there is no /what", "(pong after"} {
		if !strings.Contains(errs, part) {
			t.Errorf("no %q in %q", part, errs)
		}
	}
	out, _, err = connecting(t, Streams{In: strings.NewReader("/close 4001 because\n"), InTTY: true}, url)
	if ws.CloseStatus(err) != 4001 || out != "" {
		t.Errorf("/close: %q, %v", out, err)
	}
	if _, _, err = connecting(t, Streams{In: strings.NewReader("/close\n"), InTTY: true}, url); err != nil {
		t.Errorf("/close with 1000: %v", err)
	}
	out, _, _ = connecting(t, Streams{In: strings.NewReader("x\n"), OutTTY: true}, quick, url)
	if out != "\x1b[36mx\x1b[0m\n" {
		t.Errorf("in colours: %q", out)
	}
}

// What the request says, and what was agreed on.
func TestRequest(t *testing.T) {
	var asked *http.Request
	s, url := echoServer(t, wsnet.ServerOptions{OriginPatterns: []string{"https://a.example"}, Options: wsnet.Options{Subprotocols: []string{"two"}, Compression: &ws.Compression{}}})
	inner := s.Config.Handler
	s.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = r.Clone(context.Background())
		inner.ServeHTTP(w, r)
	})
	_, errs, err := connecting(t, Streams{In: strings.NewReader(""), ErrTTY: true, NoColors: true}, quick, "-origin", "https://a.example", "-header", "X-Y: z", "-subprotocol", "one", "-subprotocol", "two", "-compress", "no-takeover", "-trace-line", url)
	if err != nil || asked.Header.Get("X-Y") != "z" {
		t.Fatalf("%v, %v", err, asked.Header)
	}
	for _, part := range []string{"connected, subprotocol two, permessage-deflate", "> GET / HTTP/1.1\n", "< HTTP/1.1 101", "> close 2 code 1000"} {
		if !strings.Contains(errs, part) {
			t.Errorf("no %q in %q", part, errs)
		}
	}
}

// wss with a certificate that is trusted, and one that is not; and by way of a proxy.
func TestTLSAndProxy(t *testing.T) {
	srv := wsnet.Handler(func(ctx context.Context, c *wsnet.Conn) error { return c.Close(ctx, ws.CodeNormal, "") })
	s := httptest.NewTLSServer(srv)
	s.Config.ErrorLog = nil
	defer s.Close()
	defer srv.Shutdown(context.Background())
	s.Config.ErrorLog = discardLog()
	address := "wss" + strings.TrimPrefix(s.URL, "https") + "/"
	if _, _, err := connecting(t, Streams{In: strings.NewReader("")}, address); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("a certificate of nobody: %v", err)
	}
	in, w := io.Pipe() // the server closes first
	defer w.Close()
	if _, _, err := connecting(t, Streams{In: in}, "-insecure", address); err != nil {
		t.Errorf("any certificate: %v", err)
	}
	var asked string
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, password, _ := parseProxyAuth(r)
		asked = fmt.Sprint(r.Method, " ", r.Host, " ", user, " ", password)
		http.Error(w, "no", http.StatusForbidden)
	}))
	defer proxy.Close()
	u, _ := url.Parse(proxy.URL)
	u.User = url.UserPassword("ada", "pass")
	_, _, err := connecting(t, Streams{In: strings.NewReader("")}, "-proxy", u.String(), "wss://a.example/")
	if err == nil || asked != "CONNECT a.example:443 ada pass" {
		t.Errorf("by a proxy: %q, %v", asked, err)
	}
}

// -raw goes through a proxy, too, and not a byte behind the proxy's answer is lost.
func TestRawProxy(t *testing.T) {
	_, address := echoServer(t, wsnet.ServerOptions{})
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if user, _, _ := parseProxyAuth(r); r.Method != http.MethodConnect || user != "ada" {
			http.Error(w, "no", http.StatusProxyAuthRequired)
			return
		}
		there, err := net.Dial("tcp", r.Host)
		if err != nil {
			t.Error(err)
			return
		}
		here, _, _ := http.NewResponseController(w).Hijack()
		io.WriteString(here, "HTTP/1.1 200 Connection established\r\n\r\n")
		go func() {
			defer there.Close()
			io.Copy(there, here)
		}()
		defer here.Close()
		io.Copy(here, there)
	}))
	defer proxy.Close()
	u, _ := url.Parse(proxy.URL)
	_, _, err := connecting(t, Streams{In: strings.NewReader("")}, "-raw", "-proxy", u.String(), address)
	if err == nil || !strings.Contains(err.Error(), "with 407") {
		t.Errorf("a proxy that does not know us: %v", err)
	}
	u.User = url.User("ada")
	out, _, err := connecting(t, Streams{In: strings.NewReader("text \"Hello\"\nclose 1000\n")}, "-raw", "-trace-line", "-wait=-1s", "-proxy", u.String(), address)
	if err != nil || !strings.Contains(out, "< text 5 \"Hello\"\n") || !strings.Contains(out, "< close 2 code 1000") {
		t.Errorf("by a proxy: %q, %v", out, err)
	}
	if _, _, err = connecting(t, Streams{In: strings.NewReader("")}, "-raw", "-proxy", "socks5://127.0.0.1:1", address); err == nil || !strings.Contains(err.Error(), "want one of http://") {
		t.Errorf("another kind of proxy: %v", err)
	}
}

// Ctrl-C closes the connection with 1001, which is a good end, also while the input waits
// for somebody to type.
func TestInterrupt(t *testing.T) {
	wstest.CheckLeaks(t)
	ended := make(chan error, 1)
	srv := wsnet.Handler(func(ctx context.Context, c *wsnet.Conn) error {
		c.Write(ctx, ws.OpText, []byte("here"))
		_, _, err := c.Read(ctx)
		ended <- err
		return err
	})
	s := httptest.NewServer(srv)
	defer s.Close()
	defer srv.Shutdown(context.Background())
	ctx, interrupt := context.WithCancel(t.Context())
	in, w := io.Pipe()
	defer w.Close()
	c := &Config{URL: "ws" + strings.TrimPrefix(s.URL, "http"), Compress: "off", Timeout: time.Minute, Limit: 1 << 20, Color: "never"}
	err := Run(ctx, c, &Streams{In: in, Out: writerFunc(func([]byte) { interrupt() }), Err: io.Discard})
	if err != nil {
		t.Errorf("the client: %v", err)
	}
	if err := <-ended; ws.CloseStatus(err) != ws.CodeGoingAway {
		t.Errorf("the server: %v", err)
	}
}

type writerFunc func([]byte)

func (f writerFunc) Write(p []byte) (int, error) {
	f(p)
	return len(p), nil
}

// A line may be as long as a message; of a longer one come parts.
func TestLongLines(t *testing.T) {
	_, url := echoServer(t, wsnet.ServerOptions{})
	long := strings.Repeat("x", 300_000)
	out, _, err := connecting(t, Streams{In: strings.NewReader(long + "\nshort\n")}, quick, url)
	if err != nil || out != long+"\nshort\n" {
		t.Errorf("%d bytes, %v", len(out), err)
	}
	out, _, err = connecting(t, Streams{In: strings.NewReader(long + "\nshort\n")}, quick, "-limit", "131072", url)
	if err != nil || strings.ReplaceAll(out, "\n", "") != long+"short" || strings.Count(out, "\n") != 4 {
		t.Errorf("with a limit: %d bytes in %d lines, %v", len(out), strings.Count(out, "\n"), err)
	}
}

// How a trace looks is a setting.
func TestTraceSettings(t *testing.T) {
	_, url := echoServer(t, wsnet.ServerOptions{})
	_, errs, err := connecting(t, Streams{In: strings.NewReader(strings.Repeat("y", 200) + "\n")}, quick, "-trace-line", "-trace-time", "-trace-payload", "10", url)
	line := regexp.MustCompile(`(?m)^\d\d:\d\d:\d\d\.\d{6} > text 200 "y{10}"`)
	if err != nil || !line.MatchString(errs) {
		t.Errorf("%v\n%s", err, errs)
	}
}

// What a command line cannot mean.
func TestCheck(t *testing.T) {
	for args, want := range map[string]string{
		"":                              "there is no URL",
		"http://x":                      "want a URL such as",
		"-compress x ws://x":            "-compress",
		"-cert c ws://x":                "-cert and -key go together",
		"-raw -binary ws://x":           "-raw does not go with",
		"-limit 0 ws://x":               "-limit",
		"-color x ws://x":               "-color",
		"-trace-payload 0 ws://x":       "-trace-payload 0: a number of bytes, 1 to 4096",
		"-ca /no/such ws://x":           "-ca: ",
		"-cert /no/c -key /no/k ws://x": "/no/c",
		"-proxy x ws://x":               "-proxy",
	} {
		if _, _, err := connecting(t, Streams{In: strings.NewReader("")}, strings.Fields(args)...); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", args, err, want)
		}
	}
}

// -raw: what is sent goes as it is, broken or not; both directions are explained, and
// nothing is answered.
func TestRaw(t *testing.T) {
	_, url := echoServer(t, wsnet.ServerOptions{})
	out, _, err := connecting(t, Streams{In: strings.NewReader("text key=37fa213d \"Hello\"\nnonsense\nping key=00000000 \"p\"\nopcode=3 \"x\"\n")}, "-raw", "-trace-line", "-wait=-1s", url)
	want := `> text 5 "Hello"
(column 1: "nonsense" is neither bytes in hexadecimal nor a frame (continuation, text, binary, close, ping, pong, opcode=N))
> ping 1 "p"
> reserved opcode 0x3 1 "x"
     BREAKS 5.2-opcode: opcodes 3 to 7 and B to F are reserved (§5.2), close with 1002 (protocol error)
     reserved opcode 0x3
`
	sent := ""
	for line := range strings.Lines(out) {
		if !strings.HasPrefix(line, "<") && !strings.Contains(line, "ended the connection") {
			sent += line
		}
	}
	if err != nil || sent != want {
		t.Errorf("sent %s, want %s; %v", sent, want, err)
	}
	for _, part := range []string{"< text 5 \"Hello\"\n", "< pong 1 \"p\"\n", "< close 29 code 1002 (protocol error) \"reserved opcode 0x3 (§5.2)\"\n", "(the server has ended the connection)\n"} {
		if !strings.Contains(out, part) {
			t.Errorf("no %q in %q", part, out)
		}
	}
}

// The whole explanation is what a trace says; half a frame is shown at the end.
func TestRawExplains(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		in := bufio.NewReader(conn)
		r, err := http.ReadRequest(in)
		if err != nil {
			return
		}
		fmt.Fprintf(conn, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n%s",
			ws.AcceptKey(r.Header.Get("Sec-WebSocket-Key")), wstest.MustHex("01 03 'Hel' | 80 02 'lo' | 83 00 | 81 01 'x'"))
		in.ReadByte() // or the client would see the end before it has read its line
		conn.(*net.TCPConn).CloseWrite()
		io.Copy(io.Discard, in)
		conn.Close()
	}()
	out, _, err := connecting(t, Streams{In: strings.NewReader("text len=9 mask=0 \"half\"\n")}, "-raw", "-wait=-1s", "ws://"+l.Addr().String()+"/")
	if err != nil {
		t.Error(err)
	}
	for _, part := range []string{
		"< 01 03                               client receives text at offset 0, ready -> in text\n", "the first fragment, more follow (§5.4)", "< 80 02                               client receives continuation at offset 5, in text -> ready\n",
		"BREAKS 5.2-opcode", "(< behind the end: 81 01 78)", "BREAKS 5.1-client-masks",
	} {
		if !strings.Contains(out, part) {
			t.Errorf("no %q in:\n%s", part, out)
		}
	}
}

// A frame that is longer than anybody keeps is explained by its beginning, and what it
// breaks later is told; memory stays within bounds.
func TestRawLongFrames(t *testing.T) {
	var out bytes.Buffer
	r := &rawSession{Config: &Config{TraceLine: true, Color: "never"}, Streams: &Streams{}, out: &lockedWriter{out: &out}}
	x := r.explain(ws.RoleClient, false)
	x.Write(wstest.MustHex("81 7f 0000010000000000"))
	piece := bytes.Repeat([]byte("a"), 64<<10)
	for range 1000 {
		x.Write(piece)
	}
	if cap(x.buf) > 2*maxKept {
		t.Errorf("%d bytes are kept", cap(x.buf))
	}
	if got := out.String(); !strings.HasPrefix(got, "< text 1099511627776 \"aaaa") || strings.Count(got, "\n") != 1 {
		t.Errorf("%.200s", got)
	}
	out.Reset()
	x.Write([]byte("a\xffb"))
	if got := out.String(); !strings.Contains(got, "BREAKS 8.1-text-utf8") || !x.over {
		t.Errorf("a bad byte: %q", got)
	}

	out.Reset()
	x = r.explain(ws.RoleClient, false) // and what follows a long one
	x.Write(append(ws.AppendFrame(nil, ws.Header{Fin: true, Opcode: ws.OpBinary, Length: 100_000}, make([]byte, 100_000)), "\x81\x02hi"...))
	if got := out.String(); strings.Count(got, "\n") != 2 || !strings.HasSuffix(got, "< text 2 \"hi\"\n") {
		t.Errorf("behind a long frame: %.300s", got)
	}
}

// A long line takes a time in proportion to it: this one took a quarter of an hour.
func TestParseRawLongLine(t *testing.T) {
	b, err := parseRaw(strings.Repeat("00 ", 1<<20), zeros{})
	if err != nil || len(b) != 1<<20 {
		t.Errorf("%d bytes, %v", len(b), err)
	}
}
