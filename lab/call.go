package lab

import (
	"context"
	"io"

	"framewright/ws"
	"framewright/ws/wsnet"
)

// Answer is a server's half of the opening handshake that is right for the client of an
// [Experiment] (§1.3), with the field lines that are given besides.
func Answer(lines ...string) []byte {
	b := []byte("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
		"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n")
	for _, l := range lines {
		b = append(append(b, l...), "\r\n"...)
	}
	return append(b, "\r\n"...)
}

// call is the endpoint as a client: it asks, judges the answer, and sends messages back.
func (d *dialogue) call(ctx context.Context, deflate bool) error {
	o := &wsnet.DialOptions{Options: wsnet.Options{
		MaxMessage:   echoMessage,
		PingInterval: -1, // it says nothing by itself
		Rand:         &sample{},
		Trace:        d.note,
	}}
	o.Subprotocols = []string{"chat", "superchat"}
	if deflate {
		o.Compression = &ws.Compression{SendContext: true, ReceiveContext: true, Threshold: -1}
	}
	c, err := wsnet.NewClient(ctx, d.line, "ws://127.0.0.1/lab/crooked", o)
	if err != nil {
		return err
	}
	defer c.CloseNow()
	return echo(ctx, c)
}

// A sample is no randomness: first the nonce of the RFC's handshake (§1.3), whose Accept
// can so be written down, then the masking key of its frames (§5.7). A client whose
// dialogue is to be the same each time has it, and no other.
type sample struct{ begun bool }

func (s *sample) Read(p []byte) (int, error) {
	if !s.begun {
		s.begun = true
		return copy(p, "the sample nonce"), nil
	}
	for i := range p {
		p[i] = breakKey[i%len(breakKey)]
	}
	return len(p), nil
}

var _ io.Reader = (*sample)(nil)
