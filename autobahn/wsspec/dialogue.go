package wsspec

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"time"
)

// Settings are what all dialogues of a run have in common.
type Settings struct {
	// Patience is how long the suite waits for what should come and does not: an
	// answer, a Close frame, the end of the connection. What the testee does in time
	// is never waited for, so a long patience costs time only where something is
	// wrong, and keeps a busy machine from changing a verdict. Default 5 s.
	Patience time.Duration

	// Count is how many messages each case of groups 12 and 13 sends; the Autobahn
	// testsuite has 1,000, the default here is 20.
	Count int

	// Header are further header lines of the suite's requests, without line ends,
	// such as "Authorization: Bearer x".
	Header []string

	// HTTP2 has every connection be a stream of HTTP/2 (RFC 8441): to a wss: server by
	// ALPN, to a ws: one because it is known to speak that, and so with clients. Cases of
	// the opening handshake, which is HTTP/1.1's there, are skipped. CutData has each
	// write go out in DATA frames of 1, 2, 4, 8 bytes and so on, so that a WebSocket
	// frame spans several of them.
	HTTP2, CutData bool

	// KeepWire keeps more of what goes over the wire, for who wants to read it.
	KeepWire bool
}

func (s Settings) filled() Settings {
	if s.Patience <= 0 {
		s.Patience = 5 * time.Second
	}
	if s.Count <= 0 {
		s.Count = 20
	}
	return s
}

// A Dialogue is one connection with the testee, and what was said on it. Its
// methods are for one goroutine, that of the case. A dialogue with a server begins
// without a connection: Dial or Open make it. One with a client begins with the
// request that the client has sent.
type Dialogue struct {
	Settings
	Testee Role
	Ctx    context.Context

	// Request is what the client sent: the testee's, or what Open has sent. Answer is
	// the other side's.
	Request, Answer Head

	target *target
	conn   net.Conn
	stop   func() bool // forgets to close conn with Ctx
	log    recorder
	in     inbox
	rest   []byte // bytes that came behind a head

	// What was seen of the testee's end of the connection.
	remoteClose int
	writeErr    error
	unreached   bool // a connection to it could not be made
}

// newDialogue begins a dialogue and its record.
func newDialogue(s Settings, testee Role) *Dialogue {
	d := &Dialogue{Settings: s, Testee: testee}
	d.log.began, d.log.whole = time.Now(), s.KeepWire
	return d
}

// The errors of a Dialogue's waits.
var (
	// ErrSilent: nothing came although it was waited for as long as Patience says.
	ErrSilent = errors.New("nothing more came")
	// ErrReset: the testee has reset the connection.
	ErrReset = errors.New("the connection was reset")
	// ErrBroken: what came cannot be read as frames, or was too much to keep.
	ErrBroken = errors.New("unreadable")
)

// Dial connects to the server under test, or anew, without a handshake.
func (d *Dialogue) Dial() error {
	if d.Testee != Server {
		return errors.New("wsspec: only a server is dialled")
	}
	d.CloseNow()
	conn, err := d.target.dial(d.Ctx)
	if err == nil && d.HTTP2 {
		conn, err = overH2(d.Ctx, conn, d.CutData)
	}
	if err != nil {
		d.unreached = true
		d.log.note("connecting failed: " + err.Error())
		return err
	}
	d.log.note("connected")
	d.use(conn, nil)
	return nil
}

// use takes a connection into use; rest are bytes that were read from it before.
func (d *Dialogue) use(conn net.Conn, rest []byte) {
	d.conn, d.rest, d.writeErr, d.remoteClose = conn, rest, nil, 0
	d.stop = context.AfterFunc(d.Ctx, func() { conn.Close() })
}

// CloseNow drops the connection.
func (d *Dialogue) CloseNow() {
	if d.conn == nil {
		return
	}
	d.stop()
	d.conn.Close()
	d.in.wait() // its reader has ended
	d.conn = nil
}

// Conn returns the connection, for what a Dialogue does not do; Next must not have
// begun to read from it.
func (d *Dialogue) Conn() net.Conn { return d.conn }

// Rest returns and forgets the bytes that came behind the last head, for who reads
// from Conn.
func (d *Dialogue) Rest() []byte {
	b := d.rest
	d.rest = nil
	return b
}

// Quiet stops recording the bytes of a dialogue that has very many.
func (d *Dialogue) Quiet() { d.log.pause(true) }

// Note adds a remark to the record.
func (d *Dialogue) Note(format string, args ...any) { d.log.note(fmt.Sprintf(format, args...)) }

// NewKey returns a Sec-WebSocket-Key.
func NewKey() string {
	var b [16]byte
	rand.Read(b[:])
	return base64.StdEncoding.EncodeToString(b[:])
}

// RequestLines returns the lines of the handshake that Open sends: for cases that
// send them changed.
func (d *Dialogue) RequestLines(key string, more ...string) []string {
	lines := []string{
		"GET " + d.target.path + " HTTP/1.1",
		"Host: " + d.target.host,
		"Upgrade: websocket",
		"Connection: Upgrade",
		"Sec-WebSocket-Key: " + key,
		"Sec-WebSocket-Version: 13",
	}
	return append(append(lines, d.Header...), more...)
}

// AnswerLines returns the lines of the handshake that Open answers a client with.
func (d *Dialogue) AnswerLines(more ...string) []string {
	return append([]string{
		"HTTP/1.1 101 Switching Protocols",
		"Upgrade: websocket",
		"Connection: Upgrade",
		"Sec-WebSocket-Accept: " + AcceptFor(d.Request.Get("Sec-WebSocket-Key")),
	}, more...)
}

// Lines joins header lines to a head.
func Lines(lines []string) []byte { return []byte(strings.Join(lines, "\r\n") + "\r\n\r\n") }

// Open does an opening handshake that is right, in either role, with further header
// lines. With a server it connects first. It fails if the testee does not do its
// part.
func (d *Dialogue) Open(more ...string) error {
	if d.Testee == Client {
		d.Write(Lines(d.AnswerLines(more...)))
		return d.writeErr
	}
	if d.conn == nil {
		if err := d.Dial(); err != nil {
			return err
		}
	}
	key := NewKey()
	head := Lines(d.RequestLines(key, more...))
	d.Request = parseHead(string(head))
	d.Write(head)
	var err error
	if d.Answer, err = d.ReadHead(); err != nil {
		return fmt.Errorf("no answer to the opening handshake: %w", err)
	}
	return checkAnswer(d.Answer, key)
}

// maxHead is how long an answer's head may be, in bytes.
const maxHead = 64 << 10

// ReadHead reads the head of an HTTP message. What comes behind stays for Next or
// Rest.
func (d *Dialogue) ReadHead() (Head, error) {
	b := d.Rest()
	for {
		if i := bytes.Index(b, []byte("\r\n\r\n")); i >= 0 {
			d.rest = b[i+4:]
			return parseHead(string(b[:i+4])), nil
		}
		if len(b) > maxHead {
			d.rest = b
			return Head{}, fmt.Errorf("no end of the head within %d bytes", maxHead)
		}
		more, err := d.ReadSome()
		b = append(b, more...)
		if err != nil {
			d.rest = b
			return Head{}, err
		}
	}
}

// ReadSome waits for bytes, for who does not read frames. The error is io.EOF, or
// wraps ErrSilent or ErrReset.
func (d *Dialogue) ReadSome() ([]byte, error) {
	if b := d.Rest(); len(b) > 0 {
		return b, nil
	}
	buf := make([]byte, 16<<10)
	d.conn.SetReadDeadline(time.Now().Add(d.Patience))
	n, err := d.conn.Read(buf)
	if n > 0 {
		d.log.bytes(false, buf[:n])
		return buf[:n], nil
	}
	return nil, d.ended(err)
}

// ended gives an error of reading its name and a record.
func (d *Dialogue) ended(err error) error {
	err = named(err, d.Patience)
	d.log.note("the testee: " + err.Error())
	return err
}

// named gives an error of reading the name that a case looks for.
func named(err error, waited time.Duration) error {
	switch {
	case err == io.EOF, errors.Is(err, net.ErrClosed), errors.Is(err, io.ErrUnexpectedEOF):
		return io.EOF
	case errors.Is(err, os.ErrDeadlineExceeded):
		return fmt.Errorf("%w in %v", ErrSilent, waited)
	case isReset(err):
		return ErrReset
	}
	return err
}

// isReset reports whether an error says that the other side has torn the connection
// down. Windows has numbers of its own for that, which package syscall does not name.
func isReset(err error) bool {
	const wsaConnAborted, wsaConnReset = syscall.Errno(10053), syscall.Errno(10054)
	for _, e := range []syscall.Errno{syscall.ECONNRESET, syscall.EPIPE, syscall.ECONNABORTED, wsaConnAborted, wsaConnReset} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// Write sends bytes as they are, in one write. That the testee does not take them is
// no failure: it may have seen enough. The record has it, and WriteError.
func (d *Dialogue) Write(b []byte) {
	if d.conn == nil || d.writeErr != nil {
		return
	}
	d.log.bytes(true, b)
	d.conn.SetWriteDeadline(time.Now().Add(d.Patience + time.Duration(len(b))*100)) // and 10 MB a second
	if n, err := d.conn.Write(b); err != nil {
		d.writeErr = fmt.Errorf("the testee took %d of %d bytes: %w", n, len(b), named(err, d.Patience))
		d.log.note(d.writeErr.Error())
	}
}

// WriteError is why the testee did not take all that was written, or nil.
func (d *Dialogue) WriteError() error { return d.writeErr }

// WriteChopped sends bytes so many at a time, each in a write of its own.
func (d *Dialogue) WriteChopped(b []byte, size int) {
	for len(b) > 0 && d.writeErr == nil {
		n := min(size, len(b))
		d.Write(b[:n])
		b = b[n:]
	}
}

// Encode returns the bytes of frames as the suite's role sends them.
func (d *Dialogue) Encode(frames ...Frame) []byte {
	var b []byte
	for _, f := range frames {
		b = f.Append(b, d.Testee == Server)
	}
	return b
}

// Send sends frames in one write.
func (d *Dialogue) Send(frames ...Frame) { d.Write(d.Encode(frames...)) }

// SendEach sends frames each in a write of its own.
func (d *Dialogue) SendEach(frames ...Frame) {
	for _, f := range frames {
		d.Send(f)
	}
}

// CloseWrite ends the suite's direction of the connection and leaves the other one.
func (d *Dialogue) CloseWrite() error {
	c, ok := d.conn.(interface{ CloseWrite() error })
	if !ok {
		return fmt.Errorf("wsspec: a %T cannot end one direction", d.conn)
	}
	d.log.note("the suite ends its direction")
	return c.CloseWrite()
}

// An Event is the next thing that came.
type Event struct {
	Frame  Frame
	Masked bool
	Faults []string // what is wrong with the frame itself
	Err    error    // instead of a frame: io.EOF, or what wraps ErrSilent, ErrReset or ErrBroken
}

// Next waits for the next frame, or the end, as long as Patience says.
func (d *Dialogue) Next() Event { return d.NextIn(d.Patience) }

// NextIn is Next with a wait of its own. From the first call on a goroutine reads
// the connection, so that the testee can always write.
func (d *Dialogue) NextIn(wait time.Duration) Event {
	if d.conn == nil {
		return Event{Err: io.EOF}
	}
	d.in.start(d)
	e := d.in.next(d.Ctx, wait)
	if e.Err == nil && e.Frame.Opcode == OpClose && d.remoteClose == 0 {
		d.remoteClose = e.Frame.CloseCode()
	}
	if e.Err != nil {
		d.log.note("the testee: " + e.Err.Error())
	}
	return e
}

// result is what there is to keep of the dialogue.
func (d *Dialogue) result(c *Case, v Verdict) Result {
	r := Result{Case: c, Role: d.Testee, Verdict: v, RemoteClose: d.remoteClose, Unreached: d.unreached, Began: d.log.began, Took: time.Since(d.log.began)}
	r.Wire, r.LeftOut = d.log.records()
	return r
}
