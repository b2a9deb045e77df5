package lab

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"sync"

	"framewright/ws"
	"framewright/ws/wsnet"
)

// runs are the measurements that browsers do themselves. A page opens one by a WebSocket,
// /lab/measure/run, which is its life: when it closes, the run and all that belongs to it
// is over.
//
//	page: the plan                  server: {"run":"ID","letters":"abc…"}
//	page: anything                  the next message comes to be
//	page: anything, when all have   server: {"requests":{"polling":9,…}}
//
// The messages come by the ways of a deck below /lab/measure/run/ID/.
type runs struct {
	control *wsnet.Server
	hosts   []string
	origins []string
	slots   chan struct{}

	mu    sync.Mutex
	decks map[string]*deck
}

func newRuns(hosts, origins []string, logger *slog.Logger) *runs {
	r := &runs{hosts: hosts, origins: origins, slots: make(chan struct{}, maxMeasurements), decks: map[string]*deck{}}
	r.control = wsnet.Handler(r.run)
	// One more than have a run, to be told so.
	r.control.MaxConns, r.control.MaxPerAddress, r.control.Logger = 4*maxMeasurements, -1, logger
	r.control.Options = wsnet.ServerOptions{OriginPatterns: origins, Hosts: hosts}
	r.control.Options.MaxMessage = maxPlanBytes
	return r
}

// maxPlanBytes bounds a message of a page to its run.
const maxPlanBytes = 1 << 10

// run is one run.
func (r *runs) run(ctx context.Context, c *wsnet.Conn) error {
	ctx, cancel := context.WithTimeout(ctx, maxMeasuring)
	defer cancel()
	answer := func(v map[string]any) error {
		b, err := json.Marshal(v)
		if err != nil {
			return err
		}
		return c.Write(ctx, ws.OpText, b)
	}
	select {
	case r.slots <- struct{}{}:
		defer func() { <-r.slots }()
	default:
		return answer(map[string]any{"error": fmt.Sprintf("%d others are being worked on: try again in a moment", maxMeasurements)})
	}
	_, body, err := c.Read(ctx)
	if err != nil {
		return nil // who leaves before it begins
	}
	var p MeasurePlan
	if err = unmarshal(body, &p); err == nil {
		err = p.check()
	}
	if err != nil {
		return answer(map[string]any{"error": err.Error()})
	}
	f := newFeed(&p)
	d, err := newDeck(f, r.hosts, r.origins)
	if err != nil {
		return answer(map[string]any{"error": err.Error()})
	}
	defer d.close()
	id := rand.Text()
	r.put(id, d)
	defer r.put(id, nil)
	if err := answer(map[string]any{"run": id, "letters": letters}); err != nil {
		return nil
	}
	for range f.messages {
		if _, _, err := c.Read(ctx); err != nil {
			return nil // as whoever goes away may
		}
		f.publish(1)
	}
	if _, _, err := c.Read(ctx); err != nil {
		return nil
	}
	return answer(map[string]any{"requests": d.counts()})
}

// put sets the deck of a run; nil is none any more.
func (r *runs) put(id string, d *deck) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if d == nil {
		delete(r.decks, id)
		return
	}
	r.decks[id] = d
}

// ServeHTTP serves a way of a run.
func (r *runs) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	id := req.PathValue("id")
	r.mu.Lock()
	d := r.decks[id]
	r.mu.Unlock()
	if d == nil {
		http.Error(w, "There is no such measurement, or it is over.", http.StatusNotFound)
		return
	}
	http.StripPrefix("/lab/measure/run/"+id, d).ServeHTTP(w, req)
}
