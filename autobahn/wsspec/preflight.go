package wsspec

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"strings"
	"syscall"
	"time"
)

// hail is the one message of a preflight.
const hail = "Is this an echo?"

// Preflight has one small conversation with the server: it connects, opens, and
// wants one text back. The error is a sentence for people that says what stands in
// the way of all cases.
func (t *ServerTest) Preflight(ctx context.Context) error {
	d := newDialogue(t.Settings, Server)
	d.target, d.Ctx = t.target, ctx
	defer d.CloseNow()
	at := t.target.address
	if err := d.Dial(); err != nil {
		return t.unreachable(err)
	}
	if err := d.Open(); err != nil {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		return t.notOpened(ctx, d, err)
	}
	if err := echoes(d); err != nil {
		return fmt.Errorf("%s opens a WebSocket connection, but %w: the suite needs a server that sends every message back and nothing else", at, err)
	}
	return nil
}

// unreachable words an error of connecting.
func (t *ServerTest) unreachable(err error) error {
	at := t.target.address
	var (
		unknown *net.DNSError
		header  tls.RecordHeaderError
		cert    *tls.CertificateVerificationError
		name    x509.HostnameError
	)
	switch {
	case errors.As(err, &unknown):
		return fmt.Errorf("the host %s is not known (%s)", unknown.Name, unknown.Err)
	case errors.Is(err, syscall.ECONNREFUSED), strings.Contains(err.Error(), "refused"):
		return fmt.Errorf("nobody listens at %s: is the server running, and is the port right?", at)
	case errors.As(err, &header):
		return fmt.Errorf("%s does not speak TLS: try ws:// instead of wss://", at)
	case errors.As(err, &name), errors.As(err, &cert):
		return fmt.Errorf("the certificate of %s is not trusted (%v): -insecure takes any", at, err)
	}
	return fmt.Errorf("cannot connect to %s: %w", at, err)
}

// notOpened words an error of the opening handshake.
func (t *ServerTest) notOpened(ctx context.Context, d *Dialogue, err error) error {
	at, h := t.target.address, d.Answer
	got := d.Rest()
	switch {
	case t.target.tls == nil && (len(got) > 1 && got[0] == 0x15 && got[1] == 3 ||
		strings.Contains(string(got), "HTTPS server") || h.First == "" && speaksTLS(ctx, at)):
		return fmt.Errorf("%s speaks TLS: try wss:// instead of ws://", at)
	case h.Status() == 401 || h.Status() == 403:
		return fmt.Errorf("%s refuses the opening handshake with %q: -header adds what it wants to see, such as an Authorization, a Cookie or an Origin", at, h.First)
	case h.Status() == 404:
		return fmt.Errorf("%s has no WebSocket endpoint at the path %s: it answers %q", at, t.target.path, h.First)
	case h.Status() >= 300 && h.Status() < 400:
		return fmt.Errorf("%s sends us on to %q (%q): test that URL", at, h.Get("Location"), h.First)
	case h.Status() == 200:
		return fmt.Errorf("%s is a plain HTTP server, or has its WebSocket endpoint at another path than %s: it answers %q", at, t.target.path, h.First)
	case h.Status() != 0:
		return fmt.Errorf("%s does not open a WebSocket connection: %w", at, err)
	case len(got) > 0:
		return fmt.Errorf("%s does not speak HTTP: it says %.60q", at, got)
	case errors.Is(err, ErrSilent):
		return fmt.Errorf("%s takes connections but has not answered the opening handshake within %v (-patience)", at, d.Patience)
	}
	return fmt.Errorf("%s does not speak HTTP: %w", at, err)
}

// speaksTLS tries whether a server that has just ended a plain connection without a
// word wants TLS.
func speaksTLS(ctx context.Context, address string) bool {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	conn, err := (&tls.Dialer{Config: &tls.Config{InsecureSkipVerify: true}}).DialContext(ctx, "tcp", address)
	if err == nil {
		conn.Close()
	}
	return err == nil
}

// echoes says what came instead of one message's echo.
func echoes(d *Dialogue) error {
	d.Send(Text(hail))
	var message []byte
	for {
		e := d.Next()
		switch {
		case errors.Is(e.Err, ErrSilent):
			return fmt.Errorf("has not sent a message back within %v", d.Patience)
		case gone(e.Err):
			return fmt.Errorf("ends it (%v) instead of sending a message back", e.Err)
		case e.Err != nil:
			return e.Err
		case e.Frame.Opcode == OpClose:
			return fmt.Errorf("closes it (%s) instead of sending a message back", e.Frame)
		case e.Frame.IsControl():
			continue
		}
		if message = append(message, e.Frame.Payload...); !e.Frame.Fin {
			continue
		}
		if string(message) != hail {
			return fmt.Errorf("sends %.60q where %q should come back", message, hail)
		}
		d.Send(CloseFrame(1000, ""))
		for { // how it closes is for cases to find out
			if e := d.NextIn(time.Second); e.Err != nil || e.Frame.Opcode == OpClose {
				return nil
			}
		}
	}
}
