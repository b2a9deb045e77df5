package main

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"sync"
	"time"
)

// A serving is a group of HTTP servers at work.
type serving struct {
	first chan error // gets the first one's failure
	wg    sync.WaitGroup
}

func (s *serving) wait() { s.wg.Wait() }

// serve starts each server on its listener, with TLS if it has a TLSConfig.
func serve(servers []*http.Server, listeners []net.Listener) *serving {
	s := &serving{first: make(chan error, len(servers))}
	for i, server := range servers {
		l := listeners[i]
		if server.TLSConfig != nil {
			l = tls.NewListener(l, server.TLSConfig)
		}
		s.wg.Go(func() {
			if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
				s.first <- err
			}
		})
	}
	return s
}

func closeAll(servers []*http.Server) {
	for _, s := range servers {
		s.Close()
	}
}

// drain ends the server in an orderly way: /readyz says so and new connections
// are refused; every session is told when to come back and is closed, at times
// spread over -drain-window, after what waits for it was sent; then the HTTP
// servers end. What is left after -drain in all is cut.
func (a *app) drain(servers []*http.Server) {
	a.gate.become(draining)
	a.log.Info("draining", "connections", a.sockets.Count(), "window", a.set.drainWindow.String(), "at_most", a.set.drain.String())
	ctx, cancel := context.WithTimeout(context.Background(), a.set.drain)
	defer cancel()
	n, _ := a.hub.Count()
	window := min(a.set.drainWindow, time.Duration(n)*drainEach)
	a.hub.Drain(ctx, window, max(2*a.set.drainWindow, time.Second))
	a.flushed(ctx)
	var wg sync.WaitGroup
	var ioErr error
	wg.Go(func() { ioErr = a.io.Shutdown(ctx) })
	err := a.sockets.Shutdown(ctx) // also those that have not said who they are
	wg.Wait()
	err = errors.Join(err, ioErr, a.lab.Close(ctx)) // whose pages have seen the others end
	for _, s := range servers {
		err = errors.Join(err, s.Shutdown(ctx))
	}
	if err != nil {
		a.log.Warn("drain took too long, the rest was cut", "err", err.Error())
		closeAll(servers)
	}
	a.watcher.ends.Wait()
}

// drainEach is how far apart the closings of a drain need to be at the most:
// fewer connections than fill the window do not make it wait.
const drainEach = 20 * time.Millisecond

// flushed waits until the sessions that Drain has ended were sent what waited
// for them. How long one may take is the transports' decision.
func (a *app) flushed(ctx context.Context) {
	again := time.NewTicker(5 * time.Millisecond)
	defer again.Stop()
	for {
		if n, _ := a.hub.Count(); n == 0 {
			return
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			return
		}
	}
}
