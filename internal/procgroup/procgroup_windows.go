package procgroup

import (
	"os"
	"os/exec"
	"strconv"
)

func lead(*exec.Cmd) {}

// A process without a window cannot be asked, and Ctrl+C would reach us too.
func terminate(p *os.Process) error { return endTree(p) }
func interrupt(p *os.Process) error { return endTree(p) }
func kill(p *os.Process)            { _ = endTree(p) }

func endTree(p *os.Process) error {
	if exec.Command("taskkill", "/T", "/F", "/PID", strconv.Itoa(p.Pid)).Run() == nil {
		return nil
	}
	return p.Kill() // it has ended, or there is no taskkill
}
