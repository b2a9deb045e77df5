package wstest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

// dockerImage is the suite's own image; it exists for amd64 only.
const dockerImage = "crossbario/autobahn-testsuite"

// docker takes a Docker engine that answers.
func (f *finder) docker(ctx context.Context) (suite, error) {
	bin, err := f.lookPath("docker")
	if err != nil {
		return suite{}, errors.New("no docker on PATH")
	}
	ask, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	out, err := f.output(ask, bin, "info", "--format", "{{.ServerVersion}} {{.OperatingSystem}}")
	if err != nil || out == "" {
		return suite{}, fmt.Errorf("no engine answers (%s)", firstLine(out))
	}
	if _, err := f.output(ctx, bin, "image", "inspect", dockerImage); err != nil {
		f.say("suite: pulling the Docker image %s", dockerImage)
		if out, err := f.output(ctx, bin, "pull", "--platform", "linux/amd64", dockerImage); err != nil {
			return suite{}, fmt.Errorf("pull %s: %w: %s", dockerImage, err, firstLine(out))
		}
	}
	// Only an engine of this very machine shares its loopback. Docker Desktop
	// runs in a virtual machine and has a name for the outside instead.
	d := dockerRun{bin: bin, hostNetwork: runtime.GOOS == "linux" && !strings.Contains(out, "Desktop"), uid: os.Getuid(), gid: os.Getgid()}
	s := suite{
		text: fmt.Sprintf("the Docker image %s (engine %s)", dockerImage, firstLine(out)),
		host: "127.0.0.1",
		argv: d.argv,
		remove: func(name string) {
			ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
			defer cancel()
			f.output(ctx, bin, "rm", "-f", name)
		},
	}
	if !d.hostNetwork {
		s.host = "host.docker.internal"
	}
	return s, nil
}

// A dockerRun builds the command lines of one engine.
type dockerRun struct {
	bin         string
	hostNetwork bool
	uid, gid    int // who shall own the reports; negative where there is no such thing
}

func (d dockerRun) argv(mode, dir, spec, name string, port int) []string {
	// A relative path would be read as the name of a volume.
	if abs, err := filepath.Abs(dir); err == nil {
		dir = abs
	}
	a := []string{d.bin, "run", "--rm", "--init", "--name", name, "--platform", "linux/amd64",
		"-e", "PYTHONUNBUFFERED=1", "-v", dir + ":/reports", "-w", "/reports"}
	if d.uid >= 0 {
		a = append(a, "--user", fmt.Sprintf("%d:%d", d.uid, d.gid))
	}
	switch {
	case d.hostNetwork:
		a = append(a, "--network", "host")
	case mode == modeServer:
		a = append(a, "-p", fmt.Sprintf("127.0.0.1:%d:%d", port, port))
	default:
		a = append(a, "--add-host", "host.docker.internal:host-gateway")
	}
	return append(a, dockerImage, "wstest", "-m", mode, "-s", spec, "-u", "0")
}
