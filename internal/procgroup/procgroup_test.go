//go:build unix

package procgroup

import (
	"bufio"
	"context"
	"io"
	"os/exec"
	"testing"
	"time"
)

// What the command has started ends with it: its output is at its end only when
// the last process that could write has gone.
func TestGroup(t *testing.T) {
	for name, end := range map[string]func(cancel func(), cmd *exec.Cmd){
		"context":   func(cancel func(), _ *exec.Cmd) { cancel() },
		"Terminate": func(_ func(), cmd *exec.Cmd) { Terminate(cmd) },
		"Interrupt": func(_ func(), cmd *exec.Cmd) { Interrupt(cmd) },
		"Kill":      func(_ func(), cmd *exec.Cmd) { Kill(cmd) },
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			cmd := exec.CommandContext(ctx, "/bin/sh", "-c", "sh -c 'echo up; while :; do read x; done'; echo never")
			in, err := cmd.StdinPipe() // open, so that read waits
			if err != nil {
				t.Fatal(err)
			}
			defer in.Close()
			out, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			Own(cmd, time.Minute)
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			defer Kill(cmd)
			r := bufio.NewReader(out)
			if line, err := r.ReadString('\n'); line != "up\n" {
				t.Fatalf("%q, %v", line, err)
			}
			end(cancel, cmd)
			if rest, err := io.ReadAll(r); len(rest) > 0 || err != nil {
				t.Errorf("after the end: %q, %v", rest, err)
			}
			if err := cmd.Wait(); err == nil {
				t.Error("ended well")
			}
		})
	}
}
