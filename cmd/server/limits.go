package main

import (
	"cmp"
	"flag"

	"framewright/chat"
)

// chatSettings are the limits of the chat.
type chatSettings struct {
	maxText  int
	maxRooms int
	queue    int
	history  int
	keep     int
	memory   int
}

func (s *chatSettings) declare(f *flag.FlagSet) {
	f.IntVar(&s.maxText, "max-text", 16<<10, "longest text of a chat message, in `BYTES`")
	f.IntVar(&s.maxRooms, "max-rooms", 10_000, "rooms in use at one time")
	f.IntVar(&s.queue, "queue", 1<<20, "`BYTES` that may wait for one connection; a slower reader is cut")
	f.IntVar(&s.history, "history", 100, "messages shown to who joins a room; 0 for none")
	f.IntVar(&s.keep, "keep", 1000, "messages kept for each room, from which clients catch up")
	f.IntVar(&s.memory, "memory", 64<<20, "`BYTES` of messages kept for all rooms together")
}

// chatBounds are the least values that make sense.
var chatBounds = map[string]int64{
	"history": 0, "max-text": 1, "max-rooms": 1, "queue": 16 << 10, "keep": 1, "memory": 64 << 10,
}

func (s *chatSettings) options() chat.Options {
	return chat.Options{
		Store:      &chat.Memory{MaxMessages: s.keep, MaxBytes: s.memory, MaxRooms: 2 * s.maxRooms},
		QueueBytes: s.queue,
		MaxText:    s.maxText,
		MaxRooms:   s.maxRooms,
		History:    cmp.Or(s.history, -1),
		Resume:     s.keep,
	}
}
