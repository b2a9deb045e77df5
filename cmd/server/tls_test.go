package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"framewright/ws"
	"framewright/ws/wsnet"
)

// testCertificate makes one for 127.0.0.1 and returns its files, and a client that
// trusts it.
func testCertificate(t *testing.T) (cert, key string, client *http.Client) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	file := func(name, kind string, der []byte) string {
		name = filepath.Join(dir, name)
		if err := os.WriteFile(name, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(parsed)
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}
	t.Cleanup(transport.CloseIdleConnections)
	return file("cert.pem", "CERTIFICATE", der), file("key.pem", "PRIVATE KEY", keyDER), &http.Client{Transport: transport}
}

func TestTLS(t *testing.T) {
	cert, key, client := testCertificate(t)
	p := start(t, "-cert", cert, "-key", key)
	if !strings.HasPrefix(p.url, "https://") {
		t.Errorf("it says %s", p.url)
	}
	resp, err := client.Get(p.url)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != 200 {
		t.Errorf("page: %s", resp.Status)
	}
	c := dial(t, "wss"+strings.TrimPrefix(p.url, "https")+"/ws", &wsnet.DialOptions{HTTPClient: client, Header: http.Header{"Origin": {p.url}}})
	write(t, c, `{"type":"hello","name":"Ada"}`)
	if got := read(t, c); !strings.Contains(got, "Welcome, Ada") {
		t.Error(got)
	}
	go p.stop()
	wantClose(t, c, ws.CodeServiceRestart)
}
