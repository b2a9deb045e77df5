// Package procgroup ends a child process together with what it has started:
// go test with its workers, a browser with its renderers, a shim with the
// program behind it. Ending the child alone would leave those running.
//
// On Unix the child leads a process group of its own. Windows has none that a
// signal reaches, so there the tree below the child is ended by taskkill, as long
// as the child itself runs. Elsewhere only the child is ended.
package procgroup

import (
	"os/exec"
	"time"
)

// Lead must be called before cmd is started: it gives the command a group of
// its own.
func Lead(cmd *exec.Cmd) { lead(cmd) }

// Own is Lead for a command with a context, at whose end the group is asked to
// end (see Terminate). grace is the command's WaitDelay.
func Own(cmd *exec.Cmd, grace time.Duration) {
	lead(cmd)
	cmd.WaitDelay = grace
	cmd.Cancel = func() error { return Terminate(cmd) }
}

// Terminate asks the group of a command that was started to end: by SIGTERM on
// Unix. Where a process cannot be asked it is killed.
func Terminate(cmd *exec.Cmd) error { return terminate(cmd.Process) }

// Interrupt is Terminate by SIGINT, as if somebody had pressed Ctrl+C.
func Interrupt(cmd *exec.Cmd) error { return interrupt(cmd.Process) }

// Kill kills what is left of the group, if cmd was started. On Unix that is all
// of it, even if the command itself has ended.
func Kill(cmd *exec.Cmd) {
	if cmd.Process != nil {
		kill(cmd.Process)
	}
}
