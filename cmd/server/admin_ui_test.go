package main

import (
	"context"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The Admin UI shows the key, and then who chats.
func TestAdminUI(t *testing.T) {
	const key = "the key of an operator"
	file, folder := filepath.Join(t.TempDir(), "key"), t.TempDir()
	if err := os.WriteFile(file, []byte(key), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, "index.html"), []byte("the page"), 0o600); err != nil {
		t.Fatal(err)
	}
	p := start(t, "-admin-ui", "development", "-admin-key-file", file, "-admin-ui-folder", folder)
	user := ioDial(t, p.url, `{"name":"Ada"}`)
	sid := user.want(`40{"sid":"(\w+)"}`)[1]
	user.want(`42\["message","Welcome, Ada\."\]`)
	wrong := ioDial(t, p.url, "/admin,{\"username\":\"admin\",\"password\":\"not this one, surely\"}")
	wrong.want(`44/admin,{"message":"invalid credentials"}`)
	c := ioDial(t, p.url, `/admin,{"username":"admin","password":"`+key+`"}`)
	c.want(`40/admin,{"sid":"\w+"}`)
	c.want(`42/admin,\["session","\w+"\]`)
	c.want(`42/admin,\["config",{"supportedFeatures":\[.*"ALL_EVENTS"\]}\]`)
	c.want(`42/admin,\["server_stats",{.*"clientsCount":3.*}\]`)
	c.want(`42/admin,\["all_sockets",\[.*"id":"` + sid + `".*"data":{"account":false,"name":"Ada","person":"~\w+"}.*\]\]`)
	write(t, c.c, `42/admin,["_disconnect","/",false,"`+sid+`"]`)
	user.want(`41`)
	p.wantLine(t, "admin: _disconnect", sid)

	status, body, policy := fetch(t, p.url+"/admin-ui/")
	if status != http.StatusOK || body != "the page" || !strings.Contains(policy, "script-src 'self'") {
		t.Errorf("the page: %d %q, policy %q", status, body, policy)
	}
}

// It is off by default, and what makes no sense is said.
func TestAdminUIIsOff(t *testing.T) {
	p := start(t)
	c := ioDial(t, p.url, `/admin,{"username":"admin","password":""}`)
	c.want(`44/admin,{"message":"Invalid namespace"}`)
	if status, body, _ := fetch(t, p.url+"/admin-ui/"); status != http.StatusNotFound || !strings.Contains(body, "-admin-ui-folder") {
		t.Errorf("the page: %d %q", status, body)
	}
	for want, args := range map[string][]string{
		"-admin-ui production: needs -admin-key-file":  {"-admin-ui", "production"},
		"-admin-ui on: production, development or off": {"-admin-ui", "on"},
		"without -admin-ui production":                 {"-admin-ui-folder", "x"},
	} {
		log := new(buffer)
		if status := run(context.Background(), append(args, "-memory", "-addr", "127.0.0.1:0"), nil, io.Discard, log); status != 2 || !strings.Contains(log.String(), want) {
			t.Errorf("%v: status %d, got %s, want %s", args, status, log, want)
		}
	}
}

func fetch(t *testing.T, url string) (status int, body, policy string) {
	t.Helper()
	r, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return r.StatusCode, string(b), r.Header.Get("Content-Security-Policy")
}
