package chattest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"framewright/chat"
)

// Loss is an experiment: clients whose connections are cut at random places,
// and a server that restarts and crashes under them.
type Loss struct {
	Clients, Rooms int
	Cuts           int // in all, about
	Restarts       int // of the server
	Seed           uint64

	// Open gives the store of one life of the server; the last one's has been
	// closed. In the middle of a call the store may ask to crash. If the answer
	// is true, this life is over: from then on all its calls must fail, whether
	// they have had an effect or not. It must not sleep.
	Open func(crash func() bool) chat.Store
}

// Run runs the experiment under fake time and checks that
//   - what was acknowledged is in its room, once, where the acknowledgement said;
//   - the same id gets the same acknowledgement, in whatever life of the server;
//   - what each client has seen is what was said in the room since it first came,
//     all of it, once, and in the room's order.
func (l Loss) Run(t *testing.T) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { l.run(t) })
}

type server struct {
	l       Loss
	crashed chan struct{} // the store has crashed
	calm    atomic.Bool   // no more crashes

	mu    sync.Mutex
	hub   *chat.Hub
	store chat.Store
	life  context.Context // ends with a crash
}

func (s *server) begin() {
	life, kill := context.WithCancel(context.Background())
	store := s.l.Open(func() bool {
		if s.calm.Load() {
			return false
		}
		kill()
		select {
		case s.crashed <- struct{}{}:
		default:
		}
		return true
	})
	none := chat.Rate{PerSecond: -1}
	hub := chat.New(chat.Options{Store: store, Resume: 1 << 20, QueueBytes: 64 << 20, PresenceGrace: time.Second,
		MessageRate: none, PersonRate: none, ReadRate: none, RequestRate: none})
	s.mu.Lock()
	defer s.mu.Unlock()
	s.store, s.hub, s.life = store, hub, life
}

func (s *server) now() (*chat.Hub, context.Context) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.hub, s.life
}

// restarts ends lives of the server and begins others, when it is time or the
// store has crashed.
func (s *server) restarts(stop chan struct{}, r *rand.Rand) (orderly, crashes int) {
	for {
		t := time.NewTimer(time.Duration(r.IntN(300)) * time.Millisecond)
		if orderly == s.l.Restarts {
			t.Stop()
		}
		select {
		case <-stop:
			return orderly, crashes
		case <-s.crashed:
			crashes++
		case <-t.C:
			orderly++
		}
		t.Stop()
		if s.again() {
			crashes++
		}
	}
}

// again ends one life and begins the next. It reports whether there was a crash
// even then.
func (s *server) again() (crashed bool) {
	hub, _ := s.now()
	hub.Close() // waits for the sends that are at work
	select {
	case <-s.crashed:
		crashed = true
	default:
	}
	s.begin()
	return crashed
}

func (l Loss) run(t *testing.T) {
	s := &server{l: l, crashed: make(chan struct{}, 1)}
	s.begin()
	seed := rand.New(rand.NewPCG(l.Seed, 1))
	clients := make([]*client, l.Clients)
	var wg sync.WaitGroup
	for i := range clients {
		c := &client{t: t, s: s, name: fmt.Sprintf("client %d", i), rand: rand.New(rand.NewPCG(seed.Uint64(), 2)), rooms: make(map[string]*view)}
		for r := range l.Rooms {
			c.rooms[fmt.Sprint("room ", r)] = &view{acks: make(map[string]chat.Cursor), waiting: make(map[string]bool)}
		}
		clients[i] = c
		wg.Go(func() {
			for range max(l.Cuts/l.Clients, 1) {
				c.connect(time.Duration(1+c.rand.IntN(200))*time.Millisecond, true)
			}
		})
	}
	stop := make(chan struct{})
	go func() { wg.Wait(); close(stop) }()
	orderly, crashes := s.restarts(stop, seed)
	t.Logf("%d restarts and %d crashes", orderly, crashes)
	s.calm.Store(true)
	synctest.Wait()
	s.again()
	for _, c := range clients { // the last word: everything that waits is sent, and everything that was missed fetched
		for tries := 0; c.unfinished(); tries++ {
			if tries == 100 {
				t.Fatalf("%s cannot get rid of its messages", c.name)
			}
			c.connect(time.Second, false)
		}
	}
	for _, c := range clients {
		for tries := 0; tries == 0 || !c.everywhere(); tries++ { // a store may refuse a join
			if tries == 100 {
				t.Fatalf("%s cannot join its rooms", c.name)
			}
			c.connect(time.Second, false)
		}
	}
	l.check(t, s.store, clients)
	hub, _ := s.now()
	if err := hub.Close(); err != nil {
		t.Error(err)
	}
}

func (l Loss) check(t *testing.T, store chat.Store, clients []*client) {
	total, acks, recoveries := 0, 0, 0
	for r := range l.Rooms {
		room := fmt.Sprint("room ", r)
		p, err := store.Read(room, chat.Query{Limit: 1 << 20})
		for tries := 0; err != nil && tries < 100; tries++ { // it may fail now and then
			p, err = store.Read(room, chat.Query{Limit: 1 << 20})
		}
		if err != nil || p.More {
			t.Fatal(err, p.More)
		}
		total += len(p.Messages)
		where := make(map[string]chat.Cursor)
		index := make(map[chat.Cursor]int)
		for i, m := range p.Messages {
			key := m.From.ID + " " + m.ID
			if _, twice := where[key]; twice {
				t.Fatalf("%s is twice in %s", key, room)
			}
			where[key] = m.Cursor
			index[m.Cursor] = i
		}
		for _, c := range clients {
			v := c.rooms[room]
			acks += len(v.acks)
			recoveries += v.recoveries
			for id, cursor := range v.acks {
				if where["id of "+c.name+" "+id] != cursor {
					t.Fatalf("%s: message %s was acknowledged at %v and is at %v", c.name, id, cursor, where["id of "+c.name+" "+id])
				}
			}
			rest := p.Messages
			if v.start.Seq > p.Messages[0].Cursor.Seq-1 {
				rest = p.Messages[index[v.start]+1:]
			}
			for i, m := range v.seen {
				if i >= len(rest) || m != rest[i].Cursor {
					t.Fatalf("%s in %s: what it saw as number %d is %v; want %v", c.name, room, i, m, rest[min(i, len(rest)-1)].Cursor)
				}
			}
			if len(v.seen) != len(rest) {
				t.Fatalf("%s in %s saw %d of %d messages", c.name, room, len(v.seen), len(rest))
			}
		}
	}
	t.Logf("%d messages, %d acknowledgements, %d recoveries", total, acks, recoveries)
	if total == 0 || acks == 0 || recoveries == 0 {
		t.Error("nothing has happened")
	}
}

// client is a person with a memory, and one connection after the other.
type client struct {
	t     *testing.T
	s     *server
	name  string
	rand  *rand.Rand
	rooms map[string]*view
	made  int
}

// view is what a client knows of one room.
type view struct {
	start, cursor chat.Cursor // of the first join; of the last thing seen
	seen          []chat.Cursor
	acks          map[string]chat.Cursor
	order         []string // ids, as they were made
	waiting       map[string]bool
	joined        bool // on this connection
	recoveries    int
}

func (c *client) unfinished() bool {
	for _, v := range c.rooms {
		if len(v.waiting) > 0 || v.start.IsZero() {
			return true
		}
	}
	return false
}

// everywhere reports whether the last connection has joined every room.
func (c *client) everywhere() bool {
	for _, v := range c.rooms {
		if !v.joined {
			return false
		}
	}
	return true
}

// events is a codec that leaves an event as it is.
type events struct{}

func (events) Encode(e *chat.Event) (chat.Packet, error) {
	return chat.Packet{Size: 64, Value: e.Body}, nil
}

var errCut = errors.New("the connection was cut")

// connect is one connection, for some time at most, or, if it is not to talk,
// until there is nothing to wait for.
func (c *client) connect(life time.Duration, talk bool) {
	hub, alive := c.s.now()
	s, err := hub.Connect(chat.Person{ID: "id of " + c.name, Name: c.name}, events{})
	if err != nil {
		time.Sleep(time.Millisecond)
		return
	}
	defer s.Close(errCut)
	// A transport's reader, which goes on while the writer waits.
	ctx, cut := context.WithTimeout(alive, life)
	defer cut()
	for room, v := range c.rooms {
		v.joined = false
		since := v.cursor
		c.ask(ctx, s, func() error { return s.Join(room, since, "") })
	}
	for {
		wait, done := context.WithTimeout(ctx, time.Duration(c.rand.IntN(20))*time.Millisecond)
		p, err := s.Next(wait)
		done()
		if alive.Err() != nil {
			return // crashed: what was on its way did not arrive
		}
		switch {
		case err == nil:
			c.hear(ctx, s, p.Value.(chat.Body))
		case ctx.Err() != nil || s.Err() != nil:
			return
		case talk:
			c.talk(ctx, s)
		}
		if c.rand.IntN(100) == 0 && talk {
			return // cut with packets on their way
		}
	}
}

func (c *client) ask(ctx context.Context, s *chat.Session, request func() error) {
	s.Do(ctx, func() {
		err := request()
		if _, refused := errors.AsType[*chat.Error](err); err != nil && !refused && !errors.Is(err, chat.ErrClosed) {
			c.t.Errorf("%s: %v", c.name, err)
		}
	})
}

// talk sends something new, or something old once more.
func (c *client) talk(ctx context.Context, s *chat.Session) {
	room := fmt.Sprint("room ", c.rand.IntN(len(c.rooms)))
	v := c.rooms[room]
	if !v.joined {
		return
	}
	var id string
	if n := len(v.order); n > 0 && c.rand.IntN(4) == 0 {
		id = v.order[c.rand.IntN(n)]
	} else {
		c.made++
		id = fmt.Sprint(c.made)
		v.order = append(v.order, id)
		v.waiting[id] = true
	}
	c.ask(ctx, s, func() error { return s.Send(room, id, id) })
}

func (c *client) hear(ctx context.Context, s *chat.Session, b chat.Body) {
	switch b := b.(type) {
	case chat.Joined:
		v := c.rooms[b.Room]
		switch {
		case v.start.IsZero():
			v.start = b.Cursor
		case !b.Recovered:
			c.t.Errorf("%s in %s: not recovered from %v", c.name, b.Room, v.cursor)
		default:
			v.recoveries++
			for _, m := range b.Messages {
				v.saw(m)
			}
		}
		v.cursor, v.joined = b.Cursor, true
		for _, id := range v.order {
			if v.waiting[id] {
				c.ask(ctx, s, func() error { return s.Send(b.Room, id, id) })
			}
		}
	case chat.Posted:
		c.rooms[b.Message.Room].saw(b.Message)
	case chat.Ack:
		v := c.rooms[b.Room]
		if first, again := v.acks[b.ID]; again && first != b.Cursor {
			c.t.Errorf("%s: %s was acknowledged at %v and at %v", c.name, b.ID, first, b.Cursor)
		}
		v.acks[b.ID] = b.Cursor
		delete(v.waiting, b.ID)
	}
}

func (v *view) saw(m *chat.Message) {
	v.seen = append(v.seen, m.Cursor)
	v.cursor = m.Cursor
}
