package inflate

import "cmp"

// Options are what a Decoder goes by.
type Options struct {
	// Window is the base-2 logarithm of the sender's window, 8 to 15; 0 is 15. A
	// distance that is longer is an ErrWindow.
	Window int

	// NoContext: each message stands by itself (RFC 7692 §7.1.1). A distance that goes
	// back to before its start is an ErrHistory.
	NoContext bool

	// Limit is how many bytes a message's content may have; 0 is 32 MiB.
	Limit int64

	// Lenient is as lenient as zlib: a longer distance passes if it goes back no
	// further than the window before what zlib would put out together, which is the
	// 16, 16, 32, 64, … KiB of what one Write brings.
	Lenient bool
}

const (
	maxWindowBits = 15
	defaultLimit  = 32 << 20
)

// Stats are what was measured of a message.
type Stats struct {
	Stored, Fixed, Dynamic int // blocks of each type (RFC 1951 §3.2.3)
	Final                  int // blocks with BFINAL, of all types

	// Distance is the longest, Before how far the message goes back to before its own
	// start at the most, in bytes. A sender that keeps no context has a Before of 0.
	Distance, Before int

	In, Out int64 // bytes of compressed data, and of content
}

// A Decoder inflates the messages of one direction of one connection. It takes some
// 170 KB, whatever is sent.
type Decoder struct {
	opts Options
	r    reader
	hold []byte // what the last Write could not use yet: the start of a symbol or header

	mode    mode
	stored  int // bytes to come of a stored block
	isFinal bool
	ended   bool // with a final block, and nothing behind it
	failed  error

	// buf has the history, then content. What is before base is forgotten; from sent on
	// it has not been put out.
	buf       []byte
	base      int
	start     int // of the message; less than 0 if that is gone
	sent, pos int
	// Lenient: where this Write began, and what is put out together, from and to.
	origin, call, mark int

	checked int   // distances up to this are known to be allowed
	before  int64 // bytes of the message before what r reads
	stats   Stats

	literals  *[literalSize]uint32
	distances *[distanceSize]uint32
	own       struct {
		literals  [literalSize]uint32
		distances [distanceSize]uint32
	}
}

// A mode is what comes next in the stream.
type mode byte

const (
	inHeader mode = iota
	inStored
	inSymbols
)

const (
	historySize = 1 << maxWindowBits
	chunkSize   = 96 << 10
	slack       = 258 + 64 // a match, and what is copied too much for speed
)

// New returns a Decoder for a connection that begins.
func New(o Options) *Decoder {
	o.Window = cmp.Or(o.Window, maxWindowBits)
	o.Limit = cmp.Or(o.Limit, defaultLimit)
	d := &Decoder{buf: make([]byte, historySize+chunkSize+slack)}
	d.Reset(o)
	return d
}

// Reset makes the Decoder one for another connection.
func (d *Decoder) Reset(o Options) {
	o.Window = cmp.Or(o.Window, maxWindowBits)
	o.Limit = cmp.Or(o.Limit, defaultLimit)
	d.opts = o
	d.base, d.sent, d.pos = 0, 0, 0
	d.failed = nil
	d.begin()
}

// SetHistory puts content in place of what came before, as if the last messages had
// been that.
func (d *Decoder) SetHistory(content []byte) {
	content = content[max(0, len(content)-historySize):]
	d.base, d.pos = 0, copy(d.buf, content)
	d.sent = d.pos
	d.begin()
}

// begin starts a message.
func (d *Decoder) begin() {
	d.r, d.hold = reader{}, d.hold[:0]
	d.mode, d.isFinal, d.ended = inHeader, false, false
	if d.opts.NoContext {
		d.base = d.pos
	}
	d.start = d.pos
	d.checked, d.before = 0, 0
	d.stats = Stats{}
}

// Stats are of the message so far, or of the last one until the next begins.
func (d *Decoder) Stats() Stats {
	s := d.stats
	s.Out = d.Out()
	return s
}

// Out is the bytes of content so far.
func (d *Decoder) Out() int64 { return d.stats.Out + int64(d.pos-d.sent) }

// tail is what the sender has taken off (RFC 7692 §7.2.2).
var tail = []byte{0x00, 0x00, 0xff, 0xff}

// Write inflates more of a message. All content that this makes known goes to out,
// in pieces; what out gets is the Decoder's and holds until out returns. The error is
// out's, or an [*Error]; after it the Decoder is of no use until Reset.
func (d *Decoder) Write(p []byte, out func([]byte) error) error {
	if d.failed != nil {
		return d.failed
	}
	d.stats.In += int64(len(p))
	err := d.write(p, out)
	d.failed = err
	return err
}

// End ends a message: the four bytes that its sender took off are put back, and what
// that brings goes to out. An error that wraps ErrUnfinished leaves the content as
// all that there was. The next Write begins the next message; Stats stay until then.
func (d *Decoder) End(out func([]byte) error) (Stats, error) {
	if d.failed != nil {
		return d.Stats(), d.failed
	}
	// A last block that says so ends a message without an empty one, too: as all do who
	// stop reading at it.
	if !d.ended {
		if err := d.write(tail, out); err != nil {
			d.failed = err
			return d.Stats(), err
		}
	}
	s := d.Stats()
	if d.mode != inHeader || len(d.hold) > 0 {
		d.failed = d.fault(ErrUnfinished, "the message ends inside a block (RFC 7692 §7.2.1)")
		return s, d.failed
	}
	d.begin()
	return s, nil
}

// Message inflates a whole message and appends its content to dst.
func (d *Decoder) Message(dst, p []byte) ([]byte, Stats, error) {
	out := func(b []byte) error {
		dst = append(dst, b...)
		return nil
	}
	if err := d.Write(p, out); err != nil {
		return dst, d.Stats(), err
	}
	s, err := d.End(out)
	return dst, s, err
}

func (d *Decoder) write(p []byte, out func([]byte) error) error {
	if len(p) > 0 {
		d.ended = false
	}
	in := p
	if len(d.hold) > 0 {
		d.hold = append(d.hold, p...)
		in = d.hold
	}
	d.r.more(in)
	d.origin, d.call, d.mark = d.pos, d.pos, d.pos+16<<10
	if d.opts.Lenient {
		d.checked = min(d.checked, 1<<d.opts.Window)
	}
	for {
		state, err := d.step()
		if err != nil {
			return d.flushed(out, err)
		}
		if state == wantsRoom {
			if err := d.flush(out); err != nil {
				return err
			}
			d.slide()
		}
		if state == wantsInput {
			break
		}
	}
	used := d.r.keep()
	d.before += int64(used)
	d.hold = append(d.hold[:0], in[used:]...)
	return d.flush(out)
}

// A state is why the decoder has stopped.
type state byte

const (
	goesOn state = iota
	wantsInput
	wantsRoom
)

func (d *Decoder) step() (state, error) {
	if d.pos >= historySize+chunkSize {
		return wantsRoom, nil
	}
	switch d.mode {
	case inHeader:
		return d.header()
	case inStored:
		return d.copyStored()
	default:
		return d.symbols()
	}
}

// flush puts out what is new.
func (d *Decoder) flush(out func([]byte) error) error {
	b := d.buf[d.sent:d.pos]
	if len(b) == 0 {
		return nil
	}
	total := d.Out()
	if room := d.opts.Limit - d.stats.Out; int64(len(b)) > room {
		b = b[:room]
		err := d.fault(ErrLimit, "the content is longer than %d bytes", d.opts.Limit)
		if len(b) > 0 {
			if outErr := out(b); outErr != nil {
				return outErr
			}
		}
		d.stats.Out, d.sent = total, d.pos
		return err
	}
	d.stats.Out, d.sent = total, d.pos
	return out(b)
}

// flushed is flush before an error.
func (d *Decoder) flushed(out func([]byte) error, err error) error {
	if outErr := d.flush(out); outErr != nil {
		return outErr
	}
	return err
}

// slide makes room: all but the last history is forgotten.
func (d *Decoder) slide() {
	by := d.pos - historySize
	copy(d.buf, d.buf[by:d.pos])
	d.pos, d.sent = historySize, historySize
	d.base = max(0, d.base-by)
	d.start -= by
	d.origin -= by
	d.call -= by
	d.mark -= by
}

// measure is asked about each distance that is longer than those before it: it takes
// its measure and says whether it is allowed. As the place moves on only, a shorter
// one is allowed then, too, and goes back to before the message no further.
func (d *Decoder) measure(distance, pos int) error {
	d.stats.Distance = max(d.stats.Distance, distance)
	d.stats.Before = max(d.stats.Before, distance-(pos-d.start))
	d.checked = distance
	if known := pos - d.base; distance > known {
		what := "the start of the connection"
		if d.opts.NoContext {
			what = "the start of the message, and no context is kept (RFC 7692 §7.1.1)"
		}
		return d.fault(ErrHistory, "a distance of %d goes back to before the %d bytes since %s", distance, known, what)
	}
	window := 1 << d.opts.Window
	if distance <= window || d.opts.Lenient && distance <= window+pos-d.call {
		return nil
	}
	return d.fault(ErrWindow, "a distance of %d, and the window has %d bytes (RFC 7692 §7.1.2)", distance, window)
}

// remark moves Lenient's marks: what is put out together ends at twice the length so
// far.
func (d *Decoder) remark() {
	for d.pos >= d.mark {
		d.call = d.mark
		d.mark += d.mark - d.origin
		d.checked = min(d.checked, 1<<d.opts.Window)
	}
}

// Window is the base-2 logarithm of the window, as Options had it.
func (d *Decoder) Window() int { return d.opts.Window }
