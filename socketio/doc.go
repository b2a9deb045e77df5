// Package socketio is a server of Socket.IO, protocol version 5, on package
// engineio: for pages with the client's own script, unchanged, in any of its
// versions 3 and 4, and for Go programs with package socketio/client.
//
//	io, err := socketio.New(nil)
//	…
//	io.OnConnect(func(ctx context.Context, s *socketio.Socket) error {
//		return s.Emit("message", "Welcome!")
//	})
//	socketio.On(io, "message", func(ctx context.Context, s *socketio.Socket, text string) error {
//		return io.Emit("message", text)
//	})
//	http.Handle("/socket.io/", io)
//
// # From Flask-SocketIO
//
//	@socketio.on('connect')                 io.OnConnect(f); to refuse a client, io.Use(f)
//	raise ConnectionRefusedError('no')      in Use: return &socketio.Error{Message: "no"}
//	@socketio.on('message')                 socketio.On(io, "message", f)
//	@socketio.on('*')                       io.OnAny(f)
//	@socketio.on_error_default              io.OnError(f)
//	class Chat(Namespace): on_my_event      io.Of("/chat").Bind(chat), with a method OnMyEvent
//	return value of a handler               socketio.OnAck
//	request.sid, request.namespace          s.ID(), s.Namespace().Name()
//	send('text')                            s.Emit("message", "text")
//	emit('e', x)                            s.Emit("e", x)
//	emit('e', x, broadcast=True)            io.Emit("e", x)
//	… include_self=False                    s.Broadcast().Emit("e", x)
//	emit('e', x, to='room')                 io.To("room").Emit("e", x)
//	join_room('room'), leave_room           s.Join("room"), s.Leave("room")
//	rooms(), close_room('room')             s.Rooms(), io.CloseRoom("room")
//	call('e', x), emit(…, callback=f)       socketio.Ask[R](ctx, s, "e", x)
//	start_background_task(f)                go f()
//	namespace='/admin'                      io.Of("/admin")
//	cors_allowed_origins='https://a.b'      Options.Engine.OriginPatterns
//	session['k'] = v                        s.SetValue(k, v), and ctx.Value(k) from then on
//	disconnect()                            s.Disconnect()
//
// docs/from-flask-socketio.md has whole programs.
//
// # From npm's socket.io
//
//	io.on('connection', f)                  io.OnConnect(f); handlers stand beside it: On(io, …)
//	socket.on('e', (x, done) => done(y))    socketio.OnAck(io, "e", f)
//	socket.timeout(ms).emitWithAck('e')     socketio.Ask[R](ctx, s, "e")
//	io.timeout(ms).emitWithAck('e')         socketio.AskAll[R](ctx, io.To(), "e")
//	socket.broadcast.emit, socket.to(r)     s.Broadcast().Emit, s.To(r).Emit
//	io.to(r).except(q).emit                 io.To(r).Except(q).Emit
//	socket.volatile.emit                    s.EmitVolatile
//	io.in(r).socketsJoin(q), socketsLeave   io.To(r).Join(q), io.To(r).Leave(q)
//	io.in(r).fetchSockets()                 io.To(r).Sockets()
//	io.in(r).disconnectSockets()            io.To(r).Disconnect()
//	io.use((socket, next) => …)             io.Use(f)
//	socket.use, socket.onAny                io.UseEvents(f); io.OnAny(f) for what has no handler
//	socket.on('error', f)                   io.OnError(f)
//	socket.handshake.auth, …headers         s.DecodeAuth(&v), s.Request()
//	socket.data.k = v                       s.SetValue(k, v)
//	connectionStateRecovery                 Options.Recovery
//	io.of(/pattern/), serverSideEmit        not here; see Several servers below
//
// docs/from-npm-socketio.md has whole programs.
//
// The other way round from there, a page of another origin is refused on every
// transport unless OriginPatterns names it.
//
// # Order
//
// What one socket sends is handled in the order in which it was sent, one event
// after the other; other sockets are handled meanwhile. Acknowledgements come
// while a handler runs, so a handler may [Ask]. What is sent to several sockets
// reaches all of them in the same order. The answer to CONNECT goes out before
// what OnConnect sends.
//
// A panic in a handler is logged and is an error like another; the socket goes
// on.
//
// # Queues
//
// There are two, one in each direction:
//
//	                       of      bound                   when it is full
//	events for handlers    socket  MaxWaiting, MaxMessage  the client is not read from
//	packets to the client  client  Engine.QueueBytes       the client is cut: slow client
//
// What reads the transport parses a packet and puts the event into its socket's
// queue; there is none before that. Each socket has its own, so a handler that
// takes its time holds up no other client, and no other namespace of the same
// client until MaxWaiting events, or MaxMessage bytes of them, wait for it. Then
// nothing of this client is read until one of them is done: its POST is not
// answered, or its WebSocket not read, and its pongs are not missed.
// Acknowledgements and DISCONNECTs wait for no handler. One packet may be
// incomplete, its attachments under way; MaxMessage bounds it.
//
// A handler is run once half of what may wait to be sent to its client is free,
// so who asks and does not take the answers is held up and not cut. What the
// program sends by itself never waits: it is for [Socket.Ready] to say when
// there is room.
//
// With the chat on top of this, see package chat/sio, there is a third: a chat
// session's own queue, from which the client is sent what it takes.
//
// # Limits
//
// Everything that a client can make grow has a bound, see [Options]: sessions,
// packets, attachments, nesting, waiting events, rooms, and what waits to be
// sent, see [engineio.Options].
//
// # Several servers
//
// One server knows only its own clients. Polling sends each request over a
// connection of its own, and all requests of a session must reach the server
// that began it: behind a balancer that needs affinity (a cookie, see
// engineio.Options.Cookie, or the client's address), or else clients see "Session ID
// unknown". A WebSocket is one connection and needs none, so the other way is
// to do without polling: engineio.Options.Transports on the server,
// transports: ["websocket"] in the client. Recovery, too, works only on the
// server where the client was, or with [Recovery].Open on its next run. To broadcast across servers, let each send on
// what a broker tells it.
//
// # Limitations
//
// Events are not compressed one by one; compression is the WebSocket's, see
// engineio.Options. Binary events are not recovered, nor those that are volatile or
// ask. Clients of version 2 and before (EIO=3) are refused, and a log line says which.
//
// Two ways of python-socketio's client to know: it gives a server up that
// answers a poll with more than 16 packets (its
// engineio.payload.Payload.max_decode_packets), and while it polls it does not
// come back after [Socket.Drop] or a shutdown, which it is told by a packet.
package socketio
