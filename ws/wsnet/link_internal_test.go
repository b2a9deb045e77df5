package wsnet

import (
	"context"
	"io"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"framewright/ws"
)

// A deadlineStream writes down which deadlines it is given. It is read from and written
// to by nobody.
type deadlineStream struct {
	mu   sync.Mutex
	read []string
}

func (s *deadlineStream) Read([]byte) (int, error)         { return 0, io.EOF }
func (s *deadlineStream) Write(p []byte) (int, error)      { return len(p), nil }
func (s *deadlineStream) Close() error                     { return nil }
func (s *deadlineStream) SetWriteDeadline(time.Time) error { panic("the wrong direction") }

func (s *deadlineStream) SetReadDeadline(at time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case at.IsZero():
		s.read = append(s.read, "none")
	case time.Now().After(at):
		s.read = append(s.read, "past")
	default:
		s.read = append(s.read, time.Until(at).String())
	}
	return nil
}

// Which deadlines the stream gets while contexts come and end, in a bubble, in which no
// time passes.
func TestInterrupter(t *testing.T) {
	type actor struct {
		*interrupter
		a, b     context.Context
		endA     context.CancelFunc
		nobody   context.Context
		nextHour ws.Moment
	}
	for _, tt := range []struct {
		name string
		do   func(actor)
		want []string
	}{
		{"contexts come and go", func(x actor) { x.watch(x.a); x.watch(x.a); x.watch(x.b); x.watch(x.nobody) }, nil},
		{"one ends", func(x actor) { x.watch(x.a); x.endA() }, []string{"past"}},
		{"one that is watched no more", func(x actor) { x.watch(x.a); x.watch(x.b); x.endA() }, nil},
		{"or was on its way", func(x actor) { x.watch(x.a); x.watch(x.nobody); x.fire(x.a.Done()) }, nil},
		{"another follows", func(x actor) { x.watch(x.a); x.endA(); synctest.Wait(); x.watch(x.b) }, []string{"past", "none"}},
		{"nobody follows", func(x actor) { x.watch(x.a); x.endA(); synctest.Wait(); x.watch(x.nobody) }, []string{"past", "none"}},
		{"the same again", func(x actor) { x.watch(x.a); x.endA(); synctest.Wait(); x.watch(x.a) }, []string{"past"}},
		{"a deadline of its own", func(x actor) { x.limit(x.nextHour); x.limit(0) }, []string{"1h0m0s", "none"}},
		{"which comes back", func(x actor) {
			x.watch(x.a)
			x.limit(x.nextHour)
			x.endA()
			synctest.Wait()
			x.watch(x.b)
		}, []string{"1h0m0s", "past", "1h0m0s"}},
		{"which waits for the next", func(x actor) {
			x.watch(x.a)
			x.endA()
			synctest.Wait()
			x.limit(x.nextHour)
			x.watch(x.b)
			x.limit(0)
		}, []string{"past", "1h0m0s", "none"}},
		{"shut", func(x actor) {
			x.watch(x.a)
			x.shut()
			x.limit(x.nextHour)
			x.watch(x.b)
			x.watch(x.nobody)
			x.endA()
		}, []string{"past"}},
		{"shut, and a context that ends", func(x actor) { x.shut(); x.watch(x.a); x.endA() }, []string{"past"}},
		{"reopened", func(x actor) { x.shut(); x.reopen(timeOf(x.nextHour)) }, []string{"past", "1h0m0s"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &deadlineStream{}
				i := &interrupter{link: &link{stream: s}}
				a, endA := context.WithCancel(t.Context())
				b, endB := context.WithCancel(t.Context())
				defer endB()
				tt.do(actor{i, a, b, endA, context.Background(), now().Add(int64(time.Hour))})
				synctest.Wait()
				if diff := cmp.Diff(tt.want, s.read); diff != "" {
					t.Errorf("the deadlines (-want +got):\n%s", diff)
				}
				endA()
			})
		})
	}
}

// Under its own context a connection costs no more: that context is not even made.
func TestOwnContextIsNotWatched(t *testing.T) {
	c, client := innerPair(t, &Options{PingInterval: -1})
	if err := c.Write(c.Context(), ws.OpText, []byte("hi")); err != nil {
		t.Fatal(err)
	}
	client.Write([]byte("\x81\x82\x00\x00\x00\x00hi"))
	if _, _, err := c.Read(c.Context()); err != nil {
		t.Fatal(err)
	}
	c.out.interrupt.watch(t.Context()) // one that is, in between
	c.out.interrupt.watch(c.Context())
	if c.link.life.made != nil {
		t.Error("the context was made")
	}
}

// An endingStream gives its last bytes together with the end, as an io.Reader may.
type endingStream struct {
	deadlineStream
	left []byte
}

func (s *endingStream) SetWriteDeadline(time.Time) error { return nil }

func (s *endingStream) Read(p []byte) (int, error) {
	n := copy(p, s.left)
	if s.left = s.left[n:]; len(s.left) == 0 {
		return n, io.EOF
	}
	return n, nil
}

// What comes with the end comes first.
func TestReadTheEndWithTheLastBytes(t *testing.T) {
	c := NewConn(&endingStream{left: []byte("\x81\x82\x00\x00\x00\x00hi\x81")}, ws.RoleServer, &Options{PingInterval: -1})
	defer c.CloseNow()
	if _, p, err := c.Read(t.Context()); string(p) != "hi" || err != nil {
		t.Fatalf("got %q, %v", p, err)
	}
	for range 2 {
		if _, _, err := c.Read(t.Context()); err == nil || c.Err() == nil {
			t.Fatalf("got %v", err)
		}
	}
	if e := c.link.life.end.Load(); e.Code != ws.CodeAbnormal || !e.Remote || e.Err != io.ErrUnexpectedEOF {
		t.Errorf("the end: %+v", e)
	}
}
