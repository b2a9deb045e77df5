package ws_test

import (
	"errors"
	"io"
	"testing"

	"framewright/ws"
)

// EmptyRate counts messages without content by whatever way the application
// takes them, and however they were sent: as one frame, as several, compressed.
func TestEmptyRateEveryWay(t *testing.T) {
	const rate = 3
	whole := func(t *testing.T, c *ws.Conn) error { _, _, err := c.Read(t.Context()); return err }
	ways := map[string]func(*testing.T, *ws.Conn) error{
		"Read": whole,
		"ReadAppend behind other bytes": func(t *testing.T, c *ws.Conn) error {
			_, _, err := c.ReadAppend(t.Context(), []byte("what was there before"))
			return err
		},
		"Messages": func(t *testing.T, c *ws.Conn) error {
			for _, err := range c.Messages(t.Context()) {
				return err
			}
			return io.ErrUnexpectedEOF
		},
		"Reader": func(t *testing.T, c *ws.Conn) error {
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
				c, p := zConn(t, ws.RoleClient, &ws.Options{PingInterval: -1, EmptyRate: rate}, zParams(false, 15))
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

// A compressed message that is collected in pieces has content, however it ends.
func TestEmptyRateLongCompressed(t *testing.T) {
	s, c := zPair(t, &ws.Options{PingInterval: -1, EmptyRate: 1, InflateRate: -1}, zParams(false, 15))
	text := zText(100_000, 1)
	for range 11 {
		if err := s.Write(t.Context(), ws.OpText, []byte(text)); err != nil {
			t.Fatal(err)
		}
		ctRead(t, "a long message", c, ws.OpText, text)
	}
}
