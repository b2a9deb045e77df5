package ws_test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"framewright/ws"
)

// A spelling is one way to write a parameter in an offer or an answer.
type spelling struct {
	text  string // behind the name; "-" leaves the parameter out
	bits  int    // the value, for a window
	valid bool
}

// RFC 7692 §7.1.1: "This parameter has no value."
var contextSpellings = []spelling{
	{"-", 0, true},
	{"", 0, true},
	{"=1", 0, false},
	{`="true"`, 0, false},
	{"; ", 0, false}, // stands for the parameter twice, see write
}

// §7.1.2.1: "a decimal integer value without leading zeroes between 8 to 15,
// inclusive". Only the client's window, and only in an offer, may go without
// (§7.1.2.2).
func windowSpellings(bareIsValid bool) []spelling {
	s := []spelling{
		{"-", 0, true},
		{"", 0, bareIsValid},
		{"; ", 0, false},
		{"=10; ", 0, false}, // twice, the second time without a value
	}
	for bits := 8; bits <= 15; bits++ {
		s = append(s, spelling{"=" + strconv.Itoa(bits), bits, true})
	}
	s = append(s,
		spelling{`="11"`, 11, true}, // RFC 6455 §9.1: a quoted-string is its content
		spelling{`="1\2"`, 12, true},
		spelling{` = 13 `, 13, true}) // §2.1 there: implied *LWS
	for _, wrong := range []string{"7", "16", "08", "015", "0", "100", "+9", "-9", "9.0", "1e1", "0x9", "ten", `"016"`, "99999999999999999999"} {
		s = append(s, spelling{"=" + wrong, 0, false})
	}
	return s
}

// few leaves out what is alike, where everything is combined with everything.
func few(all []spelling) []spelling {
	return slices.DeleteFunc(slices.Clone(all), func(s spelling) bool {
		return !slices.Contains([]string{"-", "", "; ", "=8", "=9", "=12", "=15", `="11"`, "=7", "=16", "=08"}, s.text)
	})
}

var paramNames = []string{"server_no_context_takeover", "client_no_context_takeover", "server_max_window_bits", "client_max_window_bits"}

// write returns an element of the header with the four parameters so spelled.
func write(params [4]spelling) string {
	s := "permessage-deflate"
	for i, p := range params {
		if p.text == "-" {
			continue
		}
		s += "; " + paramNames[i] + p.text
		if strings.HasSuffix(p.text, "; ") {
			s += paramNames[i]
		}
	}
	return s
}

// paramsOf reads an answer of ours, which is written one way only.
func paramsOf(t *testing.T, answer string) map[string]string {
	t.Helper()
	parts := strings.Split(answer, "; ")
	if parts[0] != "permessage-deflate" {
		t.Fatalf("the answer is %q", answer)
	}
	m := map[string]string{}
	for _, p := range parts[1:] {
		name, value, _ := strings.Cut(p, "=")
		if _, twice := m[name]; twice || !slices.Contains(paramNames, name) {
			t.Fatalf("the answer is %q", answer)
		}
		m[name] = value
	}
	return m
}

// wantAccept says what a server with c answers to an offer that is spelled
// like this: nil to decline.
func wantAccept(params [4]spelling, c *ws.Compression) (map[string]string, ws.DeflateParams) {
	for _, p := range params {
		// §7.1: "A server MUST decline an extension negotiation offer for this
		// extension if any of the following conditions are met: [...] a
		// parameter not defined for use in an offer, [...] with an invalid
		// value, [...] multiple parameters with the same name".
		if !p.valid {
			return nil, ws.DeflateParams{}
		}
	}
	there := func(i int) bool { return params[i].text != "-" }
	want := map[string]string{}
	agreed := ws.DeflateParams{ServerBits: 15, ClientBits: 15} // §7.1.2.1, §7.1.2.2: 32,768 bytes if nothing is said
	own := func(bits int) int {
		if bits == 0 {
			return 15
		}
		return bits
	}
	// §7.1.1.1: "A server accepts an extension negotiation offer that includes
	// [it] by including [it] in the response"; it may do so unasked.
	if there(0) || !c.SendContext {
		want[paramNames[0]] = ""
		agreed.ServerNoContext = true
	}
	// §7.1.1.2: a client's is a hint, a server's binds, asked for or not. We
	// heed the hint: what the client will not use costs us a window.
	windowFree := !there(3) // §7.1.2.2: then the answer must not have it
	if there(1) || !c.ReceiveContext || windowFree && own(c.ReceiveWindow) < 15 {
		want[paramNames[1]] = ""
		agreed.ClientNoContext = true
	}
	// §7.1.2.1: accepted "by including [it] with the same or smaller value";
	// a server may say it unasked.
	switch {
	case there(2):
		agreed.ServerBits = min(params[2].bits, own(c.SendWindow))
		want[paramNames[2]] = strconv.Itoa(agreed.ServerBits)
	case own(c.SendWindow) < 15:
		agreed.ServerBits = c.SendWindow
		want[paramNames[2]] = strconv.Itoa(agreed.ServerBits)
	}
	// §7.1.2.2: the answer may have it, no larger than the offer, if the offer
	// has it; without it in the answer the client may use all 32 KiB.
	switch {
	case windowFree:
	case params[3].bits != 0:
		agreed.ClientBits = min(params[3].bits, own(c.ReceiveWindow))
		want[paramNames[3]] = strconv.Itoa(agreed.ClientBits)
	case own(c.ReceiveWindow) < 15:
		agreed.ClientBits = c.ReceiveWindow
		want[paramNames[3]] = strconv.Itoa(agreed.ClientBits)
	}
	return want, agreed
}

func compressions(windows ...int) []*ws.Compression {
	var all []*ws.Compression
	for _, keeps := range []bool{false, true} {
		for _, remembers := range []bool{false, true} {
			for _, send := range windows {
				for _, receive := range windows {
					all = append(all, &ws.Compression{SendContext: keeps, ReceiveContext: remembers, SendWindow: send, ReceiveWindow: receive})
				}
			}
		}
	}
	return all
}

func wantAnswer(t *testing.T, offers []string, c *ws.Compression, want map[string]string, agreed ws.DeflateParams) {
	t.Helper()
	got, answer, err := ws.AcceptDeflate(offers, c)
	switch {
	case err != nil:
		t.Fatalf("%q to %+v: %v", offers, *c, err)
	case want == nil:
		if got != nil || answer != "" {
			t.Fatalf("%q to %+v: answers %q, want it declined", offers, *c, answer)
		}
	case got == nil:
		t.Fatalf("%q to %+v: declined, want %v", offers, *c, want)
	default:
		if has := paramsOf(t, answer); !maps.Equal(has, want) || *got != agreed {
			t.Fatalf("%q to %+v: answers %q, %+v; want %v, %+v", offers, *c, answer, *got, want, agreed)
		}
	}
}

// The server's half: every offer against every configuration. Each parameter
// by itself in every spelling, and all together in the spellings that differ.
func TestAcceptDeflate(t *testing.T) {
	absent := spelling{"-", 0, true}
	all := [4][]spelling{contextSpellings, contextSpellings, windowSpellings(false), windowSpellings(true)}
	every, some := compressions(0, 8, 9, 10, 11, 12, 13, 14, 15), compressions(0, 8, 12)
	n := 0
	for i, spellings := range all {
		for _, s := range spellings {
			params := [4]spelling{absent, absent, absent, absent}
			params[i] = s
			for _, c := range every {
				want, agreed := wantAccept(params, c)
				wantAnswer(t, []string{write(params)}, c, want, agreed)
				n++
			}
		}
	}
	for _, a := range few(all[0]) {
		for _, b := range few(all[1]) {
			for _, sw := range few(all[2]) {
				for _, cw := range few(all[3]) {
					params := [4]spelling{a, b, sw, cw}
					for _, c := range some {
						want, agreed := wantAccept(params, c)
						wantAnswer(t, []string{write(params)}, c, want, agreed)
						n++
					}
				}
			}
		}
	}
	t.Logf("%d combinations", n)
}

// §7.1: "in order of preference"; a declined offer leaves the next ones, in
// the same header or another.
func TestAcceptDeflatePreference(t *testing.T) {
	absent := spelling{"-", 0, true}
	first := [4]spelling{{"", 0, true}, absent, {"=10", 10, true}, absent}
	second := [4]spelling{absent, absent, absent, {"=9", 9, true}}
	declined := []string{
		"permessage-deflate; server_max_window_bits=7",
		"permessage-deflate; server_max_window_bits",
		"permessage-deflate; client_no_context_takeover=x",
		"permessage-deflate; server_no_context_takeover; server_no_context_takeover",
		"permessage-deflate; unknown",
		"permessage-deflate; Server_No_Context_Takeover",
		"permessage-deflate; client_max_window_bits=08",
		"permessage-deflated",
		"Permessage-Deflate",
		"permessage-bzip2; server_no_context_takeover",
		`x-other; a="1"; b`,
	}
	for _, c := range compressions(0, 9) {
		w1, a1 := wantAccept(first, c)
		w2, a2 := wantAccept(second, c)
		for _, bad := range declined {
			for _, sep := range []string{",", ", ", " ,\t", ",,, ,"} {
				wantAnswer(t, []string{bad}, c, nil, ws.DeflateParams{})
				wantAnswer(t, []string{bad + sep + write(first)}, c, w1, a1)
				wantAnswer(t, []string{bad + sep + write(second) + sep + write(first)}, c, w2, a2)
				wantAnswer(t, []string{write(first) + sep + write(second) + sep + bad}, c, w1, a1)
				wantAnswer(t, []string{bad, bad, write(first), write(second)}, c, w1, a1)
				wantAnswer(t, []string{"", bad + sep, sep + write(second)}, c, w2, a2)
			}
		}
	}
}

func TestAcceptDeflateOffOrNotOffered(t *testing.T) {
	for _, offers := range [][]string{nil, {}, {""}, {" "}, {",", " , "}, {"x"}, {"x, y; z=1"}} {
		wantAnswer(t, offers, &ws.Compression{}, nil, ws.DeflateParams{})
	}
	if p, answer, err := ws.AcceptDeflate([]string{"permessage-deflate"}, nil); p != nil || answer != "" || err != nil {
		t.Errorf("with compression off: %v, %q, %v", p, answer, err)
	}
}

// RFC 6455 §9.1: a header that does not have the form fails the handshake,
// wherever in it the fault is.
func TestExtensionsForm(t *testing.T) {
	for _, bad := range []string{
		";", "=", `"x"`, "x;", "x; ;y", "x; =1", "x; a=", "x; a=;b", `x; a="`, `x; a="1`, `x; a="1\`, `x; a=""`, `x; a="1 2"`, `x; a="1"2`,
		"x y", "x; a b", "x; a=1 2", "x; a=1=2", "x(y)", "x; a=(1)", "x/y", "é", "x; a=é", "\x00", "x; a=\x7f",
	} {
		for _, header := range [][]string{{bad}, {"permessage-deflate, " + bad}, {"permessage-deflate", bad}, {bad + ", permessage-deflate"}} {
			p, answer, err := ws.AcceptDeflate(header, &ws.Compression{})
			he, ok := errors.AsType[*ws.HandshakeError](err)
			if !ok || he.Rule != ws.RuleExtensions || he.Status != 400 || p != nil || answer != "" {
				t.Errorf("%q: got %v, %q, %v", header, p, answer, err)
			}
		}
		if p, err := ws.CheckDeflate([]string{"permessage-deflate; server_no_context_takeover, " + bad}, &ws.Compression{}); p != nil || err == nil {
			t.Errorf("a client takes %q: %v", bad, p)
		}
	}
}

// The client's half: every configuration, every answer in every spelling.
func TestCheckDeflate(t *testing.T) {
	own := func(bits int) int {
		if bits == 0 {
			return 15
		}
		return bits
	}
	all := [4][]spelling{contextSpellings, contextSpellings, windowSpellings(false), windowSpellings(false)}
	n := 0
	try := func(params [4]spelling, c *ws.Compression) {
		n++
		there := func(i int) bool { return params[i].text != "-" }
		bits := func(i int) int {
			if !there(i) {
				return 15
			}
			return params[i].bits
		}
		var why string
		for i, p := range params {
			if !p.valid { // §7.1: "A client MUST _Fail the WebSocket Connection_ if [...]"
				why = paramNames[i]
				break
			}
		}
		switch {
		case why != "":
		case !c.ReceiveContext && !there(0):
			why = "§7.1.1.1" // what was offered is not in the response: the server did not accept it
		case own(c.ReceiveWindow) < 15 && !there(2):
			why = "§7.1.2.1" // "accepts [...] by including"
		case there(2) && bits(2) > own(c.ReceiveWindow):
			why = "§7.1.2.1" // "the same or smaller value"
		case there(3) && bits(3) > own(c.SendWindow):
			why = "§7.1.2.2"
		}
		answer := write(params)
		got, err := ws.CheckDeflate([]string{answer}, c)
		if why != "" {
			he, ok := errors.AsType[*ws.HandshakeError](err)
			if !ok || got != nil || he.Rule != ws.RuleAnswerExtensions || !strings.Contains(he.Detail, why) {
				t.Fatalf("%q to %+v: %v, %v; want it refused for %s", answer, *c, got, err, why)
			}
			return
		}
		want := ws.DeflateParams{
			ServerNoContext: there(0),
			ClientNoContext: there(1) || !c.SendContext, // §7.1.1.2: ours to keep or not, unless forbidden
			ServerBits:      bits(2),
			ClientBits:      min(bits(3), own(c.SendWindow)),
		}
		if err != nil || *got != want {
			t.Fatalf("%q to %+v: %+v, %v; want %+v", answer, *c, got, err, want)
		}
	}
	absent, bare := spelling{"-", 0, true}, spelling{"", 0, true}
	for _, c := range compressions(0, 8, 9, 10, 11, 12, 13, 14, 15) {
		for i, spellings := range all {
			for _, s := range spellings {
				params := [4]spelling{bare, absent, {"=8", 8, true}, absent}
				params[i] = s
				try(params, c)
			}
		}
	}
	for _, c := range compressions(0, 8, 12) {
		for _, a := range few(all[0]) {
			for _, b := range few(all[1]) {
				for _, sw := range few(all[2]) {
					for _, cw := range few(all[3]) {
						try([4]spelling{a, b, sw, cw}, c)
					}
				}
			}
		}
	}
	t.Logf("%d combinations", n)

	c := &ws.Compression{SendContext: true, ReceiveContext: true}
	for _, declined := range [][]string{nil, {}, {""}, {" , "}} {
		if got, err := ws.CheckDeflate(declined, c); got != nil || err != nil {
			t.Errorf("%q: %v, %v; want none", declined, got, err)
		}
	}
	for _, bad := range [][]string{
		{"x"}, {"permessage-deflate, x"}, {"x", "permessage-deflate"}, {"permessage-deflate", "permessage-deflate"},
		{"permessage-deflate, permessage-deflate"}, {"permessage-deflate; x"}, {"permessage-deflate;"}, {"Permessage-Deflate"},
	} {
		if got, err := ws.CheckDeflate(bad, c); got != nil || err == nil {
			t.Errorf("%q: %v, %v; want an error", bad, got, err)
		}
	}
	if got, err := ws.CheckDeflate([]string{"permessage-deflate"}, nil); got != nil || err == nil {
		t.Errorf("not offered: %v, %v; want an error", got, err)
	}
}

// Two of ours, whatever they want, agree on the same, and neither gets a
// larger window or more context than it wanted to hold.
func TestDeflateBothHalves(t *testing.T) {
	own := func(bits int) int {
		if bits == 0 {
			return 15
		}
		return bits
	}
	for _, c := range compressions(0, 8, 9, 12, 14, 15) {
		offer := ws.OfferDeflate(c)
		for _, s := range compressions(0, 8, 9, 12, 14, 15) {
			agreed, answer, err := ws.AcceptDeflate([]string{offer}, s)
			if err != nil || agreed == nil {
				t.Fatalf("%q to %+v: %v, %v", offer, *s, agreed, err)
			}
			client, err := ws.CheckDeflate([]string{answer}, c)
			if err != nil {
				t.Fatalf("%q answered with %q: %v", offer, answer, err)
			}
			want := ws.DeflateParams{
				ServerNoContext: !s.SendContext || !c.ReceiveContext,
				ClientNoContext: !c.SendContext || !s.ReceiveContext,
				ServerBits:      min(own(s.SendWindow), own(c.ReceiveWindow)),
				ClientBits:      min(own(c.SendWindow), own(s.ReceiveWindow)),
			}
			if *agreed != want || *client != want {
				t.Fatalf("%q answered with %q: the server has %+v, the client %+v, want %+v", offer, answer, *agreed, *client, want)
			}
		}
	}
}

func TestOfferDeflate(t *testing.T) {
	got := map[string]string{}
	for name, c := range map[string]*ws.Compression{
		"zero":    {},
		"context": {SendContext: true, ReceiveContext: true},
		"windows": {SendContext: true, ReceiveContext: true, SendWindow: 9, ReceiveWindow: 10},
		"both":    {SendWindow: 8, ReceiveWindow: 15},
	} {
		got[name] = ws.OfferDeflate(c)
	}
	want := map[string]string{
		"zero":    "permessage-deflate; server_no_context_takeover; client_no_context_takeover; client_max_window_bits",
		"context": "permessage-deflate; client_max_window_bits",
		"windows": "permessage-deflate; server_max_window_bits=10; client_max_window_bits=9",
		"both":    "permessage-deflate; server_no_context_takeover; client_no_context_takeover; client_max_window_bits=8",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestCheckCompression(t *testing.T) {
	for bits := -1; bits <= 17; bits++ {
		valid := bits == 0 || bits >= 8 && bits <= 15
		for name, c := range map[string]*ws.Compression{"SendWindow": {SendWindow: bits}, "ReceiveWindow": {ReceiveWindow: bits}} {
			err := ws.CheckCompression(c)
			if (err == nil) != valid || err != nil && !strings.Contains(err.Error(), fmt.Sprintf("%s is %d, expected 8 to 15", name, bits)) {
				t.Errorf("%s %d: %v", name, bits, err)
			}
		}
	}
	if err := ws.CheckCompression(nil); err != nil {
		t.Error(err)
	}
}
