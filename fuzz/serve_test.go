package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"framewright/ws"
	"framewright/ws/wsnet"
	"framewright/ws/wstest"
)

// FuzzServe: what Serve's own reader makes of a request, and shows to Connect or
// Refused, is what net/http makes of it, or Serve refuses it: two readings of the
// same bytes are how requests are smuggled (RFC 9112 §11.2).
func FuzzServe(f *testing.F) {
	type seen struct {
		r   *http.Request
		err *ws.HandshakeError
	}
	requests := make(chan seen, 1)
	s := &wsnet.Server{
		Connect: func(*http.Request) (context.Context, error) { return nil, errors.New("seen") },
		Refused: func(r *http.Request, err *ws.HandshakeError) { requests <- seen{r, err} },
		Logger:  slog.New(slog.DiscardHandler),
	}
	s.Options.MaxHeaderBytes, s.Options.MaxHeaders = -1, -1
	l := wstest.NewListener()
	go s.Serve(l)
	f.Cleanup(func() { l.Close() })
	f.Fuzz(func(t *testing.T, wire []byte) {
		end := bytes.Index(wire, []byte("\r\n\r\n"))
		if end < 0 || end > 8<<10 || bytes.HasPrefix(wire, []byte("\r\n")) { // an empty line in front, which net/http does not skip
			return
		}
		wire = wire[:end+4]
		conn, err := l.Dial()
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		conn.Write(wire)
		ours := <-requests
		if strings.HasPrefix(ours.err.Section, "RFC 91") { // it is no HTTP, or none that Serve takes
			return
		}
		theirs, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(wire)))
		if err != nil {
			t.Fatalf("%q: net/http refuses it with %v, Serve takes it for %+v", wire, err, ours.r)
		}
		if theirs.Method == "PRI" { // behind which net/http expects HTTP/2
			return
		}
		delete(theirs.Header, "Host") // as net/http's server does
		diff := cmp.Diff(theirs, ours.r, cmpopts.IgnoreUnexported(*theirs), cmpopts.EquateEmpty(),
			cmpopts.IgnoreFields(*theirs, "Body", "RemoteAddr"),
			cmp.Transformer("user", func(u *url.Userinfo) string { return u.String() }))
		if diff != "" {
			t.Errorf("%q (-net/http +Serve):\n%s", wire, diff)
		}
	})
}
