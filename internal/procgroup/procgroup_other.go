//go:build !unix && !windows

package procgroup

import (
	"os"
	"os/exec"
)

func lead(*exec.Cmd) {}

func terminate(p *os.Process) error { return p.Kill() }
func interrupt(p *os.Process) error { return p.Kill() }
func kill(p *os.Process)            { _ = p.Kill() }
