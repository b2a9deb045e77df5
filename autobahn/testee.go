package main

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

// testeeOptions take the limits away that the suite means to reach: group 9
// has messages of 16 MiB and thousands of fragments, group 6 and 9 many frames
// with nothing in them, group 2 pings one after the other.
func testeeOptions() *wsnet.DialOptions {
	return &wsnet.DialOptions{Options: wsnet.Options{MaxMessage: 64 << 20, MaxFragments: -1, EmptyRate: -1, PingRate: -1, InflateRate: -1,
		Compression: &ws.Compression{SendContext: true, ReceiveContext: true}}}
}

// A testee runs our client through the cases of a fuzzing server, by the
// server's own protocol: the path and query of each connection say what it is
// for. The answers of the server are JSON texts.
type testee struct {
	base  string // ws://host:port
	agent string
	log   io.Writer
}

const controlTimeout = 30 * time.Second

// run does every case the server has, then has it write the reports.
// A case that fails is the suite's to judge; run only logs it. An error means
// the conversation with the fuzzing server itself went wrong.
func (t testee) run(ctx context.Context) error {
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
		if err := t.echo(ctx, t.url("/runCase", i+1)); err != nil {
			fmt.Fprintf(t.log, "case %d of %d: %v\n", i+1, count, err)
		}
	}
	// The last case is only in the reports once the server has seen its
	// connection end. The status waits for that. It never comes for a case
	// without an opening handshake; then the reports say so.
	status, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	if err := t.ask(status, "/getCaseStatus", count, nil); err != nil {
		fmt.Fprintf(t.log, "getCaseStatus: %v\n", err)
	}
	return t.updateReports(ctx)
}

// updateReports has the server write what it knows by now.
func (t testee) updateReports(ctx context.Context) error {
	if err := t.ask(ctx, "/updateReports", nil, nil); err != nil {
		return fmt.Errorf("updateReports: %w", err)
	}
	return nil
}

func (t testee) url(path string, number any) string {
	q := url.Values{"agent": {t.agent}}
	if number != nil {
		q.Set("case", fmt.Sprint(number))
	}
	return t.base + path + "?" + q.Encode()
}

// ask opens a connection for a question, reads until the server closes it, and
// decodes the answer into v; nil takes any answer, or none.
func (t testee) ask(ctx context.Context, path string, number, v any) error {
	ctx, cancel := context.WithTimeout(ctx, controlTimeout)
	defer cancel()
	c, err := wsnet.Dial(ctx, t.url(path, number), testeeOptions())
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

// echo sends every message back until the connection ends.
func (t testee) echo(ctx context.Context, url string) error {
	c, err := wsnet.Dial(ctx, url, testeeOptions())
	if err != nil {
		return err
	}
	// Not CloseNow: it would cut off a Close frame still on its way, and the
	// suite wants to be the one that ends the TCP connection.
	defer c.Close(ctx, ws.CodeNormal, "")
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
