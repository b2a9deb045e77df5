package client

import (
	"bytes"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"framewright/engineio"
	"framewright/ws"
)

// TestHostileHandshake: what a server says that should not, in the handshake, by either
// transport: Dial fails, says what was wrong, and leaves nothing.
func TestHostileHandshake(t *testing.T) {
	open := func(from, to string) string { return strings.Replace(helloAlone, from, to, 1) }
	for _, row := range []struct{ name, open, want string }{
		{"a sid of a megabyte", open("abc", strings.Repeat("x", 1<<20)), "a sid of 1048576 bytes; at most 1024 are taken"},
		{"no sid", open(`"abc"`, `""`), "no sid"},
		{"a sid that is a number", open(`"abc"`, `1`), "number"},
		{"a pingInterval of 0", open("25000", "0"), "a pingInterval of 0 ms"},
		{"a pingInterval below 0", open("25000", "-1"), "a pingInterval of -1 ms"},
		{"no pingTimeout", open(`"pingTimeout":20000,`, ""), "a pingTimeout of 0 ms"},
		{"a pingInterval of 2^53", open("25000", "9007199254740992"), "Options.MaxSilence allows 10m0s"},
		{"a sum that overflows", strings.ReplaceAll(strings.ReplaceAll(helloAlone, "25000", "9223372036854775807"), "20000", "9223372036854775807"), "Options.MaxSilence"},
		{"a pingTimeout of 2^70", open("20000", "1180591620717411303424"), "the open packet"},
		{"a maxPayload of 0", open("1000}", "0}"), "a maxPayload of 0 bytes"},
		{"a maxPayload below 0", open("1000}", "-5}"), "a maxPayload of -5 bytes"},
		{"another packet", "4hello", "a packet of type 4 where the open packet, 0, is due"},
		{"binary in base64", "bAQI=", "where the open packet, 0, is due"},
		{"a packet of another protocol", "<html>", "is this an Engine.IO server of version 4?"},
		{"no JSON", "0hello", "the open packet"},
		{"JSON that is no object", "0[]", "the open packet"},
		{"JSON nested a million deep", "0" + strings.Repeat("[", 1<<20), "the open packet"},
		{"not UTF-8", "0\xff", "UTF-8"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Run("polling", func(t *testing.T) {
				plays(t, Options{}, func(s *script) {
					s.next("the handshake", s.gets, opening).answer(row.open)
					s.wantNoDial(row.want)
				})
			})
			if row.name == "not UTF-8" {
				return // is for ws to see
			}
			t.Run("WebSocket", func(t *testing.T) {
				plays(t, Options{Transports: []string{engineio.WebSocket}, MaxPayload: 4 << 20}, func(s *script) {
					x := s.next("the handshake", s.sockets, "/engine.io/?EIO=4&transport=websocket").accept101()
					x.frame(row.open)
					s.wantNoDial(row.want)
				})
			})
		})
	}
}

// wantNoDial wants Dial to fail.
func (s *script) wantNoDial(text string) {
	s.t.Helper()
	d := <-s.dialed
	if d.err == nil || !strings.Contains(d.err.Error(), text) {
		s.t.Fatalf("Dial: %.300v; want %q", d.err, text)
	}
	if len(d.err.Error()) > 1000 {
		s.t.Errorf("an error of %d bytes", len(d.err.Error()))
	}
}

// TestHostileAnswer: answers to a request by polling that are none. In the handshake
// they are Dial's error; later they end the session.
func TestHostileAnswer(t *testing.T) {
	for _, row := range []struct {
		name string
		play func(x *exchange)
		want string
	}{
		{"a redirect", func(x *exchange) {
			x.write("HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/\r\nContent-Length: 0\r\n\r\n")
		}, `302 Found; it redirects to "http://169.254.169.254/", which is not followed`},
		{"a page", func(x *exchange) { x.write(head("200 OK", "text/html", 6) + "<html>") }, `an answer of the type "text/html", expected text/plain`},
		{"not found", func(x *exchange) { x.write(head("404 Not Found", "text/plain", 2) + "no") }, `is Engine.IO at "/engine.io/"?`},
		{"refused with a megabyte", func(x *exchange) {
			x.write(head("503 Service Unavailable", "text/plain", 1<<20) + strings.Repeat("x", 1<<20))
		}, "503 Service Unavailable"},
		{"refused, and the text does not come", func(x *exchange) { x.write(head("400 Bad Request", "text/plain", 100)) }, "400 Bad Request"},
		{"shorter than it says", func(x *exchange) { x.write(head("200 OK", "text/plain", 100) + helloAlone[:50]); x.Close() }, "EOF"},
		{"longer than is taken, by what it says", func(x *exchange) { x.write(head("200 OK", "text/plain", 1<<30)) }, "option MaxPayload"},
		{"longer than is taken, without a length", func(x *exchange) {
			x.write("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\n" + strings.Repeat("x", 100_001))
		}, "option MaxPayload"},
		{"a length below 0", func(x *exchange) { x.write("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n") }, "Content-Length"},
		{"an answer without an end", func(x *exchange) { x.write(head("200 OK", "text/plain", 1000) + "0") }, "option BodyTimeout"},
		{"headers without an end", func(x *exchange) {
			go x.Conn().Write([]byte("HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", 12<<20)))
		}, "headers"},
		{"no HTTP", func(x *exchange) { x.write("220 mail ESMTP\r\n"); x.Close() }, "malformed HTTP"},
		{"nothing", func(x *exchange) { x.Close() }, "EOF"},
		{"a reset", func(x *exchange) { x.Reset() }, "reset"},
	} {
		t.Run(row.name, func(t *testing.T) {
			o := Options{MaxPayload: 100_000, ConnectTimeout: time.Minute}
			t.Run("handshake", func(t *testing.T) {
				plays(t, o, func(s *script) {
					row.play(s.next("the handshake", s.gets, opening))
					s.wantNoDial(row.want)
				})
			})
			t.Run("later", func(t *testing.T) {
				plays(t, o, func(s *script) {
					c := s.begin(helloAlone)
					row.play(s.get("a GET"))
					wantEnd(s.t, c, engineio.TransportError, row.want)
				})
			})
			t.Run("to a POST", func(t *testing.T) {
				if strings.Contains(row.want, "option") || strings.Contains(row.want, "type") || row.name == "shorter than it says" {
					t.Skip("what is in a POST's answer is not read")
				}
				plays(t, o, func(s *script) {
					c := s.begin(helloAlone)
					s.get("a GET")
					c.Send(engineio.Text("a"))
					row.play(s.post("a POST"))
					wantEnd(s.t, c, engineio.TransportError, row.want)
				})
			})
		})
	}
}

// TestHostilePackets: packets that should not come end the session, by either transport.
func TestHostilePackets(t *testing.T) {
	for _, row := range []struct {
		name, packet string
		times        int
		reason       engineio.Reason
		want         string
	}{
		{"a second open packet", helloAlone, 1, engineio.ParseError, "a second open packet"},
		{"a type that there is not", "7", 1, engineio.ParseError, "packet type '7'"},
		{"an empty packet", "", 1, engineio.ParseError, "packet"},
		{"base64 that is none", "b!!!", 1, engineio.ParseError, "a binary packet of 4 bytes"},
		{"a flood of noops", "6", 300, engineio.Flood, "option IdleRate"},
		{"a flood of pongs", "3", 300, engineio.Flood, "option IdleRate"},
		{"a flood of pings", "2", 300, engineio.Flood, "option IdleRate"},
		{"a flood of upgrades", "5probe", 300, engineio.Flood, "option IdleRate"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Run("polling", func(t *testing.T) {
				plays(t, Options{}, func(s *script) {
					c := s.begin(helloAlone)
					go s.swallow()
					s.get("a GET").answer(strings.Repeat("\x1e"+row.packet, row.times)[1:])
					wantEnd(s.t, c, row.reason, row.want)
				})
			})
			t.Run("WebSocket", func(t *testing.T) {
				plays(t, Options{Transports: []string{engineio.WebSocket}}, func(s *script) {
					x := s.next("the handshake", s.sockets, "/engine.io/?EIO=4&transport=websocket").accept101()
					x.frame(hello)
					c := s.conn()
					frame := ws.AppendFrame(nil, ws.Header{Fin: true, Opcode: ws.OpText}, []byte(row.packet))
					go x.Conn().Write(bytes.Repeat(frame, row.times)) // as far as it is read
					wantEnd(s.t, c, row.reason, row.want)
				})
			})
		})
	}
}

// swallow answers every POST.
func (s *script) swallow() {
	for {
		select {
		case x := <-s.posts:
			x.Conn().Write([]byte(head("200 OK", "text/plain", 2) + "ok"))
		case <-s.t.Context().Done():
			return
		}
	}
}

// TestHostilePolling: a server that answers each GET at once with nothing of use does not
// keep the client busy for ever.
func TestHostilePolling(t *testing.T) {
	plays(t, Options{}, func(s *script) {
		c := s.begin(helloAlone)
		go s.swallow()
		for range 201 {
			if c.Err() != nil {
				break
			}
			s.get("a GET").answer("6")
		}
		wantEnd(s.t, c, engineio.Flood, "more than 20 packets a second of which nothing comes (option IdleRate)")
	})
}

// TestHostileFlood: messages that are not received wait in a bounded queue, however many
// come.
func TestHostileFlood(t *testing.T) {
	plays(t, Options{MaxPayload: 10_000}, func(s *script) {
		s.slow = false
		c := s.begin(helloAlone)
		answered := 0
		for {
			synctest.Wait()
			select {
			case x := <-s.gets:
				x.answer(strings.Repeat("\x1e4", 4000)[1:])
				answered++
				continue
			default:
			}
			break
		}
		c.mu.Lock()
		size, n := c.in.Size(), c.in.Len()
		c.mu.Unlock()
		if answered != 1 || size > 10_000+packetOverhead || n > 200 {
			s.t.Errorf("%d answers; %d messages of %d bytes wait", answered, n, size)
		}
	})
}
