//go:build linux

package machine

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"strings"

	"golang.org/x/sys/unix"
)

// About describes processor, kernel and Go, each in a line.
func About() []string {
	model := "unknown processor"
	if b, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for line := range strings.Lines(string(b)) {
			if name, v, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
				model = strings.TrimSpace(v)
				break
			}
		}
	}
	var all unix.CPUSet
	_ = unix.SchedGetaffinity(1, &all) // that of init: this process may be pinned
	var u unix.Utsname
	_ = unix.Uname(&u)
	return []string{
		fmt.Sprintf("%s, %d cores", model, max(all.Count(), runtime.NumCPU())),
		fmt.Sprintf("%s %s, %s", unix.ByteSliceToString(u.Sysname[:]), unix.ByteSliceToString(u.Release[:]), runtime.GOARCH),
		runtime.Version(),
	}
}

// Version is the version of a module that is linked in. A module that was
// replaced by a folder has that of the folder's repository.
func Version(module string) string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	for _, d := range info.Deps {
		if d.Path != module {
			continue
		}
		if d.Replace == nil {
			return d.Version
		}
		out, err := exec.Command("git", "-C", d.Replace.Path, "describe", "--always", "--dirty").Output()
		if err != nil {
			return "this folder"
		}
		return strings.TrimSpace(string(out))
	}
	return "unknown"
}
