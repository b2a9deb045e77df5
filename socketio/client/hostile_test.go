package client

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"framewright/ws"
)

// TestHostile: what a server sends that should not ends the connection, with a reason
// that says what it was and which option changes it. Handlers do not see it.
func TestHostile(t *testing.T) {
	placeholder := func(n int) string { return fmt.Sprintf(`{"_placeholder":true,"num":%d}`, n) }
	text := func(s string) func(x *session) { return func(x *session) { x.send(s) } }
	flood := func(packet string) func(x *session) {
		return func(x *session) {
			frame := ws.AppendFrame(nil, ws.Header{Fin: true, Opcode: ws.OpText}, []byte(packet))
			go x.Conn().Write(bytes.Repeat(frame, 1200)) // as far as it is read
		}
	}
	for _, row := range []struct {
		name   string
		play   func(x *session)
		reason Reason
		want   string
	}{
		{"more attachments than are taken", text(`45100000-["text",` + placeholder(0) + `]`), ParseError, "option MaxAttachments"},
		{"2^64 attachments", text(`4518446744073709551616-["text"]`), ParseError, "option MaxAttachments"},
		{"a byte behind the JSON", text(`451-["text",` + placeholder(0) + `]` + "\x00"), ParseError, "not JSON"},
		{"a text where an attachment is due", func(x *session) {
			x.send(`452-["text",`+placeholder(0)+`,`+placeholder(1)+`]`, `42["text","a"]`)
		}, ParseError, "a text message where attachment 1 of 2 is due"},
		{"an attachment too many", func(x *session) {
			x.send(`451-["bytes",` + placeholder(0) + `]`)
			x.sendBinary(1)
			x.sendBinary(2)
		}, ParseError, "a binary message that no packet has announced"},
		{"a placeholder without an attachment", text(`451-["text",` + placeholder(1) + `]`), ParseError, "attachment 1 of a packet that has 1"},
		{"an attachment twice", text(`452-["text",` + placeholder(0) + `,` + placeholder(0) + `]`), ParseError, "two placeholders for attachment 0"},
		{"an attachment without a placeholder", text(`451-["text"]`), ParseError, "attachment 0 has no placeholder"},
		{"attachments larger than is taken", func(x *session) {
			x.send(`452-["text",` + placeholder(0) + `,` + placeholder(1) + `]`)
			x.sendBinary(make([]byte, 30_000)...)
			x.sendBinary(make([]byte, 30_000)...)
		}, ParseError, "option MaxMessage"},
		{"a message larger than is taken", text(`42["text","` + strings.Repeat("x", 60_000) + `"]`), ParseError, "option MaxMessage"},
		{"a frame that says 2^63-1", func(x *session) { x.SendBytes([]byte("\x81\x7f\x7f\xff\xff\xff\xff\xff\xff\xff")) }, TransportError, "1009"},
		{"answers to nothing", flood(`437[1]`), Flood, "option IdleRate"},
		{"binary answers to nothing", flood(`460-7[1]`), Flood, "option IdleRate"},
		{"an event in a namespace that was not asked for", text(`42/other,["text","a"]`), ParseError, `a EVENT for the namespace "/other", which was not asked for`},
		{"a namespace that was not asked for", text(`40/known,{"sid":"x"}`), ParseError, `a CONNECT for the namespace "/known", which was not asked for`},
		{"a namespace of a megabyte", text(`42/` + strings.Repeat("x", 90_000) + `,["text"]`), ParseError, "at most 128 are allowed"},
		{"a second answer to CONNECT", text(`40{"sid":"s2"}`), ParseError, "that answers none"},
		{"a refusal after the answer", text(`44{"message":"no"}`), ParseError, "that answers nothing"},
		{"JSON nested too deep", text(`42["text",` + strings.Repeat("[", 10_000) + strings.Repeat("]", 10_000) + `]`), ParseError, "option MaxDepth"},
		{"more arguments than are taken", text(`42["text"` + strings.Repeat(",1", 10_000) + `]`), ParseError, "option MaxArgs"},
		{"a reserved name", text(`42["disconnect","x"]`), ParseError, "the client's own"},
		{"a name that is no text", text(`42[{}]`), ParseError, "an event's name is a string"},
		{"a type that there is not", text(`47`), ParseError, "its type, 0 to 6"},
		{"an empty packet", text(`4`), ParseError, "an empty packet"},
		{"no JSON", text(`42["text"`), ParseError, "not JSON"},
		{"an answer without an id", text(`43[1]`), ParseError, "without the id"},
		{"an id of 2^53", text(`439007199254740992[1]`), ParseError, "up to 2^53-1"},
		{"binary that nobody announced", func(x *session) { x.sendBinary(1) }, ParseError, "no packet has announced"},
	} {
		t.Run(row.name, func(t *testing.T) {
			plays(t, Options{NoReconnect: true, MaxMessage: 50_000}, func(s *script, c *Client) {
				notes(s, c)
				On(c, "text", func(ctx context.Context, k *Socket, a Args) error { s.note("text"); return nil })
				c.Of("/known")
			}, func(s *script) {
				row.play(s.in())
				s.wantEnd(row.reason, row.want)
				want := []string{"connected s1 false", "disconnected: " + string(row.reason)}
				if row.name == "an attachment too many" {
					want = []string{want[0], "bytes 01", want[1]}
				}
				s.wantNotes("handlers", want...)
			})
		})
	}
}

// TestHostileAttachmentNever: a packet whose attachment does not come waits, within
// MaxMessage, and holds up nothing but what is behind it: the session lives.
func TestHostileAttachmentNever(t *testing.T) {
	plays(t, Options{NoReconnect: true}, notes, func(s *script) {
		x := s.in()
		x.send(`451-["bytes",{"_placeholder":true,"num":0}]`)
		for range 20 {
			time.Sleep(20 * time.Second)
			x.Conn().Write(ws.AppendFrame(nil, ws.Header{Fin: true, Opcode: ws.OpText}, []byte("2")))
			x.want("the answer to a ping", "3")
		}
		s.wantNotes("no handler", "connected s1 false")
		x.sendBinary(1)
		s.wantNotes("it has come", "bytes 01")
	})
}

// TestUnhandled: events that have no handler are passed over, however many there are. A
// client that wants little of a busy server is no victim of it.
func TestUnhandled(t *testing.T) {
	plays(t, Options{NoReconnect: true}, func(s *script, c *Client) {
		On(c, "text", func(ctx context.Context, k *Socket, text string) error { s.note("text %s", text); return nil })
	}, func(s *script) {
		x := s.in()
		frame := ws.AppendFrame(nil, ws.Header{Fin: true, Opcode: ws.OpText}, []byte(`42["another","a"]`))
		x.Conn().Write(bytes.Repeat(frame, 5000))
		x.send(`42["text","a"]`)
		s.wantNotes("the one that is handled", "text a")
	})
}

// TestHostileGreeting: what comes in place of the answer to CONNECT is Connect's error.
func TestHostileGreeting(t *testing.T) {
	for _, row := range []struct{ name, answer, want string }{
		{"a server of Socket.IO 2", `40`, "is this a server of Socket.IO 3 or 4?"},
		{"no sid", `40{}`, "without a sid"},
		{"a sid that is a number", `40{"sid":1}`, "without a sid"},
		{"a sid of many bytes", `40{"sid":"` + strings.Repeat("x", 90_000) + `"}`, "at most 1024 are taken"},
		{"a pid of many bytes", `40{"sid":"a","pid":"` + strings.Repeat("x", 90_000) + `"}`, "at most 1024 are taken"},
		{"an answer that was not asked for", `430[]`, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			plays(t, Options{NoReconnect: true}, notes, func(s *script) {
				done := s.connect(s.c.Socket)
				x := s.session()
				x.want("CONNECT", `40`)
				x.send(row.answer)
				if row.want == "" { // of no use, and no harm
					x.send(`40{"sid":"s1"}`)
					if err := <-done; err != nil {
						s.t.Error(err)
					}
					return
				}
				err := <-done
				if e := causeOf[*DisconnectedError](s.t, err); e.Reason != ParseError || !strings.Contains(err.Error(), row.want) || len(err.Error()) > 1000 {
					s.t.Errorf("%.1000v; want %q", err, row.want)
				}
			})
		})
	}
}

// TestHostileEarlyEvents: events before the answer to CONNECT wait in a bounded queue.
func TestHostileEarlyEvents(t *testing.T) {
	plays(t, Options{NoReconnect: true}, notes, func(s *script) {
		s.slow = false
		done := s.connect(s.c.Socket)
		x := s.session()
		x.want("CONNECT", `40`)
		for range 65 {
			x.send(`42["text","a"]`)
		}
		err := <-done
		if causeOf[*DisconnectedError](s.t, err); !strings.Contains(err.Error(), "more than 64 events") {
			s.t.Error(err)
		}
		s.wantNotes("no handler saw one")
	})
}

// TestHostileEvents: events that come faster than their handler takes them wait in a
// bounded queue; then nothing more is read, and nothing is lost.
func TestHostileEvents(t *testing.T) {
	release := make(chan struct{})
	plays(t, Options{MaxWaiting: 10}, func(s *script, c *Client) {
		release = make(chan struct{})
		On(c, "slow", func(ctx context.Context, k *Socket, n int) error { <-release; s.note("slow %d", n); return nil })
	}, func(s *script) {
		s.slow = false
		x := s.in()
		var want []string
		var b []byte
		for i := range 1000 {
			b = ws.AppendFrame(b, ws.Header{Fin: true, Opcode: ws.OpText}, fmt.Appendf(nil, `42["slow",%d]`, i))
			want = append(want, fmt.Sprintf("slow %d", i))
		}
		go x.Conn().Write(b)
		synctest.Wait()
		s.c.mu.Lock()
		n := s.c.jobs.Len()
		s.c.mu.Unlock()
		if n != 10 {
			s.t.Errorf("%d wait", n)
		}
		close(release)
		s.wantNotes("all of them, in order", want...)
	})
}
