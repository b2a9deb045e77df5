package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"syscall"
	"time"

	"framewright/ws"
)

// listen is net.Listen with a hint for the mistake that everybody makes once.
func listen(addr string) (net.Listener, error) {
	l, err := net.Listen("tcp", addr)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("%w; is it running already? -addr takes another port, 0 a free one", err)
	}
	if errors.Is(err, syscall.EACCES) {
		return nil, fmt.Errorf("%w; ports below 1024 need a privilege, -addr takes another", err)
	}
	if err != nil {
		return nil, fmt.Errorf("-addr %s: %w", addr, err)
	}
	return l, nil
}

// serveHTTP serves on l until ctx ends, and then drains: no new connection is
// accepted, every WebSocket is closed with 1001, and what is left after drain
// is cut. log may be nil.
func serveHTTP(ctx context.Context, s *http.Server, l net.Listener, sockets *ws.Server, drain time.Duration, log *slog.Logger) error {
	failed := make(chan error, 1)
	go func() {
		if s.TLSConfig != nil {
			l = tls.NewListener(l, s.TLSConfig)
		}
		failed <- s.Serve(l)
	}()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	if log != nil {
		log.Info("draining", "connections", sockets.Count(), "at_most", drain)
	}
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), drain)
	defer cancel()
	var wg sync.WaitGroup
	var httpErr, wsErr error
	wg.Go(func() { httpErr = s.Shutdown(end) })
	wg.Go(func() { wsErr = sockets.Shutdown(end) })
	wg.Wait()
	if httpErr != nil {
		s.Close()
	}
	if log != nil {
		if err := errors.Join(wsErr, httpErr); err != nil {
			log.Warn("drain took too long, the rest was cut", "err", err)
		}
		log.Info("stopped")
	}
	<-failed
	return nil
}
