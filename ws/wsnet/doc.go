// Package wsnet is WebSocket connections over a network: Dial, Accept, Server and Conn,
// over the protocol of package ws. It owns the stream, the locks, the buffers and the
// clock; what is allowed and what is owed it asks of ws.
//
//	conn.go        Conn: what the application holds
//	link.go        what both directions share: stream, deadlines, the end
//	lifetime.go    its context, made when somebody asks
//	lock.go        a mutex that a context can stop waiting for
//	read.go        Read, ReadAppend, Reader, Messages: the way of a message
//	read_buffer.go  the read buffer, and messages that stay where they were read
//	read_message.go  messages in pieces, control frames, inflating  RFC 7692 §7.2.2
//	buffers.go     buffers that survive a collection
//	write.go       Write, Flush: the way of a message
//	write_wait.go  frames that have to wait for the peer
//	write_tend.go  pongs, and what goes out in passing           §5.5.3
//	write_deflate.go  compressing                                RFC 7692 §7.2.1
//	writer.go      Writer: a message in fragments                §5.4
//	prepared.go    Prepare: one message for many connections
//	close.go       Close, CloseNow: the closing handshake        §7
//	keepalive.go   Ping, the dead peer                           §5.5.2
//	keepalive_timers.go  two timers for all connections of a server
//	netconn.go     NetConn
//	json.go        ReadJSON, WriteJSON
//	stream.go      deadlines for streams that have none
//	socket_*.go    a socket's system calls
//	upgrade.go     a server decides about an opening handshake   §4.2
//	accept.go      Accept: one that net/http carries
//	accept_connect.go  over HTTP/2                               RFC 8441
//	accept_stream.go  AcceptStream: one over a stream
//	httprequest.go  what Connect sees of that one                RFC 9112 §3
//	bound.go       how long a handshake over a stream may take
//	server.go      Server: an http.Handler that owns its connections
//	server_admission.go  how many connections it has
//	serve.go       Server.Serve: without net/http
//	dial.go        Dial, NewClient                               §4.1
//	dial_stream.go  over HTTP/2                                  RFC 8441
//	dial_handshake.go  a client asks, and judges the answer      §4.1
//	options.go     Options, ServerOptions, DialOptions: every limit and timeout
//
// # How a connection ends
//
// There is one reason, and it stays the same: Conn.Err, the cause of
// Conn.Context, and what every operation returns from then on, is or wraps
// one *CloseError. What made this endpoint fail the connection is inside of
// it, a *ProtocolError for example:
//
//	if pe, ok := errors.AsType[*ws.ProtocolError](err); ok {
//		log.Println(pe.Rule, pe.Section, pe.Detail)
//	}
//
// # What a message costs
//
// Nearly all of it is system calls. A message that is written while the reader
// has more to give out waits for the others, until the reader has nothing left
// or waits itself, Options.WriteDelay at the most; one that comes alone is
// answered at once. WritePrepared sends any number of messages with few calls.
// Reading and writing allocate nothing once buffers have their size. Messages
// yields a message where it was read, if it came in one piece; ReadAppend copies.
// Large buffers that nobody uses, 16 MiB of them at the most, are kept for a while.
// While a connection waits it holds no buffer: behind net/http it costs some 7 KiB of
// process memory, goroutine included, with Server.Serve some 5. Folder bench
// has the figures.
//
// # Compression
//
// Messages are compressed only if Options.Compression asks for it and the peer
// does, too. Its zero value compresses each message by itself and holds nothing
// between two messages; keeping contexts makes small messages smaller and costs
// every connection its windows. Compression has the figures. Conn.Deflate tells
// what was agreed on.
//
// # Limitations
//
// permessage-deflate (RFC 7692) is the only extension, and off unless
// Options.Compression asks for it. WebSocket over HTTP/2 (RFC 8441) takes framewright/ws/wsh2,
// see Accept and DialOptions.HTTP2. A stream without deadlines, and a TLS stream, lose the connection when a write is
// interrupted, even if nothing was sent yet. Text to be sent is checked, so a
// program pays for UTF-8 twice if it forwards text that it received.
package wsnet
