// Package peer has the servers that are measured, one file for each library,
// each used as the library's own documentation shows, with its buffers pooled
// or used again where it can do that. bench/README.md says where each way comes
// from.
package peer

import (
	"net"
	"net/http"
	"slices"
)

// A Server is one library's servers. A field is nil if the library has no such
// way.
type Server struct {
	Name   string
	Module string // whose version is stated
	Raw    bool   // plain TCP: no handshake, the same bytes back
	Chat   bool   // Broadcast speaks the chat's JSON

	// Fragment is the payload that a longer message is cut into by default; 0
	// if messages are not cut.
	Fragment int

	// Echo sends every message back to its sender, and Broadcast to every
	// connection. They serve until the process ends.
	Echo, Broadcast func(l net.Listener) error
}

// All are all servers, the floor first and ours second.
var All = []Server{raw, ours, oursAlone, ourChat, gorillaServer, coderServer, gwsServer, gobwasServer, gobwasPlain, nbioServer, fasthttpServer, bareHTTP}

// ByName finds a server.
func ByName(name string) (Server, bool) {
	i := slices.IndexFunc(All, func(s Server) bool { return s.Name == name })
	if i < 0 {
		return Server{}, false
	}
	return All[i], true
}

// handler is net/http's server around f.
func handler(f http.HandlerFunc) func(net.Listener) error {
	return func(l net.Listener) error { return http.Serve(l, f) }
}

// each accepts connections without net/http and serves each in a goroutine.
func each(l net.Listener, f func(net.Conn)) error {
	for {
		c, err := l.Accept()
		if err != nil {
			return err
		}
		go f(c)
	}
}
