package chat_test

import (
	"errors"
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"

	"framewright/chat"
	"framewright/chat/chattest"
)

// crashing is one life of a store that crashes now and then: what is not
// committed then is lost, and what is may not be heard of.
type crashing struct {
	disk  *chat.Memory
	crash func() bool

	mu      sync.Mutex
	rand    *rand.Rand
	crashed bool
}

var errCrash = errors.New("crashed, or failed before or after it did what it should")

// work lets others come between, and sometimes it is the last that happens.
func (s *crashing) work() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for range s.rand.IntN(8) {
		s.mu.Unlock()
		runtime.Gosched()
		s.mu.Lock()
	}
	if !s.crashed && s.rand.IntN(100) == 0 {
		s.crashed = s.crash()
	}
	if s.crashed || s.rand.IntN(50) == 0 { // the latter is a disk that is full for a moment
		return errCrash
	}
	return nil
}

func (s *crashing) Append(room string, ms []*chat.Message) ([]chat.Stored, error) {
	if err := s.work(); err != nil {
		return nil, err
	}
	stored, err := s.disk.Append(room, ms)
	return stored, errors.Join(err, s.work())
}

func (s *crashing) Read(room string, q chat.Query) (chat.Page, error) {
	p, err := s.disk.Read(room, q)
	return p, errors.Join(err, s.work())
}

func (s *crashing) Delete(room string, c chat.Cursor) (bool, error) { return s.disk.Delete(room, c) }

// Connections are cut at random places, and the server restarts and crashes:
// nothing that was acknowledged is missing, nothing is there twice, and everyone
// sees the room's order.
func TestLosesNothing(t *testing.T) {
	disk := &chat.Memory{MaxMessages: 1 << 20, MaxBytes: 1 << 30}
	cuts := 20_000
	if testing.Short() {
		cuts = 1000
	}
	n := uint64(0)
	chattest.Loss{
		Clients: 8, Rooms: 2, Cuts: cuts, Restarts: cuts / 10, Seed: 1,
		Open: func(crash func() bool) chat.Store {
			n++
			return &crashing{disk: disk, crash: crash, rand: rand.New(rand.NewPCG(n, 3))}
		},
	}.Run(t)
}
