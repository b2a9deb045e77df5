package admin

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"framewright/engineio"
	"framewright/socketio"
)

// In development a page is shown who was there and all that happens from then on.
func TestDevelopment(t *testing.T) {
	o := Options{Mode: Development, Data: func(_ context.Context, s *socketio.Socket) any {
		return map[string]string{"of": s.Namespace().Name()}
	}}
	inBubble(t, o, socketio.Options{Recovery: &socketio.Recovery{Want: func(*socketio.Socket) bool { return false }}}, func(t *testing.T, w *world) {
		socketio.On(w.io, "message", func(_ context.Context, _ *socketio.Socket, text string) error {
			return w.io.Emit("message", text)
		})
		user := w.user()
		id := w.id()
		c := w.page()
		if s := c.event("session"); len(s) != 1 || s[0] == "" {
			t.Errorf("the session is %v", s)
		}
		c.wantEvent("config", map[string]any{"supportedFeatures": []any{
			"EMIT", "JOIN", "LEAVE", "DISCONNECT", "MJOIN", "MLEAVE", "MDISCONNECT", "AGGREGATED_EVENTS", "ALL_EVENTS"}})
		if s := c.event("server_stats")[0].(map[string]any); s["serverId"] != "one" || s["clientsCount"] != 2.0 || s["pollingClientsCount"] != 0.0 || s["pid"] == 0.0 {
			t.Errorf("the statistics are %v", s)
		}
		shown := map[string]map[string]any{}
		for _, s := range c.event("all_sockets")[0].([]any) {
			one := s.(map[string]any)
			shown[one["nsp"].(string)] = one
		}
		one := shown["/"]
		if len(shown) != 2 || one == nil || one["id"] != id || one["transport"] != "websocket" || one["data"].(map[string]any)["of"] != "/" || len(sorted(one["rooms"])) != 1 {
			t.Fatalf("the page was shown %v", shown)
		}
		hands := one["handshake"].(map[string]any)
		headers := hands["headers"].(map[string]any)
		if headers["cookie"] != hidden || len(headers["x-long"].(string)) > 400 || hands["url"] != "/socket.io/?EIO=4&transport=websocket" || hands["issued"].(float64) <= 0 {
			t.Errorf("the handshake is %v", hands)
		}

		user.send(`42["message","hello"]`)
		c.wantEvent("event_received", "/", id, []any{"message", "hello"}, "(time)")
		c.wantEvent("event_sent", "/", id, []any{"message", "hello"}, "(time)")
		user.want(`42\["message","hello"\]`)

		c.send(`42/admin,["join","/","room","` + id + `"]`)
		c.wantEvent("room_joined", "/", "room", id, "(time)")
		c.send(`42/admin,["emit","/","room","hi",{"n":[1,"2"]}]`)
		user.want(`42\["hi",{"n":\[1,"2"\]}\]`)
		c.wantEvent("event_sent", "/", id, []any{"hi", map[string]any{"n": []any{1.0, "2"}}}, "(time)")
		c.send(`42/admin,["leave","/","room",null]`)
		c.wantEvent("room_left", "/", "room", id, "(time)")
		c.send(`42/admin,["_disconnect","/",false,"` + id + `"]`)
		user.want(`41`)
		c.wantEvent("socket_disconnected", "/", id, "server namespace disconnect", "(time)")
		c.wantEvent("room_left", "/", id, id, "(time)")

		user.send(`40`)
		user.want(`40{"sid":"\w+"}`)
		again := w.id()
		c.wantEvent("room_joined", "/", again, again, "(time)")
		if s := c.event("socket_connected")[0].(map[string]any); s["id"] != again || s["clientId"] != one["clientId"] {
			t.Errorf("who came back is %v, was %v", s, one)
		}
		c.send(`42/admin,["_disconnect","/",true]`)
		user.want(`41`)
		if got := user.read(); got != "1" && got != "" {
			t.Errorf("got %q, want the connection's end", got)
		}
	})
}

// In production a page gets numbers, each interval, and nothing else.
func TestProduction(t *testing.T) {
	inBubble(t, Options{ReadOnly: true}, socketio.Options{}, func(t *testing.T, w *world) {
		socketio.On(w.io, "message", func(context.Context, *socketio.Socket, string) error { return nil })
		c := w.page()
		c.event("session")
		c.wantEvent("config", map[string]any{"supportedFeatures": []any{"AGGREGATED_EVENTS"}})
		c.event("server_stats")
		user := w.user()
		user.send(`421["message","0123456789"]`)
		user.want(`431\[\]`)
		user.c.CloseNow()
		synctest.Wait()
		c.send(`42/admin,7["_disconnect","/",false,""]`)
		c.want(`43/admin,7\[{"error":"the page may look only .*"}\]`)
		text := c.read() // whatever comes next
		args, _ := asEvent(text)
		if len(args) != 2 || args[0] != "server_stats" {
			t.Fatalf("got %s, want statistics", text)
		}
		got := map[string]float64{}
		for _, a := range args[1].(map[string]any)["aggregatedEvents"].([]any) {
			one := a.(map[string]any)
			sub, _ := one["subType"].(string)
			got[one["type"].(string)+" "+sub] = one["count"].(float64)
			if int64(one["timestamp"].(float64))%1000 != 0 {
				t.Errorf("%v is not on a second", one)
			}
		}
		if got["rawConnection "] != 1 || got["rawDisconnection transport close"] != 1 || got["packetsIn "] != 3 || got["bytesIn "] < 30 || got["packetsOut "] < 1 || got["bytesOut "] < 5 {
			t.Errorf("counted %v", got)
		}
	})
}

// A page that is shown many sockets gets the first in one list and the others one by one.
func TestManySockets(t *testing.T) {
	const all, most = 60, 50
	inBubble(t, Options{Mode: Development, MaxPacket: leastPacket, MaxSockets: most}, socketio.Options{}, func(t *testing.T, w *world) {
		for range all {
			w.user()
		}
		c := w.page()
		n := len(c.event("all_sockets")[0].([]any))
		if n < 5 || n > 30 {
			t.Errorf("%d sockets in the list, want what fits into a packet", n)
		}
		for ; n < most; n++ {
			c.event("socket_connected")
		}
		if got := c.read(); !strings.Contains(got, "server_stats") {
			t.Errorf("got %.100s, want no more than %d sockets", got, most)
		}
	})
}

// Of events a page is shown so many a second, and the numbers count all.
func TestEventsAreLeftOut(t *testing.T) {
	inBubble(t, Options{Mode: Development, EventRate: 10}, socketio.Options{}, func(t *testing.T, w *world) {
		w.user()
		c := w.page()
		c.event("all_sockets")
		for i := range 1000 {
			if err := w.io.Emit("n", i); err != nil {
				t.Fatal(err)
			}
		}
		long := strings.Repeat("x", maxEvent)
		sent := 0
		for {
			args, _ := asEvent(c.read())
			if len(args) > 0 && args[0] == "event_sent" {
				sent++
			}
			if len(args) > 0 && args[0] == "server_stats" {
				packets := 0.0
				for _, a := range args[1].(map[string]any)["aggregatedEvents"].([]any) {
					if one := a.(map[string]any); one["type"] == "packetsOut" {
						packets = one["count"].(float64)
					}
				}
				if packets < 1000 {
					t.Errorf("%v packets were counted, want all", packets)
				}
				break
			}
		}
		if sent != 10 {
			t.Errorf("%d events were shown, want 10", sent)
		}
		if err := w.io.Emit("long", long); err != nil {
			t.Fatal(err)
		}
		id := w.id()
		c.wantEvent("event_sent", "/", id, []any{"long", fmt.Sprintf("%d bytes, more than are shown", len(long)+11)}, "(time)")
	})
}

// A page that does not take what it must not miss is cut; who is looked at goes on.
func TestSlowPageIsCut(t *testing.T) {
	o := socketio.Options{Engine: engineio.Options{QueueBytes: 128 << 10}}
	inBubble(t, Options{Mode: Development}, o, func(t *testing.T, w *world) {
		user := w.user()
		c := w.page()
		c.event("all_sockets")
		s, page := w.io.Sockets()[0], w.io.Of("/admin").Sockets()[0]
		for range maxNotes {
			if err := s.Join("a"); err != nil {
				t.Fatal(err)
			}
			s.Leave("a")
		}
		<-page.Context().Done()
		if err := w.io.Emit("still"); err != nil {
			t.Fatal(err)
		}
		user.want(`42\["still"\]`)
	})
}

// A page that has gone costs nothing any more, and makes room for another.
func TestMaxPages(t *testing.T) {
	inBubble(t, Options{MaxPages: 1}, socketio.Options{}, func(t *testing.T, w *world) {
		c := w.page()
		c.event("config")
		auth := `{"username":"admin","password":"` + password + `"}`
		w.dial("/admin,", auth).want(`44/admin,{"message":"1 pages look at the server already \(option MaxPages\)"}`)
		c.c.CloseNow()
		synctest.Wait()
		w.page().event("config")
	})
}

// What a page asks for that makes no sense is answered, and makes nothing.
func TestBadCommands(t *testing.T) {
	inBubble(t, Options{}, socketio.Options{}, func(t *testing.T, w *world) {
		c := w.page()
		answer := func(packet string) string {
			c.send(packet)
			for {
				if got := c.read(); !strings.HasPrefix(got, "42") {
					return got
				}
			}
		}
		for command, want := range map[string]string{
			`["join","/made","room"]`:   `there is no namespace`,
			`["join","/",""]`:           `is missing`,
			`["join"]`:                  `is missing`,
			`["leave","/",7]`:           `argument 2`,
			`["emit","/","","connect"]`: `the client's own`,
			`["emit","/","` + strings.Repeat("x", 300) + `","e"]`: `at most 256`,
			`["_disconnect","/","yes"]`:                           `argument 2`,
			`["all"]`:                                             `no handler`,
		} {
			if got := answer(`42/admin,1` + command); !strings.Contains(got, want) || !strings.HasPrefix(got, `43/admin,1[{"error":`) {
				t.Errorf("%s: got %s, want %s", command, got, want)
			}
		}
		for _, ns := range w.io.Namespaces() {
			if ns.Name() == "/made" {
				t.Error("the page has made a namespace")
			}
		}
	})
}

func TestOptions(t *testing.T) {
	for want, o := range map[string]Options{
		"expected Options.Password, or NoAuth":       {},
		"exclude each other":                         {Password: password, NoAuth: true},
		"has 5 bytes: expected at least 16":          {Password: "short"},
		`Options.Mode is "debug": expected`:          {Password: password, Mode: "debug"},
		"Options.Interval is -1ns":                   {Password: password, Interval: -1},
		"Options.MaxPages is -1: expected 1 or more": {Password: password, MaxPages: -1},
		"Options.MaxPacket is 5: expected 8192":      {Password: password, MaxPacket: 5},
	} {
		io, err := socketio.New(nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := Instrument(io, o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
		if slices.ContainsFunc(io.Namespaces(), func(n *socketio.Namespace) bool { return n.Name() == "/admin" }) {
			t.Error("there is a namespace in spite of the error")
		}
	}
	o, err := Options{NoAuth: true}.withDefaults()
	if err != nil || o.Username != "admin" || o.Interval != 2*time.Second || o.Logger != slog.Default() || o.ServerID == "" {
		t.Errorf("the defaults are %+v, %v", o, err)
	}
}
