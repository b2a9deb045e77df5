package main

import (
	"bufio"
	"context"
	"embed"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// A process is one echo server.
type process struct {
	cmd  *exec.Cmd
	addr string
}

// startServer starts a server on its core.
func startServer(ctx context.Context, name string, keep bool, nodeDir string) (*process, error) {
	mode := "no"
	if keep {
		mode = "keep"
	}
	var args []string
	if name == "npm ws" {
		args = []string{"node", filepath.Join(nodeDir, "server.mjs"), nodeDir, mode}
	} else {
		self, err := os.Executable()
		if err != nil {
			return nil, err
		}
		args = []string{self, "serve", name, mode}
	}
	if os.Getenv(pinnedVar) != "" {
		args = append([]string{"taskset", "-c", serverCore}, args...)
	}
	p := &process{cmd: exec.CommandContext(ctx, args[0], args[1:]...)}
	p.cmd.Stderr = os.Stderr
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	lines := bufio.NewScanner(out)
	if !lines.Scan() {
		p.stop()
		return nil, fmt.Errorf("%s did not start", name)
	}
	p.addr = lines.Text()
	return p, nil
}

func (p *process) stop() {
	_ = p.cmd.Process.Kill()
	_ = p.cmd.Wait()
}

// tick is what /proc counts processor time in: USER_HZ, 100 on Linux.
const tick = 10 * time.Millisecond

// cpu is the user and system time that the process used, all threads.
func (p *process) cpu() (time.Duration, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	// proc_pid_stat(5): after the name in parentheses, fields 3 and on.
	fields := strings.Fields(string(b[strings.LastIndexByte(string(b), ')')+1:]))
	if len(fields) < 13 {
		return 0, errors.New("/proc/PID/stat is short")
	}
	user, err1 := strconv.Atoi(fields[11])
	system, err2 := strconv.Atoi(fields[12])
	return time.Duration(user+system) * tick, errors.Join(err1, err2)
}

// rss is the process's resident memory in KiB.
func (p *process) rss() (int, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(b)) {
		if v, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			return strconv.Atoi(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(v), "kB")))
		}
	}
	return 0, errors.New("/proc/PID/status has no VmRSS")
}

//go:embed node
var nodeFiles embed.FS

// installNode puts ws and its server into the user's cache folder, the version
// that node/package-lock.json pins.
func installNode(ctx context.Context) (dir string, err error) {
	if _, err := exec.LookPath("node"); err != nil {
		return "", err
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	dir = filepath.Join(cache, "framewright", "bench-node")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	entries, err := nodeFiles.ReadDir("node")
	if err != nil {
		return "", err
	}
	for _, e := range entries {
		b, err := nodeFiles.ReadFile("node/" + e.Name())
		if err != nil {
			return "", err
		}
		if err := os.WriteFile(filepath.Join(dir, e.Name()), b, 0o644); err != nil {
			return "", err
		}
	}
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts")
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("npm ci: %w: %.300s", err, out)
	}
	return dir, nil
}
