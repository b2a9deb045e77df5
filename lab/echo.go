package lab

import (
	"context"

	"framewright/ws/wsnet"
)

// echo sends every message back.
func echo(ctx context.Context, c *wsnet.Conn) error {
	for m, err := range c.Messages(ctx) {
		if err != nil {
			return err
		}
		if err := c.Write(ctx, m.Opcode, m.Data); err != nil {
			return err
		}
	}
	return nil
}
