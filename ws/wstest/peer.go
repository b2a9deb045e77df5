package wstest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// A Peer is the other side of a connection under test. It knows no rules: it
// sends the bytes it is told to, broken or not, and states which must come
// back. What does not come as stated ends the test with t.Fatalf, so a Peer's
// methods are for the test's own goroutine.
//
// The why of its Want methods says what the test is waiting for; it heads the
// failure.
type Peer struct {
	// Timeout bounds every wait for the other side. NewPeer sets 10 seconds,
	// and in a synctest bubble, whose time passes in no time, an hour: longer
	// than the intervals and timeouts that are being tested. Elsewhere waits
	// get shorter once some were in vain: see Patience.
	Timeout time.Duration

	t       testing.TB
	conn    net.Conn
	bubble  bool
	in      []byte        // received and not yet wanted
	readErr error         // what ended the reading; stays
	waited  time.Duration // the limit of the last read
	sendErr error         // why the other side did not take all that was sent

	role role
}

// role is what the Peer plays, as far as that is known.
type role uint8

const (
	unknown role = iota
	client
	server
)

// NewPeer returns a Peer on conn, which it closes at the end of the test.
func NewPeer(t testing.TB, conn net.Conn) *Peer {
	p := &Peer{Timeout: 10 * time.Second, t: t, conn: conn, bubble: inBubble()}
	if p.bubble {
		p.Timeout = time.Hour
	}
	t.Cleanup(func() { conn.Close() })
	return p
}

// inBubble reports whether this is a synctest bubble. There is no function to
// ask; but a bubble's clock begins at 2000-01-01, years before Go could tell
// the time.
func inBubble() bool { return time.Now().Year() < 2009 }

// Conn returns the connection, for what Peer does not do.
func (p *Peer) Conn() net.Conn { return p.conn }

// Send sends wire bytes in the notation of [ParseHex], in one Write.
//
// It is no failure if the other side hangs up meanwhile: it may have seen
// enough. The failure of a later Want mentions it.
func (p *Peer) Send(literal string) {
	p.t.Helper()
	p.send(p.parse(literal))
}

// SendBytes is Send for bytes that are at hand.
func (p *Peer) SendBytes(b []byte) {
	p.t.Helper()
	p.send(b)
}

// SendSlowly sends wire bytes one at a time, each in a Write of its own. In a
// synctest bubble the other side takes each before the next is sent, so only
// one goroutine of the bubble may use it at a time. Elsewhere the bytes can
// meet on their way.
func (p *Peer) SendSlowly(literal string) {
	p.t.Helper()
	p.SendBytesSlowly(p.parse(literal))
}

// SendBytesSlowly is SendSlowly for bytes that are at hand.
func (p *Peer) SendBytesSlowly(b []byte) {
	p.t.Helper()
	for i := range b {
		if p.bubble {
			synctest.Wait()
		}
		if !p.send(b[i : i+1]) {
			return
		}
	}
	if p.bubble {
		synctest.Wait()
	}
}

func (p *Peer) parse(literal string) []byte {
	p.t.Helper()
	b, err := ParseHex(literal)
	if err != nil {
		p.t.Fatal(err)
	}
	return b
}

// patience is how long the next wait may take.
func (p *Peer) patience() time.Duration {
	if p.bubble {
		return p.Timeout
	}
	return Patience(p.Timeout)
}

func (p *Peer) send(b []byte) bool {
	p.t.Helper()
	limit := p.patience()
	p.conn.SetWriteDeadline(time.Now().Add(limit))
	n, err := p.conn.Write(b)
	switch {
	case err == nil:
		return true
	case errors.Is(err, syscall.EPIPE), errors.Is(err, syscall.ECONNRESET), errors.Is(err, io.ErrClosedPipe):
		p.sendErr = fmt.Errorf("the other side took no more after %d of the %d bytes of a send: %w", n, len(b), err)
	case errors.Is(err, os.ErrDeadlineExceeded):
		p.t.Fatalf("wstest: send: the other side did not read: %d of %d bytes sent in %v", n, len(b), limit)
	default:
		p.t.Fatalf("wstest: send: %v", err)
	}
	return false
}

// fill waits for more bytes and reports whether any came. If not, readErr
// says why: io.EOF, or another error that stays, or
// os.ErrDeadlineExceeded, which does not.
func (p *Peer) fill() bool {
	if p.readErr != nil && !errors.Is(p.readErr, os.ErrDeadlineExceeded) {
		return false
	}
	p.waited = p.patience()
	p.conn.SetReadDeadline(time.Now().Add(p.waited))
	var chunk [16 << 10]byte
	n, err := p.conn.Read(chunk[:])
	p.in = append(p.in, chunk[:n]...)
	p.readErr = err
	return n > 0
}

// fail ends the test. state is what was wrong, lines more about it.
func (p *Peer) fail(why, state string, lines ...string) {
	p.t.Helper()
	if p.sendErr != nil {
		lines = append(lines, "before that, "+p.sendErr.Error())
	}
	p.t.Fatalf("%s: %s", why, strings.Join(append([]string{state}, lines...), "\n"))
}

// ended says in words why fill returned false.
func (p *Peer) ended() string {
	switch {
	case errors.Is(p.readErr, io.EOF):
		return "the other side closed the connection"
	case errors.Is(p.readErr, syscall.ECONNRESET):
		return "the other side reset the connection"
	case errors.Is(p.readErr, os.ErrDeadlineExceeded):
		if p.bubble {
			return fmt.Sprintf("no more came in %v of the bubble's time", p.waited)
		}
		RanOut()
		return fmt.Sprintf("no more came in %v", p.waited)
	}
	return fmt.Sprintf("reading failed: %v", p.readErr)
}

// Want waits for the bytes of a wire literal (see [ParseHex]), which must be
// the next. It fails at the first byte that differs.
func (p *Peer) Want(why, literal string) {
	p.t.Helper()
	p.WantBytes(why, p.parse(literal))
}

// WantBytes is Want for bytes that are at hand.
func (p *Peer) WantBytes(why string, want []byte) {
	p.t.Helper()
	same := 0
	for {
		for same < len(want) && same < len(p.in) {
			if want[same] != p.in[same] {
				p.fail(why, fmt.Sprintf("wrong at offset %d (-want +got)", same),
					"-"+dump(want, same), "+"+dump(p.in, same), "got: "+describe(p.in))
			}
			same++
		}
		if same == len(want) {
			p.in = p.in[same:]
			return
		}
		if !p.fill() {
			p.fail(why, fmt.Sprintf("%s after %d of %d bytes (-want +got)", p.ended(), same, len(want)),
				"-"+dump(want, same), "+"+dump(p.in, same))
		}
	}
}

// WantEOF waits for the other side to close the connection in an orderly way
// with nothing more sent.
func (p *Peer) WantEOF(why string) {
	p.t.Helper()
	p.wantEnd(why, "the end of the connection", io.EOF)
}

// WantReset waits for the other side to reset the connection with nothing more
// sent: over TCP also the sign of a Close with bytes left unread.
func (p *Peer) WantReset(why string) {
	p.t.Helper()
	p.wantEnd(why, "a reset", syscall.ECONNRESET)
}

func (p *Peer) wantEnd(why, what string, want error) {
	p.t.Helper()
	if len(p.in) == 0 {
		p.fill()
	}
	if len(p.in) > 0 {
		p.fail(why, "want "+what+", got bytes (-want +got)", "+"+dump(p.in, 0), "got: "+describe(p.in))
	}
	if !errors.Is(p.readErr, want) {
		p.fail(why, "want "+what+"; "+p.ended())
	}
}

// WantIdle states that nothing has come, nor the connection's end, although
// everybody has done what they could: every other goroutine of the synctest
// bubble is durably blocked. On a connection that is no pipe of this package
// it lets a nanosecond of the bubble's time pass.
//
// Outside a bubble nobody can know that, and WantIdle fails. There, have the
// other side answer something instead: send a Ping, and want its Pong next.
func (p *Peer) WantIdle(why string) {
	p.t.Helper()
	if !p.bubble {
		p.t.Fatalf("%s: wstest: WantIdle needs a synctest bubble; outside, send a Ping and want its Pong next", why)
	}
	synctest.Wait()
	if len(p.in) == 0 && p.idle() {
		return
	}
	if len(p.in) > 0 {
		p.fail(why, "want nothing (-want +got)", "+"+dump(p.in, 0), "got: "+describe(p.in))
	}
	p.fail(why, "want nothing; "+p.ended())
}

// idle reports whether a read has to wait. If not, it has filled in or readErr.
func (p *Peer) idle() bool {
	if c, ok := p.conn.(*Conn); ok {
		if !c.pending() {
			return true
		}
		p.fill()
		return false
	}
	timeout := p.Timeout
	defer func() { p.Timeout = timeout }()
	p.Timeout = time.Nanosecond // passes when every goroutine is durably blocked
	return !p.fill() && errors.Is(p.readErr, os.ErrDeadlineExceeded)
}

// Close closes the connection: both directions, without a closing handshake.
func (p *Peer) Close() {
	p.t.Helper()
	if err := p.conn.Close(); err != nil {
		p.t.Fatalf("wstest: close: %v", err)
	}
}

// CloseWrite closes the direction to the other side, which reads io.EOF and
// can still answer. The connection has to have such a method, as a *Conn, a
// *net.TCPConn and a *tls.Conn have.
func (p *Peer) CloseWrite() {
	p.t.Helper()
	c, ok := p.conn.(interface{ CloseWrite() error })
	if !ok {
		p.t.Fatalf("wstest: a %T cannot close one direction: it has no method CloseWrite", p.conn)
	}
	if err := c.CloseWrite(); err != nil {
		p.t.Fatalf("wstest: close one direction: %v", err)
	}
}

// Reset ends the connection with a TCP RST, or as if with one. The connection
// has to be a *Conn or a *net.TCPConn.
func (p *Peer) Reset() {
	p.t.Helper()
	var err error
	switch c := p.conn.(type) {
	case *Conn:
		err = c.Reset()
	case *net.TCPConn:
		c.SetLinger(0) // closing then discards and sends RST
		err = c.Close()
	default:
		p.t.Fatalf("wstest: a %T cannot be reset: want a *wstest.Conn or a *net.TCPConn", p.conn)
	}
	if err != nil {
		p.t.Fatalf("wstest: reset: %v", err)
	}
}

// Received returns what has come and was not yet wanted, without waiting.
func (p *Peer) Received() []byte { return bytes.Clone(p.in) }
