package socketiotest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"framewright/socketio/client"
)

// An Event is one that a client got.
type Event struct {
	Name string
	args []json.RawMessage
	err  error // what is wrong with it
}

// newEvent copies the arguments, which last only as long as their handler runs. Bytes
// become base64, as encoding/json has it.
func newEvent(name string, args client.Args) Event {
	e := Event{Name: name, args: make([]json.RawMessage, args.Len())}
	into := make([]any, len(e.args))
	for i := range into {
		into[i] = &e.args[i]
	}
	e.err = args.Decode(into...)
	return e
}

// failure is the error that an acknowledgement is of a handler of package socketio;
// nil if it is none.
func (e Event) failure() error {
	if e.err != nil || len(e.args) != 1 || !bytes.HasPrefix(e.args[0], []byte(`{"error":`)) {
		return e.err
	}
	var f struct {
		Error *string `json:"error"`
		Data  any     `json:"data"`
	}
	in := json.NewDecoder(bytes.NewReader(e.args[0]))
	in.DisallowUnknownFields()
	if in.Decode(&f) != nil || f.Error == nil {
		return nil
	}
	return &client.Error{Message: *f.Error, Data: f.Data}
}

// Len is how many arguments the event has.
func (e Event) Len() int { return len(e.args) }

// Decode stores the arguments in what the pointers point to, the first in the first,
// as [json.Unmarshal] does, and bytes in a []byte. Arguments that are missing, or too
// many, are an error: a page would not notice, and a test should.
func (e Event) Decode(into ...any) error {
	if e.err != nil {
		return e.err
	}
	if len(into) != len(e.args) {
		return fmt.Errorf("it has %d arguments, and %d were expected: %s", len(e.args), len(into), e)
	}
	for i, v := range into {
		if err := json.Unmarshal(e.args[i], v); err != nil {
			return fmt.Errorf("argument %d: %w: %s", i+1, err, e)
		}
	}
	return nil
}

// String is the event as JSON: its name, and its arguments.
func (e Event) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "[%q", e.Name)
	for _, a := range e.args {
		fmt.Fprintf(&b, ",%.200s", a)
	}
	return b.String() + "]"
}
