package sio

import (
	"cmp"
	"crypto/rand"
	"encoding/json"
	"errors"
	"strings"

	"framewright/chat"
	"framewright/internal/strictjson"
	"framewright/socketio"
)

// ValuePrefix is how the ID of a message begins whose text is JSON for a value
// that is no text: see [Options.Values]. So it is a value still when it comes out
// of a store, and a client of another transport can tell it, and send one.
const ValuePrefix = "json:"

// maxValueDepth is how deep a value may be nested that came another way than by
// Socket.IO, which has its own bound of the same size.
const maxValueDepth = 32

// isValue reports whether a message's text is JSON for a value.
func isValue(m *chat.Message) bool {
	return strings.HasPrefix(m.ID, ValuePrefix) && strictjson.Valid([]byte(m.Text), maxValueDepth) == nil
}

// textOf is what a client says with an event whose arguments are args, as the
// hub keeps it, and the message's ID, the client's own if it gives one.
func (b *bridge) textOf(args socketio.Args) (text, id string, err error) {
	if !b.o.Values {
		err = args.Decode(&text, &id)
		return text, cmp.Or(id, rand.Text()), err
	}
	var value any
	var raw json.RawMessage
	if err = args.Decode(&value, &id); err == nil {
		err = args.Decode(&raw)
	}
	switch value := value.(type) {
	case nil:
		return "", cmp.Or(id, rand.Text()), err
	case string:
		return value, cmp.Or(id, rand.Text()), err
	}
	if err == nil && holdsBytes(value) {
		err = &socketio.Error{Message: "argument 1: bytes, which are not passed on; expected text, or a value that JSON has", Err: errors.New("bytes")}
	}
	return string(raw), ValuePrefix + cmp.Or(id, rand.Text()), err
}

// holdsBytes reports whether there is an attachment in v, at any depth.
func holdsBytes(v any) bool {
	switch v := v.(type) {
	case []byte:
		return true
	case []any:
		for _, e := range v {
			if holdsBytes(e) {
				return true
			}
		}
	case map[string]any:
		for _, e := range v {
			if holdsBytes(e) {
				return true
			}
		}
	}
	return false
}
