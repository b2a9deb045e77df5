package wsspec

import (
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"framewright/ws"
	"framewright/ws/wstest"
)

// The chapter's cases have what a report needs, and ids of their own.
func TestNegotiationIsWhole(t *testing.T) {
	seen := map[string]bool{}
	for _, c := range negotiation() {
		if seen[c.ID] {
			t.Errorf("%s is there twice", c.ID)
		}
		seen[c.ID] = true
		f := strings.Split(c.ID, "/")
		if len(f) != 3 || c.Section != f[0]+" §"+f[1] || strings.ContainsAny(f[2], " _") || c.Title == "" || c.Clause == "" || c.Play == nil || c.Roles == 0 {
			t.Errorf("%+v", c)
		}
		if c.Level != Must && c.Why == "" {
			t.Errorf("%s is %s, and does not say why", c.ID, c.Level)
		}
	}
}

func TestJudgeAgreement(t *testing.T) {
	for _, tt := range []struct {
		name, answer string
		offers       []deflateParams
		want         string // a part of the error; "" is none
	}{
		{"plain", deflateName, []deflateParams{{}}, ""},
		{"none", "", []deflateParams{{serverBits: 9}}, ""},
		{"more than was asked", deflateName + "; server_no_context_takeover; client_no_context_takeover; server_max_window_bits=9", []deflateParams{{}}, ""},
		{"a smaller window", deflateName + "; server_max_window_bits=9", []deflateParams{{serverBits: 10}}, ""},
		{"the second offer", deflateName, []deflateParams{{serverBits: 10}, {}}, ""},
		{"a greater window", deflateName + "; server_max_window_bits=11", []deflateParams{{serverBits: 10}}, "server_max_window_bits=10 was offered"},
		{"no window", deflateName, []deflateParams{{serverBits: 10}}, "is not accepted with it"},
		{"a context", deflateName, []deflateParams{{serverNoContext: true}}, "is not accepted with it"},
		{"a window that was not offered", deflateName + "; client_max_window_bits=9", []deflateParams{{}}, "was not offered"},
		{"a window that was", deflateName + "; client_max_window_bits=9", []deflateParams{{clientBitsAny: true}}, ""},
		{"a greater one for the client", deflateName + "; client_max_window_bits=11", []deflateParams{{clientBits: 10}}, "client_max_window_bits=10 was offered"},
		{"no value", deflateName + "; client_max_window_bits", []deflateParams{{clientBitsAny: true}}, "8 to 15"},
		{"two", deflateName + ", " + deflateName, []deflateParams{{}}, "2 extensions"},
		{"another", "x", []deflateParams{{}}, "not offered"},
		{"no list", deflateName + ";", []deflateParams{{}}, "§9.1"},
	} {
		_, on, err := judgeAgreement(Head{Lines: []Field{{extensionsField, tt.answer}}}, tt.offers)
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) || err == nil && on != (tt.answer != "") {
			t.Errorf("%s: %v, %v; want an error with %q", tt.name, on, err, tt.want)
		}
	}
}

// ofRole are the cases for a role.
func ofRole(all []*Case, r Role) (some []*Case) {
	for _, c := range all {
		if c.Roles.Has(r) {
			some = append(some, c)
		}
	}
	return some
}

// wantKept: nothing fails, and nothing is skipped but what skips says.
func wantKept(t *testing.T, results []Result, skips ...string) {
	t.Helper()
	for _, r := range results {
		switch {
		case r.Outcome == Passed, r.Outcome == Noted && r.Case.Level == Info:
			if testing.Verbose() && r.Case.Level == Info {
				t.Logf("%s: %s", r.Case.ID, r.Actual)
			}
			continue
		case r.Outcome == Skipped:
			ok := false
			for _, s := range skips {
				ok = ok || strings.Contains(r.Case.ID, s)
			}
			if ok {
				continue
			}
		}
		t.Errorf("%s (%s): %s: want %s; %s", r.Case.ID, r.Role, r.Outcome, r.Expected, r.Actual)
	}
}

// someCompressions are settings of ours, one of them where memory is watched.
func someCompressions() []*ws.Compression {
	all := []*ws.Compression{takeover, {}, {SendContext: true, ReceiveContext: true, SendWindow: 9, ReceiveWindow: 10, Threshold: -1}}
	return share(all)
}

func TestNegotiationOwnServer(t *testing.T) {
	wstest.CheckLeaks(t)
	for _, c := range someCompressions() {
		wantKept(t, playAll(t, deflateServer(t, c), Settings{}, share(ofRole(negotiation(), Server))), "reference-")
	}
	for _, r := range playAll(t, deflateServer(t, nil), Settings{}, share(ofRole(negotiation(), Server))) {
		if r.Outcome != Skipped {
			t.Errorf("%s, of a server without compression: %s: %s", r.Case.ID, r.Outcome, r.Actual)
		}
	}
}

func TestNegotiationOwnClient(t *testing.T) {
	wstest.CheckLeaks(t)
	for _, c := range someCompressions() {
		wantKept(t, playClients(t, deflatingClient(c), Settings{}, share(ofRole(negotiation(), Client))), "reference-", "answer-greater", "answer-without", "answer-not-offered", "7.1.2.2/answer-1", "together-")
	}
	for _, r := range playClients(t, deflatingClient(nil), Settings{}, share(ofRole(negotiation(), Client))) {
		if r.Outcome != Skipped {
			t.Errorf("%s, of a client without compression: %s: %s", r.Case.ID, r.Outcome, r.Actual)
		}
	}
}

// The testee that keeps every rule passes, so that a quirk is what fails it.
func TestNegotiationStraightTestee(t *testing.T) {
	wstest.CheckLeaks(t)
	wantKept(t, playAll(t, deflaterServer(t, ""), Settings{}, share(ofRole(negotiation(), Server))), "reference-")
	wantKept(t, playClients(t, deflater{}.client, Settings{}, share(ofRole(negotiation(), Client))), "answer-greater", "answer-without", "answer-not-offered")
}

const negotiationFailedBy = "testdata/negotiation_failedby.txt"

// Each case is failed by the testee that testdata names for it. -update looks for one
// anew.
func TestEveryNegotiationCanFail(t *testing.T) {
	wstest.CheckLeaks(t)
	quick := Settings{Patience: 400 * time.Millisecond}
	servers := map[string]*ServerTest{}
	for _, quirk := range deflaterQuirks {
		st, err := NewServerTest(deflaterServer(t, quirk), quick, nil)
		if err != nil {
			t.Fatal(err)
		}
		servers[quirk] = st
	}
	fails := func(c *Case, role Role, quirk string) bool {
		var r Result
		if role == Server {
			r = servers[quirk].Play(t.Context(), c)
		} else {
			r = playOneClient(t, deflater{quirk}.client, quick, c)
		}
		return r.Outcome == Failed || r.Outcome == Weak
	}
	named := map[string]string{}
	if b, err := os.ReadFile(negotiationFailedBy); err == nil {
		for line := range strings.Lines(string(b)) {
			if f := strings.Fields(line); len(f) == 3 {
				named[f[0]+" "+f[1]] = f[2]
			}
		}
	}
	var mu sync.Mutex
	found := map[string]string{}
	for _, role := range []Role{Server, Client} {
		parallel(share(ofRole(negotiation(), role)), func(c *Case) Result {
			at := c.ID + " " + string(role)
			try := []string{named[at]}
			if *update {
				try = deflaterQuirks
			}
			for _, quirk := range try {
				if c.Level != Info && quirk != "" && fails(c, role, quirk) {
					mu.Lock()
					defer mu.Unlock()
					found[at] = quirk
					return Result{}
				}
			}
			if c.Level != Info {
				t.Errorf("no testee fails %s; %q was tried", at, named[at])
			}
			return Result{}
		})
	}
	if !*update {
		return
	}
	var b strings.Builder
	for _, role := range []Role{Server, Client} {
		for _, c := range ofRole(negotiation(), role) {
			if q := found[c.ID+" "+string(role)]; q != "" {
				fmt.Fprintf(&b, "%s %s %s\n", c.ID, role, q)
			}
		}
	}
	if err := os.WriteFile(negotiationFailedBy, []byte(b.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}
