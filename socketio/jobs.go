package socketio

import (
	"context"
	"sync"

	"framewright/internal/queue"
)

// jobs runs what a socket's events ask for, one after the other: it is the one
// queue on the way from the client to a handler. It has a goroutine only while
// there is something to do.
type jobs struct {
	mu      sync.Mutex
	waiting queue.List[job] // and the bytes of their events
	running bool
	room    queue.Signal // a job has begun
}

type job struct {
	do    func()
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
	for w := &j.waiting; w.Len() > 0 && (w.Len() >= o.MaxWaiting || w.Size()+size > o.MaxMessage); {
		room := j.room.Wait()
		j.mu.Unlock()
		select {
		case <-room:
		case <-ctx.Done():
			return
		}
		j.mu.Lock()
	}
	j.add(s, job{f, true}, size)
	j.mu.Unlock()
}

// last adds f behind those that wait. It never waits itself.
func (j *jobs) last(s *Socket, f func()) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.add(s, job{do: f}, 0)
}

func (j *jobs) add(s *Socket, next job, size int) {
	j.waiting.Push(next, size)
	if !j.running {
		j.running = true
		s.ns.server.running.Go(func() { j.run(s.client) })
	}
}

func (j *jobs) run(c *client) {
	for {
		j.mu.Lock()
		next, ok := j.waiting.Pop()
		if !ok {
			j.running = false
			j.mu.Unlock()
			return
		}
		j.room.Raise()
		j.mu.Unlock()
		if next.reply {
			_ = c.engine.Ready(c.ctx) // what came before the end is handled, too
		}
		next.do()
	}
}
