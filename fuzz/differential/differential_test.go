package differential

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"testing"

	"framewright/ws"

	"github.com/google/go-cmp/cmp"
)

// maxMessage is the limit on messages for all of them, in bytes.
const maxMessage = 4096

// An ending is how a stream ended for one implementation.
type ending string

const (
	open    ending = "open"    // more bytes could follow
	closed  ending = "closed"  // by a Close frame in good order
	refused ending = "refused" // for what the peer did
	paniced ending = "panic"
)

// A verdict is what one implementation made of a stream.
type verdict struct {
	messages []string // "t" or "b" for the type, then the content
	end      ending
	code     int       // of the Close frame, if closed; 1005 for none
	rule     ws.RuleID // ours only, if refused
	partial  string    // ours only: the message under way, "" if there is none
	err      error     // theirs only
}

// A peer is another implementation.
type peer struct {
	name string
	read func(wire []byte, role ws.Role) verdict
}

var peers = []peer{
	{"gobwas", gobwas},
	{"gws", lxzan},
}

// A difference is one that was looked at and is right, or is theirs to mend.
type difference struct {
	peer  string
	rule  ws.RuleID // that we refuse by; "" if we do not
	ours  ending
	their ending
	why   string

	code    int  // of the Close frame, where we take it and they do not
	passes  bool // they go on, and may see messages that we do not
	partial bool // they take a message for whole whose end is missing
}

// differences is the whole list. Two ways of theirs explain most of it: they
// do not look at whether a length is written in the fewest bytes, and they
// judge a header, gws a frame or a message, when all of it has come, where we
// refuse after the first two bytes, or the first bad one.
var differences = []difference{
	{peer: "gobwas", rule: ws.RuleMinimalLength, ours: refused, their: open, why: "gobwas takes a length in more bytes than it needs, and waits for the payload", passes: true},
	{peer: "gobwas", rule: ws.RuleMinimalLength, ours: refused, their: refused, why: "gobwas takes a length in more bytes than it needs, and refuses what comes later", passes: true},
	{peer: "gobwas", rule: ws.RuleMinimalLength, ours: refused, their: closed, why: "gobwas takes a length in more bytes than it needs, and goes on to a Close frame", passes: true},
	{peer: "gobwas", rule: ws.RuleRSV, ours: refused, their: open, why: "gobwas judges a whole header, we its first two bytes"},
	{peer: "gobwas", rule: ws.RuleOpcode, ours: refused, their: open, why: "gobwas judges a whole header, we its first two bytes"},
	{peer: "gobwas", rule: ws.RuleClientMasks, ours: refused, their: open, why: "gobwas judges a whole header, we its first two bytes"},
	{peer: "gobwas", rule: ws.RuleServerUnmasked, ours: refused, their: open, why: "gobwas judges a whole header, we its first two bytes"},
	{peer: "gobwas", rule: ws.RuleControlFin, ours: refused, their: open, why: "gobwas judges a whole header, we its first two bytes"},
	{peer: "gobwas", rule: ws.RuleControlLength, ours: refused, their: open, why: "gobwas judges a whole header, we its first two bytes; and it takes a control frame whose short length is written long", passes: true},
	{peer: "gobwas", rule: ws.RuleContinuation, ours: refused, their: open, why: "gobwas judges a whole header, we its first two bytes"},
	{peer: "gobwas", rule: ws.RuleInterleaved, ours: refused, their: open, why: "gobwas judges a whole header, we its first two bytes"},

	{peer: "gobwas", rule: "", ours: open, their: open, why: "gobwas takes the end of the stream between a control frame's header and its payload for the end of the message around it", partial: true},
	{peer: "gobwas", rule: ws.RuleCloseCode, ours: refused, their: closed, why: "gobwas takes close codes from 5000 on"},
	{peer: "gobwas", rule: ws.RuleLengthTopBit, ours: refused, their: open, why: "gobwas judges a length when the masking key is there, too"},
	{peer: "gobwas", rule: ws.RuleControlLength, ours: refused, their: refused, why: "gobwas takes a control frame whose short length is written long, and goes on", passes: true},
	{peer: "gobwas", rule: ws.RuleControlLength, ours: refused, their: closed, why: "gobwas takes a control frame whose short length is written long, and goes on", passes: true},
	{peer: "gobwas", rule: "", ours: closed, their: refused, why: "gobwas refuses 1012, which the registry has (service restart)", code: 1012},
	{peer: "gobwas", rule: "", ours: closed, their: refused, why: "gobwas refuses 1013, which the registry has (try again later)", code: 1013},
	{peer: "gobwas", rule: "", ours: closed, their: refused, why: "gobwas refuses 1014, which the registry has (bad gateway)", code: 1014},

	{peer: "gws", rule: ws.RuleMinimalLength, ours: refused, their: open, why: "gws takes a length in more bytes than it needs, and waits for the payload", passes: true},
	{peer: "gws", rule: ws.RuleMinimalLength, ours: refused, their: refused, why: "gws takes a length in more bytes than it needs, and refuses what comes later", passes: true},
	{peer: "gws", rule: ws.RuleMinimalLength, ours: refused, their: closed, why: "gws takes a length in more bytes than it needs, and goes on to a Close frame", passes: true},
	{peer: "gws", rule: ws.RuleRSV, ours: refused, their: open, why: "gws judges a whole header, we its first two bytes"},
	{peer: "gws", rule: ws.RuleOpcode, ours: refused, their: open, why: "gws judges a reserved opcode when the whole frame is there, we its first two bytes"},
	{peer: "gws", rule: ws.RuleClientMasks, ours: refused, their: open, why: "gws judges a whole header, we its first two bytes"},
	{peer: "gws", rule: ws.RuleServerUnmasked, ours: refused, their: open, why: "gws judges a whole header, we its first two bytes"},
	{peer: "gws", rule: ws.RuleControlFin, ours: refused, their: open, why: "gws judges a whole header, we its first two bytes"},
	{peer: "gws", rule: ws.RuleControlLength, ours: refused, their: open, why: "gws judges a whole header, we its first two bytes"},
	{peer: "gws", rule: ws.RuleContinuation, ours: refused, their: open, why: "gws judges the place of a frame when all of it has come"},
	{peer: "gws", rule: ws.RuleInterleaved, ours: refused, their: open, why: "gws judges the place of a frame when all of it has come"},
	{peer: "gws", rule: ws.RuleTextUTF8, ours: refused, their: open, why: "gws judges text when the message has come whole, we at the first bad byte"},
	{peer: "gws", rule: ws.RuleTextUTF8, ours: refused, their: closed, why: "gws has not judged the text of an unfinished message when a Close frame comes inside of it"},
	{peer: "gws", rule: ws.RuleMessageSize, ours: refused, their: open, why: "gws adds up fragments when they have come, we when they are announced"},
	{peer: "gws", rule: ws.RuleLengthTopBit, ours: refused, their: open, why: "gws judges a length when the masking key is there, too"},
	{peer: "gws", rule: anyRule, ours: refused, their: paniced, why: "gws takes a 64-bit length with the top bit for a negative number, and allocates what a header announces", passes: true},
	{peer: "gws", rule: "", ours: closed, their: refused, why: "gws refuses 1014, which the registry has (bad gateway)", code: 1014},
}

// anyRule stands for whichever rule made us refuse: a peer that panics does so
// wherever it stands.
const anyRule ws.RuleID = "*"

// find returns the entry for a difference, or nil.
func find(peer string, ours, theirs verdict) *difference {
	for i := range differences {
		d := &differences[i]
		if d.peer == peer && (d.rule == ours.rule || d.rule == anyRule) && d.code == ours.code && d.ours == ours.end && d.their == theirs.end {
			return d
		}
	}
	return nil
}

// FuzzPeers: on any bytes, in both roles, the others see the same messages
// and the same end as we do, but for the differences in the table; and none
// has seen other messages before the place of a difference.
func FuzzPeers(f *testing.F) {
	for _, s := range seeds {
		f.Add(s.client, s.wire())
	}
	f.Fuzz(func(t *testing.T, client bool, wire []byte) {
		role := ws.RoleServer
		if client {
			role = ws.RoleClient
		}
		ours := receiver(wire, role)
		for _, p := range peers {
			theirs := p.read(bytes.Clone(wire), role)
			if problem := compare(p.name, ours, theirs); problem != "" {
				t.Errorf("%x, %s, %s: %s", wire, role, p.name, problem)
			}
		}
	})
}

// compare returns "" if the two verdicts are the same or the table has their
// difference.
func compare(peer string, ours, theirs verdict) string {
	d := find(peer, ours, theirs)
	if ours.end != theirs.end && d == nil {
		return fmt.Sprintf("unexplained: we end %s %s (code %d), they end %s (%v, code %d)", ours.end, ours.rule, ours.code, theirs.end, theirs.err, theirs.code)
	}
	seen := theirs.messages
	if d != nil && d.passes && len(seen) > len(ours.messages) {
		seen = seen[:len(ours.messages)]
	}
	if d != nil && d.partial && len(seen) == len(ours.messages)+1 && ours.partial != "" && seen[len(seen)-1] == ours.partial {
		seen = seen[:len(ours.messages)]
	}
	if !slices.Equal(ours.messages, seen) || ours.end == closed && theirs.end == closed && ours.code != theirs.code {
		return fmt.Sprintf("codes %d and %d, messages (-ours +theirs):\n%s", ours.code, theirs.code, cmp.Diff(ours.messages, theirs.messages))
	}
	return ""
}

// receiver is our own.
func receiver(wire []byte, role ws.Role) (v verdict) {
	r := ws.NewReceiver(role, ws.Limits{MessageSize: maxMessage, Fragments: -1})
	wire = bytes.Clone(wire)
	v.end = open
	var message []byte
	for {
		e, n, err := r.Next(wire)
		if err != nil {
			pe, _ := errors.AsType[*ws.ProtocolError](err)
			v.end, v.rule = refused, pe.Rule
			return v
		}
		if e.Opcode == ws.OpText || e.Opcode == ws.OpBinary {
			message = append(message, e.Payload...)
			if e.Fin {
				v.messages = append(v.messages, string("?tb"[e.Opcode])+string(message))
				message = nil
			}
		}
		if r.State() == ws.StateClosed {
			code, _ := r.CloseFrame()
			v.end, v.code = closed, int(code)
			return v
		}
		if n == 0 {
			if s := r.State(); s == ws.StateInText || s == ws.StateInBinary {
				v.partial = string("?tb"[r.Opcode()]) + string(message)
			}
			return v
		}
		wire = wire[n:]
	}
}

// Every entry of the table is met by a seed: one that is not is out of date.
func TestTable(t *testing.T) {
	met := make([]bool, len(differences))
	for _, s := range seeds {
		role := ws.RoleServer
		if s.client {
			role = ws.RoleClient
		}
		ours := receiver(s.wire(), role)
		for _, p := range peers {
			theirs := p.read(s.wire(), role)
			if problem := compare(p.name, ours, theirs); problem != "" {
				t.Errorf("%s: %s: %s", s.name, p.name, problem)
			}
			if d := find(p.name, ours, theirs); d != nil {
				met[slices.Index(differences, *d)] = true
			}
		}
	}
	for i, d := range differences {
		if !met[i] {
			t.Errorf("no seed shows that %q (%s, %q, %s)", d.why, d.peer, d.rule, d.their)
		}
	}
}
