// Package h2 is one end of an HTTP/2 connection (RFC 9113), as far as it takes to carry
// WebSocket (RFC 8441) and the requests of the page around it. It does no I/O and knows
// no time: frames come in through Receive, what is to be sent comes out of Append, and
// between them stand the streams. Locks, goroutines, deadlines and sockets are
// framewright/ws/wsh2.
//
//	endpoint.go   Endpoint, Limits, Stream: what there is
//	receive.go    Receive: the connection's own frames            §6.4 to §6.9
//	streams.go    what opens, feeds and ends a stream             §5.1, §6.1, §6.2
//	request.go    what makes a request malformed                  §8.1 to §8.3
//	send.go       Write, Headers, Append: what is sent            §5.2, §6.9
//	read.go       Read: what came, and the window it opens again  §5.2
//	flood.go      frames that cost us and bring nothing           §10.5
//	frames.go     Frames: bytes to frames, within limits          §4
//	errors.go     Error
//
// # Why by hand
//
// Frames and HPACK are those of golang.org/x/net/http2. Its servers and net/http's have no
// way to a stream with deadlines that can pass without killing it, and announce the
// setting of RFC 8441 only if the environment of the process asks for it. What is written
// here is what stands between frames and streams: states, windows, limits.
//
// What HTTP/2 has and this has not: priorities (§5.3 deprecates them; streams take
// turns), server push, trailers that reach anybody, padding of what is sent.
//
// # What a peer may cost
//
// A connection holds at the most Limits.Streams × (StreamWindow + SendBuffer) bytes of
// content, and twice as many streams whose handlers have not noticed yet that they were
// reset. Its own window is given back as data comes, not as it is read: who does not
// read a stream stops that stream alone.
package h2
