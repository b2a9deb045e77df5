package peers

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestClientModule runs client.test.mjs and its like, the tests of what the page
// loads without a browser. ROUNDS in the environment makes its random part longer.
func TestClientModule(t *testing.T) {
	dependsOnOtherPrograms(t)
	node, err := exec.LookPath("node")
	if err != nil {
		if os.Getenv("PEERS_REQUIRED") == "1" {
			t.Fatal("Node.js cannot be had: there is no node on PATH")
		}
		t.Skip("Node.js cannot be had: there is no node on PATH")
	}
	// Beside a package.json, so that .js means a module.
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("../cmd/server/web")); err != nil {
		t.Fatal(err)
	}
	tests := []string{"client.test.mjs", "days.test.mjs"}
	for _, name := range tests {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(readFile(t, name)), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "package.json"), []byte(`{"type":"module"}`), 0o644); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, node, append([]string{"--test", "--test-reporter=tap"}, tests...)...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "TZ=Europe/Zurich")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("node --test: %v\n%s", err, out)
	}
	if n := len(regexp.MustCompile(`(?m)^\s*ok \d+ - `).FindAll(out, -1)); n < 20 {
		t.Errorf("only %d tests ran:\n%s", n, out)
	}
	if strings.Contains(string(out), "# skipped") && !strings.Contains(string(out), "# skipped 0") {
		t.Errorf("tests were skipped:\n%s", out)
	}
}
