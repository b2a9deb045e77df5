package main

import (
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
)

// connStats shows what the HTTP connections of -addr are.
type connStats struct{ conns *atomic.Pointer[connections] }

var (
	descHTTPConns = desc("framewright_http_connections", "HTTP connections that are open, before and between requests as well; one that has become a WebSocket is none.")
	descHTTPCut   = desc("framewright_http_connections_cut_total", "HTTP connections that were cut while they waited, or not taken, for want of room, by what had none.", "bound")
)

// Describe implements [prometheus.Collector].
func (s *connStats) Describe(ch chan<- *prometheus.Desc) {
	ch <- descHTTPConns
	ch <- descHTTPCut
}

// Collect implements [prometheus.Collector].
func (s *connStats) Collect(ch chan<- prometheus.Metric) {
	c := s.conns.Load()
	if c == nil {
		return
	}
	ch <- gauge(descHTTPConns, c.count())
	ch <- counter(descHTTPCut, c.forAddress.Load(), "address")
	ch <- counter(descHTTPCut, c.forAll.Load(), "all")
}
