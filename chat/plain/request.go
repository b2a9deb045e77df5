package plain

import (
	"errors"
	"fmt"
	"math"

	"framewright/chat"
	"framewright/internal/strictjson"
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

// fields are the keys that mean something in some request.
var fields = []string{"type", "id", "room", "name", "secret", "token", "since", "before", "to", "text", "limit"}

// What an honest client stays far below, and what keeps a parser's work small.
const (
	maxDepth = 16
	maxKeys  = 32
	maxRef   = 64 // bytes of an id
)

func badRequest(format string, args ...any) error {
	return &chat.Error{Code: CodeBadRequest, Text: fmt.Sprintf(format, args...) + "; see PROTOCOL.md"}
}

// parse reads a request, in one pass. Keys that nobody knows are passed by;
// what else two ends might understand differently is refused, see [strictjson].
func parse(data []byte) (request, error) {
	var r request
	err := strictjson.Object(data, strictjson.Limits{Depth: maxDepth, Members: maxKeys, Known: fields}, r.set)
	if e, ok := errors.AsType[*strictjson.Error](err); ok {
		return r, badRequest("not a request: %v", e)
	}
	if err != nil {
		return r, err
	}
	if r.Type == "" {
		return r, badRequest(`a request needs a "type"`)
	}
	return r, nil
}

// set stores what belongs to a key that is known.
func (r *request) set(key string, v strictjson.Value) error {
	if key == "limit" {
		return r.limit(v)
	}
	f := r.field(key)
	switch {
	case f == nil:
		return nil
	case v.Kind != strictjson.String:
		return badRequest("%q must be a string, not %v", key, v.Kind)
	case f == &r.ID && len(v.Text()) > maxRef: // not to be sent back
		return badRequest(`an "id" has at most %d bytes`, maxRef)
	}
	*f = v.Text()
	return nil
}

// limit reads a whole number of any size; what is out of an int's range becomes
// the range's end, because the hub clamps it anyway.
func (r *request) limit(v strictjson.Value) error {
	f, err := v.Float()
	if v.Kind != strictjson.Number || math.Trunc(f) != f && err == nil {
		return badRequest(`"limit" must be a whole number, not %v`, v.Kind)
	}
	r.Limit = int(max(-1, min(f, 1<<30)))
	return nil
}
