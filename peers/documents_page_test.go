package peers

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"framewright/peers/internal/install"
)

// TestDocumentsPrograms: the first program of each document, with its page in the
// folder that it names and the published script beside it, is a chat.
func TestDocumentsPrograms(t *testing.T) {
	t.Parallel()
	client := filepath.Join(got(t, install.Guides(t.Context())).Path, "node_modules", "socket.io-client", "dist", "socket.io.min.js")
	b := startBrowser(t)
	for _, name := range []string{"from-flask-socketio.md", "from-npm-socketio.md"} {
		t.Run(name, func(t *testing.T) {
			const address = "127.0.0.1:8080"
			var source, page string
			for _, s := range sectionsOf(t, name) {
				for _, f := range s.of("go") {
					if f.isFile() {
						source = f.text
						page = joined(s.of("html"))
					}
				}
			}
			if strings.Count(source, address) != 1 || page == "" {
				t.Fatalf("no program that listens on %s, with a page", address)
			}
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			free := l.Addr().String()
			_ = l.Close()
			dir := t.TempDir()
			if err := os.Mkdir(filepath.Join(dir, "public"), 0o755); err != nil {
				t.Fatal(err)
			}
			for file, text := range map[string]string{"index.html": page, "socket.io.min.js": readFile(t, client)} {
				if err := os.WriteFile(filepath.Join(dir, "public", file), []byte(text), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			cmd := exec.Command(buildDocument(t, name, []byte(strings.Replace(source, address, free, 1))))
			cmd.Dir, cmd.Stderr = dir, t.Output()
			isolate(cmd)
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() {
				killGroup(cmd)
				_ = cmd.Wait()
			})
			listens(t, free)
			open := func(name string) *chatter {
				p, err := b.open(t, name, "http://"+free+"/")
				if err != nil {
					t.Fatal(err)
				}
				c := &chatter{p, t, name}
				c.until("is welcomed", "document.querySelector('#said li')?.textContent === 'Welcome!'")
				return c
			}
			ada, grace := open("Ada"), open("Grace")
			ada.must(chromedp.SendKeys(chromedp.CSS("#text"), "hello <b>all</b>\r"))
			for _, c := range []*chatter{ada, grace} {
				c.want("has the message", "[...document.querySelectorAll('#said li')].map(e => e.textContent)", []string{"Welcome!", "hello <b>all</b>"})
				c.close()
			}
		})
	}
}

// listens waits until a program that does not say so takes connections.
func listens(t *testing.T, address string) {
	t.Helper()
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	again := time.NewTicker(20 * time.Millisecond) // another process's readiness can only be asked for
	defer again.Stop()
	for {
		c, err := net.Dial("tcp", address)
		if err == nil {
			_ = c.Close()
			return
		}
		select {
		case <-again.C:
		case <-deadline.C:
			t.Fatalf("nothing listens on %s within %v: %v", address, patience, err)
		}
	}
}
