//go:build !unix

package main

import (
	"os"
	"os/exec"
)

func ownGroup(*exec.Cmd) {}

func termGroup(p *os.Process) error { return p.Kill() }
func killGroup(*os.Process)         {}

// lockFile does nothing here: two first runs at once may disturb each other.
func lockFile(*os.File, func()) error { return nil }
