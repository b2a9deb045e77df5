package socketio

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"

	"framewright/internal/strictjson"
)

// Args are the arguments of an event or an acknowledgement as they came. As
// the type of a handler's argument it takes them all, however many there are.
// They must not be kept after the handler has returned unless they were
// decoded.
type Args struct{ list []arg }

// Len is how many arguments there are.
func (a Args) Len() int { return len(a.list) }

// Decode stores the arguments in what the pointers point to, the first in the
// first. It decodes like [json.Unmarshal], and bytes that came as an attachment
// into a []byte, at any depth; into an any, a []any or a map[string]any they
// come as []byte too. Inside other types, an any gets them as base64 text.
//
// Arguments that are missing are zero values, those that are too many are
// ignored, as in JavaScript. An argument of another type, or with half of a
// surrogate pair in a string, is an error, an [*Error] that says which one.
func (a Args) Decode(into ...any) error {
	for i, v := range into {
		if all, ok := v.(*Args); ok {
			*all = Args{a.list[min(i, len(a.list)):]}
			continue
		}
		if i >= len(a.list) {
			continue
		}
		if err := a.list[i].decode(v); err != nil {
			return &Error{Message: fmt.Sprintf("argument %d: %v", i+1, cause(err)), Err: &argumentError{err}}
		}
	}
	return nil
}

// An argumentError is an argument of another type than a handler takes.
type argumentError struct{ error }

func (e *argumentError) Unwrap() error { return e.error }

// cause words what is wrong with an argument for the one who sent it, without
// the names of the program's types.
func cause(err error) string {
	if te, ok := err.(*json.UnmarshalTypeError); ok {
		at := ""
		if te.Field != "" {
			at = " in field " + te.Field
		}
		return fmt.Sprintf("a %s%s where something else is expected", te.Value, at)
	}
	return err.Error()
}

// decode1 decodes the first argument, or all if T is Args.
func decode1[T any](a Args) (v T, err error) {
	err = a.Decode(&v)
	return v, err
}

// halfPair refuses text that is none: encoding/json would make U+FFFD of it
// without a word. It looks closer only if there is an escape of that range.
func halfPair(raw []byte) error {
	if !bytes.Contains(raw, []byte(`\ud`)) && !bytes.Contains(raw, []byte(`\uD`)) {
		return nil
	}
	return strictjson.Valid(raw, maxJSONDepth)
}

// maxJSONDepth is beyond what encoding/json decodes; [Options.MaxDepth] was held
// before.
const maxJSONDepth = 1000

func (a arg) decode(v any) error {
	if err := halfPair(a.raw); err != nil {
		return err
	}
	if len(a.holders) == 0 {
		return json.Unmarshal(a.raw, v)
	}
	switch v := v.(type) {
	case *[]byte:
		if h := a.holders[0]; h.start == 0 && h.end == len(a.raw) {
			*v = a.binary[h.num]
			return nil
		}
	case *any:
		tree, err := a.tree()
		*v = tree
		return err
	case *[]any:
		tree, err := a.tree()
		if list, ok := tree.([]any); ok || err != nil {
			*v = list
			return err
		}
	case *map[string]any:
		tree, err := a.tree()
		if m, ok := tree.(map[string]any); ok || err != nil {
			*v = m
			return err
		}
	}
	// encoding/json reads bytes from base64 text.
	size := len(a.raw)
	for _, h := range a.holders {
		size += base64.StdEncoding.EncodedLen(len(a.binary[h.num]))
	}
	text, from := make([]byte, 0, size), 0
	for _, h := range a.holders {
		text = append(append(text, a.raw[from:h.start]...), '"')
		text = append(base64.StdEncoding.AppendEncode(text, a.binary[h.num]), '"')
		from = h.end
	}
	return json.Unmarshal(append(text, a.raw[from:]...), v)
}

// tree decodes a into the types that an any holds, with []byte for the
// attachments.
func (a arg) tree() (any, error) {
	var v any
	if err := json.Unmarshal(a.raw, &v); err != nil {
		return nil, err
	}
	return a.fill(v), nil
}

func (a arg) fill(v any) any {
	switch v := v.(type) {
	case []any:
		for i := range v {
			v[i] = a.fill(v[i])
		}
	case map[string]any:
		num, isNum := v["num"].(float64)
		if v["_placeholder"] == true && isNum && num == float64(int(num)) && 0 <= num && int(num) < len(a.binary) {
			return a.binary[int(num)]
		}
		for k := range v {
			v[k] = a.fill(v[k])
		}
	}
	return v
}
