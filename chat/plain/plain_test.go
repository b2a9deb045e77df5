package plain

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"framewright/chat"
	"framewright/ws"
	"framewright/ws/wsnet"
	"framewright/ws/wstest"
)

// world is a chat server in memory.
type world struct {
	t    *testing.T
	hub  *chat.Hub
	srv  *wsnet.Server
	l    *wstest.Listener
	over chan error // why each session was over
}

// inBubble runs f with a server, under fake time. The bubble does not end
// before every goroutine has, so each test is one for leaks, too.
func inBubble(t *testing.T, o chat.Options, f func(t *testing.T, w *world)) {
	t.Helper()
	withOptions(t, o, nil, f)
}

// withOptions is inBubble with options of the protocol's.
func withOptions(t *testing.T, o chat.Options, po *Options, f func(t *testing.T, w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := &world{t: t, l: wstest.NewListener(), over: make(chan error, 100)}
		o.Disconnected = func(_ *chat.Session, reason error) { w.over <- reason }
		o.PresenceGrace = cmp.Or(o.PresenceGrace, -1)
		w.hub = chat.New(o)
		w.srv = wsnet.Handler(Handler(w.hub, po))
		w.srv.Options.Subprotocols = []string{Subprotocol}
		w.srv.Options.PingInterval = -1
		w.srv.Logger = slog.New(slog.DiscardHandler) // a test panics on purpose
		hs := &http.Server{Handler: w.srv}
		go hs.Serve(w.l)
		t.Cleanup(func() { // also after a failure: the bubble waits for its goroutines
			ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
			defer cancel()
			if err := w.srv.Shutdown(ctx); err != nil {
				t.Error(err)
			}
			w.hub.Close()
			hs.Close()
		})
		f(t, w)
	})
}

type client struct {
	t *testing.T
	c *wsnet.Conn
}

func (w *world) dial() *client {
	w.t.Helper()
	c, err := wsnet.Dial(w.t.Context(), "ws://chat.test/", &wsnet.DialOptions{
		Options:    wsnet.Options{Subprotocols: []string{Subprotocol}, PingInterval: -1, MaxMessage: -1},
		HTTPClient: w.l.Client(),
	})
	if err != nil {
		w.t.Fatal(err)
	}
	if c.Subprotocol() != Subprotocol {
		w.t.Fatalf("subprotocol %q", c.Subprotocol())
	}
	w.t.Cleanup(func() { c.CloseNow() })
	return &client{w.t, c}
}

func (w *world) hello(name string) *client {
	w.t.Helper()
	c := w.dial()
	c.send(fmt.Sprintf(`{"type":"hello","name":%q,"secret":"secret of %s, quite long"}`, name, name))
	c.want("welcome")
	return c
}

func (c *client) send(text string) {
	c.t.Helper()
	if err := c.c.Write(c.t.Context(), ws.OpText, []byte(text)); err != nil {
		c.t.Fatalf("sending %.200s: %v", text, err)
	}
}

func (c *client) read() string {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), time.Second)
	defer cancel()
	_, data, err := c.c.Read(ctx)
	if err != nil {
		c.t.Fatalf("nothing more came: %v", err)
	}
	return string(data)
}

// want reads the next message, which must be of the given type.
func (c *client) want(typ string) map[string]any {
	c.t.Helper()
	text := c.read()
	m := c.decode(text)
	if m["type"] != typ {
		c.t.Fatalf("got %s, want a message of type %s", text, typ)
	}
	return m
}

func (c *client) decode(text string) map[string]any {
	c.t.Helper()
	var m map[string]any
	if err := json.Unmarshal([]byte(text), &m); err != nil {
		c.t.Fatalf("got %s: %v", text, err)
	}
	return m
}

func (c *client) wantError(why string, code chat.ErrorCode) map[string]any {
	c.t.Helper()
	m := c.want("error")
	if m["code"] != string(code) {
		c.t.Fatalf("%s: got %v, want an error with code %s", why, m, code)
	}
	return m
}

func (c *client) wantClose(why string, code ws.Code) (reason string) {
	c.t.Helper()
	_, data, err := c.c.Read(c.t.Context())
	ce, ok := errors.AsType[*ws.CloseError](err)
	if !ok || ce.Code != code {
		c.t.Fatalf("%s: got %.200s, %v; want a close with %v", why, data, err, code)
	}
	return ce.Reason
}

// The transcript of PROTOCOL.md, against the real thing.
func TestTranscript(t *testing.T) {
	doc, err := os.ReadFile("PROTOCOL.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(doc), "## A session")
	_, rest, _ = strings.Cut(rest, "```\n")
	script, _, ok := strings.Cut(rest, "```")
	if !ok {
		t.Fatal("PROTOCOL.md has no transcript")
	}
	differing := regexp.MustCompile(`"(cursor|time)":"[^"]*"`)
	inBubble(t, chat.Options{}, func(t *testing.T, w *world) {
		c := w.dial()
		var cursor string // the one that came last
		for line := range strings.Lines(script) {
			line = strings.TrimSpace(line)
			switch text := strings.TrimSpace(line[1:]); line[0] {
			case '>':
				c.send(strings.ReplaceAll(text, "…", cursor))
			case '<':
				raw := c.read()
				if m := regexp.MustCompile(`"cursor":"([^"]*)"`).FindStringSubmatch(raw); m != nil {
					cursor = m[1]
				}
				got := differing.ReplaceAllString(raw, `"$1":"…"`)
				if got != text {
					t.Errorf("PROTOCOL.md says\n%s\nthe server said\n%s", text, got)
				}
			default:
				t.Fatalf("a line of the transcript begins with neither > nor <: %s", line)
			}
		}
	})
}

// A ping is answered with the time of the server, and counts like any request.
func TestPing(t *testing.T) {
	inBubble(t, chat.Options{RequestRate: chat.Rate{PerSecond: 1, Burst: 3}}, func(t *testing.T, w *world) {
		c := w.dial()
		c.send(`{"type":"ping"}`)
		c.wantError("before the hello", CodeBadRequest)
		c.send(`{"type":"hello","name":"Ada"}`)
		welcome := c.want("welcome")
		for _, id := range []string{"", "a", "b"} {
			time.Sleep(time.Millisecond)
			c.send(fmt.Sprintf(`{"type":"ping","id":%q}`, id))
			pong := c.want("pong")
			if got, _ := pong["id"].(string); got != id || pong["time"].(string) <= welcome["time"].(string) {
				t.Errorf("a ping with the id %q, answered: %v; welcomed at %v", id, pong, welcome["time"])
			}
		}
		c.send(`{"type":"ping","id":"c"}`)
		if e := c.wantError("the fourth at once", chat.CodeRateLimited); e["id"] != "c" || e["retry"].(float64) < 1 {
			t.Errorf("%v", e)
		}
		time.Sleep(time.Second)
		c.send(`{"type":"ping","id":"d"}`)
		c.want("pong")
		time.Sleep(time.Second)
		c.send(`{"type":"ping","id":7}`)
		c.wantError("not a string", CodeBadRequest)
	})
}

// Rows 77 to 79 and 93 of the bad input, and their neighbours.
func TestBadRequests(t *testing.T) {
	deep := func(n int) string {
		return `{"type":"typing","room":"lobby","x":` + strings.Repeat("[", n-1) + strings.Repeat("]", n-1) + `}`
	}
	many := `{"type":"typing"`
	for i := range 40 {
		many += fmt.Sprintf(`,"k%d":0`, i)
	}
	for _, tt := range []struct {
		name, text string
		code       chat.ErrorCode // "" for: accepted
	}{
		{"not JSON", `hello`, CodeBadRequest},
		{"empty", ``, CodeBadRequest},
		{"cut off", `{"type":"typing"`, CodeBadRequest},
		{"two objects", `{"type":"typing","room":"lobby"}{}`, CodeBadRequest},
		{"an array", `["typing"]`, CodeBadRequest},
		{"null", `null`, CodeBadRequest},
		{"a string", `"typing"`, CodeBadRequest},
		{"no type", `{}`, CodeBadRequest},
		{"unknown type", `{"type":"dance"}`, CodeBadRequest},
		{"type of another type", `{"type":7}`, CodeBadRequest},
		{"text is null", `{"type":"send","room":"lobby","id":"1","text":null}`, CodeBadRequest},
		{"text is an object", `{"type":"send","room":"lobby","id":"1","text":{}}`, CodeBadRequest},
		{"a key twice", `{"type":"typing","room":"attic","room":"lobby"}`, CodeBadRequest},
		{"a key twice in other case", `{"type":"typing","room":"lobby","ROOM":"attic"}`, CodeBadRequest},
		{"a key in other case", `{"type":"typing","Room":"lobby"}`, CodeBadRequest},
		{"a key twice that nobody knows", `{"type":"typing","room":"lobby","x":1,"X":2}`, CodeBadRequest},
		{"a key with an escape", `{"type":"typing","r\u006fom":"lobby"}`, ""},
		{"nested as deep as may be", deep(16), ""},
		{"nested deeper", deep(17), CodeBadRequest},
		{"nested far deeper", deep(20_000), CodeBadRequest},
		{"forty keys", many + "}", CodeBadRequest},
		{"unknown fields", `{"type":"typing","room":"lobby","x":{"y":[1,{"z":null}]},"n":1e9}`, ""},
		{"half a surrogate pair", `{"type":"send","room":"lobby","id":"1","text":"a\ud800b"}`, CodeBadRequest},
		{"its other half in a room's name", `{"type":"join","room":"\udc00"}`, CodeBadRequest},
		{"half a pair under an unknown key", `{"type":"typing","room":"lobby","x":["\ud83d"]}`, CodeBadRequest},
		{"a limit with a fraction", `{"type":"history","room":"lobby","limit":1.5}`, CodeBadRequest},
		{"a limit in quotes", `{"type":"history","room":"lobby","limit":"1"}`, CodeBadRequest},
		{"hello again", `{"type":"hello","name":"Eve"}`, CodeBadRequest},
		{"an endless id", `{"type":"join","room":"lobby","id":"` + strings.Repeat("x", 65) + `"}`, CodeBadRequest},
		{"not in the room", `{"type":"typing","room":"attic"}`, chat.CodeNotJoined},
		{"a room's name with a control character", `{"type":"join","room":"a\u0000"}`, chat.CodeBadRoom},
		{"a room's name too long", `{"type":"join","room":"` + strings.Repeat("x", 33) + `"}`, chat.CodeBadRoom},
		{"no room", `{"type":"join"}`, chat.CodeBadRoom},
		{"an empty text", `{"type":"send","room":"lobby","id":"1","text":""}`, chat.CodeBadMessage},
		{"no id", `{"type":"send","room":"lobby","text":"x"}`, chat.CodeBadID},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inBubble(t, chat.Options{}, func(t *testing.T, w *world) {
				c := w.hello("Ada")
				c.send(`{"type":"join","room":"lobby"}`)
				c.want("joined")
				c.send(tt.text)
				if tt.code != "" {
					if m := c.wantError(tt.text, tt.code); len(m["text"].(string)) < 10 {
						t.Errorf("%v does not help", m)
					}
				}
				// The connection goes on, and nothing else has come of it.
				c.send(`{"type":"leave","room":"lobby"}`)
				c.want("left")
			})
		})
	}
}

func TestFifthBadRequestCloses(t *testing.T) {
	inBubble(t, chat.Options{}, func(t *testing.T, w *world) {
		c := w.hello("Ada")
		c.send(`{"type":"join","room":""}`) // a refusal, but not a bad request
		c.wantError("a bad room", chat.CodeBadRoom)
		for range 5 {
			c.send(`nonsense`)
			c.wantError("nonsense", CodeBadRequest)
		}
		c.wantClose("after the fifth", ws.CodePolicyViolation)
		if err := <-w.over; err == nil {
			t.Error("the session is over without a reason")
		}
	})
}

func TestFifthBadRequestClosesBeforeHello(t *testing.T) {
	inBubble(t, chat.Options{}, func(t *testing.T, w *world) {
		c := w.dial()
		c.send(`{"type":"join","room":"lobby"}`)
		c.wantError("join first", CodeBadRequest)
		for range 4 {
			c.send(`nonsense`)
			c.wantError("nonsense", CodeBadRequest)
		}
		c.wantClose("after the fifth", ws.CodePolicyViolation)
	})
}

func TestBinaryCloses(t *testing.T) {
	for _, when := range []string{"before hello", "after hello"} {
		t.Run(when, func(t *testing.T) {
			inBubble(t, chat.Options{}, func(t *testing.T, w *world) {
				c := w.dial()
				if when == "after hello" {
					c = w.hello("Ada")
				}
				if err := c.c.Write(t.Context(), ws.OpBinary, []byte(`{"type":"hello","name":"Ada"}`)); err != nil {
					t.Fatal(err)
				}
				c.wantClose("binary", ws.CodeUnsupportedData)
			})
		})
	}
}

func TestHello(t *testing.T) {
	inBubble(t, chat.Options{}, func(t *testing.T, w *world) {
		w.hello("Ada")
		c := w.dial()
		for _, tt := range []struct {
			name, secret string
			code         chat.ErrorCode
		}{
			{"", "", chat.CodeBadName},
			{"a\nb", "", chat.CodeBadName},
			{"Bob", "short", chat.CodeBadSecret},
			{"Bob", strings.Repeat("x", 129), chat.CodeBadSecret},
			{"ADA", "", chat.CodeNameTaken},
			{"ada", "another secret, quite long", chat.CodeNameTaken},
		} {
			hello, _ := json.Marshal(map[string]string{"type": "hello", "name": tt.name, "secret": tt.secret})
			c.send(string(hello))
			c.wantError(string(hello), tt.code)
		}
		c.send(`{"type":"hello","name":"Bob"}`)
		c.want("welcome")
	})
}

func TestNoHelloInTime(t *testing.T) {
	inBubble(t, chat.Options{}, func(t *testing.T, w *world) {
		c := w.dial()
		start := time.Now()
		c.send(`nonsense`) // does not buy time
		c.wantError("nonsense", CodeBadRequest)
		c.wantClose("no hello", ws.CodePolicyViolation)
		if d := time.Since(start); d != 10*time.Second {
			t.Errorf("closed after %v, want 10s", d)
		}
	})
}

// Row 83 and 93: markup is text, and nobody speaks in another's name.
func TestWhatIsSaidIsPassedOnAsItIs(t *testing.T) {
	inBubble(t, chat.Options{}, func(t *testing.T, w *world) {
		ada, bob := w.hello("Ada"), w.hello("Bob")
		bob.send(`{"type":"join","room":"lobby"}`)
		bob.want("joined")
		ada.send(`{"type":"join","room":"lobby"}`)
		ada.want("joined")
		bob.want("presence")
		text := `<script>alert(1)</script> & "quotes" \ 🙂 ` + "\u2028\t\n"
		said, _ := json.Marshal(map[string]any{"type": "send", "room": "lobby", "id": "1", "text": text,
			"from": map[string]string{"id": "x", "name": "Bob"}, "time": "1970-01-01T00:00:00Z", "cursor": "1-1"})
		ada.send(string(said))
		m := bob.want("message")
		if m["text"] != text {
			t.Errorf("text %q, want %q", m["text"], text)
		}
		if from := m["from"].(map[string]any); from["name"] != "Ada" {
			t.Errorf("from %v", from)
		}
		if strings.HasPrefix(m["time"].(string), "1970") || m["cursor"] == "1-1" {
			t.Errorf("time %v and cursor %v are the client's", m["time"], m["cursor"])
		}
	})
}

func TestResumeOverTheWire(t *testing.T) {
	inBubble(t, chat.Options{}, func(t *testing.T, w *world) {
		ada, bob := w.hello("Ada"), w.hello("Bob")
		bob.send(`{"type":"join","room":"lobby"}`)
		bob.want("joined")
		ada.send(`{"type":"join","room":"lobby"}`)
		cursor := ada.want("joined")["cursor"]
		ada.c.CloseNow()
		bob.want("presence")
		bob.want("presence")
		bob.send(`{"type":"send","room":"lobby","id":"1","text":"missed"}`)
		bob.want("ack")
		ada = w.hello("Ada")
		ada.send(fmt.Sprintf(`{"type":"join","room":"lobby","since":%q}`, cursor))
		j := ada.want("joined")
		if ms := j["messages"].([]any); j["recovered"] != true || len(ms) != 1 || ms[0].(map[string]any)["text"] != "missed" {
			t.Errorf("%v", j)
		}
		ada.send(`{"type":"join","room":"lobby","since":"no cursor of ours"}`)
		if j := ada.want("joined"); j["recovered"] != false {
			t.Errorf("%v", j)
		}
	})
}

func TestSlowReaderIsClosed(t *testing.T) {
	inBubble(t, chat.Options{QueueBytes: 64 << 10}, func(t *testing.T, w *world) {
		w.hello("Slow") // and reads no more
		text := strings.Repeat("x", 8<<10)
		slow := w.hub.Sessions()[0]
		for slow.Err() == nil {
			w.hub.Broadcast(chat.Notice{Text: text})
			synctest.Wait()
		}
		start := time.Now()
		if err := <-w.over; !errors.Is(err, chat.ErrSlow) {
			t.Errorf("over with %v, want ErrSlow", err)
		}
		// Its write is not waited for until WriteTimeout.
		if d := time.Since(start); d > 5*time.Second {
			t.Errorf("the connection was held for another %v", d)
		}
	})
}

func TestEndings(t *testing.T) {
	for _, tt := range []struct {
		name string
		end  func(w *world, c *client)
		code ws.Code // what the client sees; 0: it closed itself
		said string  // with it
		over error   // what the Disconnected hook hears
	}{
		{"kicked", func(w *world, c *client) { w.hub.Sessions()[0].Kick("") }, CloseKicked, "removed by an operator", chat.ErrKicked},
		{"kicked for a reason", func(w *world, c *client) { w.hub.Sessions()[0].Kick("spam") }, CloseKicked, "removed by an operator: spam", chat.ErrKicked},
		{"kicked for a reason longer than a Close frame", func(w *world, c *client) { w.hub.Sessions()[0].Kick(strings.Repeat("é", 100)) }, CloseKicked, "removed by an operator: " + strings.Repeat("é", 49), chat.ErrKicked},
		{"the hub closes", func(w *world, c *client) { w.hub.Close() }, ws.CodeGoingAway, "server is shutting down", chat.ErrShutdown},
		{"the client says goodbye", func(w *world, c *client) { c.c.Close(w.t.Context(), ws.CodeNormal, "") }, 0, "", nil},
		{"the browser leaves the page", func(w *world, c *client) { c.c.Close(w.t.Context(), ws.CodeGoingAway, "") }, 0, "", nil},
		{"the cable is cut", func(w *world, c *client) { c.c.CloseNow() }, 0, "", errAny},
		{"a frame breaks the RFC", func(w *world, c *client) { c.c.Close(w.t.Context(), ws.CodeProtocolError, "") }, 0, "", errAny},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inBubble(t, chat.Options{}, func(t *testing.T, w *world) {
				c := w.hello("Ada")
				w.hub.Broadcast(chat.Notice{Text: "queued before"})
				tt.end(w, c)
				if tt.code != 0 {
					c.want("notice")
					if said := c.wantClose(tt.name, tt.code); said != tt.said {
						t.Errorf("closed with the reason %q, want %q", said, tt.said)
					}
				}
				err := <-w.over
				if tt.over == errAny && err != nil {
					return
				}
				if !errors.Is(err, tt.over) {
					t.Errorf("over with %v, want %v", err, tt.over)
				}
			})
		})
	}
}

var errAny = errors.New("any")

// Shutdown of the wsnet.Server reaches everyone with 1001.
func TestServerShutdown(t *testing.T) {
	inBubble(t, chat.Options{}, func(t *testing.T, w *world) {
		c := w.hello("Ada")
		go w.srv.Shutdown(t.Context())
		c.wantClose("shutdown", ws.CodeGoingAway)
	})
}

// Who says hello to a server that is ending, with requests right behind it, is
// told so and sent away to come back: not called a breaker of the protocol for
// a join that has no hello before it.
func TestHelloWhileTheHubCloses(t *testing.T) {
	for name, end := range map[string]func(*chat.Hub){
		"closed":  func(h *chat.Hub) { h.Close() },
		"drained": func(h *chat.Hub) { h.Drain(t.Context(), 0, 0) },
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, chat.Options{}, func(t *testing.T, w *world) {
				c := w.dial()
				end(w.hub)
				c.send(`{"type":"hello","name":"Ada"}`)
				for range 9 {
					c.send(`{"type":"join","room":"lobby"}`)
				}
				c.wantError("the hello", chat.CodeUnavailable)
				c.wantClose("after it", ws.CodeGoingAway)
			})
		})
	}
}

func TestAPanickingHookHarmsItsOwnConnectionOnly(t *testing.T) {
	o := chat.Options{Message: func(_ *chat.Session, m *chat.Message) {
		if m.Text == "boom" {
			panic("boom")
		}
	}}
	inBubble(t, o, func(t *testing.T, w *world) {
		ada, bob := w.hello("Ada"), w.hello("Bob")
		ada.send(`{"type":"join","room":"lobby"}`)
		ada.want("joined")
		ada.send(`{"type":"send","room":"lobby","id":"1","text":"boom"}`)
		ada.want("ack")
		ada.want("message")
		ada.wantClose("panic", ws.CodeInternalError)
		<-w.over
		bob.send(`{"type":"join","room":"lobby"}`)
		if j := bob.want("joined"); j["people"] != 1.0 {
			t.Errorf("%v: the one who panicked is still in the room", j)
		}
	})
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"type":"send","room":"lobby","id":"1","text":"Hello"}`))
	f.Add([]byte(`{"type":"x","y":[{"z":[[]]}]}`))
	f.Add([]byte(`{"Type":1,"type":null}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := parse(data)
		if err != nil {
			if e, ok := errors.AsType[*chat.Error](err); !ok || e.Code != CodeBadRequest {
				t.Fatalf("%q: %v is not a bad request", data, err)
			}
			return
		}
		// What parse accepts, a lenient parser must understand in the same way.
		var m map[string]any
		if err := json.Unmarshal(data, &m); err != nil {
			t.Fatalf("%q was accepted: %v", data, err)
		}
		for k, v := range m {
			if f := r.field(k); f != nil && *f != v {
				t.Fatalf("%q: %s is %q, and %q for encoding/json", data, k, *f, v)
			}
		}
	})
}
