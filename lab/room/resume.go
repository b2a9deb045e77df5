package room

import (
	"math/bits"
	"strconv"
	"strings"
)

// A resume is how a reader gets again what it missed.
type resume struct {
	recovered bool // the answer to its join had all of it
	again     int  // messages that it got from the log since it came back
	pages     int  // of history that it had to ask for
	done      bool
}

// joined takes the answer to a join in. r.mu is held.
func (r *reader) joined(m *incoming) (asks any) {
	returns := r.visits > 0
	r.visits++
	r.state, r.last = Here, m.Cursor
	r.once.Do(func() { close(r.first) })
	if !returns {
		return nil
	}
	r.resume = resume{recovered: m.Recovered}
	r.takeAll(m.Messages, m.Recovered)
	r.room.tell(Event{Kind: "back", Reader: r.name, Recovered: m.Recovered, Count: len(m.Messages), Facts: r.begin})
	return r.more(m.Messages, !m.Recovered)
}

// page takes a page of history in. r.mu is held.
func (r *reader) page(m *incoming) (asks any) {
	r.resume.pages++
	r.takeAll(m.Messages, false)
	return r.more(m.Messages, m.More)
}

// takeAll takes messages of the log in. If they are exactly what was missed, one that was
// read before counts as read twice; a page of history may begin with some of those.
func (r *reader) takeAll(posts []post, exactly bool) {
	for _, p := range posts {
		n, ok := numberOf(p.Text)
		if ok && (exactly || !r.log.got.has(n)) && r.log.take(n) {
			r.resume.again++
		}
	}
}

// more asks for the page before posts as long as something between what the reader has
// without a gap, and their first, is missing, and the log may have it.
func (r *reader) more(posts []post, mayBe bool) any {
	if mayBe && len(posts) > 0 {
		if n, ok := numberOf(posts[0].Text); ok && n > r.log.whole()+1 {
			return map[string]string{"type": "history", "room": roomName, "before": posts[0].Cursor, "id": "page"}
		}
	}
	r.resume.done = true
	r.room.tell(Event{Kind: "whole", Reader: r.name, Recovered: r.resume.recovered, Count: r.resume.again, Pages: r.resume.pages,
		Missing: r.room.sender.missing(&r.log, r.log.highest)})
	return nil
}

// textOf is the message of a number, which is 1 for the first, in so many bytes.
func textOf(n, size int) string {
	s := strconv.Itoa(n) + " "
	return s + strings.Repeat("·-", size)[:max(0, size-len(s))]
}

// numberOf is the number that a message begins with.
func numberOf(text string) (n int, ok bool) {
	first, _, ok := strings.Cut(text, " ")
	n, err := strconv.Atoi(first)
	return n, ok && err == nil && n > 0 && n <= maxNumber
}

// maxNumber is more messages than a room lives for.
const maxNumber = 1 << 17

// A set is one of numbers from 0 to maxNumber.
type set []uint64

func (s set) has(n int) bool { return n/64 < len(s) && s[n/64]>>(n%64)&1 == 1 }

func (s *set) add(n int) {
	for n/64 >= len(*s) {
		*s = append(*s, 0)
	}
	(*s)[n/64] |= 1 << (n % 64)
}

// without is how many numbers of s, up to one of them, are not in t.
func (s set) without(t set, to int) (n int) {
	for i, word := range s[:min(len(s), to/64+1)] {
		if i < len(t) {
			word &^= t[i]
		}
		if i == to/64 {
			word &= 1<<(to%64+1) - 1 // all of it, if that is 1<<64 - 1
		}
		n += bits.OnesCount64(word)
	}
	return n
}

// received is what a reader has read.
type received struct {
	got     set
	floor   int // all to here were read
	highest int // number that was read
	count   int
	twice   int // read a second time, or more
}

// take notes that a message was read, and reports whether that is the first time.
func (l *received) take(n int) bool {
	if l.got.has(n) {
		l.twice++
		return false
	}
	l.got.add(n)
	l.count, l.highest = l.count+1, max(l.highest, n)
	return true
}

// whole is the number up to which nothing is missing.
func (l *received) whole() int {
	for l.got.has(l.floor + 1) {
		l.floor++
	}
	return l.floor
}
