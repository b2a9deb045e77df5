package main

import (
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"

	"framewright/internal/strictjson"
)

// A bodyError says why a request's body was not read.
type bodyError struct {
	status int
	code   string
	text   string
}

// jsonBody reads the body of a request that says that it is JSON, as it stands,
// and is at most limit bytes.
func jsonBody(w http.ResponseWriter, r *http.Request, limit int64, option string) ([]byte, *bodyError) {
	kind, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "application/json" {
		return nil, &bodyError{http.StatusUnsupportedMediaType, "content-type", "expected Content-Type: application/json"}
	}
	if charset, ok := params["charset"]; ok && !strings.EqualFold(charset, "utf-8") {
		return nil, &bodyError{http.StatusUnsupportedMediaType, "content-type", fmt.Sprintf("JSON is UTF-8 (RFC 8259 section 8.1), not %.32q", charset)}
	}
	for _, coding := range r.Header.Values("Content-Encoding") {
		if !strings.EqualFold(strings.TrimSpace(coding), "identity") {
			w.Header().Set("Accept-Encoding", "identity") // RFC 9110 section 12.5.3
			return nil, &bodyError{http.StatusUnsupportedMediaType, "content-encoding", fmt.Sprintf("expected a body without Content-Encoding, not with %.32q", coding)}
		}
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	if tooLong, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return nil, &bodyError{http.StatusRequestEntityTooLarge, "too-long", "a body may have at most " + strconv.FormatInt(tooLong.Limit, 10) + " bytes" + option}
	}
	if err != nil {
		return nil, &bodyError{http.StatusBadRequest, "bad-request", "the body could not be read"}
	}
	return body, nil
}

// A field is a member of an object, and where its value goes: a *string or an
// *int64.
type field struct {
	name string
	to   any
}

// readFields reads one object strictly, and refuses keys that it does not know:
// whoever writes "rooom" should hear of it. A null is no value.
func readFields(body []byte, fields []field) error {
	known := strictjson.Limits{Closed: true}
	to := make(map[string]any)
	for _, f := range fields {
		known.Known = append(known.Known, f.name)
		to[f.name] = f.to
	}
	return strictjson.Object(body, known, func(key string, v strictjson.Value) error {
		if v.Kind == strictjson.Null {
			return nil
		}
		switch to := to[key].(type) {
		case *string:
			if v.Kind != strictjson.String {
				return fmt.Errorf("the field %q must be a string, not %v", key, v.Kind)
			}
			*to = v.Text()
		case *int64:
			n, err := strconv.ParseInt(string(v.Raw), 10, 64)
			if v.Kind != strictjson.Number || err != nil {
				return fmt.Errorf("the field %q must be a whole number, not %.32s", key, v.Raw)
			}
			*to = n
		}
		return nil
	})
}
