// Package connect is a WebSocket client for the terminal: what is typed goes out as
// messages, what comes is shown, each frame of it if asked for; and with -raw lines are
// frames, also such as no client may send.
package connect

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"framewright/ws"
	"framewright/ws/wsnet"
	"framewright/ws/wstrace"
)

// About stands above the flags.
const About = `usage: server connect [flags] URL

Connects to a ws:// or wss:// URL. Each line that is typed is sent as a text message,
each message that comes is a line. On a terminal, lines that begin with a slash are
commands:

  /ping [TEXT]             send a ping
  /close [CODE [REASON]]   close, by default with 1000
  /file PATH               send a file, as a text if it is UTF-8
  /binary HEX              send bytes
  //TEXT                   send a line that begins with a slash

With -raw a line is bytes and frames instead, sent as they are, right or wrong:

  81 05 "Hello"            bytes in hexadecimal, and strings as in Go
  text fin=0 "Hel"         the first fragment of a text, masked with a random key
  ping mask=0 "x"          which a client must not send: it is not masked
  close 1000 "bye"
  opcode=b rsv=4 len=126:5 key=00000000 "ab"

and what comes is explained, frame by frame. Nothing is sent but what is written: no pong,
no answer to a Close, and none at the end. The exit status is 0 once the handshake was had.

When the input ends, what still comes is waited for (-wait), then the connection is
closed with 1000. Exit status: 0 if it was closed with 1000 or 1001, or without a code,
by either side; 1 if it failed or was closed with another code; 2 for arguments that make
no sense.
`

// Config is the command line.
type Config struct {
	URL          string
	Header       http.Header
	Subprotocols []string
	Compress     string
	Proxy        string
	Cert, Key    string
	CA           string
	Insecure     bool
	Binary       bool
	Raw          bool
	Trace        bool
	TraceLine    bool
	TraceTime    bool
	TracePayload int // bytes
	Ping         time.Duration
	Wait         time.Duration
	Timeout      time.Duration
	Limit        int64
	Color        string
}

// Declare adds the flags to f.
func (c *Config) Declare(f *flag.FlagSet) {
	c.Header = http.Header{}
	f.Func("header", "a further `LINE` of the request, such as 'Authorization: Bearer …'; may be repeated", func(line string) error {
		name, value, ok := strings.Cut(line, ":")
		if !ok || strings.TrimSpace(name) == "" {
			return fmt.Errorf("%q; want NAME: VALUE", line)
		}
		c.Header.Add(strings.TrimSpace(name), strings.TrimSpace(value))
		return nil
	})
	f.Func("origin", "the `ORIGIN` header, as a browser sends it", func(s string) error {
		c.Header.Set("Origin", s)
		return nil
	})
	f.Func("subprotocol", "offer this `NAME`; may be repeated, the first is preferred", func(s string) error {
		c.Subprotocols = append(c.Subprotocols, s)
		return nil
	})
	f.StringVar(&c.Compress, "compress", "off", "permessage-deflate: off, no-takeover (each message by itself) or\ntakeover (contexts kept in both directions)")
	f.StringVar(&c.Proxy, "proxy", "", "`URL` of an HTTP proxy, with its user and password if need be; default: what the environment says")
	f.StringVar(&c.Cert, "cert", "", "`FILE` with a client certificate, PEM")
	f.StringVar(&c.Key, "key", "", "`FILE` with its key")
	f.StringVar(&c.CA, "ca", "", "`FILE` with certificates that are trusted besides the system's, PEM")
	f.BoolVar(&c.Insecure, "insecure", false, "take any certificate")
	f.BoolVar(&c.Binary, "binary", false, "send lines as binary messages")
	f.BoolVar(&c.Raw, "raw", false, "lines are bytes and frames, sent as they are")
	f.BoolVar(&c.Trace, "trace", false, "explain every frame, bit by bit, on stderr")
	f.BoolVar(&c.TraceLine, "trace-line", false, "the same, a line for each frame")
	f.BoolVar(&c.TraceTime, "trace-time", false, "begin each with the time of day")
	f.IntVar(&c.TracePayload, "trace-payload", 512, fmt.Sprintf("how many `BYTES` of a payload are explained, at most %d", ws.TracePayload))
	f.DurationVar(&c.Ping, "ping", 0, "send a ping so often; 0 for never")
	f.DurationVar(&c.Wait, "wait", time.Second, "when the input has ended, wait until nothing has come for so long; -1s for ever")
	f.DurationVar(&c.Timeout, "timeout", 10*time.Second, "how long the opening handshake may take")
	f.Int64Var(&c.Limit, "limit", 16<<20, "longest message in `BYTES`")
	f.StringVar(&c.Color, "color", "auto", "`WHEN` there are colours: always, never, or auto: on a terminal, unless NO_COLOR is set")
}

// Streams are what the client reads from and writes to.
type Streams struct {
	In               io.Reader
	Out, Err         io.Writer
	InTTY, OutTTY    bool // whether they are terminals
	ErrTTY, NoColors bool
}

var compressions = map[string]*ws.Compression{"off": nil, "no-takeover": {}, "takeover": {SendContext: true, ReceiveContext: true}}

// Check says what of the command line makes no sense.
func (c *Config) Check() error {
	u, err := url.Parse(c.URL)
	_, known := compressions[c.Compress]
	switch {
	case c.URL == "":
		return errors.New("there is no URL: want ws://HOST/PATH or wss://HOST/PATH")
	case err != nil || u.Host == "" || u.Scheme != "ws" && u.Scheme != "wss":
		return fmt.Errorf("%q: want a URL such as ws://127.0.0.1:9001/ or wss://example.com/chat", c.URL)
	case !known:
		return fmt.Errorf("-compress %q: off, no-takeover or takeover", c.Compress)
	case (c.Cert == "") != (c.Key == ""):
		return errors.New("-cert and -key go together")
	case c.Ping < 0 || c.Timeout <= 0 || c.Limit <= 0:
		return errors.New("-ping, -timeout and -limit: want what is not negative, and more than 0 of the last two")
	case c.Color != "auto" && c.Color != "always" && c.Color != "never":
		return fmt.Errorf("-color %q: always, never or auto", c.Color)
	case c.TracePayload < 1 || c.TracePayload > ws.TracePayload:
		return fmt.Errorf("-trace-payload %d: a number of bytes, 1 to %d", c.TracePayload, ws.TracePayload)
	case c.Raw && (c.Compress != "off" || c.Binary || c.Ping != 0):
		return errors.New("-raw does not go with -compress, -binary or -ping: it sends what you write and nothing else")
	}
	return nil
}

// Run connects and goes on until the connection is over, the input has ended, or ctx has,
// which closes with 1001.
func Run(ctx context.Context, c *Config, s *Streams) error {
	o, err := c.options(s)
	if err != nil {
		return err
	}
	if c.Raw {
		return runRaw(ctx, c, s, o)
	}
	conn, err := wsnet.Dial(ctx, c.URL, o)
	if err != nil {
		return err
	}
	v := &session{Config: c, Streams: s, conn: conn, came: make(chan struct{}, 1)}
	return v.run(ctx)
}

// options are those of the connection.
func (c *Config) options(s *Streams) (*wsnet.DialOptions, error) {
	t := http.DefaultTransport.(*http.Transport).Clone()
	var err error
	if t.TLSClientConfig, err = c.tls(); err != nil {
		return nil, err
	}
	if c.Proxy != "" {
		u, err := c.ownProxy()
		if err != nil {
			return nil, err
		}
		t.Proxy = http.ProxyURL(u)
	}
	t.ForceAttemptHTTP2 = false
	o := &wsnet.DialOptions{HTTPClient: &http.Client{Transport: t, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}, Header: c.Header}
	o.Subprotocols, o.Compression, o.MaxMessage, o.HandshakeTimeout = c.Subprotocols, compressions[c.Compress], c.Limit, c.Timeout
	o.PingInterval = -1
	if c.Trace || c.TraceLine {
		o.Trace = c.tracer(s)
	}
	return o, nil
}

func (c *Config) tls() (*tls.Config, error) {
	t := &tls.Config{InsecureSkipVerify: c.Insecure, NextProtos: []string{"http/1.1"}}
	if c.Cert != "" {
		pair, err := tls.LoadX509KeyPair(c.Cert, c.Key)
		if err != nil {
			return nil, fmt.Errorf("-cert %q -key %q: %w", c.Cert, c.Key, err)
		}
		t.Certificates = []tls.Certificate{pair}
	}
	if c.CA != "" {
		b, err := os.ReadFile(c.CA)
		if err != nil {
			return nil, fmt.Errorf("-ca: %w", err)
		}
		if t.RootCAs, err = x509.SystemCertPool(); err != nil {
			t.RootCAs = x509.NewCertPool()
		}
		if !t.RootCAs.AppendCertsFromPEM(b) {
			return nil, fmt.Errorf("-ca %q has no certificate in PEM", c.CA)
		}
	}
	return t, nil
}

func (c *Config) colors(tty, noColors bool) bool {
	return c.Color == "always" || c.Color == "auto" && tty && !noColors
}

// tracer writes frames to stderr.
func (c *Config) tracer(s *Streams) func(ws.TraceEvent) {
	style, clock := c.style(s.ErrTTY, s.NoColors), c.clock()
	style.OneLine = c.TraceLine && !c.Trace
	out := &lockedWriter{out: s.Err}
	return func(e ws.TraceEvent) {
		e.Conn = 0 // there is only one
		if e.Handshake == "" && len(e.Wire) == 0 {
			e.Conn = 1
		}
		out.Write(style.Append(clock(nil), e))
	}
}

func (c *Config) style(tty, noColors bool) wstrace.Style {
	return wstrace.Style{Payload: c.TracePayload, OneLine: c.TraceLine, Color: c.colors(tty, noColors)}
}

// clock returns what appends the time of day, if that is asked for.
func (c *Config) clock() func([]byte) []byte {
	return func(dst []byte) []byte {
		if !c.TraceTime {
			return dst
		}
		dst = time.Now().AppendFormat(dst, "15:04:05.000000 ")
		if !c.TraceLine {
			dst[len(dst)-1] = '\n'
		}
		return dst
	}
}

// outcome is what the exit status is about: nil if the connection was closed as it should.
func outcome(err error) error {
	e, ok := errors.AsType[*ws.CloseError](err)
	if !ok {
		return err
	}
	switch e.Code {
	case ws.CodeNormal, ws.CodeGoingAway, ws.CodeNoStatus:
		if e.Err == nil {
			return nil
		}
	}
	return err
}

// lines reads the input until it ends or stop is closed. A line may be as long as a
// message; its end is not part of it.
func lines(in io.Reader, limit int64, stop <-chan struct{}) <-chan string {
	out := make(chan string)
	go func() {
		defer close(out)
		r := bufio.NewReaderSize(in, 64<<10)
		for {
			line, err := readLine(r, limit)
			if err != nil && line == "" {
				return
			}
			select {
			case out <- line:
			case <-stop:
				return
			}
			if err != nil {
				return
			}
		}
	}()
	return out
}

// readLine reads a line of at most limit bytes; a longer one comes in parts.
func readLine(r *bufio.Reader, limit int64) (string, error) {
	var b strings.Builder
	for {
		part, err := r.ReadSlice('\n')
		b.Write(part)
		if err == bufio.ErrBufferFull && int64(b.Len()) < limit {
			continue
		}
		if err == bufio.ErrBufferFull {
			err = nil
		}
		return strings.TrimRight(b.String(), "\r\n"), err
	}
}
