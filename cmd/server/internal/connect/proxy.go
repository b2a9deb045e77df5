package connect

import (
	"bufio"
	"context"
	"encoding/base64"
	"fmt"
	"net"
	"net/http"
	"net/url"
)

// proxied is the proxy for a URL: that of -proxy, or what the environment says (HTTP_PROXY,
// HTTPS_PROXY, NO_PROXY), or nil.
func (c *Config) proxied(u *url.URL) (*url.URL, error) {
	if c.Proxy != "" {
		return c.ownProxy()
	}
	scheme := map[string]string{"ws": "http", "wss": "https"}[u.Scheme]
	return http.ProxyFromEnvironment(&http.Request{URL: &url.URL{Scheme: scheme, Host: u.Host}})
}

// ownProxy is that of -proxy.
func (c *Config) ownProxy() (*url.URL, error) {
	p, err := url.Parse(c.Proxy)
	if err != nil || p.Host == "" {
		return nil, fmt.Errorf("-proxy %q: want a URL such as http://user:password@127.0.0.1:3128", c.Proxy)
	}
	return p, nil
}

// tunnel asks an HTTP proxy for a connection to an address (§4.1, step 3 of a client's
// requirements). The bytes of conn are the address's own then.
func tunnel(ctx context.Context, proxy *url.URL, address string) (net.Conn, error) {
	if proxy.Scheme != "http" {
		return nil, fmt.Errorf("a proxy of %s:// with -raw; want one of http://", proxy.Scheme)
	}
	at := proxy.Host
	if proxy.Port() == "" {
		at = net.JoinHostPort(proxy.Hostname(), "80")
	}
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", at)
	if err != nil {
		return nil, fmt.Errorf("the proxy: %w", err)
	}
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	r := &http.Request{Method: http.MethodConnect, URL: &url.URL{Opaque: address}, Host: address, Header: http.Header{}}
	if user := proxy.User; user != nil {
		password, _ := user.Password()
		r.Header.Set("Proxy-Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(user.Username()+":"+password)))
	}
	if err := r.Write(conn); err != nil {
		conn.Close()
		return nil, fmt.Errorf("the proxy: %w", err)
	}
	// Not a byte behind the head is read: it would be the address's.
	answer, err := http.ReadResponse(bufio.NewReaderSize(&headOnly{Conn: conn}, 16), r)
	if err == nil && answer.StatusCode != http.StatusOK {
		err = fmt.Errorf("it answers CONNECT %s with %s", address, printable(answer.Status))
	}
	if err != nil {
		conn.Close()
		return nil, fmt.Errorf("the proxy: %w", err)
	}
	return conn, nil
}
