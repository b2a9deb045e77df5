package lab

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"time"

	"framewright/lab/room"
)

// The bounds of the lab's rooms.
const (
	maxRooms        = 8               // at one time
	roomsPerAddress = 4               // of those, from one address
	roomTime        = 5 * time.Minute // a room's life
	roomEvery       = 100 * time.Millisecond
)

// rooms are the experiments under way, by the secrets of their pages.
type rooms struct {
	mu      sync.Mutex
	all     map[string]*ownRoom
	changed chan struct{} // closed when one has ended, for who waits for that
}

// An ownRoom is one page's.
type ownRoom struct {
	*room.Room
	address string
}

// open makes the room of a secret; close ends it. The error says what is wrong with the
// plan, or wraps errFull.
func (s *rooms) open(secret, address string, p room.Plan) (*ownRoom, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	mine := 0
	for _, r := range s.all {
		if r.address == address {
			mine++
		}
	}
	switch {
	case s.all[secret] != nil:
		return nil, fmt.Errorf("%w: this page has a room already", errFull)
	case len(s.all) >= maxRooms:
		return nil, fmt.Errorf("%w: there are %d rooms, which is all that there may be", errFull, maxRooms)
	case mine >= roomsPerAddress:
		return nil, fmt.Errorf("%w: there are %d rooms of this address, which is all that it may have", errFull, roomsPerAddress)
	}
	opened, err := room.Open(p)
	if err != nil {
		return nil, err
	}
	r := &ownRoom{opened, address}
	if s.all == nil {
		s.all, s.changed = map[string]*ownRoom{}, make(chan struct{})
	}
	s.all[secret] = r
	return r, nil
}

var errFull = errors.New("try again in a moment")

func (s *rooms) close(secret string, r *ownRoom) {
	r.Close()
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.all, secret)
	close(s.changed)
	s.changed = make(chan struct{})
}

func (s *rooms) find(secret string) (*ownRoom, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r, ok := s.all[secret]
	return r, ok
}

// roomPlan reads the settings of a room from an address.
func roomPlan(query url.Values) (room.Plan, error) {
	p := room.Default()
	for _, b := range p.Bounds() {
		text := query.Get(b.Name)
		if text == "" {
			continue
		}
		n, err := strconv.Atoi(text)
		if err != nil {
			return p, fmt.Errorf("%s: %.32q is no whole number; %d to %d %s are expected", b.Name, text, b.Min, b.Max, b.Unit)
		}
		*b.Of = n
	}
	if text := query.Get("rate"); text != "" {
		n, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return p, fmt.Errorf("rate: %.32q is no number; 0 to %d messages a second are expected", text, room.MaxRate)
		}
		p.Rate = n
	}
	return p, nil
}

// roomStream opens a room, and streams its state as Server-Sent Events, ten times a
// second, until the page goes or the room's time is over; then the room ends.
func (l *Lab) roomStream(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	secret := query.Get("secret")
	if !goodSecret.MatchString(secret) {
		http.Error(w, badSecret, http.StatusBadRequest)
		return
	}
	plan, err := roomPlan(query)
	var own *ownRoom
	if err == nil {
		own, err = l.rooms.open(secret, l.o.Address(r), plan)
	}
	out := newStream(w)
	send := func(event string, data []byte) bool {
		return out.write("event: %s\ndata: %s\n\n", event, data) && out.flush()
	}
	if err != nil { // a page cannot read the body of what is no stream
		send("refused", []byte(err.Error()))
		return
	}
	defer l.rooms.close(secret, own)
	over := time.NewTimer(roomTime)
	defer over.Stop()
	tick := time.NewTicker(roomEvery)
	defer tick.Stop()
	for send("state", own.JSON()) {
		select {
		case <-tick.C:
		case <-over.C:
			send("over", fmt.Appendf(nil, "a room lasts %v", roomTime))
			return
		case <-r.Context().Done():
			return
		case <-l.ending:
			send("over", []byte("the server ends"))
			return
		}
	}
}

// postRoom carries out what a page asks of its room.
func (l *Lab) postRoom(_ *http.Request, body []byte) (any, error) {
	var asked struct {
		Secret string `json:"secret"`
		room.Command
	}
	if err := unmarshal(body, &asked); err != nil {
		return nil, err
	}
	own, ok := l.rooms.find(asked.Secret)
	if !ok {
		return nil, errors.New("this page has no room, or it is over: begin one first")
	}
	return struct{}{}, own.Do(asked.Command)
}
