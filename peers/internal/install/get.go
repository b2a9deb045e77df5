package install

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"framewright/peers/adminui"
	"framewright/peers/engineio"
	"framewright/peers/guides"
	"framewright/peers/node"
	"framewright/peers/python"
	"framewright/peers/socketio"
	"framewright/peers/socketioserver"
	"framewright/peers/typescript"
)

// Node gets Node.js and ws. Path is the folder whose node_modules has ws.
func Node(ctx context.Context) Result { return NPM(ctx, "ws for Node.js", "node", node.Pins) }

// EngineIO gets Node.js and some versions of engine.io-client. Path is the
// folder whose node_modules has them.
func EngineIO(ctx context.Context) Result {
	return NPM(ctx, "engine.io-client for Node.js", "engineio", engineio.Pins)
}

// SocketIO gets Node.js and some versions of socket.io-client. Path is the
// folder whose node_modules has them.
func SocketIO(ctx context.Context) Result {
	return NPM(ctx, "socket.io-client for Node.js", "socketio", socketio.Pins)
}

// Guides gets Node.js, npm's socket.io and its client. Path is the folder whose
// node_modules has them.
func Guides(ctx context.Context) Result {
	return NPM(ctx, "socket.io for Node.js", "guides", guides.Pins)
}

// GuidesPython gets Python and Flask-SocketIO. Path is as Python's.
func GuidesPython(ctx context.Context) Result {
	return Pip(ctx, "Flask-SocketIO for Python", "guides-python", guides.PythonPins)
}

// SocketIOServer gets Node.js and some versions of socket.io, the server. Path is the
// folder whose node_modules has them.
func SocketIOServer(ctx context.Context) Result {
	return NPM(ctx, "socket.io, two versions, for Node.js", "socketioserver", socketioserver.Pins)
}

// AdminUI gets Node.js and the Admin UI of Socket.IO, with npm's server and client. Path
// is the folder whose node_modules has them.
func AdminUI(ctx context.Context) Result {
	return NPM(ctx, "the Admin UI of Socket.IO", "adminui", adminui.Pins)
}

// TypeScript gets Node.js and TypeScript. Path is the folder whose node_modules
// has it.
func TypeScript(ctx context.Context) Result {
	return NPM(ctx, "TypeScript", "typescript", typescript.Pins)
}

// NPM gets Node.js and the packages that pins, a package.json and its lock,
// names. name is for people, folder for the cache. Path is the folder whose
// node_modules has the packages.
func NPM(ctx context.Context, name, folder string, pins fs.FS) Result {
	const remedy = "install Node.js 18 or newer with npm and put both on PATH"
	program, err := exec.LookPath("node")
	if err != nil {
		return result(name, Cannot, "", "", &missing{"there is no node on PATH", remedy})
	}
	version, err := run(ctx, "", program, "--version")
	if err != nil {
		return result(name, Cannot, "", "", &missing{err.Error(), remedy})
	}
	dir, state, err := inCache(ctx, folder, pins, func(ctx context.Context, dir string) error {
		npm, err := exec.LookPath("npm")
		if err != nil {
			return &missing{"there is no npm on PATH", remedy}
		}
		_, err = run(ctx, dir, npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund")
		return err
	})
	return result(name, state, fmt.Sprintf("Node.js %s, %s", version, dir), dir, err)
}

// Python gets Python and websockets. Path is the interpreter of a virtual
// environment.
func Python(ctx context.Context) Result {
	return Pip(ctx, "websockets for Python", "python", python.Pins)
}

// PythonSocketIO gets Python and python-socketio. Path is as Python's.
func PythonSocketIO(ctx context.Context) Result {
	return Pip(ctx, "python-socketio for Python", "socketio-python", socketio.PythonPins)
}

// Pip gets Python and the packages that pins, a requirements.txt, names. name
// is for people, folder for the cache. Path is the interpreter of a virtual
// environment.
func Pip(ctx context.Context, name, folder string, pins fs.FS) Result {
	const remedy = "install Python 3.10 or newer with its venv module (Debian: python3-venv)"
	var base string
	for _, p := range []string{"python3", "python"} {
		if path, err := exec.LookPath(p); err == nil {
			base = path
			break
		}
	}
	if base == "" {
		return result(name, Cannot, "", "", &missing{"there is no python3 on PATH", remedy})
	}
	version, err := run(ctx, "", base, "--version")
	if err != nil {
		return result(name, Cannot, "", "", &missing{err.Error(), remedy})
	}
	inVenv := func(dir string) string {
		if runtime.GOOS == "windows" {
			return filepath.Join(dir, "venv", "Scripts", "python.exe")
		}
		return filepath.Join(dir, "venv", "bin", "python")
	}
	// The interpreter's version is a part of the folder's name: a venv does
	// not survive the upgrade of the Python below it.
	short := strings.NewReplacer("Python ", "", " ", "").Replace(version)
	dir, state, err := inCache(ctx, folder+"-"+short, pins, func(ctx context.Context, dir string) error {
		if _, err := run(ctx, dir, base, "-m", "venv", "venv"); err != nil {
			return &missing{err.Error(), remedy}
		}
		_, err := run(ctx, dir, inVenv(dir), "-m", "pip", "install", "--disable-pip-version-check", "--no-input", "--quiet", "-r", "requirements.txt")
		return err
	})
	return result(name, state, fmt.Sprintf("%s, %s", version, dir), inVenv(dir), err)
}

// Chromium looks for a browser on PATH and, as root on Debian or a relative,
// installs the distribution's package. Path is the program.
func Chromium(ctx context.Context) Result {
	return debian(ctx, "Chromium", "chromium", "install Chromium or Google Chrome and put it on PATH", func(ctx context.Context) (path, version string, err error) {
		return answering(ctx, "chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
	})
}

// Tshark is the same for Wireshark's terminal program.
func Tshark(ctx context.Context) Result {
	return debian(ctx, "tshark", "tshark", "install tshark (of Wireshark) and put it on PATH", func(ctx context.Context) (path, version string, err error) {
		path, version, err = answering(ctx, "tshark")
		version, _, _ = strings.Cut(version, "\n")
		return path, version, err
	})
}

// debian is for a program that a package of Debian's has.
func debian(ctx context.Context, name, pkg, remedy string, find func(context.Context) (path, version string, err error)) Result {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	path, version, err := find(ctx)
	if err == nil {
		return result(name, Have, version+", "+path, path, nil)
	}
	apt, aptErr := exec.LookPath("apt-get")
	_, debianErr := os.Stat("/etc/debian_version")
	if aptErr != nil || debianErr != nil || os.Geteuid() != 0 {
		return result(name, Cannot, "", "", &missing{err.Error(), remedy + ", or run this as root on Debian"})
	}
	unlock, err := lock(ctx, filepath.Join(os.TempDir(), "framewright-apt.lock"))
	if err != nil {
		return result(name, Cannot, "", "", err)
	}
	defer unlock()
	if path, version, err := find(ctx); err == nil {
		return result(name, Have, version+", "+path, path, nil)
	}
	for _, args := range [][]string{
		{"update", "-q"},
		{"install", "-y", "-q", "--no-install-recommends", "-o", "DPkg::Lock::Timeout=300", pkg},
	} {
		if _, err := run(ctx, "", "env", append([]string{"DEBIAN_FRONTEND=noninteractive", apt}, args...)...); err != nil {
			return result(name, Cannot, "", "", &missing{err.Error(), remedy})
		}
	}
	path, version, err = find(ctx)
	return result(name, Installed, version+", "+path, path, err)
}

// answering finds a program that answers when asked for its version: on some
// distributions a browser's name is a stub that only says where to get it.
func answering(ctx context.Context, names ...string) (path, version string, err error) {
	err = fmt.Errorf("there is no %s on PATH", strings.Join(names, " or "))
	for _, p := range names {
		path, lookErr := exec.LookPath(p)
		if lookErr != nil {
			continue
		}
		ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
		version, runErr := run(ctx, "", path, "--version")
		cancel()
		if runErr == nil {
			return path, version, nil
		}
		err = runErr
	}
	return "", "", err
}
