package main

import (
	"cmp"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
)

const healthyAbout = `Usage: server healthy [settings]

Asks the server that runs with the same settings, from the command line, the
environment or the file, for /healthz: the exit status is 0 if it works, 1 if it does
not. For containers, whose image has no other program that could ask.
`

// healthyPatience is how long the answer may take.
const healthyPatience = 3 * time.Second

// serveHealthy is the command "healthy".
func serveHealthy(ctx context.Context, args, env []string, stdout io.Writer) error {
	set := &settings{}
	set.declare()
	if err := parseFlags(set.flags, args, stdout, healthyAbout); err != nil {
		return err
	}
	if err := set.apply(set.flags, env); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, healthyPatience)
	defer cancel()
	r, client, err := set.probe(ctx)
	if err != nil {
		return err
	}
	defer client.CloseIdleConnections()
	resp, err := client.Do(r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	said, _ := io.ReadAll(io.LimitReader(resp.Body, 200))
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s says %s: %s", r.URL, resp.Status, strings.TrimSpace(string(said)))
	}
	_, err = stdout.Write(said)
	return err
}

// probe is the request for /healthz of the server that has these settings, and a client
// that finds it.
func (s *settings) probe(ctx context.Context) (*http.Request, *http.Client, error) {
	at := cmp.Or(s.metricsAddr, s.addr)
	scheme := "http"
	if s.cert != "" && s.metricsAddr == "" {
		scheme = "https"
	}
	transport := &http.Transport{
		// It is the server on this machine that is asked for, by whatever name its
		// certificate is for, and nothing is told to it.
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true},
	}
	if path, ok := strings.CutPrefix(at, unixPrefix); ok {
		at = "localhost"
		transport.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", path)
		}
	} else if host, port, err := net.SplitHostPort(at); err != nil {
		return nil, nil, usagef("the address %q: %w", at, err)
	} else if port == "0" {
		return nil, nil, usagef("the address %q is any free port: say by -addr which one it has become", at)
	} else if host == "" || host == "0.0.0.0" { // all of them; and an image has no file that says what localhost is
		at = net.JoinHostPort("127.0.0.1", port)
	} else if host == "::" {
		at = net.JoinHostPort("::1", port)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, scheme+"://"+at+"/healthz", nil)
	if err != nil {
		return nil, nil, usagef("the address %q: %w", at, err)
	}
	if len(s.hosts) > 0 { // a name that the server answers for
		r.Host = strings.Replace(s.hosts[0], "*", "healthy", 1)
	}
	return r, &http.Client{Transport: transport}, nil
}
