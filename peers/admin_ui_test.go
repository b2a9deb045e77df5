package peers

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/google/go-cmp/cmp"

	"framewright/peers/internal/install"
)

const adminUIKey = "the key of the Admin UI"

// adminUIServer is our server with the real page at /admin-ui/.
func adminUIServer(t *testing.T) (server *program, folder string) {
	t.Helper()
	r := got(t, install.AdminUI(t.Context()))
	file := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(file, []byte(adminUIKey), 0o600); err != nil {
		t.Fatal(err)
	}
	server = buildServer(t)
	server.args = []string{"-admin-ui", "development", "-admin-key-file", file,
		"-admin-ui-folder", filepath.Join(r.Path, "node_modules/@socket.io/admin-ui/ui/dist")}
	server.start(t)
	return server, r.Path
}

// TestAdminUIEvents holds what a page is told by our server against what npm's own server
// side tells it: the same events, with arguments of the same shapes.
func TestAdminUIEvents(t *testing.T) {
	server, folder := adminUIServer(t)
	told := func(args ...string) map[string]string {
		t.Helper()
		dependsOnOtherPrograms(t)
		cmd := exec.CommandContext(t.Context(), "node", append([]string{"adminui/oracle.cjs", folder}, args...)...)
		var complaint bytes.Buffer
		cmd.Stderr = &complaint
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("%v: %v\n%s", args, err, complaint.String())
		}
		shapes := make(map[string]string)
		lines := bufio.NewScanner(bytes.NewReader(out))
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			var event []any
			if err := json.Unmarshal(lines.Bytes(), &event); err != nil {
				t.Fatal(err)
			}
			name := event[0].(string)
			shape := shapeOf(event[1:])
			if len(shape) > len(shapes[name]) { // with all that is there now and then
				shapes[name] = shape
			}
		}
		return shapes
	}
	npm := told()
	ours := told(strings.TrimSuffix(server.url(), "/"), adminUIKey)
	if ours["session"] != "[string]" { // npm's has no password in this test
		t.Errorf("the session is %s", ours["session"])
	}
	delete(ours, "session")
	if d := cmp.Diff(npm, ours); d != "" {
		t.Errorf("events and their shapes (-npm's +ours):\n%s", d)
	}
}

// shapeOf is what kinds of values a value is made of. Headers, a query and data have
// whatever keys; lists have elements of one shape, the longest that there is; what is of
// many kinds by nature is left out.
func shapeOf(v any) string {
	switch v := v.(type) {
	case string:
		return "string"
	case float64:
		return "number"
	case bool:
		return "boolean"
	case []any:
		var parts []string
		for _, one := range v {
			parts = append(parts, shapeOf(one))
		}
		if len(parts) > 0 && allObjects(v) {
			parts = parts[:1]
		}
		return "[" + strings.Join(parts, " ") + "]"
	case map[string]any:
		var parts []string
		for _, k := range slices.Sorted(maps.Keys(v)) {
			switch k {
			case "headers", "query", "data", "aggregatedEvents", "namespaces", "subType":
				parts = append(parts, k)
			case "rooms", "supportedFeatures", "args":
				parts = append(parts, k+" list")
			default:
				parts = append(parts, k+" "+shapeOf(v[k]))
			}
		}
		return "{" + strings.Join(parts, ", ") + "}"
	}
	return fmt.Sprintf("%T", v)
}

func allObjects(list []any) bool {
	for _, one := range list {
		if _, ok := one.(map[string]any); !ok {
			return false
		}
	}
	return true
}

// TestAdminUIPage drives the real page: it logs in, sees who is there and what they say, and
// disconnects somebody.
func TestAdminUIPage(t *testing.T) {
	server, _ := adminUIServer(t)
	c := scriptIO(t, "socket.io-client", "node", "socketio/client.mjs", got(t, install.SocketIO(t.Context())).Path, "socket.io-client")
	user := c.open(t, "u", strings.TrimSuffix(server.url(), "/"), "/", []string{"websocket"}, map[string]string{"name": "Ada"})
	sid := user.connected("at first").SID
	user.gets("message", "Welcome, Ada.")

	p, err := startBrowser(t).open(t, "admin", server.url()+"admin-ui/")
	if err != nil {
		t.Fatal(err)
	}
	o := &chatter{p, t, "the Admin UI"}
	o.until("asks where to look", "document.querySelectorAll('form input').length >= 3")
	o.must(
		chromedp.SendKeys(chromedp.CSS("form .v-text-field:nth-of-type(1) input"), strings.TrimSuffix(server.url(), "/")),
		chromedp.SendKeys(chromedp.CSS("form .v-text-field:nth-of-type(2) input"), "admin"),
		chromedp.SendKeys(chromedp.CSS("form input[type=password]"), adminUIKey),
		chromedp.Click(chromedp.CSS("form button[type=submit]")),
	)
	const shown = "document.querySelector('main').innerText"
	goTo := func(path string) {
		t.Helper()
		_ = value[chromedp.Void](o, withValues("void (location.hash = %s)", path))
	}
	o.until("is in", "!document.querySelector('.v-dialog--active')")
	o.until("counts", shown+".includes('/admin')")
	p.picture(t, "dashboard")
	goTo("#/sockets/")
	o.until("lists the socket", shown+".includes(%s)", sid)
	p.picture(t, "sockets")
	user.emit("message", "shown to the operator")
	user.gets("message", "shown to the operator")
	goTo("#/events/")
	o.until("has what was received and sent", shown+".includes('message') && document.querySelectorAll('main tbody tr').length >= 2")
	p.picture(t, "events")
	goTo("#/rooms/")
	o.until("has the rooms", "document.querySelectorAll('main tbody tr').length >= 1")
	goTo("#/servers/")
	o.until("has the server", "document.querySelectorAll('main tbody tr').length === 1")
	goTo("#/n/" + "%2F" + "/sockets/" + sid)
	o.until("shows who it is in the chat", shown+".includes('\"name\": \"Ada\"')")
	p.picture(t, "socket")
	goTo("#/sockets/")
	// The view before it may still be there.
	o.until("has a button that disconnects it", "((b) => b && (b.click(), true))([...document.querySelectorAll('main tbody tr')]"+
		".find(r => r.innerText.includes(%s) && r.innerText.includes('127.0.0.1'))?.querySelector('button'))", sid)
	user.goes("io server disconnect")
	o.until("lists it no more", "![...document.querySelectorAll('main tbody tr')].some(r => r.innerText.includes(%s) && r.innerText.includes('127.0.0.1') && r.querySelector('button'))", sid)
}

// picture keeps a screenshot where PEERS_ARTIFACTS says, if it does.
func (p *tab) picture(t *testing.T, name string) {
	if os.Getenv("PEERS_ARTIFACTS") != "" {
		p.screenshot(t, name)
	}
}
