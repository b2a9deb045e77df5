package peers

import (
	"os/exec"

	"framewright/internal/procgroup"
)

// isolate gives a child process a group of its own, so that killGroup reaches
// its children too.
func isolate(cmd *exec.Cmd) { procgroup.Lead(cmd) }

// killGroup kills what is left of an isolated process and its children.
func killGroup(cmd *exec.Cmd) { procgroup.Kill(cmd) }
