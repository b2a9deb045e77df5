package peers

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// Complaints are what a browser has to say against a page: errors and warnings
// on its console, exceptions that nobody caught, requests that failed, and what
// a policy has blocked. Nothing of the chat gives cause for any, unless its test
// says so.
type complaints struct {
	mu       sync.Mutex
	all      []string
	expected []string // a complaint that has one of these in it is none
}

// lost is what browsers say of a WebSocket that cannot be, or is no more: for
// tests that cut connections.
const lost = "WebSocket connection to"

// listen is the listener of a tab's events.
func (c *complaints) listen(event any) {
	text := ""
	switch e := event.(type) {
	case *log.EventEntryAdded:
		if e.Entry.Level == log.EntryLevelError || e.Entry.Level == log.EntryLevelWarning {
			text = fmt.Sprintf("%s: %s %s", e.Entry.Source, e.Entry.Text, e.Entry.URL)
		}
	case *runtime.EventExceptionThrown:
		text = "exception: " + e.ExceptionDetails.Text
		if x := e.ExceptionDetails.Exception; x != nil {
			text += " " + x.Description
		}
	case *runtime.EventConsoleAPICalled:
		if !slices.Contains([]runtime.ConsoleAPICalledType{"error", "warning", "assert"}, e.Type) {
			return
		}
		text = fmt.Sprintf("console.%s:", e.Type)
		for _, a := range e.Args {
			text += " " + string(a.Value) + a.Description
		}
	}
	if text != "" {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.all = append(c.all, text)
	}
}

// expects says that complaints with one of these words in them are none from
// here on; those so far are, for nobody expected them.
func (c *chatter) expects(words ...string) {
	c.t.Helper()
	c.quiet(c.t)
	c.complaints.mu.Lock()
	defer c.complaints.mu.Unlock()
	c.complaints.expected = append(c.complaints.expected, words...)
}

// quiet makes the test fail that caused complaints, and forgets them.
func (p *tab) quiet(t *testing.T) {
	t.Helper()
	// What the page has caused so far has come once this has.
	_ = within(p.ctx, func(ctx context.Context) error { _, err := evaluate[chromedp.Void](ctx, p, "void 0"); return err })
	for _, complaint := range p.complaints.take() {
		t.Errorf("the browser complains: %s", complaint)
	}
}

// take returns the unexpected complaints since it was called last.
func (c *complaints) take() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	all := slices.DeleteFunc(c.all, func(s string) bool {
		return slices.ContainsFunc(c.expected, func(word string) bool { return strings.Contains(s, word) })
	})
	c.all = nil
	return all
}

// TestComplaints gives cause for each kind of complaint.
func TestComplaints(t *testing.T) {
	b := startBrowser(t)
	page := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/" {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", "text/html")
		w.Header().Set("Content-Security-Policy", "default-src 'self'; script-src 'self' 'unsafe-inline'; img-src data:; require-trusted-types-for 'script'")
		_, _ = w.Write([]byte(`<!doctype html><title>a page</title><link rel="icon" href="data:,">`))
	}))
	t.Cleanup(page.Close)
	p, err := b.open(t, "a page", page.URL)
	if err != nil {
		t.Fatal(err)
	}
	c := &chatter{p, t, "a page"}
	for _, tt := range []struct{ script, want string }{
		{"console.log('a'), console.info('b'), console.debug('c')", ""},
		{"console.error('an', 'error')", "an"},
		{"console.warn('a warning')", "a warning"},
		{"console.assert(false, 'an assertion')", "an assertion"},
		{"new Promise((done) => setTimeout(() => { done(); throw new Error('thrown') }))", "thrown"},
		{"void Promise.reject(new Error('rejected')), new Promise((done) => setTimeout(done, 0))", "rejected"},
		{"fetch('/nothing').then(() => {})", "404"},
		{"fetch('http://127.0.0.1:1/').catch(() => {})", "Content Security Policy"},
		{"new Promise((done) => { const i = new Image(); i.onerror = done; i.src = '/x.png' }).then(() => {})", "Content Security Policy"},
		{"(() => { try { document.body.innerHTML = 'x' } catch {} })()", "TrustedHTML"},
		{"new Promise((done) => { const s = new WebSocket('/'); s.onclose = done }).then(() => {})", lost},
	} {
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		_ = value[chromedp.Void](c, tt.script)
		for found := tt.want == ""; !found; { // a promise's rejection is told of in its own time
			_ = value[chromedp.Void](c, "void 0")
			all := strings.Join(p.complaints.take(), "\n")
			if found = strings.Contains(all, tt.want); !found && all != "" {
				t.Logf("%s: %s", tt.script, all) // of the one before, perhaps
			}
			if ctx.Err() != nil {
				t.Fatalf("%s: no complaint", tt.script)
			}
		}
		if all := p.complaints.take(); tt.want == "" && len(all) > 0 {
			t.Errorf("%s: complaints %q", tt.script, all)
		}
	}
	c.expects("foreseen")
	_ = value[chromedp.Void](c, "console.error('a foreseen error')")
	_ = value[chromedp.Void](c, "console.error('another one')")
	if got := p.complaints.take(); len(got) != 1 || !strings.Contains(got[0], "another one") {
		t.Errorf("with one that was foreseen: %q", got)
	}
}
