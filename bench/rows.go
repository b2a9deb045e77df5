//go:build linux

package main

import (
	"context"
	"fmt"
	"time"

	"framewright/bench/internal/machine"
	"framewright/bench/internal/peer"
	"framewright/bench/internal/report"
	"framewright/bench/internal/traffic"
)

// timed are the figures of a measurement under load.
var timed = []figure{
	{"cpu", "µs CPU"}, {"rate", "per second"}, {"p50", "median ms"}, {"p99", "p99 ms"}, {"busy", "server's core %"}, {"load", "load's core %"},
}

var (
	echoServers      = []string{"raw TCP", "framewright", "gobwas, own buffers", "gorilla", "coder", "gws", "fasthttp", "nbio", uwsName}
	idleServers      = []string{"raw TCP", "framewright", "framewright, Serve", "gobwas", "gobwas, own buffers", "gorilla", "coder", "gws", "fasthttp", "nbio", uwsName}
	handshakeServers = []string{"net/http alone", "framewright", "framewright, Serve", "gobwas", "gorilla", "coder", "gws", "fasthttp", "nbio", uwsName}
	growthServers    = []string{"raw TCP", "framewright", "gobwas, own buffers", "gorilla"}
	broadcastServers = []string{"raw TCP", "framewright", "framewright chat", "gobwas, own buffers", "gorilla", "coder", "gws", "nbio", uwsName}
)

// rows are all that can be measured.
func (r *run) all() []*row {
	rows := []*row{
		echoRow("echo 32 B, 64 connections, 1 in flight", 64, traffic.Work{Size: 32, InFlight: 1}),
		echoRow("echo 32 B, 64 connections, 16 in flight", 64, traffic.Work{Size: 32, InFlight: 16}),
		echoRow("echo 1 KiB, 64 connections, 16 in flight", 64, traffic.Work{Size: 1 << 10, InFlight: 16}),
		echoRow("echo 1 KiB, 1,000 connections, 1 in flight", 1000, traffic.Work{Size: 1 << 10, InFlight: 1}),
		echoRow("echo 64 KiB, 64 connections, 1 in flight", 64, traffic.Work{Size: 64 << 10, InFlight: 1}),
		echoRow("echo 1 MiB, 16 connections, 1 in flight", 16, traffic.Work{Size: 1 << 20, InFlight: 1}),
		{
			group:   "idle",
			title:   fmt.Sprintf("idle, %s connections, KiB each", report.Count(r.conns)),
			note:    "The server's memory (PSS) beyond what it had before the first connection, divided by their number. Traffic: four messages of 1 KiB on each connection.",
			servers: idleServers,
			figures: []figure{{"traffic", "after traffic"}, {"opened", "before traffic"}, {"collected", "after traffic, collected"}},
			measure: measureIdle,
		},
		broadcastRow("broadcast 128 B to 1,000, one at a time", 1000, traffic.Work{Size: 128, InFlight: 1, Broadcast: true}),
		broadcastRow("broadcast 128 B to 1,000, 16 in flight", 1000, traffic.Work{Size: 128, InFlight: 16, Broadcast: true}),
	}
	rows = append(rows, &row{
		group:   "handshake",
		title:   "opening handshake, 64 at a time",
		note:    "A TCP connection, the request, the checked answer, and a reset. gobwas and our Serve read the request from the connection themselves; all others but fasthttp, nbio and uWebSockets go by way of net/http, whose own cost the first line shows.",
		servers: handshakeServers,
		floor:   "net/http alone",
		figures: timed,
		measure: measureHandshake,
	})
	return append(append(rows, r.growthRows()...), microRows()...)
}

func echoRow(title string, conns int, w traffic.Work) *row {
	return &row{group: "echo", title: title, servers: echoServers, figures: timed, measure: measureWork("echo", conns, w)}
}

func broadcastRow(title string, conns int, w traffic.Work) *row {
	return &row{group: "broadcast", title: title, servers: broadcastServers, figures: timed, measure: measureWork("broadcast", conns, w),
		note: "All figures are per delivery; the latency is that of a message to its last receiver."}
}

// measureWork starts a server, warms it up and measures it under one load.
func measureWork(work string, conns int, w traffic.Work) func(context.Context, *run, peer.Server) (map[string]float64, error) {
	return func(ctx context.Context, r *run, s peer.Server) (map[string]float64, error) {
		p, c, err := r.begin(ctx, s, work, w)
		if err != nil {
			return nil, err
		}
		defer p.Stop()
		defer c.Close()
		if err := c.Grow(conns); err != nil {
			return nil, err
		}
		p.Settle(time.Second)
		if _, err := c.Run(r.duration(0.3)); err != nil { // warm up
			return nil, err
		}
		got, _, err := spent(p, func() (*traffic.Result, error) { return c.Run(r.duration(1)) })
		return got, err
	}
}

// begin starts a server and a load that speaks as it does, without connections
// yet.
func (r *run) begin(ctx context.Context, s peer.Server, work string, w traffic.Work) (*machine.Process, *traffic.Client, error) {
	p, err := r.start(ctx, s, work)
	if err != nil {
		return nil, nil, err
	}
	w.Raw, w.Chat, w.Fragment = s.Raw, s.Chat, s.Fragment
	c, err := traffic.New(p.Addr, w)
	if err != nil {
		p.Stop()
		return nil, nil, err
	}
	return p, c, nil
}

// duration is a part of -seconds.
func (r *run) duration(part float64) time.Duration {
	return time.Duration(part * r.seconds * float64(time.Second))
}

func measureHandshake(ctx context.Context, r *run, s peer.Server) (map[string]float64, error) {
	p, err := r.start(ctx, s, "echo")
	if err != nil {
		return nil, err
	}
	defer p.Stop()
	if _, err := traffic.Handshakes(p.Addr, 64, r.duration(0.3)); err != nil {
		return nil, err
	}
	got, _, err := spent(p, func() (*traffic.Result, error) { return traffic.Handshakes(p.Addr, 64, r.duration(1)) })
	return got, err
}

// measureIdle opens connections, has each carry a little traffic, and reads the
// server's memory.
func measureIdle(ctx context.Context, r *run, s peer.Server) (map[string]float64, error) {
	p, err := r.start(ctx, s, "echo")
	if err != nil {
		return nil, err
	}
	defer p.Stop()
	p.Settle(time.Second)
	empty, err := p.Memory()
	if err != nil {
		return nil, err
	}
	got := map[string]float64{}
	weigh := func(key string) error {
		p.Settle(2 * time.Second)
		m, err := p.Memory()
		got[key] = float64(m-empty) / float64(r.conns) / 1024
		return err
	}

	c, err := traffic.New(p.Addr, traffic.Work{Size: 1 << 10, InFlight: 1, Raw: s.Raw})
	if err != nil {
		return nil, err
	}
	defer c.Close()
	if err := c.Grow(r.conns); err != nil {
		return nil, err
	}
	if err := weigh("opened"); err != nil {
		return nil, err
	}
	for range 4 {
		if _, err := c.Run(0); err != nil { // one message each
			return nil, err
		}
	}
	if err := weigh("traffic"); err != nil {
		return nil, err
	}
	if _, err := p.Ask("collect"); err != nil {
		return nil, err
	}
	return got, weigh("collected")
}
