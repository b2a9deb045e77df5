package plain

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"

	"framewright/chat"
)

// CodeBadRequest is an error of this protocol and not the hub's: not what
// PROTOCOL.md says. The fifth closes.
const CodeBadRequest chat.ErrorCode = "bad-request"

// request is what a client sends. Every field that the protocol knows is a
// string, but for Limit.
type request struct {
	Type, ID, Room, Name, Secret, Token, Since, Before, To, Text string

	Limit int // of a history; 0 if not given
}

func (r *request) field(key string) *string {
	switch key {
	case "type":
		return &r.Type
	case "id":
		return &r.ID
	case "room":
		return &r.Room
	case "name":
		return &r.Name
	case "secret":
		return &r.Secret
	case "token":
		return &r.Token
	case "since":
		return &r.Since
	case "before":
		return &r.Before
	case "to":
		return &r.To
	case "text":
		return &r.Text
	}
	return nil
}

// known reports whether key is a field of some request.
func (r *request) known(key string) bool { return key == "limit" || r.field(key) != nil }

// What an honest client stays far below, and what keeps a parser's work small.
const (
	maxDepth = 16
	maxKeys  = 32
	maxRef   = 64 // bytes of an id
)

func badRequest(format string, args ...any) error {
	return &chat.Error{Code: CodeBadRequest, Text: fmt.Sprintf(format, args...) + "; see PROTOCOL.md"}
}

// parse reads a request. It is stricter than encoding/json in what the two
// ends might understand differently: keys that come twice, or that differ in
// case only.
func parse(data []byte) (request, error) {
	var r request
	if !json.Valid(data) {
		// Unmarshal says where. It would decode, too, so it is not asked first.
		err := json.Unmarshal(data, new(any))
		if se, ok := errors.AsType[*json.SyntaxError](err); ok {
			return r, badRequest("not JSON: %v, at byte %d", se, se.Offset)
		}
		return r, badRequest("not JSON: %v", err)
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	if t, _ := d.Token(); t != json.Delim('{') {
		return r, badRequest("a request is a JSON object")
	}
	seen := make([]string, 0, 8)
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return r, badRequest("not JSON: %v", err)
		}
		key := t.(string) // json.Valid has seen to that
		for _, s := range seen {
			if strings.EqualFold(s, key) {
				return r, badRequest("the key %.32q stands there twice", key)
			}
		}
		if seen = append(seen, key); len(seen) > maxKeys {
			return r, badRequest("a request has at most %d keys", maxKeys)
		}
		if err := r.value(d, key); err != nil {
			return r, err
		}
	}
	if r.Type == "" {
		return r, badRequest(`a request needs a "type"`)
	}
	if len(r.ID) > maxRef {
		r.ID = "" // not to be sent back
		return r, badRequest(`an "id" has at most %d bytes`, maxRef)
	}
	return r, nil
}

// value reads what belongs to key: into its field if it is known, past it if
// not.
func (r *request) value(d *json.Decoder, key string) error {
	f := r.field(key)
	if lower := strings.ToLower(key); !r.known(key) && r.known(lower) {
		return badRequest("the key %q is written %q", key, lower)
	}
	if key == "limit" {
		return r.limit(d)
	}
	depth := 1
	for {
		t, err := d.Token()
		if err != nil {
			return badRequest("not JSON: %v", err)
		}
		if f != nil {
			s, ok := t.(string)
			if !ok {
				return badRequest("%q must be a string", key)
			}
			*f = s
			return nil
		}
		switch t {
		case json.Delim('{'), json.Delim('['):
			if depth++; depth > maxDepth {
				return badRequest("nested deeper than %d", maxDepth)
			}
		case json.Delim('}'), json.Delim(']'):
			depth--
		}
		if depth == 1 {
			return nil
		}
	}
}

// limit reads a whole number of any size; what is out of an int's range becomes
// the range's end, because the hub clamps it anyway.
func (r *request) limit(d *json.Decoder) error {
	t, err := d.Token()
	if err != nil {
		return badRequest("not JSON: %v", err)
	}
	n, ok := t.(json.Number)
	f, err := n.Float64()
	if !ok || math.Trunc(f) != f && err == nil {
		return badRequest(`"limit" must be a whole number`)
	}
	r.Limit = int(max(-1, min(f, 1<<30)))
	return nil
}
