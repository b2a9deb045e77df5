package socketio

// Prepared is an event that was encoded once and can be sent to any number of
// sockets of its namespace: see [Namespace.Prepare].
type Prepared struct {
	ns    *Namespace
	event *encoded
}

// Prepare encodes an event. The error says what cannot be encoded.
func (n *Namespace) Prepare(event string, args ...any) (*Prepared, error) {
	e, err := encodeEvent(n.name, noID, event, args)
	if err != nil {
		return nil, err
	}
	return &Prepared{n, e}, nil
}

// At returns the event with an offset of the program's own, for a namespace
// that has an [Namespace.OnRecover]. Sockets that take part in recovery get it
// as one more argument, others do not.
func (p *Prepared) At(offset string) *Prepared {
	e := *p.event
	e.marked = e.withOffset(offset)
	return &Prepared{p.ns, &e}
}

// Size is what the event counts in bytes, its attachments included.
func (p *Prepared) Size() int {
	n := len(p.event.text)
	for _, a := range p.event.attachments {
		n += len(a)
	}
	return n
}

// Send sends a prepared event of this socket's namespace. The error is
// [ErrClosed].
func (s *Socket) Send(p *Prepared) error {
	if p.ns != s.ns {
		panic("socketio: an event prepared for another namespace")
	}
	return s.send(p.event, false)
}

// SendBatch is [Socket.Send] of several, which go to the client together and with no other
// event between them. After an error the rest was not sent.
func (s *Socket) SendBatch(events ...*Prepared) (err error) {
	s.client.engine.Gather(func() {
		s.ns.mu.Lock()
		defer s.ns.mu.Unlock()
		for _, p := range events {
			if p.ns != s.ns {
				panic("socketio: an event prepared for another namespace")
			}
			if err = s.sendLocked(p.event, false); err != nil {
				return
			}
		}
	})
	return err
}

// SetOffset says where the socket is in the program's own history before its
// first event, see [Namespace.OnRecover].
func (s *Socket) SetOffset(offset string) {
	s.ns.mu.Lock()
	defer s.ns.mu.Unlock()
	s.base = offset
}
