package wsnet_test

import (
	"context"
	"errors"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"framewright/ws"
	"framewright/ws/wsnet"
)

// EmptyRate counts messages without content by whatever way the application
// takes them, and however they were sent: as one frame, as several, compressed.
func TestEmptyRateEveryWay(t *testing.T) {
	const rate = 3
	whole := func(t *testing.T, c *wsnet.Conn) error { _, _, err := c.Read(t.Context()); return err }
	ways := map[string]func(*testing.T, *wsnet.Conn) error{
		"Read": whole,
		"ReadAppend behind other bytes": func(t *testing.T, c *wsnet.Conn) error {
			_, _, err := c.ReadAppend(t.Context(), []byte("what was there before"))
			return err
		},
		"Messages": func(t *testing.T, c *wsnet.Conn) error {
			for _, err := range c.Messages(t.Context()) {
				return err
			}
			return io.ErrUnexpectedEOF
		},
		"Reader": func(t *testing.T, c *wsnet.Conn) error {
			_, r, err := c.Reader(t.Context())
			if err == nil {
				_, err = io.ReadAll(r)
			}
			return err
		},
	}
	for wire, content := range map[string][2]string{ // without content and with some
		"a frame":                         {"81 00", "81 01 61"},
		"fragments":                       {"01 00 | 00 00 | 80 00", "01 00 | 00 01 61 | 80 00"},
		"compressed":                      {"c1 01 00", "c1 03 4b 04 00"},
		"compressed, from several blocks": {"41 06 00 00 00 ff ff 00 | 00 00 | 80 05 00 00 ff ff 00", "41 01 4b | 80 02 04 00"},
	} {
		for name, read := range ways {
			t.Run(wire+" by "+name, func(t *testing.T) {
				c, p := zConn(t, ws.RoleClient, &wsnet.Options{PingInterval: -1, EmptyRate: rate}, zParams(false, 15))
				for i := range 10 * rate {
					p.Send(content[0])
					if err := read(t, c); err != nil {
						t.Fatalf("message %d, within ten seconds' worth: %v", i+1, err)
					}
				}
				for range 10 * rate { // these do not count
					p.Send(content[1])
					if err := read(t, c); err != nil {
						t.Fatalf("a message with content: %v", err)
					}
				}
				p.Send(content[0])
				err := read(t, c)
				if pe, ok := errors.AsType[*ws.ProtocolError](err); !ok || pe.Rule != ws.RuleEmptyRate {
					t.Fatalf("one more than ten seconds' worth: %v, want rule %s", err, ws.RuleEmptyRate)
				}
				p.WantClose("one more", ws.CodePolicyViolation, "EmptyRate")
			})
		}
	}
}

// A Reader that is left alone is skipped by whatever reads next, which counts
// its message by what it held.
func TestEmptyRateUnread(t *testing.T) {
	const rate = 3
	for _, tt := range []struct {
		name, wire string
		read       int // bytes, before the Reader is left
		empty      bool
	}{
		{"an empty frame", "81 00", 0, true},
		{"empty fragments", "01 00 | 00 00 | 80 00", 0, true},
		{"empty and compressed", "c1 01 00", 0, true},
		{"empty blocks", "41 06 00 00 00 ff ff 00 | 00 00 | 80 05 00 00 ff ff 00", 0, true},
		{"content that nobody reads", "81 01 61", 0, false},
		{"content, all of it read but for the end", "81 01 61", 1, false},
		{"content, half of it read", "81 02 61 62", 1, false},
		{"compressed content that nobody reads", "c1 03 4b 04 00", 0, false},
		{"compressed content, all of it read but for the end", "c1 03 4b 04 00", 1, false},
	} {
		for name, read := range map[string]func(c *wsnet.Conn) error{
			"Reader": func(c *wsnet.Conn) error { _, _, err := c.Reader(t.Context()); return err },
			"Read":   func(c *wsnet.Conn) error { _, _, err := c.Read(t.Context()); return err },
		} {
			t.Run(tt.name+", then "+name, func(t *testing.T) {
				c, p := zConn(t, ws.RoleClient, &wsnet.Options{PingInterval: -1, EmptyRate: rate}, zParams(false, 15))
				for i := range 10*rate + 1 {
					p.Send(tt.wire)
					_, r, err := c.Reader(t.Context())
					if err != nil {
						t.Fatalf("message %d, before which no more than ten seconds' worth were left: %v", i+1, err)
					}
					if _, err := io.ReadFull(r, make([]byte, tt.read)); err != nil {
						t.Fatal(err)
					}
				}
				p.Send("81 01 61") // with content, so that only what is skipped counts
				err := read(c)
				if !tt.empty {
					if err != nil {
						t.Error(err)
					}
					return
				}
				if pe, ok := errors.AsType[*ws.ProtocolError](err); !ok || pe.Rule != ws.RuleEmptyRate {
					t.Fatalf("one more than ten seconds' worth: %v, want rule %s", err, ws.RuleEmptyRate)
				}
			})
		}
	}
}

// A whole-message read that was interrupted had content, and so has the message
// whose rest is then taken, or left, as a Reader.
func TestEmptyRateInterrupted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, p := ctConn(t, ws.RoleClient, &wsnet.Options{PingInterval: -1, EmptyRate: 1})
		for i := range 15 {
			p.Send("01 01 61")
			ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
			if _, _, err := c.Read(ctx); !errors.Is(err, context.DeadlineExceeded) {
				t.Fatalf("the first half: %v", err)
			}
			cancel()
			p.Send("80 00")
			_, r, err := c.Reader(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if i%2 == 0 {
				if got, err := io.ReadAll(r); string(got) != "a" || err != nil {
					t.Fatalf("%q, %v", got, err)
				}
			}
		}
		p.Send("81 01 62")
		ctRead(t, "what comes after", c, ws.OpText, "b")
	})
}

// A compressed message that is collected in pieces has content, however it ends.
func TestEmptyRateLongCompressed(t *testing.T) {
	s, c := zPair(t, &wsnet.Options{PingInterval: -1, EmptyRate: 1, InflateRate: -1}, zParams(false, 15))
	text := zText(100_000, 1)
	for range 11 {
		if err := s.Write(t.Context(), ws.OpText, []byte(text)); err != nil {
			t.Fatal(err)
		}
		ctRead(t, "a long message", c, ws.OpText, text)
	}
}
