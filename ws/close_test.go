package ws_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"strings"
	"testing"

	"framewright/ws"
	"framewright/ws/wstest"
)

// Who may send what, in the words of §7.4.1 and §7.4.2 and of the registry
// that §11.7 set up.
var closeCodes = []struct {
	from, to ws.Code
	may      bool
	why      string
}{
	{0, 999, false, "not used (§7.4.2)"},
	{1000, 1003, true, "defined (§7.4.1)"},
	{1004, 1004, false, "reserved (§7.4.1)"},
	{1005, 1006, false, "reserved, never in a Close frame (§7.4.1)"},
	{1007, 1011, true, "defined (§7.4.1)"},
	{1012, 1014, true, "registered after the RFC"},
	{1015, 1015, false, "reserved, never in a Close frame (§7.4.1)"},
	{1016, 2999, false, "for the protocol's own future (§7.4.2)"},
	{3000, 3999, true, "for libraries and frameworks (§7.4.2)"},
	{4000, 4999, true, "for private use (§7.4.2)"},
	{5000, 65535, false, "outside of all ranges"},
}

func TestCloseCodes(t *testing.T) {
	next := 0
	for _, r := range closeCodes {
		if int(r.from) != next {
			t.Fatalf("the table has a gap before %d", r.from)
		}
		for code := int(r.from); code <= int(r.to); code++ {
			c := ws.Code(code)
			if got := c.MaySend(); got != r.may {
				t.Errorf("%d: MaySend is %v, want %v: %s", code, got, r.may, r.why)
			}
			got, reason, err := ws.ParseClose(append(binary.BigEndian.AppendUint16(nil, uint16(code)), "why"...))
			if r.may {
				if got != c || reason != "why" || err != nil {
					t.Errorf("%d: ParseClose gives %v, %q, %v", code, got, reason, err)
				}
				continue
			}
			pe, ok := errors.AsType[*ws.ProtocolError](err)
			if !ok || pe.Rule != ws.RuleCloseCode || pe.Code != ws.CodeProtocolError {
				t.Errorf("%d: ParseClose gives %v, want %s: %s", code, err, ws.RuleCloseCode, r.why)
			}
		}
		next = int(r.to) + 1
	}
	if next != 65536 {
		t.Fatalf("the table ends at %d", next)
	}
}

func TestParseClose(t *testing.T) {
	for _, tt := range []struct {
		name   string
		wire   string
		code   ws.Code
		reason string
		rule   ws.RuleID
		text   string
	}{
		{name: "empty", wire: "", code: ws.CodeNoStatus},
		{name: "code alone", wire: "03e8", code: ws.CodeNormal},
		{name: "code and reason", wire: "03e9 | 'bye'", code: ws.CodeGoingAway, reason: "bye"},
		{name: "reason in UTF-8", wire: "03e8 | 'à bientôt'", code: ws.CodeNormal, reason: "à bientôt"},
		{name: "longest reason", wire: "03e8 | 'x'*123", code: ws.CodeNormal, reason: strings.Repeat("x", 123)},
		{name: "one byte", wire: "03", rule: ws.RuleCloseLength, text: "ws: close payload of one byte (§5.5.1)"},
		{name: "1005 on the wire", wire: "03ed", rule: ws.RuleCloseCode, text: "ws: close code 1005 must not be sent (§7.4)"},
		{name: "code 0", wire: "0000", rule: ws.RuleCloseCode, text: "ws: close code 0 must not be sent (§7.4)"},
		{name: "reason with a bad byte", wire: "03e8 | 'a' ff", rule: ws.RuleCloseUTF8, text: "ws: close reason is not UTF-8: byte 0xff at offset 1 (§5.5.1)"},
		{name: "reason cut inside a code point", wire: "03e8 | 'a' e282", rule: ws.RuleCloseUTF8, text: "ws: close reason of 3 bytes ends inside a UTF-8 sequence (§5.5.1)"},
		{name: "reason with a surrogate", wire: "03e8 | eda080", rule: ws.RuleCloseUTF8, text: "ws: close reason is not UTF-8: byte 0xa0 at offset 1 (§5.5.1)"},
		{name: "bad code and bad reason: the code comes first", wire: "03ec | ff", rule: ws.RuleCloseCode, text: "ws: close code 1004 must not be sent (§7.4)"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			payload := wstest.MustHex(tt.wire)
			code, reason, err := ws.ParseClose(payload)
			if tt.rule == "" {
				if code != tt.code || reason != tt.reason || err != nil {
					t.Errorf("got %v, %q, %v, want %v, %q", code, reason, err, tt.code, tt.reason)
				}
				if got := ws.AppendClose([]byte{1}, code, reason); !bytes.Equal(got[1:], payload) || got[0] != 1 {
					t.Errorf("AppendClose gives % x, want 01 % x", got, payload)
				}
				return
			}
			pe, ok := errors.AsType[*ws.ProtocolError](err)
			if !ok || pe.Rule != tt.rule {
				t.Fatalf("got %v, want rule %s", err, tt.rule)
			}
			if err.Error() != tt.text {
				t.Errorf("got  %s\nwant %s", err, tt.text)
			}
		})
	}
}

func TestAppendCloseNoStatus(t *testing.T) {
	if got := ws.AppendClose(nil, ws.CodeNoStatus, "left out"); len(got) != 0 {
		t.Errorf("got % x, want nothing", got)
	}
}

func TestCodeString(t *testing.T) {
	for code, want := range map[ws.Code]string{
		1000: "1000 (normal closure)",
		1001: "1001 (going away)",
		1002: "1002 (protocol error)",
		1003: "1003 (unsupported data)",
		1004: "1004",
		1005: "1005 (no status received)",
		1006: "1006 (abnormal closure)",
		1007: "1007 (invalid frame payload data)",
		1008: "1008 (policy violation)",
		1009: "1009 (message too big)",
		1010: "1010 (mandatory extension)",
		1011: "1011 (internal error)",
		1012: "1012 (service restart)",
		1013: "1013 (try again later)",
		1014: "1014 (bad gateway)",
		1015: "1015 (TLS handshake)",
		0:    "0",
		4000: "4000",
	} {
		if got := code.String(); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

// What comes back with an error: the code that was there, and no reason.
func TestParseCloseRefused(t *testing.T) {
	for wire, want := range map[string]ws.Code{"03": 0, "03 ed": 1005, "00 00": 0, "13 88 61": 5000, "03 e8 ff": 1000, "03 e8 61 c3": 1000} {
		if code, reason, err := ws.ParseClose(wstest.MustHex(wire)); code != want || reason != "" || err == nil {
			t.Errorf("%s: %d, %q, %v; want %d", wire, code, reason, err, want)
		}
	}
}
