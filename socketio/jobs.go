package socketio

import (
	"context"
	"sync"
)

// jobs runs what a socket's events ask for, one after the other: it is the one
// queue on the way from the client to a handler. It has a goroutine only while
// there is something to do.
type jobs struct {
	mu      sync.Mutex
	waiting []job
	size    int // bytes of the events that wait
	running bool
	room    chan struct{} // closed when a job has begun; nil if nobody waits
}

type job struct {
	do    func()
	size  int  // bytes of its event
	reply bool // wait until the client takes what it is sent
}

// put adds f, whose event has size bytes. While most are waiting already it
// waits itself: the client's next packets are read when its events are handled.
// It gives up when ctx ends. Who sends gets answers, so f is run once half of
// what may wait to be sent to the client is free: who does not take them is not
// read from for long.
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
	j.add(s, job{f, size, true})
	j.mu.Unlock()
}

// last adds f behind those that wait. It never waits itself.
func (j *jobs) last(s *Socket, f func()) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.add(s, job{do: f})
}

func (j *jobs) add(s *Socket, next job) {
	j.waiting, j.size = append(j.waiting, next), j.size+next.size
	if !j.running {
		j.running = true
		s.ns.server.running.Go(func() { j.run(s.client) })
	}
}

func (j *jobs) run(c *client) {
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
		if next.reply {
			_ = c.engine.Ready(c.ctx) // what came before the end is handled, too
		}
		next.do()
	}
}
