package ws_test

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"

	"framewright/ws"
)

const second = ws.Moment(1_000_000_000)

func TestMomentAdd(t *testing.T) {
	for _, tt := range []struct {
		m    ws.Moment
		ns   int64
		want ws.Moment
	}{
		{1, 2, 3},
		{7, 0, 7},
		{0, math.MaxInt64, math.MaxInt64},
		{1, math.MaxInt64 - 1, math.MaxInt64},
		{1, math.MaxInt64, math.MaxInt64},
		{math.MaxInt64, 1, math.MaxInt64},
		{math.MaxInt64, math.MaxInt64, math.MaxInt64},
	} {
		if got := tt.m.Add(tt.ns); got != tt.want {
			t.Errorf("%d + %d: %d, want %d", tt.m, tt.ns, got, tt.want)
		}
	}
}

func TestLimitsFilled(t *testing.T) {
	for _, tt := range []struct{ limits, want ws.Limits }{
		{ws.Limits{}, ws.Limits{MessageSize: 1 << 20, Fragments: 1024, MessageTime: int64(30 * second), PingRate: 20, EmptyRate: 200, InflateRate: 4 << 20}},
		{ws.Limits{1, 1, 1, 1, 1, 1}, ws.Limits{1, 1, 1, 1, 1, 1}},
		{ws.Limits{-1, -1, -1, -1, -1, -1}, ws.Limits{MessageSize: math.MaxInt64, Fragments: math.MaxInt}},
		{ws.Limits{1025 << 10, 0, -9, -9, -9, -9}, ws.Limits{MessageSize: 1025 << 10, Fragments: 1025}},
	} {
		if diff := cmp.Diff(tt.want, tt.limits.Filled()); diff != "" {
			t.Errorf("%+v (-want +got):\n%s", tt.limits, diff)
		}
	}
}

// A rate lets ten seconds' worth through at once, and then what a second brings, whether
// it was used before or not.
func TestRates(t *testing.T) {
	for _, rate := range []struct {
		name   string
		limits func(int) ws.Limits
		charge func(*ws.Receiver, ws.Moment) error
		text   string
	}{
		{"pings", func(n int) ws.Limits { return ws.Limits{PingRate: n} }, (*ws.Receiver).ChargePing, "ws: more pings than PingRate allows, 4 a second (§10.4)"},
		{"pongs", func(n int) ws.Limits { return ws.Limits{PingRate: n} }, (*ws.Receiver).ChargePong, "ws: more pongs that no ping asked for than PingRate allows, 4 a second (§10.4)"},
		{"empties", func(n int) ws.Limits { return ws.Limits{EmptyRate: n} }, (*ws.Receiver).ChargeEmpty, "ws: more empty messages than EmptyRate allows, 4 a second (§10.4)"},
	} {
		t.Run(rate.name, func(t *testing.T) {
			charge := func(r *ws.Receiver, at ws.Moment, n int) (passed int, err error) {
				for range n {
					if err = rate.charge(r, at); err != nil {
						return passed, err
					}
					passed++
				}
				return passed, nil
			}
			r := ws.NewReceiver(ws.RoleServer, rate.limits(4))
			for _, tt := range []struct {
				at         ws.Moment
				asks, pass int
			}{
				{second, 41, 40},             // all at once
				{second, 1, 0},               // and no more
				{second + 249_999_999, 1, 0}, // a moment before a quarter of a second is over
				{second + 250_000_000, 2, 1}, // and when it is
				{2 * second, 4, 3},
				{4*second + 500_000_000, 11, 10},
				{100 * second, 50, 40}, // however long nobody came
			} {
				n, err := charge(&r, tt.at, tt.asks)
				if n != tt.pass {
					t.Fatalf("at %d: %d pass, want %d", tt.at, n, tt.pass)
				}
				if err != nil && err.Error() != rate.text {
					t.Errorf("got %s\nwant %s", err, rate.text)
				}
			}
			r = ws.NewReceiver(ws.RoleServer, rate.limits(-1))
			if n, _ := charge(&r, second, 10_000); n != 10_000 {
				t.Errorf("%d pass without a limit", n)
			}
		})
	}
}

// Of the time that a message takes, what is waited for counts.
func TestMessageTime(t *testing.T) {
	type step struct {
		do   string // "await" gives until, "pause", "complete", "late" and "early"
		at   ws.Moment
		want ws.Moment
		move bool
	}
	for _, tt := range []struct {
		name  string
		limit int64
		steps []step
	}{
		{"one wait", int64(16 * second), []step{{"await", 100 * second, 116 * second, true}, {"early", 116*second - 1, 0, false}, {"late", 116 * second, 0, false}, {"late", 200 * second, 0, false}}},
		{"nothing is awaited", int64(16 * second), []step{{"early", 100 * second, 0, false}}},
		{"nothing is awaited any more", int64(16 * second), []step{{"await", 100 * second, 116 * second, true}, {"complete", 0, 0, false}, {"early", 200 * second, 0, false}, {"await", 300 * second, 316 * second, true}}},
		{"a short pause is not made up for", int64(16 * second), []step{{"await", 100 * second, 116 * second, true}, {"pause", 102 * second, 0, false}, {"await", 103 * second, 116 * second, false}, {"late", 116 * second, 0, false}}},
		{"a long one is", int64(16 * second), []step{{"await", 100 * second, 116 * second, true}, {"pause", 102 * second, 0, false}, {"await", 103*second + 1, 117*second + 1, true}, {"early", 117 * second, 0, false}, {"late", 117*second + 1, 0, false}}},
		{"and each of several", int64(16 * second), []step{{"await", 100 * second, 116 * second, true}, {"pause", 101 * second, 0, false}, {"await", 111 * second, 126 * second, true}, {"pause", 112 * second, 0, false}, {"await", 132 * second, 146 * second, true}}},
		{"no limit", -1, []step{{"await", 100 * second, 0, false}, {"early", 900 * second, 0, false}, {"pause", 901 * second, 0, false}, {"await", 1000 * second, 0, false}}},
		{"the end of time", math.MaxInt64, []step{{"await", 100 * second, math.MaxInt64, true}, {"early", 200 * second, 0, false}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := ws.NewReceiver(ws.RoleServer, ws.Limits{MessageTime: tt.limit})
			for i, s := range tt.steps {
				switch s.do {
				case "await":
					if until, moved := r.Awaited(s.at); until != s.want || moved != s.move || r.Until() != until {
						t.Fatalf("step %d: until %d, moved %v, then %d; want %d, %v", i+1, until, moved, r.Until(), s.want, s.move)
					}
				case "pause":
					r.Paused(s.at)
				case "complete":
					if r.Complete(); r.Until() != 0 {
						t.Fatalf("step %d: until %d", i+1, r.Until())
					}
				default:
					if err := r.Late(s.at); (err != nil) != (s.do == "late") {
						t.Fatalf("step %d: %v, want %s", i+1, err, s.do)
					}
				}
			}
		})
	}
}

// The limit is shown in the largest unit in which it is whole.
func TestMessageTimeShown(t *testing.T) {
	for limit, want := range map[int64]string{
		30_000_000_000: "30s", 1_000_000_000: "1s", 1_500_000_000: "1500ms", 1_000_000: "1ms", 1_999_999_000_000: "1999999ms", 1_000_001: "1000001ns", 999_999: "999999ns",
	} {
		r := ws.NewReceiver(ws.RoleServer, ws.Limits{MessageTime: limit})
		r.Awaited(1)
		if err := r.Late(1 + ws.Moment(limit)); err == nil || err.Error() != "ws: message unfinished after "+want+", the limit that MessageTimeout sets (§10.4)" {
			t.Errorf("%d: %v", limit, err)
		}
	}
}
