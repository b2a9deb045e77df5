package http1

import (
	"slices"
	"strings"
)

// AppendFields appends the lines of h to dst, those named in first in that order and
// the others by name, and the empty line behind them. They must be valid, see
// IsToken and IsFieldValue.
func AppendFields(dst []byte, h map[string][]string, first ...string) []byte {
	put := func(name string) {
		for _, v := range h[name] {
			dst = append(dst, wireName(name)...)
			dst = append(dst, ": "...)
			dst = append(dst, v...)
			dst = append(dst, "\r\n"...)
		}
	}
	for _, name := range first {
		put(name)
	}
	if len(h) > 0 {
		var others []string
		for name := range h {
			if !slices.Contains(first, name) {
				others = append(others, name)
			}
		}
		slices.Sort(others)
		for _, name := range others {
			put(name)
		}
	}
	return append(dst, "\r\n"...)
}

// wireName spells Sec-WebSocket as RFC 6455 does, where CanonicalName does not. Header
// names are case-insensitive; some servers think otherwise.
func wireName(name string) string {
	if rest, ok := strings.CutPrefix(name, "Sec-Websocket-"); ok {
		return "Sec-WebSocket-" + rest
	}
	return name
}
