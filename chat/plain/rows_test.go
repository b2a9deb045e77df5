package plain

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"framewright/chat"
	"framewright/ws"
)

func (w *world) in(room string, name string) *client {
	w.t.Helper()
	c := w.hello(name)
	c.join(room, "")
	return c
}

func (c *client) join(room, since string) map[string]any {
	c.t.Helper()
	r, _ := json.Marshal(map[string]string{"type": "join", "room": room, "since": since})
	c.send(string(r))
	return c.want("joined")
}

// What chats on the open internet get to see, by the numbers under which this
// project lists it. Those that are not here have tests of their own: 70
// TestSlowReaderIsClosed, 72 TestNoHelloInTime, 76 TestBinaryCloses, 77 to 79
// TestBadRequests and TestFifthBadRequestCloses, 83 and 93
// TestWhatIsSaidIsPassedOnAsItIs; 82 in package chat, TestConfusableNames. 71,
// 74 and 75 are the connection's and the server's.
func TestRows(t *testing.T) {
	for _, tt := range []struct {
		name string
		o    chat.Options
		f    func(t *testing.T, w *world)
	}{
		{"73 a flood of empty messages", chat.Options{}, func(t *testing.T, w *world) {
			c := w.hello("Ada")
			for range 5 {
				c.send("")
				c.wantError("empty", CodeBadRequest)
			}
			c.wantClose("the fifth", ws.CodePolicyViolation)
		}},
		{"80 a nick or a room over 32 characters", chat.Options{}, func(t *testing.T, w *world) {
			c := w.dial()
			c.send(`{"type":"hello","name":"` + strings.Repeat("ä", 33) + `"}`)
			c.wantError("33", chat.CodeBadName)
			c.send(`{"type":"hello","name":"` + strings.Repeat("ä", 32) + `"}`)
			c.want("welcome")
			c.send(`{"type":"join","room":"` + strings.Repeat("ä", 33) + `"}`)
			c.wantError("33", chat.CodeBadRoom)
			c.join(strings.Repeat("ä", 32), "")
		}},
		{"81 characters that cannot be seen", chat.Options{}, func(t *testing.T, w *world) {
			c := w.dial()
			for _, bad := range []string{`a\u0000b`, `a\u202eb`, `a\u200bb`, `a\u2066b`, `\ufeffa`, `a\u00adb`, `a\u0085b`} {
				c.send(`{"type":"hello","name":"` + bad + `"}`)
				c.wantError(bad, chat.CodeBadName)
			}
			c.send(`{"type":"hello","name":"Ada"}`)
			c.want("welcome")
			for _, bad := range []string{`a\u0000b`, `a\u202eb`, `a\u200bb`} {
				c.send(`{"type":"join","room":"` + bad + `"}`)
				c.wantError(bad, chat.CodeBadRoom)
			}
		}},
		{"82 a taken name in other letters", chat.Options{}, func(t *testing.T, w *world) {
			w.hello("Ada")
			c := w.dial()
			for _, name := range []string{"ADA", "Аda", "Ａda", "A d a"} {
				c.send(fmt.Sprintf(`{"type":"hello","name":%q}`, name))
				c.wantError(name, chat.CodeNameTaken)
			}
		}},
		{"84 over 128 rooms joined", chat.Options{}, func(t *testing.T, w *world) {
			c := w.hello("Ada")
			for i := range 128 {
				c.join(fmt.Sprint(i), "")
			}
			c.send(`{"type":"join","room":"one more"}`)
			c.wantError("the 129th", chat.CodeTooManyRooms)
			c.send(`{"type":"leave","room":"0"}`)
			c.want("left")
			c.join("one more", "")
		}},
		{"85 a flood of new rooms", chat.Options{MaxRooms: 10, MaxRoomsPerAddress: -1}, func(t *testing.T, w *world) {
			a, b := w.hello("Ada"), w.hello("Bob")
			for i := range 10 {
				a.join(fmt.Sprint(i), "")
			}
			b.send(`{"type":"join","room":"one more"}`)
			b.wantError("the 11th", chat.CodeTooManyRooms)
			b.join("3", "")
		}},
		{"86 a flood of messages", chat.Options{MessageRate: chat.Rate{PerSecond: 5, Burst: 10}}, func(t *testing.T, w *world) {
			c := w.in("lobby", "Ada")
			refused := 0
			for i := 0; ; i++ {
				if i > 1000 {
					t.Fatal("no end")
				}
				c.c.Write(t.Context(), ws.OpText, fmt.Appendf(nil, `{"type":"send","room":"lobby","id":"%d","text":"x"}`, i))
				_, data, err := c.c.Read(t.Context())
				if ce, ok := errors.AsType[*ws.CloseError](err); ok {
					if ce.Code != ws.CodePolicyViolation {
						t.Errorf("closed with %v", ce)
					}
					break
				}
				if text := string(data); strings.Contains(text, `"rate-limited"`) {
					if refused++; !strings.Contains(text, `"retry":200`) && !strings.Contains(text, `"retry":1`) {
						t.Errorf("%s does not say when", text)
					}
				}
			}
			if refused < 50 || refused > 110 {
				t.Errorf("closed after %d refusals, want about 100", refused)
			}
		}},
		{"86 who waits goes on", chat.Options{MessageRate: chat.Rate{PerSecond: 5, Burst: 1}}, func(t *testing.T, w *world) {
			c := w.in("lobby", "Ada")
			for i := range 150 {
				c.send(fmt.Sprintf(`{"type":"send","room":"lobby","id":"%d","text":"x"}`, i))
				m := c.decode(c.read())
				if m["type"] == "error" {
					time.Sleep(time.Duration(m["retry"].(float64)) * time.Millisecond)
					c.send(fmt.Sprintf(`{"type":"send","room":"lobby","id":"%d","text":"x"}`, i))
					m = c.decode(c.read())
				}
				if m["type"] != "ack" {
					t.Fatalf("%v", m)
				}
				c.want("message")
			}
		}},
		{"87 history -1 or 10^9", chat.Options{History: 3}, func(t *testing.T, w *world) {
			c := w.in("lobby", "Ada")
			for i := range 5 {
				c.send(fmt.Sprintf(`{"type":"send","room":"lobby","id":"%d","text":"%d"}`, i, i))
				c.want("ack")
				c.want("message")
			}
			for limit, want := range map[string]int{"-1": 3, "1000000000": 3, "1e9": 3, "1e400": 3, "0": 3, "4": 3, "2": 2, "2.0": 2, "-1e400": 3} {
				c.send(`{"type":"history","room":"lobby","limit":` + limit + `,"id":"r"}`)
				m := c.want("history")
				if ms := m["messages"].([]any); len(ms) != want || m["more"] != true || m["id"] != "r" {
					t.Errorf("limit %s: %v, want %d messages", limit, m, want)
				}
			}
		}},
		{"87 history of something else", chat.Options{}, func(t *testing.T, w *world) {
			c := w.in("lobby", "Ada")
			for _, limit := range []string{`"5"`, `1.5`, `null`, `[]`} {
				c.send(`{"type":"history","room":"lobby","limit":` + limit + `}`)
				c.wantError(limit, CodeBadRequest)
			}
		}},
		{"88 history of a room not joined", chat.Options{}, func(t *testing.T, w *world) {
			w.in("lobby", "Bob")
			c := w.hello("Ada")
			c.send(`{"type":"history","room":"lobby"}`)
			c.wantError("not joined", chat.CodeNotJoined)
		}},
		{"89 tokens expired, altered, foreign", chat.Options{Authenticate: byToken}, func(t *testing.T, w *world) {
			c := w.dial()
			for token, code := range map[string]chat.ErrorCode{"": chat.CodeBadToken, "Ada/1m/altered": chat.CodeBadToken, "Ada/-1s/signed": chat.CodeExpired} {
				c.send(fmt.Sprintf(`{"type":"hello","name":"Ada","token":%q}`, token))
				c.wantError(token, code)
			}
			c.send(`{"type":"hello","name":"whatever","token":"Ada/1m/signed"}`)
			if m := c.want("welcome"); m["you"].(map[string]any)["name"] != "Ada" || m["expires"] == nil || m["expiresIn"] != 60_000.0 {
				t.Errorf("%v", m)
			}
			c.send(`{"type":"refresh","token":"Eve/1m/signed"}`) // replayed by somebody else
			c.wantError("somebody else's", chat.CodeBadToken)
			c.send(`{"type":"refresh","token":"Ada/2m/signed","id":"r"}`)
			if m := c.want("refreshed"); m["id"] != "r" || m["expires"] == nil || m["expiresIn"] != 120_000.0 {
				t.Errorf("%v", m)
			}
			start := time.Now()
			_, data, err := c.c.Read(t.Context())
			if err != nil || c.decode(string(data))["code"] != "expired" {
				t.Errorf("%s, %v; want an error with the code expired", data, err)
			}
			c.wantClose("expired", CloseExpired)
			if d := time.Since(start); d != 2*time.Minute {
				t.Errorf("closed after %v, want 2m", d)
			}
		}},
		{"90 a cursor ahead of the room or of another epoch", chat.Options{}, func(t *testing.T, w *world) {
			c := w.in("lobby", "Ada")
			c.send(`{"type":"send","room":"lobby","id":"1","text":"x"}`)
			cursor := c.want("ack")["cursor"].(string)
			c.want("message")
			for _, since := range []string{cursor + "0", "1" + cursor, "1-1", "-", "0", strings.Repeat("9", 5000), "\x00", "🙂"} {
				if j := c.join("lobby", since); j["recovered"] != false || len(j["messages"].([]any)) != 1 || j["cursor"] != cursor {
					t.Errorf("since %.20q: %v", since, j)
				}
			}
			if j := c.join("lobby", cursor); j["recovered"] != true || len(j["messages"].([]any)) != 0 {
				t.Errorf("%v", j)
			}
		}},
		{"91 wildcards in a room's name", chat.Options{}, func(t *testing.T, w *world) {
			c := w.hello("Ada")
			for _, room := range []string{"*", "a*", ">", "a.>"} {
				c.send(fmt.Sprintf(`{"type":"join","room":%q}`, room))
				c.wantError(room, chat.CodeBadRoom)
			}
		}},
		{"92 the same id again", chat.Options{}, func(t *testing.T, w *world) {
			c := w.in("lobby", "Ada")
			c.send(`{"type":"send","room":"lobby","id":"1","text":"x"}`)
			first := c.want("ack")
			c.want("message")
			c.c.CloseNow()
			c = w.in("lobby", "Ada")
			c.send(`{"type":"send","room":"lobby","id":"1","text":"something else"}`)
			if again := c.want("ack"); fmt.Sprint(again) != fmt.Sprint(first) {
				t.Errorf("got %v, the first time %v", again, first)
			}
			c.send(`{"type":"leave","room":"lobby"}`)
			c.want("left") // and no message before
		}},
		{"94 a session revoked", chat.Options{}, func(t *testing.T, w *world) {
			c := w.hello("Ada")
			w.hub.Kick("", w.hub.Sessions()[0].Person().ID, "revoked")
			c.wantClose("revoked", CloseKicked)
		}},
		{"95 a newline in a name", chat.Options{}, func(t *testing.T, w *world) {
			c := w.dial()
			c.send(`{"type":"hello","name":"Ada\nroot logged in"}`)
			m := c.wantError("newline", chat.CodeBadName)
			var log strings.Builder // whoever logs the text gets one line
			slog.New(slog.NewTextHandler(&log, nil)).Info("refused", "text", m["text"], "name", "Ada\nroot logged in")
			if strings.Count(log.String(), "\n") != 1 {
				t.Errorf("%q", log.String())
			}
		}},
		{"names tried one after the other", chat.Options{}, func(t *testing.T, w *world) {
			w.hello("Ada")
			c := w.dial()
			for range maxHellos {
				c.send(`{"type":"hello","name":"Ada"}`)
				c.wantError("taken", chat.CodeNameTaken)
			}
			c.wantClose("the last try", ws.CodePolicyViolation)
		}},
		{"too many sessions of one person", chat.Options{MaxSessionsPerPerson: 2}, func(t *testing.T, w *world) {
			w.hello("Ada")
			w.hello("Ada")
			c := w.dial()
			c.send(`{"type":"hello","name":"Ada","secret":"secret of Ada, quite long"}`)
			c.wantError("the third", chat.CodeTooManySessions)
		}},
	} {
		t.Run(tt.name, func(t *testing.T) { inBubble(t, tt.o, tt.f) })
	}
}

// byToken authenticates by tokens such as "Ada/1m/signed".
func byToken(_ context.Context, c chat.Credentials) (chat.Identity, error) {
	f := strings.Split(c.Token, "/")
	if len(f) != 3 || f[2] != "signed" {
		return chat.Identity{}, &chat.Error{Code: chat.CodeBadToken, Text: "not a token of this server"}
	}
	d, err := time.ParseDuration(f[1])
	return chat.Identity{Person: chat.Person{ID: "id-" + f[0], Name: f[0]}, Expires: time.Now().Add(d)}, err
}

// What the server's own calls look like on the wire.
func TestModerationOverTheWire(t *testing.T) {
	inBubble(t, chat.Options{}, func(t *testing.T, w *world) {
		ada, bob := w.in("lobby", "Ada"), w.in("lobby", "Bob")
		ada.want("presence")
		ada.send(`{"type":"send","room":"lobby","id":"1","text":"x"}`)
		ack := ada.want("ack")
		ada.want("message")
		m := bob.want("message")
		cursor, err := chat.ParseCursor(m["cursor"].(string))
		if err != nil || ack["cursor"] != m["cursor"] {
			t.Fatal(err, ack, m)
		}
		person := m["from"].(map[string]any)["id"].(string)
		if _, err := w.hub.Delete("lobby", cursor); err != nil {
			t.Fatal(err)
		}
		if d := bob.want("deleted"); d["cursor"] != m["cursor"] || d["room"] != "lobby" {
			t.Errorf("%v", d)
		}
		ada.want("deleted")
		w.hub.Mute("lobby", person, time.Now().Add(time.Minute))
		if d := ada.want("muted"); d["room"] != "lobby" || d["until"] == nil || d["retry"] != 60_000.0 {
			t.Errorf("%v", d)
		}
		ada.send(`{"type":"send","room":"lobby","id":"2","text":"x"}`)
		if e := ada.wantError("muted", chat.CodeMuted); e["retry"].(float64) != 60_000 {
			t.Errorf("%v", e)
		}
		w.hub.Mute("lobby", person, time.Now().Add(-time.Hour))
		if d := ada.want("muted"); d["retry"] != 0.0 {
			t.Errorf("the end of it: %v", d)
		}
		w.hub.Kick("lobby", person, "spam")
		if d := ada.want("left"); d["reason"] != "spam" {
			t.Errorf("%v", d)
		}
		bob.want("presence")
		go w.hub.Drain(t.Context(), 0, time.Second)
		for _, c := range []*client{ada, bob} {
			if d := c.want("restart"); d["retry"].(float64) < 500 || d["retry"].(float64) > 1000 {
				t.Errorf("%v", d)
			}
			c.wantClose("drained", ws.CodeServiceRestart)
		}
	})
}

func TestPrivateOverTheWire(t *testing.T) {
	inBubble(t, chat.Options{}, func(t *testing.T, w *world) {
		ada, tab, bob := w.hello("Ada"), w.hello("Ada"), w.hello("Bob")
		to, err := chat.PersonFromSecret("Bob", "secret of Bob, quite long")
		if err != nil {
			t.Fatal(err)
		}
		ada.send(fmt.Sprintf(`{"type":"private","to":%q,"id":"1","text":"psst"}`, to.ID))
		if a := ada.want("ack"); a["id"] != "1" || a["room"] != nil || a["cursor"] != nil || a["time"] == nil {
			t.Errorf("%v", a)
		}
		for _, c := range []*client{ada, tab, bob} {
			p := c.want("private")
			if p["text"] != "psst" || p["from"].(map[string]any)["name"] != "Ada" || p["to"].(map[string]any)["name"] != "Bob" {
				t.Errorf("%v", p)
			}
		}
		ada.send(`{"type":"private","to":"nobody","id":"2","text":"psst"}`)
		ada.wantError("nobody", chat.CodeNotHere)
	})
}

// A request that waits for a hook does not keep the connection from being read:
// the client's goodbye is heard.
func TestTheReaderHearsAGoodbyeWhileAHookWaits(t *testing.T) {
	o := chat.Options{AllowSend: func(s *chat.Session, room, text string) error {
		<-s.Context().Done()
		return nil
	}}
	inBubble(t, o, func(t *testing.T, w *world) {
		c := w.in("lobby", "Ada")
		c.send(`{"type":"send","room":"lobby","id":"1","text":"x"}`)
		c.send(`{"type":"send","room":"lobby","id":"2","text":"x"}`)
		if err := c.c.Close(t.Context(), ws.CodeNormal, ""); err != nil {
			t.Error(err)
		}
		if err := <-w.over; err != nil {
			t.Errorf("over with %v, want a plain goodbye", err)
		}
	})
}

// Messages that wait go out together, and stay messages.
func TestWhatWaitsGoesOutInOrder(t *testing.T) {
	inBubble(t, chat.Options{}, func(t *testing.T, w *world) {
		c := w.hello("Ada")
		const n = 500
		for i := range n {
			w.hub.Broadcast(chat.Notice{Text: fmt.Sprint(i, strings.Repeat(" x", i))})
		}
		for i := range n {
			if m := c.want("notice"); m["text"] != fmt.Sprint(i, strings.Repeat(" x", i)) {
				t.Fatalf("message %d is %.40v", i, m)
			}
		}
	})
}
