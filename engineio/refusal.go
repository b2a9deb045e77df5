package engineio

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"framewright/ws"
)

// A code says why a request was refused; clients see it in the answer.
type code int

const (
	codeTransport code = iota
	codeSession
	codeMethod
	codeRequest
	codeForbidden
	codeVersion
)

var codeText = [...]string{
	codeTransport: "Transport unknown",
	codeSession:   "Session ID unknown",
	codeMethod:    "Bad handshake method",
	codeRequest:   "Bad request",
	codeForbidden: "Forbidden",
	codeVersion:   "Unsupported protocol version",
}

// A refusal is the answer to a request that is not served.
type refusal struct {
	code    code
	status  int    // 0: 400
	message string // for the client; "": that of the code
	detail  string // for the log
	header  http.Header
	level   slog.Level // of the log entry
}

// refuse answers r and logs why. An upgrade's answer is plain text, because
// the client has no use for more.
func (v *Server) refuse(w http.ResponseWriter, r *http.Request, f *refusal) {
	status, message := f.status, f.message
	if status == 0 {
		status = http.StatusBadRequest
	}
	if message == "" {
		message = codeText[f.code]
	}
	detail := f.detail
	if detail == "" {
		detail = message
	}
	v.o.Logger.Log(r.Context(), f.level, "engineio: refused", "remote", v.o.Remote(r), "path", r.URL.Path, "code", int(f.code), "err", detail)
	for name, values := range f.header {
		w.Header()[name] = values
	}
	if wantsUpgrade(r) {
		w.Header().Set("Connection", "close")
		w.Header().Set("Content-Type", textType)
		_ = answer(w, status, []byte(message)) // a refusal that does not arrive is none the less one
		return
	}
	body, err := json.Marshal(struct {
		Code    code   `json:"code"`
		Message string `json:"message"`
	}{f.code, message})
	if err != nil {
		panic(err) // a number and a string
	}
	w.Header().Set("Content-Type", "application/json")
	_ = answer(w, status, body)
}

// answer sends a whole answer, whose Content-Type is set.
func answer(w http.ResponseWriter, status int, body []byte) error {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, err := w.Write(body)
	return err
}

// wantsUpgrade reports whether r asks to become a WebSocket, over HTTP/1.1 or HTTP/2.
// Whether it does so properly is for wsnet.Accept to say.
func wantsUpgrade(r *http.Request) bool {
	if isConnect(r) {
		return true
	}
	for _, v := range r.Header["Upgrade"] {
		for token := range strings.SplitSeq(v, ",") {
			if strings.EqualFold(strings.TrimSpace(token), "websocket") {
				return true
			}
		}
	}
	return false
}

// isConnect reports whether r is what stands for a GET with Upgrade over HTTP/2 (RFC 8441
// §5).
func isConnect(r *http.Request) bool {
	return r.ProtoMajor == 2 && r.Method == http.MethodConnect
}

// checkOrigin holds a request against the same rule on every transport, and
// gives pages from allowed origins the headers with which browsers let them
// read the answer.
func (v *Server) checkOrigin(w http.ResponseWriter, r *http.Request) *refusal {
	o := &v.o.WebSocket
	p := &ws.Policy{Hosts: o.Hosts, OriginPatterns: o.OriginPatterns, RequireOrigin: o.RequireOrigin}
	switch site := r.Header.Get("Sec-Fetch-Site"); site {
	case "same-origin":
		p.RequireOrigin = false // browsers send no Origin with a GET to the page's own
	case "cross-site", "same-site":
		// An image's address, say: its page could not read the answer, but
		// would open sessions in the name of its visitor.
		if r.Header.Get("Origin") == "" {
			return &refusal{code: codeForbidden, status: http.StatusForbidden, message: "a " + site + " request without Origin; scripts of pages that Options.OriginPatterns allows have one"}
		}
	}
	local, ok := r.Context().Value(http.LocalAddrContextKey).(*net.TCPAddr)
	req := &ws.Request{Method: r.Method, Host: r.Host, TLS: r.TLS != nil, Local: ok && local.IP.IsLoopback(), Header: r.Header}
	err := ws.CheckHost(req, p) // or the origin's being the host's own would say nothing
	if err == nil {
		err = ws.CheckOrigin(req, p)
	}
	if err != nil {
		f := &refusal{code: codeForbidden, status: http.StatusForbidden, message: err.Error()}
		if e, ok := errors.AsType[*ws.HandshakeError](err); ok {
			f.message = e.Detail
		}
		return f
	}
	if wantsUpgrade(r) {
		return nil
	}
	h := w.Header()
	h.Add("Vary", "Origin")
	if origin := r.Header.Get("Origin"); origin != "" {
		if !named(req, p.OriginPatterns) {
			h.Set("Access-Control-Allow-Origin", "*")
			return nil
		}
		h.Set("Access-Control-Allow-Origin", origin)
		h.Set("Access-Control-Allow-Credentials", "true")
	}
	return nil
}

// named reports whether a request that patterns allow comes from a page that they
// name, or from the server's own: one that "*" alone lets in gets answers without
// credentials, so that no page can use what a visitor is logged in with.
func named(r *ws.Request, patterns []string) bool {
	if !slices.Contains(patterns, "*") {
		return true
	}
	patterns = slices.DeleteFunc(slices.Clone(patterns), func(p string) bool { return p == "*" })
	return ws.CheckOrigin(r, &ws.Policy{OriginPatterns: patterns}) == nil
}

const methods = "GET, POST, OPTIONS"

// preflight answers a browser that asks whether a page may send a request
// with headers of its own.
func preflight(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Allow", methods)
	if r.Header.Get("Origin") != "" && r.Header.Get("Access-Control-Request-Method") != "" {
		h.Add("Vary", "Access-Control-Request-Headers")
		h.Set("Access-Control-Allow-Methods", "GET, POST")
		if names := r.Header.Get("Access-Control-Request-Headers"); names != "" {
			h.Set("Access-Control-Allow-Headers", names)
		}
		h.Set("Access-Control-Max-Age", "600")
	}
	w.WriteHeader(http.StatusNoContent)
}

// retryAfter is what clients are told that come when the server is full.
const retryAfter = 5 * time.Second

func full(status int, format string, args ...any) *refusal {
	return &refusal{
		code: codeForbidden, status: status, message: fmt.Sprintf(format, args...),
		header: http.Header{"Retry-After": {strconv.Itoa(int(retryAfter / time.Second))}},
	}
}
