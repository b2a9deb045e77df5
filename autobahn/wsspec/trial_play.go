package wsspec

import (
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// play plays a trial, which is a Case's Play.
func (tr *trial) play(d *Dialogue) Verdict {
	t := newTester(tr, d.Testee == Server)
	t.wait = func(nominal time.Duration) time.Duration { return stretch(nominal, d.Patience) }
	if err := openAsTestsuite(d); err != nil {
		v := t.verdict()
		v.Actual = err.Error()
		return v
	}
	if tr.volley != nil {
		d.Quiet()
	}
	p := &player{d: d, t: t, conn: d.conn, began: time.Now(), chunks: make(chan chunk), quit: make(chan struct{})}
	p.play(d.Rest())
	if t.remote > 0 {
		d.remoteClose = t.remote
	}
	return t.verdict()
}

// stretch is how long a wait of the testsuite's is with that patience. With one of a
// second, the testsuite's own, it is as long; else one of a second is as long as the
// patience, and the order of all stays what it is.
func stretch(nominal, patience time.Duration) time.Duration {
	if nominal < time.Second || patience < time.Second {
		return time.Duration(nominal.Seconds() * float64(patience))
	}
	return nominal + patience - time.Second
}

// A player moves bytes and time between a connection and a tester. One goroutine
// reads, one writes, and the tester is played by the one that called.
type player struct {
	d      *Dialogue
	t      *tester
	conn   net.Conn
	began  time.Time
	chunks chan chunk
	quit   chan struct{}
	out    writer
}

// A chunk is what one read came to.
type chunk struct {
	bytes []byte
	err   error
}

func (p *player) play(rest []byte) {
	p.conn.SetReadDeadline(time.Time{})
	p.out = writer{log: &p.d.log, conn: p.conn, began: p.began, wait: p.t.wait(stallTime), more: make(chan struct{}, 1)}
	p.t.write = p.out.put
	var reading, writing sync.WaitGroup
	reading.Go(p.read)
	writing.Go(p.out.run)
	defer func() {
		flush := p.t.dropped && !p.t.abort
		p.out.end(flush, p.d.Patience)
		if flush {
			writing.Wait()
		}
		close(p.quit)
		p.d.CloseNow()
		reading.Wait()
		writing.Wait()
	}()
	p.t.start()
	if len(rest) > 0 {
		p.t.receive(rest)
	}
	p.loop()
}

// loop plays until TCP has ended.
func (p *player) loop() {
	alarm := time.NewTimer(time.Hour)
	defer alarm.Stop()
	for !p.over() {
		if p.t.first() == nil {
			// The testsuite waits here for ever: for a server to end TCP behind its own Close.
			p.t.after(p.t.wait(stallTime), func() { p.t.drop(true) })
		}
		alarm.Reset(p.t.first().at - time.Since(p.began))
		select {
		case c := <-p.chunks:
			p.t.now = time.Since(p.began)
			p.moved(p.t.now)
			if len(c.bytes) > 0 {
				p.t.receive(c.bytes)
			}
			if c.err != nil && !p.over() {
				p.d.Note("the testee: %v", named(c.err, 0))
				p.t.lost()
			}
		case <-alarm.C:
			p.moved(time.Duration(p.out.wrote.Load()))
			p.t.tick(time.Since(p.began), p.over)
		}
	}
}

func (p *player) over() bool { return p.t.phase == phaseOver }

// moved puts off the end of a message that is under way.
func (p *player) moved(at time.Duration) {
	if s := p.t.stall; s != nil {
		s.at = max(s.at, at+p.t.wait(p.t.volley.stall()))
	}
}

// read reads until the connection ends. It has two buffers: while one is used it
// fills the other.
func (p *player) read() {
	var bufs [2][]byte
	for i := 0; ; i ^= 1 {
		if bufs[i] == nil {
			bufs[i] = make([]byte, 4<<10)
		}
		n, err := p.conn.Read(bufs[i])
		if n > 0 {
			p.d.log.bytes(false, bufs[i][:n])
		}
		select {
		case p.chunks <- chunk{bufs[i][:n], err}:
		case <-p.quit:
			return
		}
		if err != nil {
			return
		}
		if n == len(bufs[i]) && n < blockSize {
			bufs[i^1] = make([]byte, blockSize)
		}
	}
}

// A writer writes what a tester says, in its order and its own goroutine: the testee
// may want to be read first.
type writer struct {
	log   *recorder
	conn  net.Conn
	began time.Time
	wait  time.Duration // for a testee that does not read
	wrote atomic.Int64  // when, last

	mu     sync.Mutex
	queue  []outgoing
	more   chan struct{} // has a value after a change
	ended  bool          // what is one write is still written, what is many is not
	broken atomic.Bool   // nothing more is written
}

func (w *writer) put(o outgoing) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.queue) == writerQueue {
		w.broken.Store(true) // it pings and does not read
	} else {
		w.queue = append(w.queue, o)
	}
	w.wake()
}

// writerQueue is how many frames may wait for the testee to read.
const writerQueue = 1 << 16

func (w *writer) wake() {
	select {
	case w.more <- struct{}{}:
	default:
	}
}

// end says that nothing more will be put; without flush nothing more is written.
func (w *writer) end(flush bool, patience time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ended = true
	if flush {
		w.wait = patience
		w.conn.SetWriteDeadline(time.Now().Add(patience))
	} else {
		w.broken.Store(true)
	}
	w.wake()
}

// next waits for what is to be written next.
func (w *writer) next() (o outgoing, ok bool) {
	for {
		w.mu.Lock()
		if len(w.queue) > 0 && !(w.ended && w.queue[0].apart) {
			o, w.queue = w.queue[0], w.queue[1:]
			w.mu.Unlock()
			return o, true
		}
		ended := w.ended
		w.mu.Unlock()
		if ended {
			return o, false
		}
		<-w.more
	}
}

func (w *writer) run() {
	for {
		o, ok := w.next()
		if !ok {
			return
		}
		if o.make != nil {
			o.make(w.write)
			continue
		}
		for len(o.bytes) > 0 {
			n := len(o.bytes)
			if o.chop > 0 {
				n = min(n, o.chop)
			}
			if !w.write(o.bytes[:n]) || o.apart && w.isEnded() {
				break
			}
			if o.apart {
				time.Sleep(apartTime)
			}
			o.bytes = o.bytes[n:]
		}
	}
}

// apartTime is the pause behind what is to be a segment of its own.
const apartTime = 20 * time.Microsecond

func (w *writer) isEnded() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.ended
}

// write writes bytes, and reports whether the testee took them.
func (w *writer) write(b []byte) bool {
	if w.broken.Load() {
		return false
	}
	w.log.bytes(true, b)
	for len(b) > 0 {
		n := min(len(b), blockSize)
		w.mu.Lock()
		wait := w.wait
		w.conn.SetWriteDeadline(time.Now().Add(wait))
		w.mu.Unlock()
		if _, err := w.conn.Write(b[:n]); err != nil {
			if !w.broken.Swap(true) {
				w.log.note("the testee took no more: " + named(err, wait).Error())
			}
			return false
		}
		w.wrote.Store(int64(time.Since(w.began)))
		b = b[n:]
	}
	return true
}
