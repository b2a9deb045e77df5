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

// fullStats shows of which bounds there is all that they allow. Before the server
// is open it shows nothing.
type fullStats struct {
	fullness *atomic.Pointer[map[string]func() bool]
}

var descFull = desc("framewright_full", "1 while there is all that a bound allows and a newcomer would be refused, or, for rooms, could open no new one.", "bound")

// Describe implements [prometheus.Collector].
func (f *fullStats) Describe(ch chan<- *prometheus.Desc) { ch <- descFull }

// Collect implements [prometheus.Collector].
func (f *fullStats) Collect(ch chan<- prometheus.Metric) {
	all := f.fullness.Load()
	if all == nil {
		return
	}
	for bound, full := range *all {
		n := 0
		if full() {
			n = 1
		}
		ch <- prometheus.MustNewConstMetric(descFull, prometheus.GaugeValue, float64(n), bound)
	}
}
