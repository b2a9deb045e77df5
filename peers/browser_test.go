package peers

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/chromedp"

	"framewright/peers/internal/install"
)

// A browser is a headless Chromium, driven over its DevTools.
type browser struct {
	ctx    context.Context
	strict bool // a test whose page gives cause for complaints fails
}

// startBrowser starts one with a fresh profile; it ends with the test, and all
// its child processes with it.
func startBrowser(t *testing.T) *browser {
	t.Helper()
	r := got(t, install.Chromium(t.Context()))
	profile, err := os.MkdirTemp("", "framewright-chromium-")
	if err != nil {
		t.Fatal(err)
	}
	flags := []chromedp.ExecAllocatorOption{
		chromedp.ExecPath(r.Path),
		chromedp.UserDataDir(profile),
		chromedp.WindowSize(1000, 700),
		chromedp.WSURLReadTimeout(patience),
		// The group is killed while its leader is still ours to wait for, so
		// its number cannot have become somebody else's.
		chromedp.ModifyCmdFunc(func(cmd *exec.Cmd) {
			isolate(cmd)
			cmd.Cancel = func() error {
				killGroup(cmd)
				return nil
			}
		}),
	}
	for _, name := range []string{
		"headless", "no-sandbox", "disable-gpu", "disable-quic", "no-first-run", "disable-background-networking",
		"disable-component-update", "disable-sync", "disable-dev-shm-usage", "disable-breakpad",
		"ignore-certificate-errors", // the tests' certificate is their own
		// Tabs that nobody looks at keep their timers.
		"disable-background-timer-throttling", "disable-renderer-backgrounding", "disable-backgrounding-occluded-windows",
	} {
		flags = append(flags, chromedp.Flag(name, true))
	}
	allocator, stop := chromedp.NewExecAllocator(context.Background(), flags...)
	ctx, cancel := chromedp.NewContext(allocator)
	t.Cleanup(func() {
		cancel()
		stop()
		chromedp.FromContext(ctx).Allocator.Wait()
		_ = os.RemoveAll(profile) // a child that is just dying may leave a file: it is in the temporary folder
	})
	if err := within(ctx, func(context.Context) error { return chromedp.Do(ctx) }); err != nil {
		t.Fatalf("%s does not start: %v", r.Path, err)
	}
	return &browser{ctx: ctx}
}

// within bounds f, which must give up when its context ends.
func within(ctx context.Context, f func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return f(ctx)
}

// A tab is a page in a browser context of its own: cookies, storage and
// sockets are not shared with any other tab.
type tab struct {
	ctx        context.Context
	close      context.CancelFunc
	complaints *complaints
}

// open opens a tab at url. If the test fails, a screenshot is kept.
func (b *browser) open(t *testing.T, name, url string) (*tab, error) {
	t.Helper()
	heard := new(complaints)
	ctx, cancel := chromedp.NewContext(b.ctx, chromedp.WithNewBrowserContext(), chromedp.WithListener(heard.listen))
	p := &tab{ctx, cancel, heard}
	t.Cleanup(func() {
		if b.strict {
			p.quiet(t)
		}
		if t.Failed() {
			p.screenshot(t, name)
		}
		cancel()
	})
	if err := chromedp.Do(ctx); err != nil {
		return nil, err
	}
	return p, p.do(chromedp.Navigate(url))
}

func (p *tab) do(steps ...chromedp.Action[chromedp.Void]) error {
	return within(p.ctx, func(ctx context.Context) error { return chromedp.Do(ctx, steps...) })
}

// evaluate runs a script in the page and waits for its value, if that is a
// promise.
func evaluate[T any](ctx context.Context, p *tab, script string) (T, error) {
	// The tab's context says which tab, ctx says how long.
	run, cancel := context.WithCancelCause(p.ctx)
	defer cancel(nil)
	defer context.AfterFunc(ctx, func() { cancel(context.Cause(ctx)) })()
	return chromedp.Run(run, chromedp.Evaluate[T](script, chromedp.EvalAwaitPromise))
}

// screenshot keeps a picture of the page where PEERS_ARTIFACTS says, or in the
// temporary folder.
func (p *tab) screenshot(t *testing.T, name string) {
	dir := os.Getenv("PEERS_ARTIFACTS")
	if dir == "" {
		dir = os.TempDir()
	}
	var png []byte
	err := within(p.ctx, func(ctx context.Context) (err error) {
		png, err = chromedp.Run(ctx, chromedp.CaptureScreenshot())
		return err
	})
	if err == nil {
		file := filepath.Join(dir, "framewright-"+strings.NewReplacer("/", "-", " ", "_").Replace(t.Name()+"-"+name)+".png")
		if err = os.WriteFile(file, png, 0o644); err == nil {
			t.Logf("screenshot of %s: %s", name, file)
			return
		}
	}
	t.Logf("no screenshot of %s: %v", name, err)
}

// browserPeer is the browser's own WebSocket as a peer.
type browserPeer struct{ *browser }

func TestBrowser(t *testing.T) { run(t, browserPeer{startBrowser(t)}) }

func (browserPeer) Lacks() map[Ability]string {
	return map[Ability]string{
		Serves:        "a page cannot listen",
		Pings:         "a page cannot send a ping; the browser answers ours",
		Fragments:     "a page cannot cut a message",
		LongFragments: "a page cannot cut a message",
		PingInside:    "a page cannot cut a message",
		Invalid:       "a page's text is always well-formed",
		Limits:        "a page cannot set a limit",
		AnyCode:       "a page may close with 1000 and with 3000 to 4999",
		Aborts:        "a page cannot drop a connection; see TestBrowserTabClosed",
		Unagreed:      "the browser refuses a server that picks none of the page's subprotocols",
	}
}

func (browserPeer) Listen(t *testing.T, _ Options) *Listener {
	t.Fatal("a browser cannot listen")
	return nil
}

// browserScript defines peer in a page: see there.
//
//go:embed browser.js
var browserScript string

// Dial connects from a page that our server delivered, so from its own origin.
func (b browserPeer) Dial(t *testing.T, url string, o Options) (*Session, error) {
	s, _, err := b.dial(t, strings.Replace(strings.TrimSuffix(url, "/ws"), "ws", "http", 1)+"/", url, o)
	return s, err
}

// dial opens a tab at page and connects from there to url.
func (b browserPeer) dial(t *testing.T, page, url string, o Options) (*Session, *tab, error) {
	p, err := b.open(t, "peer", page)
	if err != nil {
		return nil, nil, err
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if _, err := evaluate[chromedp.Void](ctx, p, browserScript); err != nil {
		return nil, nil, err
	}
	s := newSession()
	agreed, err := evaluate[struct{ Protocol, Extensions string }](ctx, p, call("open", url, append([]string{}, o.Protocols...)))
	if err != nil {
		return nil, nil, err
	}
	s.Protocol, s.Extension = agreed.Protocol, agreed.Extensions
	s.Do = func(ctx context.Context, a Action) error {
		_, err := evaluate[chromedp.Void](ctx, p, call("act", a))
		return err
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			events, err := evaluate[[]Event](p.ctx, p, call("next"))
			if err != nil {
				s.report(Event{Event: "closed", Err: "the tab is gone: " + err.Error()})
				return
			}
			for _, e := range events {
				s.report(e)
				if e.Event == "closed" {
					return
				}
			}
		}
	})
	t.Cleanup(func() { p.close(); wg.Wait() })
	return s, p, nil
}

// call is the script that calls a function of peer.
func call(function string, args ...any) string {
	list := make([]string, len(args))
	for i, a := range args {
		b, err := json.Marshal(a)
		if err != nil {
			panic(err) // only our own types come here
		}
		list[i] = string(b)
	}
	return fmt.Sprintf("peer.%s(%s)", function, strings.Join(list, ", "))
}

// TestBrowserTabClosed closes a tab: the browser says 1001 for it.
func TestBrowserTabClosed(t *testing.T) {
	b := browserPeer{startBrowser(t)}
	ln := framewright{}.Listen(t, Options{})
	s, p, err := b.dial(t, "http"+strings.TrimPrefix(strings.TrimSuffix(ln.URL, "/ws"), "ws")+"/", ln.URL, Options{})
	if err != nil {
		t.Fatal(err)
	}
	ours := <-ln.Accepted
	if err := s.Do(t.Context(), send(text, str("last words"))); err != nil {
		t.Fatal(err)
	}
	p.close()
	for _, want := range []Event{received(text, []byte("last words")), closed(1001, anyReason)} {
		if err := us.gets(want).take(t.Context(), [2]*Session{us: ours, peer: s}); err != nil {
			t.Fatal(err)
		}
	}
}

// TestBrowserOrigin connects from a page of another origin: our server refuses
// and the page learns that nothing came of it.
func TestBrowserOrigin(t *testing.T) {
	b := browserPeer{startBrowser(t)}
	ln, other := framewright{}.Listen(t, Options{}), framewright{}.Listen(t, Options{})
	page := "http" + strings.TrimPrefix(strings.TrimSuffix(other.URL, "/ws"), "ws") + "/"
	_, _, err := b.dial(t, page, ln.URL, Options{})
	if err == nil {
		t.Fatalf("a page from %s could connect to %s", page, ln.URL)
	}
	if e, ok := errors.AsType[*chromedp.ExceptionError](err); !ok || !strings.Contains(e.Error(), "1006") {
		t.Fatalf("the connection failed with %v, not in the page with 1006", err)
	}
	select {
	case <-ln.Accepted:
		t.Error("our server accepted the connection all the same")
	default:
	}
}
