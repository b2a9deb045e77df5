package peers

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

const webTexts = "[...document.querySelectorAll('#messages li')].map(e => e.textContent)"

// openWeb opens the page of testdata/web and waits for the greeting.
func openWeb(t *testing.T, b *browser, name, url string) *chatter {
	t.Helper()
	p, err := b.open(t, name, url)
	if err != nil {
		t.Fatal(err)
	}
	c := &chatter{p, t, name}
	c.until("is greeted", webTexts+"[0]?.startsWith('Hello guest ')")
	return c
}

// webFolder copies testdata/web into a folder that may be changed.
func webFolder(t *testing.T) (dir, page string) {
	dir = t.TempDir()
	page = filepath.Join(dir, "base.html")
	if err := os.WriteFile(page, []byte(readFile(t, filepath.Join("testdata", "web", "base.html"))), 0o644); err != nil {
		t.Fatal(err)
	}
	return dir, page
}

// TestWebFolderForDevelopers: a page of -web sends objects, which come as they are;
// it is another one as soon as its file is; its guest keeps the name over reloads
// and a restart of the server, and nobody else has it.
func TestWebFolderForDevelopers(t *testing.T) {
	t.Parallel()
	b := startBrowser(t)
	dir, page := webFolder(t)
	server := buildServer(t)
	server.args = []string{"-web", dir, "-dev", "-greeting", "Hello {name}"}
	server.start(t)
	ada := openWeb(t, b, "Ada", server.url())
	grace := openWeb(t, b, "Grace", server.url())
	name := value[string](ada, webTexts+"[0]")
	if other := value[string](grace, webTexts+"[0]"); other == name {
		t.Errorf("both are greeted with %q", name)
	}
	ada.must(chromedp.Click(chromedp.CSS("#send")))
	for _, c := range []*chatter{ada, grace} {
		c.want("has what was sent", webTexts+".slice(1)", []string{`{"data":"pressed","numbers":[1,2.5]}`, "7"})
	}

	change := func(from, to string) {
		t.Helper()
		if err := os.WriteFile(page, []byte(strings.ReplaceAll(readFile(t, page), from, to)), 0o644); err != nil {
			t.Fatal(err)
		}
		for _, c := range []*chatter{ada, grace} {
			c.until("shows the new page", "document.querySelector('h1')?.textContent === %s", to)
			c.until("is greeted", webTexts+"[0]?.startsWith('Hello guest ')")
		}
	}
	change("First", "Second page")
	server.kill()
	server.start(t)
	change("Second page", "Third")
	if again := value[string](ada, webTexts+"[0]"); again != name {
		t.Errorf("Ada was greeted with %q, and after a restart with %q", name, again)
	}
}

// TestWebFromEverywhere: with -origin * the page of another server connects, by
// each transport.
func TestWebFromEverywhere(t *testing.T) {
	t.Parallel()
	b := startBrowser(t)
	b.strict = true
	dir, _ := webFolder(t)
	server := buildServer(t)
	server.args = []string{"-web", dir, "-origin", "*", "-greeting", "Hello {name}"}
	server.start(t)
	files := http.NewServeMux()
	files.Handle("/", http.FileServer(http.Dir(dir)))
	files.Handle("/socket.io/", http.RedirectHandler(server.url()+"socket.io/socket.io.js", http.StatusFound))
	elsewhere := httptest.NewServer(files)
	t.Cleanup(elsewhere.Close)
	for _, transports := range []string{"polling", "websocket", "polling,websocket"} {
		c := openWeb(t, b, transports, elsewhere.URL+"/base.html?by="+transports+"&at="+url.QueryEscape(server.url()))
		c.must(chromedp.Click(chromedp.CSS("#send")))
		c.until("has its own", webTexts+".at(-1) === '7'")
		c.close()
	}
	if log := server.logged(); !strings.Contains(log, "for development only") {
		t.Error("the server's log does not warn")
	}
}
