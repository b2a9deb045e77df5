package sio

import (
	"errors"
	"strings"
	"sync/atomic"
	"testing"

	"framewright/chat"
)

// Clients of both transports are in one room, and hear the same.
func TestOneRoomOfBothTransports(t *testing.T) {
	inBubble(t, chat.Options{}, func(t *testing.T, w *world) {
		native := w.open("/ws")
		native.send(`{"type":"hello","name":"Ada"}`)
		native.wantJSON("welcome")
		native.send(`{"type":"join","room":"lobby"}`)
		native.wantJSON("joined")

		grace := w.dial(`{"name":"Grace"}`)
		grace.want(`40{"sid":"\w+"}`)
		grace.want(`42\["message","Welcome, Grace\."\]`)
		if m := native.wantJSON("presence"); m["who"].(map[string]any)["name"] != "Grace" || m["here"] != true {
			t.Errorf("the lobby was told %v", m)
		}
		guest := w.dial("")
		guest.want(`40{"sid":"\w+"}`)
		guest.want(`42\["message","Welcome, guest \w+\."\]`) // and Grace gets none of it

		grace.send(`42["message","from Grace"]`)
		for _, c := range []*client{grace, guest} {
			c.want(`42\["message","from Grace"\]`)
		}
		if m := native.wantJSON("message"); m["text"] != "from Grace" || m["from"].(map[string]any)["name"] != "Grace" {
			t.Errorf("the native page got %v", m)
		}
		native.send(`{"type":"send","room":"lobby","id":"1","text":"<b>from Ada</b>"}`)
		for _, c := range []*client{grace, guest} {
			c.want(`42\["message","<b>from Ada</b>"\]`)
		}

		// The same message again, as after an acknowledgement that was lost.
		for range 2 {
			guest.send(`421["message","once","id 1"]`)
		}
		guest.wantEach(`42\["message","once"\]`, `431\[\]`, `431\[\]`)
		guest.send(`422["message",""]`)
		guest.want(`432\[{"error":"a message must not be empty","data":{"code":"bad-message"}}\]`)
		guest.send(`423["message",{"text":"x"}]`)
		guest.want(`433\[{"error":"argument 1: .*"}\]`)
		guest.send(`42["message","after all that"]`)
		guest.want(`42\["message","after all that"\]`)

		bad := w.dial(`{"name":"` + strings.Repeat("x", 100) + `"}`)
		bad.want(`44{"message":"a name may have at most 32 characters","data":{"code":"bad-name"}}`)
		taken := w.dial(`{"name":"Grace","secret":"a secret that is long enough"}`)
		taken.want(`44{"message":"the name \\"Grace\\" is taken.*","data":{"code":"name-taken"}}`)
		again := w.dial(`{"name":"Grace"}`)
		again.want(`40{"sid":"\w+"}`)
		again.want(`42\["message","Welcome, Grace \w{4}\."\]`)
	})
}

// A client that is cut, and has asked for it, goes on where it was in the room.
func TestRecovers(t *testing.T) {
	inBubble(t, chat.Options{}, func(t *testing.T, w *world) {
		other := w.dial("")
		other.want(`40{"sid":"\w+"}`)
		other.want(`42\["message","Welcome.*"\]`)
		say := func(text string) {
			other.send(`421["message","` + text + `"]`)
			other.wantEach(`42\["message","`+text+`"\]`, `431\[\]`)
		}
		say("before")
		c := w.dial(`{"name":"Ada","recover":true}`)
		m := c.want(`40{"sid":"(\w+)","pid":"([\w-]+)"}`)
		sid, pid := m[1], m[2]
		place := c.want(`42\["message","Welcome, Ada\.","([0-9a-z-]+)"\]`)[1]
		back := func(missed ...string) {
			t.Helper()
			c.c.CloseNow()
			for _, text := range missed {
				say(text)
			}
			c = w.dial(`{"name":"Ada","recover":true,"pid":"` + pid + `","offset":"` + place + `"}`)
			for _, text := range missed {
				place = c.want(`42\["message","` + text + `","([0-9a-z-]+)"\]`)[1]
			}
			c.want(`40{"sid":"` + sid + `","pid":"` + pid + `"}`)
		}
		back("missed one", "missed two") // has received nothing but the welcome
		say("live")
		place = c.want(`42\["message","live","([0-9a-z-]+)"\]`)[1]
		back()
		back("missed three")
		c.send(`42["message","still Ada"]`)
		c.want(`42\["message","still Ada","[0-9a-z-]+"\]`)
		other.want(`42\["message","still Ada"\]`)

		place = "not a place"
		c.c.CloseNow()
		c = w.dial(`{"name":"Ada","recover":true,"pid":"` + pid + `","offset":"` + place + `"}`)
		if m := c.want(`40{"sid":"(\w+)","pid":"([\w-]+)"}`); m[1] == sid || m[2] == pid {
			t.Error("recovered from nowhere")
		}
		c.want(`42\["message","Welcome, Ada.*"\]`)
	})
}

// Who has missed more than there is to catch up on is not told that it has
// missed nothing.
func TestMissedTooMuch(t *testing.T) {
	inBubble(t, chat.Options{Resume: 1}, func(t *testing.T, w *world) {
		other := w.dial("")
		other.want(`40{"sid":"\w+"}`)
		other.want(`42\["message","Welcome.*"\]`)
		c := w.dial(`{"recover":true}`)
		m := c.want(`40{"sid":"(\w+)","pid":"([\w-]+)"}`)
		place := c.want(`42\["message","Welcome.*","([0-9a-z-]+)"\]`)[1]
		c.c.CloseNow()
		for range 3 {
			other.send(`421["message","missed"]`)
			other.wantEach(`42\["message","missed"\]`, `431\[\]`)
		}
		c = w.dial(`{"recover":true,"pid":"` + m[2] + `","offset":"` + place + `"}`)
		if again := c.want(`40{"sid":"(\w+)","pid":"([\w-]+)"}`); again[1] == m[1] || again[2] == m[2] {
			t.Error("recovered, without what was missed")
		}
		c.want(`42\["message","Welcome.*"\]`)
	})
}

// A store that cannot be read for a moment sends nobody away for good: a client
// comes back by itself if its connection is closed, and not if it is
// disconnected.
func TestStoreFails(t *testing.T) {
	store := &unreadable{Store: new(chat.Memory)}
	inBubble(t, chat.Options{Store: store}, func(t *testing.T, w *world) {
		store.failing.Store(true)
		c := w.dial("")
		c.want(`40{"sid":"\w+"}`)
		if got := c.ends(); got != "" && got != "1" { // Engine.IO's close packet
			t.Fatalf("got %s, want the end", got)
		}
		store.failing.Store(false)
		c = w.dial("")
		c.want(`40{"sid":"\w+"}`)
		c.want(`42\["message","Welcome, guest \w+\."\]`)
		c.c.CloseNow()
	})
}

// ends returns what comes before the connection's end.
func (c *client) ends() (got string) {
	for {
		_, data, err := c.c.Read(c.t.Context())
		if err != nil {
			return got
		}
		got += string(data)
	}
}

// An unreadable is a store that cannot be read now and then.
type unreadable struct {
	chat.Store
	failing atomic.Bool
}

func (u *unreadable) Read(room string, q chat.Query) (chat.Page, error) {
	if u.failing.Load() {
		return chat.Page{}, errors.New("not now")
	}
	return u.Store.Read(room, q)
}

// What the native protocol refuses, this way in refuses, too.
func TestReadsStrictly(t *testing.T) {
	inBubble(t, chat.Options{}, func(t *testing.T, w *world) {
		for auth, want := range map[string]string{
			`{"name":"Ada","name":"Eve"}`: `stands there twice`,
			`{"name":"Ada","NAME":"Eve"}`: `stands there twice`,
			`{"Name":"Ada"}`:              `is written`,
			`{"name":7}`:                  `must be a string`,
			`{"name":"a\ud800"}`:          `surrogate`,
			`{"recover":"yes"}`:           `true or false`,
		} {
			w.dial(auth).want(`44{"message":"auth: .*` + want + `.*}`)
		}
		c := w.dial(`{"name":"Ada","extra":[1]}`)
		c.want(`40{"sid":"\w+"}`)
		c.want(`42\["message","Welcome, Ada\."\]`)
		for text, want := range map[string]string{`"a\ud800b"`: "surrogate", `" \u200b"`: "be seen", `{}`: "string|something else"} {
			c.send(`421["message",` + text + `]`)
			c.want(`431\[{.*(` + want + `).*}\]`)
		}
	})
}

// What an operator does to a session reaches a Socket.IO client.
func TestOperator(t *testing.T) {
	inBubble(t, chat.Options{}, func(t *testing.T, w *world) {
		c := w.dial(`{"name":"Ada"}`)
		c.want(`40{"sid":"\w+"}`)
		c.want(`42\["message","Welcome, Ada\."\]`)
		w.hub.Broadcast(chat.Notice{Text: "soon"})
		c.want(`42\["notice",{"text":"soon"}\]`)
		for _, s := range w.hub.Sessions() {
			if _, ok := s.Codec().(Codec); !ok {
				t.Errorf("%T is not this package's codec", s.Codec())
			}
			s.Kick("enough")
		}
		c.want(`42\["notice",{"text":"You were removed by an operator: enough\."}\]`)
		c.want(`41`) // and stays away
	})
}
