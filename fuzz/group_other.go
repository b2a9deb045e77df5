//go:build !unix

package main

import "os/exec"

// group leaves cmd as it is: when its context ends it is killed, and the
// fuzzer's workers end with the pipe to it.
func group(cmd *exec.Cmd) (stop func()) { return func() {} }
