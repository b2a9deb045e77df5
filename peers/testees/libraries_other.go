package main

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"

	"framewright/peers/internal/install"
	"framewright/peers/node"
	"framewright/peers/python"
)

//go:embed echo.mjs echo.py tungstenite/Cargo.toml tungstenite/Cargo.lock tungstenite/src/main.rs
var programs embed.FS

var nodeVersion = func() string {
	b, _ := node.Pins.ReadFile("package.json")
	var pins struct{ Dependencies map[string]string }
	_ = json.Unmarshal(b, &pins)
	return pins.Dependencies["ws"]
}()

var pythonVersion = pin(python.Pins, "requirements.txt", `(?m)^websockets==(\S+)`)

var rustVersion = pin(programs, "tungstenite/Cargo.toml", `tungstenite = "=(\S+)"`)

func pin(in fs.FS, file, expression string) string {
	b, _ := fs.ReadFile(in, file)
	m := regexp.MustCompile(expression).FindSubmatch(b)
	if m == nil {
		return "unknown"
	}
	return string(m[1])
}

// program writes an embedded file where another interpreter finds it: in the user's
// cache folder, under a name that its content makes.
func program(name string) (string, error) {
	b, err := programs.ReadFile(name)
	if err != nil {
		return "", err
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	path := filepath.Join(cache, "framewright", "testees", fmt.Sprintf("%x", sha256.Sum256(b))[:16]+filepath.Ext(name))
	return path, write(path, b)
}

// write writes a file, unless it is there and the same.
func write(path string, b []byte) error {
	if old, err := os.ReadFile(path); err == nil && bytes.Equal(old, b) {
		return nil // cargo goes by the time of a file
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, b, 0o644)
}

func nodeCommand(ctx context.Context) ([]string, error) {
	r := install.Node(ctx)
	if r.State == install.Cannot {
		return nil, errors.New(r.String())
	}
	script, err := program("echo.mjs")
	return []string{"node", script, r.Path}, err
}

func pythonCommand(ctx context.Context) ([]string, error) {
	r := install.Python(ctx)
	if r.State == install.Cannot {
		return nil, errors.New(r.String())
	}
	script, err := program("echo.py")
	return []string{r.Path, script}, err
}

// rustCommand builds the Rust testee in the user's cache folder.
func rustCommand(ctx context.Context) ([]string, error) {
	cargo, err := exec.LookPath("cargo")
	if err != nil {
		return nil, errors.New("cannot get tungstenite: there is no cargo on PATH")
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return nil, err
	}
	dir := filepath.Join(cache, "framewright", "tungstenite-"+cmp.Or(rustVersion, "0"))
	for _, name := range []string{"Cargo.toml", "Cargo.lock", "src/main.rs"} {
		b, err := programs.ReadFile("tungstenite/" + name)
		if err != nil {
			return nil, err
		}
		if err := write(filepath.Join(dir, filepath.FromSlash(name)), b); err != nil {
			return nil, err
		}
	}
	cmd := exec.CommandContext(ctx, cargo, "build", "--release", "--locked", "--quiet")
	cmd.Dir, cmd.Stderr = dir, os.Stderr
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("cannot get tungstenite: cargo build: %w", err)
	}
	return []string{filepath.Join(dir, "target", "release", "framewright-testee")}, nil
}
