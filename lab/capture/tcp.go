package capture

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"time"
)

// What waits for a segment that is missing is bounded, by bytes and in number.
const (
	maxWaiting      = 256 << 10
	maxWaitingParts = 256
)

// A reassembler puts the segments of a capture's connections into order (RFC 9293 §3.4).
type reassembler struct {
	c         *Capture
	l         Limits
	conns     map[[2]netip.AddrPort]*tcpConn // by both ends, the lower one first
	start     time.Time
	packets   int
	tcp       int
	links     map[uint32]bool // that are not known
	fragments int
}

// A tcpConn is one connection.
type tcpConn struct {
	stream *Stream // nil: beyond the limit of connections
	client netip.AddrPort
	dirs   [2]tcpHalf // what the client sent, and what the server did
	ended  bool
}

// A tcpHalf is one direction.
type tcpHalf struct {
	known    bool // next is
	next     uint32
	waiting  []segment
	size     int
	overflow bool
	lost     bool
}

func newReassembler(f Format, l Limits) *reassembler {
	return &reassembler{c: &Capture{Format: f}, l: l, conns: make(map[[2]netip.AddrPort]*tcpConn), links: make(map[uint32]bool)}
}

func (r *reassembler) packet(p packet) {
	if r.packets++; r.packets == 1 {
		r.start = p.at
	}
	if !knownLink(p.link) {
		if len(r.links) < 8 {
			r.links[p.link] = true
		}
		return
	}
	s, ok, whole := parseIP(strip(p.link, p.data))
	if !whole {
		r.fragments++
	}
	if ok {
		r.tcp++
		r.segment(s, p.at.Sub(r.start))
	}
}

func (r *reassembler) segment(s segment, at time.Duration) {
	ends := [2]netip.AddrPort{s.from, s.to}
	if s.to.Compare(s.from) < 0 {
		ends[0], ends[1] = ends[1], ends[0]
	}
	c := r.conns[ends]
	opens := s.flags&(flagSYN|flagACK) == flagSYN
	if c == nil || c.ended && opens { // the same ports once more
		if !opens && len(s.data) == 0 && s.flags&flagSYN == 0 {
			return // nothing to tell of it yet
		}
		if c == nil && len(r.conns) >= r.l.Streams {
			r.c.stream("", r.l) // for its note
			return
		}
		c = r.open(s)
		r.conns[ends] = c
	}
	if c.stream == nil {
		return
	}
	h := &c.dirs[0]
	if s.from != c.client {
		h = &c.dirs[1]
	}
	if s.flags&(flagFIN|flagRST) != 0 {
		c.ended = true
	}
	if s.flags&flagSYN != 0 {
		h.known, h.next = true, s.seq+1
		s.seq++
	}
	if len(s.data) == 0 && s.missing == 0 {
		return
	}
	if !h.known { // the capture began later
		h.known, h.next = true, s.seq
	}
	h.take(c, s, at, r.l)
}

// open begins a connection. The client is who sent the SYN; if the capture began later,
// who asks for something, or has the higher port.
func (r *reassembler) open(s segment) *tcpConn {
	c := &tcpConn{client: s.from}
	server := s.to
	asks := len(s.data) > 4 && string(s.data[:4]) == "GET "
	switch {
	case s.flags&flagSYN != 0 && s.flags&flagACK != 0,
		s.flags&flagSYN == 0 && !asks && s.from.Port() < s.to.Port():
		c.client, server = s.to, s.from
	}
	c.stream = r.c.stream(fmt.Sprintf("%s → %s", c.client, server), r.l)
	return c
}

// take appends what a segment has to the stream, if it is what comes next, and what
// waited for it; or lets it wait.
func (h *tcpHalf) take(c *tcpConn, s segment, at time.Duration, l Limits) {
	if h.lost {
		return
	}
	ahead := int32(s.seq - h.next)
	if ahead > 0 {
		if len(h.waiting) >= maxWaitingParts || h.size+len(s.data) > maxWaiting {
			h.overflow = true
			return
		}
		h.waiting = append(h.waiting, s)
		h.size += len(s.data)
		return
	}
	h.append(c, s, at, l)
	for i := 0; i < len(h.waiting) && !h.lost; {
		w := h.waiting[i]
		if int32(w.seq-h.next) > 0 {
			i++
			continue
		}
		h.waiting = append(h.waiting[:i], h.waiting[i+1:]...)
		h.size -= len(w.data)
		h.append(c, w, at, l)
		i = 0
	}
}

// append adds what is new of s, which begins at h.next or before: a part may have been
// sent twice.
func (h *tcpHalf) append(c *tcpConn, s segment, at time.Duration, l Limits) {
	old := int(-int32(s.seq - h.next))
	if old < len(s.data) {
		c.stream.add(Piece{FromClient: h == &c.dirs[0], At: at, Data: s.data[old:]}, l)
		h.next += uint32(len(s.data) - old)
	}
	if s.missing > 0 && old < len(s.data)+s.missing {
		h.lost = true
		c.stream.note("the capture kept only the beginning of a packet of the %s: capture with a larger snapshot length (tcpdump -s 0)", h.side(c))
	}
}

func (h *tcpHalf) side(c *tcpConn) string {
	if h == &c.dirs[0] {
		return "client"
	}
	return "server"
}

// finish says what is missing.
func (r *reassembler) finish() (*Capture, error) {
	for _, c := range r.conns {
		if c.stream == nil {
			continue
		}
		for i := range c.dirs {
			h := &c.dirs[i]
			if len(h.waiting) == 0 && !h.overflow {
				continue
			}
			gap := int64(-1)
			for _, w := range h.waiting {
				if d := int64(w.seq - h.next); gap < 0 || d < gap {
					gap = d
				}
			}
			c.stream.note("%d bytes of the %s are missing in the capture, and what follows them is not read", gap, h.side(c))
		}
	}
	r.c.Streams = slices.DeleteFunc(r.c.Streams, func(s *Stream) bool { return len(s.Pieces) == 0 && len(s.Notes) == 0 })
	for _, link := range slices.Sorted(maps.Keys(r.links)) {
		r.c.note("packets of link type %d are left out: Ethernet, loopback, raw IP and Linux cooked captures are read", link)
	}
	if r.fragments > 0 {
		r.c.note("%d IP fragments are left out: they are not put together", r.fragments)
	}
	if len(r.c.Streams) == 0 {
		notes := ""
		for _, n := range r.c.Notes {
			notes += "; " + n
		}
		return nil, fmt.Errorf("no TCP connection with data in %d packets, of which %d carry TCP%s", r.packets, r.tcp, notes)
	}
	return r.c, nil
}
