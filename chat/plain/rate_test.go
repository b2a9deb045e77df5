package plain

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"framewright/chat"
	"framewright/ws"
)

// Bytes count before anything is parsed: a client that sends more is held up,
// and loses nothing.
func TestBytesHaveARate(t *testing.T) {
	const size = 1000 - messageCosts
	request := func(typ string) string {
		s := fmt.Sprintf(`{"type":%q,"x":"`, typ)
		return s + strings.Repeat("x", size-len(s)-2) + `"}`
	}
	none := chat.Rate{PerSecond: -1}
	for _, tt := range []struct {
		name    string
		o       Options
		clients int
	}{
		{"of a connection", Options{ByteRate: 4000}, 1},
		{"of an address", Options{AddressByteRate: 4000}, 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.o.BadRequests = 1000
			withOptions(t, chat.Options{RequestRate: none}, &tt.o, func(t *testing.T, w *world) {
				var all []*client
				for n := range tt.clients {
					all = append(all, w.hello(fmt.Sprint("ada", n)))
				}
				synctest.Wait()
				time.Sleep(time.Minute) // the bucket is full again
				began := time.Now()
				for n := range 40 {
					c := all[n%len(all)]
					c.send(request("ping"))
					c.want("pong")
				}
				if took := time.Since(began); took != 0 {
					t.Errorf("ten seconds' worth took %v", took)
				}
				c := all[0]
				c.send(request("ping"))
				c.want("pong")
				if took := time.Since(began); took != time.Second/4 {
					t.Errorf("one more took %v, want 250 ms", took)
				}
				c.send(request("nonsense")) // is not parsed either before its time has come
				c.want("error")
				if took := time.Since(began); took != time.Second/2 {
					t.Errorf("a bad one more took %v, want 500 ms", took)
				}
			})
		})
	}
	t.Run("before the hello", func(t *testing.T) {
		withOptions(t, chat.Options{}, &Options{ByteRate: 1000, HelloTimeout: 5 * time.Second}, func(t *testing.T, w *world) {
			c := w.dial()
			c.send(`{"type":"hello","name":"Ada","x":"` + strings.Repeat("x", 20_000) + `"}`)
			c.wantClose("more than may come in time", 1008)
		})
	})
	t.Run("an end meanwhile", func(t *testing.T) {
		withOptions(t, chat.Options{}, &Options{ByteRate: 100}, func(t *testing.T, w *world) {
			c := w.hello("Ada")
			c.send(request("ping"))
			c.send(request("ping"))
			synctest.Wait()
			began := time.Now()
			w.hub.Sessions()[0].Kick("")
			<-w.over
			if took := time.Since(began); took > 4*time.Second {
				t.Errorf("a session that was held up ended after %v", took)
			}
		})
	})
}

// Who asks too much is cut soon, and does not have the time for the closing
// handshake that others have.
func TestFloodIsNotReadForLong(t *testing.T) {
	inBubble(t, chat.Options{RequestRate: chat.Rate{PerSecond: 0.001, Burst: 1}}, func(t *testing.T, w *world) {
		c := w.hello("Ada")
		for range 300 {
			if c.c.Write(t.Context(), ws.OpText, []byte(`{"type":"typing","room":"r"}`)) != nil {
				break
			}
		}
		synctest.Wait()
		if err := <-w.over; !errors.Is(err, chat.ErrFlood) {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if n := w.srv.Count(); n != 0 {
			t.Errorf("%d connections a second later", n)
		}
	})
}
