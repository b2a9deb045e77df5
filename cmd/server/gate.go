package main

import (
	"cmp"
	"log/slog"
	"math"
	"net/http"
	"net/netip"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"framewright/ws"
)

// What the server is about to do, as /readyz says it.
type phase int32

const (
	starting phase = iota
	ready
	draining
)

func (p phase) String() string { return [...]string{"starting", "ready", "draining"}[p] }

// A gate stands before everything that takes work on: handshakes and
// publishing. It knows whether the server is ready and who asks too often.
type gate struct {
	proxies proxies
	log     *slog.Logger
	metrics *metrics
	rate    *rateLimit    // nil: no limit
	after   time.Duration // what Retry-After says while the server is not ready
	full    func() bool   // there are all the connections that may be

	nobodies atomic.Uint64 // clients without an address so far
	phase    atomic.Int32
	health   storeHealth
}

func (g *gate) now() phase     { return phase(g.phase.Load()) }
func (g *gate) become(p phase) { g.phase.Store(int32(p)) }
func (g *gate) healthz() http.Handler {
	return probe(func() (int, string) { return http.StatusOK, "ok" })
}

// readyz is 200 only while new connections are welcome, and what they send can
// be stored.
func (g *gate) readyz() http.Handler {
	return probe(func() (int, string) {
		if p := g.now(); p != ready {
			return http.StatusServiceUnavailable, p.String()
		}
		if !g.health.ok() {
			return http.StatusServiceUnavailable, "the store cannot write"
		}
		return http.StatusOK, ready.String()
	})
}

func probe(state func() (int, string)) http.Handler {
	return readOnly("A probe takes GET only.", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.Header().Set("Cache-Control", "no-store")
		status, text := state()
		w.WriteHeader(status)
		w.Write([]byte(text + "\n"))
	}))
}

// handshakes lets requests for a new connection through to next, or refuses
// them: while the server is not ready, and for an address that asks too often.
func (g *gate) handshakes(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if p := g.now(); p != ready {
			g.notReady(w, r, p)
			return
		}
		if key := limitKey(g.proxies.client(r)); g.rate != nil && key != "" {
			if wait := g.rate.take(key, time.Now()); wait > 0 {
				retryAfter(w, wait)
				http.Error(w, "Your address connects too often (option -handshake-rate); try again later.", http.StatusTooManyRequests)
				g.refused(r, "rate", http.StatusTooManyRequests, "")
				return
			}
		}
		if g.full() {
			retryAfter(w, fullRetry)
			http.Error(w, "The server has all the connections that it takes (option -max-conns); try again later.", http.StatusServiceUnavailable)
			g.refused(r, "limit", http.StatusServiceUnavailable, "all connections that -max-conns allows are there")
			return
		}
		next.ServeHTTP(w, r)
	})
}

// countKey is limitKey for what counts every client: one without an address, who
// comes by a Unix socket, is alone under a key of its own.
func (g *gate) countKey(r *http.Request) string {
	return cmp.Or(limitKey(g.proxies.client(r)), "client "+strconv.FormatUint(g.nobodies.Add(1), 10))
}

// fullRetry is what clients are told that come when the server is full.
const fullRetry = 5 * time.Second

func (g *gate) notReady(w http.ResponseWriter, r *http.Request, p phase) {
	retryAfter(w, g.after)
	http.Error(w, "The server is "+p.String()+"; try again soon.", http.StatusServiceUnavailable)
	g.refused(r, p.String(), http.StatusServiceUnavailable, "")
}

func retryAfter(w http.ResponseWriter, d time.Duration) {
	w.Header().Set("Retry-After", strconv.Itoa(max(1, int(math.Ceil(d.Seconds())))))
}

// refusedByServer is a ws.Server's Refused.
func (g *gate) refusedByServer(r *http.Request, err *ws.HandshakeError) {
	g.refused(r, refusalReason(err), err.Status, err.Error())
}

// refused counts and logs a handshake that did not become a connection. Who
// asks too often does not fill the log as well.
func (g *gate) refused(r *http.Request, reason string, status int, detail string) {
	g.metrics.refusals.WithLabelValues(reason).Inc()
	level := slog.LevelInfo
	if reason == "rate" {
		level = slog.LevelDebug
	}
	args := []any{"reason", reason, "status", status, "remote", remote(g.proxies.client(r)), "host", r.Host, "path", r.URL.Path}
	if detail != "" {
		args = append(args, "err", detail)
	}
	g.log.Log(r.Context(), level, "refused", args...)
}

// counted counts the refusals that next answers with by itself, whose reason it
// does not tell: 403 is an origin, 429 and 503 are limits.
func (g *gate) counted(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s := &statusWriter{ResponseWriter: w}
		next.ServeHTTP(s, r)
		switch {
		case s.status < 400:
			return
		case s.status == http.StatusForbidden:
			g.metrics.refusals.WithLabelValues("origin").Inc()
		case s.status == http.StatusTooManyRequests, s.status == http.StatusServiceUnavailable:
			g.metrics.refusals.WithLabelValues("limit").Inc()
		default:
			g.metrics.refusals.WithLabelValues("malformed").Inc()
		}
	})
}

// A statusWriter remembers how a request was answered.
type statusWriter struct {
	http.ResponseWriter
	status int
}

func (s *statusWriter) WriteHeader(status int) {
	s.status = status
	s.ResponseWriter.WriteHeader(status)
}

// Unwrap lets an [http.ResponseController] find what is below.
func (s *statusWriter) Unwrap() http.ResponseWriter { return s.ResponseWriter }

// refusalReasons are the values of the metric's label.
var refusalReasons = []string{"auth", "draining", "host", "limit", "malformed", "origin", "rate", "starting", "version"}

func refusalReason(err *ws.HandshakeError) string {
	switch err.Rule {
	case ws.RuleOrigin, ws.RuleOneOrigin, ws.RuleOriginMissing:
		return "origin"
	case ws.RuleHostAllowed:
		return "host"
	case ws.RuleVersion:
		return "version"
	case ws.RuleConnections, ws.RulePerAddress, ws.RuleHeaderSize, ws.RuleHeaderCount:
		return "limit"
	case "":
		if err.Status == http.StatusUnauthorized || err.Status == http.StatusForbidden {
			return "auth"
		}
	}
	return "malformed"
}

// A rateLimit has a token bucket for each address that has asked lately.
type rateLimit struct {
	perSecond float64
	burst     float64

	mu      sync.Mutex
	buckets map[string]bucket
	swept   time.Time
}

type bucket struct {
	tokens float64
	at     time.Time
}

// maxBuckets bounds the memory of a rateLimit. Past it the buckets of a flood
// are forgotten, which is kinder than refusing strangers.
const maxBuckets = 100_000

// maxFull is how many seconds after its last use a bucket counts as full at the
// latest, some thirty years.
const maxFull = 1e9

// newRateLimit returns nil for no limit.
func newRateLimit(r rate) *rateLimit {
	if r.PerSecond <= 0 {
		return nil
	}
	return &rateLimit{perSecond: r.PerSecond, burst: float64(max(1, r.Burst)), buckets: make(map[string]bucket)}
}

// peek says how long until there is a token.
func (l *rateLimit) peek(key string, now time.Time) (wait time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	b, ok := l.buckets[key]
	if !ok {
		return 0
	}
	tokens := min(l.burst, b.tokens+l.perSecond*now.Sub(b.at).Seconds())
	return max(0, time.Duration((1-tokens)/l.perSecond*float64(time.Second)))
}

// take takes a token, or says how long until there is one.
func (l *rateLimit) take(key string, now time.Time) (wait time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	full := time.Duration(min(l.burst/l.perSecond, maxFull) * float64(time.Second))
	if now.Sub(l.swept) > full {
		for k, b := range l.buckets {
			if now.Sub(b.at) >= full {
				delete(l.buckets, k)
			}
		}
		l.swept = now
	}
	b, ok := l.buckets[key]
	if !ok {
		if len(l.buckets) >= maxBuckets {
			clear(l.buckets)
		}
		b = bucket{l.burst, now}
	}
	b.tokens = min(l.burst, b.tokens+l.perSecond*now.Sub(b.at).Seconds())
	b.at = now
	if b.tokens < 1 {
		wait = time.Duration((1 - b.tokens) / l.perSecond * float64(time.Second))
	} else {
		b.tokens--
	}
	l.buckets[key] = b
	return wait
}

// remote is how an address stands in the log.
func remote(a netip.Addr) string {
	if !a.IsValid() {
		return "unknown"
	}
	return a.String()
}
