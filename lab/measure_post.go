package lab

import (
	"context"
	"errors"
	"net/http"
	"strings"
)

// postMeasure measures what the page asks for, until it goes away or the lab closes.
func (l *Lab) postMeasure(r *http.Request, body []byte) (any, error) {
	var p MeasurePlan
	if err := unmarshal(body, &p); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancelCause(r.Context())
	defer cancel(nil)
	go func() {
		select {
		case <-l.ending:
			cancel(errors.New("the server goes away"))
		case <-ctx.Done():
		}
	}()
	var fields http.Header
	if p.Browser {
		fields = browserFields(r.Header)
	}
	return Measure(ctx, p, fields, nil)
}

// maxFields bounds the header fields of a measurement's requests, in bytes.
const maxFields = 2 << 10

// browserFields are those header fields that a browser sends with every request to the
// page's own server, as far as they fit. A cookie is a secret: the measurement's is as
// long, but all x.
func browserFields(h http.Header) http.Header {
	out, room := http.Header{}, maxFields
	for _, name := range []string{
		"User-Agent", "Accept-Encoding", "Accept-Language", "Sec-Fetch-Dest", "Sec-Fetch-Mode", "Sec-Fetch-Site",
		"Sec-Ch-Ua", "Sec-Ch-Ua-Mobile", "Sec-Ch-Ua-Platform", "Cookie", "Dnt", "Priority", "Sec-Gpc",
	} {
		v := h.Get(name)
		if name == "Cookie" {
			v = strings.Repeat("x", len(v))
		}
		if size := len(name) + len(": \r\n") + len(v); v != "" && size <= room {
			room -= size
			out.Set(name, v)
		}
	}
	return out
}
