//go:build unix

package wstest

import (
	"os"
	"syscall"
)

// lockFile takes an exclusive lock that ends with the process, however that
// ends. wait is called once if another process has it.
func lockFile(f *os.File, wait func()) error {
	if syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil {
		return nil
	}
	wait()
	return syscall.Flock(int(f.Fd()), syscall.LOCK_EX)
}
