// Package install finds the peers that are not Go libraries, or installs them
// in the user's cache folder: ws, engine.io-client, socket.io and its client for
// Node.js, websockets and python-socketio for Python, Flask-SocketIO, TypeScript,
// Chromium and tshark. The versions are pinned by the files in ../../node, ../../engineio,
// ../../socketio, ../../socketioserver, ../../guides, ../../python and ../../typescript.
//
// An installation is complete once its marker file is there, and a lock file
// keeps two processes from installing at once, so an interrupted run leaves
// nothing that a later one would take for good.
package install

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// A Result says how one peer was come by.
type Result struct {
	Name   string // of the peer, for people
	State  State
	Detail string // which version and where; for Cannot: why, and how to get it
	Path   string // what to run or where it lies, see each function; "" for Cannot
}

// State is what happened.
type State string

// The states of a Result.
const (
	Have      State = "have"
	Installed State = "installed"
	Cannot    State = "cannot"
)

func (r Result) String() string { return fmt.Sprintf("%s %s: %s", r.State, r.Name, r.Detail) }

// limit bounds one installation, downloads included.
const limit = 8 * time.Minute

// marker is the file that says that a folder is complete.
const marker = ".complete"

// A missing error says what could not be had and how to get it.
type missing struct{ what, remedy string }

func (e *missing) Error() string { return e.what + "; " + e.remedy }

// All gets every peer.
func All(ctx context.Context) []Result {
	return []Result{Node(ctx), EngineIO(ctx), SocketIO(ctx), SocketIOServer(ctx), Python(ctx), PythonSocketIO(ctx), Guides(ctx), GuidesPython(ctx), AdminUI(ctx), TypeScript(ctx), Chromium(ctx), Tshark(ctx)}
}

// inCache returns a folder in the user's cache that fill has filled once for
// this content of the pinning files. Other content has another folder.
func inCache(ctx context.Context, name string, pins fs.FS, fill func(ctx context.Context, dir string) error) (dir string, state State, err error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", Cannot, &missing{"there is no cache folder: " + err.Error(), "set HOME or XDG_CACHE_HOME"}
	}
	sum := sha256.New()
	err = fs.WalkDir(pins, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := fs.ReadFile(pins, path)
		fmt.Fprintf(sum, "%s %d\n%s", path, len(b), b)
		return err
	})
	if err != nil {
		return "", Cannot, err
	}
	root := filepath.Join(cache, "framewright")
	dir = filepath.Join(root, fmt.Sprintf("peers-%s-%s", name, hex.EncodeToString(sum.Sum(nil)[:6])))
	complete := func() bool {
		_, err := os.Stat(filepath.Join(dir, marker))
		return err == nil
	}
	if complete() {
		return dir, Have, nil
	}
	if err := os.MkdirAll(root, 0o755); err != nil {
		return "", Cannot, err
	}
	unlock, err := lock(ctx, dir+".lock")
	if err != nil {
		return "", Cannot, err
	}
	defer unlock()
	if complete() { // somebody else did it while we waited
		return dir, Have, nil
	}
	if err := os.RemoveAll(dir); err != nil {
		return "", Cannot, err
	}
	if err := os.CopyFS(dir, pins); err != nil {
		return "", Cannot, err
	}
	if err := fill(ctx, dir); err != nil {
		_ = os.RemoveAll(dir)
		return "", Cannot, err
	}
	return dir, Installed, os.WriteFile(filepath.Join(dir, marker), nil, 0o644)
}

// run runs a program and returns what it printed, without the blanks around it.
func run(ctx context.Context, dir, program string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir = dir
	cmd.WaitDelay = 5 * time.Second
	var out, problems bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &problems
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		return "", fmt.Errorf("%s %s: %w: %s", filepath.Base(program), strings.Join(args, " "), err, tail(problems.String()+out.String()))
	}
	return strings.TrimSpace(out.String()), nil
}

// tail keeps the end of a program's complaint, on one line.
func tail(s string) string {
	lines := strings.FieldsFunc(s, func(r rune) bool { return r == '\n' || r == '\r' })
	return strings.Join(lines[max(0, len(lines)-3):], " | ")
}

// result puts the outcome of an installation into a Result.
func result(name string, state State, detail, path string, err error) Result {
	if err != nil {
		if _, ok := errors.AsType[*missing](err); !ok {
			err = fmt.Errorf("%w; run the tests again with a working connection to the package registry", err)
		}
		return Result{Name: name, State: Cannot, Detail: err.Error()}
	}
	return Result{Name: name, State: state, Detail: detail, Path: path}
}
