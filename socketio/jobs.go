package socketio

import (
	"context"
	"sync"
)

// jobs runs what a socket's events ask for, one after the other. It has a
// goroutine only while there is something to do.
type jobs struct {
	mu      sync.Mutex
	waiting []job
	size    int // bytes of the events that wait
	running bool
	room    chan struct{} // closed when a job has begun; nil if nobody waits
}

type job struct {
	do   func()
	size int // bytes of its event
}

// put adds f, whose event has size bytes. While most are waiting already it
// waits itself: the client's next packets are read when its events are handled.
// It gives up when ctx ends.
func (j *jobs) put(ctx context.Context, s *Socket, f func(), size int) {
	o := &s.ns.server.o
	j.mu.Lock()
	for len(j.waiting) > 0 && (len(j.waiting) >= o.MaxWaiting || j.size+size > o.MaxMessage) {
		if j.room == nil {
			j.room = make(chan struct{})
		}
		room := j.room
		j.mu.Unlock()
		select {
		case <-room:
		case <-ctx.Done():
			return
		}
		j.mu.Lock()
	}
	j.add(s, f, size)
	j.mu.Unlock()
}

// last adds f behind those that wait. It never waits itself.
func (j *jobs) last(s *Socket, f func()) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.add(s, f, 0)
}

func (j *jobs) add(s *Socket, f func(), size int) {
	j.waiting, j.size = append(j.waiting, job{f, size}), j.size+size
	if !j.running {
		j.running = true
		s.ns.server.running.Go(j.run)
	}
}

func (j *jobs) run() {
	for {
		j.mu.Lock()
		if len(j.waiting) == 0 {
			j.running, j.waiting = false, nil
			j.mu.Unlock()
			return
		}
		next := j.waiting[0]
		j.waiting[0] = job{}
		j.waiting, j.size = j.waiting[1:], j.size-next.size
		if j.room != nil {
			close(j.room)
			j.room = nil
		}
		j.mu.Unlock()
		next.do()
	}
}
