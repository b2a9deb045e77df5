// Package client is a client of Socket.IO, protocol version 5, on package
// framewright/engineio/client: for Go programs that talk to a server of package
// socketio, to npm's socket.io 3 and 4, or to python-socketio.
//
//	c, err := client.New("https://example.com", nil)
//	…
//	defer c.Close()
//	client.On(c, "message", func(ctx context.Context, s *client.Socket, text string) error {
//		return s.Emit("seen", text)
//	})
//	err = c.Connect(ctx)
//	…
//	n, err := client.Ask[int](ctx, c, "double", 21)
//
// # From npm's socket.io-client
//
//	io("https://a.b", {autoConnect: false})  client.New("https://a.b", nil)
//	socket.connect()                         c.Connect(ctx), which waits
//	io("https://a.b/admin")                  c.Of("/admin"), which needs a Connect, too
//	path: "/chat/socket.io"                  the path of the URL, or Options.Engine.Path
//	query: {k: "v"}                          the query of the URL
//	auth: {token}, auth: (cb) => …           Options.Auth, Options.AuthFunc
//	extraHeaders, withCredentials            Options.Engine.Header, HTTPClient with a Jar
//	transports: ["websocket"]                Options.Engine.Transports
//	reconnection: false                      Options.NoReconnect
//	reconnectionDelay, …DelayMax, …Attempts  Options.ReconnectDelay, …DelayMax, MaxAttempts
//	socket.on("e", (a, b) => …)              client.On(c, "e", f), client.On2(c, "e", f)
//	socket.on("e", (a, cb) => cb(r))         client.OnAck(c, "e", f)
//	socket.onAny(f)                          c.OnAny(f), for events that have no other handler
//	socket.on("connect" | "disconnect")      c.OnConnect(f), c.OnDisconnect(f)
//	socket.on("connect_error")               what Connect returns; c.OnConnectError(f) later
//	socket.emit("e", x)                      c.Emit("e", x)
//	socket.volatile.emit("e", x)             c.EmitVolatile("e", x)
//	await socket.emitWithAck("e", x)         client.Ask[R](ctx, c, "e", x)
//	socket.timeout(ms)                       ctx, or Options.AckTimeout
//	socket.id, .connected, .recovered        c.ID(), c.Connected(), c.Recovered()
//	socket.disconnect()                      c.Disconnect()
//	socket.io.engine.close()                 c.Drop()
//
// From python-socketio: sio.call is [Ask], sio.wait is [Client.Wait],
// @sio.on('*') is OnAny, namespace='/x' is c.Of("/x").
//
// # Order
//
// What the server sends to one socket is handled in the order in which it was sent,
// one event after the other; other namespaces are handled meanwhile. Acknowledgements
// come while a handler runs, so a handler may [Ask]. What a socket emits arrives in
// order, also across an upgrade, and across a reconnection for what was emitted while
// it was away. OnConnect runs before the handlers of what comes over that connection,
// but after those of what a server sends before its answer to CONNECT, of the time
// before if it recovers the socket; OnDisconnect
// runs after all of them.
//
// What was emitted just before a connection was lost may have been lost with it: an
// event whose arrival matters asks for an acknowledgement, and [ErrLost] says that it
// did not come.
//
// # Coming back
//
// A connection that is lost is tried again, see Options.NoReconnect; what ended it:
//
//	transport close       back again
//	transport error       back again
//	ping timeout          back again
//	parse error           back again: the server broke the protocol
//	too many packets      back again
//	io server disconnect  not: the server's program has ended the socket
//	io client disconnect  not: Disconnect or Close
//
// Nor does a socket come back that the server refuses, a [*ConnectError].
//
// Where the server recovers connections (connectionStateRecovery of npm's,
// socketio.Recovery of ours), the socket gives it the secret and the offset that it
// had, and [Socket.Recovered] says that its id, its rooms and what it has missed are
// there. The offset is the last argument of an event, and handlers see it, if they ask
// for all arguments: the protocol does not mark it.
//
// # Bounds
//
// Whatever a server sends, memory is bounded, beside the bounds of the layer below:
//
//	a packet                           MaxMessage, MaxAttachments, MaxArgs, MaxDepth
//	events that wait for handlers      MaxWaiting, and MaxMessage bytes; then nothing is read
//	packets of which nothing comes     IdleRate
//	what is emitted while away         BufferBytes; then Emit refuses
//	Asks                               MaxAsks
//	a sid, a pid, an offset            1 KiB
//
// A handler is run once half of what may wait to be sent is free.
//
// # In memory
//
// All connections are made by Options.Engine.HTTPClient. One whose transport's
// DialContext returns the end of a pipe needs no network, for tests; package
// ws/wstest has a listener for that.
//
// # Files
//
//	options.go  Options: every limit and timeout
//	errors.go   Reason, ConnectError, and what Emit and Ask return
//	client.go   Client: connects, and comes back
//	serve.go    what the server's packets mean
//	socket.go   Socket: Connect, Disconnect
//	emit.go     Emit, Ask: what waits to be sent, and for its answer
//	handler.go  On, OnAck, OnConnect …
//	jobs.go     handlers run, one after the other
//
// Packets are parsed and written by package socketio, as on a server.
//
// # Limitations
//
// Protocol version 5 only: servers of Socket.IO 2 are told apart by their answer, and
// refused. There is no retry of events that were not acknowledged.
package client
