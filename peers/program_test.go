package peers

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"testing"
)

// startProgram starts a peer that takes commands on its standard input and says
// JSON, a line each, on its standard output.
func startProgram(t *testing.T, program string, args ...string) (cmd *exec.Cmd, in io.WriteCloser, out io.Reader) {
	t.Helper()
	dependsOnOtherPrograms(t)
	cmd = exec.Command(program, args...)
	isolate(cmd)
	cmd.Stderr = t.Output()
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err = cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd, in, out
}

// hearLines hands every line that a program says to hear, until it has no more
// to say.
func hearLines[L any](t *testing.T, name string, out io.Reader, hear func(L)) {
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var l L
		if err := json.Unmarshal(lines.Bytes(), &l); err != nil {
			t.Errorf("%s said %.200q: %v", name, lines.Text(), err)
			continue
		}
		hear(l)
	}
	if errors.Is(lines.Err(), bufio.ErrTooLong) {
		t.Errorf("%s said more than 1 MiB in a line", name)
		_, _ = io.Copy(io.Discard, out) // or it could not end
	}
}

// tellLine writes a command.
func tellLine(in io.Writer, command map[string]any) error {
	line, err := json.Marshal(command)
	if err == nil {
		_, err = in.Write(append(line, '\n'))
	}
	return err
}

// answerTo waits for the answer to a command, unless the program ends.
func answerTo[L interface{ problem() string }](ctx context.Context, command any, answer <-chan L, dead <-chan struct{}) (L, error) {
	var none L
	select {
	case l := <-answer:
		if p := l.problem(); p != "" {
			return l, errors.New(p)
		}
		return l, nil
	case <-dead:
		return none, errors.New("the peer's process is gone")
	case <-ctx.Done():
		return none, fmt.Errorf("%v: %w", command, ctx.Err())
	}
}
