package wstest

import (
	"net"
	"testing"
)

// NobodyAt returns a TCP address on the loopback at which nobody listens, nor will as
// long as the test runs. A port that was listened at and given back may be another
// test's by then; this one is the near end of a connection.
func NobodyAt(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c.LocalAddr().String()
}
