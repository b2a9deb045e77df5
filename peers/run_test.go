package peers

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// run plays the whole table with one peer, in both roles.
func run(t *testing.T, theirs Endpoint) {
	ours := framewright{}
	lacks := theirs.Lacks()
	if _, ok := lacks[Serves]; !ok {
		t.Run("we dial", func(t *testing.T) { play(t, ours, theirs, peer, lacks) })
	}
	t.Run("we serve", func(t *testing.T) { play(t, ours, theirs, us, lacks) })
	for a := range abilities {
		if why, ok := lacks[a]; ok {
			t.Logf("not tried: %s: %s", a, why)
		}
	}
}

// play runs every exchange that the peer can do with the given end as server.
func play(t *testing.T, ours, theirs Endpoint, server end, lacks map[Ability]string) {
	ca := newAuthority(t)
	for _, x := range exchanges {
		if x.onlyWhen && x.ServerOnly != server || !x.possible(lacks) {
			continue
		}
		t.Run(x.Name, func(t *testing.T) { x.play(t, ours, theirs, server, nil) })
		if x.TLS {
			t.Run(x.Name+" over TLS", func(t *testing.T) { x.play(t, ours, theirs, server, ca) })
		}
	}
}

func (x Exchange) possible(lacks map[Ability]string) bool {
	return !slices.ContainsFunc(x.Needs, func(a Ability) bool { _, ok := lacks[a]; return ok })
}

// play connects the two ends and goes through the steps.
func (x Exchange) play(t *testing.T, ours, theirs Endpoint, server end, ca *authority) [2]*Session {
	x.Ours.TLS, x.Theirs.TLS = ca, ca
	ends := connect(t, [2]Endpoint{ours, theirs}, [2]Options{x.Ours, x.Theirs}, server)
	for e, s := range ends {
		if s.Protocol != x.Protocol {
			t.Errorf("%s agreed on subprotocol %q, want %q", end(e), s.Protocol, x.Protocol)
		}
	}
	steps := x.Steps
	if !endsItself(steps) {
		steps = append(slices.Clip(steps),
			us.does(closing(1000, "done")), peer.gets(closed(1000, "done")), us.gets(closed(1000, anyReason)))
	}
	for i, s := range steps {
		if err := s.take(t.Context(), ends); err != nil {
			t.Errorf("step %d of %d: %v", i+1, len(steps), err)
			for e, s := range ends {
				t.Logf("%s saw besides: %+v", end(e), s.pending())
			}
			return ends
		}
	}
	for e, s := range ends {
		for _, left := range s.pending() {
			if left.Event != "closed" {
				t.Errorf("%s saw more than it should: %+v", end(e), left)
			}
		}
	}
	return ends
}

// endsItself tells whether the steps themselves end the connection.
func endsItself(steps []Step) bool {
	return slices.ContainsFunc(steps, func(s Step) bool { return s.want != nil && s.want.Event == "closed" })
}

// connect makes a connection between the two endpoints.
func connect(t *testing.T, who [2]Endpoint, o [2]Options, server end) (s [2]*Session) {
	t.Helper()
	ln := who[server].Listen(t, o[server])
	c, err := who[server.other()].Dial(t, ln.URL, o[server.other()])
	if err != nil {
		t.Fatalf("%s cannot connect: %v", server.other(), err)
	}
	s[server.other()] = c
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	select {
	case s[server] = <-ln.Accepted:
	case <-ctx.Done():
		t.Fatalf("%s did not report the connection", server)
	}
	return s
}

// take carries out one step.
func (s Step) take(ctx context.Context, ends [2]*Session) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	switch {
	case s.all != nil:
		var errs [2]error
		var wg sync.WaitGroup
		for e, actions := range s.all {
			wg.Go(func() {
				for _, a := range actions {
					if err := ends[e].Do(ctx, a); err != nil {
						errs[e] = fmt.Errorf("%s: %v: %w", end(e), a, err)
						return
					}
				}
			})
		}
		wg.Wait()
		return errors.Join(errs[:]...)
	case s.do != nil:
		if err := ends[s.who].Do(ctx, *s.do); err != nil && !s.mayFail {
			return fmt.Errorf("%s: %v: %w", s.who, *s.do, err)
		}
		return nil
	default:
		got, err := ends[s.who].next(ctx)
		if err != nil {
			return fmt.Errorf("%s should have seen %+v: %w", s.who, *s.want, err)
		}
		if diff := s.want.compare(got); diff != "" {
			return fmt.Errorf("%s saw something else (-want +got)%s:\n%s", s.who, because(got), diff)
		}
		return nil
	}
}

func because(e Event) string {
	if e.Err == "" {
		return ""
	}
	return ", its error being " + strings.TrimSpace(e.Err)
}

// compare returns the difference, with the wildcards filled in.
func (w Event) compare(got Event) string {
	if w.Code == anyCode {
		w.Code = got.Code
	}
	if w.Reason == anyReason {
		w.Reason = got.Reason
	}
	if got.Frames == 0 || w.Frames == 0 || w.Frames == many && got.Frames > 1 {
		w.Frames = got.Frames
	}
	w.Err = got.Err
	return cmp.Diff(w, got)
}

// TestTable holds what the table promises to a reader: names are unique and no
// exchange needs an ability that all Go peers lack, so each really runs.
func TestTable(t *testing.T) {
	peers := []Endpoint{gorillaPeer{}, coderPeer{}, gobwasPeer{}, gwsPeer{}}
	seen := map[string]bool{}
	for _, x := range exchanges {
		if seen[x.Name] {
			t.Errorf("two exchanges are called %q", x.Name)
		}
		seen[x.Name] = true
		if !slices.ContainsFunc(peers, func(p Endpoint) bool { return x.possible(p.Lacks()) }) {
			t.Errorf("no Go peer can do %q", x.Name)
		}
	}
}
