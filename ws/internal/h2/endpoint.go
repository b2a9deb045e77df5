package h2

import (
	"bytes"
	"cmp"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"framewright/internal/bucket"
)

const (
	defaultWindow = 65535     // §6.9.2
	maxWindow     = 1<<31 - 1 // §6.9.1
	maxFrame      = 16 << 10  // of what is sent, whatever the peer allows; and the default of what comes (§6.5.2)
	maxTable      = 4 << 10   // of HPACK's dynamic table, in either direction (§6.5.2)

	// connWindow is the connection's own receive window. It is given back as data
	// comes, so it bounds nothing but what is on its way.
	connWindow = 1 << 20

	// rememberedResets is how many streams that this end has reset are remembered:
	// frames for them may have been on their way (§5.1).
	rememberedResets = 128
)

// Limits bound what a peer may cost. The zero value has the defaults.
type Limits struct {
	Streams      int // that the peer may have open at one time; default 100
	StreamWindow int // bytes that may wait unread in a stream; default 64 KiB, which is the least
	SendBuffer   int // bytes that may wait in a stream for its window; default 32 KiB
	HeaderBytes  int // of one header list, counted as in §6.5.2; default 32 KiB
}

func (l Limits) filled() Limits {
	l.Streams = cmp.Or(max(0, l.Streams), 100)
	l.StreamWindow = min(max(64<<10, l.StreamWindow), maxWindow)
	l.SendBuffer = cmp.Or(max(0, l.SendBuffer), 32<<10)
	l.HeaderBytes = cmp.Or(max(0, l.HeaderBytes), 32<<10)
	return l
}

// An Endpoint is one end of a connection. It is not for several goroutines at once.
type Endpoint struct {
	limits  Limits
	server  bool
	streams map[uint32]*Stream // open or half-closed
	last    uint32             // the highest stream that the client has opened
	taken   int                // streams that are open, or that nobody has released
	failed  *Error             // the end of the connection

	settled bool // the peer's SETTINGS have come
	away    bool // GOAWAY was sent
	left    bool // or came

	// The windows of the connection: what may be sent, what may come, and what came
	// and was not given back yet.
	outWindow, inWindow, owed int64

	// What the peer's SETTINGS say.
	peerWindow  int64 // for each stream
	peerStreams int   // that this end may open
	connect     bool  // a server speaks RFC 8441

	out    bytes.Buffer // frames that are ready
	frames *http2.Framer
	fields bytes.Buffer // one encoded header list
	enc    *hpack.Encoder
	ready  []*Stream // with something to send, in turn

	resets  [rememberedResets]uint32
	resetAt int

	calm   bucket.Bucket
	earned int64 // WINDOW_UPDATEs that the peer may send without being charged
}

// A Stream is one of an Endpoint's (§5.1).
type Stream struct {
	ID uint32

	// Wake, if not nil, is called when somebody who waits for the stream should look
	// again: content, room, the end. It must not call the Endpoint.
	Wake func()

	in, outBuf          buffer
	inWindow, owed      int64 // as the connection's
	outWindow           int64
	declared, got       int64 // the content's length; -1 if none was declared
	ended               bool  // END_STREAM came
	closing, closed     bool  // END_STREAM is to be sent; was sent
	tunnel              bool  // a CONNECT: see Release
	queued              bool  // in ready
	gone, released      bool
	answered            bool // client: the final answer came
	err                 error
	removed, headerSent bool
}

// A buffer is bytes that are added at its end and taken from its beginning.
type buffer struct {
	b   []byte
	off int
}

func (b *buffer) len() int { return len(b.b) - b.off }

func (b *buffer) add(p []byte) {
	if b.off > 0 && len(b.b)+len(p) > cap(b.b) {
		b.b = b.b[:copy(b.b, b.b[b.off:])]
		b.off = 0
	}
	b.b = append(b.b, p...)
}

// next returns the first n bytes, which take takes off.
func (b *buffer) next(n int) []byte { return b.b[b.off : b.off+n] }

// take leaves no memory behind that is not needed: most streams wait.
func (b *buffer) take(n int) {
	if b.off += n; b.off == len(b.b) {
		*b = buffer{}
	}
}

// NewServer returns a server's end, with the SETTINGS that open it to be sent (§3.4).
func NewServer(l Limits) *Endpoint {
	e := newEndpoint(l, true)
	e.frames.WriteSettings(
		http2.Setting{ID: http2.SettingMaxConcurrentStreams, Val: uint32(e.limits.Streams)},
		http2.Setting{ID: http2.SettingInitialWindowSize, Val: uint32(e.limits.StreamWindow)},
		http2.Setting{ID: http2.SettingMaxHeaderListSize, Val: uint32(e.limits.HeaderBytes)},
		http2.Setting{ID: http2.SettingEnableConnectProtocol, Val: 1}, // RFC 8441 §3
		http2.Setting{ID: http2.SettingNoRFC7540Priorities, Val: 1},   // RFC 9218 §2.1
	)
	e.frames.WriteWindowUpdate(0, connWindow-defaultWindow)
	return e
}

// NewClient returns a client's end, with the preface and the SETTINGS to be sent.
func NewClient(l Limits) *Endpoint {
	e := newEndpoint(l, false)
	e.out.WriteString(http2.ClientPreface)
	e.frames.WriteSettings(
		http2.Setting{ID: http2.SettingEnablePush, Val: 0},
		http2.Setting{ID: http2.SettingInitialWindowSize, Val: uint32(e.limits.StreamWindow)},
		http2.Setting{ID: http2.SettingMaxHeaderListSize, Val: uint32(e.limits.HeaderBytes)},
	)
	e.frames.WriteWindowUpdate(0, connWindow-defaultWindow)
	return e
}

func newEndpoint(l Limits, server bool) *Endpoint {
	e := &Endpoint{
		limits: l.filled(), server: server, streams: map[uint32]*Stream{},
		outWindow: defaultWindow, inWindow: connWindow, peerWindow: defaultWindow, peerStreams: 100,
	}
	e.frames = http2.NewFramer(&e.out, nil)
	e.enc = hpack.NewEncoder(&e.fields)
	e.enc.SetMaxDynamicTableSizeLimit(maxTable)
	return e
}

// Limits returns the limits, with the defaults filled in.
func (e *Endpoint) Limits() Limits { return e.limits }

// Err returns why the connection is over; nil while it is not.
func (e *Endpoint) Err() error {
	if e.failed == nil {
		return nil
	}
	return e.failed
}

// Settled reports whether the peer's SETTINGS have come.
func (e *Endpoint) Settled() bool { return e.settled }

// Connect reports whether a server has announced that it speaks RFC 8441.
func (e *Endpoint) Connect() bool { return e.connect }

// Taken returns the streams that are open, or that nobody has released yet.
func (e *Endpoint) Taken() int { return e.taken }

// Leaving reports whether no more streams are to come: either end has said so.
func (e *Endpoint) Leaving() bool { return e.away || e.left }

// newStream puts a stream among the open ones.
func (e *Endpoint) newStream(id uint32) *Stream {
	s := &Stream{ID: id, inWindow: int64(e.limits.StreamWindow), outWindow: e.peerWindow, declared: -1}
	e.streams[id] = s
	e.taken++
	return s
}

// remove takes a stream that is over off the open ones.
func (e *Endpoint) remove(s *Stream) {
	delete(e.streams, s.ID)
	s.gone = true
	e.forget(s)
}

// forget counts a stream out that is over and released.
func (e *Endpoint) forget(s *Stream) {
	if s.gone && s.released && !s.removed {
		s.removed = true
		e.taken--
	}
}

// fail ends the connection, with a GOAWAY that says why (§5.4.1).
func (e *Endpoint) fail(err *Error) error {
	if e.failed != nil {
		return e.failed
	}
	e.frames.WriteGoAway(e.seen(), err.Code, []byte(err.Detail))
	e.end(err)
	return err
}

// seen is the highest stream of the peer's that was looked at (§6.8).
func (e *Endpoint) seen() uint32 {
	if e.server {
		return e.last
	}
	return 0
}

// end ends every stream with the connection.
func (e *Endpoint) end(err *Error) {
	e.failed = err
	for _, s := range e.streams {
		s.err = cmp.Or[error](s.err, err)
		s.outBuf = buffer{}
		e.remove(s)
		s.wake()
	}
	e.ready = nil
}

// Err returns why s ended before its time, or nil.
func (s *Stream) Err() error { return s.err }

func (s *Stream) wake() {
	if s.Wake != nil {
		s.Wake()
	}
}
