package wsnet

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"golang.org/x/net/http/httpguts"

	"framewright/ws"
	"framewright/ws/internal/http1"
)

// plainPath reports whether a target is a path that parseTarget certainly takes, and
// that names no host: letters, digits, and - . / between them.
func plainPath(target string) bool {
	for i := range len(target) {
		if c := target[i]; !('a' <= c|0x20 && c|0x20 <= 'z') && !('-' <= c && c <= '9') {
			return false
		}
	}
	return strings.HasPrefix(target, "/")
}

// parseTarget reads a request's target (RFC 9112 §3.2) as net/http does: a path, a
// URL, a star, or with CONNECT an authority. An error is a *HandshakeError.
func parseTarget(method, target string) (*url.URL, error) {
	authority := method == http.MethodConnect && !strings.HasPrefix(target, "/")
	if authority {
		target = "http://" + target
	}
	u, err := url.ParseRequestURI(target)
	if err != nil {
		if e, ok := errors.AsType[*url.Error](err); ok {
			err = e.Err // without the target, which the detail shows
		}
		return nil, &ws.HandshakeError{Status: http.StatusBadRequest, Section: "RFC 9112 §3.2", Err: err,
			Detail: "request target " + http1.Quote(target) + " is neither a path nor a URL"}
	}
	if authority {
		u.Scheme = ""
	}
	return u, nil
}

// httpRequest returns r, whose target is u and which came over rwc, as net/http
// would have made it of the same bytes, but for its body, of which nothing is read.
// There is no second reading of the bytes, which could come to another result: that
// is how requests are smuggled (RFC 9112 §11.2). u is nil if there is no target.
func httpRequest(r *ws.Request, u *url.URL, rwc io.ReadWriteCloser) *http.Request {
	if u == nil {
		u = &url.URL{Path: r.Target}
	}
	h := &http.Request{
		Method: r.Method, URL: u, RequestURI: r.Target, Host: r.Host,
		ProtoMajor: r.Major, ProtoMinor: r.Minor,
		Header: r.Fields(), ContentLength: r.Length, Body: http.NoBody,
	}
	if r.Method != "" {
		h.Proto = "HTTP/" + strconv.Itoa(r.Major) + "." + strconv.Itoa(r.Minor)
	}
	// "Cache-Control was not defined in HTTP/1.0", whose clients have Pragma
	// (RFC 9111 §5.4).
	if p := h.Header["Pragma"]; len(p) > 0 && p[0] == "no-cache" && h.Header["Cache-Control"] == nil {
		h.Header["Cache-Control"] = []string{"no-cache"}
	}
	if r.Length < 0 {
		h.TransferEncoding = []string{"chunked"}
		h.Trailer = trailer(h.Header["Trailer"])
		delete(h.Header, "Trailer")
	}
	// "If the "close" connection option is present, the connection will not
	// persist" (RFC 9112 §9.3).
	options := h.Header["Connection"]
	h.Close = r.Major < 1 || httpguts.HeaderValuesContainsToken(options, "close") ||
		!h.ProtoAtLeast(1, 1) && !httpguts.HeaderValuesContainsToken(options, "keep-alive")
	if conn, ok := rwc.(net.Conn); ok {
		if a := conn.RemoteAddr(); a != nil {
			h.RemoteAddr = a.String()
		}
		h = h.WithContext(context.WithValue(context.Background(), http.LocalAddrContextKey, conn.LocalAddr()))
	}
	if conn, ok := rwc.(*tls.Conn); ok {
		state := conn.ConnectionState()
		h.TLS = &state
	}
	return h
}

// trailer has the names that the values of a Trailer header announce, without
// values; nil if there is none.
func trailer(lists []string) (t http.Header) {
	for _, list := range lists {
		for name := range strings.SplitSeq(list, ",") {
			if name = strings.Trim(name, " \t"); name != "" {
				if t == nil {
					t = http.Header{}
				}
				t[http.CanonicalHeaderKey(name)] = nil
			}
		}
	}
	return t
}
