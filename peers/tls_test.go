package peers

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// An authority is one self-signed certificate for 127.0.0.1, in memory for the
// Go peers and in two PEM files for the others.
type authority struct {
	pair              tls.Certificate
	roots             *x509.CertPool
	certFile, keyFile string
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber:          big.NewInt(1),
		Subject:               pkix.Name{CommonName: "Framewright test"},
		NotBefore:             time.Now().Add(-time.Hour),
		NotAfter:              time.Now().Add(24 * time.Hour),
		KeyUsage:              x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		IPAddresses:           []net.IP{net.IPv4(127, 0, 0, 1)},
		DNSNames:              []string{"localhost"},
		BasicConstraintsValid: true,
		IsCA:                  true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	a := &authority{
		pair:     tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: cert},
		roots:    x509.NewCertPool(),
		certFile: filepath.Join(dir, "cert.pem"),
		keyFile:  filepath.Join(dir, "key.pem"),
	}
	a.roots.AddCert(cert)
	for name, block := range map[string]*pem.Block{
		a.certFile: {Type: "CERTIFICATE", Bytes: der},
		a.keyFile:  {Type: "PRIVATE KEY", Bytes: keyDER},
	} {
		if err := os.WriteFile(name, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return a
}

// client is the TLS configuration of a client that trusts the authority; nil
// without one.
func (a *authority) client() *tls.Config {
	if a == nil {
		return nil
	}
	return &tls.Config{RootCAs: a.roots}
}

// listen opens a loopback port, with TLS if there is an authority, and returns
// the URL prefix for it.
func (a *authority) listen(t *testing.T) (net.Listener, string) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ln.Close() })
	if a == nil {
		return ln, "ws://" + ln.Addr().String()
	}
	// http/1.1 alone: a WebSocket upgrade has no place in HTTP/2.
	config := &tls.Config{Certificates: []tls.Certificate{a.pair}, NextProtos: []string{"http/1.1"}}
	return tls.NewListener(ln, config), "wss://" + ln.Addr().String()
}
