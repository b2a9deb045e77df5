package engineio

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"maps"
	"net/http"
	"net/url"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"framewright/ws"
)

// A Server is an http.Handler that serves Engine.IO sessions at whatever path
// it is mounted, with a slash at its end.
type Server struct {
	handler func(context.Context, *Socket) error
	o       Options
	polls   bool // Options.Transports has Polling

	mu         sync.Mutex
	sessions   map[string]*Socket
	perAddress map[string]int
	total      int // sessions in the account: those in the list, and those whose handler still runs
	closing    bool
	idle       chan struct{} // closed when total is 0, once closing
}

// NewServer returns a server that runs handler on every session, in a
// goroutine of the session's own. ctx ends with the session. When handler
// returns, the session is closed as by [Socket.Close]; an error that is not
// the session's own end is logged, and so is a panic. o may be nil. The error
// says which option is wrong.
//
// handler must receive until the session is over, or the client is held up.
func NewServer(handler func(ctx context.Context, s *Socket) error, o *Options) (*Server, error) {
	opts, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	return &Server{
		handler:    handler,
		o:          opts,
		polls:      slices.Contains(opts.Transports, Polling),
		sessions:   map[string]*Socket{},
		perAddress: map[string]int{},
	}, nil
}

// ServeHTTP serves one request of a session.
func (v *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	if q.Get("sid") == "" && q.Get("transport") == WebSocket {
		v.openWebSocket(w, r)
		return
	}
	http.Error(w, "not yet", http.StatusNotImplemented)
}

func (v *Server) openWebSocket(w http.ResponseWriter, r *http.Request) {
	address := v.o.Address(r)
	if err := v.admit(address); err != nil {
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	conn, err := ws.Accept(w, r, &v.o.WebSocket)
	if err != nil {
		v.release(address)
		return
	}
	s := v.newSocket(r, r.Context(), address)
	s.conn = conn
	s.out = []packet{s.openPacket(nil)}
	s.outBytes = s.out[0].size()
	v.start(s)
	go s.read(conn)
}

// newSocket returns a session that has been admitted.
func (v *Server) newSocket(r *http.Request, ctx context.Context, address string) *Socket {
	var id [15]byte
	rand.Read(id[:]) // cannot fail
	s := &Socket{
		server: v,
		id:     base64.RawURLEncoding.EncodeToString(id[:]),
		request: &http.Request{
			Method: r.Method, URL: cloneURL(r.URL), Proto: r.Proto, ProtoMajor: r.ProtoMajor, ProtoMinor: r.ProtoMinor,
			Header: r.Header.Clone(), Host: r.Host, RemoteAddr: r.RemoteAddr, RequestURI: r.RequestURI, TLS: r.TLS,
		},
		address: address,
		parts:   2,
	}
	s.ctx, s.cancel = context.WithCancelCause(context.WithoutCancel(ctx))
	return s
}

func cloneURL(u *url.URL) *url.URL {
	c := *u
	return &c
}

// openPacket is the handshake's answer.
func (s *Socket) openPacket(upgrades []string) packet {
	o := &s.server.o
	if upgrades == nil {
		upgrades = []string{}
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

// start puts s on the list and begins to serve it.
func (v *Server) start(s *Socket) {
	s.mu.Lock()
	s.timer = time.AfterFunc(v.o.PingInterval, s.onTimer)
	s.due = time.Now().Add(v.o.PingInterval)
	v.mu.Lock()
	v.sessions[s.id] = s
	closing := v.closing
	v.mu.Unlock()
	s.flush()
	if closing { // Shutdown did not see it
		s.endLocked(&CloseError{Reason: ServerShutdown}, true)
	}
	s.mu.Unlock()
	go v.serve(s)
}

// serve runs the handler.
func (v *Server) serve(s *Socket) {
	defer func() {
		s.Close()
		s.mu.Lock()
		defer s.mu.Unlock()
		s.part()
	}()
	err := v.handle(s)
	if over := s.Err(); err == nil || over != nil && (errors.Is(err, over) || errors.Is(err, context.Canceled)) {
		return
	}
	v.o.Logger.Error("engineio: handler failed", "remote", s.request.RemoteAddr, "err", err)
}

func (v *Server) handle(s *Socket) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	return v.handler(s.ctx, s)
}

// admit counts a session in, or says why not.
func (v *Server) admit(address string) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	switch {
	case v.closing:
		return errors.New("the server is shutting down")
	case v.o.MaxSessions > 0 && v.total >= v.o.MaxSessions:
		return fmt.Errorf("the server has all the sessions that Options.MaxSessions allows, %d", v.o.MaxSessions)
	case v.o.MaxSessionsPerAddress > 0 && v.perAddress[address] >= v.o.MaxSessionsPerAddress:
		return fmt.Errorf("your address has all the sessions that Options.MaxSessionsPerAddress allows, %d", v.o.MaxSessionsPerAddress)
	}
	v.total++
	v.perAddress[address]++
	return nil
}

// release counts out what admit counted in.
func (v *Server) release(address string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.total--
	if v.perAddress[address]--; v.perAddress[address] == 0 {
		delete(v.perAddress, address)
	}
	if v.total == 0 && v.idle != nil {
		close(v.idle)
		v.idle = nil
	}
}

// forget takes s off the list.
func (v *Server) forget(s *Socket) {
	v.mu.Lock()
	defer v.mu.Unlock()
	delete(v.sessions, s.id)
}

// Sockets returns the sessions at this moment, in no particular order.
func (v *Server) Sockets() iter.Seq[*Socket] {
	v.mu.Lock()
	defer v.mu.Unlock()
	return slices.Values(slices.Collect(maps.Values(v.sessions)))
}

// Count returns the number of sessions.
func (v *Server) Count() int {
	v.mu.Lock()
	defer v.mu.Unlock()
	return len(v.sessions)
}

// Shutdown refuses new sessions with 503, ends every session with
// [ServerShutdown], what was queued still being delivered, and waits until
// all are gone and their handlers have returned. When ctx ends first, it cuts
// those that are left and returns the context's error. A Server that was shut
// down stays so.
func (v *Server) Shutdown(ctx context.Context) error {
	v.mu.Lock()
	v.closing = true
	if v.total == 0 {
		v.mu.Unlock()
		return nil
	}
	if v.idle == nil {
		v.idle = make(chan struct{})
	}
	idle := v.idle
	v.mu.Unlock()
	for s := range v.Sockets() {
		s.end(&CloseError{Reason: ServerShutdown}, true)
	}
	select {
	case <-idle:
		return nil
	case <-ctx.Done():
	}
	for s := range v.Sockets() {
		s.cut()
	}
	return fmt.Errorf("engineio: shutdown: %w", ctx.Err())
}

// Close is Shutdown without the wait: it cuts every session at once.
func (v *Server) Close() {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	v.Shutdown(ctx)
}
