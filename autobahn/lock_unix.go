//go:build unix

package main

import (
	"os"
	"os/exec"
	"syscall"
)

// ownGroup makes the command the leader of a new process group.
func ownGroup(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
}

func termGroup(p *os.Process) error { return syscall.Kill(-p.Pid, syscall.SIGTERM) }
func killGroup(p *os.Process)       { syscall.Kill(-p.Pid, syscall.SIGKILL) }

// lockFile takes an exclusive lock that ends with the process, however that
// ends. wait is called once if another process has it.
func lockFile(f *os.File, wait func()) error {
	if syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil {
		return nil
	}
	wait()
	return syscall.Flock(int(f.Fd()), syscall.LOCK_EX)
}
