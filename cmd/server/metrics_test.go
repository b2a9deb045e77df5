package main

import (
	"errors"
	"io"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"framewright/chat"
	"framewright/ws"
)

func TestStoreFailuresAreLogged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := new(buffer)
		logger := slog.New(slog.NewJSONHandler(log, nil))
		o := newMetrics().observer(logger, &storeHealth{log: logger})
		o.Stored(3, time.Millisecond, nil)
		for range 10 { // in three seconds
			o.Stored(3, time.Millisecond, errors.New("no space left"))
			time.Sleep(300 * time.Millisecond)
		}
		if n := strings.Count(log.String(), "no space left"); n != 3 {
			t.Errorf("%d lines, want one a second\n%s", n, log)
		}
	})
}

func TestEveryEndHasASeries(t *testing.T) {
	for _, err := range []error{
		nil, io.EOF, chat.ErrSlow, chat.ErrKicked, chat.ErrExpired, chat.ErrFlood, chat.ErrPanic, chat.ErrStore, chat.ErrRestart, chat.ErrShutdown, chat.ErrClosed,
	} {
		if reason := chat.EndReason(err); !slices.Contains(endReasons, reason) {
			t.Errorf("%v ends as %q, which is no metric", err, reason)
		}
	}
}

func TestCloseCodesAreFew(t *testing.T) {
	labels := map[string]bool{}
	for c := range ws.Code(5000) {
		labels[closeCode(c)] = true
	}
	if len(labels) > 20 || !labels["1012"] || !labels["other"] {
		t.Errorf("%d labels: %v", len(labels), labels)
	}
}

// What goes over connections is counted while they live and after.
func TestTraffic(t *testing.T) {
	p := start(t)
	c := chatDial(t, p.url)
	write(t, c, `{"type":"hello","name":"Ada"}`)
	read(t, c)
	write(t, c, `{"type":"join","room":"lobby"}`)
	read(t, c)
	want := map[string]string{
		"framewright_connections":                              "1",
		"framewright_connections_total":                        "1",
		"framewright_sessions":                                 "1",
		"framewright_rooms":                                    "1",
		"framewright_joins_total":                              "1",
		`framewright_websocket_messages_total{direction="in"}`: "2",
	}
	check := func(when string) {
		t.Helper()
		_, _, body := get(t, p.url+"/metrics")
		for name, value := range want {
			if !strings.Contains(body, "\n"+name+" "+value+"\n") {
				_, got, _ := strings.Cut(body, "\n"+name+" ")
				got, _, _ = strings.Cut(got, "\n")
				t.Errorf("%s: %s is %q, want %s", when, name, got, value)
			}
		}
	}
	check("open")
	if err := c.Close(t.Context(), ws.CodeNormal, ""); err != nil {
		t.Fatal(err)
	}
	p.wantLine(t, "disconnect")
	p.wantLine(t, "closed")
	want["framewright_connections"], want["framewright_sessions"], want["framewright_rooms"] = "0", "0", "0"
	want[`framewright_connections_closed_total{code="1000"}`] = "1"
	want[`framewright_sessions_ended_total{reason="gone"}`] = "1"
	want[`framewright_websocket_messages_total{direction="out"}`] = "2" // counted once it is written, which a reader may be quicker than
	check("closed")
}
