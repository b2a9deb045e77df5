package peers

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"framewright/peers/internal/install"
)

// TestClientModule runs client.test.mjs and its like, the tests of what the page
// loads without a browser. ROUNDS in the environment makes its random part longer.
func TestClientModule(t *testing.T) {
	dependsOnOtherPrograms(t)
	node := nodeOnPath(t)
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("../cmd/server/web")); err != nil {
		t.Fatal(err)
	}
	runNodeTests(t, node, dir, 30, "client.test.mjs", "days.test.mjs")
}

// TestSocketIOModule runs socketio-client.test.mjs, beside the client that the
// server hands out and the published one.
func TestSocketIOModule(t *testing.T) {
	published := got(t, install.SocketIO(t.Context()))
	server := buildServer(t)
	server.start(t)
	dir := t.TempDir()
	for name, data := range map[string]string{
		"own.cjs":       fetched(t, server.url()+"socket.io/socket.io.js"),
		"own.mjs":       fetched(t, server.url()+"socket.io/socket.io.esm.min.js"),
		"published.mjs": readFile(t, filepath.Join(published.Path, "node_modules", "socket.io-client", "dist", "socket.io.esm.min.js")),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(data), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	runNodeTests(t, nodeOnPath(t), dir, 12, "socketio-client.test.mjs")
}

func nodeOnPath(t *testing.T) string {
	t.Helper()
	node, err := exec.LookPath("node")
	if err != nil {
		if os.Getenv("PEERS_REQUIRED") == "1" {
			t.Fatal("Node.js cannot be had: there is no node on PATH")
		}
		t.Skip("Node.js cannot be had: there is no node on PATH")
	}
	return node
}

// runNodeTests runs the tests in some files, copied to dir beside what they
// import: at least so many.
func runNodeTests(t *testing.T, node, dir string, least int, files ...string) {
	t.Helper()
	// Beside a package.json, so that .js means a module.
	if err := os.WriteFile(filepath.Join(dir, "package.json"), []byte(`{"type":"module"}`), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(readFile(t, name)), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, node, append([]string{"--test", "--test-reporter=tap"}, files...)...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "TZ=Europe/Zurich")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("node --test: %v\n%s", err, out)
	}
	if n := len(regexp.MustCompile(`(?m)^\s*ok \d+ - `).FindAll(out, -1)); n < least {
		t.Errorf("only %d tests ran:\n%s", n, out)
	}
	if strings.Contains(string(out), "# skipped") && !strings.Contains(string(out), "# skipped 0") {
		t.Errorf("tests were skipped:\n%s", out)
	}
}
