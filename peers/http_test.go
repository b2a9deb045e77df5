package peers

import (
	"io"
	"log"
	"net/http"
	"sync"
	"testing"
	"time"
)

// serveHTTP serves h on a loopback port until the test ends, and hands out the
// sessions that h reports to accept. It is what the Go peers have in common.
func serveHTTP(t *testing.T, ca *authority, handler func(accept func(*Session)) http.Handler) *Listener {
	t.Helper()
	ln, url := ca.listen(t)
	accepted := make(chan *Session, 16)
	srv := &http.Server{
		Handler:           handler(func(s *Session) { accepted <- s }),
		ReadHeaderTimeout: patience,
		ErrorLog:          log.New(io.Discard, "", 0), // aborted handshakes are part of the tests
	}
	var wg sync.WaitGroup
	wg.Go(func() { _ = srv.Serve(ln) })
	t.Cleanup(func() {
		_ = srv.Close()
		wg.Wait()
	})
	return &Listener{URL: url + "/ws", Accepted: accepted}
}

// soon is a deadline for libraries that take a time instead of a context.
func soon() time.Time { return time.Now().Add(patience) }
