// Package socketiotest is a test kit: the clients of a Socket.IO server, in memory,
// without a port, for the test of a program.
//
//	func TestChat(t *testing.T) {
//		chat := newChat() // the program's *socketio.Server
//		server := socketiotest.Serve(t, chat)
//		ada, grace := server.Connect(nil), server.Connect(nil)
//
//		ada.Emit("message", "hello")
//		if got := socketiotest.Next[string](grace, "message"); got != "hello" {
//			t.Errorf("Grace heard %q", got)
//		}
//		ada.Nothing() // is not told what it has said itself
//	}
//
// What goes wrong fails the test, with what was waited for and what came instead. Emit
// waits until the handler has run, so what follows may look at what it did. All ends
// with the test.
//
// # From Flask-SocketIO's test_client
//
//	socketio.test_client(app)                socketiotest.Serve(t, io).Connect(nil)
//	…, namespace='/shop', auth={…}           Connect(&Options{Namespace: "/shop", Auth: …})
//	…, query_string=…, headers=…             Options.Query, Options.Header
//	client.emit('e', x)                      c.Emit("e", x)
//	client.emit('e', x, callback=True)       socketiotest.Ask[R](c, "e", x)
//	client.send('text')                      c.Emit("message", "text")
//	client.get_received()                    c.Received(); Next[T](c, "e") for one of a name
//	client.is_connected()                    a Connect that fails the test, or Refused
//	client.disconnect()                      c.Disconnect()
//	                                         c.Disconnected(): the server has ended it
//	                                         c.Of("/shop", auth): one more namespace
//
// # In a bubble
//
// In a bubble of testing/synctest the connections are pipes of package ws/wstest, and
// time is the bubble's: a heartbeat, or a timeout of the program's, passes at once.
// [Serve] belongs into the bubble, and what the program has started must have ended at
// its end; a *socketio.Server is shut down.
//
// It is made of package socketio/client, so what a client sees here is what one would
// see over a network, byte for byte.
package socketiotest
