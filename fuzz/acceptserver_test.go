package main

import (
	"context"
	"io"
	"log"
	"net"
	"net/http"
	"testing"
	"time"

	"framewright/ws"
	"framewright/ws/wsnet"
)

// An acceptServer is a http.Server that serves the acceptConns it is handed.
type acceptServer struct {
	conns  chan *acceptConn
	closed chan struct{}
}

type connKey struct{}

func newAcceptServer(f *testing.F) *acceptServer {
	s := &acceptServer{conns: make(chan *acceptConn), closed: make(chan struct{})}
	h := &http.Server{
		Handler:     http.HandlerFunc(s.handle),
		ErrorLog:    log.New(io.Discard, "", 0),
		ConnContext: func(ctx context.Context, c net.Conn) context.Context { return context.WithValue(ctx, connKey{}, c) },
	}
	go h.Serve(s)
	f.Cleanup(func() { h.Close() })
	return s
}

func (s *acceptServer) Accept() (net.Conn, error) {
	select {
	case c := <-s.conns:
		return c, nil
	case <-s.closed:
		return nil, net.ErrClosed
	}
}

func (s *acceptServer) Close() error   { close(s.closed); return nil }
func (s *acceptServer) Addr() net.Addr { return &net.TCPAddr{} }

func (s *acceptServer) handle(w http.ResponseWriter, r *http.Request) {
	conn := r.Context().Value(connKey{}).(*acceptConn)
	saw := accepted{method: r.Method, key: r.Header.Get("Sec-Websocket-Key")}
	req := requestOf(r)
	saw.legal = legalRequest(req) && ws.CheckOrigin(req, nil) == nil && legalExtensions(r.Header["Sec-Websocket-Extensions"])
	note := func() {
		conn.mu.Lock()
		defer conn.mu.Unlock()
		conn.requests = append(conn.requests, saw)
	}
	defer func() {
		if p := recover(); p != nil {
			conn.mu.Lock()
			conn.panicked = p
			conn.hijacked = false
			conn.mu.Unlock()
			conn.Close()
		}
	}()
	o := &wsnet.ServerOptions{Options: *connOptions(ws.Limits{}), Hosts: []string{"*"}} // ws.TestCheckHost has those
	c, err := wsnet.Accept(w, r, o)
	saw.err = err
	if err != nil {
		note()
		return
	}
	conn.mu.Lock()
	conn.hijacked = true
	conn.mu.Unlock()
	defer conn.finish()
	for m, err := range c.Messages(context.Background()) {
		if err != nil {
			break
		}
		saw.messages = append(saw.messages, event{m.Opcode, string(m.Data)})
	}
	note()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	c.Close(ctx, ws.CodeNormal, "")
}
