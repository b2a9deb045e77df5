// Package client is a client of Engine.IO, version 4: a session of messages with a
// server, over HTTP long-polling, a WebSocket, or the one and then the other. It is
// the other side of package engineio and speaks with every server of the protocol,
// npm's and python-engineio among them. Socket.IO stands on it: see package
// framewright/socketio/client.
//
//	c, err := client.Dial(ctx, "https://example.com/engine.io/", nil)
//	…
//	defer c.Close()
//	err = c.Send(engineio.Text("hello"))
//	m, err := c.Receive(ctx)
//
// # Files
//
//	options.go    Options: every limit and timeout
//	errors.go     RefusedError, and the caller's own mistakes
//	handshake.go  Dial: the open packet, and what it may say
//	conn.go       Conn: heartbeats, the end
//	polling.go    GET and POST
//	websocket.go  what comes over a WebSocket
//	upgrade.go    from the one to the other
//	send.go       Send, Ready: the queue to the server
//	inbox.go      Receive: what came
//
// Packets are parsed and written by package engineio, as on a server.
//
// # The upgrade
//
// While polling goes on, a WebSocket is tried with a probe. When its answer has come,
// no further request begins; when those that are under way have come to their end, the
// upgrade packet goes out, and then what has waited. So nothing is lost, sent twice,
// or overtaken, in either direction. A probe that fails, or is not done within
// Options.UpgradeTimeout, leaves the session on polling: [Conn.UpgradeErr] says why.
//
// # How a session ends
//
// There is one reason, a [*engineio.CloseError]: what Err, Receive and Send return
// from then on, and the cause of the session's context.
//
//	transport close   a close packet; the WebSocket was closed or cut
//	transport error   a request failed, or was refused: a *RefusedError
//	ping timeout      nothing came within pingInterval and pingTimeout
//	parse error       a packet that cannot be decoded, or a second open packet
//	forced close      Conn.Close
//	too many packets  of which nothing comes: Options.IdleRate
//
// A session does not come back. Who wants another calls Dial again; package
// socketio/client does so by itself.
//
// # Bounds
//
// Whatever a server sends, memory is bounded:
//
//	an answer's headers     64 KiB, unless Options.HTTPClient is set
//	an answer's body        MaxPayload, BodyTimeout
//	a WebSocket message     MaxPayload, and MessageTimeout of Options.WebSocket
//	what waits for Receive  MaxPayload and one message more; then nothing is read
//	what waits to be sent   QueueBytes; then Send refuses
//	pongs to be sent        one
//	silence                 what the handshake says, and MaxSilence at the most
//
// # Limitations
//
// Version 4 only, and no WebTransport. There is one attempt: who lists WebSocket first
// gets no polling if that fails. The connections of an HTTPClient of the caller's are
// the caller's, as is its Timeout, which would end a GET that waits.
package client
