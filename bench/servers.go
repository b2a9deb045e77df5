//go:build linux

package main

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"sync"

	"github.com/coder/websocket"
	fast "github.com/fasthttp/websocket"
	gorilla "github.com/gorilla/websocket"
	"github.com/lxzan/gws"
	"github.com/valyala/fasthttp"

	"framewright/ws"
	"framewright/ws/wsnet"
)

// The echo servers, each set up the way its own documentation shows, with its
// own defaults for level and threshold.

var echoBuffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// servers are by name; keep is whether the context is kept.
var servers = map[string]func(l net.Listener, keep bool) error{
	"framewright": func(l net.Listener, keep bool) error {
		s := wsnet.Handler(func(ctx context.Context, c *wsnet.Conn) error {
			// Reader waits; a buffer is borrowed for what it returns.
			echo := func() error {
				op, r, err := c.Reader(ctx)
				if err != nil {
					return err
				}
				buf := echoBuffers.Get().(*bytes.Buffer)
				defer echoBuffers.Put(buf)
				buf.Reset()
				if _, err := buf.ReadFrom(r); err != nil {
					return err
				}
				return c.Write(ctx, op, buf.Bytes())
			}
			for {
				if err := echo(); err != nil {
					return err
				}
			}
		})
		s.Options.Compression = &ws.Compression{SendContext: keep, ReceiveContext: keep}
		return http.Serve(l, s)
	},
	"gws": func(l net.Listener, keep bool) error {
		up := gws.NewUpgrader(gwsEcho{}, &gws.ServerOption{
			PermessageDeflate: gws.PermessageDeflate{Enabled: true, ServerContextTakeover: keep, ClientContextTakeover: keep},
		})
		return http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			c, err := up.Upgrade(w, r)
			if err != nil {
				return
			}
			go c.ReadLoop() // lets net/http's memory go, says its README
		}))
	},
	"coder": func(l net.Listener, keep bool) error {
		o := &websocket.AcceptOptions{CompressionMode: websocket.CompressionNoContextTakeover}
		if keep {
			o.CompressionMode = websocket.CompressionContextTakeover
		}
		return http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			c, err := websocket.Accept(w, r, o)
			if err != nil {
				return
			}
			defer c.CloseNow()
			c.SetReadLimit(1 << 20)
			for {
				kind, b, err := c.Read(r.Context())
				if err != nil || c.Write(r.Context(), kind, b) != nil {
					return
				}
			}
		}))
	},
	"gorilla": func(l net.Listener, _ bool) error {
		up := gorilla.Upgrader{EnableCompression: true}
		return http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			c, err := up.Upgrade(w, r, nil)
			if err != nil {
				return
			}
			defer c.Close()
			for {
				kind, b, err := c.ReadMessage()
				if err != nil || c.WriteMessage(kind, b) != nil {
					return
				}
			}
		}))
	},
	"fasthttp": func(l net.Listener, _ bool) error {
		up := fast.FastHTTPUpgrader{EnableCompression: true}
		return fasthttp.Serve(l, func(ctx *fasthttp.RequestCtx) {
			_ = up.Upgrade(ctx, func(c *fast.Conn) {
				defer c.Close()
				for {
					kind, b, err := c.ReadMessage()
					if err != nil || c.WriteMessage(kind, b) != nil {
						return
					}
				}
			})
		})
	},
	"gobwas": func(l net.Listener, _ bool) error { return serveGobwas(l) },
}

type gwsEcho struct{ gws.BuiltinEventHandler }

func (gwsEcho) OnMessage(c *gws.Conn, m *gws.Message) {
	defer m.Close()
	_ = c.WriteMessage(m.Opcode, m.Bytes())
}

// serve is the server's process: it says its address and serves until killed.
func serve(name string, keep bool) error {
	f := servers[name]
	if f == nil {
		return fmt.Errorf("no server is called %q", name)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Fprintln(os.Stdout, l.Addr())
	return f(l, keep)
}
