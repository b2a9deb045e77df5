package main

import (
	"log/slog"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"framewright/chat"
	"framewright/chat/plain"
	"framewright/ws"
	"framewright/ws/wsnet"
)

// metrics are what /metrics shows. Each program run has a registry of its own.
type metrics struct {
	registry *prometheus.Registry
	refusals *prometheus.CounterVec
	publish  *prometheus.CounterVec
	closed   *prometheus.CounterVec
	unlogged *prometheus.CounterVec
	fanOut   prometheus.Histogram
	append   prometheus.Histogram
	sockets  *socketStats
	hub      atomic.Pointer[chat.Hub] // nil while starting
	conns    atomic.Pointer[connections]
	full     atomic.Pointer[map[string]func() bool] // see gate.fullness
}

func newMetrics() *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		refusals: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "framewright_handshake_refusals_total",
			Help: "Requests for a connection that were refused, by reason.",
		}, []string{"reason"}),
		publish: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "framewright_publish_requests_total",
			Help: "Requests to /publish, by HTTP status.",
		}, []string{"status"}),
		closed: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "framewright_connections_closed_total",
			Help: "WebSocket connections that ended, by close code; 1006 is a connection that was lost.",
		}, []string{"code"}),
		unlogged: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "framewright_log_lines_suppressed_total",
			Help: "Lines of the log that -log-rate left out, by message.",
		}, []string{"message"}),
		fanOut: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:    "framewright_fanout_duration_seconds",
			Help:    "How long it took to put an event on the queues of all its receivers.",
			Buckets: prometheus.ExponentialBuckets(1e-6, 4, 12), // 1 µs to 4 s
		}),
		append: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:    "framewright_store_append_duration_seconds",
			Help:    "How long the store took to keep a batch of one room's messages.",
			Buckets: prometheus.ExponentialBuckets(1e-5, 4, 11), // 10 µs to 10 s
		}),
		sockets: &socketStats{live: make(map[*wsnet.Conn]struct{})},
	}
	for _, reason := range refusalReasons {
		m.refusals.WithLabelValues(reason) // 0 is a value, too
	}
	m.registry.MustRegister(m.refusals, m.publish, m.closed, m.unlogged, m.fanOut, m.append, m.sockets, &hubStats{&m.hub}, &connStats{&m.conns}, &fullStats{&m.full},
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

func (m *metrics) handler(log *slog.Logger) http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{
		ErrorLog:            slog.NewLogLogger(log.Handler(), slog.LevelError),
		ErrorHandling:       promhttp.ContinueOnError,
		MaxRequestsInFlight: 4, // a scrape costs a moment for each connection
	})
}

// observer is told by the hub what takes time, and what the store cannot do,
// which it passes on to health. Of a store that goes on failing the log has a
// line a second.
func (m *metrics) observer(log *slog.Logger, health *storeHealth) chat.Observer {
	var next atomic.Int64 // when the log may have a line again, in Unix nanoseconds
	return chat.Observer{
		FanOut: func(_ int, took time.Duration) { m.fanOut.Observe(took.Seconds()) },
		Stored: func(messages int, took time.Duration, err error) {
			m.append.Observe(took.Seconds())
			health.wrote(err)
			if err == nil {
				return
			}
			now := time.Now()
			if due := next.Load(); now.UnixNano() >= due && next.CompareAndSwap(due, now.Add(time.Second).UnixNano()) {
				log.Error("the store failed", "messages", messages, "err", err.Error())
			}
		},
	}
}

// closeCode is a close code as a label. A peer may send any of some 2,000, and
// each would be a time series.
func closeCode(c ws.Code) string {
	switch {
	case c >= 1000 && c <= 1014, c == plain.CloseExpired, c == plain.CloseKicked, c == plain.CloseSlow:
		return strconv.Itoa(int(c))
	}
	return "other"
}

// socketStats sums up what went over the WebSocket connections.
type socketStats struct {
	mu    sync.Mutex
	live  map[*wsnet.Conn]struct{}
	total uint64      // connections there ever were
	gone  wsnet.Stats // of those that are over
}

func (s *socketStats) add(c *wsnet.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.live[c] = struct{}{}
	s.total++
}

func (s *socketStats) remove(c *wsnet.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.live, c)
	sum(&s.gone, c.Stats())
}

func sum(to *wsnet.Stats, s wsnet.Stats) {
	to.MessagesIn += s.MessagesIn
	to.MessagesOut += s.MessagesOut
	to.BytesIn += s.BytesIn
	to.BytesOut += s.BytesOut
}

func (s *socketStats) read() (live int, total uint64, sums wsnet.Stats) {
	s.mu.Lock()
	defer s.mu.Unlock()
	sums = s.gone
	for c := range s.live {
		sum(&sums, c.Stats())
	}
	return len(s.live), s.total, sums
}

var (
	descConnections = desc("framewright_connections", "WebSocket connections of the native protocol that are open; framewright_sessions counts those of Socket.IO, too.")
	descConnTotal   = desc("framewright_connections_total", "WebSocket connections of the native protocol that were accepted.")
	descWSMessages  = desc("framewright_websocket_messages_total", "WebSocket messages, by direction.", "direction")
	descWSBytes     = desc("framewright_websocket_bytes_total", "Bytes of WebSocket frames with their headers, by direction.", "direction")
)

// Describe implements [prometheus.Collector].
func (s *socketStats) Describe(ch chan<- *prometheus.Desc) {
	ch <- descConnections
	ch <- descConnTotal
	ch <- descWSMessages
	ch <- descWSBytes
}

// Collect implements [prometheus.Collector].
func (s *socketStats) Collect(ch chan<- prometheus.Metric) {
	live, total, sums := s.read()
	ch <- gauge(descConnections, live)
	ch <- counter(descConnTotal, total)
	ch <- counter(descWSMessages, sums.MessagesIn, "in")
	ch <- counter(descWSMessages, sums.MessagesOut, "out")
	ch <- counter(descWSBytes, sums.BytesIn, "in")
	ch <- counter(descWSBytes, sums.BytesOut, "out")
}

func gauge[N int | int64](d *prometheus.Desc, n N) prometheus.Metric {
	return prometheus.MustNewConstMetric(d, prometheus.GaugeValue, float64(n))
}

func counter(d *prometheus.Desc, n uint64, labels ...string) prometheus.Metric {
	return prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(n), labels...)
}
