package h2

import (
	"strconv"

	"golang.org/x/net/http2"
)

// malformedRequest reports whether a request must not reach anybody (§8.1.1). Names,
// values and the order of pseudo-headers Framer has looked at. A CONNECT with :protocol
// is for ws.CheckConnect to judge, which can say what is wrong.
func malformedRequest(f *http2.MetaHeadersFrame) bool {
	method, path, scheme := f.PseudoValue("method"), f.PseudoValue("path"), f.PseudoValue("scheme")
	switch {
	case f.PseudoValue("status") != "" || method == "":
		return true
	case method == "CONNECT" && f.PseudoValue("protocol") != "":
		return false
	case method == "CONNECT": // §8.5
		return path != "" || scheme != "" || f.PseudoValue("authority") == ""
	case path == "" || scheme == "" || f.PseudoValue("protocol") != "": // §8.3.1
		return true
	}
	for _, h := range f.RegularFields() {
		switch h.Name { // §8.2.2
		case "connection", "proxy-connection", "keep-alive", "transfer-encoding", "upgrade":
			return true
		case "te":
			if h.Value != "trailers" {
				return true
			}
		case "host":
			// "A server SHOULD treat a request as malformed if it contains a Host
			// header field that identifies an entity that differs from the entity in
			// the ":authority" pseudo-header field." (§8.3.1)
			if a := f.PseudoValue("authority"); a != "" && a != h.Value {
				return true
			}
		}
	}
	return false
}

// declaredLength is what Content-Length says; -1 if it says nothing that is a number.
func declaredLength(f *http2.MetaHeadersFrame) int64 {
	for _, h := range f.RegularFields() {
		if h.Name == "content-length" {
			if n, err := strconv.ParseInt(h.Value, 10, 64); err == nil && n >= 0 {
				return n
			}
		}
	}
	return -1
}
