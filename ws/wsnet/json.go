package wsnet

import (
	"context"
	"encoding/json"
	"errors"

	"framewright/ws"
)

// ErrBinary: a message is binary, where JSON was expected, which is text.
var ErrBinary = errors.New("ws: a binary message, expected JSON in a text message")

// ReadJSON reads the next message, of text, and decodes its one JSON value into v,
// as json.Unmarshal does; more than that value is an error. How long a message may
// be, Options.MaxMessage says. What is no such value is the sender's mistake, not
// the connection's: it goes on, and the caller decides. Whether an error is the
// connection's end, Conn.Err and ws.CloseStatus tell.
func ReadJSON(ctx context.Context, c *Conn, v any) error {
	op, p, err := c.Read(ctx)
	switch {
	case err != nil:
		return err
	case op != ws.OpText:
		return wrapOp("read JSON", ErrBinary)
	}
	return wrapOp("read JSON", json.Unmarshal(p, v))
}

// WriteJSON writes v as a text message, as json.Marshal encodes it. Of a v that
// cannot be encoded nothing is sent.
func WriteJSON(ctx context.Context, c *Conn, v any) error {
	p, err := json.Marshal(v)
	if err != nil {
		return wrapOp("write JSON", err)
	}
	return c.Write(ctx, ws.OpText, p)
}
