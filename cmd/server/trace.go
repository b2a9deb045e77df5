package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"strconv"
	"sync"

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

func traceFlag(flags *flag.FlagSet) *traceTo {
	t := new(traceTo)
	flags.Var(t, "trace", "explain every frame, bit by bit, on stderr; -trace=`FILE` writes to a file.\nA trace has what people write")
	return t
}

// A tracer writes the events of all connections, each in one piece. A nil one
// is off.
type tracer struct {
	mu  sync.Mutex
	out io.Writer
	buf []byte
}

func openTrace(to traceTo, stderr io.Writer) (*tracer, error) {
	switch to {
	case "":
		return nil, nil
	case "-":
		return &tracer{out: stderr}, nil
	}
	f, err := os.OpenFile(string(to), os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, fmt.Errorf("-trace: %w", err)
	}
	return &tracer{out: f}, nil
}

// hook returns what wsnet.Options.Trace takes.
func (t *tracer) hook() func(ws.TraceEvent) {
	if t == nil {
		return nil
	}
	return func(e ws.TraceEvent) {
		t.mu.Lock()
		defer t.mu.Unlock()
		t.buf = append(wstrace.Append(t.buf[:0], e), '\n')
		t.out.Write(t.buf)
	}
}

// Close ends the trace; frames that come later are not in it.
func (t *tracer) Close() error {
	if t == nil {
		return nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if f, ok := t.out.(*os.File); ok && f != os.Stderr {
		t.out = io.Discard
		return f.Close()
	}
	t.out = io.Discard
	return nil
}
