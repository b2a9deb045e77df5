package client

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"framewright/ws/wstest"
)

// notes gives a client handlers that note what they are called with.
func notes(s *script, c *Client) {
	c.OnConnect(func(ctx context.Context, k *Socket) error {
		s.note("connected %s %t", k.ID(), k.Recovered())
		return nil
	})
	c.OnDisconnect(func(ctx context.Context, k *Socket, why Reason) { s.note("disconnected: %s", why) })
	c.OnConnectError(func(ctx context.Context, k *Socket, err error) { s.note("no connection") })
	On(c, "text", func(ctx context.Context, k *Socket, text string) error { s.note("text %s", text); return nil })
	OnAck(c, "double", func(ctx context.Context, k *Socket, n int) (int, error) {
		if n < 0 {
			return 0, &Error{Message: "less than nothing"}
		}
		return 2 * n, nil
	})
	OnAck(c, "bytes", func(ctx context.Context, k *Socket, b []byte) (Reply, error) {
		s.note("bytes %x", b)
		return Reply{b, "and"}, nil
	})
}

// TestDialogue has a row for each thing that a server sees of the client.
func TestDialogue(t *testing.T) {
	for _, row := range []struct {
		name string
		o    Options
		play func(s *script)
	}{
		{"connects", Options{}, func(s *script) {
			s.in()
			s.wantNotes("OnConnect", "connected s1 false")
			if !s.c.Connected() || s.c.ID() != "s1" || s.c.Transport() != "websocket" {
				s.t.Errorf("%t %s %s", s.c.Connected(), s.c.ID(), s.c.Transport())
			}
		}},
		{"auth", Options{Auth: map[string]string{"token": "x"}}, func(s *script) {
			s.connect(s.c.Socket)
			s.session().want("CONNECT", `40{"token":"x"}`)
		}},
		{"namespaces over one connection", Options{}, func(s *script) {
			x := s.in()
			done := s.connect(s.c.Of("/a"))
			x.want("CONNECT", `40/a,`)
			x.send(`40/a,{"sid":"s2"}`)
			if err := <-done; err != nil {
				s.t.Fatal(err)
			}
			s.c.Of("/a").Emit("e", 1)
			x.want("in its namespace", `42/a,["e",1]`)
			s.c.Of("/a").Disconnect()
			x.want("DISCONNECT", `41/a,`)
			s.c.Emit("e")
			x.want("the other one", `42["e"]`)
		}},
		{"refused", Options{}, func(s *script) {
			done := s.connect(s.c.Socket)
			x := s.session()
			x.want("CONNECT", `40`)
			x.send(`44{"message":"not you","data":{"n":1}}`)
			e := causeOf[*ConnectError](s.t, <-done)
			if e.Message != "not you" || string(e.Data) != `{"n":1}` || e.Namespace != "/" {
				s.t.Errorf("%+v", e)
			}
			x.WantClose("nobody needs the connection", 1000, "")
		}},
		{"refused with a text", Options{}, func(s *script) {
			done := s.connect(s.c.Socket)
			x := s.session()
			x.want("CONNECT", `40`)
			x.send(`44"not you"`)
			if e := causeOf[*ConnectError](s.t, <-done); e.Message != "not you" {
				s.t.Errorf("%+v", e)
			}
		}},
		{"no answer to CONNECT", Options{ConnectTimeout: 5 * time.Second}, func(s *script) {
			done := s.connect(s.c.Socket)
			x := s.session()
			x.want("CONNECT", `40`)
			if e := causeOf[*DisconnectedError](s.t, <-done); e.Reason != TransportError {
				s.t.Error(e)
			}
		}},
		{"events", Options{}, func(s *script) {
			x := s.in()
			x.send(`42["text","a"]`, `42["text","b","more"]`, `42["text"]`)
			s.wantNotes("in order", "connected s1 false", "text a", "text b", "text ")
			s.c.Emit("e", "ü<>&", 1.5, nil, []int{})
			x.want("as JavaScript writes it", `42["e","ü<>&",1.5,null,[]]`)
			if err := s.c.Emit("connect"); err == nil {
				s.t.Error("a name that is the client's own")
			}
			if err := s.c.Emit("e", make(chan int)); err == nil {
				s.t.Error("a value that is no JSON")
			}
		}},
		{"events before the answer to CONNECT", Options{}, func(s *script) {
			done := s.connect(s.c.Socket)
			x := s.session()
			x.want("CONNECT", `40`)
			x.send(`42["text","early"]`)
			s.wantNotes("it waits")
			x.send(`40{"sid":"s1"}`)
			<-done
			s.wantNotes("then it comes", "text early", "connected s1 false")
		}},
		{"answers", Options{}, func(s *script) {
			x := s.in()
			x.send(`420["double",21]`, `4212["double",-1]`, `4213["double","x"]`, `4214["nobody"]`, `42["double",1]`)
			x.want("acknowledgements", `430[42]`, `4312[{"error":"less than nothing"}]`,
				`4313[{"error":"argument 1: a string where something else is expected"}]`, `4314[{"error":"the client has no handler for the event \"nobody\""}]`)
			x.send(`4515-["bytes",{"_placeholder":true,"num":0}]`)
			x.s.slow = false
		}},
		{"asks", Options{}, func(s *script) {
			x := s.in()
			for i := range 3 {
				answer := make(chan int)
				go func() {
					n, err := Ask[int](s.t.Context(), s.c, "n")
					if err != nil {
						s.note("%v", err)
					}
					answer <- n
				}()
				x.want("an event with an id", `42`+string(rune('0'+i))+`["n"]`)
				x.send(`43` + string(rune('0'+i)) + `[7]`)
				if n := <-answer; n != 7 {
					s.t.Error(n)
				}
			}
			began := time.Now()
			if _, err := Ask[int](s.t.Context(), s.c, "n"); !errors.Is(err, ErrNoAnswer) || time.Since(began) != 10*time.Second {
				s.t.Error(err)
			}
			x.send(`433[7]`) // too late: nobody waits
			s.wantNotes("all is well", "connected s1 false")
		}},
		{"binary", Options{}, func(s *script) {
			x := s.in()
			x.send(`451-3["bytes",{"_placeholder":true,"num":0}]`)
			s.wantNotes("the attachment is still to come", "connected s1 false")
			x.sendBinary(1, 2)
			x.want("the answer", `461-3[{"_placeholder":true,"num":0},"and"]`)
			x.WantFrame("its attachment", wstest.Binary([]byte{1, 2}))
			s.wantNotes("it came", "bytes 0102")
			s.c.Emit("e", []any{[]byte{3}, map[string]any{"b": []byte{4}}})
			x.want("an event", `452-["e",[{"_placeholder":true,"num":0},{"b":{"_placeholder":true,"num":1}}]]`)
			x.WantFrame("one", wstest.Binary([]byte{3}))
			x.WantFrame("two", wstest.Binary([]byte{4}))
		}},
		{"ended by the server", Options{}, func(s *script) {
			x := s.in()
			x.send(`41`)
			x.WantClose("nobody needs the connection", 1000, "")
			s.wantNotes("it does not come back", "connected s1 false", "disconnected: io server disconnect")
			if e := causeOf[*DisconnectedError](s.t, s.c.Wait(s.t.Context())); e.Reason != ServerDisconnect {
				s.t.Error(e)
			}
			if err := s.c.Emit("e"); !errors.Is(err, ErrClosed) {
				s.t.Error(err)
			}
			done := s.connect(s.c.Socket)
			x = s.session()
			x.want("connected anew", `40`)
			x.send(`40{"sid":"s2"}`)
			if err := <-done; err != nil {
				s.t.Error(err)
			}
		}},
		{"Disconnect", Options{}, func(s *script) {
			x := s.in()
			s.c.Emit("last")
			s.c.Disconnect()
			x.want("what was emitted, and DISCONNECT", `42["last"]`, `41`)
			x.WantClose("the connection", 1000, "")
			s.wantNotes("OnDisconnect", "connected s1 false", "disconnected: io client disconnect")
			x.send(`42["text","late"]`)
			x.Close()
			if err := s.c.Wait(s.t.Context()); err != nil {
				s.t.Error(err)
			}
		}},
		{"comes back", Options{}, func(s *script) {
			x := s.in()
			lost := make(chan error)
			go func() {
				_, err := Ask[int](s.t.Context(), s.c, "lost")
				lost <- err
			}()
			x.want("an event", `420["lost"]`)
			x.Reset()
			if err := <-lost; !errors.Is(err, ErrLost) {
				s.t.Error(err)
			}
			s.c.Emit("a", []byte{1})
			s.c.EmitVolatile("volatile")
			ctx, cancel := context.WithTimeout(s.t.Context(), time.Millisecond)
			if _, err := Ask[int](ctx, s.c, "given up"); !errors.Is(err, context.DeadlineExceeded) {
				s.t.Error(err)
			}
			cancel()
			answer := make(chan error)
			go func() {
				_, err := Ask[int](s.t.Context(), s.c, "b")
				answer <- err
			}()
			synctest.Wait()
			s.c.Emit("c")
			x = s.session()
			x.want("CONNECT, and nothing before its answer", `40`)
			x.WantIdle("what waits")
			x.send(`40{"sid":"s2"}`)
			x.want("in order", `451-["a",{"_placeholder":true,"num":0}]`)
			x.WantFrame("with its attachment", wstest.Binary([]byte{1}))
			x.want("in order", `422["b"]`, `42["c"]`)
			x.send(`432[1]`)
			if err := <-answer; err != nil {
				s.t.Error(err)
			}
			s.wantNotes("told", "connected s1 false", "disconnected: transport close", "connected s2 false")
		}},
		{"recovers", Options{Auth: map[string]int{"n": 1}}, func(s *script) {
			done := s.connect(s.c.Socket)
			x := s.session()
			x.want("CONNECT", `40{"n":1}`)
			x.send(`40{"sid":"s1","pid":"p1"}`)
			<-done
			x.Reset()
			x = s.session()
			x.want("no event came yet", `40{"n":1,"pid":"p1"}`)
			x.send(`40{"sid":"s1","pid":"p1"}`, `42["text","one","o1"]`, `42["text","two","o2"]`)
			s.wantNotes("recovered", "connected s1 false", "disconnected: transport close", "connected s1 true", "text one", "text two")
			x.Reset()
			x = s.session()
			x.want("how far it has come", `40{"n":1,"offset":"o2","pid":"p1"}`)
			x.send(`42["text","missed","o3"]`, `40{"sid":"s1","pid":"p1"}`)
			s.wantNotes("what was missed comes first", "disconnected: transport close", "text missed", "connected s1 true")
			x.Reset()
			x = s.session()
			x.want("how far it has come", `40{"n":1,"offset":"o3","pid":"p1"}`)
			x.send(`40{"sid":"s9","pid":"p9"}`)
			s.wantNotes("a server that does not know it", "disconnected: transport close", "connected s9 false")
			x.Reset()
			x = s.session()
			x.want("the old offset is of no use there", `40{"n":1,"pid":"p9"}`)
		}},
		{"does not come back", Options{NoReconnect: true}, func(s *script) {
			x := s.in()
			x.Reset()
			s.wantEnd(TransportClose, "")
			if err := s.c.Emit("e"); !errors.Is(err, ErrClosed) {
				s.t.Error(err)
			}
		}},
		{"what waits is bounded", Options{BufferBytes: 200}, func(s *script) {
			x := s.in()
			x.Reset()
			synctest.Wait()
			if err := s.c.Emit("e", "some text"); err != nil {
				s.t.Error(err)
			}
			if err := s.c.Emit("e", make([]byte, 100)); !errors.Is(err, ErrAway) {
				s.t.Error(err)
			}
			x = s.session()
			x.want("CONNECT", `40`)
			x.send(`40{"sid":"s2"}`)
			x.want("the first", `42["e","some text"]`)
			x.WantIdle("and not the second")
		}},
		{"as many asks as may wait", Options{MaxAsks: 1}, func(s *script) {
			x := s.in()
			go Ask[int](s.t.Context(), s.c, "one")
			x.want("one", `420["one"]`)
			if _, err := Ask[int](s.t.Context(), s.c, "two"); err == nil {
				s.t.Error("a second one")
			}
		}},
		{"an error in AuthFunc", Options{AuthFunc: func(context.Context, string) (any, error) { return nil, errors.New("no token") }}, func(s *script) {
			done := s.connect(s.c.Socket)
			x := s.session()
			if err := <-done; err == nil || err.Error() != "socketio: AuthFunc: no token" {
				s.t.Error(err)
			}
			x.WantClose("nobody needs the connection", 1000, "")
		}},
		{"auth that is no object", Options{Auth: "token"}, func(s *script) {
			done := s.connect(s.c.Socket)
			s.session()
			if err := <-done; err == nil || err.Error() != "socketio: the option Auth is a string, which is no JSON object" {
				s.t.Error(err)
			}
		}},
	} {
		t.Run(row.name, func(t *testing.T) { plays(t, row.o, notes, row.play) })
	}
}
