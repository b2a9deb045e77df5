//go:build unix

package main

import (
	"os/exec"
	"syscall"
)

// group gives cmd, and so the test and the fuzzer's workers below it, a
// process group of their own, which is interrupted when its context ends. The
// returned function kills what is left of the group.
func group(cmd *exec.Cmd) (stop func()) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGINT) }
	return func() {
		if cmd.Process != nil {
			syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		}
	}
}
