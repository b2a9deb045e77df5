package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"framewright/ws/wsnet"
)

const adminKey = "another key, for operators only."

// startAdmin starts the program with a key for its operator.
func startAdmin(t *testing.T, args ...string) *program {
	t.Helper()
	key := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(key, []byte(adminKey+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return start(t, append([]string{"-admin-key-file", key, "-drain", "500ms", "-log", "json"}, args...)...)
}

// order asks for something, by GET if there is no body.
func (p *program) order(t *testing.T, key, path, body string) (int, map[string]any) {
	t.Helper()
	method := "GET"
	if body != "" {
		method = "POST"
	}
	r, err := http.NewRequest(method, p.url+"/admin/api/"+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+key)
	r.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	data, _ := io.ReadAll(resp.Body)
	var answer map[string]any
	if err := json.Unmarshal(data, &answer); err != nil {
		t.Errorf("%s: %s", resp.Status, data)
	}
	return resp.StatusCode, answer
}

// must is order with the right key, which succeeds.
func (p *program) must(t *testing.T, path, body string) map[string]any {
	t.Helper()
	status, answer := p.order(t, adminKey, path, body)
	if status != 200 {
		t.Fatalf("%s %s: %d %v", path, body, status, answer)
	}
	return answer
}

// until reads what c gets until something has all parts.
func until(t *testing.T, c *wsnet.Conn, parts ...string) string {
	t.Helper()
next:
	for {
		got := read(t, c)
		for _, part := range parts {
			if !strings.Contains(got, part) {
				continue next
			}
		}
		return got
	}
}

// An operator sees who is there, over every transport, and mutes, deletes,
// kicks, keeps out and closes a room.
func TestAdmin(t *testing.T) {
	p := startAdmin(t)
	ada, bob := chatDial(t, p.url), ioDial(t, p.url, `{"name":"Bob","recover":true}`)
	write(t, ada, `{"type":"hello","name":"Ada","secret":"0123456789abcdef"}`)
	until(t, ada, "welcome")
	if list := p.must(t, "people?name=ada", "")["people"].([]any); !cmp.Equal(list[0].(map[string]any)["rooms"], any([]any{})) {
		t.Errorf("who is in no room yet is %v, want a list of no rooms", list)
	}
	write(t, ada, `{"type":"join","room":"lobby"}`)
	until(t, ada, "joined")
	bob.want(`40{"sid":"\w+".*}`)
	bob.want(`42\["message","Welcome, Bob.*`)

	people := p.must(t, "people", "")["people"].([]any)
	ids := map[string]string{}
	for _, one := range people {
		m := one.(map[string]any)
		ids[m["name"].(string)] = m["person"].(string)
		if m["address"] != "127.0.0.1" || m["account"] != false || m["since"] == "" || len(m["rooms"].([]any)) != 1 {
			t.Error(m)
		}
		if want := map[string]string{"Ada": "websocket", "Bob": "socket.io"}[m["name"].(string)]; m["transport"] != want {
			t.Errorf("%v: %v", m["name"], m["transport"])
		}
	}
	if len(ids) != 2 {
		t.Fatal(people)
	}
	if list := p.must(t, "people?name=bO", "")["people"].([]any); len(list) != 1 {
		t.Error(list)
	}
	if list := p.must(t, "people?room=other", "")["people"].([]any); len(list) != 0 {
		t.Error(list)
	}
	if rooms := p.must(t, "rooms", "")["rooms"].([]any); len(rooms) != 1 || rooms[0].(map[string]any)["people"] != 2.0 {
		t.Error(rooms)
	}

	write(t, ada, `{"type":"send","room":"lobby","id":"1","text":"something rude"}`)
	until(t, ada, `"ack"`)
	bob.want(`42\["message","something rude",".*`)
	said := p.must(t, "messages?room=lobby", "")["messages"].([]any)
	if len(said) != 1 {
		t.Fatal(said)
	}
	cursor := said[0].(map[string]any)["cursor"].(string)
	p.must(t, "delete", `{"room":"lobby","cursor":"`+cursor+`"}`)
	until(t, ada, `"type":"deleted"`, cursor)
	bob.want(`42\["deleted",{"place":"` + cursor + `"}.*`)
	if said := p.must(t, "messages?room=lobby", "")["messages"].([]any); len(said) != 0 {
		t.Error(said)
	}

	p.must(t, "mute", `{"person":"`+ids["Ada"]+`","room":"lobby","seconds":60}`)
	until(t, ada, `"type":"muted"`)
	write(t, ada, `{"type":"send","room":"lobby","id":"2","text":"again"}`)
	until(t, ada, `"code":"muted"`)
	p.must(t, "unmute", `{"person":"`+ids["Ada"]+`","room":"lobby"}`)
	write(t, ada, `{"type":"send","room":"lobby","id":"3","text":"sorry"}`)
	until(t, ada, `"ack"`)
	bob.want(`42\["message","sorry",".*`)
	p.must(t, "mute", `{"person":"`+ids["Bob"]+`","seconds":60}`)
	bob.want(`42\["notice",{"text":"You may not write for .*`)

	p.must(t, "kick", `{"person":"`+ids["Ada"]+`","room":"lobby","reason":"enough"}`)
	until(t, ada, `"type":"left"`, "enough")
	write(t, ada, `{"type":"join","room":"lobby"}`)
	until(t, ada, "joined")
	if n := p.must(t, "close", `{"room":"lobby"}`)["count"]; n != 2.0 {
		t.Errorf("%v sessions were in the room", n)
	}
	until(t, ada, `"type":"left"`, "closed the room")
	bob.want(`42\["notice",{"text":"You were removed by an operator: an operator has closed the room\."}\]|42\["presence".*`)

	if n := p.must(t, "ban", `{"person":"`+ids["Ada"]+`","seconds":60,"reason":"enough"}`)["count"]; n != 1.0 {
		t.Errorf("%v sessions", n)
	}
	wantClose(t, ada, 4003)
	ada = chatDial(t, p.url)
	write(t, ada, `{"type":"hello","name":"Ada","secret":"0123456789abcdef"}`)
	until(t, ada, "not-allowed", "keeps you out")
	p.must(t, "unban", `{"person":"`+ids["Ada"]+`"}`)
	ada = chatDial(t, p.url)
	write(t, ada, `{"type":"hello","name":"Ada","secret":"0123456789abcdef"}`)
	until(t, ada, "welcome")
	p.must(t, "ban", `{"address":"127.0.0.1","seconds":60}`)
	eve := chatDial(t, p.url)
	write(t, eve, `{"type":"hello","name":"Eve"}`)
	until(t, eve, "not-allowed", "keeps you out")
	p.wantLine(t, `"msg":"admin"`, `"action":"delete"`, `"remote":"127.0.0.1"`, cursor)
	p.wantLine(t, `"msg":"admin"`, `"action":"ban"`, `"address":"127.0.0.1"`)
	if strings.Contains(p.stderr.String(), "rude") || strings.Contains(p.stderr.String(), adminKey) {
		t.Error("what was said, or the key, is in the log")
	}
}

func TestAdminRefusals(t *testing.T) {
	p := startAdmin(t)
	for _, tt := range []struct {
		path, body string
		status     int
		text       string
	}{
		{"nothing", "", 404, "nothing here"}, {"mute", "", 405, "POST"}, {"rooms", "{}", 405, "GET"},
		{"mute", `{"person":"x"}`, 422, "seconds"}, {"mute", `{"person":"x","seconds":-1}`, 422, "seconds"}, {"mute", `{"person":"x","seconds":9e99}`, 400, "body"},
		{"mute", `{"seconds":5}`, 422, "person"}, {"mute", `{"persn":"x"}`, 400, "persn"}, {"mute", `[]`, 400, "body"}, {"mute", `{`, 400, "body"},
		{"delete", `{"room":"lobby"}`, 422, "cursor"}, {"delete", `{"room":"lobby","cursor":"x"}`, 422, "cursor"}, {"delete", `{"room":"lobby","cursor":7}`, 400, "body"}, {"delete", `{"room":"a b\u0000","cursor":"1-1"}`, 422, ""},
		{"ban", `{"seconds":5}`, 422, "person or address"}, {"ban", `{"seconds":5,"person":"x","address":"192.0.2.1"}`, 422, "person or address"},
		{"close", `{}`, 422, "room"}, {"messages?room=", "", 422, "room"}, {"messages?room=lobby&before=x", "", 422, ""},
		{"mute", `{"reason":"` + strings.Repeat("x", maxAdminBody) + `"}`, 413, "at most 65536 bytes"},
		{"mute", `{"person":"x","seconds":5}{"person":"y"}`, 400, "more behind"}, {"mute", `{"person":"x","person":"y","seconds":5}`, 400, "twice"}, {"mute", `{"person":"x","\u0070erson":"y","seconds":5}`, 400, "twice"},
		{"mute", `{"person":"x","PERSON":"y","seconds":5}`, 400, "twice"}, {"mute", `{"Person":"x","seconds":5}`, 400, `"Person" is written "person"`}, {"mute", "{\"person\":\"\xff\",\"seconds\":5}", 400, "UTF-8"}, {"mute", `{"person":"\ud800","seconds":5}`, 400, "surrogate"},
		{"mute", `{"person":"x","seconds":0}`, 422, "seconds"}, {"mute", `{"person":"x","seconds":"1h"}`, 400, "whole number"}, {"mute", `{"person":"x","seconds":1e300}`, 400, "whole number"}, {"mute", `{"person":"x","seconds":1.5}`, 400, "whole number"},
		{"mute", `{"person":"x","seconds":315360001}`, 422, "ten years"}, {"mute", `{"person":"x","seconds":99999999999999999999}`, 400, "whole number"}, {"mute", `{"person":"x","seconds":true}`, 400, "whole number"}, {"mute", "\ufeff{}", 400, "body"},
		{"mute", `{"person":"x","seconds":5,"room":"lob by "}`, 422, "space"}, {"mute", `{"person":"x","seconds":5,"address":"192.0.2.1"}`, 422, "takes no address"}, {"ban", `{"person":"x","seconds":5,"room":"lobby"}`, 422, "takes no room"}, {"unban", `{"person":"x","seconds":5}`, 422, "takes no seconds"},
		{"unban", `{}`, 422, "person or address"}, {"ban", `{"seconds":5,"address":"somewhere"}`, 422, "is no address"}, {"ban", `{"seconds":5,"address":"192.0.2.0/24"}`, 422, "is no address"}, {"ban", `{"seconds":5,"address":"2001:db8::/32"}`, 422, "is no address"},
		{"kick", `{"person":"x","reason":"` + strings.Repeat("x", 801) + `"}`, 422, "800 bytes"}, {"close", `[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]`, 400, "deeper"}, {"kick", `{"person":{"a":1}}`, 400, "must be a string"},
		{"delete", `{"room":"lobby","cursor":"1-1"}`, 200, ""}, {"delete", `{"room":"lobby","cursor":"3w5e11264sgsf-3w5e11264sgsf"}`, 200, ""}, {"delete", `{"room":"no such","cursor":"1-1"}`, 200, ""}, {"kick", `{"person":"nobody"}`, 200, ""},
	} {
		if status, answer := p.order(t, adminKey, tt.path, tt.body); status != tt.status || !strings.Contains(fmt.Sprint(answer["text"]), tt.text) || status == 200 && tt.path != "mute" && answer["count"] != 0.0 {
			t.Errorf("%s %.60s: %d %v, want %d %s", tt.path, tt.body, status, answer, tt.status, tt.text)
		}
	}
	ask := func(method, path string, header ...string) (int, http.Header) {
		t.Helper()
		r, _ := http.NewRequest(method, p.url+"/admin/api/"+path, strings.NewReader(`{"room":"lobby"}`))
		for i := 0; i < len(header); i += 2 {
			r.Header.Set(header[i], header[i+1])
		}
		resp, err := http.DefaultTransport.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		return resp.StatusCode, resp.Header
	}
	// A form of another site's page cannot send that type; and what it can send
	// has no key, is answered without a word to that page, and is no guess.
	for _, header := range [][]string{{"Content-Type", "text/plain"}, {"Content-Type", "application/json; charset=utf-16"}, {"Content-Type", "application/json", "Content-Encoding", "gzip"}, {}} {
		if status, _ := ask("POST", "close", append(header, "Authorization", "Bearer "+adminKey)...); status != 415 {
			t.Errorf("%q: %d", header, status)
		}
	}
	for range 20 {
		for _, tt := range [][]string{{"OPTIONS", "close"}, {"POST", "close?key=" + url.QueryEscape(adminKey)}, {"GET", "rooms?access_token=" + url.QueryEscape(adminKey)}, {"GET", "rooms", "Authorization", "Basic " + adminKey}} {
			status, h := ask(tt[0], tt[1], append(tt[2:], "Origin", "https://evil.example", "Access-Control-Request-Headers", "authorization")...)
			if status != 401 || h.Get("Access-Control-Allow-Origin")+h.Get("Access-Control-Allow-Headers") != "" {
				t.Errorf("%q: %d %v", tt, status, h)
			}
		}
	}
	if status, _ := p.order(t, adminKey, "rooms", ""); status != 200 {
		t.Errorf("after requests without a key: %d", status)
	}
	for _, method := range []string{"PUT", "DELETE", "PATCH", "OPTIONS", "HEAD", "TRACE", "X"} {
		if status, h := ask(method, "kick", "Authorization", "Bearer "+adminKey); status != 405 || h.Get("Allow") != "POST" {
			t.Errorf("%s: %d %v", method, status, h)
		}
	}
	if strings.Contains(p.stderr.String(), adminKey) {
		t.Error("the key is in the log")
	}
	// Wrong keys are few, and then the right one has to wait, too: nobody tries
	// them all.
	for i := range 12 {
		want := 401
		if i >= wrongKeys.Burst {
			want = 429
		}
		if status, _ := p.order(t, "wrong", "rooms", ""); status != want {
			t.Errorf("wrong key %d: %d, want %d", i, status, want)
		}
	}
	if status, _ := p.order(t, adminKey, "rooms", ""); status != 429 {
		t.Errorf("the right key after them: %d", status)
	}
	p.wantLine(t, `"msg":"admin refused"`, `"remote":"127.0.0.1"`)
}

// An address is banned however it is written.
func TestAddressKey(t *testing.T) {
	for text, want := range map[string]string{"192.0.2.7": "192.0.2.7", "::ffff:192.0.2.7": "192.0.2.7", "2001:db8::7": "2001:db8::/64", "2001:DB8:0:0:1::7": "2001:db8::/64",
		"2001:db8::/64": "2001:db8::/64", "fe80::1%eth0": "fe80::/64"} {
		if got, err := addressKey(text); got != want || err != nil {
			t.Errorf("%s: %q, %v, want %s", text, got, err, want)
		}
	}
	for _, text := range []string{"localhost", "192.0.2.7:80", "192.0.2.0/24", "192.0.2.7/64", "2001:db8::/48", "*", "192.0.2.07"} {
		if got, err := addressKey(text); err == nil {
			t.Errorf("%s: %q", text, got)
		}
	}
}

func TestAdminPage(t *testing.T) {
	p := startAdmin(t, "-web", t.TempDir())
	for path, kind := range map[string]string{"/admin": "html", "/admin/": "html", "/admin/admin.js": "javascript", "/admin/admin.css": "css", "/admin/icon.svg": "svg"} {
		status, h, _ := get(t, p.url+path)
		if status != 200 || !strings.Contains(h.Get("Content-Type"), kind) || !strings.Contains(h.Get("Content-Security-Policy"), "script-src 'self'") {
			t.Errorf("%s: %d %v", path, status, h)
		}
	}
	if status, _, _ := get(t, p.url+"/admin/app.js.map"); status != 404 {
		t.Error(status)
	}
	off := start(t)
	for _, path := range []string{"/admin", "/admin/", "/admin/api/rooms", "/admin.html"} {
		if status, _, _ := get(t, off.url+path); status != 404 {
			t.Errorf("%s without a key: %d", path, status)
		}
	}
}

// Behind a trusted proxy each client has guesses of its own, and nobody locks the
// operator out.
func TestAdminGuessesBehindAProxy(t *testing.T) {
	p := startAdmin(t, "-trusted-proxy", "127.0.0.1")
	ask := func(from, key string) int {
		t.Helper()
		r, _ := http.NewRequest("GET", p.url+"/admin/api/rooms", nil)
		r.Header.Set("X-Forwarded-For", from)
		r.Header.Set("Authorization", "bearer  "+key)
		resp, err := http.DefaultTransport.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		return resp.StatusCode
	}
	for i := range 12 {
		want := 401
		if i >= wrongKeys.Burst {
			want = 429
		}
		// What the client has put there itself is not believed, and its /64 is one.
		if got := ask(fmt.Sprintf("203.0.113.%d, 2001:db8::%x", i, i), adminKey[1:]); got != want {
			t.Errorf("guess %d: %d, want %d", i, got, want)
		}
	}
	for from, want := range map[string]int{"2001:db8::ffff": 429, "2001:db8:0:1::1": 200, "203.0.113.0": 200} {
		if got := ask(from, adminKey); got != want {
			t.Errorf("the right key from %s: %d, want %d", from, got, want)
		}
	}
}
