package client

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"framewright/engineio"
	"framewright/ws"
	"framewright/ws/wsnet"
)

// Dial opens a session with the server of a http, https, ws or wss URL. Its query,
// if it has one, goes with every request. ctx bounds the handshake, together with
// Options.ConnectTimeout, and gives the context of the session its values. The
// error is a [*RefusedError] if the server answered something else than it should.
//
// The caller closes the connection.
func Dial(ctx context.Context, rawURL string, o *Options) (*Conn, error) {
	c := &Conn{polled: make(chan struct{}), done: make(chan struct{})}
	var err error
	if c.o, err = o.withDefaults(); err != nil {
		return nil, err
	}
	if c.url, err = c.o.address(rawURL); err != nil {
		return nil, err
	}
	c.http = c.o.HTTPClient
	if c.http == nil {
		c.http = ownClient()
		c.idle = c.http.CloseIdleConnections
	}
	c.o.WebSocket.HTTPClient = c.http
	c.ctx, c.cancel = context.WithCancelCause(context.WithoutCancel(ctx))
	c.life, c.kill = context.WithCancelCause(context.WithoutCancel(ctx))
	if err := c.handshake(ctx); err != nil {
		c.kill(err)
		c.cancel(err)
		c.closeIdle()
		return nil, err
	}
	c.begin()
	return c, nil
}

// maxHeaderBytes bounds an answer's headers; net/http would take 10 MiB.
const maxHeaderBytes = 64 << 10

// ownClient is a HTTP client of one session alone.
func ownClient() *http.Client {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.MaxResponseHeaderBytes = maxHeaderBytes
	return &http.Client{
		Transport:     t,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

func (c *Conn) closeIdle() {
	if c.idle != nil {
		c.idle()
	}
}

var errConnectTimeout = errors.New("no answer in time (option ConnectTimeout)")

func (c *Conn) handshake(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, c.o.ConnectTimeout, errConnectTimeout)
	defer cancel()
	var err error
	if c.o.Transports[0] == engineio.WebSocket {
		err = c.openWebSocket(ctx)
	} else {
		err = c.openPolling(ctx)
	}
	if err != nil && ctx.Err() != nil {
		return fmt.Errorf("engineio: the handshake: %w", cmp.Or(context.Cause(ctx), err))
	}
	return err
}

func (c *Conn) openPolling(ctx context.Context) error {
	body, err := c.get(ctx)
	if err != nil {
		return err
	}
	// What comes in the same answer, behind the open packet, is a part of the session.
	first, rest, _ := bytes.Cut(body, []byte{engineio.Separator})
	c.early = rest
	return c.opened(first)
}

func (c *Conn) openWebSocket(ctx context.Context) error {
	conn, err := c.dialWebSocket(ctx)
	if err != nil {
		return err
	}
	op, data, err := conn.Read(ctx)
	switch {
	case err != nil:
		err = fmt.Errorf("engineio: the open packet: %w", err)
	case op != ws.OpText:
		err = fmt.Errorf("engineio: a binary message of %d bytes where the open packet is due", len(data))
	default:
		err = c.opened(data)
	}
	if err != nil {
		_ = conn.CloseNow()
		return err
	}
	c.conn = conn
	return nil
}

// dialWebSocket opens a WebSocket: for the session, if there is one already.
func (c *Conn) dialWebSocket(ctx context.Context) (*wsnet.Conn, error) {
	conn, err := wsnet.Dial(ctx, c.request(engineio.WebSocket), &c.o.WebSocket)
	if e, ok := errors.AsType[*ws.HandshakeError](err); ok && e.Status != 0 && e.Status != http.StatusSwitchingProtocols {
		return nil, c.refused(e.Status, http.Header(e.Header), e.Body)
	}
	if err != nil {
		return nil, fmt.Errorf("engineio: %w", err)
	}
	return conn, nil
}

// request is the URL of a request by a transport.
func (c *Conn) request(transport string) string {
	u := *c.url
	own := "EIO=4&transport=" + transport
	if c.sid != "" {
		own += "&sid=" + url.QueryEscape(c.sid)
	}
	u.RawQuery = strings.TrimPrefix(u.RawQuery+"&"+own, "&")
	return u.String()
}

// maxSID is how long a session's id may be, which goes with every request.
const maxSID = 1024

// opened takes in the open packet.
func (c *Conn) opened(b []byte) error {
	p, err := engineio.ParsePacket(b)
	if err != nil {
		return fmt.Errorf("engineio: the open packet: %w; is this an Engine.IO server of version 4?", err)
	}
	if p.Type != engineio.PacketOpen || p.Binary {
		return fmt.Errorf("engineio: a packet of type %c where the open packet, 0, is due", p.Type)
	}
	var open struct {
		SID          string   `json:"sid"`
		Upgrades     []string `json:"upgrades"`
		PingInterval int64    `json:"pingInterval"` // ms
		PingTimeout  int64    `json:"pingTimeout"`  // ms
		MaxPayload   *int64   `json:"maxPayload"`   // bytes; older servers do not say it
	}
	if err := json.Unmarshal(p.Data, &open); err != nil {
		return fmt.Errorf("engineio: the open packet: %w", err)
	}
	switch most := c.o.MaxSilence.Milliseconds(); {
	case open.SID == "":
		return errors.New("engineio: the open packet has no sid")
	case len(open.SID) > maxSID:
		return fmt.Errorf("engineio: the open packet has a sid of %d bytes; at most %d are taken", len(open.SID), maxSID)
	case open.PingInterval < 1 || open.PingTimeout < 1:
		return fmt.Errorf("engineio: the open packet has a pingInterval of %d ms and a pingTimeout of %d ms; expected 1 or more", open.PingInterval, open.PingTimeout)
	case open.PingInterval > most || open.PingTimeout > most-open.PingInterval:
		return fmt.Errorf("engineio: the server may be silent for a pingInterval of %d ms and a pingTimeout of %d ms; Options.MaxSilence allows %v for both", open.PingInterval, open.PingTimeout, c.o.MaxSilence)
	case open.MaxPayload != nil && *open.MaxPayload < 1:
		return fmt.Errorf("engineio: the open packet has a maxPayload of %d bytes; expected 1 or more", *open.MaxPayload)
	}
	c.sid = open.SID
	c.interval = time.Duration(open.PingInterval) * time.Millisecond
	c.silence = time.Duration(open.PingInterval+open.PingTimeout) * time.Millisecond
	c.upgrades = !c.o.NoUpgrade && slices.Contains(open.Upgrades, engineio.WebSocket) && slices.Contains(c.o.Transports, engineio.WebSocket)
	if open.MaxPayload != nil {
		c.maxPayload = int(min(*open.MaxPayload, 1<<31-1))
	}
	return nil
}
