package main

import (
	"context"
	"io"
	"net"
	"net/http"
	"unicode/utf8"

	coder "github.com/coder/websocket"
	gobwas "github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"
	"github.com/gorilla/websocket"
	"github.com/lxzan/gws"

	"framewright/ws"
	"framewright/ws/wsnet"
)

// limit is the longest message in bytes that the suite's group 9 has, and more.
const limit = 64 << 20

func framewrightOptions() wsnet.Options {
	return wsnet.Options{MaxMessage: limit, MaxFragments: -1, EmptyRate: -1, PingRate: -1, InflateRate: -1,
		Compression: &ws.Compression{SendContext: true, ReceiveContext: true}}
}

func serveFramewright(l net.Listener) error {
	s := wsnet.Handler(echoAll)
	s.Options = wsnet.ServerOptions{Options: framewrightOptions()}
	return s.Serve(l)
}

func echoFramewright(ctx context.Context, url string) error {
	c, err := wsnet.Dial(ctx, url, &wsnet.DialOptions{Options: framewrightOptions()})
	if err != nil {
		return err
	}
	defer c.Close(ctx, ws.CodeNormal, "")
	return echoAll(ctx, c)
}

func echoAll(ctx context.Context, c *wsnet.Conn) error {
	for {
		op, data, err := c.Read(ctx)
		if err != nil {
			return err
		}
		if err := c.Write(ctx, op, data); err != nil {
			return err
		}
	}
}

func serveGorilla(l net.Listener) error {
	up := websocket.Upgrader{EnableCompression: true, CheckOrigin: func(*http.Request) bool { return true }}
	return http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if c, err := up.Upgrade(w, r, nil); err == nil {
			gorillaEcho(c)
		}
	}))
}

func echoGorilla(ctx context.Context, url string) error {
	d := websocket.Dialer{EnableCompression: true}
	c, _, err := d.DialContext(ctx, url, nil)
	if err != nil {
		return err
	}
	return gorillaEcho(c)
}

func gorillaEcho(c *websocket.Conn) error {
	defer c.Close()
	c.SetReadLimit(limit)
	for {
		kind, data, err := c.ReadMessage()
		if err != nil {
			return err
		}
		if kind == websocket.TextMessage && !utf8.Valid(data) {
			return c.WriteMessage(websocket.CloseMessage, websocket.FormatCloseMessage(websocket.CloseInvalidFramePayloadData, ""))
		}
		if err := c.WriteMessage(kind, data); err != nil {
			return err
		}
	}
}

func serveCoder(l net.Listener) error {
	return http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := coder.Accept(w, r, &coder.AcceptOptions{InsecureSkipVerify: true, CompressionMode: coder.CompressionContextTakeover})
		if err == nil {
			coderEcho(r.Context(), c)
		}
	}))
}

func echoCoder(ctx context.Context, url string) error {
	c, _, err := coder.Dial(ctx, url, &coder.DialOptions{CompressionMode: coder.CompressionContextTakeover})
	if err != nil {
		return err
	}
	return coderEcho(ctx, c)
}

func coderEcho(ctx context.Context, c *coder.Conn) error {
	defer c.CloseNow()
	c.SetReadLimit(limit)
	for {
		kind, data, err := c.Read(ctx)
		if err != nil {
			return err
		}
		if err := c.Write(ctx, kind, data); err != nil {
			return err
		}
	}
}

func serveGobwas(l net.Listener) error {
	for {
		conn, err := l.Accept()
		if err != nil {
			return err
		}
		go func() {
			defer conn.Close()
			if _, err := gobwas.Upgrade(conn); err == nil {
				gobwasEcho(conn, conn, gobwas.StateServerSide)
			}
		}()
	}
}

func echoGobwas(ctx context.Context, url string) error {
	conn, br, _, err := gobwas.Dial(ctx, url)
	if err != nil {
		return err
	}
	defer conn.Close()
	var in io.Reader = conn
	if br != nil { // the first frames came with the answer
		in = io.MultiReader(io.LimitReader(br, int64(br.Buffered())), conn)
	}
	return gobwasEcho(in, conn, gobwas.StateClientSide)
}

func gobwasEcho(in io.Reader, out io.Writer, state gobwas.State) error {
	control := wsutil.ControlFrameHandler(out, state)
	r := &wsutil.Reader{Source: in, State: state, CheckUTF8: true, OnIntermediate: control}
	for {
		h, err := r.NextFrame()
		if err != nil {
			return err
		}
		if h.OpCode.IsControl() {
			if err := control(h, r); err != nil {
				return err
			}
			continue
		}
		data, err := io.ReadAll(r)
		if err != nil {
			if err == wsutil.ErrInvalidUTF8 {
				wsutil.WriteMessage(out, state, gobwas.OpClose, gobwas.NewCloseFrameBody(gobwas.StatusInvalidFramePayloadData, ""))
			}
			return err
		}
		if err := wsutil.WriteMessage(out, state, h.OpCode, data); err != nil {
			return err
		}
	}
}

// gwsHandler echoes, and answers pings, as gws leaves to its users.
type gwsHandler struct{ gws.BuiltinEventHandler }

func (gwsHandler) OnPing(c *gws.Conn, payload []byte) { _ = c.WritePong(payload) }

func (gwsHandler) OnMessage(c *gws.Conn, m *gws.Message) {
	defer m.Close()
	_ = c.WriteMessage(m.Opcode, m.Bytes())
}

var gwsDeflate = gws.PermessageDeflate{Enabled: true, ServerContextTakeover: true, ClientContextTakeover: true}

func serveGws(l net.Listener) error {
	s := gws.NewServer(gwsHandler{}, &gws.ServerOption{CheckUtf8Enabled: true, ReadMaxPayloadSize: limit, WriteMaxPayloadSize: limit, PermessageDeflate: gwsDeflate})
	return s.RunListener(l)
}

func echoGws(ctx context.Context, url string) error {
	c, _, err := gws.NewClient(gwsHandler{}, &gws.ClientOption{Addr: url, CheckUtf8Enabled: true, ReadMaxPayloadSize: limit, WriteMaxPayloadSize: limit, PermessageDeflate: gwsDeflate})
	if err != nil {
		return err
	}
	defer context.AfterFunc(ctx, func() { c.NetConn().Close() })()
	c.ReadLoop()
	return nil
}
