package sio

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"framewright/chat"
	"framewright/socketio"
	"framewright/ws/wstest"
)

// run has f meet a run of a server with this store and key. When it returns the run has
// ended.
func run(t *testing.T, store chat.Store, key []byte, f func(w *world)) {
	t.Helper()
	tickets, err := NewTickets(key)
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, l: wstest.NewListener(), hub: chat.New(chat.Options{PresenceGrace: -1, Store: store})}
	w.io, err = socketio.New(&socketio.Options{Recovery: &socketio.Recovery{Want: WantsRecovery, Seal: tickets.Seal, Open: tickets.Open}})
	if err != nil {
		t.Fatal(err)
	}
	Attach(w.hub, w.io.Namespace, nil)
	hs := &http.Server{Handler: w.io}
	go hs.Serve(w.l)
	f(w)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	w.hub.Close()
	if err := w.io.Shutdown(ctx); err != nil {
		t.Error(err)
	}
	hs.Close()
}

// A lasting store outlives its hubs.
type lasting struct{ chat.Store }

func (lasting) Close() error { return nil }

// A ticket is good in the next runs, once in each, and for a bounded time.
func TestTickets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, key := lasting{new(chat.Memory)}, []byte(strings.Repeat("k", TicketKey))
		var sid, pid, place string
		const connected = `40{"sid":"(\w+)","pid":"([\w-]+)"}`
		back := func(w *world) *client {
			return w.dial(`{"recover":true,"pid":"` + pid + `","offset":"` + place + `"}`)
		}
		isNew := func(why string, c *client) {
			t.Helper()
			if m := c.want(connected); m[1] == sid || m[2] == pid {
				t.Errorf("recovered: %s", why)
			}
			c.want(`42\["message","Welcome, guest \w+\.","[\w-]+"\]`)
			c.c.CloseNow()
			synctest.Wait()
		}
		say := func(w *world, text string) {
			c := w.dial("")
			c.want(`40{"sid":"\w+"}`)
			c.want(`42\["message","Welcome.*"\]`)
			c.send(`421["message","` + text + `"]`)
			c.wantEach(`42\["message","`+text+`"\]`, `431\[\]`)
			c.c.CloseNow()
		}
		run(t, store, key, func(w *world) {
			c := w.dial(`{"name":"Ada","recover":true}`)
			m := c.want(connected)
			sid, pid = m[1], m[2]
			place = c.want(`42\["message","Welcome, Ada\.","([\w-]+)"\]`)[1]
			c.c.CloseNow()
			say(w, "missed")
		})
		run(t, store, key, func(w *world) {
			time.Sleep(TicketWindow)
			c := back(w)
			place = c.want(`42\["message","missed","([\w-]+)"\]`)[1]
			c.want(`40{"sid":"` + sid + `","pid":"` + pid + `"}`)
			if list := w.hub.Sessions(); len(list) != 1 || list[0].Person().Name != "Ada" {
				t.Errorf("the hub has %v, want Ada", list)
			}
			c.c.CloseNow()
			synctest.Wait()
			back(w).want(`40{"sid":"` + sid + `","pid":"` + pid + `"}`) // remembered by this run
			back(w).want(`40{"sid":"` + sid + `","pid":"` + pid + `"}`) // its connection was not known to be lost
			for _, s := range w.io.Sockets() {
				s.Disconnect()
			}
			isNew("a socket that was disconnected, whose ticket was taken", back(w))
		})
		run(t, store, []byte(strings.Repeat("o", TicketKey)), func(w *world) { isNew("with another key", back(w)) })
		run(t, store, key, func(w *world) {
			w.io.Of("/other").OnRecover(func(context.Context, *socketio.Socket, string) error { return nil })
			c := w.open("/socket.io/?EIO=4&transport=websocket")
			c.read()
			c.send(`40/other,{"recover":true,"pid":"` + pid + `","offset":"` + place + `"}`)
			if m := c.want(`40/other,{"sid":"(\w+)","pid":"([\w-]+)"}`); m[1] == sid {
				t.Error("recovered in another namespace")
			}
			place = "nowhere"
			isNew("from no place", back(w))
		})
		run(t, store, key, func(w *world) {
			time.Sleep(TicketWindow + time.Second)
			isNew("too late", back(w))
		})
		time.Sleep(TicketAge)
		run(t, store, key, func(w *world) { isNew("too old", back(w)) })
	})
}

func TestTicketKey(t *testing.T) {
	if _, err := NewTickets(make([]byte, 16)); err == nil || !strings.Contains(err.Error(), "has 16 bytes: expected 32") {
		t.Errorf("got %v", err)
	}
}

// What is no ticket is refused, whatever it is.
func TestNoTicket(t *testing.T) {
	k, err := NewTickets(make([]byte, TicketKey))
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"", "x", "!", strings.Repeat("A", 40), strings.Repeat("A", maxTicket+1)} {
		if _, err := k.read("/", text, time.Now()); err == nil {
			t.Errorf("%.50q was taken", text)
		}
	}
}
