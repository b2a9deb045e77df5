// Package engineio is the server of Engine.IO, version 4, on package ws: a
// session of messages between a page and a server that begins with HTTP
// long-polling and moves to a WebSocket when it can, or begins with one.
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
package engineio
