package wsnet_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"math"
	"net"
	"net/http"
	"os"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"framewright/ws"
	"framewright/ws/wsnet"
	"framewright/ws/wstest"
)

// What a stream without deadlines has read beyond the request is the
// connection's, however much it is.
func TestAcceptStreamKeepsWhatCameEarly(t *testing.T) {
	for _, size := range []int{1, 1 << 10, 3 << 10, 10 << 10} {
		synctest.Test(t, func(t *testing.T) {
			a, b := wstest.Pipe()
			text := string(bytes.Repeat([]byte("x"), size))
			p := wstest.NewPeer(t, a)
			p.SendBytes(append(wstest.Request("/", "server.test"), ctMasked(true, ws.OpText, text)...))
			c, err := wsnet.AcceptStream(t.Context(), ctOnlyStream{b}, &wsnet.ServerOptions{Options: *ctQuiet()})
			if err != nil {
				t.Fatal(err)
			}
			defer c.CloseNow()
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			if _, got, err := c.Read(ctx); err != nil || string(got) != text {
				t.Errorf("%d bytes: got %s, %v", size, ctShort(got), err)
			}
		})
	}
}

// A cancellingConn cancels a context when it is given a deadline to come, and
// lets everybody see to it before the deadline counts.
type cancellingConn struct {
	net.Conn
	cancel context.CancelFunc
}

func (c *cancellingConn) SetDeadline(at time.Time) error {
	if time.Now().Before(at) {
		c.cancel()
		synctest.Wait()
	}
	return c.Conn.SetDeadline(at)
}

// A context that ends while the handshake's own deadline is being set is not
// forgotten over it.
func TestAcceptStreamContextEndsEarly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, b := wstest.Pipe()
		ctx, cancel := context.WithCancel(t.Context())
		ctTook(t, "the handshake", 0, func() {
			if _, err := wsnet.AcceptStream(ctx, &cancellingConn{b, cancel}, nil); err == nil {
				t.Error("no error")
			}
		})
	})
}

// The longest duration that there is, is a long one.
func TestOptionsLongestTimes(t *testing.T) {
	const most = time.Duration(math.MaxInt64)
	longest := &wsnet.Options{HandshakeTimeout: most, MessageTimeout: most, PingInterval: most, PongTimeout: most,
		WriteTimeout: most, CloseTimeout: most, WriteDelay: most,
		MaxMessage: math.MaxInt64, MaxFragments: math.MaxInt, PingRate: math.MaxInt, EmptyRate: math.MaxInt, InflateRate: math.MaxInt}
	synctest.Test(t, func(t *testing.T) {
		c, peer := ctConn(t, ws.RoleServer, longest)
		frame := ctMasked(true, ws.OpText, "slow")
		done := ctAsync(func() error {
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
			defer cancel()
			_, _, err := c.Read(ctx)
			return err
		})
		peer.SendBytes(frame[:3])
		time.Sleep(time.Minute)
		peer.SendBytes(frame[3:])
		if err := <-done; err != nil {
			t.Errorf("reading: %v", err)
		}
		if err := c.Write(t.Context(), ws.OpText, []byte("hi")); err != nil {
			t.Errorf("writing: %v", err)
		}
	})
	synctest.Test(t, func(t *testing.T) { // the peer reads late
		c, peer := ctConnSize(t, ws.RoleServer, longest, 8)
		done := ctAsync(func() error { return c.Write(t.Context(), ws.OpText, []byte("more than 8 bytes")) })
		ctPending(t, "a write to a peer that does not read", done)
		peer.WantFrame("the message", wstest.Text("more than 8 bytes"))
		if err := <-done; err != nil {
			t.Errorf("writing: %v", err)
		}
	})
}

// CloseNow sends what Write has said was written, also after the context of
// that Write has ended, as it does when it is cancelled behind every Write.
func TestCloseNowSendsWhatWasGathered(t *testing.T) {
	server, client := cgTCP(t)
	o := ctQuiet()
	o.WriteDelay = time.Hour
	c := wsnet.NewConn(server, ws.RoleServer, o)
	in, out := cgMessages(2, 4)
	if _, err := client.Write(in); err != nil {
		t.Fatal(err)
	}
	ctRead(t, "the first", c, ws.OpText, "0000")
	ctx, cancel := context.WithCancel(t.Context())
	if err := c.Write(ctx, ws.OpText, []byte("0000")); err != nil {
		t.Fatal(err)
	}
	cancelled := make(chan struct{})
	stop := context.AfterFunc(ctx, func() { close(cancelled) })
	defer stop()
	cancel()
	<-cancelled
	for range 100 { // also what the connection does then
		runtime.Gosched()
	}
	c.CloseNow()
	if got, _ := io.ReadAll(client); !bytes.Equal(got, out[:6]) {
		t.Errorf("got %x, want %x", got, out[:6])
	}
}

// Somebody has asked for the socket's descriptor, which makes the socket one
// that waits. The program goes on all the same: it is the connection that waits.
func TestSocketThatBlocks(t *testing.T) {
	server, client := cgTCP(t)
	f, err := server.(*net.TCPConn).File()
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	f.Fd()
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	c := wsnet.NewConn(server, ws.RoleServer, ctQuiet())
	done := ctAsync(func() error { return cgEcho(t.Context(), c) })
	for range 100 {
		runtime.Gosched() // the reader waits
	}
	in, out := cgMessages(3, 4)
	if _, err := client.Write(in); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, len(out))
	if _, err := io.ReadFull(client, got); err != nil || !bytes.Equal(got, out) {
		t.Errorf("got %x, %v, want %x", got, err, out)
	}
	client.Close()
	<-done
	c.CloseNow()
}

// A sticky stream's writes end for good with a deadline, as those of TLS do,
// although its type does not say so.
type stickyStream struct{ net.Conn }

type stickyTimeout struct{ error }

func (stickyTimeout) Timeout() bool   { return true }
func (stickyTimeout) Temporary() bool { return false }

func (s stickyStream) Write(p []byte) (int, error) {
	n, err := s.Conn.Write(p)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		err = &net.OpError{Op: "write", Err: stickyTimeout{err}}
	}
	return n, err
}

// Finding that out does not race with another writer; only -race can tell.
func TestNetConnOverAStickyStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, _ := wstest.PipeSize(8)
		c := wsnet.NewConn(stickyStream{a}, ws.RoleServer, &wsnet.Options{PingInterval: -1, WriteTimeout: time.Second})
		defer c.CloseNow()
		n := wsnet.NetConn(t.Context(), c, ws.OpBinary)
		first := ctAsync(func() error { return c.Write(t.Context(), ws.OpBinary, make([]byte, 100)) })
		time.Sleep(time.Second)
		_, err := n.Write(make([]byte, 100))
		if err == nil || <-first == nil {
			t.Error("no error")
		}
	})
}

// A Write of nothing is no message: a stream of bytes has none that are empty.
func TestNetConnWritesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, peer := ctConn(t, ws.RoleServer, ctQuiet())
		n := wsnet.NetConn(t.Context(), c, ws.OpBinary)
		if got, err := n.Write(nil); got != 0 || err != nil {
			t.Error(got, err)
		}
		peer.WantIdle("nothing was written")
		n.SetWriteDeadline(time.Now())
		if _, err := n.Write(nil); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("after the deadline: %v", err)
		}
	})
}

// A Connect that ends its goroutine, and a Trace that panics after the answer,
// leave no connection open.
func TestHandshakeAbandoned(t *testing.T) {
	var once sync.Once
	for name, s := range map[string]*wsnet.Server{
		"Connect ends the goroutine": {Connect: func(*http.Request) (context.Context, error) { runtime.Goexit(); return nil, nil }},
		"Trace panics": {Options: wsnet.ServerOptions{Options: wsnet.Options{Trace: func(e ws.TraceEvent) {
			if e.Sent {
				once.Do(func() { panic("trace") })
			}
		}}}},
	} {
		t.Run(name, func(t *testing.T) {
			s.Handler = func(context.Context, *wsnet.Conn) error { return nil }
			s.Logger = slog.New(slog.DiscardHandler)
			for _, alone := range []bool{true, false} {
				if !alone && s.Connect != nil {
					continue // net/http itself keeps that one
				}
				once = sync.Once{}
				l := wstest.NewListener()
				if alone {
					go s.Serve(l)
				} else {
					h := &http.Server{Handler: s, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, 0)}
					go h.Serve(l)
					defer h.Close()
				}
				defer l.Close()
				conn, err := l.Dial()
				if err != nil {
					t.Fatal(err)
				}
				defer conn.Close()
				conn.SetDeadline(time.Now().Add(5 * time.Second))
				conn.Write(wstest.Request("/", "server.test"))
				if _, err := io.ReadAll(conn); err != nil {
					t.Errorf("alone %v: the connection stays open: %v", alone, err)
				}
			}
		})
	}
}
