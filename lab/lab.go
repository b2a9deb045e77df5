// Package lab is the wire lab: pages on which one sees what really goes over one's own
// WebSocket connections, frame by frame and bit by bit.
//
// A page makes a secret and opens its connections with it, as ?lab=SECRET. What goes over
// these, and over no others, is shown to who knows the secret. Connections without one
// cost nothing, and nobody sees what others write, but for what the page's own
// connections carry.
//
//	lab.go        routes, settings
//	echo.go       the other end of the pages' own WebSockets
//	recorder.go   what pages see, by their secrets
//	tracer.go     what their connections report
//	facts.go      the stream of it
//	stream.go     Server-Sent Events
//	fact/         one thing that happened, as JSON
//	pcap.go       the same for Wireshark
//	breaks.go     violations, to be predicted and played
//	breaks_server.go  those of a server, which a client has to notice
//	pages.go      the pages
//	decode.go     what ws says of it
//	workshop.go   frames by their bits
//	dialogue.go   a raw peer that sends them to an echo
//	call.go       or that is a server, to a client
//	measure.go    the same messages by four ways, and what each takes
//	rooms.go      rooms with slow readers
//	room/         one of them
//	lessons.go    ten minutes each, with something to do
//	source.go     the code that they and the violations speak of
//	compression.go  messages, compressed one after another
//	inflate/      compressed messages, token by token
//	capture/      captures of other programs: pcap, HAR, hexadecimal
package lab

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"

	"framewright/ws"
	"framewright/ws/wsnet"
)

// Options are the settings of a Lab.
type Options struct {
	// Headers are what every answer has, such as a Content-Security-Policy, which must
	// let scripts, styles and connections of the site itself through.
	Headers map[string]string

	// OriginPatterns and Hosts are those of the lab's own WebSocket, as in
	// wsnet.ServerOptions.
	OriginPatterns []string
	Hosts          []string

	// Address is what one client is known by, whom some bounds are for; nil is the
	// remote address of the request, without its port.
	Address func(*http.Request) string

	// Logger gets what goes wrong; nil is slog.Default().
	Logger *slog.Logger
}

// A Lab serves the pages, their streams, and a WebSocket that echoes.
type Lab struct {
	o        Options
	recorder *recorder
	echo     *wsnet.Server
	runs     *runs
	rooms    rooms
	mux      *http.ServeMux
	ending   chan struct{}
	end      sync.Once
}

// Bounds of the lab's echo, /lab/echo.
const (
	maxEcho      = 64       // connections
	maxEchoBytes = 64 << 10 // of a message
)

// New makes a Lab, which Close ends.
func New(o *Options) *Lab {
	l := &Lab{o: *o, recorder: newRecorder(), mux: http.NewServeMux(), ending: make(chan struct{})}
	if l.o.Logger == nil {
		l.o.Logger = slog.Default()
	}
	if l.o.Address == nil {
		l.o.Address = func(r *http.Request) string {
			host, _, _ := net.SplitHostPort(r.RemoteAddr)
			return host
		}
	}
	l.echo = wsnet.Handler(echo)
	l.echo.MaxConns, l.echo.MaxPerAddress = maxEcho, -1
	l.echo.Options = wsnet.ServerOptions{OriginPatterns: o.OriginPatterns, Hosts: o.Hosts, TraceTarget: l.Trace}
	l.echo.Options.MaxMessage = maxEchoBytes
	l.echo.Options.Compression = &ws.Compression{SendContext: true, ReceiveContext: true}
	l.mux.Handle("GET /lab/facts", http.HandlerFunc(l.facts))
	l.mux.Handle("POST /lab/leave", http.NewCrossOriginProtection().Handler(http.HandlerFunc(l.leave)))
	l.mux.Handle("GET /lab/pcap", http.HandlerFunc(l.pcap))
	l.mux.Handle("POST /lab/decode", newPoster(maxCapture, postDecode))
	l.mux.Handle("POST /lab/workshop", newPoster(maxPlan, postWorkshop))
	l.mux.Handle("POST /lab/workshop/build", newPoster(maxPlan, postBuild))
	l.mux.Handle("GET /lab/breaks", http.HandlerFunc(l.breaks))
	l.mux.Handle("POST /lab/break", newPoster(maxPlan, postBreak))
	l.mux.Handle("GET /lab/room/stream", http.HandlerFunc(l.roomStream))
	l.mux.Handle("POST /lab/room", newPoster(maxPlan, l.postRoom))
	l.mux.Handle("POST /lab/measure", newPosterOf(maxMeasurements, maxPlan, l.postMeasure))
	l.runs = newRuns(o.Hosts, o.OriginPatterns, l.o.Logger)
	l.mux.Handle("/lab/measure/run", l.runs.control)
	l.mux.Handle("/lab/measure/run/{id}/", l.runs)
	l.mux.Handle("POST /lab/compression", newPoster(maxTextsJSON, postCompression))
	l.mux.Handle("/lab/echo", l.echo)
	l.lessonRoutes()
	l.mux.Handle("/lab/", newPages(mustSub(web, "web")))
	return l
}

// Trace is for wsnet.ServerOptions.TraceTarget: it is nil unless the target names a
// secret.
func (l *Lab) Trace(target string) func(ws.TraceEvent) {
	_, query, _ := strings.Cut(target, "?")
	for part := range strings.SplitSeq(query, "&") {
		if secret, ok := strings.CutPrefix(part, "lab="); ok {
			return l.recorder.trace(secret)
		}
	}
	return nil
}

func (l *Lab) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	for name, value := range l.o.Headers {
		w.Header().Set(name, value)
	}
	l.mux.ServeHTTP(w, r)
}

// Close ends the connections of the echo and of runs, which are told that the server goes away, and
// then the streams, which have said so.
func (l *Lab) Close(ctx context.Context) error {
	if l == nil {
		return nil
	}
	err := errors.Join(l.runs.control.Shutdown(ctx), l.echo.Shutdown(ctx))
	l.end.Do(func() { close(l.ending) })
	return err
}

func mustSub(files fs.FS, dir string) fs.FS {
	sub, err := fs.Sub(files, dir)
	if err != nil {
		panic(err) // dir is a constant
	}
	return sub
}
