package testee

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"time"

	"framewright/ws"
	"framewright/ws/wsnet"
)

// options take the limits away that the suite means to reach: group 9
// has messages of 16 MiB and thousands of fragments, group 6 and 9 many frames
// with nothing in them, group 2 pings one after the other.
func options() *wsnet.DialOptions {
	return &wsnet.DialOptions{Options: wsnet.Options{MaxMessage: 64 << 20, MaxFragments: -1, EmptyRate: -1, PingRate: -1, InflateRate: -1,
		Compression: &ws.Compression{SendContext: true, ReceiveContext: true}}}
}

// A Client runs our client through the cases of a fuzzing server, by the
// server's own protocol: the path and query of each connection say what it is
// for. The answers of the server are JSON texts.
type Client struct {
	Base  string // ws://host:port
	Agent string // its name in the reports
	Log   io.Writer
}

const controlTimeout = 30 * time.Second

// Run does every case the server has, then has it write the reports.
// A case that fails is the suite's to judge; Run only logs it. An error means
// the conversation with the fuzzing server itself went wrong.
func (t Client) Run(ctx context.Context) error {
	var count int
	if err := t.ask(ctx, "/getCaseCount", nil, &count); err != nil {
		return fmt.Errorf("getCaseCount: %w", err)
	}
	if count < 0 || count > 10000 {
		return fmt.Errorf("getCaseCount: %d cases; want one to some hundred", count)
	}
	for i := range count {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err := Echo(ctx, t.url("/runCase", i+1)); err != nil {
			fmt.Fprintf(t.Log, "case %d of %d: %v\n", i+1, count, err)
		}
	}
	// The last case is only in the reports once the server has seen its
	// connection end. The status waits for that. It never comes for a case
	// without an opening handshake; then the reports say so.
	status, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	if err := t.ask(status, "/getCaseStatus", count, nil); err != nil {
		fmt.Fprintf(t.Log, "getCaseStatus: %v\n", err)
	}
	return t.UpdateReports(ctx)
}

// UpdateReports has the server write what it knows by now.
func (t Client) UpdateReports(ctx context.Context) error {
	if err := t.ask(ctx, "/updateReports", nil, nil); err != nil {
		return fmt.Errorf("updateReports: %w", err)
	}
	return nil
}

func (t Client) url(path string, number any) string {
	q := url.Values{"agent": {t.Agent}}
	if number != nil {
		q.Set("case", fmt.Sprint(number))
	}
	return t.Base + path + "?" + q.Encode()
}

// ask opens a connection for a question, reads until the server closes it, and
// decodes the answer into v; nil takes any answer, or none.
func (t Client) ask(ctx context.Context, path string, number, v any) error {
	ctx, cancel := context.WithTimeout(ctx, controlTimeout)
	defer cancel()
	c, err := wsnet.Dial(ctx, t.url(path, number), options())
	if err != nil {
		return err
	}
	defer c.Close(ctx, ws.CodeNormal, "")
	var answer []byte
	for {
		_, msg, err := c.ReadAppend(ctx, nil)
		if err != nil {
			if closed, ok := errors.AsType[*ws.CloseError](err); !ok || !closed.Remote {
				return err
			}
			break
		}
		answer = msg
	}
	if v == nil {
		return nil
	}
	if err := json.Unmarshal(answer, v); err != nil {
		return fmt.Errorf("answer %.80q: %w", answer, err)
	}
	return nil
}

// Echo connects to a URL and sends every message back until the connection ends.
func Echo(ctx context.Context, url string) error { return echoWith(ctx, url, options()) }

func echoWith(ctx context.Context, url string, o *wsnet.DialOptions) error {
	c, err := wsnet.Dial(ctx, url, o)
	if err != nil {
		return err
	}
	// Not CloseNow: it would cut off a Close frame still on its way, and the
	// suite wants to be the one that ends the TCP connection.
	defer c.Close(ctx, ws.CodeNormal, "")
	return echo(ctx, c)
}

// echo sends every message back until one cannot be read or sent.
func echo(ctx context.Context, c *wsnet.Conn) error {
	var buf []byte
	for {
		op, msg, err := c.ReadAppend(ctx, buf[:0])
		if err != nil {
			return err
		}
		if err := c.Write(ctx, op, msg); err != nil {
			return err
		}
		buf = msg
	}
}
