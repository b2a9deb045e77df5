package peers

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/google/go-cmp/cmp"

	"framewright/peers/internal/install"
)

// guideChatter is somebody with the page in testdata/guide open.
type guideChatter struct{ *chatter }

const guideTexts = "[...document.querySelectorAll('#messages li')].map(e => e.textContent)"

func openGuide(t *testing.T, b *browser, name, url string) guideChatter {
	t.Helper()
	p, err := b.open(t, name, url)
	if err != nil {
		t.Fatal(err)
	}
	g := guideChatter{&chatter{p, t, name}}
	g.connected()
	g.until("is welcomed", guideTexts+".length === 1 && "+guideTexts+"[0].startsWith('Welcome')")
	return g
}

func (g guideChatter) connected() {
	g.t.Helper()
	g.until("is connected", "document.querySelector('#status').textContent === 'Connected'")
}

func (g guideChatter) types(text string) {
	g.t.Helper()
	g.must(chromedp.SendKeys(chromedp.CSS("#input"), text), chromedp.Click(chromedp.CSS("#send")))
}

func (g guideChatter) sees(text string) {
	g.t.Helper()
	g.until("sees "+text, guideTexts+".at(-1) === %s", text)
}

// TestGuidePage: a tutorial's page, with the client script as it is published,
// in a folder of its own behind our server.
func TestGuidePage(t *testing.T) {
	r := got(t, install.SocketIO(t.Context()))
	b := startBrowser(t)
	for _, pkg := range socketIOPackages {
		t.Run(pkg, func(t *testing.T) {
			dir := t.TempDir()
			for name, from := range map[string]string{
				"index.html":       filepath.Join("testdata", "guide", "index.html"),
				"socket.io.min.js": filepath.Join(r.Path, "node_modules", pkg, "dist", "socket.io.min.js"),
			} {
				if err := os.WriteFile(filepath.Join(dir, name), []byte(readFile(t, from)), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			server := buildServer(t)
			server.args = []string{"-web", dir}
			server.start(t)
			t.Run("directly", func(t *testing.T) {
				chatOnGuide(t, b, server, server.url())
			})
			t.Run("WebSocket blocked", func(t *testing.T) {
				proxy, refused := blockingProxy(t, server.url())
				chatOnGuide(t, b, server, proxy)
				if refused.Load() == 0 {
					t.Error("no WebSocket was tried, so none was blocked")
				}
			})
		})
	}
}

func chatOnGuide(t *testing.T, b *browser, server *program, url string) {
	ada := openGuide(t, b, "Ada", url)
	grace := openGuide(t, b, "Grace", url)
	talk := func(text string) {
		t.Helper()
		ada.types(text + " from Ada")
		grace.sees(text + " from Ada")
		grace.types(text + " from Grace <b>&</b>")
		for _, g := range []guideChatter{ada, grace} {
			g.sees(text + " from Grace <b>&</b>")
		}
	}
	talk("hello")
	// The welcome went to the one who came only.
	want := []string{"hello from Ada", "hello from Grace <b>&</b>"}
	if diff := cmp.Diff(want, value[[]string](ada.chatter, guideTexts)[1:]); diff != "" {
		t.Errorf("Ada sees (-want +got)\n%s", diff)
	}
	for _, g := range []guideChatter{ada, grace} {
		_ = value[chromedp.Void](g.chatter, "void (window.loadedOnce = true)")
	}
	server.kill()
	for _, g := range []guideChatter{ada, grace} {
		g.until("notices that the server is gone", "document.querySelector('#status').textContent === 'Disconnected'")
	}
	server.start(t)
	for _, g := range []guideChatter{ada, grace} {
		g.connected()
		g.until("is welcomed again", guideTexts+".at(-1).startsWith('Welcome')")
	}
	talk("again")
	for _, g := range []guideChatter{ada, grace} {
		if !value[bool](g.chatter, "window.loadedOnce === true") {
			t.Errorf("%s's page was loaded anew", g.name)
		}
		g.close()
	}
}

// blockingProxy is a proxy that lets HTTP through and no WebSocket, as those of
// some companies. refused counts the attempts.
func blockingProxy(t *testing.T, to string) (address string, refused *atomic.Int64) {
	t.Helper()
	target, err := url.Parse(to)
	if err != nil {
		t.Fatal(err)
	}
	refused = new(atomic.Int64)
	forward := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(target)
		r.Out.Host = r.In.Host
	}}
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.EqualFold(r.Header.Get("Upgrade"), "websocket") {
			refused.Add(1)
			http.Error(w, "no WebSocket here", http.StatusBadGateway)
			return
		}
		forward.ServeHTTP(w, r)
	}))
	proxy.Config.ErrorLog = nil
	t.Cleanup(proxy.CloseClientConnections)
	t.Cleanup(proxy.Close)
	return proxy.URL + "/", refused
}

// TestSocketIOPage: the built-in Socket.IO page and the native one are in one
// room; the script that it loads is our own.
func TestSocketIOPage(t *testing.T) {
	b := startBrowser(t)
	server := buildServer(t)
	server.start(t)
	native := b.chats(t, "Ada", server.url())
	p, err := b.open(t, "Grace", server.url()+"socketio.html")
	if err != nil {
		t.Fatal(err)
	}
	page := &chatter{p, t, "Grace"}
	lines := "[...document.querySelectorAll('#messages li:not(.note)')].map(e => e.textContent)"
	online := func() {
		t.Helper()
		page.until("is online over a WebSocket", "document.querySelector('#status').textContent === 'Connected (websocket)'")
	}
	online()
	page.until("is welcomed", lines+"[0].startsWith('Welcome')")
	native.types("from the native page")
	page.until("sees it", lines+".at(-1) === 'from the native page'")
	says := func(text string) {
		t.Helper()
		page.must(chromedp.SendKeys(chromedp.CSS("#text"), text+"\r"))
		native.sees(text)
		page.until("sees its own", lines+".at(-1) === %s", text)
	}
	says("<b>from Socket.IO</b>")
	server.kill()
	page.until("notices", "document.querySelector('#status').dataset.state === 'offline'")
	server.start(t)
	online()
	native.online()
	says("and again")
	if n := value[int](page, "document.querySelectorAll('#messages b').length"); n != 0 {
		t.Errorf("%d elements came with messages", n)
	}
}
