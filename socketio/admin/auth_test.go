package admin

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"framewright/socketio"
)

// Who shows the password is let in, and from then on by its session.
func TestPassword(t *testing.T) {
	inBubble(t, Options{}, socketio.Options{}, func(t *testing.T, w *world) {
		const refused = `44/admin,{"message":"invalid credentials"}`
		good := w.page()
		id := good.event("session")[0].(string)
		w.dial("/admin,", `{"sessionId":"`+id+`"}`).want(`40/admin,{"sid":"\w+"}`)
		for _, auth := range []string{
			``, `{}`, `{"sessionId":null}`, `{"sessionId":"` + id + `x"}`, `{"username":7}`,
			`{"username":"root","password":"` + password + `"}`, `{"username":"admin","password":"` + password + `x"}`,
			`{"username":"admin","password":""}`,
		} {
			w.dial("/admin,", auth).want(refused)
		}
		time.Sleep(sessionAge / 2)
		w.dial("/admin,", `{"sessionId":"`+id+`"}`).want(`40/admin,{"sid":"\w+"}`)
		time.Sleep(sessionAge/2 + time.Hour) // not since it was used last
		w.dial("/admin,", `{"sessionId":"`+id+`"}`).want(`40/admin,{"sid":"\w+"}`)
		time.Sleep(sessionAge + time.Second)
		w.dial("/admin,", `{"sessionId":"`+id+`"}`).want(refused)
	})
}

// Who guesses has to wait, also with the right password.
func TestGuessing(t *testing.T) {
	inBubble(t, Options{}, socketio.Options{}, func(t *testing.T, w *world) {
		for i := range 10 {
			w.dial("/admin,", fmt.Sprintf(`{"username":"admin","password":"%d"}`, i)).want(`44/admin,{"message":"invalid credentials"}`)
		}
		right := `{"username":"admin","password":"` + password + `"}`
		w.dial("/admin,", right).want(`44/admin,{"message":"your address has shown too many wrong passwords; try again in \d+s"}`)
		time.Sleep(11 * time.Second)
		w.dial("/admin,", right).want(`40/admin,{"sid":"\w+"}`)
		synctest.Wait()
	})
}

// Sessions are bounded: of too many, the one that was used longest ago ends.
func TestSessionsAreBounded(t *testing.T) {
	a := &authenticator{}
	now := time.Now()
	first, second := a.begin(now), a.begin(now)
	for range maxSessions - 2 {
		a.begin(now)
	}
	if !a.known(first, now) {
		t.Error("the first has ended before there were too many")
	}
	a.begin(now)
	if !a.known(first, now) || a.known(second, now) || len(a.sessions) != maxSessions {
		t.Errorf("first %t, second %t, %d in all", a.known(first, now), a.known(second, now), len(a.sessions))
	}
}

// Without a password only this machine is let in, and nobody by way of a proxy.
func TestLocal(t *testing.T) {
	for _, c := range []struct{ from, host, header, want string }{
		{"127.0.0.1:5", "localhost:8080", "", ""},
		{"[::1]:5", "[::1]:8080", "", ""},
		{"[::ffff:127.0.0.1]:5", "127.0.0.1", "", ""},
		{"192.0.2.7:5", "localhost:8080", "", "own machine"},
		{"@", "localhost", "", "own machine"},
		{"127.0.0.1:5", "localhost:8080", "X-Forwarded-For", "no proxy"},
		{"127.0.0.1:5", "localhost:8080", "Via", "no proxy"},
		{"127.0.0.1:5", "rebound.example:8080", "", "has to be called"},
		{"127.0.0.1:5", "", "", "has to be called"},
	} {
		r := &http.Request{RemoteAddr: c.from, Host: c.host, Header: http.Header{}}
		if c.header != "" {
			r.Header.Set(c.header, "1")
		}
		err := local(r)
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: got %v", c, err)
		}
	}
}
