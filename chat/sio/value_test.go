package sio

import (
	"context"
	"encoding/json"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"

	"framewright/chat"
	"framewright/socketio"
	"framewright/ws"
)

// What is no text goes to everybody as it is, and to clients of another transport
// as JSON; they can send such a message, too.
func TestValues(t *testing.T) {
	inBubbleWith(t, chat.Options{MaxText: 200}, &Options{Values: true}, func(t *testing.T, w *world) {
		native := w.open("/ws")
		n := &client{t, native.c}
		n.send(`{"type":"hello","name":"Ada"}`)
		n.wantJSON("welcome")
		n.send(`{"type":"join","room":"lobby"}`)
		n.wantJSON("joined")
		c := w.dial(`{"name":"Grace"}`)
		c.want(`40{"sid":"\w+"}`)
		c.want(`42\["message","Welcome, Grace\."\]`)
		for sent, got := range map[string]string{
			`{"data":"hi <b>", "n":[1,{"a":null}]}`: `{"data":"hi <b>","n":[1,{"a":null}]}`,
			`[1,2.50,"x"]`:                          `[1,2.50,"x"]`,
			`12345678901234567890`:                  `12345678901234567890`,
			`true`:                                  `true`,
			`"text"`:                                `"text"`,
			`"{\"a\":1}"`:                           `"{\"a\":1}"`,
			`{"_placeholder":true,"num":0}`:         `{"_placeholder":true,"num":0}`,
		} {
			c.send(`427["message",` + sent + `]`)
			c.wantEach(`42\["message",`+regexp.QuoteMeta(got)+`\]`, `437\[\]`)
			said := n.wantJSON("message")["text"]
			var text any = got
			if strings.HasPrefix(got, `"`) {
				_ = json.Unmarshal([]byte(got), &text)
			}
			if said = strings.ReplaceAll(said.(string), ", ", ","); said != text {
				t.Errorf("the native client got %v, want %v", said, text)
			}
		}
		for range 2 {
			c.send(`428["message",{"once":1},"my id"]`)
		}
		c.wantEach(`42\["message",{"once":1}\]`, `438\[\]`, `438\[\]`)
		for sent, want := range map[string]string{
			`null`: "must not be empty", `{"data":"` + strings.Repeat("x", 300) + `"}`: "at most 200 bytes", `{"a":"\ud800"}`: "surrogate",
			`{"a":1},5`: "argument 2",
		} {
			c.send(`429["message",` + sent + `]`)
			c.want(`439\[{"error":".*` + want + `.*}\]`)
		}
		c.send(`451-9["message",{"a":{"_placeholder":true,"num":0}}]`)
		if err := c.c.Write(t.Context(), ws.OpBinary, []byte("bytes")); err != nil {
			t.Fatal(err)
		}
		c.want(`439\[{"error":"argument 1: bytes, .*}\]`)

		n.send(`{"type":"send","room":"lobby","id":"json:1","text":"{\"from\":\"Ada\"}"}`)
		c.want(`42\["message",{"from":"Ada"}\]`)
		n.send(`{"type":"send","room":"lobby","id":"json:2","text":"{\"broken\""}`)
		c.want(`42\["message","{\\"broken\\""\]`)
		n.send(`{"type":"send","room":"lobby","id":"json:3","text":"` + strings.Repeat("[", 40) + strings.Repeat("]", 40) + `"}`)
		c.want(`42\["message","\[{40}\]{40}"\]`)
	})
}

// Whom the program knows again is the same guest, and nobody else is.
func TestSecret(t *testing.T) {
	known := func(_ context.Context, s *socketio.Socket, name string) string {
		if who := s.Request().URL.Query().Get("who"); who != "" {
			return "the secret of " + who + " as " + name
		}
		return ""
	}
	inBubbleWith(t, chat.Options{}, &Options{Secret: known}, func(t *testing.T, w *world) {
		name := func(who, auth string) string {
			c := w.open("/socket.io/?EIO=4&transport=websocket&who=" + who)
			c.read()
			c.send("40" + auth)
			c.want(`40{"sid":"\w+"}`)
			return c.want(`42\["message","Welcome, (.+)\."\]`)[1]
		}
		first := name("ada", "")
		for _, tt := range []struct {
			who, auth string
			same      bool
		}{
			{"ada", "", true}, {"grace", "", false}, {"", "", false}, {"ada", `{"secret":"a secret of the client's own"}`, false},
		} {
			if got := name(tt.who, tt.auth); (got == first) != tt.same {
				t.Errorf("%+v: %s, and before %s", tt, got, first)
			}
		}
		// Nobody knows yet that the connection before is gone.
		if a, b := name("ada", `{"name":"Ada"}`), name("ada", `{"name":"Ada"}`); a != "Ada" || b != "Ada" {
			t.Errorf("one who was known is called %s and %s", a, b)
		}
		if got := name("grace", `{"name":"Ada"}`); got == "Ada" {
			t.Error("another has taken the name")
		}
	})
}

// A server that does not greet sends what is said from the beginning on.
func TestNoGreeting(t *testing.T) {
	inBubble(t, chat.Options{Welcome: func(chat.Person) string { return "" }}, func(t *testing.T, w *world) {
		c := w.dial(`{"name":"Ada","recover":true}`)
		m := c.want(`40{"sid":"(\w+)","pid":"([\w-]+)"}`)
		synctest.Wait() // it is in the room
		c.c.CloseNow()
		other := w.dial("")
		other.want(`40{"sid":"\w+"}`)
		other.send(`421["message","missed"]`)
		other.wantEach(`42\["message","missed"\]`, `431\[\]`)
		c = w.dial(`{"name":"Ada","recover":true,"pid":"` + m[2] + `"}`)
		c.want(`42\["message","missed","[0-9a-z-]+"\]`)
		c.want(`40{"sid":"` + m[1] + `","pid":"` + m[2] + `"}`)
	})
}
