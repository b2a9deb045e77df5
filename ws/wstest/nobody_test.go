package wstest_test

import (
	"net"
	"testing"

	"framewright/ws/wstest"
)

func TestNobodyAt(t *testing.T) {
	at := wstest.NobodyAt(t)
	if c, err := net.Dial("tcp", at); err == nil {
		c.Close()
		t.Errorf("somebody listens at %s", at)
	}
	if l, err := net.Listen("tcp", at); err == nil {
		l.Close()
		t.Errorf("somebody could listen at %s", at)
	}
}
