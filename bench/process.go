//go:build linux

package main

import (
	"context"
	"embed"
	"os"
	"os/exec"
	"path/filepath"

	"framewright/bench/internal/machine"
)

// startServer starts an echo server of servers, or npm's, on its core.
func startServer(ctx context.Context, name string, keep bool, nodeDir string) (*machine.Process, error) {
	mode := "no"
	if keep {
		mode = "keep"
	}
	if name == "npm ws" {
		return machine.Start(ctx, serverCoreNumber(), "node", filepath.Join(nodeDir, "server.mjs"), nodeDir, mode)
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	return machine.Start(ctx, serverCoreNumber(), self, "serve", name, mode)
}

//go:embed node
var nodeFiles embed.FS

// installNode puts ws and its server into the user's cache folder, the version
// that node/package-lock.json pins.
func installNode(ctx context.Context) (dir string, err error) {
	if _, err := exec.LookPath("node"); err != nil {
		return "", err
	}
	dir, err = cacheFiles(nodeFiles, "node", "bench-node", "package.json", "package-lock.json", "server.mjs")
	if err == nil {
		err = install(ctx, dir, "node_modules", npmInstall)
	}
	return dir, err
}
