package wsspec

import (
	"errors"
	"fmt"
	"io"
	"time"
	"unicode/utf8"

	"framewright/autobahn/wsspec/internal/inflate"
)

// echoing is the dialogue of groups 12 and 13. It is made for speed: what it sends is
// ready, what comes is inflated and compared without being kept, and nothing is
// allocated for a message.
type echoing struct {
	d       *Dialogue
	salvo   *salvo
	inflate *inflate.Decoder
	keeps   bool // the testee may refer to earlier messages

	send sender
	buf  []byte // what was read and not used; a part of room
	room []byte

	want     string // of the message that is awaited
	index    int
	at       int    // bytes of it that have come
	wrong    []byte // its bytes from the first that is another on; nil: all are right so far
	opcode   byte
	inside   bool
	packed   bool
	violated string // a reserved bit that was wrong
	stuck    bool   // a message ended inside a block
	over     string // the testee's compressor cannot go on, and why
	result   func([]byte) error
}

// maxWrong is how much is kept of a message that is another than was sent.
const maxWrong = 1 << 20

func newEchoing(d *Dialogue, p deflateParams, c *corpus, v deflateVariant) *echoing {
	out, in := p.clientWindow(), p.serverWindow()
	outKeeps, inKeeps := !p.clientNoContext, !p.serverNoContext
	if d.Testee == Client {
		out, in, outKeeps, inKeeps = in, out, inKeeps, outKeeps
	}
	e := &echoing{
		d:     d,
		keeps: inKeeps,
		salvo: newSalvo(salvoKey{c, v.length, v.fragment, out, outKeeps, d.Testee == Server}),
		// Autobahn has zlib read what comes, which lets some distances pass.
		inflate: inflate.New(inflate.Options{Window: in, NoContext: !inKeeps, Lenient: true}),
		room:    make([]byte, 64<<10),
	}
	e.buf = e.room[:copy(e.room, d.Rest())]
	e.result = e.compare
	return e
}

func (p deflateParams) clientWindow() int { return window(p.clientBits) }
func (p deflateParams) serverWindow() int { return window(p.serverBits) }

// window is the bits of a window of which n bits were agreed on, or nothing was said.
func window(n int) int {
	if n == 0 {
		return 15
	}
	return n
}

// An upshot is how the messages went, in Autobahn's word, and how the suite is then to
// end the connection.
type upshot struct {
	behavior, actual string
	farewell         farewell
	code             int // of the suite's Close
}

type farewell byte

const (
	byClose     farewell = iota // with a Close frame, and the testee's answer
	bySentClose                 // the Close frame is sent already
	byDrop                      // without waiting for an answer
	byTestee                    // it is the testee who has ended it, or the suite could not go on
)

// play sends so many messages.
func (e *echoing) play(count int) upshot {
	e.send.start(e.d)
	defer func() {
		e.send.end()
		e.d.log.pause(false)
		e.d.rest = append(e.buf[:len(e.buf):len(e.buf)], e.d.rest...)
	}()
	for i := range count {
		e.index, e.want, e.at, e.wrong = i, e.salvo.content(i), 0, nil
		e.send.write(e.salvo.wire(i))
		err := e.message()
		if i == 0 {
			e.d.Quiet() // the first message is recorded, and the end
		}
		if err != nil {
			e.d.log.pause(false)
			e.d.Note("message %d of %d: %v", i+1, count, err)
			u := upshot{vFailed, fmt.Sprintf("message %d: %v", i+1, err), byTestee, 0}
			if f := (*fault)(nil); errors.As(err, &f) {
				u.farewell, u.code = f.farewell, f.code
			}
			return u
		}
		e.send.wait()
	}
	return upshot{vOK, fmt.Sprintf("%d echoes", count), byClose, 1000}
}

// A fault is why the suite ends the dialogue, and how.
type fault struct {
	farewell farewell
	code     int
	what     string
}

func (f *fault) Error() string { return f.what }

func faultf(code int, format string, args ...any) error {
	return &fault{byClose, code, fmt.Sprintf(format, args...)}
}

func faultWith(how farewell, format string, args ...any) error {
	return &fault{how, 0, fmt.Sprintf(format, args...)}
}

// violation fails the connection for a reserved bit, as Autobahn does: it goes on
// reading, and if there is something else wrong it waits for nothing more.
func (e *echoing) violation(format string, args ...any) error {
	what := fmt.Sprintf(format, args...)
	if e.violated != "" {
		return faultWith(byDrop, "%s, and %s", e.violated, what)
	}
	e.violated = what
	e.d.log.pause(false)
	e.send.wait()
	e.d.Send(CloseFrame(1002, ""))
	return nil
}

// message reads until an echo is whole, and judges it.
func (e *echoing) message() error {
	e.d.conn.SetReadDeadline(time.Now().Add(e.d.Patience + time.Duration(e.salvo.length)*100))
	for {
		r := read(e.buf, e.d.Testee == Client)
		if r.broken != "" {
			return faultf(1002, "%s", r.broken)
		}
		if r.size == 0 {
			if err := e.more(); err != nil {
				return err
			}
			continue
		}
		if len(r.faults) > 0 {
			return faultf(1002, "%s", r.faults[0])
		}
		if r.frame.Opcode == OpClose {
			// Its sender is the wrong one.
			e.d.log.bytes(false, e.buf[:r.size])
			e.d.remoteClose = r.frame.CloseCode()
			e.d.Send(CloseFrame(1000, ""))
			e.buf = e.buf[r.size:]
			e.d.rest, e.buf = e.buf, nil
			if e.d.Testee == Server {
				e.d.waitEnd()
			}
			return fmt.Errorf("the testee sent a Close frame with the payload %x", r.frame.Payload)
		}
		e.buf = e.buf[r.size:]
		done, err := e.frame(r.frame)
		if done || err != nil {
			return err
		}
	}
}

// more reads more bytes.
func (e *echoing) more() error {
	if len(e.buf) == 0 {
		e.buf = e.room[:0]
	}
	if cap(e.buf)-len(e.buf) < 4<<10 {
		if 2*len(e.buf) > len(e.room) {
			e.room = make([]byte, 2*len(e.room))
		}
		e.buf = e.room[:copy(e.room, e.buf)]
	}
	n, err := e.d.conn.Read(e.buf[len(e.buf):cap(e.buf)])
	e.buf = e.buf[:len(e.buf)+n]
	if n > 0 {
		if e.index == 0 {
			e.d.log.bytes(false, e.buf[len(e.buf)-n:])
		}
		return nil
	}
	err = named(err, e.d.Patience)
	e.d.log.note("the testee: " + err.Error())
	if errors.Is(err, ErrSilent) {
		return faultf(0, "no echo came: %v", err)
	}
	if err == io.EOF {
		return errors.New("the testee ended the connection")
	}
	return err
}

// frame takes a frame that is right by itself.
func (e *echoing) frame(f Frame) (done bool, err error) {
	switch f.Opcode {
	case OpPing:
		if f.RSV != 0 {
			return false, e.violation("a ping with a reserved bit")
		}
		e.send.wait()
		e.d.Send(Frame{Fin: true, Opcode: OpPong, Payload: f.Payload})
		return false, nil
	case OpPong:
		if f.RSV != 0 {
			return false, e.violation("a pong with a reserved bit")
		}
		return false, nil
	case OpText, OpBinary:
		if e.inside {
			return false, faultf(1002, "a new message inside one that is not at its end (§5.4)")
		}
		if f.RSV&^RSV1 != 0 {
			if err := e.violation("a frame with RSV %d", f.RSV); err != nil {
				return false, err
			}
		}
		e.inside, e.opcode, e.packed = true, f.Opcode, f.RSV == RSV1
	case OpContinuation:
		if !e.inside {
			return false, faultf(1002, "a continuation without a message (§5.4)")
		}
		if f.RSV != 0 {
			if err := e.violation("a continuation with RSV %d", f.RSV); err != nil {
				return false, err
			}
		}
	default:
		return false, faultf(1002, "a frame with the reserved opcode %d (§5.2)", f.Opcode)
	}
	if err := e.data(f.Payload, f.Fin); err != nil || !f.Fin {
		return false, err
	}
	e.inside = false
	return true, e.judge()
}

// data takes a part of a message.
func (e *echoing) data(payload []byte, last bool) error {
	if !e.packed {
		return e.compare(payload)
	}
	if e.stuck {
		return errors.New("the echo before this one ended inside a block (RFC 7692 §7.2.1)")
	}
	if e.over != "" {
		return nil // as zlib puts out nothing any more
	}
	err := e.inflate.Write(payload, e.result)
	if err == nil && last {
		var stats inflate.Stats
		if stats, err = e.inflate.End(e.result); errors.Is(err, inflate.ErrUnfinished) {
			// zlib waits for more, and takes the next message's start for that.
			e.stuck, err = true, nil
		}
		if err == nil && stats.Final > 0 {
			e.over = "a block with BFINAL has ended the stream"
		}
		if (e.over != "" || e.stuck) && !e.keeps {
			e.over, e.stuck = "", false
			e.inflate.Reset(inflate.Options{Window: e.inflate.Window(), NoContext: true, Lenient: true})
		}
	}
	if err != nil {
		return fmt.Errorf("the echo cannot be inflated: %w", err)
	}
	return nil
}

// compare holds content against what was sent.
func (e *echoing) compare(b []byte) error {
	if e.wrong == nil {
		i := differs(b, e.want, e.at)
		if i < 0 {
			e.at += len(b)
			return nil
		}
		b = b[i-e.at:]
		e.at = i
		e.wrong = make([]byte, 0, len(b))
	}
	e.wrong = append(e.wrong, b[:min(len(b), maxWrong-len(e.wrong))]...)
	return nil
}

// judge judges a whole message.
func (e *echoing) judge() error {
	opcode := e.salvo.corpus.opcode()
	switch {
	case e.opcode == OpText && e.wrong != nil && !validUTF8(e.wrong):
		// It is no text where it is wrong, and once more at its end.
		return faultWith(byDrop, "the echo is a text that is not UTF-8, from byte %d on: %.40q", e.at, e.wrong)
	case e.violated != "":
		return faultWith(bySentClose, "%s", e.violated)
	case e.opcode != opcode:
		return faultf(1000, "the echo is %s, and %s was sent", opcodeNames[e.opcode], opcodeNames[opcode])
	case e.wrong != nil:
		return faultf(1000, "the echo is another from byte %d on: %.40q instead of %.40q", e.at, e.wrong, e.want[e.at:])
	case e.at != len(e.want):
		what := fmt.Sprintf("the echo has %d bytes instead of %d", e.at, len(e.want))
		if e.over != "" {
			what += ": " + e.over
		}
		return faultf(1000, "%s", what)
	}
	return nil
}

// validUTF8 judges a text of which maxWrong bytes are kept at the most: what is cut
// off there is no fault.
func validUTF8(b []byte) bool {
	if len(b) == maxWrong {
		for i := 1; i <= utf8.UTFMax && i < len(b); i++ {
			if utf8.RuneStart(b[len(b)-i]) {
				b = b[:len(b)-i]
				break
			}
		}
	}
	return utf8.Valid(b)
}

// A sender writes messages while the echo is read, for a testee that sends what it has
// before it has all: short messages fit into the sockets and are written at once.
type sender struct {
	d    *Dialogue
	todo chan []byte
	done chan struct{}
	busy bool
}

// atOnce is how long a message may be to be written before the echo is read.
const atOnce = 16 << 10

func (s *sender) start(d *Dialogue) {
	s.d, s.todo, s.done = d, make(chan []byte), make(chan struct{}, 1)
	go func() {
		defer close(s.done)
		for b := range s.todo {
			s.d.Write(b)
			s.done <- struct{}{}
		}
	}()
}

func (s *sender) write(b []byte) {
	if len(b) <= atOnce {
		s.d.Write(b)
		return
	}
	s.busy = true
	s.todo <- b
}

// wait waits until all is written.
func (s *sender) wait() {
	if s.busy {
		<-s.done
		s.busy = false
	}
}

// end waits, too, and ends the goroutine.
func (s *sender) end() {
	if s.busy {
		s.d.conn.SetWriteDeadline(time.Now()) // the dialogue is over; a write in vain must be, too
	}
	s.wait()
	close(s.todo)
	<-s.done
}
