//go:build linux

package main

import (
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"time"
)

// uwsName is the server that is no Go program.
const uwsName = "uWebSockets (C++)"

// uwsPackage is the Python package that brings uWebSockets along as a library
// with a C interface, the only form in which a package registry has it.
const uwsPackage = "socketify==0.0.31 --hash=sha256:7502bed5b382e75f04ea3c6d6b53b76f27bb8653740db92e3f2b55fab388df20"

//go:embed uws/server.c
var uwsSource []byte

// installUWS builds the server in the user's cache folder, once.
func installUWS(ctx context.Context) (program string, err error) {
	if runtime.GOARCH != "amd64" {
		return "", fmt.Errorf("its package has no library for %s", runtime.GOARCH)
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(append([]byte(uwsPackage), uwsSource...))
	dir := filepath.Join(cache, "framewright", "bench-uws-"+hex.EncodeToString(sum[:6]))
	program = filepath.Join(dir, "server")
	if _, err := os.Stat(program); err == nil {
		return program, nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	for name, b := range map[string][]byte{"requirements.txt": []byte(uwsPackage + "\n"), "server.c": uwsSource} {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o644); err != nil {
			return "", err
		}
	}
	lib := filepath.Join(dir, "lib", "socketify")
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	for _, args := range [][]string{
		{"python3", "-m", "pip", "install", "--quiet", "--no-deps", "--require-hashes", "--upgrade", "--target", "lib", "-r", "requirements.txt"},
		{"cc", "-O2", "-o", "server.new", "server.c", "-L" + lib, "-l:libsocketify_linux_amd64.so", "-Wl,-rpath," + lib, "-lpthread"},
	} {
		cmd := exec.CommandContext(ctx, args[0], args[1:]...)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			return "", fmt.Errorf("%s: %w: %.300s", args[0], err, out)
		}
	}
	return program, os.Rename(filepath.Join(dir, "server.new"), program)
}
