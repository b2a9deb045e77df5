package wsspec

import (
	"fmt"
	"sync"
	"time"
)

// A Record is a piece of what went over the wire, or a remark between two.
type Record struct {
	At    time.Duration // since the dialogue began
	Sent  bool          // by the suite; else by the testee
	Bytes []byte        // the beginning of them
	Size  int           // how many there were
	Note  string        // a remark instead of bytes: an opening, an end, a wait in vain
}

// shownBytes is how many bytes of a record String has.
const shownBytes = 96

// String is the record as one line: ">" is sent by the suite, "<" by the testee.
func (r Record) String() string {
	if r.Note != "" {
		return "-- " + r.Note
	}
	arrow := "<"
	if r.Sent {
		arrow = ">"
	}
	shown := r.Bytes[:min(len(r.Bytes), shownBytes)]
	text := fmt.Sprintf("%s %d bytes: %x", arrow, r.Size, shown)
	if r.Size > len(shown) {
		text += "..."
	}
	return text
}

const (
	recordBytes = 512      // kept of one piece
	wholeBytes  = 16 << 10 // likewise with Settings.KeepWire
	recordsKept = 400      // of a dialogue: the first half and the last half
)

// A record keeper is a dialogue's memory. Its memory is bounded.
type recorder struct {
	mu      sync.Mutex
	began   time.Time
	whole   bool // to keep more, and to be paused by nobody: Settings.KeepWire
	off     bool
	all     []Record
	next    int // where the ring of the last half goes on, once all is full
	leftOut int
}

func (r *recorder) bytes(sent bool, b []byte) {
	r.add(Record{Sent: sent, Bytes: b, Size: len(b)})
}

func (r *recorder) note(text string) { r.add(Record{Note: text}) }

// pause stops the recording of bytes, for dialogues of very many messages.
func (r *recorder) pause(off bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.off = off && !r.whole
}

func (r *recorder) add(rec Record) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.off && rec.Note == "" {
		r.leftOut++
		return
	}
	rec.At = time.Since(r.began)
	most := recordBytes
	if r.whole {
		most = wholeBytes
	}
	rec.Bytes = append([]byte(nil), rec.Bytes[:min(len(rec.Bytes), most)]...)
	if len(r.all) < recordsKept {
		r.all = append(r.all, rec)
		return
	}
	const half = recordsKept / 2
	r.all[half+r.next] = rec
	r.next = (r.next + 1) % half
	r.leftOut++
}

// records returns what is kept, in order.
func (r *recorder) records() ([]Record, int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	const half = recordsKept / 2
	out := append([]Record(nil), r.all...)
	if r.leftOut > 0 && len(r.all) == recordsKept {
		out = append(append(out[:half:half], r.all[half+r.next:]...), r.all[half:half+r.next]...)
	}
	return out, r.leftOut
}
