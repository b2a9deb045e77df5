package socketio

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var testLimits = limits{depth: 8, args: 5, attachments: 3, namespace: 16}

// view is a packet as tests write it down.
type view struct {
	Type        PacketType
	Namespace   string
	ID          string // "" for none
	Attachments int
	Data        string
	Args        []string
	Holders     []holder // of all arguments
}

func look(p packet) view {
	v := view{Type: p.typ, Namespace: p.namespace, Attachments: p.attachments, Data: string(p.data)}
	if p.id != noID {
		v.ID = fmt.Sprint(p.id)
	}
	for _, a := range p.args {
		v.Args = append(v.Args, string(a.raw))
		v.Holders = append(v.Holders, a.holders...)
	}
	return v
}

// Packets byte for byte: what they mean, and that they are written the same.
func TestPackets(t *testing.T) {
	const ph0, ph1 = `{"_placeholder":true,"num":0}`, `{"_placeholder":true,"num":1}`
	for _, tt := range []struct {
		name, wire string
		want       view
	}{
		{"connect", `0`, view{Type: typeConnect}},
		{"connect with auth", `0{"token":"x"}`, view{Type: typeConnect, Data: `{"token":"x"}`}},
		{"connect to a namespace", `0/admin,`, view{Type: typeConnect, Namespace: "/admin"}},
		{"connect to a namespace with auth", `0/admin,{"token":"x"}`, view{Type: typeConnect, Namespace: "/admin", Data: `{"token":"x"}`}},
		{"the answer to connect", `0{"sid":"oSO0OpakMV_3jnilAAAA"}`, view{Type: typeConnect, Data: `{"sid":"oSO0OpakMV_3jnilAAAA"}`}},
		{"coming back", `0{"pid":"p","offset":"o"}`, view{Type: typeConnect, Data: `{"pid":"p","offset":"o"}`}},
		{"connect refused", `4/nope,{"message":"Invalid namespace"}`, view{Type: typeConnectError, Namespace: "/nope", Data: `{"message":"Invalid namespace"}`}},
		{"disconnect", `1`, view{Type: typeDisconnect}},
		{"disconnect from a namespace", `1/admin,`, view{Type: typeDisconnect, Namespace: "/admin"}},
		{"event", `2["hello",1]`, view{Type: typeEvent, Args: []string{`"hello"`, `1`}}},
		{"event without arguments", `2["hello"]`, view{Type: typeEvent, Args: []string{`"hello"`}}},
		{"event with a number for a name", `2[7,"x"]`, view{Type: typeEvent, Args: []string{`7`, `"x"`}}},
		{"event in a namespace", `2/admin,["hello"]`, view{Type: typeEvent, Namespace: "/admin", Args: []string{`"hello"`}}},
		{"event that wants an answer", `2/admin,456["project:delete",123]`, view{Type: typeEvent, Namespace: "/admin", ID: "456", Args: []string{`"project:delete"`, `123`}}},
		{"brackets in a string", `2["a]\"[,",{"k":",]"}]`, view{Type: typeEvent, Args: []string{`"a]\"[,"`, `{"k":",]"}`}}},
		{"ack", `312["ok",true]`, view{Type: typeAck, ID: "12", Args: []string{`"ok"`, `true`}}},
		{"empty ack", `30[]`, view{Type: typeAck, ID: "0"}},
		{"binary event", `51-["hello",` + ph0 + `]`, view{Type: typeBinaryEvent, Attachments: 1, Args: []string{`"hello"`, ph0}, Holders: []holder{{0, 29, 0}}}},
		{"binary event of two, nested", `52-/admin,7["e",{"a":[` + ph1 + `]},` + ph0 + `]`,
			view{Type: typeBinaryEvent, Namespace: "/admin", ID: "7", Attachments: 2, Args: []string{`"e"`, `{"a":[` + ph1 + `]}`, ph0}, Holders: []holder{{6, 35, 1}, {0, 29, 0}}}},
		{"binary ack", `61-/admin,456[` + ph0 + `]`, view{Type: typeBinaryAck, Namespace: "/admin", ID: "456", Attachments: 1, Args: []string{ph0}, Holders: []holder{{0, 29, 0}}}},
		{"a placeholder in an event that has no attachments", `2["e",` + ph0 + `]`, view{Type: typeEvent, Args: []string{`"e"`, ph0}}},
		{"deep", `2["e",[[[[[[[]]]]]]]]`, view{Type: typeEvent, Args: []string{`"e"`, `[[[[[[[]]]]]]]`}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if tt.want.Namespace == "" {
				tt.want.Namespace = "/"
			}
			got, err := parsePacket([]byte(tt.wire), testLimits)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, look(got), cmp.AllowUnexported(holder{})); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			if out := appendPacket(nil, got); string(out) != tt.wire {
				t.Errorf("written as %s, want %s", out, tt.wire)
			}
		})
	}
}

// What is read like another packet, but not written so.
func TestPacketsReadLeniently(t *testing.T) {
	for wire, same := range map[string]string{
		`0/admin`:                                `0/admin,`, // the comma may be missing
		`1/admin`:                                `1/admin,`,
		"2 [\"e\"]":                              "", // but not this
		"2[ \"e\" ,\t1 ]":                        `2["e",1]`,
		`50-["e"]`:                               `50-["e"]`,
		`51-["e",{"num":0,"_placeholder":true}]`: `51-["e",{"num":0,"_placeholder":true}]`,
	} {
		p, err := parsePacket([]byte(wire), testLimits)
		if (err != nil) != (same == "") {
			t.Errorf("%s: %v", wire, err)
		} else if err == nil && string(appendPacket(nil, p)) != same {
			t.Errorf("%s is written as %s", wire, appendPacket(nil, p))
		}
	}
}

func TestBadPackets(t *testing.T) {
	ph := func(n any) string { return fmt.Sprintf(`{"_placeholder":true,"num":%v}`, n) }
	for _, tt := range []struct{ name, wire, says string }{
		{"empty", ``, "empty"},
		{"unknown type", `7["x"]`, "type"},
		{"no type", `["x"]`, "type"},
		{"not UTF-8", "2[\"\xff\"]", "UTF-8"},
		{"event without payload", `2`, "array"},
		{"event with an object", `2{"a":1}`, "array"},
		{"event with a string", `2"a"`, "array"},
		{"event with a bad id", `2x["a"]`, "array"},
		{"event with a negative id", `2-1["a"]`, "array"},
		{"event with an endless id", `2` + strings.Repeat("9", 1000) + `["a"]`, "id"},
		{"event with an id over 2^53-1", `29007199254740992["a"]`, "id"},
		{"event without a name", `2[]`, "name"},
		{"event whose name is null", `2[null]`, "name"},
		{"event whose name is an object", `2[{}]`, "name"},
		{"event called connect", `2["connect"]`, "connect"},
		{"event called connect, disguised", `2["c\u006fnnect"]`, "connect"},
		{"event called disconnecting", `2["disconnecting"]`, "disconnecting"},
		{"cut off", `2["a"`, "JSON"},
		{"two arrays", `2["a"]["b"]`, "JSON"},
		{"brackets that do not match", `2["a"}`, "JSON"},
		{"an open string", `2["a]`, "JSON"},
		{"ack without id", `3["a"]`, "id"},
		{"ack without payload", `31`, "array"},
		{"connect with an array", `0[]`, "object"},
		{"connect with a string", `0"x"`, "object"},
		{"connect with an id", `01{}`, "object"},
		{"connect with two objects", `0{}{}`, "JSON"},
		{"connect error without payload", `4`, "object"},
		{"disconnect with a payload", `1{}`, "payload"},
		{"nested too deep", `2["e",[[[[[[[[]]]]]]]]]`, "MaxDepth"},
		{"nested far too deep", `2` + strings.Repeat("[", 100_000), "MaxDepth"},
		{"auth nested far too deep", `0{"a":` + strings.Repeat("[", 100_000), "MaxDepth"},
		{"too many arguments", `2["e",1,2,3,4,5]`, "MaxArgs"},
		{"a million arguments", `2["e"` + strings.Repeat(",1", 500_000) + `]`, "MaxArgs"},
		{"an endless namespace", `2/` + strings.Repeat("x", 100_000) + `,["e"]`, "namespace"},
		{"binary without a number", `5-["e"]`, "attachments"},
		{"binary without a dash", `51["e"]`, "attachments"},
		{"binary with a bad number", `5x-["e"]`, "attachments"},
		{"10,000 attachments", `510000-["e"]`, "MaxAttachments"},
		{"10^30 attachments", `51000000000000000000000000000000-["e"]`, "MaxAttachments"},
		{"one attachment too many", `54-["e"]`, "MaxAttachments"},
		{"placeholder out of range", `51-["e",` + ph(1) + `]`, "attachment 1"},
		{"placeholder far out of range", `51-["e",` + ph("1e300") + `]`, "attachment -1"},
		{"placeholder below range", `51-["e",` + ph(-1) + `]`, "attachment -1"},
		{"placeholder with a fraction", `51-["e",` + ph(0.5) + `]`, "attachment -1"},
		{"placeholder that is text", `51-["e",` + ph(`"x"`) + `]`, "no placeholder"},
		{"placeholder twice", `51-["e",` + ph(0) + `,` + ph(0) + `]`, "two placeholders"},
		{"attachment without placeholder", `52-["e",` + ph(0) + `]`, "no placeholder"},
		{"placeholder that is none", `51-["e",{"_placeholder":false,"num":0}]`, "no placeholder"},
		{"placeholder as a name", `51-[` + ph(0) + `]`, "name"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := parsePacket([]byte(tt.wire), testLimits)
			if _, ok := errors.AsType[*PacketError](err); !ok {
				t.Fatalf("%v, want a *PacketError", err)
			}
			if !strings.Contains(err.Error(), tt.says) || len(err.Error()) > 250 {
				t.Errorf("%.300q does not say %q", err, tt.says)
			}
		})
	}
}

func FuzzPacket(f *testing.F) {
	for _, s := range []string{
		`0/admin,{"token":"x"}`, `1`, `2/a,7["e",{"a":[1,"\"]"]}]`, `30[]`, `4{"message":"x"}`,
		`52-["e",{"_placeholder":true,"num":1},[{"num":0,"_placeholder":true}]]`, `61-0[{"_placeholder":true,"num":0}]`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := parsePacket(data, testLimits)
		if err != nil {
			return
		}
		// Round trip: what was understood is written so that it is understood
		// the same way, and written the same way again.
		wire := appendPacket(nil, p)
		q, err := parsePacket(wire, testLimits)
		if err != nil {
			t.Fatalf("%q was understood, and written as %q: %v", data, wire, err)
		}
		if diff := cmp.Diff(look(p), look(q), cmp.AllowUnexported(holder{})); diff != "" {
			t.Fatalf("%q and %q (-first +second)\n%s", data, wire, diff)
		}
		if again := appendPacket(nil, q); !bytes.Equal(again, wire) {
			t.Fatalf("%q, then %q", wire, again)
		}
		// Each attachment comes out where its placeholder was, however the
		// handler wants to have it, and goes back out.
		for i := range q.attachments {
			for j := range q.args {
				q.args[j].binary = append(q.args[j].binary, []byte{byte(i), 0xff})
			}
		}
		if q.typ != typeEvent && q.typ != typeBinaryEvent {
			return
		}
		values := make([]any, len(q.args))
		for i := range q.args {
			if err := (Args{q.args[i : i+1]}).Decode(&values[i]); err != nil {
				t.Fatalf("%q: %v", q.args[i].raw, err)
			}
		}
		e, err := encode(typeEvent, q.namespace, q.id, values...)
		if err != nil {
			t.Fatalf("%q: %v", wire, err)
		}
		if len(e.attachments) != q.attachments {
			t.Fatalf("%q has %d attachments, and came back with %d: %q", wire, q.attachments, len(e.attachments), e.text)
		}
	})
}
