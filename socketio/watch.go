package socketio

import (
	"bytes"
	"encoding/json"
	"slices"
)

// A Watcher is told what happens on a server: see [Server.Watch]. Each function may be
// nil.
//
// They are called where it happens and hold it up, most of them while their namespace is
// locked. So they return at once, and of this package call nothing but a socket's ID,
// Namespace, Session, Transport, Since, Request and Context. What they are given is not
// theirs to change; [Event.JSON] may be kept.
type Watcher struct {
	// Present is called by Watch itself, for each socket that is connected already,
	// until it returns false.
	Present func(s *Socket, rooms []string) (more bool)

	// Connected, Disconnected, Joined and Left come in the order in which it
	// happened. A socket joins its rooms, its own among them, right before it is
	// connected, and leaves them right after it is disconnected. In rooms its own is
	// the first.
	Connected    func(s *Socket, rooms []string)
	Disconnected func(s *Socket, why Reason)
	Joined, Left func(s *Socket, room string)

	// Received is called with each event of a client before its handler, and Sent
	// with each that is sent to a client, once for every socket.
	Received, Sent func(s *Socket, e Event)

	// Opened and Closed are called with each connection, whatever it is for, and
	// why it is over. In is called with each message of a client's, and Out with
	// each event and acknowledgement to one, in bytes, without Engine.IO's own.
	Opened  func()
	Closed  func(why Reason)
	In, Out func(bytes int)
}

// An Event is what was sent, as it stands on the wire.
type Event struct {
	JSON   []byte // an array: the event's name and its arguments; "_placeholder" stands for bytes
	Asks   bool   // an acknowledgement is wanted
	Binary int    // how many attachments belong to it
}

// Watch has w told what happens on the server, until stop is called, which may be more
// than once. Nothing falls between what Present is called for and the rest. A server that
// nobody watches does nothing for it.
func (s *Server) Watch(w *Watcher) (stop func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.watchers = append(slices.Clip(s.watchers), w)
	s.publish()
	more := w.Present != nil
	for _, n := range s.namespaces {
		n.watch(s.watchers, func(one *Socket) bool {
			more = more && w.Present(one, one.allRooms())
			return more
		})
	}
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		i := slices.Index(s.watchers, w)
		if i < 0 {
			return
		}
		s.watchers = slices.Delete(slices.Clone(s.watchers), i, i+1)
		s.publish()
		for _, n := range s.namespaces {
			n.watch(s.watchers, func(*Socket) bool { return false })
		}
	}
}

// publish lets connections find the watchers without a lock. The caller holds mu.
func (s *Server) publish() {
	list := s.watchers
	s.watching.Store(&list)
}

// watch makes list the namespace's watchers, and calls present for who is there until it
// returns false.
func (n *Namespace) watch(list []*Watcher, present func(*Socket) bool) {
	n.setup.Lock()
	defer n.setup.Unlock()
	n.mu.Lock()
	defer n.mu.Unlock()
	n.watchers = list
	for _, s := range n.sockets {
		if !present(s) {
			return
		}
	}
}

// everyone calls f with each watcher, wherever it hears of connections.
func (s *Server) everyone(f func(w *Watcher)) {
	if list := s.watching.Load(); list != nil {
		for _, w := range *list {
			f(w)
		}
	}
}

// The functions below tell of one thing. Who calls them holds the namespace's mu, and has
// seen that there are watchers.

func (n *Namespace) tellConnected(s *Socket) {
	rooms := s.allRooms()
	for _, w := range n.watchers {
		if w.Connected != nil {
			w.Connected(s, rooms)
		}
	}
}

func (n *Namespace) tellDisconnected(s *Socket, why Reason) {
	for _, w := range n.watchers {
		if w.Disconnected != nil {
			w.Disconnected(s, why)
		}
	}
}

func (n *Namespace) tellJoined(s *Socket, room string) {
	for _, w := range n.watchers {
		if _, in := s.rooms[room]; !in && w.Joined != nil {
			w.Joined(s, room)
		}
	}
}

func (n *Namespace) tellLeft(s *Socket, room string) {
	for _, w := range n.watchers {
		if w.Left != nil {
			w.Left(s, room)
		}
	}
}

// tellSent tells of a packet that is on its way. An acknowledgement is none but for Out.
func (n *Namespace) tellSent(s *Socket, e *encoded) {
	size := len(e.text)
	for _, a := range e.attachments {
		size += len(a)
	}
	kind := PacketType(e.text[0] - '0')
	for _, w := range n.watchers {
		if w.Out != nil {
			w.Out(size)
		}
		if w.Sent != nil && (kind == typeEvent || kind == typeBinaryEvent) {
			w.Sent(s, Event{JSON: e.payload(n.name), Asks: e.asks, Binary: len(e.attachments)})
		}
	}
}

// tellReceived tells the watchers of an event that has come.
func (s *Socket) tellReceived(watchers []*Watcher, p packet) {
	for _, w := range watchers {
		if w.Received != nil {
			list := make([]json.RawMessage, len(p.args))
			for i, a := range p.args {
				list[i] = a.raw
			}
			text, err := appendJSON(nil, list)
			if err != nil { // parsePacket has seen to that
				return
			}
			w.Received(s, Event{JSON: text, Asks: p.id != noID, Binary: p.attachments})
		}
	}
}

// payload is what stands behind the packet's head, see [packet].
func (e *encoded) payload(namespace string) []byte {
	const digits = "0123456789"
	b := e.text[1:]
	if len(e.attachments) > 0 {
		_, b, _ = bytes.Cut(b, []byte("-"))
	}
	if namespace != "/" {
		b = b[len(namespace)+1:]
	}
	return bytes.TrimLeft(b, digits)
}

// allRooms is roomList with the socket's own, which goes first.
func (s *Socket) allRooms() []string { return append([]string{s.id}, s.roomList()...) }
