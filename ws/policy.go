package ws

import "cmp"

// Fields are the header lines of a request or an answer by their names, which are
// spelled as net/http spells them: Sec-Websocket-Key. An http.Header is as good.
type Fields = map[string][]string

// A Policy is what a server demands of a request beyond the RFC, and what it
// agrees to. The zero value and a nil *Policy are safe; where a field of 0 means
// a default, a value below 0 means no limit.
type Policy struct {
	MaxHeaderBytes int          // bytes of the request line and all fields; default 8 KiB (§10.4)
	MaxHeaders     int          // their number; default 100 (§10.4)
	Hosts          []string     // that the server answers for, see CheckHost
	OriginPatterns []string     // origins besides the server's own, see CheckOriginPattern (§10.2)
	RequireOrigin  bool         // a request with cookies has an Origin, as a browser's has (§10.2)
	Subprotocols   []string     // in order of preference (§1.9)
	Compression    *Compression // nil: none (RFC 7692)
}

func (p *Policy) maxHeaderBytes() int {
	if p == nil {
		return defaultHeaderBytes
	}
	return cmp.Or(p.MaxHeaderBytes, defaultHeaderBytes)
}

func (p *Policy) maxHeaders() int {
	if p == nil {
		return defaultHeaders
	}
	return cmp.Or(p.MaxHeaders, defaultHeaders)
}

// The defaults of Policy.
const (
	defaultHeaderBytes = 8 << 10
	defaultHeaders     = 100
)
