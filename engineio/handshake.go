package engineio

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"slices"
	"strconv"

	"framewright/ws/wsnet"
)

// ServeHTTP serves one request: a handshake, which opens a session, or one
// that belongs to a session. The query says which:
//
//	EIO=4                        the protocol's version
//	transport=polling|websocket
//	sid=…                        the session; none for a handshake
func (v *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if f := v.serveRequest(w, r); f != nil {
		v.refuse(w, r, f)
	}
}

func (v *Server) serveRequest(w http.ResponseWriter, r *http.Request) *refusal {
	if f := v.checkOrigin(w, r); f != nil {
		return f
	}
	if r.Method == http.MethodOptions {
		preflight(w, r)
		return nil
	}
	q := r.URL.Query()
	transport, version := q.Get("transport"), q.Get("EIO")
	if !slices.Contains(v.o.Transports, transport) {
		return &refusal{code: codeTransport, detail: "transport " + strconv.Quote(clip(transport)) + " is not in Options.Transports"}
	}
	upgrade := wantsUpgrade(r)
	if (transport == WebSocket) != upgrade {
		if q.Get("sid") == "" && r.Method != http.MethodGet {
			return &refusal{code: codeMethod, detail: "a handshake is a GET, not a " + strconv.Quote(clip(r.Method))}
		}
		return &refusal{code: codeRequest, detail: "transport websocket and a WebSocket upgrade go together"}
	}
	if id := q.Get("sid"); id != "" {
		return v.serveSession(w, r, id, version)
	}
	if r.Method != http.MethodGet && !isConnect(r) {
		return &refusal{code: codeMethod, detail: "a handshake is a GET, not a " + strconv.Quote(clip(r.Method))}
	}
	if version != "4" {
		f := &refusal{code: codeVersion, level: slog.LevelWarn, detail: "the client speaks version " + strconv.Quote(clip(version)) + " of Engine.IO; this server speaks 4"}
		if version == "3" || version == "2" {
			f.detail = "the client speaks version " + version + " of Engine.IO: it is socket.io-client 1.x or 2.x, or built on it; upgrade it to 4.x"
		}
		return f
	}
	return v.open(w, r, transport)
}

// serveSession serves a request that names its session.
func (v *Server) serveSession(w http.ResponseWriter, r *http.Request, id, version string) *refusal {
	v.mu.Lock()
	s := v.sessions[id]
	v.mu.Unlock()
	switch {
	case s == nil:
		return &refusal{code: codeSession, level: slog.LevelDebug}
	}
	f := s.serve(w, r, version)
	if f != nil { // the session lives on, or does not
		cost := 1.0
		if f.status == http.StatusRequestEntityTooLarge {
			cost = bodyCosts
		}
		s.mu.Lock()
		s.idled(cost)
		s.mu.Unlock()
	}
	return f
}

// bodyCosts is what a body that is too long counts against IdleRate: much of it
// was read.
const bodyCosts = 10

// serve serves a request of s.
func (s *Socket) serve(w http.ResponseWriter, r *http.Request, version string) *refusal {
	switch {
	case version != "4":
		return &refusal{code: codeRequest, detail: "a request of version " + strconv.Quote(clip(version)) + " for a session of version 4"}
	case wantsUpgrade(r):
		return s.acceptUpgrade(w, r)
	case r.Method == http.MethodGet:
		return s.get(w, r)
	case r.Method == http.MethodPost:
		return s.post(w, r)
	}
	return &refusal{
		code: codeRequest, status: http.StatusMethodNotAllowed, detail: "method " + strconv.Quote(clip(r.Method)) + "; expected " + methods,
		header: http.Header{"Allow": {methods}},
	}
}

// open opens a session.
func (v *Server) open(w http.ResponseWriter, r *http.Request, transport string) *refusal {
	address := v.o.Address(r)
	if f := v.admit(address); f != nil {
		return f
	}
	opened := false
	defer func() { // also when Connect panics
		if !opened {
			v.release(address)
		}
	}()
	ctx := r.Context()
	if v.o.Connect != nil {
		c, err := v.o.Connect(r)
		if err != nil {
			return &refusal{code: codeForbidden, status: http.StatusForbidden, message: err.Error()}
		}
		if c != nil {
			ctx = c
		}
	}
	if transport == WebSocket {
		conn, err := wsnet.Accept(w, r, &v.o.WebSocket)
		if err != nil { // and answered
			v.o.Logger.Info("engineio: refused", "remote", v.o.Remote(r), "path", r.URL.Path, "err", err)
			return nil
		}
		opened = true
		s := v.newSocket(ctx, r, address)
		s.conn = conn
		p := s.openPacket()
		s.out, s.outBytes = []packet{p}, p.size()
		v.start(s)
		go s.read(conn)
		return nil
	}
	opened = true
	s := v.newSocket(ctx, r, address)
	if v.o.Cookie != nil {
		c := *v.o.Cookie
		c.Value = s.id
		http.SetCookie(w, &c)
	}
	p := s.openPacket()
	v.start(s)
	w.Header().Set("Content-Type", textType)
	if err := answer(w, http.StatusOK, p.wire); err != nil {
		s.end(&CloseError{TransportError, err}, false)
	}
	return nil
}

// newSocket returns a session that has been admitted. ctx gives its context
// the values.
func (v *Server) newSocket(ctx context.Context, r *http.Request, address string) *Socket {
	url := *r.URL
	s := &Socket{
		server: v,
		id:     v.newID(),
		request: &http.Request{
			Method: r.Method, URL: &url, Proto: r.Proto, ProtoMajor: r.ProtoMajor, ProtoMinor: r.ProtoMinor,
			Header: r.Header.Clone(), Host: r.Host, RemoteAddr: r.RemoteAddr, RequestURI: r.RequestURI, TLS: r.TLS,
		},
		address: address,
		remote:  v.o.Remote(r),
		parts:   2,
	}
	s.ctx, s.cancel = context.WithCancelCause(context.WithoutCancel(ctx))
	return s
}

// openPacket is the answer to s's handshake.
func (s *Socket) openPacket() packet {
	o := &s.server.o
	upgrades := []string{} // not nil, which JSON would call null
	if s.conn == nil && s.server.upgrades() {
		upgrades = append(upgrades, WebSocket)
	}
	data, err := json.Marshal(struct {
		SID          string   `json:"sid"`
		Upgrades     []string `json:"upgrades"`
		PingInterval int64    `json:"pingInterval"` // ms
		PingTimeout  int64    `json:"pingTimeout"`  // ms
		MaxPayload   int      `json:"maxPayload"`   // bytes
	}{s.id, upgrades, o.PingInterval.Milliseconds(), o.PingTimeout.Milliseconds(), o.MaxPayload})
	if err != nil {
		panic(err) // strings and numbers
	}
	return packet{wire: append([]byte{typeOpen}, data...)}
}

// upgrades reports whether sessions may move from polling to WebSocket.
func (v *Server) upgrades() bool {
	return !v.o.NoUpgrade && slices.Contains(v.o.Transports, WebSocket)
}

// clip bounds what a client may write into the log.
func clip(s string) string { return s[:min(len(s), 64)] }
