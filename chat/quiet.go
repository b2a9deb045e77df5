package chat

import "framewright/internal/lookalike"

// quiet are the rooms that nobody is in and that messages are kept of, as far as
// they are known: those that the store lists at the start, and those that have
// fallen quiet since. They keep names that look like theirs to themselves, but
// not from names in plain ASCII: who writes once in a room of an odd name is not
// to keep for ever what others type.
type quiet struct {
	names  lookalike.Index[string]
	keys   map[string]lookalike.Key
	oldest []string
}

// maxQuiet bounds the memory, at half a kilobyte each.
const maxQuiet = 10_000

// add remembers a room, if it is not remembered yet.
func (q *quiet) add(name string, key lookalike.Key) {
	if _, ok := q.keys[name]; ok {
		return
	}
	if q.keys == nil {
		q.keys = make(map[string]lookalike.Key)
	}
	if len(q.oldest) == maxQuiet {
		old := q.oldest[0]
		q.oldest = q.oldest[1:]
		q.names.Remove(q.keys[old], old)
		delete(q.keys, old)
	}
	q.keys[name] = key
	q.oldest = append(q.oldest, name)
	q.names.Add(key, name)
}

// alike is one that a room by that name would be taken for; "" if there is none,
// or the name is one of them.
func (q *quiet) alike(name string, key lookalike.Key) string {
	if _, known := q.keys[name]; known || isASCII(name) {
		return ""
	}
	for other := range q.names.Alike(key) {
		return other
	}
	return ""
}

// learn asks the store which rooms there are.
func (q *quiet) learn(s Store) {
	l, ok := s.(RoomLister)
	if !ok {
		return
	}
	names, err := l.Rooms(maxQuiet)
	if err != nil {
		return // look-alikes of them are not known then, as with a store that cannot say
	}
	for i := len(names) - 1; i >= 0; i-- { // the latest used is forgotten last
		q.add(names[i], lookalike.Of(names[i], false))
	}
}
