package engineio_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"

	"framewright/engineio"
)

// An echo, used the way a client without WebSockets uses it.
func ExampleNewServer() {
	srv, err := engineio.NewServer(func(ctx context.Context, s *engineio.Socket) error {
		for {
			m, err := s.Receive(ctx)
			if err != nil {
				return err
			}
			if err := s.Send(m); err != nil {
				return err
			}
		}
	}, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer srv.Close()
	mux := http.NewServeMux()
	mux.Handle("/engine.io/", srv)
	web := httptest.NewServer(mux)
	defer web.Close()

	read := func(resp *http.Response, err error) string {
		if err != nil {
			return err.Error()
		}
		defer resp.Body.Close()
		body, _ := io.ReadAll(resp.Body)
		return string(body)
	}
	url := web.URL + "/engine.io/?EIO=4&transport=polling"
	open := read(http.Get(url))
	_, rest, _ := strings.Cut(open, `"sid":"`)
	sid, rest, _ := strings.Cut(rest, `"`)
	fmt.Println(rest)
	url += "&sid=" + sid
	fmt.Println(read(http.Post(url, "text/plain", strings.NewReader("4hello\x1ebAQIDBA=="))))
	for got := ""; len(got) < 15; { // one payload, or two: an echo may come before the next
		part := read(http.Get(url))
		fmt.Println(strings.ReplaceAll(part, "\x1e", "\n"))
		got += part
	}
	// Output:
	// ,"upgrades":["websocket"],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}
	// ok
	// 4hello
	// bAQIDBA==
}

// A broadcast encodes a message once, whoever is there and by whichever
// transport.
func ExampleSocket_SendPrepared() {
	var srv *engineio.Server
	srv, err := engineio.NewServer(func(ctx context.Context, s *engineio.Socket) error {
		for {
			m, err := s.Receive(ctx)
			if err != nil {
				return err
			}
			p, err := engineio.Prepare(m)
			if err != nil {
				return err
			}
			for everybody := range srv.Sockets() {
				_ = everybody.SendPrepared(p) // one that is over hears of it by its own handler
			}
		}
	}, &engineio.Options{OriginPatterns: []string{"www.example.com"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer srv.Close()
}
