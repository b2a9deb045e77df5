package socketio

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

type inner struct {
	Bytes []byte `json:"bytes,omitempty"`
	Any   any    `json:"any,omitempty"`
	Name  string
}

type hidden struct{ Promoted []byte }

type self struct{ B []byte }

func (self) MarshalJSON() ([]byte, error) { return []byte(`"by itself"`), nil }

type ring struct {
	Next *ring
	B    []byte
}

// What goes out, byte for byte, and that it comes in again.
func TestEncode(t *testing.T) {
	const ph0, ph1, ph2 = `{"_placeholder":true,"num":0}`, `{"_placeholder":true,"num":1}`, `{"_placeholder":true,"num":2}`
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for _, tt := range []struct {
		name string
		in   []any
		want string
		bin  []string
	}{
		{"text", []any{"a", 1, nil, true, []int{1}}, `2["e","a",1,null,true,[1]]`, nil},
		{"markup", []any{"<&>"}, `2["e","<&>"]`, nil},
		{"bytes", []any{[]byte("x")}, `51-["e",` + ph0 + `]`, []string{"x"}},
		{"nil and empty bytes", []any{[]byte(nil), []byte{}}, `51-["e",null,` + ph0 + `]`, []string{""}},
		{"a list of bytes", []any{[][]byte{[]byte("x"), []byte("y")}}, `52-["e",[` + ph0 + `,` + ph1 + `]]`, []string{"x", "y"}},
		{"a map", []any{map[string]any{"b": []byte("x"), "a": "y"}}, `51-["e",{"a":"y","b":` + ph0 + `}]`, []string{"x"}},
		{"a map with numbers for keys", []any{map[int][]byte{7: []byte("x")}}, `51-["e",{"7":` + ph0 + `}]`, []string{"x"}},
		{"a struct", []any{inner{Bytes: []byte("x"), Any: []any{[]byte("y")}, Name: "n"}}, `52-["e",{"bytes":` + ph0 + `,"any":[` + ph1 + `],"Name":"n"}]`, []string{"x", "y"}},
		{"a struct without bytes this time", []any{&inner{Name: "n"}}, `2["e",{"Name":"n"}]`, nil},
		{"empty bytes that are left out", []any{inner{Bytes: []byte{}}}, `2["e",{"Name":""}]`, nil},
		{"a struct that is left out", []any{struct {
			In inner `json:"in,omitzero"`
			B  []byte
		}{}}, `2["e",{"B":null}]`, nil},
		{"what encodes itself", []any{self{[]byte("x")}, json.RawMessage(`{"a":1}`), now}, `2["e","by itself",{"a":1},"2026-01-02T03:04:05Z"]`, nil},
		{"an array of bytes is numbers", []any{[2]byte{1, 2}}, `2["e",[1,2]]`, nil},
		{"every kind of field", []any{struct {
			inner
			hidden
			Renamed []byte            `json:"r"`
			Gone    []byte            `json:"-"`
			Zero    []byte            `json:",omitzero"`
			Nil     []byte            //
			Map     map[string][]byte `json:"map"`
			When    time.Time
			private []byte
		}{inner: inner{Name: "n"}, hidden: hidden{[]byte("h")}, Renamed: []byte("r"), Gone: []byte("g"), Map: map[string][]byte{"k": []byte("m")}, When: now, private: []byte("p")}},
			`53-["e",{"Name":"n","Promoted":` + ph0 + `,"r":` + ph1 + `,"Nil":null,"map":{"k":` + ph2 + `},"When":"2026-01-02T03:04:05Z"}]`, []string{"h", "r", "m"}},
		{"a nil pointer that is embedded", []any{struct {
			*inner
			B []byte
		}{B: []byte("x")}}, `51-["e",{"B":` + ph0 + `}]`, []string{"x"}},
		{"a list in a list", []any{&ring{Next: &ring{B: []byte("x")}}}, `51-["e",{"Next":{"Next":null,"B":` + ph0 + `},"B":null}]`, []string{"x"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e, err := encodeEvent("/", noID, "e", tt.in)
			if err != nil {
				t.Fatal(err)
			}
			var bin []string
			for _, b := range e.attachments {
				bin = append(bin, string(b))
			}
			if string(e.text) != tt.want {
				t.Errorf("got\n%s\nwant\n%s", e.text, tt.want)
			}
			if diff := cmp.Diff(tt.bin, bin); diff != "" {
				t.Errorf("attachments (-want +got)\n%s", diff)
			}
			if _, err := parsePacket(e.text, limits{depth: 32, args: 32, attachments: 32, namespace: 32}); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestEncodeRefuses(t *testing.T) {
	loop := &ring{B: []byte("x")}
	loop.Next = loop
	deep := any([]byte("x"))
	for range 200 {
		deep = []any{deep}
	}
	for name, v := range map[string]any{
		"a channel": make(chan int), "a function in a struct with bytes": struct {
			B []byte
			F func()
		}{}, "itself": loop, "too deep": deep,
	} {
		if e, err := encodeEvent("/", noID, "e", []any{v}); err == nil {
			t.Errorf("%s was encoded: %.100s", name, e.text)
		}
	}
}

// An event that is sent on comes out as it came in, whatever types it passes
// through.
func TestDecode(t *testing.T) {
	const wire = `53-["e",{"_placeholder":true,"num":2},{"bytes":{"num":0,"_placeholder":true},"any":[1,{"_placeholder":true,"num":1}],"Name":"n"}]`
	p, err := parsePacket([]byte(wire), limits{depth: 9, args: 9, attachments: 9, namespace: 9})
	if err != nil {
		t.Fatal(err)
	}
	for i := range p.args {
		p.args[i].binary = [][]byte{[]byte("zero"), []byte("one"), []byte("two")}
	}
	args := Args{p.args[1:]}
	var b []byte
	var in inner
	if err := args.Decode(&b, &in); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(inner{Bytes: []byte("zero"), Any: []any{1.0, "b25l"}, Name: "n"}, in); diff != "" || string(b) != "two" {
		t.Errorf("%s (-want +got)\n%s", b, diff)
	}
	var first, second any
	if err := args.Decode(&first, &second); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{"bytes": []byte("zero"), "any": []any{1.0, []byte("one")}, "Name": "n"}
	if diff := cmp.Diff([]any{[]byte("two"), want}, []any{first, second}); diff != "" {
		t.Errorf("as any (-want +got)\n%s", diff)
	}
	var m map[string]any
	var skipped struct{}
	var rest Args
	if err := args.Decode(&skipped, &m, &rest); err == nil {
		t.Error("bytes were decoded into a struct")
	}
	if err := args.Decode(&b, &m, &rest); err != nil || rest.Len() != 0 {
		t.Error(err, rest.Len())
	}
	if diff := cmp.Diff(want, m); diff != "" {
		t.Errorf("as a map (-want +got)\n%s", diff)
	}
	var all Args
	if err := args.Decode(&all); err != nil || all.Len() != 2 {
		t.Error(err, all.Len())
	}
	var list []any
	err = args.Decode(&list)
	if err == nil || !strings.Contains(err.Error(), "argument 1") {
		t.Errorf("bytes as a list: %v", err)
	}
}
