// Package room is a chat room in the server's memory in which one reader or several can be
// made slow, to see what comes of it: for them, and for the others.
//
// Nothing of it is played. The hub, its queues and its log are those of package chat, the
// protocol is package chat/plain's, the connections are wsnet's at both ends. Only the
// network between them is this package's own: a buffer of a known size each way, in place
// of the kernel's, so that one can see it fill.
//
//	room.go     a room and its life
//	plan.go     its settings, and their bounds
//	reader.go   who reads, as slowly as asked, and comes back
//	resume.go   what a reader missed, and how it gets it again
//	sender.go   who speaks
//	gate.go     how slowly
//	state.go    what a page is shown
//	pipe.go     the network
package room

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"framewright/chat"
	"framewright/chat/plain"
	"framewright/ws"
	"framewright/ws/wsnet"
)

// A Room is one experiment. Its methods may be called from any goroutine.
type Room struct {
	plan    Plan
	began   time.Time
	hub     *chat.Hub
	server  *wsnet.Server
	net     *network
	readers []*reader
	byName  map[string]*reader
	sender  *sender

	ctx    context.Context
	cancel context.CancelFunc
	wg     sync.WaitGroup
	end    sync.Once

	mu     sync.Mutex
	events []Event
}

// The log of a room keeps so much; who has missed more than that has lost it, and is told.
const (
	logMessages = 20_000
	logBytes    = 4 << 20
)

const (
	roomName    = "lab"
	maxIncoming = 4 << 20 // bytes of a message that a reader takes; a page of the log is one
	closing     = 2 * time.Second
)

// errOver is why the connections of a room end that is over.
var errOver = errors.New("the room is over")

// Open begins an experiment: the readers come in, and the sender begins when all are
// there. Close ends it. An error says which setting is out of its bounds.
func Open(p Plan) (*Room, error) {
	if err := p.check(); err != nil {
		return nil, err
	}
	r := &Room{plan: p, began: time.Now(), net: newNetwork(), byName: map[string]*reader{}}
	r.ctx, r.cancel = context.WithCancel(context.Background())
	unlimited := chat.Rate{PerSecond: -1} // the plan bounds what is sent
	r.hub = chat.New(chat.Options{
		Store:       &chat.Memory{MaxMessages: logMessages, MaxBytes: logBytes, MaxRooms: 1},
		QueueBytes:  p.QueueBytes,
		QueueAge:    p.QueueAge(),
		MessageRate: unlimited, PersonRate: unlimited, ReadRate: unlimited, RequestRate: unlimited,
		PresenceGrace: -1,
	})
	r.server = wsnet.Handler(plain.Handler(r.hub, &plain.Options{
		ByteRate: -1, AddressByteRate: -1,
		Address:  func(context.Context, *wsnet.Conn) string { return "" },
		Admitted: r.admitted,
	}))
	r.server.MaxPerAddress = -1
	r.server.Logger = slog.New(slog.DiscardHandler) // what happens is on the page
	r.server.Options.Subprotocols = []string{plain.Subprotocol}
	r.server.Options.WriteTimeout = p.WriteTimeout()
	r.server.Options.CloseTimeout = p.CloseTimeout()

	for i := range p.Readers {
		one := newReader(r, i)
		r.readers = append(r.readers, one)
		r.byName[one.name] = one
	}
	r.sender = newSender(r, p.Rate)
	r.wg.Go(func() { r.server.Serve(r.net) })
	for _, one := range r.readers {
		r.wg.Go(func() { one.run(r.ctx) })
	}
	r.wg.Go(func() { r.sender.run(r.ctx) })
	return r, nil
}

// Close ends the room and everything in it, and returns when nothing of it is left.
func (r *Room) Close() {
	r.end.Do(func() {
		r.cancel() // the clients go, whatever they wait for, and so nobody is waited for
		ctx, cancel := context.WithTimeout(context.Background(), closing)
		defer cancel()
		r.server.Shutdown(ctx)
		r.wg.Wait()
		r.hub.Close()
	})
}

// dial opens a connection to the room's server, as a client of its protocol.
func (r *Room) dial(ctx context.Context, buffer int, trace func(ws.TraceEvent)) (*wsnet.Conn, *half, error) {
	mine, err := r.net.dial(buffer)
	if err != nil {
		return nil, nil, err
	}
	c, err := wsnet.NewClient(ctx, mine, "ws://room.lab/ws", &wsnet.DialOptions{Options: wsnet.Options{
		Subprotocols: []string{plain.Subprotocol},
		PingInterval: -1, // the server's are enough
		MaxMessage:   maxIncoming,
		Trace:        trace,
	}})
	return c, mine, err
}

// admitted is told of each session, by its connection's goroutine.
func (r *Room) admitted(_ context.Context, _ *wsnet.Conn, s *chat.Session) {
	if one := r.byName[s.Person().Name]; one != nil {
		one.admitted(s)
	}
}

// A Command is what a page asks of a room.
type Command struct {
	Do     string  `json:"do"` // "speed", "return", "rate"
	Reader int     `json:"reader"`
	Speed  float64 `json:"speed"` // messages a second that the reader reads; 0: none, -1: all as they come
	Rate   float64 `json:"rate"`  // messages a second that the sender sends; 0: none
}

// Do carries a command out. An error says what is wrong with it.
func (r *Room) Do(c Command) error {
	if c.Do == "rate" {
		if !(c.Rate >= 0 && c.Rate <= MaxRate) { // nor NaN
			return fmt.Errorf("rate %g: 0 to %d messages a second are expected", c.Rate, MaxRate)
		}
		r.sender.gate.set(c.Rate)
		return nil
	}
	if c.Reader < 0 || c.Reader >= len(r.readers) {
		return fmt.Errorf("there is no reader %d: 0 to %d are", c.Reader, len(r.readers)-1)
	}
	one := r.readers[c.Reader]
	switch c.Do {
	case "speed":
		if !(c.Speed == AsTheyCome || c.Speed >= 0 && c.Speed <= MaxRate) {
			return fmt.Errorf("speed %g: -1, or 0 to %d messages a second, is expected", c.Speed, MaxRate)
		}
		one.gate.set(c.Speed)
		return nil
	case "return":
		return one.comeBack()
	}
	return fmt.Errorf("%.32q is nothing that a room does: speed, return or rate is", c.Do)
}

// A network is where the room's server listens: see pipe.go.
type network struct {
	calls chan *half
	over  chan struct{}
	once  sync.Once
}

func newNetwork() *network { return &network{calls: make(chan *half), over: make(chan struct{})} }

// dial returns a client's half of a new connection, whose buffer to the client has a size
// in bytes.
func (n *network) dial(buffer int) (*half, error) {
	mine, theirs := newPipe(buffer)
	select {
	case n.calls <- theirs:
		return mine, nil
	case <-n.over:
		return nil, errOver
	}
}
