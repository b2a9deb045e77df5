package main

import (
	"net/http"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"

	"framewright/ws"
)

// socketScript are the names under which pages ask for the client's script, when
// they take it from the server that they chat with.
var socketScript = regexp.MustCompile(`^/socket\.io/socket\.io(\.msgpack)?(\.esm)?(\.min)?\.js(\.map)?$`)

// socketRoutes is what answers under /socket.io/. Only a request that begins a
// session is a handshake; those of a session that polls are many. Those of a
// session that there is not have a rate of their own: after a restart, all who
// poll have one.
func (a *app) socketRoutes(script http.Handler) http.Handler {
	begin := a.gate.handshakes(a.gate.counted(a.knownGuests(a.io)))
	return a.tracer.polling(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case socketScript.MatchString(r.URL.Path):
			script.ServeHTTP(w, r)
		case r.Method == http.MethodOptions:
			a.io.ServeHTTP(w, r)
		case r.URL.Query().Get("sid") == "":
			begin.ServeHTTP(w, r)
		case a.io.Has(r.URL.Query().Get("sid")) || a.gate.within(w, r, a.gate.strays):
			a.io.ServeHTTP(w, r)
		}
	}))
}

// script serves the client's script, and what belongs to it: from the site of
// -web if that has it there, and otherwise the one that the built-in page uses.
func (a *app) script(site http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w = &sharing{ResponseWriter: w, r: r, patterns: a.set.origins}
		if a.set.web != "" {
			if _, err := os.Stat(filepath.Join(a.set.web, filepath.FromSlash(r.URL.Path))); err == nil {
				site.ServeHTTP(w, r)
				return
			}
		}
		own := r.Clone(r.Context())
		own.URL.Path, own.URL.RawPath = "/nothing", ""
		switch path.Base(r.URL.Path) {
		case "socket.io.js", "socket.io.min.js":
			own.URL.Path = socketScriptFile
		case "socket.io.esm.min.js":
			own.URL.Path = socketModule
		}
		page().ServeHTTP(w, own)
	})
}

// The client of Socket.IO as one file, which is how pages ask for it: as a script,
// and for those that import it.
const (
	socketScriptFile = "/socketio-client.js"
	socketModule     = "/socketio-client.esm.js"
)

// socketParts are the modules that it is made of, each behind those that it
// imports.
var socketParts = []string{"emitter", "bytes", "options", "packet", "engine", "socket", "manager", "io"}

// linking is what only modules have: imports, and exports of what is declared.
var linking = regexp.MustCompile(`(?m)^(?:import .*;\n|/\*\* @import .*\n|export \{.*\};\n|export )`)

// joinModules returns modules as one piece of source. No two of them may declare
// the same name, nor import under another.
func joinModules(files map[string][]byte, parts []string) []byte {
	var joined []byte
	for _, part := range parts {
		joined = append(joined, linking.ReplaceAll(files["/socketio-client/"+part+".js"], nil)...)
	}
	return joined
}

// asScript makes io what the published script makes it.
func asScript(joined []byte) []byte {
	return slices.Concat([]byte("(() => {\n'use strict';\n"), joined,
		[]byte("globalThis.io = Object.assign(io, { io, connect: io, Manager, Socket, protocol });\n})();\n"))
}

// asModule exports what the published module does, but for its transports.
func asModule(joined []byte) []byte {
	return slices.Concat(joined, []byte("export { io, io as connect, io as default, Manager, Socket, protocol };\n"))
}

// A sharing is the answer to a request for a script that pages of the allowed
// origins may load, too.
type sharing struct {
	http.ResponseWriter
	r        *http.Request
	patterns patterns
	done     bool
}

// WriteHeader says, in place of what the page's files say, who may load it.
func (s *sharing) WriteHeader(status int) {
	if !s.done {
		s.done = true
		h := s.Header()
		h.Add("Vary", "Origin")
		h.Add("Vary", "Referer")
		policy := "same-origin"
		if allowed, origin := s.allowed(); allowed {
			policy = "cross-origin"
			if origin != "" {
				h.Set("Access-Control-Allow-Origin", origin)
				if origin != "*" {
					h.Set("Access-Control-Allow-Credentials", "true") // as the answers that the script will ask for
				}
			}
		}
		h.Set("Cross-Origin-Resource-Policy", policy)
	}
	s.ResponseWriter.WriteHeader(status)
}

func (s *sharing) Write(p []byte) (int, error) {
	if !s.done {
		s.WriteHeader(http.StatusOK)
	}
	return s.ResponseWriter.Write(p)
}

// Unwrap lets an [http.ResponseController] find what is below.
func (s *sharing) Unwrap() http.ResponseWriter { return s.ResponseWriter }

// allowed reports whether the page that asks may load the script, and its
// Origin, if it has said one, or "*" for one that only that allows. Modules, and scripts with crossorigin, do; of any
// other script's page only the Referer tells, if that. The script is no secret:
// where neither says anything it is enough that pages elsewhere are allowed.
func (s *sharing) allowed() (ok bool, origin string) {
	header := http.Header{"Origin": s.r.Header["Origin"]}
	origin = s.r.Header.Get("Origin")
	if origin == "" {
		u, err := url.Parse(s.r.Referer())
		if err != nil || u.Scheme == "" || u.Host == "" {
			return len(s.patterns) > 0, ""
		}
		header.Set("Origin", u.Scheme+"://"+u.Host)
	}
	r := &ws.Request{Method: s.r.Method, Host: s.r.Host, TLS: s.r.TLS != nil, Header: header}
	switch {
	case ws.CheckOrigin(r, &ws.Policy{OriginPatterns: s.patterns.named()}) == nil:
		return true, origin
	case !s.patterns.all():
		return false, ""
	case origin == "":
		return true, ""
	}
	return true, "*"
}
