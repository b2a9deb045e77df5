package engineio_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"framewright/engineio"

	"github.com/google/go-cmp/cmp"
)

// TestRefusals has a row for each code, and for each way to get it.
func TestRefusals(t *testing.T) {
	const (
		unknownTransport = "Transport unknown"
		unknownSession   = "Session ID unknown"
		badMethod        = "Bad handshake method"
		badRequest       = "Bad request"
		badVersion       = "Unsupported protocol version"
	)
	upgrade := []string{"Upgrade: websocket", "Connection: Upgrade"}
	for _, row := range []struct {
		name          string
		method, query string
		header        []string
		want          string
		log           string // in the log
	}{
		{"no transport", "GET", "?EIO=4", nil, refused(400, 0, unknownTransport), ""},
		{"no query", "GET", "", nil, refused(400, 0, unknownTransport), ""},
		{"a transport that nobody knows", "GET", "?EIO=4&transport=pigeon", nil, refused(400, 0, unknownTransport), "pigeon"},
		{"webtransport", "GET", "?EIO=4&transport=webtransport", nil, refused(400, 0, unknownTransport), ""},
		{"a transport in capitals", "GET", "?EIO=4&transport=POLLING", nil, refused(400, 0, unknownTransport), ""},
		{"a very long transport", "GET", "?EIO=4&transport=" + strings.Repeat("x", 5000), nil, refused(400, 0, unknownTransport), strings.Repeat("x", 64) + `\`},
		{"a session that never was", "GET", "?EIO=4&transport=polling&sid=nope", nil, refused(400, 1, unknownSession), ""},
		{"a POST to a session that never was", "POST", "?EIO=4&transport=polling&sid=nope", nil, refused(400, 1, unknownSession), ""},
		{"a handshake by POST", "POST", handshake, nil, refused(400, 2, badMethod), ""},
		{"a handshake by PUT", "PUT", handshake, nil, refused(400, 2, badMethod), ""},
		{"a handshake by DELETE to websocket", "DELETE", "?EIO=4&transport=websocket", nil, refused(400, 2, badMethod), ""},
		{"websocket without an upgrade", "GET", "?EIO=4&transport=websocket", nil, refused(400, 3, badRequest), ""},
		{"websocket without an upgrade, of a session", "GET", upgrading, nil, refused(400, 3, badRequest), ""},
		{"another version in a session", "GET", "?EIO=3&transport=polling&sid=" + sid1, nil, refused(400, 3, badRequest), ""},
		{"no version in a session", "GET", "?transport=polling&sid=" + sid1, nil, refused(400, 3, badRequest), ""},
		{"PUT in a session", "PUT", session, nil, refused(405, 3, badRequest, "Allow: GET, POST, OPTIONS"), "PUT"},
		{"a page from elsewhere", "GET", handshake, []string{"Origin: http://evil.test"}, refused(403, 4,
			`origin \"http://evil.test\" is not the host \"server.test\" that was asked; a page that may connect from elsewhere is allowed by its host in Options.OriginPatterns`, "Vary: "), "evil.test"},
		{"a page from elsewhere in a session", "POST", session, []string{"Origin: http://evil.test"}, refused(403, 4,
			`origin \"http://evil.test\" is not the host \"server.test\" that was asked; a page that may connect from elsewhere is allowed by its host in Options.OriginPatterns`, "Vary: "), ""},
		{"an image on a page from elsewhere", "GET", handshake, []string{"Sec-Fetch-Site: cross-site"}, refused(403, 4,
			`a cross-site request without Origin; scripts of pages that Options.OriginPatterns allows have one`, "Vary: "), ""},
		{"version 3", "GET", "?EIO=3&transport=polling", nil, refused(400, 5, badVersion), "it is socket.io-client 1.x or 2.x, or built on it; upgrade it to 4.x"},
		{"version 5", "GET", "?EIO=5&transport=polling", nil, refused(400, 5, badVersion), "this server speaks 4"},
		{"no version", "GET", "?transport=polling", nil, refused(400, 5, badVersion), ""},
		{"an upgrade to polling", "GET", handshake, upgrade, "400", ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			talk(t, nil, nil, func(d *dialogue) {
				d.open()
				q := d.begin(row.method, row.query, "", row.header...)
				<-q.done
				if len(row.want) == 3 {
					if !strings.HasPrefix(q.got, row.want) {
						t.Errorf("got %s, want %s", q.got, row.want)
					}
				} else if diff := cmp.Diff(strings.Replace(row.want, "Vary: \n", "", 1), q.got); diff != "" {
					t.Errorf("(-want +got)\n%s", diff)
				}
				if log := d.logged(); !strings.Contains(log, row.log) {
					t.Errorf("%q is not in the log:\n%s", row.log, log)
				}
				if n := d.srv.Count(); n != 1 {
					t.Errorf("%d sessions; want the one that was there", n)
				}
				d.post("the session lives on", "4x")
				d.get("and echoes", "4x")
			})
		})
	}
}

// TestRefusedUpgrades: the answer to an upgrade is plain text.
func TestRefusedUpgrades(t *testing.T) {
	plain := func(status int, text string) string {
		return fmt.Sprintf("HTTP/1.1 %d %s\r\nCache-Control: no-store\r\nConnection: close\r\nContent-Length: %d\r\nContent-Type: text/plain; charset=UTF-8\r\nX-Content-Type-Options: nosniff\r\n\r\n", status, http.StatusText(status), len(text))
	}
	for _, row := range []struct {
		name, query string
		header      []string
		want, body  string
	}{
		{"an unknown transport", "?EIO=4&transport=pigeon", nil, plain(400, "Transport unknown"), "Transport unknown"},
		{"an unknown session", "?EIO=4&transport=websocket&sid=nope", nil, plain(400, "Session ID unknown"), "Session ID unknown"},
		{"polling", "?EIO=4&transport=polling", nil, plain(400, "Bad request"), "Bad request"},
		{"polling of a session", session, nil, plain(400, "Bad request"), "Bad request"},
		{"version 3", "?EIO=3&transport=websocket", nil, plain(400, "Unsupported protocol version"), "Unsupported protocol version"},
		{"a foreign page", "?EIO=4&transport=websocket", []string{"Origin: null"},
			plain(403, `origin "null" is not the host "server.test" that was asked; a page that may connect from elsewhere is allowed by its host in Options.OriginPatterns`),
			`origin "null" is not the host "server.test" that was asked; a page that may connect from elsewhere is allowed by its host in Options.OriginPatterns`},
	} {
		t.Run(row.name, func(t *testing.T) {
			talk(t, nil, nil, func(d *dialogue) {
				d.open()
				p, head := d.upgrade(row.query, row.header...)
				if diff := cmp.Diff(row.want, withoutDate(head)); diff != "" {
					t.Errorf("(-want +got)\n%s", diff)
				}
				p.WantBytes("the text", []byte(row.body))
				p.WantEOF("the end")
			})
		})
	}
}

func withoutDate(head string) string {
	var kept []string
	for _, line := range strings.SplitAfter(head, "\r\n") {
		if !strings.HasPrefix(line, "Date: ") {
			kept = append(kept, line)
		}
	}
	return strings.Join(kept, "")
}

// TestOrigins: what a page from an allowed origin gets, on both transports.
func TestOrigins(t *testing.T) {
	o := &engineio.Options{OriginPatterns: []string{"friend.test"}}
	const friend = "Origin: http://friend.test"
	cors := "200\nAccess-Control-Allow-Credentials: true\nAccess-Control-Allow-Origin: http://friend.test\n"
	t.Run("polling", func(t *testing.T) {
		talk(t, o, nil, func(d *dialogue) {
			d.begin("GET", handshake, "", friend).want("open", cors+strings.TrimPrefix(ok(opened(sid1, `["websocket"]`)), "200\n"))
			d.begin("POST", session, "4x", friend).want("a message", cors+strings.TrimPrefix(ok("ok"), "200\n"))
			d.begin("GET", session, "", friend).want("the echo", cors+strings.TrimPrefix(ok("4x"), "200\n"))
			d.begin("GET", "?EIO=4", "", friend).want("an error it can read", refused(400, 0, "Transport unknown",
				"Access-Control-Allow-Credentials: true", "Access-Control-Allow-Origin: http://friend.test"))
		})
	})
	t.Run("all, but with credentials by name only", func(t *testing.T) {
		talk(t, &engineio.Options{OriginPatterns: []string{"*", "friend.test"}}, nil, func(d *dialogue) {
			d.begin("GET", handshake, "", friend).want("open", cors+strings.TrimPrefix(ok(opened(sid1, `["websocket"]`)), "200\n"))
			for _, origin := range []string{"http://stranger.test", "null"} {
				d.begin("GET", "?EIO=4", "", "Origin: "+origin).want("an error it can read", refused(400, 0, "Transport unknown", "Access-Control-Allow-Origin: *"))
			}
		})
	})
	t.Run("websocket", func(t *testing.T) {
		talk(t, o, nil, func(d *dialogue) {
			c := d.dial("?EIO=4&transport=websocket", friend)
			c.wantText("open", opened(sid1, "[]"))
		})
	})
	t.Run("preflight", func(t *testing.T) {
		talk(t, o, nil, func(d *dialogue) {
			d.begin("OPTIONS", session, "", friend, "Access-Control-Request-Method: POST", "Access-Control-Request-Headers: authorization,x-team").want("allowed",
				"204\nAccess-Control-Allow-Credentials: true\nAccess-Control-Allow-Headers: authorization,x-team\nAccess-Control-Allow-Methods: GET, POST\n"+
					"Access-Control-Allow-Origin: http://friend.test\nAccess-Control-Max-Age: 600\nAllow: GET, POST, OPTIONS\nVary: Origin, Access-Control-Request-Headers\n\n")
			d.begin("OPTIONS", session, "").want("no browser asks", "204\nAllow: GET, POST, OPTIONS\nVary: Origin\n\n")
			q := d.begin("OPTIONS", session, "", "Origin: http://evil.test", "Access-Control-Request-Method: POST")
			<-q.done
			if !strings.HasPrefix(q.got, "403\n") || strings.Contains(q.got, "Access-Control") {
				t.Errorf("a page from elsewhere got\n%s", q.got)
			}
		})
	})
	t.Run("same origin", func(t *testing.T) {
		talk(t, nil, nil, func(d *dialogue) {
			q := d.begin("GET", handshake, "", "Origin: http://server.test")
			<-q.done
			if !strings.HasPrefix(q.got, "200\n") {
				t.Errorf("got\n%s", q.got)
			}
		})
	})
	t.Run("cookies and no origin", func(t *testing.T) {
		talk(t, &engineio.Options{RequireOrigin: true}, nil, func(d *dialogue) {
			q := d.begin("GET", handshake, "", "Cookie: a=b")
			<-q.done
			if !strings.HasPrefix(q.got, "403\n") {
				t.Errorf("got\n%s", q.got)
			}
			d.begin("GET", handshake, "", "Cookie: a=b", "Sec-Fetch-Site: same-origin").want("the page's own", ok(opened(sid1, `["websocket"]`)))
		})
	})
}

func TestConnect(t *testing.T) {
	type key struct{}
	o := &engineio.Options{Connect: func(r *http.Request) (context.Context, error) {
		name := r.URL.Query().Get("name")
		if name == "" {
			return nil, errors.New("no name")
		}
		return context.WithValue(r.Context(), key{}, name), nil
	}}
	handler := func(ctx context.Context, s *engineio.Socket) error {
		s.Send(engineio.Text(fmt.Sprint(ctx.Value(key{}), s.Request().Header.Get("X-Team"), s.Request().URL.Query().Get("name"))))
		return echo(ctx, s)
	}
	talk(t, o, handler, func(d *dialogue) {
		d.begin("GET", handshake, "").want("refused", refused(403, 4, "no name"))
		_, head := d.upgrade("?EIO=4&transport=websocket")
		if !strings.HasPrefix(head, "HTTP/1.1 403 ") {
			t.Errorf("got %s", head)
		}
		if n := d.srv.Count(); n != 0 {
			t.Errorf("%d sessions", n)
		}
		d.begin("GET", handshake+"&name=ann", "", "X-Team: blue").want("open", ok(opened(sid1, `["websocket"]`)))
		d.get("what the handler saw", "4annblueann")
		d.probe() // is not asked again
	})
}

func TestCookie(t *testing.T) {
	talk(t, &engineio.Options{Cookie: &http.Cookie{Name: "io", HttpOnly: true}}, nil, func(d *dialogue) {
		q := d.begin("GET", handshake, "")
		<-q.done
		if want := "Set-Cookie: io=" + sid1 + "; Path=/; HttpOnly; SameSite=Lax\n"; !strings.Contains(q.got, want) {
			t.Errorf("%q is not in\n%s", want, q.got)
		}
	})
}

func TestLimits(t *testing.T) {
	o := &engineio.Options{MaxSessions: 3, MaxSessionsPerAddress: 2, Address: func(r *http.Request) string { return r.Header.Get("X-Address") }}
	talk(t, o, nil, func(d *dialogue) {
		full := refused(429, 4, "your address has all the sessions that Options.MaxSessionsPerAddress allows, 2", "Retry-After: 5")
		d.begin("GET", handshake, "", "X-Address: a").want("one", ok(opened(sid1, `["websocket"]`)))
		d.begin("GET", handshake, "", "X-Address: a").want("two", ok(opened(sid2, `["websocket"]`)))
		d.begin("GET", handshake, "", "X-Address: a").want("three", full)
		_, head := d.upgrade("?EIO=4&transport=websocket", "X-Address: a")
		if !strings.HasPrefix(head, "HTTP/1.1 429 ") {
			t.Errorf("got %s", head)
		}
		c := d.dial("?EIO=4&transport=websocket", "X-Address: b")
		d.begin("GET", handshake, "", "X-Address: b").want("four", refused(503, 4, "the server has all the sessions that Options.MaxSessions allows, 3", "Retry-After: 5"))
		c.Close()
		d.post("one ends", "1")
		d.socket(2)
		d.begin("GET", handshake, "", "X-Address: a").want("there is room", ok(opened("00000000000000000004", `["websocket"]`)))
	})
}

func TestOptionsAreChecked(t *testing.T) {
	for _, row := range []struct {
		o    engineio.Options
		want string
	}{
		{engineio.Options{Transports: []string{}}, "Options.Transports is empty"},
		{engineio.Options{Transports: []string{"websocket", "pigeon"}}, `Options.Transports has "pigeon"`},
		{engineio.Options{Transports: []string{"websocket", "websocket"}}, `each once`},
		{engineio.Options{OriginPatterns: []string{"a b"}}, "Options.OriginPatterns"},
		{engineio.Options{PingInterval: -1}, "Options.PingInterval is -1ns: expected a millisecond or more, or 0 for the default of 25s"},
		{engineio.Options{PingTimeout: 1}, "Options.PingTimeout"},
		{engineio.Options{UpgradeTimeout: -1}, "Options.UpgradeTimeout"},
		{engineio.Options{CloseTimeout: -1}, "Options.CloseTimeout"},
		{engineio.Options{BodyTimeout: -1}, "Options.BodyTimeout"},
		{engineio.Options{MaxPayload: -1}, "Options.MaxPayload"},
		{engineio.Options{QueueBytes: -1}, "Options.QueueBytes"},
		{engineio.Options{Cookie: &http.Cookie{}}, "Options.Cookie"},
	} {
		if _, err := engineio.NewServer(echo, &row.o); err == nil || !strings.Contains(err.Error(), row.want) {
			t.Errorf("%+v: %v; want %q in it", row.o, err, row.want)
		}
	}
}
