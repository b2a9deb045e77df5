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
// What goes wrong is harmless: whoever is cut joins again with the last cursor,
// and sends again what has no acknowledgement. Package chat/chattest has the
// experiment that shows it.
//
// # Requests and hooks
//
// A transport hands the requests of its client to [Session.Do], which runs them
// one after the other on a goroutine of the session's own, and between them the
// hooks of [Options] that tell the program what has happened. The goroutine that
// reads the connection goes on reading. A hook that is slow delays its own
// session; one that panics ends it, with [ErrPanic]. At most 64 requests wait.
//
// The program speaks by [Hub.Publish] (stored, to a room), [Hub.ToRoom],
// [Hub.ToPerson], [Hub.Broadcast] (to all, or all but some) and [Session.Emit]
// (to the one who has just connected, say), from any goroutine; it moderates by
// [Hub.Kick], [Hub.Mute] and [Hub.Delete], and ends by [Hub.Drain] and
// [Hub.Close].
//
// # Persons
//
// [Options].Authenticate says who a client is. Presence counts persons, not
// connections, and somebody whose last connection was lost is here for another
// [Options].PresenceGrace. Nobody can take a name that somebody else has, or one
// that looks like it.
//
// # Slow readers, and those who ask too much
//
// A session's queue is bounded in bytes and in age. When it is full, events
// marked volatile are dropped first; then the session is closed with [ErrSlow].
// Nobody else waits for it, and resume by cursor makes the cut harmless.
//
// Messages, reads of history and requests of any kind meet token buckets. The
// refusal says how long to wait; who does not wait, again and again, is closed
// with [ErrFlood].
//
// An [Event] is encoded once for each [Codec], however many sessions get it.
//
// # Locks
//
// In this order, each may be held while the next is taken: a session's op (its
// own requests, one after the other), a room's mu (append, publish, join,
// leave), the hub's mu (the maps), a session's queue. The hub never waits for a
// connection. It has no goroutine of its own; a session has one while there is
// something to run, and another while there is something to write, see
// [Session.Attend].
//
// # Limitations
//
// One process: several processes do not share rooms. Mutes, the buckets, and the
// ids of private messages are forgotten when the process ends. Who comes to
// and goes from a room of more than [Options].MaxPresence people is not told to
// the others. A room's messages wait for its store one batch after the other, and
// joins wait with them.
package chat
