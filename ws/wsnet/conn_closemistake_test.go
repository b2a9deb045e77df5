package wsnet_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"framewright/ws"
	"framewright/ws/wsnet"
	"framewright/ws/wstest"
)

// Close ends the connection whatever it is given: "defer c.Close(ctx, code,
// err.Error())" must not leave one open.
func TestCloseMistakes(t *testing.T) {
	for _, tc := range []struct {
		name   string
		code   ws.Code
		reason string
		want   error
		sent   ws.Code
		says   string
		text   string
	}{
		{"123 bytes", 1000, strings.Repeat("x", 123), nil, 1000, strings.Repeat("x", 123), ""},
		{"124 bytes", 1000, strings.Repeat("x", 124), ws.ErrReasonTooLong, 1000, strings.Repeat("x", 123), "ws: close: close reason is longer than 123 bytes (§5.5)"},
		{"1 MiB", 4000, strings.Repeat("x", 1<<20), ws.ErrReasonTooLong, 4000, strings.Repeat("x", 123), ""},
		{"125 bytes of a three-byte character, cut between two", 1000, "12" + strings.Repeat("€", 41), ws.ErrReasonTooLong, 1000, "12" + strings.Repeat("€", 40), ""},
		{"a four-byte character on the edge", 1000, strings.Repeat("x", 120) + "😀", ws.ErrReasonTooLong, 1000, strings.Repeat("x", 120), ""},
		{"not UTF-8", 1000, "caf\xe9", ws.ErrNotUTF8, 1000, "caf\uFFFD", "ws: close: text to send is not UTF-8 (§5.6)"},
		{"not UTF-8, and too long once it is", 1000, strings.Repeat("x", 122) + "\xff", ws.ErrNotUTF8, 1000, strings.Repeat("x", 122), ""},
		{"nothing but continuations, and too long", 1000, strings.Repeat("\x80", 5000), ws.ErrReasonTooLong, 1000, "\uFFFD", ""},
		{"a half code point at the end", 1000, "ab\xe2\x82", ws.ErrNotUTF8, 1000, "ab\uFFFD", ""},
		{"a surrogate", 1000, "\xed\xa0\x80", ws.ErrNotUTF8, 1000, "\uFFFD", ""},
		{"code 0", 0, "", ws.ErrCloseCode, 1011, "", "ws: close: close code must not be sent (§7.4)"},
		{"code 999", 999, "why", ws.ErrCloseCode, 1011, "why", "ws: close: close code must not be sent (§7.4)"},
		{"code 1004", 1004, "", ws.ErrCloseCode, 1011, "", ""},
		{"code 1006", ws.CodeAbnormal, "lost", ws.ErrCloseCode, 1011, "lost", ""},
		{"code 1015", ws.CodeTLSHandshake, "", ws.ErrCloseCode, 1011, "", ""},
		{"code 2999", 2999, "", ws.ErrCloseCode, 1011, "", ""},
		{"code 5000", 5000, "", ws.ErrCloseCode, 1011, "", ""},
		{"all of it", 65535, strings.Repeat("\xff", 500), ws.ErrCloseCode, 1011, "\uFFFD", ""},
		{"a long reason without a code", ws.CodeNoStatus, strings.Repeat("x", 200), ws.ErrReasonTooLong, ws.CodeNoStatus, "", ""},
	} {
		for _, role := range []ws.Role{ws.RoleServer, ws.RoleClient} {
			t.Run(tc.name+", "+role.String(), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					c, p := ctConn(t, role, ctQuiet())
					closed := ctAsync(func() error { return c.Close(t.Context(), tc.code, tc.reason) })
					p.WantClose("the end all the same", tc.sent, tc.says)
					p.SendFrame(wstest.Close(ws.CodeNormal, ""))
					if role == ws.RoleClient {
						p.Close()
					}
					err := <-closed
					if !errors.Is(err, tc.want) || tc.text != "" && err.Error() != tc.text {
						t.Errorf("got %v, want %v", err, tc.want)
					}
					ctCloseError(t, "Err", c.Err(), tc.sent, false)
					if err := c.Close(t.Context(), ws.CodeNormal, ""); err != nil {
						t.Errorf("again, rightly: %v", err)
					}
				})
			})
		}
	}
}

// A mistake does not hide that the closing handshake failed, nor make Close
// wait any longer for it.
func TestCloseMistakeAndTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _ := ctConn(t, ws.RoleServer, ctQuiet())
		ctTook(t, "Close", 5*time.Second, func() {
			err := c.Close(t.Context(), 1, "")
			if !errors.Is(err, ws.ErrCloseCode) || !errors.Is(err, wsnet.ErrCloseTimeout) {
				t.Errorf("got %v", err)
			}
		})
	})
	synctest.Test(t, func(t *testing.T) {
		c, p := ctConn(t, ws.RoleServer, ctQuiet())
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := c.Close(ctx, ws.CodeNormal, strings.Repeat("x", 124)); !errors.Is(err, ws.ErrReasonTooLong) || !errors.Is(err, context.Canceled) || c.Err() == nil {
			t.Errorf("got %v, and the connection's end is %v", err, c.Err())
		}
		p.WantClose("there was time for that", ws.CodeNormal, "xxx")
	})
}

// What Close says of a closing handshake that fails names no mistake if there was
// none.
func TestCloseWithoutAnAnswerSays(t *testing.T) {
	for name, tt := range map[string]struct {
		code ws.Code
		want string
	}{
		"a code that may be sent": {ws.CodeNormal, "ws: close: closed by this endpoint with 1000 (normal closure): the peer did not answer the Close frame within CloseTimeout (§7.1.2)"},
		"and one that may not":    {ws.CodeAbnormal, "ws: close: close code must not be sent (§7.4), and the closing handshake failed: "},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, _ := ctConn(t, ws.RoleServer, ctQuiet())
				err := c.Close(t.Context(), tt.code, "")
				if err == nil || !strings.HasPrefix(err.Error(), tt.want) || !errors.Is(err, wsnet.ErrCloseTimeout) {
					t.Errorf("got %v, want %s…", err, tt.want)
				}
			})
		})
	}
}
