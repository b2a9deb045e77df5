package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"framewright/chat"
	"framewright/chat/plain"
	"framewright/chat/token"
)

// tokenKeyFile writes a key, as an editor would, and returns it and its path.
func tokenKeyFile(t *testing.T) (token.Key, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(path, []byte(testKey+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	key, err := token.NewKey([]byte(testKey))
	if err != nil {
		t.Fatal(err)
	}
	return key, path
}

func TestTokens(t *testing.T) {
	key, path := tokenKeyFile(t)
	p := start(t, "-token-key-file", path)
	soon := time.Now().Add(time.Hour)
	ada := chat.Person{ID: "u17", Name: "Ada"}
	other, err := token.NewKey([]byte(strings.Repeat("another key ", 3)))
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, hello string
		want        string
	}{
		{"a token with a name", `"name":"Eve","token":"` + key.Sign(ada, soon) + `"`, `"you":{"id":"u17","name":"Ada","account":true}`},
		{"a token without a name", `"name":"Bob","token":"` + key.Sign(chat.Person{ID: "u18"}, soon) + `"`, `"you":{"id":"u18","name":"Bob"}`},
		{"a token and a secret", `"secret":"0123456789abcdef","token":"` + key.Sign(ada, soon) + `"`, `"you":{"id":"u17","name":"Ada","account":true}`},
		{"no token", `"name":"Grace","secret":"0123456789abcdef"`, `"you":{"id":"~a774252cd4be46754967e51c","name":"Grace"}`},
		{"neither token nor secret", `"name":"Guest"`, `"name":"Guest"}`},
		{"another key", `"name":"Eve","token":"` + other.Sign(ada, soon) + `"`, `"code":"bad-token"`},
		{"no token at all", `"name":"Eve","token":"u17"`, `"code":"bad-token"`},
		{"one that is over", `"name":"Eve","token":"` + key.Sign(ada, time.Now().Add(-time.Second)) + `"`, `"code":"expired"`},
		{"the publisher's person", `"name":"Eve","token":"` + key.Sign(chat.Person{ID: publisherID}, soon) + `"`, `"code":"bad-token"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := chatDial(t, p.url)
			write(t, c, `{"type":"hello",`+tt.hello+`}`)
			if got := read(t, c); !strings.Contains(got, tt.want) {
				t.Errorf("%s\nwant %s", got, tt.want)
			}
		})
	}

	io := ioDial(t, p.url, `{"name":"Eve","token":"`+key.Sign(ada, soon)+`"}`)
	io.want(`40{"sid":"\w+"}`)
	io.want(`42\["message","Welcome, Ada\."\]`)

	// A token that ends, and one that comes in time.
	c := chatDial(t, p.url)
	write(t, c, `{"type":"hello","token":"`+key.Sign(ada, time.Now().Add(time.Minute))+`"}`)
	wantJSON(t, c, "welcome")
	write(t, c, `{"type":"refresh","id":"1","token":"`+key.Sign(ada, soon)+`"}`)
	if m := wantJSON(t, c, "refreshed"); m["id"] != "1" {
		t.Error(m)
	}
	c = chatDial(t, p.url)
	write(t, c, `{"type":"hello","token":"`+key.Sign(ada, time.Now().Add(3*time.Second))+`"}`)
	wantClose(t, c, plain.CloseExpired)
	p.wantLine(t, "closed", "4001")
	if _, _, body := get(t, p.url+"/metrics"); !strings.Contains(body, `framewright_connections_closed_total{code="4001"} 1`) {
		t.Error("not counted")
	}
	if log := p.stderr.String(); strings.Contains(log, testKey) || strings.Contains(log, "eyJ") {
		t.Error("the key or a token is in the log")
	}
}

func TestNoTokensWithoutAKey(t *testing.T) {
	key, _ := tokenKeyFile(t)
	c := chatDial(t, start(t).url)
	write(t, c, `{"type":"hello","name":"Ada","token":"`+key.Sign(chat.Person{ID: "u17"}, time.Now().Add(time.Hour))+`"}`)
	if m := wantJSON(t, c, "error"); m["code"] != "bad-token" || m["text"] != "this server takes no tokens (option Authenticate)" {
		t.Error(m)
	}
}

func TestTokensForThisServer(t *testing.T) {
	key, path := tokenKeyFile(t)
	p := start(t, "-token-key-file", path, "-token-issuer", "site", "-token-audience", "chat")
	for _, tt := range []struct {
		v    token.Verifier
		want string
	}{
		{token.Verifier{Key: key, Issuer: "site", Audience: "chat"}, `"id":"u17"`},
		{token.Verifier{Key: key, Audience: "chat"}, `issuer (iss) \"\"; expected \"site\"`},
		{token.Verifier{Key: key, Issuer: "site", Audience: "shop"}, `audience (aud) [\"shop\"]; expected \"chat\"`},
	} {
		c := chatDial(t, p.url)
		write(t, c, `{"type":"hello","token":"`+tt.v.Sign(chat.Person{ID: "u17", Name: "Ada"}, time.Now().Add(time.Hour))+`"}`)
		if got := read(t, c); !strings.Contains(got, tt.want) {
			t.Errorf("%s\nwant %s", got, tt.want)
		}
	}
}
