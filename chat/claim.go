package chat

import (
	"crypto/rand"
	"fmt"
	"slices"
	"strings"

	"framewright/internal/lookalike"
)

// A claim is one name that one person, or the house, goes by. No two look
// alike, but for those of one person, and an account's beside the house's.
type claim struct {
	owner    *owner   // nil: the house's
	account  bool     // the name was vouched for
	wanted   string   // what it was to be; an account may have got another name
	was      []string // names that were taken from it, the latest last
	name     string
	key      lookalike.Key
	sessions map[*Session]struct{} // and those that were lost within the grace
}

// A wish is what a session would be called.
type wish struct {
	Person
	key    lookalike.Key
	echoes []lookalike.Key // of a guest's name
}

// renamed is a session whose name was taken from it.
type renamed struct {
	s   *Session
	was string
}

// mayHave refuses a guest the name that somebody else has. The caller holds mu,
// here and below.
func (h *Hub) mayHave(w wish) error {
	if w.Account {
		return nil
	}
	if err := h.free(w); err != nil {
		return err
	}
	for _, k := range w.echoes {
		for name := range h.house.bare.Alike(k) {
			return reserved(w.Name, name)
		}
	}
	return nil
}

// free refuses a name that anybody has but the person itself.
func (h *Hub) free(w wish) error {
	for c := range h.names.Alike(w.key) {
		if c.owner == nil {
			return reserved(w.Name, c.name)
		}
		if c.owner.id != w.ID {
			return &Error{Code: CodeNameTaken,
				Text: fmt.Sprintf("the name %q is taken, or looks too much like one that is; choose another", w.Name)}
		}
	}
	return nil
}

// now is what the name of a guest was made into while it was away, or on another
// of its connections; "" if it was not.
func (h *Hub) now(w wish) string {
	o := h.people[w.ID]
	if o == nil || w.Account {
		return ""
	}
	for _, c := range o.claims {
		if !c.account && slices.Contains(c.was, w.Name) {
			return c.name
		}
	}
	return ""
}

func newWish(p Person) wish {
	w := wish{Person: p, key: lookalike.Of(p.Name, true)}
	if !p.Account {
		w.echoes = lookalike.Echoes(p.Name)
	}
	return w
}

func reserved(name, of string) error {
	return &Error{Code: CodeNameTaken, Text: fmt.Sprintf("the name %q is kept for an account, or looks too much like %q, which is; choose another", name, of)}
}

// take gives s its name, and those who have to yield to it others.
func (h *Hub) take(s *Session, w wish) []renamed {
	var yield []*claim
	wanted := w.Name
	i := slices.IndexFunc(s.owner.claims, func(c *claim) bool { return c.account == w.Account && c.wanted == wanted })
	if w.Account && i < 0 {
		yield = h.others(w.key, s.owner)
		if slices.ContainsFunc(yield, func(c *claim) bool { return c.account }) {
			// Two accounts may have one name, and neither is locked out; here
			// they are told apart.
			yield = nil
			w = h.substitute(w.Person)
		}
	}
	if i < 0 {
		i = len(s.owner.claims)
		c := &claim{owner: s.owner, account: w.Account, wanted: wanted, name: w.Name, key: w.key, sessions: make(map[*Session]struct{})}
		s.owner.claims = append(s.owner.claims, c)
		h.names.Add(c.key, c)
	}
	s.claim = s.owner.claims[i]
	s.claim.sessions[s] = struct{}{}
	s.person.Store(&Person{ID: w.ID, Name: s.claim.name, Account: w.Account})
	return h.rename(yield)
}

// others are the claims of people other than o that look like k.
func (h *Hub) others(k lookalike.Key, o *owner) (list []*claim) {
	for c := range h.names.Alike(k) {
		if c.owner != nil && c.owner != o && !slices.Contains(list, c) {
			list = append(list, c)
		}
	}
	return list
}

// rename gives each of the claims a name that is free.
func (h *Hub) rename(claims []*claim) (out []renamed) {
	for _, c := range claims {
		was := c.name
		h.names.Remove(c.key, c)
		w := h.substitute(Person{ID: c.owner.id, Name: was})
		c.name, c.key, c.wanted = w.Name, w.key, w.Name
		c.was = append(c.was, was)
		c.was = c.was[max(0, len(c.was)-maxFormer):]
		h.names.Add(c.key, c)
		for s := range c.sessions {
			s.person.Store(&Person{ID: c.owner.id, Name: c.name})
			out = append(out, renamed{s, was})
		}
	}
	return out
}

// maxFormer is how many names of one claim are remembered.
const maxFormer = 8

// substitute finds a free name for who cannot have the one it wants: with a
// number behind it or, if that does not do, one of chance.
func (h *Hub) substitute(p Person) wish {
	const room = 2 // for the number
	base := p.Name
	if rs := []rune(base); len(rs) > maxNameRunes-room {
		base = strings.TrimRight(string(rs[:maxNameRunes-room]), " ")
	}
	for n := 2; ; n++ {
		try := fmt.Sprintf("%s-%d", base, n)
		if n > 9 {
			try = "guest " + strings.ToLower(rand.Text()[:8])
		}
		if CheckName(try) != nil {
			n = 9
			continue
		}
		p.Name = try
		w := newWish(p)
		if h.mayHave(w) == nil && (!w.Account || h.free(w) == nil) { // an account goes before guests, but not here
			return w
		}
	}
}

// drop ends what s has of its claim.
func (h *Hub) drop(s *Session) {
	c := s.claim
	if delete(c.sessions, s); len(c.sessions) > 0 {
		return
	}
	h.names.Remove(c.key, c)
	if i := slices.Index(c.owner.claims, c); i >= 0 {
		c.owner.claims = slices.Delete(c.owner.claims, i, i+1)
	}
}

// announce tells those who were renamed, and the rooms that they are in. From
// when it returns, nobody is told the old name of anybody.
func (h *Hub) announce(list []renamed) {
	for _, one := range list {
		you := one.s.Person()
		one.s.Emit(isNow(you, one.was))
	}
	for _, one := range list {
		s := one.s
		s.placesMu.Lock()
		rooms := make([]*room, 0, len(s.places))
		for r := range s.places {
			rooms = append(rooms, r)
		}
		s.placesMu.Unlock()
		for _, r := range rooms {
			r.renamed(s, one.was)
		}
		if f := h.o.Renamed; f != nil && s.Err() == nil {
			s.tell(func() { f(s, one.was) })
		}
	}
}

func isNow(you Person, was string) Renamed {
	return Renamed{You: you, Was: was,
		Text: fmt.Sprintf("The name %q, or one that looks like it, belongs to an account. You are %q now.", was, you.Name)}
}

// HouseNames are names that people take for those of whoever runs the server. No
// guest has them, nor one that looks like them.
var HouseNames = []string{"Server", "System", "CI", "Admin", "Administrator", "Moderator", "Operator", "Root", "Staff", "Support"}

// house is who speaks for the server.
type house struct {
	bare       lookalike.Index[string]
	claims     map[string]*claim
	publishers []string // the names that Publish has added, the oldest first
}

// maxPublishers bounds the names that are kept because somebody published under
// them.
const maxPublishers = 1000

// add reserves a name, if it is not reserved yet.
func (x *house) add(h *Hub, name string) bool {
	if x.claims[name] != nil {
		return false
	}
	if x.claims == nil {
		x.claims = make(map[string]*claim)
	}
	c := &claim{account: true, name: name, key: lookalike.Of(name, true)}
	x.claims[name] = c
	x.bare.Add(lookalike.Bare(name), name)
	h.names.Add(c.key, c)
	return true
}

// reserve keeps the name of a publisher for it, and takes it from guests.
func (h *Hub) reserve(name string) {
	h.mu.Lock()
	var yield []*claim
	x := &h.house
	if x.add(h, name) {
		yield = slices.DeleteFunc(h.others(x.claims[name].key, nil), func(c *claim) bool { return c.account })
		x.publishers = append(x.publishers, name)
		if len(x.publishers) > maxPublishers {
			old := x.publishers[0]
			x.publishers = slices.Delete(x.publishers, 0, 1)
			x.bare.Remove(lookalike.Bare(old), old)
			h.names.Remove(x.claims[old].key, x.claims[old])
			delete(x.claims, old)
		}
	}
	list := h.rename(yield)
	h.mu.Unlock()
	h.announce(list)
}
