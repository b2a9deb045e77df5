// Package engineio is the server of Engine.IO, version 4, on package ws: a
// session of messages between a page and a server that begins with HTTP
// long-polling and moves to a WebSocket when it can, or begins with one.
// Socket.IO stands on it; it can be used by itself, with engine.io-client, or with
// package engineio/client in Go.
//
//	srv, err := engineio.NewServer(func(ctx context.Context, s *engineio.Socket) error {
//		for {
//			m, err := s.Receive(ctx)
//			if err != nil {
//				return err
//			}
//			if err := s.Send(m); err != nil {
//				return err
//			}
//		}
//	}, nil)
//	…
//	mux.Handle("/engine.io/", srv)
//
// The path is where it is mounted; clients expect "/engine.io/", those of
// Socket.IO "/socket.io/".
//
// # Files
//
//	packet.go     packets and payloads: parse, append        pure
//	codec.go      the same for who speaks the protocol himself
//	options.go    Options: every limit and timeout
//	errors.go     Reason, CloseError: why a session ended
//	server.go     Server: the list and the account of sessions
//	handshake.go  which request is what; a session opens
//	refusal.go    codes 0 to 5, origins, CORS
//	polling.go    GET and POST
//	websocket.go  what comes over a WebSocket
//	upgrade.go    from the one to the other
//	socket.go     Socket: heartbeats, the end
//	flood.go      what a client may send: rates, and waiting for them
//	send.go       Send, Ready: the queue to the client
//	inbox.go      Each, Receive: what came, and how the handler gets it
//	prepared.go   Prepare: one batch for many sessions
//
// # Requests
//
// Every request names the version, the transport and, but for the first, the
// session:
//
//	GET  ?EIO=4&transport=polling            opens a session
//	GET  ?EIO=4&transport=polling&sid=…      waits for packets to the client
//	POST ?EIO=4&transport=polling&sid=…      brings packets from the client
//	GET  ?EIO=4&transport=websocket          opens a session on a WebSocket
//	GET  ?EIO=4&transport=websocket&sid=…    upgrades a session to one
//
// A packet is a digit and data, see packet.go. A
// request that is refused gets status 400 (403 for code 4) and
// {"code":1,"message":"Session ID unknown"}, or the message alone as text if
// it asks for a WebSocket:
//
//	0  Transport unknown             not in Options.Transports
//	1  Session ID unknown            never was, or is over
//	2  Bad handshake method          a handshake is a GET
//	3  Bad request                   not what the session is in need of
//	4  Forbidden                     the origin, Options.Connect, a limit
//	5  Unsupported protocol version  EIO=3 is a client of Socket.IO 1.x or 2.x
//
// A client with too many sessions gets 429, one at a full server 503, both
// with Retry-After; a POST that is too large gets 413.
//
// # The upgrade
//
// The client tries the WebSocket while polling goes on, and moves when its
// last GET has come to an end. So nothing is sent twice, lost, or overtaken:
//
//	client, polling        server              client, WebSocket
//	   | GET ------------->  |                       |
//	   |                     | <------ upgrade, sid  |
//	   |                     | <------------ 2probe  |
//	   |                     | 3probe ------------>  |
//	   | <------- 6 (noop) - |                       |  the GET that waited
//	   |  no further GET     |                       |
//	   |                     | <----------------- 5  |
//	   |                     | 4… (the queue) ---->  |
//
// What is sent to the client between the probe and the 5 waits in the queue.
// If the 5 does not come within Options.UpgradeTimeout, polling goes on as if
// nothing had been. A second WebSocket for a session is closed, and a request
// by polling after the upgrade refused; the session does not mind.
//
// # How a session ends
//
// There is one reason, a [*CloseError]: what Err, Receive and Send return from
// then on, and the cause of the session's context.
//
//	transport close       a close packet; the WebSocket closed or was cut
//	transport error       two GETs or two POSTs at once, a request that was
//	                      given up, a ping from the client, a message too big
//	ping timeout          no pong within PingTimeout of a ping
//	parse error           a packet that cannot be decoded
//	forced close          Socket.Close, or the handler returned
//	slow client           more than QueueBytes waiting
//	server shutting down  Server.Shutdown, Server.Close
//
// A request that waits is then answered with a close packet, 1, or with a noop,
// 6, if the client itself closed. A WebSocket gets a Close frame: 1000 for an
// end that somebody asked for, 1001 when the server shuts down, and 1008 with
// the reason else. The client of a session that is gone gets code 1.
//
// # Flow
//
// Both directions are bounded. What the handler has not received waits, up to
// MaxPayload and one message more; a handler that uses [Socket.Each] has no such
// queue. A client whose messages are not taken is held up: its POST, or its
// WebSocket, waits, and its pongs are not missed meanwhile. A client that does not take what it is sent is a slow
// client, and ends; [Socket.Ready] waits for it, [Socket.SendVolatile] leaves
// out what it cannot take now. A session at rest costs its handler's goroutine
// and one timer, and on a WebSocket a goroutine that reads.
//
// # Origins
//
// A page may use the server if it comes from it, or if its origin is in
// Options.OriginPatterns, on either transport; other pages get 403. The
// reference server, by contrast, only leaves out the CORS headers, which keeps
// a page from reading an answer but not from having had its effect.
//
// # Several servers
//
// A session lives in one process. Behind a balancer, all requests of one
// session must reach the same one: by the client's address, or by the cookie
// that Options.Cookie sets. With Transports of WebSocket alone, here and at
// the clients, there is one request a session and nothing to see to.
//
// # Where it differs from the reference server
//
// Compared byte for byte with engine.io 6.6, these differ, on purpose. A
// foreign origin is refused. A WebSocket's Close frame has a code and a reason
// instead of none, and a WebSocket with transport=polling is refused before
// its handshake instead of after. A close packet over a WebSocket closes it
// instead of being ignored. A POST that ends the session because of what is in
// it gets 400 instead of "ok"; refusals have a body everywhere, and a method
// other than GET and POST gets 405 instead of 500. Answers are
// text/plain, "ok" included, and never cached or sniffed.
//
// # Limitations
//
// Version 4 only: no JSONP, and no binary bodies, both of version 3. No
// WebTransport. Answers by polling are compressed with gzip alone, as many at
// once as two a processor; others go out as they are. MaxSessionsPerAddress
// counts IPv6 addresses one by one. A client by polling that disappears
// without a word is noticed by its missing pong, 45 seconds later at the
// most.
package engineio
