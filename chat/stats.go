package chat

import (
	"errors"
	"maps"
	"sync"
	"sync/atomic"
	"time"
)

// Observer is told of what a program may want to measure as it happens, beside
// what [Hub.Stats] counts. Each func may be nil. They are called from many
// goroutines, some with a room's lock held: they must be quick and must not
// call the hub.
type Observer struct {
	// FanOut: an event was put on the queues of so many receivers.
	FanOut func(receivers int, took time.Duration)
	// Stored: the store has appended a batch of one room's messages, or failed.
	Stored func(messages int, took time.Duration, err error)
}

// Stats are a hub's counters since it was made, and its present state.
type Stats struct {
	// The state.
	Sessions   int
	People     int
	Rooms      int
	QueueBytes int64 // waiting in all sessions' queues

	// The counters.
	Connected     uint64 // sessions admitted
	Messages      uint64 // stored
	MessageBytes  uint64 // the texts of those
	Duplicates    uint64 // repeated sends, acknowledged again and not stored
	Privates      uint64 // private messages delivered
	StoreFailures uint64
	Delivered     uint64 // packets put on queues
	DeliveredSize uint64 // bytes of those
	Dropped       uint64 // volatile packets that a slow session did not get
	Joins         uint64 // without a cursor
	Recovered     uint64 // joins with a cursor that got exactly what was missed
	NotRecovered  uint64 // joins with a cursor that got the latest history instead

	// Ended counts the sessions that are over, by [EndReason].
	Ended map[string]uint64
	// Refused counts refusals by their code.
	Refused map[ErrorCode]uint64
}

// counters are the moving parts of [Stats].
type counters struct {
	connected, messages, messageBytes, duplicates, privates, storeFailures atomic.Uint64
	delivered, deliveredSize, dropped, joins, recovered, notRecovered      atomic.Uint64

	mu      sync.Mutex
	ended   map[string]uint64
	refused map[ErrorCode]uint64
}

// Stats returns a hub's counters. It takes a moment for each session.
func (h *Hub) Stats() Stats {
	c := &h.counters
	s := Stats{
		Connected: c.connected.Load(), Messages: c.messages.Load(), MessageBytes: c.messageBytes.Load(),
		Duplicates: c.duplicates.Load(), Privates: c.privates.Load(), StoreFailures: c.storeFailures.Load(),
		Delivered: c.delivered.Load(), DeliveredSize: c.deliveredSize.Load(), Dropped: c.dropped.Load(),
		Joins: c.joins.Load(), Recovered: c.recovered.Load(), NotRecovered: c.notRecovered.Load(),
		Ended: make(map[string]uint64), Refused: make(map[ErrorCode]uint64),
	}
	c.mu.Lock()
	maps.Copy(s.Ended, c.ended)
	maps.Copy(s.Refused, c.refused)
	c.mu.Unlock()
	sessions := h.Sessions()
	for _, one := range sessions {
		s.QueueBytes += int64(one.q.size())
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	s.Sessions, s.People, s.Rooms = len(h.sessions), len(h.people), len(h.rooms)
	return s
}

// maxReasons bounds the counters' maps: a program's hooks may refuse with codes
// of their own.
const maxReasons = 100

func (c *counters) count(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	reason := EndReason(err)
	if c.ended == nil {
		c.ended = make(map[string]uint64)
	}
	c.ended[reason]++
}

func (c *counters) refuse(code ErrorCode) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.refused == nil {
		c.refused = make(map[ErrorCode]uint64)
	}
	if _, known := c.refused[code]; !known && len(c.refused) >= maxReasons {
		code = "other"
	}
	c.refused[code]++
}

// EndReason names in one word why a session ended: slow, kicked, expired,
// flood, panic, store, restart, shutdown; gone, if the client simply went; lost, for
// everything else that may befall a connection.
func EndReason(err error) string {
	switch {
	case err == nil, errors.Is(err, ErrClosed):
		return "gone"
	case errors.Is(err, ErrSlow):
		return "slow"
	case errors.Is(err, ErrKicked):
		return "kicked"
	case errors.Is(err, ErrExpired):
		return "expired"
	case errors.Is(err, ErrFlood):
		return "flood"
	case errors.Is(err, ErrPanic):
		return "panic"
	case errors.Is(err, ErrStore):
		return "store"
	case errors.Is(err, ErrRestart):
		return "restart"
	case errors.Is(err, ErrShutdown):
		return "shutdown"
	}
	return "lost"
}
