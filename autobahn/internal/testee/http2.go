package testee

import (
	"context"
	"log/slog"
	"net"

	"framewright/ws/wsh2"
)

// A Transport is what our server and our client speak.
type Transport struct {
	h2 *wsh2.Client // nil over HTTP/1.1
}

// Over returns HTTP/1.1, or HTTP/2 of which each side knows (RFC 9113 §3.3).
func Over(http2 bool) *Transport {
	if http2 {
		return &Transport{h2: &wsh2.Client{Plain: true}}
	}
	return &Transport{}
}

// Serve is [Serve] over it.
func (t *Transport) Serve(ctx context.Context, l net.Listener) error {
	if t.h2 == nil {
		return Serve(ctx, l)
	}
	server := echoServer()
	h2 := &wsh2.Server{Handler: server, Logger: slog.New(slog.DiscardHandler)}
	stop := context.AfterFunc(ctx, func() {
		l.Close()
		h2.Close()
	})
	defer stop()
	for {
		nc, err := l.Accept()
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
		go h2.ServeConn(context.WithoutCancel(ctx), nc, nil)
	}
}

// Echo is [Echo] over it. All of its connections to one host share one of HTTP/2.
func (t *Transport) Echo(ctx context.Context, url string) error {
	o := options()
	if t.h2 != nil {
		o.HTTP2 = t.h2
	}
	return echoWith(ctx, url, o)
}

// Close closes what connections share.
func (t *Transport) Close() {
	if t.h2 != nil {
		t.h2.Close()
	}
}
