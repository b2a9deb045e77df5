// Package wsh2 speaks HTTP/2 so that WebSocket can use it (RFC 8441, RFC 9113): the page
// and all of its WebSockets share one connection. What it hands an http.Handler is what
// net/http would, and for an extended CONNECT the stream besides, which hijacks as a
// connection of HTTP/1.1 does: framewright/ws/wsnet takes both. No environment variable
// is asked for.
//
//	h := &wsh2.Server{}
//	s := &http.Server{Handler: mux, TLSConfig: config}
//	h.Attach(s)                            // over TLS, where ALPN says h2
//	s.Serve(tls.NewListener(l, s.TLSConfig))
//
//	s.Serve(h.Listener(l))                 // over plain TCP, with prior knowledge
//
// A Client opens such streams, for wsnet.Dial, all to one host on one connection:
//
//	client := &wsh2.Client{}
//	c, err := wsnet.Dial(ctx, "wss://example.com/chat", &wsnet.DialOptions{HTTP2: client})
//
// # What is where
//
//	server.go    Server: limits, Attach, Shutdown
//	listener.go  Listener: which of two protocols a connection speaks
//	conn.go      a connection: who reads, who writes, when it ends
//	stream.go    a stream as a net.Conn: deadlines, half close
//	request.go   a request as net/http has it
//	response.go  a ResponseWriter
//	header.go    its header, as HTTP/2 has it
//	bridge.go    Bridge: for handlers that know HTTP/1.1's handshake alone
//	client.go    Client: which connection, and whether there is one
//	ask.go       a client's request, and its answer
//
// What HTTP/2 itself demands, and every limit of what a peer may cost, is in
// framewright/ws/internal/h2, which does no I/O.
//
// # Backpressure
//
// Who does not read a stream closes the window of that stream, and of no other. Who
// writes waits until the stream's buffer has room, which the peer's windows make. A
// deadline that passes meanwhile, or a context, takes nothing from the stream.
//
// # Limitations
//
// The client asks for WebSockets only, and knows no proxies. No trailers, no push, no priorities: streams take turns. A request that
// expects 100-continue gets it when its body is first read.
package wsh2
