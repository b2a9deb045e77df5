package wsh2

import (
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/net/http/httpguts"
	"golang.org/x/net/http2/hpack"
)

// connectionHeaders are those of HTTP/1.1's connections, which HTTP/2 has not (RFC 9113
// §8.2.2).
var connectionHeaders = map[string]bool{"Connection": true, "Proxy-Connection": true, "Keep-Alive": true, "Transfer-Encoding": true, "Upgrade": true}

// fields are a status and a header as HTTP/2 has them: names in lower case (RFC 9113
// §8.2.1), in order. What no field may be is left out, as net/http does.
func fields(status int, h http.Header) []hpack.HeaderField {
	list := []hpack.HeaderField{{Name: ":status", Value: strconv.Itoa(status)}}
	for _, name := range slices.Sorted(maps.Keys(h)) {
		if connectionHeaders[name] || name == "Trailer" || strings.HasPrefix(name, http.TrailerPrefix) || !httpguts.ValidHeaderFieldName(name) {
			continue
		}
		for _, v := range h[name] {
			if httpguts.ValidHeaderFieldValue(v) {
				list = append(list, hpack.HeaderField{Name: strings.ToLower(name), Value: strings.Trim(v, " \t"), Sensitive: name == "Set-Cookie"})
			}
		}
	}
	return list
}

func lengthOf(n int) []string { return []string{strconv.Itoa(n)} }
