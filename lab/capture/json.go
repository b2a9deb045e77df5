package capture

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// parseJSON reads a HAR file or a NetLog, whichever the keys say it is. Both are read in
// one pass; a NetLog may end early, as one does whose browser was killed.
func parseJSON(b []byte, l Limits) (*Capture, error) {
	r := jsonReader{l: l}
	err := r.read(b)
	switch {
	case err != nil && !(r.net != nil && errors.Is(err, io.ErrUnexpectedEOF)):
		return nil, fmt.Errorf("the input begins as JSON and is none: %w", err)
	case r.har != nil:
		return r.har.capture(l)
	case r.net != nil:
		if err != nil {
			r.net.c.note("the NetLog ends early, as one does whose browser did not end by itself; what it has is read")
		}
		return r.net.finish()
	}
	return nil, errors.New("the JSON has neither \"log\", as a HAR file, nor \"constants\" and \"events\", as a NetLog of Chromium (chrome://net-export)")
}

type jsonReader struct {
	l   Limits
	har *harLog
	net *netLog
}

// read goes through the top level of the object.
func (r *jsonReader) read(b []byte) error {
	d := json.NewDecoder(bytes.NewReader(b))
	if _, err := d.Token(); err != nil {
		return early(err)
	}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return early(err)
		}
		switch key {
		case "log":
			r.har = &harLog{}
			err = d.Decode(r.har)
		case "constants":
			r.net = newNetLog(r.l)
			if err = d.Decode(&r.net.constants); err == nil {
				err = r.net.names()
			}
		case "events":
			if r.net == nil {
				return errors.New("\"events\" stand before \"constants\", which say what their numbers mean")
			}
			err = r.events(d)
		default:
			var skip json.RawMessage
			err = d.Decode(&skip)
		}
		if err != nil {
			return early(err)
		}
	}
	_, err := d.Token()
	return early(err)
}

// early is io.ErrUnexpectedEOF also where a Decoder says io.EOF inside of a value.
func early(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

func (r *jsonReader) events(d *json.Decoder) error {
	t, err := d.Token()
	if err != nil {
		return err
	}
	if t != json.Delim('[') {
		return errors.New("\"events\" is not a list")
	}
	for d.More() {
		var e netEvent
		if err := d.Decode(&e); err != nil {
			return err
		}
		r.net.event(&e)
	}
	_, err = d.Token()
	return err
}
