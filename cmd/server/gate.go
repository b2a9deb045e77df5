package main

import (
	"cmp"
	"log/slog"
	"math"
	"net/http"
	"net/netip"
	"strconv"
	"sync/atomic"
	"time"

	"framewright/internal/tokens"
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
	strays  *rateLimit    // the same for requests for a session that there is not
	after   time.Duration // what Retry-After says while the server is not ready
	full    func() bool   // there are all the connections that may be

	fullness map[string]func() bool // by what there is all of; set before the gate is ready

	nobodies atomic.Uint64 // clients without an address so far
	phase    atomic.Int32
	health   storeHealth
}

func (g *gate) now() phase     { return phase(g.phase.Load()) }
func (g *gate) become(p phase) { g.phase.Store(int32(p)) }
func (g *gate) healthz() http.Handler {
	return probe(func() (int, string) { return http.StatusOK, "ok" })
}

// isFull says of a bound whether there is all that it allows.
func (g *gate) isFull(of string) bool {
	full := g.fullness[of]
	return full != nil && full()
}

// readyz is 200 only while new connections are welcome, and what they send can
// be stored. That there can be no more rooms is said, but is no reason to send
// nobody: those that there are, and those of -room, take everyone.
func (g *gate) readyz() http.Handler {
	return probe(func() (int, string) {
		if p := g.now(); p != ready {
			return http.StatusServiceUnavailable, p.String()
		}
		if !g.health.ok() {
			return http.StatusServiceUnavailable, "the store cannot write"
		}
		if g.isFull("connections") {
			return http.StatusServiceUnavailable, "full: all connections that -max-conns allows are there"
		}
		if g.isFull("http") {
			return http.StatusServiceUnavailable, "full: all HTTP connections that -max-http allows are there"
		}
		if g.isFull("rooms") {
			return http.StatusOK, ready.String() + ", but for new rooms: all that -max-rooms allows are in use"
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
		if !g.within(w, r, g.rate) {
			return
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

// within counts a request against a rate that its address has under
// -handshake-rate, and refuses it if it is one too many.
func (g *gate) within(w http.ResponseWriter, r *http.Request, rate *rateLimit) bool {
	key := limitKey(g.proxies.client(r))
	if key == "" {
		return true
	}
	wait, ok := rate.Take(key, 1, time.Now())
	if !ok {
		retryAfter(w, wait)
		http.Error(w, "Your address connects too often (option -handshake-rate); try again later.", http.StatusTooManyRequests)
		g.refused(r, "rate", http.StatusTooManyRequests, "")
	}
	return ok
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

// refusedByServer is a wsnet.Server's Refused.
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
type rateLimit = tokens.Table[string]

// newRateLimit returns nil for no limit.
func newRateLimit(r rate) *rateLimit {
	if r.PerSecond <= 0 {
		return nil
	}
	return &rateLimit{Rate: tokens.Rate{PerSecond: r.PerSecond, Burst: float64(max(1, r.Burst))}}
}

// remote is how an address stands in the log.
func remote(a netip.Addr) string {
	if !a.IsValid() {
		return "unknown"
	}
	return a.String()
}
