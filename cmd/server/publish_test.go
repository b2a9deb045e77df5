package main

import (
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const testKey = "a key of 32 bytes, more or less."

// post sends a body to /publish and returns status and answer.
func post(t *testing.T, p *program, body string, header ...string) (int, map[string]string) {
	t.Helper()
	r, err := http.NewRequest("POST", p.url+"/publish", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+testKey)
	r.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	answer := map[string]string{}
	if err := json.Unmarshal(data, &answer); err != nil {
		t.Errorf("%s: %s", resp.Status, data)
	}
	return resp.StatusCode, answer
}

func TestPublish(t *testing.T) {
	key := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(key, []byte(testKey+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	p := start(t, "-publish-key-file", key)
	c := chatDial(t, p.url)
	write(t, c, `{"type":"hello","name":"Ada"}`)
	read(t, c)
	write(t, c, `{"type":"join","room":"builds"}`)
	read(t, c)

	status, first := post(t, p, `{"room":"builds","text":"<b>green</b>","name":"CI","id":"b-1"}`)
	if status != 200 || first["room"] != "builds" || first["id"] != "b-1" || first["cursor"] == "" || first["time"] == "" {
		t.Errorf("%d %v", status, first)
	}
	if got := read(t, c); !strings.Contains(got, `"name":"CI"`) || !strings.Contains(got, `"text":"<b>green</b>"`) || !strings.Contains(got, first["cursor"]) {
		t.Error(got)
	}
	// Again: the same answer, and no second message.
	if status, again := post(t, p, `{"room":"builds","text":"<b>green</b>","name":"CI","id":"b-1"}`); status != 200 || again["cursor"] != first["cursor"] || again["time"] != first["time"] {
		t.Errorf("%d %v, want %v", status, again, first)
	}
	if status, answer := post(t, p, `{"room":"builds","text":"red","id":"b-1"}`); status != 409 || !strings.Contains(answer["text"], `"b-1"`) {
		t.Errorf("another text by the same id: %d %v", status, answer)
	}
	if status, _ := post(t, p, `{"room":"builds","text":"next"}`); status != 200 {
		t.Errorf("without an id: %d", status)
	}
	if got := read(t, c); !strings.Contains(got, `"text":"next"`) || !strings.Contains(got, `"name":"Server"`) {
		t.Errorf("after it: %s", got)
	}
	if _, _, body := get(t, p.url+"/metrics"); !strings.Contains(body, `framewright_publish_requests_total{status="200"} 3`) {
		t.Error("not counted")
	}
	if log := p.stderr.String(); strings.Contains(log, "green") || strings.Contains(log, testKey) {
		t.Error("what was published, or the key, is in the log")
	}
}

func TestPublishRefusals(t *testing.T) {
	p := start(t, "-publish-key", testKey, "-max-message", "2000", "-max-text", "1000", "-log", "json")
	good := `{"room":"builds","text":"green"}`
	for _, tt := range []struct {
		name   string
		body   string
		header []string
		status int
		text   string
	}{
		{"no key", good, []string{"Authorization", ""}, 401, "-publish-key-file"},
		{"another key", good, []string{"Authorization", "Bearer " + testKey + "x"}, 401, "Bearer"},
		{"the beginning of the key", good, []string{"Authorization", "Bearer " + testKey[:10]}, 401, "Bearer"},
		{"another scheme", good, []string{"Authorization", "Basic " + testKey}, 401, "Bearer"},
		{"a form", "room=builds", []string{"Content-Type", "application/x-www-form-urlencoded"}, 415, "application/json"},
		{"with a charset", good, []string{"Content-Type", "application/json; charset=utf-8"}, 200, ""},
		{"with another charset", good, []string{"Content-Type", "application/json; charset=iso-8859-1"}, 415, "JSON is UTF-8"},
		{"with a broken type", good, []string{"Content-Type", "application/json; charset"}, 415, "application/json"},
		{"JSON of another kind", good, []string{"Content-Type", "application/problem+json"}, 415, "application/json"},
		{"compressed", "\x1f\x8b\x08\x00", []string{"Content-Encoding", "gzip"}, 415, `without Content-Encoding, not with "gzip"`},
		{"compressed, they say", good, []string{"Content-Encoding", "br, identity"}, 415, "without Content-Encoding"},
		{"as it is", good, []string{"Content-Encoding", "identity"}, 200, ""},
		{"a byte order mark", "\ufeff" + good, nil, 400, "at byte 0"},
		{"UTF-16", "{\x00\"\x00r\x00", nil, 400, "at byte 1"},
		{"NUL behind it", good + "\x00", nil, 400, "more behind"},
		{"a bare NUL", "{\"room\":\"builds\",\"text\":\"a\x00\"}", nil, 400, "escape"},
		{"deep", `{"room":"builds","text":"green","x":` + strings.Repeat("[", 500), nil, 400, `unknown field "x"`},
		{"deep in a field", `{"room":"builds","text":` + strings.Repeat("[", 500), nil, 400, "deeper than 16"},
		{"NaN", `{"room":"builds","text":NaN}`, nil, 400, "a value is expected"},
		{"no JSON", "room", nil, 400, "invalid character"},
		{"nothing", "", nil, 400, "the text ends"},
		{"a list", "[]", nil, 400, "expected an object"},
		{"two objects", good + good, nil, 400, "more behind"},
		{"a slip of the finger", `{"rooom":"builds","text":"green"}`, nil, 400, `unknown field "rooom"; known are ["room" "text" "name" "id"]`},
		{"a number", `{"room":"builds","text":7}`, nil, 400, `"text" must be a string, not a number`},
		{"a key twice", `{"room":"builds","text":"green","text":"red"}`, nil, 400, `"text" stands there twice, at byte 32`},
		{"a key twice, one escaped", `{"room":"builds","text":"green","te\u0078t":"red"}`, nil, 400, `"text" stands there twice`},
		{"a key twice in other case", `{"room":"builds","text":"green","TEXT":"red"}`, nil, 400, `"TEXT" stands there twice, the first time as "text"`},
		{"a key in other case", `{"room":"builds","Text":"green"}`, nil, 400, `"Text" is written "text"`},
		{"a number behind it", good + ` 1`, nil, 400, "more behind"},
		{"text in a list", `{"room":"builds","text":["green"]}`, nil, 400, `"text" must be a string, not an array`},
		{"half a surrogate pair", `{"room":"builds","text":"a\ud800"}`, nil, 400, `\ud800 is half of a surrogate pair`},
		{"half a surrogate pair in a room's name", `{"room":"\udc00","text":"green"}`, nil, 400, `\udc00 is half of a surrogate pair`},
		{"a text that cannot be seen", `{"room":"builds","text":" \u200b\n\ufeff"}`, nil, 422, "be seen"},
		{"an id that is null", `{"room":"builds","text":"green","id":null}`, nil, 200, ""},
		{"not UTF-8", "{\"room\":\"builds\",\"text\":\"\xff\"}", nil, 400, "UTF-8"},
		{"no room", `{"text":"green"}`, nil, 422, "room"},
		{"a broker's wildcard", `{"room":"a.*","text":"green"}`, nil, 422, "wildcard"}, // row 91
		{"no text", `{"room":"builds"}`, nil, 422, "empty"},
		{"a long text", `{"room":"builds","text":"` + strings.Repeat("x", 1001) + `"}`, nil, 422, "1000"},
		{"a long body", `{"room":"builds","text":"` + strings.Repeat("x", 2001) + `"}`, nil, 413, "-max-message"},
		{"a name that hides", `{"room":"builds","text":"green","name":"a\u202eb"}`, nil, 400, "U+202E"},
		{"a long id", `{"room":"builds","text":"green","id":"` + strings.Repeat("x", 65) + `"}`, nil, 400, "64 bytes"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			status, answer := post(t, p, tt.body, tt.header...)
			if status != tt.status || !strings.Contains(answer["text"], tt.text) {
				t.Errorf("%d %v, want %d with %q", status, answer, tt.status, tt.text)
			}
		})
	}
	resp, err := http.Get(p.url + "/publish")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != 405 || resp.Header.Get("Allow") != "POST" {
		t.Errorf("GET: %s", resp.Status)
	}
	p.wantLine(t, "publish refused", `"status":401`, `"remote":"127.0.0.1"`)
}

func TestPublishIsOffWithoutAKey(t *testing.T) {
	p := start(t)
	if status, _, body := get(t, p.url+"/publish"); status != 404 || !strings.Contains(body, "-publish-key-file") {
		t.Errorf("%d %s", status, body)
	}
}
