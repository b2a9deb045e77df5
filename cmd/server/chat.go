package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"framewright/chat"
	"framewright/chat/boltstore"
	"framewright/chat/plain"
	"framewright/chat/token"
	"framewright/internal/boundedlog"
	"framewright/lab"
	"framewright/socketio"
	"framewright/ws"
	"framewright/ws/wsh2"
	"framewright/ws/wsnet"
)

// An app is the chat server: what its parts share.
type app struct {
	set         *settings
	log         *slog.Logger
	metrics     *metrics
	gate        *gate
	watcher     *watcher
	hub         *chat.Hub
	sockets     *wsnet.Server
	io          *socketio.Server
	tracer      *tracer                      // nil without -trace
	lab         *lab.Lab                     // nil if there is none
	reloader    *reloader                    // nil without -dev
	certificate *certificate                 // nil without TLS
	conns       *connections                 // of -addr
	opened      atomic.Pointer[http.Handler] // nil while starting

	flushLog func()   // sums up what the log has suppressed
	atEnd    []func() // what to close
}

// serveChat is the program without a command: page and chat.
func serveChat(ctx context.Context, args, env []string, stdout, stderr io.Writer) error {
	set, err := parseSettings(args, env, stdout)
	if err != nil {
		return err
	}
	a := newApp(set, stderr)
	defer a.flushLog()
	defer a.end()
	for _, w := range set.warn {
		a.log.Warn(w)
	}
	if set.origins.all() {
		a.log.Warn("-origin * lets every page of the web connect in the name of whoever has it open; for development only")
	}
	if set.cert != "" {
		if a.certificate, err = newCertificate(set.cert, set.key, a.log); err != nil {
			return err
		}
	}
	tracer, err := set.trace.open(env, stderr)
	if err != nil {
		return err
	}
	defer tracer.Close()
	in, err := inherit(env)
	if err != nil {
		return err
	}
	if len(in.main) == 0 || set.source["addr"] != "" {
		l, err := listen("-addr", set.addr, fs.FileMode(set.socketMode))
		if err != nil {
			in.close()
			return err
		}
		in.main = append(in.main, l)
	}
	if set.metricsAddr != "" {
		m, err := listen("-metrics-addr", set.metricsAddr, fs.FileMode(set.socketMode))
		if err != nil {
			in.close()
			return err
		}
		in.metrics = append(in.metrics, m)
	}
	set.metricsApart = len(in.metrics) > 0
	if err := a.openLab(in.main); err != nil {
		return err
	}
	server := a.http(a.ownHosts(in.main, based(set.basePath.prefix(), a.root())), a.conns)
	if a.certificate != nil {
		server.TLSConfig = a.certificate.config()
		a.spoken(server)
		watching, stop := context.WithCancel(ctx)
		defer stop()
		go a.certificate.watch(watching)
	}
	var servers []*http.Server
	var listeners []net.Listener
	for _, l := range in.main {
		servers, listeners = append(servers, server), append(listeners, a.bounded(l, a.conns))
	}
	if set.metricsApart {
		few := newConnections(probeConns, 0, nil)
		probes := a.http(a.ownHosts(in.metrics, unmoved(a.probes(http.NewServeMux(), true), http.NotFoundHandler())), few)
		for _, l := range in.metrics {
			servers, listeners = append(servers, probes), append(listeners, a.bounded(l, few))
		}
	}
	failed := serve(servers, listeners)
	defer failed.wait()
	if err := a.open(tracer); err != nil {
		closeAll(servers)
		if a.hub != nil {
			a.hub.Close()
		}
		return err
	}
	a.gate.become(ready)
	fmt.Fprint(stdout, greetings(in.main, a.certificate != nil, set.basePath.prefix()), set.kept(), " Ctrl-C ends the server.\n")
	for over := false; !over; {
		select {
		case err = <-failed.first:
			closeAll(servers)
			over = true
		case <-hangups(ctx):
			a.reload()
		case <-ctx.Done():
			a.drain(servers)
			over = true
		}
	}
	if closeErr := a.hub.Close(); err == nil && closeErr != nil {
		err = fmt.Errorf("closing the store: %w", closeErr)
	}
	a.log.Info("stopped")
	return err
}

func newApp(set *settings, stderr io.Writer) *app {
	a := &app{set: set, metrics: newMetrics()}
	lines := set.logHandler(stderr, func(message string) { a.metrics.unlogged.WithLabelValues(message).Inc() })
	a.log, a.flushLog = slog.New(lines), lines.Flush
	a.share(descriptors())
	a.gate = &gate{
		proxies: set.proxies, log: a.log, metrics: a.metrics, rate: newRateLimit(set.handshakeRate), strays: newRateLimit(set.handshakeRate),
		after: max(set.drainWindow, time.Second), health: storeHealth{log: a.log},
	}
	return a
}

// open makes what the server needs to be ready: store, hub, WebSocket server.
func (a *app) open(tracer *tracer) error {
	a.tracer = tracer
	o := a.set.chatSettings.options()
	var err error
	if o.Store, err = a.set.openStore(); err != nil {
		return err
	}
	if s, ok := o.Store.(*boltstore.Store); ok {
		a.gate.health.try = s.TryWrite
	}
	if a.set.tokenKey != nil {
		o.Authenticate = authenticator(token.Verifier{Key: a.set.tokenKey, Issuer: a.set.tokenIssuer, Audience: a.set.tokenAudience})
	}
	o.MaxSessionsPerAddress = cmp.Or(a.set.maxPerAddress, -1)
	o.Observer = a.metrics.observer(a.log, &a.gate.health)
	logChat(&o, a.log)
	a.hub = chat.New(o)
	a.metrics.hub.Store(a.hub)
	a.watcher = &watcher{log: a.log, metrics: a.metrics}
	s := wsnet.Handler(a.watcher.watch(plain.Handler(a.hub, &plain.Options{
		HelloTimeout: a.set.helloTimeout,
		BadRequests:  a.set.maxBadRequests,
		RestartCode:  ws.Code(a.set.drainClose),

		ByteRate:        cmp.Or(a.set.byteRate, -1),
		AddressByteRate: cmp.Or(a.set.addressByteRate, -1),

		Address:  func(ctx context.Context, _ *wsnet.Conn) string { return limitKey(clientOf(ctx).addr) },
		Admitted: a.watcher.admitted,
	})))
	s.Options = a.set.sockets()
	s.Options.Subprotocols = []string{plain.Subprotocol}
	s.Options.Trace = tracer.hook()
	if a.lab != nil {
		s.Options.TraceTarget = a.lab.Trace
	}
	s.MaxConns = a.set.maxConns
	s.MaxPerAddress = a.set.maxPerAddress
	s.Address = func(r *http.Request) string { return a.gate.countKey(r) }
	s.Connect = a.gate.withClient
	s.Refused = a.gate.refusedByServer
	s.Ended = a.watcher.ended
	s.Remote = func(ctx context.Context, _ *wsnet.Conn) string { return remote(clientOf(ctx).addr) }
	s.Logger = a.log
	a.sockets = s

	if a.io, err = a.socketIO(); err != nil {
		return err
	}
	a.gate.full = a.full
	a.gate.fullness = map[string]func() bool{"connections": a.full, "http": a.conns.full, "rooms": a.hub.Full}
	a.metrics.full.Store(&a.gate.fullness)
	routes, err := a.routes()
	if err != nil {
		return err
	}
	a.opened.Store(&routes)
	return nil
}

// probeConns is how many connections -metrics-addr takes: a few machines ask.
const probeConns = 64

// share decides how many connections there may be, of the file descriptors that
// there may be.
func (a *app) share(limit int) {
	perHTTP := 1
	if a.set.web != "" {
		perHTTP = 2 // a file each
	}
	asked := []any{"max_conns", a.set.maxConns, "max_http", a.set.maxHTTP}
	conns, max, fits := share(limit, a.set.maxConns, a.set.maxHTTP, perHTTP)
	if !fits {
		a.log.Warn("the process may have fewer open files than the connections that its settings allow; raise the limit (ulimit -n, LimitNOFILE in systemd), or lower -max-conns and -max-http",
			append(asked, "open_files", limit, "conns", conns, "http", max)...)
	}
	a.set.maxConns = conns
	perAddress := a.set.maxPerAddressHTTP
	if max > 0 {
		perAddress = min(perAddress, (max+1)/2)
	}
	a.conns = newConnections(max, perAddress, a.set.proxies.trusted.contains)
	a.conns.secure = a.set.cert != ""
	a.metrics.conns.Store(a.conns)
}

// bounded is l with the bounds of conns.
func (a *app) bounded(l net.Listener, conns *connections) net.Listener {
	return bounded(l, conns, func(err error) {
		a.log.Error("no connections can be accepted", "err", err.Error())
	})
}

// full reports whether there are all the connections that may be, of both kinds.
func (a *app) full() bool {
	return a.set.maxConns > 0 && a.sockets.Count()+a.io.Count() >= a.set.maxConns
}

// root is what -addr serves: probes alone until the server is open.
func (a *app) root() http.Handler {
	early := http.NewServeMux()
	a.probes(early, false)
	closed := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { a.gate.notReady(w, r, starting) })
	early.Handle("/", closed)
	before := unmoved(early, closed)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if opened := a.opened.Load(); opened != nil {
			(*opened).ServeHTTP(w, r)
			return
		}
		before.ServeHTTP(w, r)
	})
}

// routes is what -addr serves once the server is open.
func (a *app) routes() (http.Handler, error) {
	mux := http.NewServeMux()
	site, err := a.site()
	if err != nil {
		return nil, err
	}
	mux.Handle("/", site)
	if a.reloader != nil {
		mux.Handle(devPath, readOnly("There is GET only.", a.reloader))
	}
	sio := a.socketRoutes(a.script(site))
	mux.Handle("/socket.io/", sio)
	mux.Handle("/socket.io", sio) // clients do not follow a redirect
	mux.Handle("/ws", a.gate.handshakes(a.sockets))
	a.labRoutes(mux)
	a.adminRoutes(mux)
	if err := a.adminUIRoutes(mux); err != nil {
		return nil, err
	}
	a.probes(mux, !a.set.metricsApart)
	if key, ok := a.set.publishSum(); ok {
		mux.Handle("/publish", &publisher{key: key, limit: a.set.maxMessage, hub: a.hub, gate: a.gate, log: a.log, metrics: a.metrics})
	} else {
		mux.HandleFunc("/publish", noPublisher)
	}
	return unmoved(mux, site), nil
}

// probes adds what other machines ask about this one.
func (a *app) probes(mux *http.ServeMux, withMetrics bool) *http.ServeMux {
	mux.Handle("/healthz", a.gate.healthz())
	mux.Handle("/readyz", a.gate.readyz())
	if withMetrics {
		mux.Handle("/metrics", readOnly("The metrics take GET only.", a.metrics.handler(a.log)))
	}
	return mux
}

// http is a server with the timeouts that a public one needs: who sends slowly,
// or nothing, is cut.
func (a *app) http(h http.Handler, conns *connections) *http.Server {
	return &http.Server{
		Handler:           a.gate.survives(a.gate.headers(a.set.maxHeader, h)),
		ReadHeaderTimeout: a.set.headerTimeout,
		ReadTimeout:       a.set.headerTimeout + 10*time.Second,
		WriteTimeout:      patience,
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    a.set.maxHeader,
		ConnState:         conns.state,
		ErrorLog:          boundedlog.ErrorLog(a.log, slog.LevelWarn),
	}
}

// spoken adds HTTP/2 to a server with TLS, in whose streams WebSockets run as well as
// requests, with the same bounds.
func (a *app) spoken(server *http.Server) {
	if !a.set.http2 {
		return
	}
	h2 := &wsh2.Server{
		MaxHeaderBytes:   2*a.set.maxHeader + 8<<10, // the gate's own bound is closer, and the same for both
		HandshakeTimeout: a.set.headerTimeout,
		FrameTimeout:     a.set.headerTimeout + 10*time.Second,
		ReadTimeout:      a.set.headerTimeout + 10*time.Second,
		WriteTimeout:     patience,
		IdleTimeout:      time.Minute,
		Logger:           a.log,
	}
	h2.Attach(server)
}

// greetings says where to go.
func greetings(listeners []net.Listener, secure bool, base string) string {
	var b strings.Builder
	for _, l := range listeners {
		b.WriteString(greeting(l.Addr(), secure, base))
	}
	return b.String()
}

// greeting says where to go for one address.
func greeting(addr net.Addr, secure bool, base string) string {
	scheme := "http"
	if secure {
		scheme = "https"
	}
	if addr.Network() == "unix" {
		return fmt.Sprintf("Chat (%s) at the Unix socket %s, for whom its file's permissions let in.\n", scheme, addr)
	}
	host, port, _ := net.SplitHostPort(addr.String())
	note := "Only this machine can reach it; -addr :" + port + " lets others in, too."
	if ip := net.ParseIP(host); ip.IsUnspecified() {
		host, note = "localhost", "Every address of this machine works, from other machines as well."
	} else if !ip.IsLoopback() {
		note = "Whoever can reach this address can chat."
	}
	return fmt.Sprintf("Chat at %s://%s%s/\n%s\n", scheme, net.JoinHostPort(host, port), base, note)
}

// end closes what the app has opened for itself.
func (a *app) end() {
	for _, f := range a.atEnd {
		f()
	}
}
