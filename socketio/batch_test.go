package socketio

import (
	"errors"
	"testing"
	"testing/synctest"
)

// onlySocket is the one that there is.
func (w *world) onlySocket() *Socket {
	w.t.Helper()
	synctest.Wait()
	list := w.io.Sockets()
	if len(list) != 1 {
		w.t.Fatalf("%d sockets, want one", len(list))
	}
	return list[0]
}

func (w *world) prepare(n *Namespace, text string) *Prepared {
	w.t.Helper()
	p, err := n.Prepare("say", text)
	if err != nil {
		w.t.Fatal(err)
	}
	return p
}

func TestSendBatch(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, w *world) {
		r := w.in()
		s := w.onlySocket()
		a, b, c := w.prepare(w.io.Namespace, "a"), w.prepare(w.io.Namespace, "b"), w.prepare(w.io.Namespace, "c")
		if err := s.SendBatch(); err != nil {
			t.Error(err)
		}
		r.wantIdle("a batch of none")
		if err := s.SendBatch(a, b, c); err != nil {
			t.Error(err)
		}
		r.want("in order", `42["say","a"]`, `42["say","b"]`, `42["say","c"]`)
		other := w.prepare(w.io.Of("/other"), "x")
		func() {
			defer func() {
				if recover() == nil {
					t.Error("an event of another namespace was sent")
				}
			}()
			_ = s.SendBatch(a, other)
		}()
		r.want("what came before the panic", `42["say","a"]`)
		if err := s.Send(b); err != nil {
			t.Error(err)
		}
		r.want("after a panic the session goes on", `42["say","b"]`)
		s.Disconnect()
		r.want("it is over", "41")
		if err := s.SendBatch(a); !errors.Is(err, ErrClosed) {
			t.Errorf("got %v, want ErrClosed", err)
		}
	})
}

// What is gathered does not go out before all of it is there.
func TestGather(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, w *world) {
		r := w.in()
		s := w.onlySocket()
		s.client.engine.Gather(func() {
			_ = s.Emit("one")
			r.wantIdle("the second is still to come")
			_ = s.Emit("two")
		})
		r.want("both", `42["one"]`, `42["two"]`)
		s.client.engine.Gather(func() { s.client.engine.Close() })
		r.wantClosed("it ends all the same")
	})
}
