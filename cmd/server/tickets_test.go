package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A client of Socket.IO comes back to a server that was killed, and to one that was ended,
// as who it was: it is told so, and gets each message that it has missed once.
func TestClientsComeBackAfterAKill(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the program, which takes seconds")
	}
	data := t.TempDir()
	const auth = `{"name":"Ada","recover":true`
	p := spawn(t, "-data", data)
	c := ioDial(t, p.url, auth+`}`)
	m := c.want(`40{"sid":"(\w+)","pid":"([\w-]+)"}`)
	sid, pid := m[1], m[2]
	c.want(`42\["message","Welcome, Ada\.","[\w-]+"\]`)
	saying := ioDial(t, p.url, `{"name":"Grace"}`)
	saying.want(`40{"sid":"\w+"}`)
	saying.want(`42\["message","Welcome, Grace\."\]`)
	// say returns when the message is stored.
	say := func(text string) {
		t.Helper()
		write(t, saying.c, `421["message","`+text+`"]`)
		saying.want(`42\["message","` + text + `"\]|431\[\]`)
		saying.want(`42\["message","` + text + `"\]|431\[\]`)
	}
	say("seen")
	place := c.want(`42\["message","seen","([\w-]+)"\]`)[1]
	for _, end := range []string{"kill", "term"} {
		c.c.CloseNow() // before what it is to miss
		say("missed 1, " + end)
		say("missed 2, " + end)
		if end == "kill" {
			p.cmd.Process.Kill()
		} else if err := p.cmd.Process.Signal(os.Interrupt); err != nil {
			t.Skip("no signals here: ", err)
		}
		p.wait(t)
		p = spawn(t, "-data", data)
		c = ioDial(t, p.url, auth+`,"pid":"`+pid+`","offset":"`+place+`"}`)
		c.want(`42\["message","missed 1, ` + end + `","[\w-]+"\]`)
		c.want(`42\["message","missed 2, ` + end + `","[\w-]+"\]`)
		c.want(`40{"sid":"` + sid + `","pid":"` + pid + `"}`)
		saying = ioDial(t, p.url, `{"name":"Grace"}`)
		saying.want(`40{"sid":"\w+"}`)
		saying.want(`42\["message","Welcome, Grace\."\]`)
		write(t, c.c, `42["message","still Ada, `+end+`"]`)
		place = c.want(`42\["message","still Ada, ` + end + `","([\w-]+)"\]`)[1] // and nothing twice before
		saying.want(`42\["message","still Ada, ` + end + `"\]`)
	}
	thief := ioDial(t, p.url, auth+`,"pid":"`+pid[:len(pid)-4]+`AAAA","offset":"`+place+`"}`)
	if m := thief.want(`40{"sid":"(\w+)","pid":"([\w-]+)"}`); m[1] == sid {
		t.Error("a ticket that nobody has made was taken")
	}
}

// The key is made once, for the user alone, and one that is none is refused.
func TestTicketKey(t *testing.T) {
	dir := t.TempDir()
	first, err := ticketKey(dir)
	if err != nil {
		t.Fatal(err)
	}
	again, err := ticketKey(dir)
	if err != nil || !bytes.Equal(first, again) {
		t.Errorf("the key is another one the second time: %v", err)
	}
	files, err := os.ReadDir(dir)
	if err != nil || len(files) != 1 {
		t.Errorf("the folder has %v, %v; want the key alone", files, err)
	}
	name := filepath.Join(dir, ticketKeyName)
	for _, bad := range []string{"", "short", strings.Repeat("x", 33)} {
		if err := os.WriteFile(name, []byte(bad), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := ticketKey(dir); err == nil || !strings.Contains(err.Error(), "expected a key of 32 bytes") {
			t.Errorf("%q: got %v", bad, err)
		}
	}
	if _, err := ticketKey(filepath.Join(dir, "nowhere")); err == nil {
		t.Error("a key was made in a folder that there is not")
	}
}
