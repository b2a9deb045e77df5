package peers

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/chromedp/chromedp"
)

// testPath uses everything of the page behind a proxy that has put the server
// under a path: one that takes the path away, and one that leaves it there.
func testPath(t *testing.T, s *stage) {
	for _, keeps := range []bool{false, true} {
		server := buildServer(t)
		if keeps {
			server.args, server.base = []string{"-base-path", "/team/chat"}, "team/chat/"
		}
		server.start(t)
		to, err := url.Parse("http://" + server.addr)
		if err != nil {
			t.Fatal(err)
		}
		var behind http.Handler = &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(to)
			r.Out.Host = r.In.Host
		}}
		if !keeps {
			behind = http.StripPrefix("/team/chat", behind)
		}
		mux := http.NewServeMux() // nothing of it is anywhere else
		mux.Handle("/team/chat/", behind)
		proxy := httptest.NewServer(mux)
		t.Cleanup(proxy.Close)

		s.part++
		ada := s.chats(t, s.as("Ada"), proxy.URL+"/team/chat/#path")
		robot := joins(t, proxy.URL+"/team/chat/", s.as("Robot"), "path", "lobby")
		robot.says("path", series("line", 1, 70)...)
		ada.types("hello")
		ada.sees("hello")
		ada.must(chromedp.Reload())
		ada.online()
		ada.sees("hello")
		_ = value[chromedp.Void](ada, "void ("+scroller+".scrollTop = 0)")
		ada.until("gets older messages", texts+"[0] === 'line 1'")
		ada.joinsRoom("beside")
		ada.want("stays under the path", "location.pathname", "/team/chat/")
		ada.goesTo("#path")
		ada.must(chromedp.Evaluate[chromedp.Void]("void document.querySelector('#frames-button').click()"))
		ada.until("shows frames", "document.querySelectorAll('#frame-list .payload').length > 3")
		ada.want("keeps its things apart from those of the host", "Object.keys(localStorage)", []string{"framewright chat /team/chat/"})
		ada.quiet(t)

		// The page of Socket.IO, by polling and WebSocket, and its way back.
		ada.must(chromedp.Navigate(proxy.URL + "/team/chat/socketio.html"))
		ada.until("is connected over a WebSocket", "document.querySelector('#status').textContent === 'Connected (websocket)'")
		robot.says("lobby", "to Socket.IO")
		ada.until("hears", "[...document.querySelectorAll('#messages li')].some(e => e.textContent.includes('to Socket.IO'))")
		ada.must(chromedp.Click(chromedp.CSS("a[href]")))
		ada.until("is back and online", "document.querySelector('#state')?.dataset.state === 'online'")
		ada.want("is back at the page", "location.pathname", "/team/chat/")
	}
}

// testNoSlash comes to the page by an address that lacks the slash at its end,
// which a proxy has made the root: the page puts it there, query and room along.
// A proxy that takes the slash away again gets its way, once and not for ever.
func testNoSlash(t *testing.T, s *stage) {
	to, err := url.Parse(s.url())
	if err != nil {
		t.Fatal(err)
	}
	behind := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.Out.URL.Path, r.Out.URL.RawPath = "/"+strings.TrimPrefix(strings.TrimPrefix(r.In.URL.Path, "/a b/chat"), "/"), ""
		r.SetURL(to)
		r.Out.Host = r.In.Host
	}}
	var insists atomic.Int64 // how often it was asked for the page by the address with a slash
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch p := r.URL.Path; {
		case p == "/a b/chat", strings.HasPrefix(p, "/a b/chat/"):
			behind.ServeHTTP(w, r)
		case p == "/insists/":
			insists.Add(1)
			http.Redirect(w, r, "/insists", http.StatusFound)
		case p == "/insists":
			r.URL.Path = "/a b/chat"
			behind.ServeHTTP(w, r)
		default:
			http.NotFound(w, r)
		}
	}))
	t.Cleanup(proxy.Close)
	p, err := s.browser.open(t, "Ada", proxy.URL+"/a%20b/chat?from=a+link#a%20room")
	if err != nil {
		t.Fatal(err)
	}
	c := &chatter{p, t, s.as("Ada")}
	c.until("is at the address with a slash", "location.href === %s", proxy.URL+"/a%20b/chat/?from=a+link#a%20room")
	c.until("is asked for its name", "document.querySelector('#me')?.open")
	p.complaints.take() // of what was looked for beside the other address
	c.must(chromedp.SendKeys(chromedp.CSS("#name"), c.name), chromedp.Click(chromedp.CSS("#me-ok")))
	c.online()
	c.inRoom("a room")
	c.must(chromedp.Reload())
	c.online()

	c.expects("404", "MIME") // which is how it ends there
	c.must(chromedp.Navigate(proxy.URL + "/insists"))
	c.until("stays there in the end", "location.pathname === '/insists' && document.readyState === 'complete' && sessionStorage.getItem('framewright slash') === 'added'")
	c.must(chromedp.Reload())
	c.until("stays there", "location.pathname === '/insists' && document.readyState === 'complete'")
	if n := insists.Load(); n != 1 {
		t.Errorf("the proxy took the slash away %d times, want once", n)
	}
}

// testForeignScript loads the Socket.IO client on pages of another origin, as a
// script, with CORS, and as a module: where that is allowed and where not.
func testForeignScript(t *testing.T, s *stage) {
	allowed := buildServer(t)
	page := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		server := allowed.url()
		if strings.HasPrefix(r.URL.Path, "/refused") {
			server = s.url()
		}
		switch {
		case strings.HasSuffix(r.URL.Path, "/module"):
			_, _ = w.Write([]byte(`<!doctype html><title>a page</title><script type="module">
				try { window.socket = (await import("` + server + `socket.io/socket.io.esm.min.js")).io("` + server + `"); } catch { window.failed = true }
			</script>`))
		default:
			cors := ""
			if strings.HasSuffix(r.URL.Path, "/cors") {
				cors = " crossorigin"
			}
			_, _ = w.Write([]byte(`<!doctype html><title>a page</title><script src="` + server + `socket.io/socket.io.js"` + cors + `></script>
				<script>if (window.io) window.socket = io("` + server + `"); else window.failed = true</script>`))
		}
	}))
	t.Cleanup(page.Close)
	allowed.args = []string{"-origin", strings.TrimPrefix(page.URL, "http://")}
	allowed.start(t)
	p, err := s.browser.open(t, "another page", page.URL)
	if err != nil {
		t.Fatal(err)
	}
	c := &chatter{p, t, "another page"}
	for _, how := range []string{"script", "cors", "module"} {
		c.must(chromedp.Navigate(page.URL + "/allowed/" + how))
		c.until("connects, by "+how, "window.socket?.connected")
		c.quiet(t)
		c.must(chromedp.Navigate(page.URL + "/refused/" + how))
		c.until("cannot load it, by "+how, "window.failed && !window.io")
		if said := strings.Join(c.complaints.take(), "\n"); !strings.Contains(said, "socket.io/socket.io") {
			t.Errorf("the browser does not say that it may not load the script, by %s: %s", how, said)
		}
	}
}

// testReckoned has no lab to say what goes: it shows no header of a frame that a page
// cannot know.
func testReckoned(t *testing.T, s *stage) {
	server, plain := buildServer(t), buildServer(t)
	server.args = []string{"-compress", "-lab", "off"}
	server.start(t)
	plain.args = []string{"-lab", "off"}
	plain.start(t)
	const heads = "[...document.querySelectorAll('#frame-list .head')].map(e => e.textContent)"
	for url, compressed := range map[string]bool{server.url(): true, plain.url(): false} {
		s.part++
		ada := s.chats(t, s.as("Ada"), url+"#frames")
		ada.pastes("#text", strings.Repeat("the same again ", 40)) // 600 keys take a busy machine long
		ada.types("")
		ada.want("has sent it", delivered, []string{"sent"})
		ada.must(chromedp.Evaluate[chromedp.Void]("void document.querySelector('#frames-button').click()"))
		ada.until("shows frames", heads+".length > 3")
		if compressed {
			ada.want("shows no bytes", "[...new Set("+heads+")]", []string{"not to be seen"})
			ada.until("says why", "document.querySelector('#frames-how').textContent.includes('permessage-deflate')")
		} else {
			ada.until("shows a header", heads+".every(e => /^81 /.test(e))")
			ada.until("knows no masking key", "[...document.querySelectorAll('#frame-list .sent .head')].every(e => e.textContent.endsWith(' ?? ?? ?? ??'))")
			ada.until("says that they are reckoned", "document.querySelector('#frames-how').textContent.includes('reckoned')")
		}
	}
}
