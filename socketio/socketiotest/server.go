package socketiotest

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"sync/atomic"
	"testing"
	"time"

	"framewright/engineio"
	engine "framewright/engineio/client"
	"framewright/socketio/client"
	"framewright/ws/wstest"
)

// A Server is a program's server as its clients in a test see it. Its methods are for
// the test's own goroutine.
type Server struct {
	// Patience is how long anything may take that is waited for: 10 s, or of a
	// bubble's time, unless it is set before the first Connect.
	Patience time.Duration

	t       testing.TB
	http    *http.Client
	clients atomic.Int64 // for their names
}

// Serve serves h in memory until the test ends: a *socketio.Server, or a handler that
// has one at /socket.io/. What has a method Shutdown(context.Context) error, as the
// first has, is shut down then.
func Serve(t testing.TB, h http.Handler) *Server {
	t.Helper()
	l := wstest.NewListener()
	transport := &http.Transport{DialContext: l.DialContext}
	s := &Server{Patience: 10 * time.Second, t: t, http: &http.Client{Transport: transport}}
	server := &http.Server{Handler: h}
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = server.Serve(l) // until it is closed
	}()
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		if ender, ok := h.(interface{ Shutdown(context.Context) error }); ok {
			ctx, cancel := context.WithTimeout(context.Background(), s.Patience)
			defer cancel()
			if err := ender.Shutdown(ctx); err != nil {
				t.Errorf("socketiotest: the server was not shut down within %v: %v", s.Patience, err)
			}
		}
		_ = server.Close() // what is cut here, nobody waits for
		<-served
	})
	return s
}

// Options say how a client connects. A nil *Options is the zero value.
type Options struct {
	Namespace string      // "/" if it is empty
	Auth      any         // goes as auth: JSON that is an object; nil: none
	Header    http.Header // of the requests, besides: a cookie, or an Origin
	Query     url.Values  // of the requests, besides
	// Transports are as in [engine.Options]; nil is a WebSocket alone.
	Transports []string
}

// Connect connects a client. The test fails if it is refused.
func (s *Server) Connect(o *Options) *Client {
	s.t.Helper()
	c, err := s.dial(o)
	if err != nil {
		s.t.Fatalf("socketiotest: %s cannot connect: %v", c, err)
	}
	return c
}

// Refused has a client try to connect, and returns how the server refuses it. The test
// fails if it does not.
func (s *Server) Refused(o *Options) *client.ConnectError {
	s.t.Helper()
	c, err := s.dial(o)
	refusal, ok := errors.AsType[*client.ConnectError](err)
	if !ok {
		s.t.Fatalf("socketiotest: %s should have been refused by the namespace, and got %v", c, cmp.Or(err, errors.New("connected")))
	}
	return refusal
}

// dial makes a client and connects it.
func (s *Server) dial(given *Options) (*Client, error) {
	var o Options
	if given != nil {
		o = *given
	}
	o.Namespace = cmp.Or(o.Namespace, "/")
	if o.Transports == nil {
		o.Transports = []string{engineio.WebSocket}
	}
	c := &Client{server: s, t: s.t, namespace: o.Namespace, number: s.clients.Add(1)}
	auths := &auths{of: map[string]any{o.Namespace: o.Auth}}
	address := url.URL{Scheme: "http", Host: "socketio.test", RawQuery: o.Query.Encode()}
	conn, err := client.New(address.String(), &client.Options{
		Engine:      engine.Options{HTTPClient: s.http, Header: o.Header, Transports: o.Transports},
		AuthFunc:    auths.get,
		AckTimeout:  s.Patience,
		NoReconnect: true,
		MaxWaiting:  maxEvents,
		IdleRate:    -1, // the program is the test's own
		Logger:      slog.New(slog.DiscardHandler),
	})
	if err != nil {
		return c, err
	}
	s.t.Cleanup(func() { end(conn, s.Patience) })
	c.conn, c.auths = conn, auths
	return c, c.connect()
}

// end closes a client and waits until all its goroutines have ended.
func end(conn *client.Client, patience time.Duration) {
	_ = conn.Close() // what was not sent, nobody waits for
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	_ = conn.Wait(ctx) // a handler of the test's own may not end
}
