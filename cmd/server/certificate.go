package main

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// A certificate is that of -cert and -key, and follows its files: who renews
// one need not restart the server. What is broken does not take the place of
// what works.
type certificate struct {
	cert, key string // files
	log       *slog.Logger
	current   atomic.Pointer[tls.Certificate]

	mu    sync.Mutex
	tried [sha256.Size]byte // of what the files had when it was last tried
	seen  [sha256.Size]byte // of what they had at the last look
	tell  string            // the failure that the log has, until there is another
}

// certificateEvery is how often the files are looked at.
const certificateEvery = 10 * time.Second

// newCertificate reads the files for the first time.
func newCertificate(cert, key string, log *slog.Logger) (*certificate, error) {
	c := &certificate{cert: cert, key: key, log: log}
	pair, sum, err := c.read()
	if err != nil {
		return nil, fmt.Errorf("-cert and -key: %w", err)
	}
	c.current.Store(pair)
	c.tried, c.seen = sum, sum
	return c, nil
}

// read reads both files. sum says whether they are as they were.
func (c *certificate) read() (pair *tls.Certificate, sum [sha256.Size]byte, err error) {
	cert, err := os.ReadFile(c.cert)
	if err != nil {
		return nil, sum, err
	}
	key, err := os.ReadFile(c.key)
	if err != nil {
		return nil, sum, err
	}
	h := sha256.New()
	fmt.Fprintf(h, "%d ", len(cert))
	h.Write(cert)
	h.Write(key)
	h.Sum(sum[:0])
	p, err := tls.X509KeyPair(cert, key)
	return &p, sum, err
}

// look takes the files' certificate if they have another one. They are written
// one after the other, so one that does not work has time until the next look,
// unless an operator says that it is there.
func (c *certificate) look(asked bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	pair, sum, err := c.read()
	settled := sum == c.seen
	c.seen = sum
	switch {
	case err != nil && (settled || asked):
		if why := err.Error(); why != c.tell || asked {
			c.tell = why
			c.log.Error("the certificate of -cert and -key cannot be used; the one before it stays", "err", why)
		}
		c.tried = sum
	case err != nil:
	case sum == c.tried && c.tell == "":
		if asked {
			c.log.Info("the certificate is the one that the server has", "expires", pair.Leaf.NotAfter)
		}
	default:
		c.current.Store(pair)
		c.tried, c.tell = sum, ""
		c.log.Info("the certificate was read anew", "expires", pair.Leaf.NotAfter)
	}
}

// watch looks at the files until ctx ends.
func (c *certificate) watch(ctx context.Context) {
	again := time.NewTicker(certificateEvery)
	defer again.Stop()
	for {
		select {
		case <-again.C:
			c.look(false)
		case <-ctx.Done():
			return
		}
	}
}

// config is for a listener.
func (c *certificate) config() *tls.Config {
	return &tls.Config{
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return c.current.Load(), nil },
		NextProtos:     []string{"http/1.1"}, // and h2, where spoken adds it
	}
}

// hangups are the SIGHUPs of a run, if its context has them.
type hangupKey struct{}

func hangups(ctx context.Context) <-chan os.Signal {
	c, _ := ctx.Value(hangupKey{}).(chan os.Signal)
	return c
}

// reload does what SIGHUP asks for: what can be read anew without anybody
// noticing. The rest needs a restart.
func (a *app) reload() {
	if a.certificate == nil {
		a.log.Info("SIGHUP: there is nothing to read anew; settings need a restart")
		return
	}
	a.log.Info("SIGHUP: the certificate is read anew; settings need a restart")
	a.certificate.look(true)
}
