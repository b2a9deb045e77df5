package peers

import (
	"bufio"
	"io"
	"os/exec"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// TestEchoPage has a browser's console do what the page of the echo says, line by line.
func TestEchoPage(t *testing.T) {
	t.Parallel()
	b, server := startBrowser(t), buildServer(t)
	b.strict = true
	cmd := exec.Command(server.path, "echo", "-addr", server.addr)
	isolate(cmd)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = server
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	lines := bufio.NewReader(out)
	if line, err := lines.ReadString('\n'); err != nil || !strings.HasPrefix(line, "listening on ws://"+server.addr) {
		t.Fatalf("it says %q, %v", line, err)
	}
	go io.Copy(io.Discard, lines)

	p, err := b.open(t, "console", server.url())
	if err != nil {
		t.Fatal(err)
	}
	c := &chatter{p, t, "the console"}
	sent, typed := 0, strings.Split(value[string](c, "document.querySelector('#lines').textContent"), "\n")
	if len(typed) < 5 {
		t.Fatalf("the page has %q", typed)
	}
	c.must(chromedp.Evaluate[chromedp.Void]("void (window.said = [], console.log = (...words) => said.push(words.join(' ')))"))
	for _, line := range typed {
		c.must(chromedp.Evaluate[chromedp.Void]("void (" + line + ")"))
		switch { // a person would see what comes before the next line
		case strings.Contains(line, "new WebSocket"):
			c.until("connects", "ws.readyState === 1")
		case strings.Contains(line, "ws.send"):
			sent++
			c.until("hears it", "said.length === %s", sent)
		}
	}
	c.until("closes", "ws.readyState === 3")
	// The server answers with the code, and no reason of its own (§5.5.1).
	c.want("hears all of it", "said.map(s => s.replace('[object Blob]', 'a blob'))", []string{"back: Hello", "back: a blob", "closed: 4000  true"})
	c.must(chromedp.Evaluate[chromedp.Void]("void (window.elsewhere = new WebSocket(location.href.replace(/^http/, 'ws') + 'any/path'))"))
	c.until("may connect as it likes", "elsewhere.readyState === 1")
}
