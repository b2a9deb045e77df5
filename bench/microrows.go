//go:build linux

package main

import (
	"context"
	"fmt"

	"framewright/bench/internal/micro"
	"framewright/bench/internal/peer"
)

// microRows are measured in this process, without sockets.
func microRows() []*row {
	return []*row{
		{
			group: "micro", title: "opening handshake without sockets", floor: "none",
			note:    "gobwas and our AcceptStream parse the request; the others get it from net/http, whose work is not counted. Ours is without keepalive, which the others do not have.",
			servers: []string{"framewright", "framewright, AcceptStream", "gobwas", "gorilla", "coder", "gws"},
			figures: []figure{{"ns", "ns"}, {"allocs", "allocations"}},
			measure: func(_ context.Context, r *run, s peer.Server) (map[string]float64, error) {
				ns, allocs := micro.PerOp(r.duration(0.5), micro.Upgrades()[s.Name])
				return map[string]float64{"ns": ns, "allocs": allocs}, nil
			},
		}, {
			group: "micro", title: "masking in place", floor: "copy", unit: "GB/s",
			note:    "copy is memmove from one buffer to another. gorilla, coder and gws export no masking function.",
			servers: []string{"copy", "framewright", "gobwas"},
			figures: []figure{{"1024", "1 KiB"}, {"65536", "64 KiB"}, {"1048576", "1 MiB"}, {"32", "32 B"}},
			measure: func(_ context.Context, r *run, s peer.Server) (map[string]float64, error) {
				got := map[string]float64{}
				for _, size := range []int{32, 1 << 10, 64 << 10, 1 << 20} {
					ns, _ := micro.PerOp(r.duration(0.1), micro.Masks(size)[s.Name])
					got[fmt.Sprint(size)] = float64(size) / ns
				}
				return got, nil
			},
		},
	}
}
