//go:build linux

package main

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"framewright/bench/internal/peer"
)

func quiet() bool { return true }

// fakeRun runs two rows of servers that do nothing.
func fakeRun(t *testing.T, repeat int, limit time.Duration, measure func(row, server string) (map[string]float64, error)) *run {
	t.Helper()
	r := &run{repeat: repeat, limit: limit, log: io.Discard, wait: quiet}
	for _, title := range []string{"first", "second"} {
		r.rows = append(r.rows, &row{
			group: "echo", title: title, servers: []string{"a", "b", "c"}, figures: []figure{{"cpu", "µs"}},
			measure: func(_ context.Context, _ *run, s peer.Server) (map[string]float64, error) {
				return measure(title, s.Name)
			},
		})
	}
	if err := r.do(t.Context()); err != nil {
		t.Fatal(err)
	}
	return r
}

// Servers take turns, in another order each time.
func TestRunInterleaves(t *testing.T) {
	var order []string
	r := fakeRun(t, 2, time.Hour, func(row, server string) (map[string]float64, error) {
		order = append(order, row[:1]+server)
		return map[string]float64{"cpu": float64(len(order))}, nil
	})
	want := strings.Fields("fa fb fc sa sb sc fc fa fb sc sa sb")
	if !slices.Equal(order, want) {
		t.Errorf("the order is %v, expected %v", order, want)
	}
	if got := r.samples[r.rows[1]]["b"]["cpu"]; !slices.Equal(got, []float64{5, 12}) {
		t.Errorf("the samples are %v", got)
	}
}

// No repetition begins that would end beyond the limit, and the report says how
// many there were.
func TestRunIsBounded(t *testing.T) {
	n := 0
	r := fakeRun(t, 5, time.Nanosecond, func(string, string) (map[string]float64, error) {
		n++
		return map[string]float64{"cpu": 1}, nil
	})
	if n != 6 || r.reps != 1 {
		t.Errorf("%d measurements in %d repetitions, expected 6 in 1", n, r.reps)
	}
}

// A server that fails is not asked again, and costs the others nothing.
func TestRunGoesOn(t *testing.T) {
	asked := 0
	r := fakeRun(t, 2, time.Hour, func(row, server string) (map[string]float64, error) {
		if row == "first" && server == "b" {
			asked++
			return nil, errors.New("gone")
		}
		return map[string]float64{"cpu": 1}, nil
	})
	if errs := r.errors(); asked != 1 || len(errs) != 1 || errs[0] != "first, b: gone" {
		t.Errorf("asked %d times, failures %q", asked, errs)
	}
	if len(r.samples[r.rows[0]]["c"]["cpu"]) != 2 || len(r.samples[r.rows[1]]["b"]["cpu"]) != 2 {
		t.Error("others were not measured twice")
	}
}

// What was measured while others were busy is measured again, and the quieter
// one counts.
func TestRunRepeatsNoise(t *testing.T) {
	noise := []float64{0.9, 0.5, 0.01}
	r := &run{repeat: 1, limit: time.Hour, log: io.Discard, wait: quiet}
	r.patience.Left = time.Minute
	r.rows = []*row{{group: "echo", title: "row", servers: []string{"a"}, figures: []figure{{"cpu", "µs"}},
		measure: func(context.Context, *run, peer.Server) (map[string]float64, error) {
			others := noise[0]
			noise = noise[1:]
			return map[string]float64{"cpu": others * 100, "others": others}, nil
		}}}
	if err := r.do(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := r.samples[r.rows[0]]["a"]["cpu"]; len(noise) != 0 || !slices.Equal(got, []float64{1}) {
		t.Errorf("%v counted, and %v was left", got, noise)
	}
}
