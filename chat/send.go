package chat

import (
	"fmt"
	"time"
	"unicode"
	"unicode/utf8"

	"framewright/internal/lookalike"
)

// maxID bounds the client's ids in bytes: a UUID is 36.
const maxID = 64

func checkID(id string) error {
	if id == "" || len(id) > maxID || !utf8.ValidString(id) {
		return &Error{Code: CodeBadID, Text: fmt.Sprintf("a message needs an id of its own, of 1 to %d bytes", maxID)}
	}
	return nil
}

// Send stores a message and sends it to the room's members, the sender
// included; then, or at once if the same person has sent the same id to the
// room before, it answers with an [Ack]. The error is an [*Error] or wraps
// [ErrClosed]; with CodeUnavailable it is worth trying again, with the same id.
func (s *Session) Send(room, id, text string) error {
	if err := checkID(id); err != nil {
		return err
	}
	if err := s.hub.checkText(text); err != nil {
		return err
	}
	if err := s.spendMessage(); err != nil {
		return err
	}
	if err := s.hub.mutes.check(room, s.Person().ID); err != nil {
		return err
	}
	if f := s.hub.o.AllowSend; f != nil {
		if err := f(s, room, text); err != nil {
			return asError(err, CodeNotAllowed)
		}
	}
	stored, err := s.send(room, id, text)
	if f := s.hub.o.Message; err == nil && !stored.Duplicate && f != nil {
		s.tell(func() { f(s, stored.Message) })
	}
	return err
}

func (s *Session) send(name, id, text string) (Stored, error) {
	s.op.Lock()
	defer s.op.Unlock()
	r, err := s.member(name)
	if err != nil {
		return Stored{}, err
	}
	p := &pending{sender: s, message: &Message{
		Room: name, Time: now(), From: s.Person(), ID: id, Text: text}}
	r.append(p)
	return p.stored, p.err
}

func (h *Hub) checkText(text string) error {
	switch {
	case text == "":
		return &Error{Code: CodeBadMessage, Text: "a message must not be empty"}
	case len(text) > h.o.MaxText:
		return &Error{Code: CodeBadMessage,
			Text: fmt.Sprintf("a message may have at most %d bytes (option MaxText), this has %d", h.o.MaxText, len(text))}
	case !utf8.ValidString(text):
		return &Error{Code: CodeBadMessage, Text: "a message must be UTF-8"}
	case blank(text):
		return &Error{Code: CodeBadMessage, Text: "a message must have something in it that can be seen"}
	}
	return nil
}

// blank reports whether nothing of s is drawn. A character that this program
// does not know yet counts as one that is.
func blank(s string) bool {
	for _, r := range s {
		if !unicode.IsSpace(r) && !unicode.IsControl(r) && !lookalike.Invisible(r) {
			return false
		}
	}
	return true
}

// typingRate is how often the others learn that somebody is writing.
var typingRate = Rate{PerSecond: 2, Burst: 5}

// Typing tells the other members of a room that the person is writing. It is
// volatile: whoever is slow does not get it, and too many a second are not
// passed on.
func (s *Session) Typing(room string) error {
	s.op.Lock()
	defer s.op.Unlock()
	r, err := s.member(room)
	if err != nil {
		return err
	}
	if _, ok := s.typing.take(typingRate, time.Now()); !ok || s.hub.mutes.check(room, s.Person().ID) != nil {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.tell(NewVolatile(Typing{Room: room, Who: s.Person()}), s)
	return nil
}
