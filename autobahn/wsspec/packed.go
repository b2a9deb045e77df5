package wsspec

import (
	"sync"

	"framewright/autobahn/wsspec/internal/deflate"
)

// A salvo is the messages of a fixed length that a corpus is cut into, compressed, as
// frames. All cases that send the same share it, and each message is made once.
type salvo struct {
	salvoKey

	mu    sync.Mutex
	wires map[int][]byte
}

// The salvos there are.
var salvos struct {
	sync.Mutex
	all map[salvoKey]*salvo
}

// A salvoKey is what makes a salvo what it is.
type salvoKey struct {
	corpus   *corpus
	length   int  // of a message, in bytes
	fragment int  // of a frame's payload at the most; 0: one frame
	window   int  // in bits (RFC 7692 §7.1.2)
	keep     bool // messages refer to those before (RFC 7692 §7.1.1)
	mask     bool
}

func newSalvo(k salvoKey) *salvo {
	salvos.Lock()
	defer salvos.Unlock()
	s := salvos.all[k]
	if s == nil {
		if salvos.all == nil {
			salvos.all = make(map[salvoKey]*salvo)
		}
		s = &salvo{salvoKey: k, wires: make(map[int][]byte)}
		salvos.all[k] = s
	}
	return s
}

// content is what the i-th message says, from 0.
func (s *salvo) content(i int) string { return s.corpus.part(s.place(i), s.length) }

func (s *salvo) place(i int) int { return i * s.length % corpusSize }

// wire returns the frames of the i-th message.
func (s *salvo) wire(i int) []byte {
	at, history := s.place(i), 0
	if s.keep {
		history = min(i*s.length, 1<<s.window)
	}
	// What a message looks like depends on its place and on how much is before it.
	key := at
	if history > at {
		key += corpusSize
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if b := s.wires[key]; b != nil {
		return b
	}
	before := ""
	if history > at {
		before = s.corpus.part(corpusSize+at-history, history)
	} else {
		before = s.corpus.part(at-history, history)
	}
	payload := deflate.Append(nil, []byte(before), []byte(s.corpus.part(at, s.length)), s.window)
	b := fragments(payload, s.fragment, s.corpus.opcode(), s.mask)
	s.wires[key] = b
	return b
}

func (c *corpus) opcode() byte {
	if c.binary {
		return OpBinary
	}
	return OpText
}

// fragments makes a compressed message into frames of at most so many bytes. Like the
// Autobahn testsuite it ends one whose length is a multiple of that with an empty
// frame.
func fragments(payload []byte, size int, opcode byte, mask bool) []byte {
	f := Frame{Opcode: opcode, RSV: RSV1}
	if size == 0 || len(payload) <= size {
		f.Fin, f.Payload = true, payload
		return f.Append(nil, mask)
	}
	var b []byte
	for {
		n := min(size, len(payload))
		f.Fin = n < size
		f.Payload = payload[:n]
		b = f.Append(b, mask)
		if f.Fin {
			return b
		}
		payload = payload[n:]
		f = Frame{Opcode: OpContinuation}
	}
}

// differs is where got stops being a part of want from a place on, or -1.
func differs(got []byte, want string, at int) int {
	if at+len(got) <= len(want) && string(got) == want[at:at+len(got)] {
		return -1
	}
	for i, c := range got {
		if at+i >= len(want) || want[at+i] != c {
			return at + i
		}
	}
	return -1
}
