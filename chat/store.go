package chat

// Store keeps the rooms' messages. The hub calls it from many goroutines, but
// for one room never twice at the same time. A store that has something to end
// is an [io.Closer], too: [Hub.Close] is its last call.
type Store interface {
	// Append stores the messages of one room in the order given, all or none,
	// and sets each one's Cursor. A message whose From.ID and ID are those of
	// one that the room still keeps is not stored again: the result at its
	// index is that earlier one, with Duplicate set. The stored messages must
	// not be changed by anybody afterwards.
	Append(room string, messages []*Message) ([]Stored, error)
	// Read returns messages of one room. A room that nobody has written to is
	// not an error: it has a cursor already.
	Read(room string, q Query) (Page, error)
	// Delete takes a message out of what Read gives, and reports whether it
	// was there. Its place in the order stays empty, and its ID known.
	Delete(room string, c Cursor) (bool, error)
}

// A RoomLister is a [Store] that can say which rooms it keeps. A hub asks in
// [New], so that a room which nobody is in is not taken for one that looks like
// it.
type RoomLister interface {
	// Rooms returns the names of the rooms that messages are kept of, the
	// latest written to first, at most limit.
	Rooms(limit int) ([]string, error)
}

// Stored is the fate of one message given to [Store].Append.
type Stored struct {
	Message   *Message
	Duplicate bool // an earlier send of the same message
}

// Query says which messages of a room to read.
type Query struct {
	// Since asks for everything after this place, up to the room's head. If
	// that is not there in full, or is more than Limit or MaxBytes, the page
	// has no messages and Recovered is false.
	Since Cursor
	// Before asks for the latest messages before this place. Zero: the latest
	// of all. Not used together with Since.
	Before Cursor
	// Limit is the most messages to return.
	Limit int
	// MaxBytes bounds the sum of the messages' [Message.Size], but for the first
	// that is taken: a larger message comes alone. 0: no bound.
	MaxBytes int
}

// Exceeds reports whether messages whose sizes are bytes together are more than
// MaxBytes allows, if n of them were taken before the last.
func (q Query) Exceeds(n, bytes int) bool { return q.MaxBytes > 0 && n > 0 && bytes > q.MaxBytes }

// Page is what [Store].Read returns.
type Page struct {
	Messages  []*Message // oldest first
	Head      Cursor     // the room's place now; never zero
	Recovered bool       // Since was given, and Messages is all that followed it
	More      bool       // there are older messages than the first of Messages; not set for Since
	// Deleted has, if Recovered, the places up to Since whose messages were
	// deleted when the room's head was at or after Since: whoever stopped
	// listening there may not know. In order.
	Deleted []Cursor
}

// messageOverhead stands for what a message costs besides its texts, in memory
// and in a wire format's punctuation.
const messageOverhead = 160

// Size is what the message counts for in limits, in bytes: its texts and a
// fixed part.
func (m *Message) Size() int {
	return messageOverhead + len(m.Text) + len(m.ID) + len(m.From.ID) + len(m.From.Name) + len(m.Room)
}
