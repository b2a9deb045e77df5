package socketio

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"framewright/ws"
)

// request is one of a client that polls; it may wait for its answer.
type request struct {
	done   chan struct{}
	answer string
}

func (w *world) begin(method, query, body string) *request {
	w.t.Helper()
	r, err := http.NewRequestWithContext(w.t.Context(), method, "http://io.test/socket.io/?EIO=4&transport=polling"+query, strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	q := &request{done: make(chan struct{})}
	go func() {
		defer close(q.done)
		resp, err := w.l.Client().Do(r)
		if err != nil {
			q.answer = err.Error()
			return
		}
		defer resp.Body.Close()
		b, err := io.ReadAll(resp.Body)
		q.answer = fmt.Sprint(string(b), err)
	}()
	return q
}

func (q *request) waits() bool {
	synctest.Wait()
	select {
	case <-q.done:
		return false
	default:
		return true
	}
}

// There is one queue on the way to a handler, and it has one bound: with events
// for all of it, the next POST is not answered until one has been handled. The
// other namespaces of the client get theirs up to then, and other clients always.
func TestEventsHaveOneQueue(t *testing.T) {
	inBubble(t, Options{MaxWaiting: 2}, func(t *testing.T, w *world) {
		gate := make(chan struct{})
		On(w.io, "slow", func(ctx context.Context, s *Socket, n int) error {
			<-gate
			w.note("%d", n)
			return nil
		})
		On(w.io.Of("/other"), "quick", func(ctx context.Context, s *Socket, n int) error { w.note("other %d", n); return nil })
		OnAck(w.io, "quick", func(ctx context.Context, s *Socket, n int) (int, error) { return n, nil })

		open := w.begin("GET", "", "")
		<-open.done
		_, rest, _ := strings.Cut(open.answer, `"sid":"`)
		sid, _, _ := strings.Cut(rest, `"`)
		sid = "&sid=" + sid
		post := func(packets ...string) *request { return w.begin("POST", sid, strings.Join(packets, "\x1e")) }
		<-post("40", "40/other,").done
		<-w.begin("GET", sid, "").done

		// One is at work and two wait.
		for n := range 3 {
			if q := post(fmt.Sprintf(`42["slow",%d]`, n)); q.waits() {
				t.Fatalf("event %d is held up; want one at work and MaxWaiting in line", n)
			}
		}
		if post(`42/other,["quick",1]`).waits() {
			t.Error("another namespace is held up")
		}
		w.wantNotes("another namespace", "other 1")
		held := post(`42["slow",3]`, `42/other,["quick",2]`)
		if !held.waits() {
			t.Error("a fourth event found room; want the client held up")
		}
		w.wantNotes("nothing behind it is read")
		other := w.in()
		other.send(`421["quick",7]`)
		other.want("another client is not held up", `431[7]`)

		gate <- struct{}{}
		if held.waits() {
			t.Error("there is room, and the client is held up")
		}
		w.wantNotes("there is room for one", "0", "other 2")
		close(gate)
		w.wantNotes("the rest, in order", "1", "2", "3")
	})
}

// Who asks and does not take the answers is held up, not cut: handlers wait
// until there is room for what they send.
func TestAnswersThatAreNotTaken(t *testing.T) {
	o := Options{MaxWaiting: 2}
	o.Engine.QueueBytes = 20_000
	inBubble(t, o, func(t *testing.T, w *world) {
		calls := 0
		OnAck(w.io, "ask", func(ctx context.Context, s *Socket, n int) (string, error) {
			calls++
			return strings.Repeat("x", 6000), nil
		})
		r := w.in()
		s := w.io.Sockets()[0]
		sent := make(chan struct{})
		go func() {
			defer close(sent)
			for n := range 100 {
				if r.c.Write(t.Context(), ws.OpText, fmt.Appendf(nil, `42%d["ask",%d]`, n, n)) != nil {
					return
				}
			}
		}()
		synctest.Wait()
		if calls > 30 { // what the queue and the pipe hold
			t.Errorf("%d answers, of which none was taken", calls)
		}
		if err := s.Context().Err(); err != nil {
			t.Fatalf("cut: %v", context.Cause(s.Context()))
		}
		for n := range 100 {
			r.want("an answer", fmt.Sprintf(`43%d["%s"]`, n, strings.Repeat("x", 6000)))
		}
		<-sent
	})
}
