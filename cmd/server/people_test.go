package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"framewright/chat"
	"framewright/chat/token"
)

// What an operator has deleted is gone from every client that had it, also from
// one that was cut off meanwhile, and stays so when the process is killed.
func TestDeletedStaysDeleted(t *testing.T) {
	key := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(key, []byte(adminKey), 0o600); err != nil {
		t.Fatal(err)
	}
	args := []string{"-admin-key-file", key, "-publish-key", testKey, "-data", t.TempDir(), "-drain", "500ms"}
	proc := spawn(t, args...)
	p := &program{url: proc.url}
	ada, bob := chatDial(t, p.url), ioDial(t, p.url, `{"name":"Bob","recover":true}`)
	ids := bob.want(`40{"sid":"(\w+)","pid":"([\w-]+)"}`)
	bob.want(`42\["message","Welcome, Bob.*`)
	write(t, ada, `{"type":"hello","name":"Ada","secret":"0123456789abcdef"}`)
	until(t, ada, "welcome")
	write(t, ada, `{"type":"join","room":"lobby"}`)
	until(t, ada, "joined")
	say := func(id, text string) string {
		write(t, ada, `{"type":"send","room":"lobby","id":"`+id+`","text":"`+text+`"}`)
		until(t, ada, `"ack"`, `"`+id+`"`)
		return bob.want(`42\["message","` + text + `","(\S+)"\]`)[1]
	}
	rude, after := say("1", "something rude"), say("2", "after it")

	bob.c.CloseNow() // cut
	gone := func(count float64) {
		t.Helper()
		if n := p.must(t, "delete", `{"room":"lobby","cursor":"`+rude+`"}`)["count"]; n != count {
			t.Errorf("%v were deleted, want %v", n, count)
		}
	}
	gone(1)
	until(t, ada, `"type":"deleted"`, rude)
	gone(0)
	bob = ioDial(t, p.url, `{"name":"Bob","recover":true,"pid":"`+ids[2]+`","offset":"`+after+`"}`)
	bob.want(`42\["deleted",{"place":"` + rude + `"}\]`)
	bob.want(`40{"sid":"` + ids[1] + `","pid":"` + ids[2] + `"}`)

	proc.cmd.Process.Kill()
	proc.wait(t)
	proc = spawn(t, args...)
	p.url = proc.url
	if said := fmt.Sprint(p.must(t, "messages?room=lobby", "")); strings.Contains(said, "rude") || !strings.Contains(said, "after it") {
		t.Error(said)
	}
	ada = chatDial(t, p.url)
	write(t, ada, `{"type":"hello","name":"Ada","secret":"0123456789abcdef"}`)
	until(t, ada, "welcome")
	write(t, ada, `{"type":"join","room":"lobby","since":"`+after+`"}`)
	if j := until(t, ada, "joined"); strings.Contains(j, "rude") || !strings.Contains(j, `"deleted":["`+rude+`"]`) || !strings.Contains(j, `"recovered":true`) {
		t.Error(j)
	}
	// Saying it again by the same id does not bring it back.
	write(t, ada, `{"type":"send","room":"lobby","id":"1","text":"something rude"}`)
	if ack := until(t, ada, `"ack"`); !strings.Contains(ack, rude) {
		t.Error(ack)
	}
	write(t, ada, `{"type":"history","room":"lobby"}`)
	if h := until(t, ada, `"history"`); strings.Contains(h, "rude") || !strings.Contains(h, "after it") {
		t.Error(h)
	}
	gone(0)

	// Nor does publishing it again, which is answered as before.
	const news = `{"room":"news","text":"something wrong","id":"n-1"}`
	_, first := post(t, p, news)
	p.must(t, "delete", `{"room":"news","cursor":"`+first["cursor"]+`"}`)
	if status, again := post(t, p, news); status != 200 || again["cursor"] != first["cursor"] {
		t.Errorf("%d %v, want %v", status, again, first)
	}
	if said := fmt.Sprint(p.must(t, "messages?room=news", "")); strings.Contains(said, "wrong") {
		t.Error(said)
	}
}

// An account takes its name from guests on every transport at once: from one that
// is there, and from one that was cut off and comes back.
func TestAccountTakesItsNameOnEveryTransport(t *testing.T) {
	const secret = "a key that both ends have, long enough."
	file := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(file, []byte(secret), 0o600); err != nil {
		t.Fatal(err)
	}
	p := start(t, "-token-key-file", file, "-drain", "500ms")
	zoe := token.Key(secret).Sign(chat.Person{ID: "u17", Name: "Zoe"}, time.Now().Add(time.Hour))
	ada, bob := token.Key(secret).Sign(chat.Person{ID: "u18", Name: "Ada"}, time.Now().Add(time.Hour)), chatDial(t, p.url)
	write(t, bob, `{"type":"hello","name":"Ada","secret":"0123456789abcdef"}`)
	until(t, bob, "welcome")
	write(t, bob, `{"type":"join","room":"lobby"}`)
	until(t, bob, "joined")
	cut := ioDial(t, p.url, `{"name":"Zoe","secret":"another secret of its own","recover":true}`)
	ids := cut.want(`40{"sid":"(\w+)","pid":"([\w-]+)"}`)
	place := cut.want(`42\["message","Welcome, Zoe.","(\S+)"\]`)[1]
	until(t, bob, "presence", "Zoe")
	cut.c.CloseNow()

	// Over Socket.IO, from a guest of the other; and the other way round.
	ioDial(t, p.url, `{"token":"`+ada+`"}`).want(`40{.*`)
	if e := until(t, bob, `"type":"renamed"`); !strings.Contains(e, `"name":"Ada-2"`) {
		t.Error(e)
	}
	holder := chatDial(t, p.url)
	write(t, holder, `{"type":"hello","name":"","token":"`+zoe+`"}`)
	if e := until(t, holder, "welcome"); !strings.Contains(e, `"id":"u17","name":"Zoe","account":true`) {
		t.Error(e)
	}
	cut = ioDial(t, p.url, `{"name":"Zoe","secret":"another secret of its own","recover":true,"pid":"`+ids[2]+`","offset":"`+place+`"}`)
	cut.want(`42\["renamed",{"name":"Zoe-2",.*"was":"Zoe"}\]`)
	cut.want(`40{"sid":"` + ids[1] + `","pid":"` + ids[2] + `"}`)
	// It writes by the name that it has now.
	write(t, cut.c, `42["message","here again"]`)
	if e := until(t, bob, "here again"); !strings.Contains(e, `"name":"Zoe-2"`) || strings.Contains(e, "account") {
		t.Error(e)
	}
	// A private word reaches it by its id, which stays.
	guest, _ := chat.PersonFromSecret("", "another secret of its own")
	write(t, bob, `{"type":"private","to":"`+guest.ID+`","id":"p1","text":"psst"}`)
	if e := until(t, bob, `"type":"private"`); !strings.Contains(e, `"name":"Ada-2"`) || !strings.Contains(e, `"name":"Zoe-2"`) {
		t.Error(e)
	}
	// And nobody is that guest by a token.
	forged := token.Key(secret).Sign(chat.Person{ID: guest.ID, Name: "Zoe"}, time.Now().Add(time.Hour))
	eve := chatDial(t, p.url)
	write(t, eve, `{"type":"hello","name":"","token":"`+forged+`"}`)
	until(t, eve, "bad-token", "as the ids of guests do")
}

// Key files as editors and shells leave them: what is not the key does not
// become a part of it without a word.
func TestKeyFiles(t *testing.T) {
	const key = "0123456789abcdef0123456789abcdef"
	utf16 := func(s string) string { return "\xff\xfe" + strings.Join(strings.Split(s, ""), "\x00") + "\x00" }
	for _, setting := range []string{"token-key-file", "publish-key-file", "admin-key-file"} {
		for _, tt := range []struct{ name, text, want string }{
			{"bare", key, ""}, {"a line", key + "\n", ""}, {"a line of Windows", key + "\r\n", ""}, {"empty lines around", "\n\n " + key + "\t\r\n\n", ""},
			{"empty", "", "a key of at least"}, {"blank", "\n \n", "a key of at least"}, {"short", "0123456789abcde\n", "a key of at least"}, {"long", strings.Repeat("x", 4097), "at most 4096"},
			{"a byte order mark", "\ufeff" + key, "byte order mark (UTF-8)"}, {"UTF-16", utf16(key), "byte order mark (UTF-16)"},
			{"two lines", key + "\n" + key, "several lines"}, {"NUL", key + "\x00" + key, "a control character"}, {"escape", "\x1b[0m" + key, "a control character"},
		} {
			path := filepath.Join(t.TempDir(), "key")
			if err := os.WriteFile(path, []byte(tt.text), 0o600); err != nil {
				t.Fatal(err)
			}
			want := tt.want
			if setting == "token-key-file" && strings.Contains("several lines, a control character", want) {
				want = "" // any bytes do for a signature
			}
			_, err := parseSettings([]string{"-memory", "-" + setting, path}, nil, io.Discard)
			if (err == nil) != (want == "") || err != nil && (!strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), setting)) {
				t.Errorf("%s, %s: %v, want %q", setting, tt.name, err, want)
			}
		}
	}
	if _, err := parseSettings([]string{"-memory"}, []string{"FRAMEWRIGHT_PUBLISH_KEY=" + key + "\n"}, io.Discard); err == nil || !strings.Contains(err.Error(), "FRAMEWRIGHT_PUBLISH_KEY") {
		t.Error(err)
	}
}
