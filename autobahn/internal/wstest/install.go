package wstest

import (
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"time"

	"framewright/internal/procgroup"
)

//go:embed requirements.txt
var requirements string

// virtualenvPin is the last virtualenv that makes environments for Python 2.7.
const virtualenvPin = "virtualenv==20.15.1"

// virtualenvPins3 are its dependencies, pinned for a Python 3 that runs it.
var virtualenvPins3 = []string{virtualenvPin, "distlib==0.3.6", "filelock==3.12.2", "platformdirs==2.6.2", "six==1.16.0"}

// installTimeout bounds the whole installation; it takes about a minute.
const installTimeout = 15 * time.Minute

// pinsHash names the folder of an environment after what is pinned in it.
func pinsHash() string {
	sum := sha256.Sum256([]byte(requirements + virtualenvPin))
	return hex.EncodeToString(sum[:4])
}

// An installer makes a Python 2.7 virtualenv with the suite in it.
type installer struct {
	say func(format string, args ...any)
	run func(ctx context.Context, log *os.File, env []string, argv ...string) error
}

// install returns the path of wstest in dir, and makes dir first if it is not
// there or was left half made.
//
// A virtualenv cannot be moved, so it is not made elsewhere and renamed. The
// file "complete", written last, says that dir is whole; without it dir is
// made anew. A lock beside dir keeps a second run waiting meanwhile.
func (in installer) install(ctx context.Context, python, dir string) (string, error) {
	bin := filepath.Join(dir, "env", "bin")
	if runtime.GOOS == "windows" {
		bin = filepath.Join(dir, "env", "Scripts")
	}
	wstest, marker := filepath.Join(bin, "wstest"), filepath.Join(dir, "complete")
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return "", err
	}
	lock, err := os.OpenFile(dir+".lock", os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return "", err
	}
	defer lock.Close() // and with it the lock
	if err := lockFile(lock, func() { in.say("suite: another run is installing it, waiting") }); err != nil {
		return "", fmt.Errorf("lock %s: %w", lock.Name(), err)
	}
	if made, err := os.ReadFile(marker); err == nil && string(made) == python+"\n" {
		return wstest, nil
	}

	in.say("suite: installing autobahntestsuite %s for %s into %s (about a minute, once)", suiteVersion, python, dir)
	ctx, cancel := context.WithTimeout(ctx, installTimeout)
	defer cancel()
	if err := os.RemoveAll(dir); err != nil {
		return "", err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	log, err := os.Create(filepath.Join(dir, "install.log"))
	if err != nil {
		return "", err
	}
	defer log.Close()
	if err := in.fill(ctx, log, python, dir, bin); err != nil {
		return "", fmt.Errorf("installing the suite: %w; %s ends:\n%s\n"+
			"(pip needs the network; wsaccel, Twisted and ujson need a C compiler)", err, log.Name(), tail(log.Name(), 12))
	}
	return wstest, os.WriteFile(marker, []byte(python+"\n"), 0o644)
}

// fill makes the environment and installs the pinned set into it.
func (in installer) fill(ctx context.Context, log *os.File, python, dir, bin string) error {
	env, boot := filepath.Join(dir, "env"), filepath.Join(dir, "boot")

	// A Python 2.7 with a pip of its own (pyenv's has one) can run virtualenv
	// itself. Where it has none (Debian's), any Python 3 does it.
	err2 := in.run(ctx, log, nil, python, "-m", "pip", "install", "-q", "--target", boot, virtualenvPin)
	if err2 == nil {
		err2 = in.run(ctx, log, []string{"PYTHONPATH=" + boot}, python, "-m", "virtualenv", "-q", "-p", python, env)
	}
	if err2 != nil {
		err3 := in.fillBy3(ctx, log, python, boot, env)
		if err3 != nil {
			return errors.Join(err2, err3)
		}
	}
	pins := filepath.Join(dir, "requirements.txt")
	if err := os.WriteFile(pins, []byte(requirements), 0o644); err != nil {
		return err
	}
	return in.run(ctx, log, nil, filepath.Join(bin, "python"), "-m", "pip", "install", "-q", "--no-deps", "-r", pins)
}

func (in installer) fillBy3(ctx context.Context, log *os.File, python, boot, env string) error {
	if err := errors.Join(os.RemoveAll(boot), os.RemoveAll(env)); err != nil {
		return err
	}
	if err := in.run(ctx, log, nil, "python3", "-m", "venv", boot); err != nil {
		return err
	}
	py3 := filepath.Join(boot, "bin", "python")
	if err := in.run(ctx, log, nil, append([]string{py3, "-m", "pip", "install", "-q"}, virtualenvPins3...)...); err != nil {
		return err
	}
	return in.run(ctx, log, nil, py3, "-m", "virtualenv", "-q", "-p", python, env)
}

// runLogged runs a command with its output going to log. The command is
// stopped with everything it started when ctx ends.
func runLogged(ctx context.Context, log *os.File, env []string, argv ...string) error {
	fmt.Fprintf(log, "\n$ %q\n", argv)
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Env = append(append(os.Environ(), "PIP_DISABLE_PIP_VERSION_CHECK=1"), env...)
	cmd.Stdout, cmd.Stderr = log, log
	procgroup.Own(cmd, termGrace)
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s: %w", filepath.Base(argv[0]), errors.Join(err, ctx.Err()))
	}
	return nil
}
