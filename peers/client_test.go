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

// TestClientModule runs client.test.mjs, the tests of the page's client module
// without a browser. ROUNDS in the environment makes its random part longer.
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
	for to, from := range map[string]string{"client.js": "../cmd/server/web/client.js", "client.test.mjs": "client.test.mjs"} {
		data, err := os.ReadFile(from)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, to), data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "package.json"), []byte(`{"type":"module"}`), 0o644); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, node, "--test", "--test-reporter=tap", "client.test.mjs")
	cmd.Dir = dir
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
