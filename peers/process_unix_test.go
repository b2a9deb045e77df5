//go:build unix

package peers

import (
	"os/exec"
	"syscall"
)

// isolate gives a child process a group of its own, so that killGroup reaches
// its children too.
func isolate(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

// killGroup kills what is left of an isolated process and its children.
func killGroup(cmd *exec.Cmd) { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
