// Package chat is a chat without a wire: rooms, members, history, resume and
// acknowledged sends. It knows neither WebSocket nor JSON. A transport (package
// chat/plain is one) turns what a client asks into calls on a [Session], and
// writes what the session's queue gives it.
//
// # The model
//
// A [Hub] holds sessions and rooms. A [Session] is one connection of one
// [Person]; a person may have several. A room has one append point, and so one
// order, which every member sees alike.
//
// A [Message] in a room has a [Cursor]. Cursors of one room grow with its
// messages; they also name the room's epoch, which changes when its history
// starts anew. To a client a cursor is opaque text.
//
// [Session.Join] subscribes, and in the same step puts a [Joined] event on the
// session's queue with the room's cursor, its members, and either recent
// history or exactly what was missed since the cursor that the client brought.
// Nothing falls between that event and the first live message, and nothing
// comes twice. If what was missed cannot be given whole, the event says
// Recovered == false and carries the latest history: loss is never silent.
//
// [Session.Send] stores first and acknowledges then. The client names each of
// its messages with an id of its own; the same id again gets the same
// acknowledgement, and the room one message.
//
// # Slow readers
//
// A session's queue is bounded in bytes and in age. When it is full, events
// marked volatile are dropped first; then the session is closed with [ErrSlow].
// Nobody else waits for it, and resume by cursor makes the cut harmless.
//
// An [Event] is encoded once for each [Codec], however many sessions get it.
//
// # Locks
//
// In this order, each may be held while the next is taken: a session's op (its
// own requests, one after the other), a room's mu (append, publish, join,
// leave), the hub's mu (the maps), a session's queue. The hub never waits for a
// connection, and starts no goroutine.
//
// # Limitations
//
// One process: several processes do not share rooms. A person who leaves is
// announced at once, without a time of grace. There is no rate limit yet beyond
// what the transport sets.
package chat
