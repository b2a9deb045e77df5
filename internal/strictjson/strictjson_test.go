package strictjson

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

func read(text string, l Limits) (map[string]any, error) {
	got := map[string]any{}
	err := Object([]byte(text), l, func(key string, v Value) error {
		switch v.Kind {
		case String:
			got[key] = v.Text()
		default:
			got[key] = v.Kind.String() + " " + string(v.Raw)
		}
		return nil
	})
	return got, err
}

func TestObject(t *testing.T) {
	for _, tt := range []struct {
		text string
		want map[string]any
	}{
		{`{}`, map[string]any{}},
		{" {\t\"a\" :\r\"b\"\n, \"c\":-0.5e+3 } ", map[string]any{"a": "b", "c": "a number -0.5e+3"}},
		{`{"a":true,"b":false,"c":null,"d":0,"e":[1,{"x":[]}],"f":{}}`, map[string]any{"a": "true or false true", "b": "true or false false",
			"c": "null null", "d": "a number 0", "e": `an array [1,{"x":[]}]`, "f": "an object {}"}},
		{`{"\u0061\u00e4\ud83d\ude42\"\\\/\b\f\n\r\t":"ä🙂\u0000"}`, map[string]any{"aä🙂\"\\/\b\f\n\r\t": "ä🙂\x00"}},
		{`{"e\u0301":"1","é":"2","s":"3","z":"4"}`, map[string]any{"e\u0301": "1", "é": "2", "s": "3", "z": "4"}},
	} {
		got, err := read(tt.text, Limits{})
		if d := cmp.Diff(tt.want, got); d != "" || err != nil {
			t.Errorf("%s: %v (-want +got):\n%s", tt.text, err, d)
		}
	}
}

func TestRefused(t *testing.T) {
	deep := func(n int) string { return `{"x":` + strings.Repeat("[", n-1) + strings.Repeat("]", n-1) + `}` }
	for _, tt := range []struct {
		name, text string
		l          Limits
		want       string
	}{
		{"nothing", "", Limits{}, "the text ends where a value is expected, at byte 0"},
		{"blanks", "  ", Limits{}, "at byte 2"},
		{"a list", "[]", Limits{}, "expected an object"},
		{"a word", "hello", Limits{}, "invalid character 'h'"},
		{"a string", `"x"`, Limits{}, "expected an object"},
		{"cut off", `{"a"`, Limits{}, "where a colon is expected, at byte 4"},
		{"cut off in a string", `{"a`, Limits{}, `closing "`},
		{"cut off in a value", `{"a":[1`, Limits{}, "a comma or ]"},
		{"two objects", `{}{}`, Limits{}, "more behind the object, at byte 2"},
		{"a comma too many", `{"a":1,}`, Limits{}, "a key in quotes"},
		{"a comma too few", `{"a":1 "b":2}`, Limits{}, "a comma or }"},
		{"a key without quotes", `{a:1}`, Limits{}, "a key in quotes"},
		{"a leading zero", `{"a":01}`, Limits{}, "a comma or }"},
		{"no digits", `{"a":-}`, Limits{}, "a digit"},
		{"no fraction", `{"a":1.}`, Limits{}, "a digit"},
		{"no exponent", `{"a":1e+}`, Limits{}, "a digit"},
		{"NaN", `{"a":NaN}`, Limits{}, "a value"},
		{"half a word", `{"a":tru}`, Limits{}, "where true is expected"},
		{"a control character", "{\"a\":\"\n\"}", Limits{}, "escape"},
		{"an escape that is none", `{"a":"\x"}`, Limits{}, "escape"},
		{"no hexadecimal", `{"a":"\u12g4"}`, Limits{}, "hexadecimal"},
		{"not UTF-8", "{\"a\":\"\xff\"}", Limits{}, "UTF-8"},
		{"a surrogate in UTF-8", "{\"a\":\"\xed\xa0\x80\"}", Limits{}, "UTF-8"},
		{"a key not UTF-8", "{\"\xc0\x80\":1}", Limits{}, "UTF-8"},
		{"half a pair", `{"a":"\ud800"}`, Limits{}, `\ud800 is half of a surrogate pair, and no character, at byte 6`},
		{"the other half", `{"a":"x\uDC00"}`, Limits{}, `\udc00`},
		{"two first halves", `{"a":"\ud800\ud800\udc00"}`, Limits{}, `\ud800`},
		{"a half and a letter", `{"a":"\ud83dx"}`, Limits{}, `\ud83d`},
		{"a half in a key", `{"\udfff":1}`, Limits{}, `\udfff`},
		{"a half deep down", `{"a":[{"b":"\ud800"}]}`, Limits{}, `\ud800`},
		{"a key twice", `{"a":1,"b":2,"a":3}`, Limits{}, `"a" stands there twice, at byte 13`},
		{"a key twice, one escaped", `{"a":1,"\u0061":3}`, Limits{}, `"a" stands there twice`},
		{"a key in other case", `{"sub":1,"SUB":3}`, Limits{}, `the first time as "sub"`},
		{"a long s", `{"sub":1,"ſub":3}`, Limits{}, "twice"},
		{"a known key in other case", `{"Sub":1}`, Limits{Known: []string{"sub"}}, `"Sub" is written "sub"`},
		{"the Kelvin sign", `{"\u212aey":1}`, Limits{Known: []string{"key"}}, `is written "key"`},
		{"an unknown key", `{"rooom":1}`, Limits{Known: []string{"room", "text"}, Closed: true}, `unknown field "rooom"; known are ["room" "text"]`},
		{"deep", deep(17), Limits{}, "deeper than 16"},
		{"deeper than any limit", deep(3000), Limits{Depth: 5000}, "deeper than 1000"},
		{"many keys", `{"a":1,"b":2,"c":3}`, Limits{Members: 2}, "more than 2 keys"},
	} {
		if _, err := read(tt.text, tt.l); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.want)
		}
	}
	if _, err := read(deep(16), Limits{}); err != nil {
		t.Error(err)
	}
	if got, _ := read(`{"a":"1","b":2 x`, Limits{}); got["a"] != "1" {
		t.Error("what stands before the error is not given")
	}
}

func TestValid(t *testing.T) {
	for text, good := range map[string]bool{`[1,"\ud83d\ude42"]`: true, `"\ud83d"`: false, ` 1 `: true, `1 2`: false, `{"a":{"a":1}}`: true, `[[[]]]`: false} {
		if err := Valid([]byte(text), 2); (err == nil) != good {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// What is taken, encoding/json takes too, and reads alike; what is refused and
// encoding/json takes is one of the differences that are meant.
func FuzzObject(f *testing.F) {
	for _, s := range []string{`{"a":"\ud83d\ude42","b":[1,-0.5e3,{"c":null}]}`, `{"a":1,"A":2}`, `{"a":"\ud800"}`, `{}x`, `[]`, "{\"a\":\"\x7f\xff\"}"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, err := read(s, Limits{Depth: 1000, Members: 1 << 20})
		var want map[string]any
		theirs := json.Unmarshal([]byte(s), &want)
		if err != nil {
			if e := Valid([]byte(s), 1000); theirs == nil && want != nil && e == nil && !strings.Contains(err.Error(), "twice") && !strings.Contains(err.Error(), "deeper") {
				t.Fatalf("%q: %v", s, err)
			}
			return
		}
		if theirs != nil {
			t.Fatalf("%q is accepted; encoding/json: %v", s, theirs)
		}
		for k, v := range want {
			if text, ok := v.(string); ok && got[k] != text || !utf8.ValidString(k) {
				t.Fatalf("%q: %q is %q, want %q", s, k, got[k], v)
			}
		}
		if len(got) != len(want) {
			t.Fatalf("%q: %v, want %v", s, got, want)
		}
	})
}
