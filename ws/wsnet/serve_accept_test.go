package wsnet_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"framewright/ws/wsnet"
	"framewright/ws/wstest"
)

// passing is an error that says whether trying again may help.
type passing bool

func (p passing) Error() string   { return "too many open files" }
func (p passing) Temporary() bool { return bool(p) }

// A script is a listener whose Accept gives one thing after the other, and says when it
// was asked. At its end it fails for good.
type script struct {
	gives  []any // an error or a net.Conn
	at     []time.Time
	closed bool
}

var errScript = errors.New("the network is gone")

func (l *script) Accept() (net.Conn, error) {
	l.at = append(l.at, time.Now())
	if len(l.gives) == 0 {
		return nil, errScript
	}
	next := l.gives[0]
	l.gives = l.gives[1:]
	if c, ok := next.(net.Conn); ok {
		return c, nil
	}
	return nil, next.(error)
}

func (l *script) Close() error   { l.closed = true; return nil }
func (l *script) Addr() net.Addr { return nil }

// Where trying again may help, such as without a file descriptor, Serve waits longer each
// time, up to a second, and says so; a connection ends that. Otherwise it ends and says why.
func TestServePauses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		one, other := net.Pipe()
		other.Close()
		l := &script{}
		for range 10 {
			l.gives = append(l.gives, passing(true))
		}
		l.gives = append(l.gives, one, passing(true))
		srv, log := stServer(stWait)
		if err := srv.Serve(l); err != errScript || !l.closed {
			t.Errorf("%v; closed: %v", err, l.closed)
		}
		var pauses []string
		for i := 1; i < len(l.at); i++ {
			pauses = append(pauses, l.at[i].Sub(l.at[i-1]).String())
		}
		if got, want := strings.Join(pauses, " "), "5ms 10ms 20ms 40ms 80ms 160ms 320ms 640ms 1s 1s 0s 5ms"; got != want {
			t.Errorf("it waits %s, want %s", got, want)
		}
		if n := strings.Count(log.String(), "ws: accept failed"); n != 11 {
			t.Errorf("said %d times:\n%s", n, log)
		}
		synctest.Wait()
	})
}

func TestServeFails(t *testing.T) {
	for _, err := range []error{errScript, passing(false)} {
		srv, _ := stServer(stWait)
		if got := srv.Serve(&script{gives: []any{err}}); got != err {
			t.Errorf("%v, want %v", got, err)
		}
	}
	srv, _ := stServer(stWait)
	if err := srv.ListenAndServe("127.0.0.1:no-port"); err == nil || errors.Is(err, wsnet.ErrServerClosed) {
		t.Errorf("an address that is none: %v", err)
	}
	srv.Shutdown(t.Context())
	if err := srv.ListenAndServe("127.0.0.1:0"); err != wsnet.ErrServerClosed {
		t.Errorf("after Shutdown: %v", err)
	}
}

// A panic in the opening handshake is logged and ends that connection, and no other.
func TestServePanics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		one, other := net.Pipe()
		srv := wsnet.Handler(stWait)
		log := new(stLog)
		srv.Logger = slog.New(slog.NewTextHandler(log, nil))
		srv.Connect = func(*http.Request) (context.Context, error) { panic("no address") }
		go srv.Serve(&script{gives: []any{one}})
		other.Write(wstest.Request("/", "server.test"))
		if _, err := io.ReadAll(other); err != nil {
			t.Error(err)
		}
		srv.Shutdown(context.Background())
		if !strings.Contains(log.String(), "panic in the opening handshake") || !strings.Contains(log.String(), "no address") {
			t.Errorf("the log:\n%s", log)
		}
	})
}

// A listener that shuts its server down before it gives the connection that has come.
type lateListener struct {
	*script
	srv *wsnet.Server
}

func (l lateListener) Accept() (net.Conn, error) {
	go l.srv.Shutdown(context.Background()) // which waits for Serve
	synctest.Wait()
	return l.script.Accept()
}

// Who comes in the moment of Shutdown is closed without an answer.
func TestServeTooLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		one, other := net.Pipe()
		srv, _ := stServer(stWait)
		go srv.Serve(lateListener{&script{gives: []any{one}}, srv})
		if n, err := other.Write(wstest.Request("/", "server.test")); n > 0 || err != io.ErrClosedPipe {
			t.Errorf("%d bytes of a request were read, %v", n, err)
		}
	})
}
