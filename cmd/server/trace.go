package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"framewright/lab/fact"
	"framewright/ws"
	"framewright/ws/wstrace"
)

// traceTo is the value of -trace: "" for none, "-" for stderr, or a file.
type traceTo string

func (t *traceTo) String() string   { return string(*t) }
func (t *traceTo) IsBoolFlag() bool { return true } // so that -trace alone is stderr
func (t *traceTo) Set(s string) error {
	if on, err := strconv.ParseBool(s); err == nil {
		*t = ""
		if on {
			*t = "-"
		}
		return nil
	}
	if s == "" {
		return fmt.Errorf("-trace alone, or -trace=FILE")
	}
	*t = traceTo(s)
	return nil
}

// traceSettings are -trace and how it looks.
type traceSettings struct {
	to      traceTo
	line    bool
	time    bool
	payload int
	color   string
	only    string
}

func (t *traceSettings) declare(f *flag.FlagSet) {
	f.Var(&t.to, "trace", "explain every frame, bit by bit, on stderr; -trace=`FILE` writes to a file.\nA trace has what people write")
	f.BoolVar(&t.line, "trace-line", false, "a line for each frame, without the bits")
	f.BoolVar(&t.time, "trace-time", false, "begin each entry with the time of day")
	f.IntVar(&t.payload, "trace-payload", 512, fmt.Sprintf("how many `BYTES` of a payload are shown, at most %d", ws.TracePayload))
	f.StringVar(&t.color, "trace-color", "auto", "`WHEN` a trace has colours: always, never, or auto: on a terminal, unless NO_COLOR is set")
	f.StringVar(&t.only, "trace-only", "", "trace only these connections: a `LIST` with commas of their numbers, or of\nhow the paths of their requests begin, such as /ws")
}

// A tracer writes the events of connections, each in one piece. A nil one is off.
type tracer struct {
	style wstrace.Style
	time  bool
	only  []string
	now   func() time.Time

	mu    sync.Mutex
	out   io.Writer
	buf   []byte
	conns map[uint64]tracedConn

	followed []*fact.Tracker // of the last connections
}

// A tracedConn is what the request of a connection says of it.
type tracedConn struct {
	path   string
	engine bool // Engine.IO
	follow *fact.Tracker
}

// maxTraced is how many connections are remembered; of more, the oldest are traced as if
// nothing were known of their requests.
const maxTraced = 10_000

// maxFollowed is how many connections have their compressed messages explained: the last
// ones. Each may take two windows and two messages, of 32 KiB each.
const maxFollowed = 64

// open returns nil if there is to be no trace.
func (t *traceSettings) open(env []string, stderr io.Writer) (*tracer, error) {
	switch {
	case t.payload < 1 || t.payload > ws.TracePayload:
		return nil, usagef("-trace-payload %d: a number of bytes, 1 to %d", t.payload, ws.TracePayload)
	case !slices.Contains([]string{"auto", "always", "never"}, t.color):
		return nil, usagef("-trace-color %q: always, never or auto", t.color)
	case t.to == "" && t.only != "":
		return nil, usagef("-trace-only %q without -trace: there is no trace to choose from", t.only)
	case t.to == "":
		return nil, nil
	}
	tr := &tracer{style: wstrace.Style{Payload: t.payload, OneLine: t.line}, time: t.time, now: time.Now, out: stderr, conns: map[uint64]tracedConn{}}
	for part := range strings.SplitSeq(t.only, ",") {
		part = strings.TrimSpace(part)
		if part == "" && t.only == "" {
			break
		}
		if _, err := strconv.ParseUint(part, 10, 64); err != nil && !strings.HasPrefix(part, "/") {
			return nil, usagef("-trace-only %q: numbers of connections, as in #7, or paths that begin with /", part)
		}
		tr.only = append(tr.only, part)
	}
	if t.to != "-" {
		f, err := os.OpenFile(string(t.to), os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
		if err != nil {
			return nil, fmt.Errorf("-trace: %w", err)
		}
		tr.out = f
	}
	noColor := slices.ContainsFunc(env, func(s string) bool { return strings.HasPrefix(s, "NO_COLOR=") && s != "NO_COLOR=" })
	tr.style.Color = t.color == "always" || t.color == "auto" && !noColor && isTerminal(tr.out)
	return tr, nil
}

// hook returns what wsnet.Options.Trace takes.
func (t *tracer) hook() func(ws.TraceEvent) {
	if t == nil {
		return nil
	}
	return func(e ws.TraceEvent) {
		t.mu.Lock()
		defer t.mu.Unlock()
		c := t.conn(e)
		if !t.wanted(e.Conn, c.path) {
			return
		}
		t.begin()
		if c.engine {
			t.buf = appendPacket(t.buf, e)
		}
		t.buf = t.style.Append(t.buf, e)
		t.inflated(c, e)
		t.end()
	}
}

// inflated says what a compressed message is made of (RFC 7692 §7.2.2). Its caller has mu.
func (t *tracer) inflated(c tracedConn, e ws.TraceEvent) {
	if c.follow == nil || t.style.OneLine {
		return
	}
	m := c.follow.Inflate(e)
	if m == nil {
		return
	}
	t.buf = fmt.Appendf(t.buf, "     (%s)\n", m.Says)
	if m.Error != "" {
		t.buf = fmt.Appendf(t.buf, "     (%s)\n", m.Error)
	}
}

// another returns what explains the compressed messages of another connection.
func (t *tracer) another() *fact.Tracker {
	if len(t.followed) == maxFollowed {
		t.followed[0].Forget()
		t.followed = append(t.followed[:0], t.followed[1:]...)
	}
	f := new(fact.Tracker)
	t.followed = append(t.followed, f)
	return f
}

// begin and end write one entry. Their caller has mu.
func (t *tracer) begin() {
	t.buf = t.buf[:0]
	if t.time {
		t.buf = t.now().AppendFormat(t.buf, "15:04:05.000000 ")
		if !t.style.OneLine {
			t.buf = append(t.buf[:len(t.buf)-1], '\n')
		}
	}
}

func (t *tracer) end() {
	if !t.style.OneLine {
		t.buf = append(t.buf, '\n')
	}
	t.out.Write(t.buf)
}

// conn is what is known of an event's connection: the path of its request, which is the
// first event that it has.
func (t *tracer) conn(e ws.TraceEvent) tracedConn {
	if c, ok := t.conns[e.Conn]; ok || e.Sent || e.Handshake == "" {
		return c
	}
	_, target, _ := strings.Cut(e.Handshake, " ")
	target, _, _ = strings.Cut(target, " ")
	path, query, _ := strings.Cut(target, "?")
	c := tracedConn{path: path, engine: strings.Contains(query, "EIO=")}
	if len(t.conns) >= maxTraced {
		for id := range t.conns {
			if id+maxTraced/2 < e.Conn {
				delete(t.conns, id)
			}
		}
	}
	if len(t.conns) < maxTraced {
		if !t.style.OneLine && t.wanted(e.Conn, c.path) {
			c.follow = t.another()
		}
		t.conns[e.Conn] = c
	}
	return c
}

// wanted reports whether -trace-only has a connection.
func (t *tracer) wanted(conn uint64, path string) bool {
	return len(t.only) == 0 || slices.ContainsFunc(t.only, func(s string) bool {
		return s == strconv.FormatUint(conn, 10) || s[0] == '/' && strings.HasPrefix(path, s)
	})
}

// Close ends the trace; frames that come later are not in it.
func (t *tracer) Close() error {
	if t == nil {
		return nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	out := t.out
	t.out = io.Discard
	if f, ok := out.(*os.File); ok && f != os.Stderr {
		return f.Close()
	}
	return nil
}

// orLonger is a text that is cut, and says so.
func orLonger(s string, most int) string {
	if len(s) > most {
		return fmt.Sprintf("%s (%d of %d bytes)", strconv.Quote(s[:most]), most, len(s))
	}
	return strconv.Quote(s)
}
