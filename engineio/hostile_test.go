package engineio_test

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"framewright/engineio"
	"framewright/ws"
	"framewright/ws/wsnet"
	"framewright/ws/wstest"
)

// TestThousandPolls: a request that waits costs net/http's goroutine, and the
// session its handler's; a broadcast answers them all.
func TestThousandPolls(t *testing.T) {
	const n = 1000
	talk(t, nil, wait, func(d *dialogue) {
		polls := make([]*request, n)
		for i := range polls {
			sid := fmt.Sprintf("%020d", i+1)
			d.begin("GET", handshake, "").want("open", ok(opened(sid, `["websocket"]`)))
			polls[i] = d.begin("GET", "?EIO=4&transport=polling&sid="+sid, "")
		}
		synctest.Wait()
		stacks := make([]byte, 64<<20)
		stacks = stacks[:runtime.Stack(stacks, true)]
		getting, made := 0, 0
		for g := range strings.SplitSeq(string(stacks), "\n\n") {
			if strings.Contains(g, "engineio.(*Socket).get(") {
				getting++
			}
			if strings.Contains(g, "created by framewright/engineio.") {
				made++
			}
		}
		if getting != n || made != n {
			t.Errorf("%d goroutines of net/http wait and %d are our own, want %d of each", getting, made, n)
		}
		p := prepare(t, engineio.Text("all"))
		for s := range d.srv.Sockets() {
			if err := s.SendPrepared(p); err != nil {
				t.Error(err)
			}
		}
		for _, q := range polls {
			q.want("the broadcast", ok("4all"))
		}
		for s := range d.srv.Sockets() {
			s.Close()
		}
		time.Sleep(30 * time.Second) // nobody fetches the end
		synctest.Wait()
		if n := d.srv.Count(); n != 0 {
			t.Errorf("%d sessions are left", n)
		}
	})
}

// TestHTTPTimeouts: what an http.Server allows a request is not what a poll,
// or a session, needs.
func TestHTTPTimeouts(t *testing.T) {
	web := &http.Server{ReadTimeout: 5 * time.Second, WriteTimeout: 5 * time.Second, IdleTimeout: 5 * time.Second, ReadHeaderTimeout: 5 * time.Second}
	talkThrough(t, web, nil, nil, func(d *dialogue) {
		d.open()
		for range 3 {
			d.get("the ping", "2")
			d.post("the pong", "3")
		}
		c := d.probe()
		c.text("5")
		c.Want("the ping", "81 01 | '2'")
		c.text("3")
		d.wantEnd(0, "")
	})
}

// TestDeadlinesDoNotStay: a connection that has carried a poll and a POST
// serves a slow request afterwards.
func TestDeadlinesDoNotStay(t *testing.T) {
	talk(t, nil, nil, func(d *dialogue) {
		d.open()
		p := d.raw("")
		p.SendBytes([]byte("POST /engine.io/" + session + " HTTP/1.1\r\nHost: server.test\r\nContent-Length: 2\r\n\r\n4x"))
		p.ReadHead("the POST's answer")
		p.WantBytes("its body", []byte("ok"))
		p.SendBytes([]byte("GET /engine.io/" + session + " HTTP/1.1\r\nHost: server.test\r\n\r\n"))
		p.ReadHead("the GET's answer")
		p.WantBytes("its body", []byte("4x"))
		for range 4 {
			p.SendBytes([]byte("GET /engine.io/" + session + " HTTP/1.1\r\nHost: server.test\r\n\r\n"))
			p.ReadHead("the GET's answer, 25 s later")
			p.WantBytes("its body", []byte("2"))
			p.SendBytes([]byte("POST /engine.io/" + session + " HTTP/1.1\r\nHost: server.test\r\nContent-Length: 1\r\n\r\n3"))
			p.ReadHead("the POST's answer")
			p.WantBytes("its body", []byte("ok"))
		}
		time.Sleep(40 * time.Second)
		p.SendBytes([]byte("GET /elsewhere HTTP/1.1\r\nHost: server.test\r\n\r\n"))
		if head := p.ReadHead("something else on the same connection"); !strings.HasPrefix(head, "HTTP/1.1 404 ") {
			t.Errorf("got %s", head)
		}
	})
}

// TestHTTPTimeoutsOverHTTP2: there a write timeout, here set for the request
// that waits alone, runs although nothing is being written. The time is real:
// HTTP/2 needs TLS.
func TestHTTPTimeoutsOverHTTP2(t *testing.T) {
	wstest.CheckLeaks(t)
	srv, err := engineio.NewServer(echo, &engineio.Options{PingInterval: 1500 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	web := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Has("sid") {
			if err := http.NewResponseController(w).SetWriteDeadline(time.Now().Add(time.Second)); err != nil {
				t.Error(err)
			}
		}
		srv.ServeHTTP(w, r)
	}))
	web.EnableHTTP2 = true
	web.StartTLS()
	defer web.Close()
	defer srv.Close()
	client := web.Client()
	defer client.CloseIdleConnections()
	get := func(query string) string {
		resp, err := client.Get(web.URL + "/engine.io/?EIO=4&transport=polling" + query)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		if err != nil || resp.ProtoMajor != 2 {
			t.Fatalf("%s: %q, %v", resp.Proto, body, err)
		}
		return string(body)
	}
	sid := strings.Split(get(""), `"`)[3]
	if got := get("&sid=" + sid); got != "2" {
		t.Errorf("got %q, want the ping", got)
	}
}

// TestSlowBodies: a body that does not come, or is not taken, ends the session.
func TestSlowBodies(t *testing.T) {
	t.Run("a POST", func(t *testing.T) {
		talk(t, nil, nil, func(d *dialogue) {
			d.open()
			began := time.Now()
			p := d.raw("POST /engine.io/" + session + " HTTP/1.1\r\nHost: server.test\r\nContent-Length: 100\r\n\r\n4half")
			q := d.begin("GET", session, "") // pings go on meanwhile
			q.want("a ping", ok("2"))
			p.ReadHead("the refusal")
			d.wantTook("the refusal", began, 30*time.Second)
			d.wantEnd(0, engineio.TransportError)
		})
	})
	t.Run("a POST that takes longer than a pong may", func(t *testing.T) {
		talk(t, &engineio.Options{BodyTimeout: 2 * time.Minute}, nil, func(d *dialogue) {
			d.open()
			p := d.raw("POST /engine.io/" + session + " HTTP/1.1\r\nHost: server.test\r\nContent-Length: 7\r\n\r\n4half")
			time.Sleep(90 * time.Second)
			p.SendBytes([]byte("\x1e3"))
			p.ReadHead("the answer")
			p.WantBytes("its body", []byte("ok"))
			synctest.Wait() // for the echo
			d.get("pings, and the echo", "2\x1e2\x1e2\x1e2\x1e4half")
			d.wantEnd(0, "")
		})
	})
	t.Run("a POST that is cut", func(t *testing.T) {
		talk(t, nil, nil, func(d *dialogue) {
			d.open()
			p := d.raw("POST /engine.io/" + session + " HTTP/1.1\r\nHost: server.test\r\nContent-Length: 100\r\n\r\n4half")
			synctest.Wait()
			p.Close()
			d.wantEnd(0, engineio.TransportError)
		})
	})
	t.Run("a GET", func(t *testing.T) {
		talk(t, nil, wait, func(d *dialogue) {
			d.open()
			d.socket(0).Send(engineio.Binary(make([]byte, 1<<20))) // more than the pipe takes
			began := time.Now()
			d.raw("GET /engine.io/" + session + " HTTP/1.1\r\nHost: server.test\r\n\r\n")
			<-d.socket(0).Context().Done()
			d.wantTook("the end", began, 30*time.Second)
			d.wantEnd(0, engineio.TransportError)
		})
	})
}

// TestIDs: they are long, of one alphabet, and all different.
func TestIDs(t *testing.T) {
	srv, err := engineio.NewServer(wait, nil)
	if err != nil {
		t.Fatal(err)
	}
	form := regexp.MustCompile(`^[A-Za-z0-9_-]{20}$`)
	seen := map[string]bool{}
	for range 1000 {
		id := engineio.NewID(srv)
		if seen[id] || !form.MatchString(id) {
			t.Errorf("id %q", id)
		}
		seen[id] = true
	}
}

// TestAnotherAddress: an id is what a client has to know; its address may
// change, as it does on the road.
func TestAnotherAddress(t *testing.T) {
	o := &engineio.Options{MaxSessionsPerAddress: 1, Address: func(r *http.Request) string { return r.Header.Get("X-Address") }}
	talk(t, o, nil, func(d *dialogue) {
		d.begin("GET", handshake, "", "X-Address: a").want("open", ok(opened(sid1, `["websocket"]`)))
		d.begin("POST", session, "4x", "X-Address: b").want("a message", ok("ok"))
		d.begin("GET", session, "", "X-Address: c").want("the echo", ok("4x"))
		for _, id := range []string{sid1[:19], sid1 + "1", strings.ToUpper(sid1) + "A", "../" + sid1, "%00"} {
			d.begin("GET", "?EIO=4&transport=polling&sid="+id, "").want("another id", refused(400, 1, "Session ID unknown"))
		}
	})
}

// TestChaos: many hands on the same few sessions, doing everything at once.
// Nothing hangs, panics or stays.
func TestChaos(t *testing.T) {
	for round := range 5 {
		talk(t, &engineio.Options{MaxPayload: 2000, QueueBytes: 5000}, nil, func(d *dialogue) {
			var hands sync.WaitGroup
			for i := range 20 {
				hands.Go(func() {
					rnd := rand.New(rand.NewPCG(uint64(round), uint64(i)))
					for range 20 {
						id := fmt.Sprintf("%020d", rnd.IntN(10)+1)
						query := "?EIO=4&transport=polling&sid=" + id
						switch rnd.IntN(8) {
						case 0:
							<-d.begin("GET", handshake, "").done
						case 1, 2:
							q := d.begin("GET", query, "")
							go func() { time.Sleep(time.Second); q.cancel() }()
							<-q.done
						case 3, 4:
							<-d.begin("POST", query, []string{"4hello", "4a\x1e4b", "3", "1", "x", strings.Repeat("4", 3000)}[rnd.IntN(6)]).done
						case 5, 6:
							hand(d, "?EIO=4&transport=websocket&sid="+id, rnd)
						case 7:
							hand(d, "?EIO=4&transport=websocket", rnd)
						}
					}
				})
			}
			hands.Go(func() {
				for range 50 {
					time.Sleep(100 * time.Millisecond)
					for s := range d.srv.Sockets() {
						s.Send(engineio.Text("from the server"))
					}
				}
			})
			hands.Wait()
			for s := range d.srv.Sockets() {
				s.Close()
			}
			time.Sleep(time.Minute)
			synctest.Wait()
			if n := d.srv.Count(); n != 0 {
				t.Errorf("%d sessions are left", n)
			}
			if log := d.logged(); strings.Contains(log, "panic") {
				t.Error(log)
			}
			// And the account is in order.
			if err := d.srv.Shutdown(context.Background()); err != nil {
				t.Error(err)
			}
		})
	}
}

// hand opens a WebSocket, says some of the right things, and leaves.
func hand(d *dialogue, query string, rnd *rand.Rand) {
	conn, err := d.ln.Dial()
	if err != nil {
		return
	}
	defer conn.Close()
	c, err := wsnet.NewClient(context.Background(), conn, "ws://server.test/engine.io/"+query, nil)
	if err != nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	for _, packet := range []string{"2probe", "5", "4one", "4two", "3", "1"}[:rnd.IntN(7)] {
		if c.Write(ctx, ws.OpText, []byte(packet)) != nil {
			return
		}
		if packet == "2probe" {
			c.Read(ctx)
		}
	}
	for rnd.IntN(3) > 0 {
		if _, _, err := c.Read(ctx); err != nil {
			return
		}
	}
	if rnd.IntN(2) == 0 {
		c.Close(ctx, ws.CodeNormal, "")
	}
}
