//go:build linux

package main

import (
	"context"
	"strconv"
	"time"

	"framewright/bench/internal/peer"
	"framewright/bench/internal/report"
	"framewright/bench/internal/traffic"
)

// steps are numbers of connections, about three to a power of ten, up to r.conns.
func (r *run) steps() []int {
	var all []int
	for n := 10; n < r.conns; n *= 10 {
		all = append(all, n)
		if 3*n < r.conns {
			all = append(all, 3*n)
		}
	}
	return append(all, r.conns)
}

// growthRows measure what a message costs with more and more connections. Their
// figures are the steps.
func (r *run) growthRows() []*row {
	var figures []figure
	for _, n := range r.steps() {
		figures = append(figures, figure{strconv.Itoa(n), report.Count(n)})
	}
	return []*row{
		{
			group: "growth", title: "echo 32 B, 1 in flight, by connections", unit: "µs CPU per message",
			servers: growthServers, figures: figures,
			measure: r.measureGrowth("echo", traffic.Work{Size: 32, InFlight: 1}),
		}, {
			group: "growth", title: "broadcast 128 B, 16 in flight, by receivers", unit: "µs CPU per delivery",
			servers: growthServers, figures: figures,
			measure: r.measureGrowth("broadcast", traffic.Work{Size: 128, InFlight: 16, Broadcast: true}),
		},
	}
}

// measureGrowth adds connections to one server and measures at each step.
func (r *run) measureGrowth(work string, w traffic.Work) func(context.Context, *run, peer.Server) (map[string]float64, error) {
	return func(ctx context.Context, r *run, s peer.Server) (map[string]float64, error) {
		p, c, err := r.begin(ctx, s, work, w)
		if err != nil {
			return nil, err
		}
		defer p.Stop()
		defer c.Close()
		got := map[string]float64{}
		for _, n := range r.steps() {
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			if err := c.Grow(n); err != nil {
				return nil, err
			}
			p.Settle(time.Second)
			if _, err := c.Run(r.duration(0.15)); err != nil {
				return nil, err
			}
			step, _, err := spent(p, func() (*traffic.Result, error) { return c.Run(r.duration(0.5)) })
			if err != nil {
				return nil, err
			}
			got[strconv.Itoa(n)] = step["cpu"]
		}
		return got, nil
	}
}
