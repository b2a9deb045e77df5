package main

import (
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strings"

	"framewright/ws"
)

// hosts is a flag that may be given many times, and have many values: those that
// this server answers for.
type hosts []string

func (h *hosts) list()          {}
func (h *hosts) String() string { return strings.Join(*h, ",") }
func (h *hosts) Set(s string) error {
	for one := range strings.SplitSeq(s, ",") {
		one = strings.TrimSpace(one)
		if err := ws.CheckHostPattern(one); err != nil {
			return err
		}
		*h = append(*h, one)
	}
	return nil
}

// ownHosts lets requests through to next whose Host is one that this server
// answers for. Where only this machine reaches a socket of in, that is localhost
// and its like, and what -host names: a page whose name somebody has let point to
// this machine (DNS rebinding) is a page of this server's own otherwise, for
// every path. Whoever has a trusted proxy has said that others come, by names
// that the proxy knows.
func (a *app) ownHosts(in []net.Listener, next http.Handler) http.Handler {
	loopback := map[netip.AddrPort]bool{}
	for _, l := range in {
		if addr, ok := l.Addr().(*net.TCPAddr); ok && addr.IP.IsLoopback() {
			loopback[addrPort(addr)] = true
		}
	}
	p := &ws.Policy{Hosts: a.set.hosts}
	if len(a.set.hosts) == 0 {
		switch {
		case len(loopback) == 0:
			return next
		case len(a.set.proxies.trusted) > 0:
			a.log.Info("any Host is believed, since -trusted-proxy is set; -host names those that are right")
			return next
		}
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		at, ok := r.Context().Value(http.LocalAddrContextKey).(*net.TCPAddr)
		if ws.CheckHost(&ws.Request{Host: r.Host, Local: ok && loopback[addrPort(at)]}, p) == nil {
			next.ServeHTTP(w, r)
			return
		}
		a.metrics.refusals.WithLabelValues("host").Inc()
		a.log.LogAttrs(r.Context(), slog.LevelInfo, "refused", slog.String("reason", "host"), slog.Int("status", http.StatusForbidden),
			slog.String("remote", a.gate.proxies.client(r).String()), slog.String("host", r.Host))
		http.Error(w, "This server does not answer for the host that was asked. The option -host names one more, also for a proxy in front that hands a public name on (10.2-host).", http.StatusForbidden)
	})
}

func addrPort(a *net.TCPAddr) netip.AddrPort {
	p := a.AddrPort()
	return netip.AddrPortFrom(p.Addr().Unmap().WithZone(""), p.Port())
}
