//go:build linux

// Package machine starts servers on a core of their own, reads what they use,
// and looks at how busy the machine is. It needs Linux.
package machine

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// A Process is a server that was started.
type Process struct {
	Addr  string // the first line that it wrote
	cmd   *exec.Cmd
	stdin io.WriteCloser
	out   *bufio.Scanner

	collections collections
}

// Start starts a program on a core, or on any if core is negative, and waits
// for the line with its address. It ends with ctx.
func Start(ctx context.Context, core int, args ...string) (*Process, error) {
	p := &Process{cmd: exec.CommandContext(ctx, args[0], args[1:]...)}
	p.cmd.Stderr = &p.collections
	stdin, err := p.cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	p.stdin = stdin
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := startOn(core, p.cmd); err != nil {
		return nil, err
	}
	p.out = bufio.NewScanner(out)
	if !p.out.Scan() {
		p.Stop()
		return nil, fmt.Errorf("%s ended before it said its address", strings.Join(args, " "))
	}
	p.Addr = p.out.Text()
	return p, nil
}

// startOn starts cmd from a thread that is pinned to the core, which is
// inherited.
func startOn(core int, cmd *exec.Cmd) error {
	if core < 0 {
		return cmd.Start()
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var before unix.CPUSet
	if err := unix.SchedGetaffinity(0, &before); err != nil {
		return err
	}
	if err := Pin(core); err != nil {
		return err
	}
	defer func() { _ = unix.SchedSetaffinity(0, &before) }()
	return cmd.Start()
}

// Pin puts the calling thread on a core.
func Pin(core int) error {
	var set unix.CPUSet
	set.Set(core)
	if err := unix.SchedSetaffinity(0, &set); err != nil {
		return fmt.Errorf("core %d: %w", core, err)
	}
	return nil
}

// Ask sends a line to the program's standard input and waits for one line of
// answer.
func (p *Process) Ask(line string) (string, error) {
	if _, err := io.WriteString(p.stdin, line+"\n"); err != nil {
		return "", err
	}
	if !p.out.Scan() {
		return "", errors.New("the server ended")
	}
	return p.out.Text(), nil
}

// Stop kills the program.
func (p *Process) Stop() {
	_ = p.cmd.Process.Kill()
	_ = p.cmd.Wait()
}

// CPU is the user and system time that the program has used so far, in all its
// threads: its clock of clock_getcpuclockid(3), which counts nanoseconds where
// /proc counts hundredths of a second.
func (p *Process) CPU() time.Duration { return cpu(p.cmd.Process.Pid) }

func cpu(pid int) time.Duration {
	var t unix.Timespec
	if err := unix.ClockGettime(int32(^pid<<3|2), &t); err != nil {
		return 0 // it has ended
	}
	return time.Duration(t.Nano())
}

// Settle waits until the program has used next to nothing for a tenth of a
// second, for limit at most.
func (p *Process) Settle(limit time.Duration) {
	for end := time.Now().Add(limit); time.Now().Before(end); {
		before := p.CPU()
		time.Sleep(100 * time.Millisecond)
		if p.CPU()-before < time.Millisecond {
			return
		}
	}
}

// Line reads another line that the program writes.
func (p *Process) Line() (string, error) {
	if !p.out.Scan() {
		return "", errors.New("the server ended")
	}
	return p.out.Text(), nil
}

// Signal sends the program a signal and waits for the line with which it answers.
func (p *Process) Signal(s os.Signal) (string, error) {
	if err := p.cmd.Process.Signal(s); err != nil {
		return "", err
	}
	return p.Line()
}

// Resident is all of the program's resident memory in bytes (RSS).
func (p *Process) Resident() (int64, error) { return p.proc("status", "VmRSS:") }

// Memory is the program's resident memory in bytes; pages that it shares with
// other processes count in part (PSS).
func (p *Process) Memory() (int64, error) { return p.proc("smaps_rollup", "Pss:") }

// Peak is the most resident memory in bytes since it began, or since ResetPeak.
func (p *Process) Peak() (int64, error) { return p.proc("status", "VmHWM:") }

// ResetPeak lets Peak begin anew; see clear_refs in proc(5).
func (p *Process) ResetPeak() error {
	return os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", p.cmd.Process.Pid), []byte("5"), 0)
}

// proc reads a line of one of the program's files in /proc that counts in kB.
func (p *Process) proc(file, key string) (int64, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", p.cmd.Process.Pid, file))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(b)) {
		if v, ok := strings.CutPrefix(line, key); ok {
			n, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(v), " kB"), 10, 64)
			return n << 10, err
		}
	}
	return 0, fmt.Errorf("%s has no %s", file, key)
}
