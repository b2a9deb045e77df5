package lab

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"framewright/lab/fact"
)

// The bounds of what pages post.
const (
	maxCapture = 8 << 20 // bytes of a capture
	maxPlan    = 1 << 20 // bytes of JSON
	maxAtOnce  = 8       // posts that are worked on, of most kinds
	readTime   = 30 * time.Second
)

// A poster answers what a page of this site posts, some at a time: f makes of a body what
// goes back as JSON, or an error that says what is wrong with it.
type poster struct {
	limit int64 // bytes of the body
	slots chan struct{}
	f     func(r *http.Request, body []byte) (any, error)
}

// newPoster returns one that other sites cannot use.
func newPoster(limit int64, f func(*http.Request, []byte) (any, error)) http.Handler {
	return newPosterOf(maxAtOnce, limit, f)
}

// newPosterOf is newPoster for so many posts at once.
func newPosterOf(atOnce int, limit int64, f func(*http.Request, []byte) (any, error)) http.Handler {
	return http.NewCrossOriginProtection().Handler(&poster{limit, make(chan struct{}, atOnce), f})
}

func (p *poster) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	select {
	case p.slots <- struct{}{}:
		defer func() { <-p.slots }()
	default:
		w.Header().Set("Retry-After", "1")
		mistake(w, http.StatusServiceUnavailable, fmt.Errorf("%d others are being worked on: try again in a moment", cap(p.slots)))
		return
	}
	http.NewResponseController(w).SetReadDeadline(time.Now().Add(readTime)) // where that is possible
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, p.limit))
	if tooLarge, ok := errors.AsType[*http.MaxBytesError](err); ok {
		mistake(w, http.StatusRequestEntityTooLarge, fmt.Errorf("more than %d bytes: filter the capture for one connection first", tooLarge.Limit))
		return
	} else if err != nil {
		mistake(w, http.StatusBadRequest, fmt.Errorf("what was sent has not come whole: %w", err))
		return
	}
	answer, err := p.f(r, body)
	if err != nil {
		mistake(w, http.StatusOK, err) // the post is as it should be: its page shows what is wrong inside
		return
	}
	answerJSON(w, http.StatusOK, answer)
}

func answerJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(v)
}

// mistake answers with an error, for the page to show.
func mistake(w http.ResponseWriter, status int, err error) {
	answerJSON(w, status, map[string]string{"error": err.Error()})
}

// unmarshal reads JSON strictly: a field that nobody knows is a mistake.
func unmarshal(body []byte, v any) error {
	d := json.NewDecoder(strings.NewReader(string(body)))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return fmt.Errorf("the JSON of the page: %w", err)
	}
	return nil
}

// A momentFact is a Moment as a page has it.
type momentFact struct {
	fact.Fact
	HeaderOnly bool `json:"headerOnly,omitempty"` // the payload is not known
}

// facts numbers moments of one connection, and explains them. What its compressed messages
// are made of the moments say themselves, if the connection was decoded; if it was held
// here, that follows from its events.
func facts(moments []Moment, decoded bool) []momentFact {
	all := make([]momentFact, 0, len(moments))
	tracker := new(fact.Tracker)
	for i, m := range moments {
		var f fact.Fact
		if decoded {
			f = fact.Of(m.Event)
			f.Inflate = m.Inflate
		} else {
			f = tracker.Of(m.Event)
		}
		f.Seq, f.Ms = uint64(i+1), float64(m.At)/float64(time.Millisecond)
		all = append(all, momentFact{f, m.HeaderOnly})
	}
	return all
}
