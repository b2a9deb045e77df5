package peer

import (
	"crypto/sha1"
	"encoding/base64"
	"net/http"
)

// bareHTTP is the floor of a handshake by way of net/http: it takes over the
// connection and answers, without a look at the request but for its key. It
// speaks no WebSocket after that.
var bareHTTP = Server{
	Name: "net/http alone",
	Echo: handler(func(w http.ResponseWriter, r *http.Request) {
		c, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		defer c.Close()
		sum := sha1.Sum([]byte(r.Header.Get("Sec-WebSocket-Key") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
		answer := append(make([]byte, 0, 256), "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "...)
		answer = append(base64.StdEncoding.AppendEncode(answer, sum[:]), "\r\n\r\n"...)
		if _, err := c.Write(answer); err != nil {
			return
		}
		_, _ = c.Read(make([]byte, 1))
	}),
}
