//go:build linux

package main

import (
	"context"
	"embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// npmInstall installs what package-lock.json pins.
var npmInstall = []string{"npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"}

// cacheFiles puts the named files of from into the folder name of the user's
// cache. The last one may change without what was installed beside it.
func cacheFiles(from embed.FS, folder, name string, files ...string) (dir string, err error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	dir = filepath.Join(cache, "framewright", name)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	for i, file := range files {
		b, err := from.ReadFile(folder + "/" + file)
		if err != nil {
			return "", err
		}
		old, _ := os.ReadFile(filepath.Join(dir, file))
		if !slices.Equal(old, b) && i < len(files)-1 { // other versions: begin anew
			_ = os.Remove(filepath.Join(dir, ".complete"))
		}
		if err := os.WriteFile(filepath.Join(dir, file), b, 0o644); err != nil {
			return "", err
		}
	}
	return dir, nil
}

// install runs commands in dir, which make the folder what, unless it was done
// before.
func install(ctx context.Context, dir, what string, commands ...[]string) error {
	done := filepath.Join(dir, ".complete")
	if _, err := os.Stat(done); err == nil {
		return nil
	}
	if err := os.RemoveAll(filepath.Join(dir, what)); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()
	for _, args := range commands {
		cmd := exec.CommandContext(ctx, args[0], args[1:]...)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("%s: %w: %.300s", strings.Join(args, " "), err, out)
		}
	}
	return os.WriteFile(done, nil, 0o644)
}
