package wsnet_test

import (
	"errors"
	"io"
	"math"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"framewright/ws"
	"framewright/ws/wsnet"
)

// These tests hold what hostile input costs in memory. What it costs in time
// follows for code that does nothing but allocate and copy; a clock would
// make them flaky.

// badAllocated returns how many bytes f allocates, kept or not.
func badAllocated(f func()) int64 {
	var before, after runtime.MemStats
	f() // warms pools
	least := int64(math.MaxInt64)
	for range 3 { // what others allocate meanwhile, and the runtime for itself, is not there each time
		runtime.ReadMemStats(&before)
		f()
		runtime.ReadMemStats(&after)
		least = min(least, int64(after.TotalAlloc-before.TotalAlloc))
	}
	return least
}

// A badTape is a stream on which everything has already come.
type badTape struct{ io.Reader }

func (badTape) Write(p []byte) (int, error)      { return len(p), nil }
func (badTape) Close() error                     { return nil }
func (badTape) SetReadDeadline(time.Time) error  { return nil }
func (badTape) SetWriteDeadline(time.Time) error { return nil }

// A badLoop gives begin and then every, count times.
type badLoop struct {
	begin, every []byte
	count        int
	rest         []byte
}

func (l *badLoop) Read(p []byte) (n int, err error) {
	for n < len(p) {
		if len(l.rest) == 0 {
			switch {
			case l.begin != nil:
				l.rest, l.begin = l.begin, nil
			case l.count > 0:
				l.rest = l.every
				l.count--
			case n > 0:
				return n, nil
			default:
				return 0, io.EOF
			}
		}
		k := copy(p[n:], l.rest)
		n, l.rest = n+k, l.rest[k:]
	}
	return n, nil
}

// badConsume has a server read begin and count times every, until it fails,
// and returns that error.
func badConsume(o wsnet.Options, begin, every string, count int) error {
	o.PingInterval = -1
	loop := &badLoop{begin: badWire(ws.RoleServer, begin), every: badWire(ws.RoleServer, every), count: count}
	c := wsnet.NewConn(badTape{loop}, ws.RoleServer, &o)
	defer c.CloseNow()
	var buf []byte
	for {
		var err error
		if _, buf, err = c.ReadAppend(c.Context(), buf[:0]); err != nil {
			return err
		}
	}
}

// badFlat holds that something allocates at most limit bytes.
func badFlat(t *testing.T, limit int64, f func()) {
	t.Helper()
	if got := badAllocated(f); got > limit {
		t.Errorf("allocates %d bytes, want %d at the most", got, limit)
	}
}

// badLinear holds that f, for twice the input, allocates about twice as much.
func badLinear(t *testing.T, n int, f func(n int)) {
	t.Helper()
	once, twice := badAllocated(func() { f(n) }), badAllocated(func() { f(2 * n) })
	t.Logf("%d bytes for %d, %d for %d", once, n, twice, 2*n)
	if twice > 3*once+64<<10 {
		t.Errorf("%d bytes allocated for %d, %d for %d: that is not linear", once, n, twice, 2*n)
	}
}

func badWants(t *testing.T, rule ws.RuleID, err error) {
	t.Helper()
	if pe, ok := errors.AsType[*ws.ProtocolError](err); !ok || pe.Rule != rule {
		t.Errorf("got %v, want rule %s broken", err, rule)
	}
}

var badCostRows = []badRow{
	{row: 17, name: "the cost of spaces and commas in Sec-WebSocket-Protocol", serial: true, test: func(t *testing.T, _ *badNet) {
		for _, unit := range []string{" ", ",", " ,", "a,", "\t"} {
			for _, n := range []int{50000, 500000} {
				offered := []string{strings.Repeat(unit, n) + "chat"}
				badFlat(t, 4<<10, func() { ws.ChooseSubprotocol(offered, []string{"superchat", "chat"}) })
			}
		}
		many := strings.Split(strings.Repeat("a,", 50000), ",") // as many headers
		badFlat(t, 4<<10, func() { ws.ChooseSubprotocol(many, []string{"superchat", "chat"}) })
	}},
	{row: 18, name: "the cost of 10,000 extension offers", serial: true, test: func(t *testing.T, _ *badNet) {
		badLinear(t, 10000, func(n int) {
			r := badPure(http.Header{"Sec-Websocket-Extensions": {strings.Repeat("permessage-deflate; a=1, ", n)}})
			if err := ws.CheckRequest(r, &ws.Policy{MaxHeaderBytes: -1}); err != nil {
				t.Error(err)
			}
		})
		r := badPure(http.Header{"Sec-Websocket-Extensions": {strings.Repeat("permessage-deflate; a=1, ", 10000)}})
		badFlat(t, 8<<10, func() { ws.CheckRequest(r, &ws.Policy{MaxHeaderBytes: -1}) })
		badFlat(t, 8<<10, func() { ws.CheckRequest(r, nil) }) // a refusal does not quote it all
	}},
	{row: 6, name: "the cost of refusing long values", serial: true, test: func(t *testing.T, _ *badNet) {
		for _, name := range []string{"Sec-Websocket-Key", "Sec-Websocket-Version"} {
			r := badPure(nil)
			r.Header[name] = []string{strings.Repeat("\x01", 1<<20)}
			err := ws.CheckRequest(r, &ws.Policy{MaxHeaderBytes: -1})
			if err == nil || len(err.Error()) > 1000 {
				t.Errorf("%s of 1 MiB: the error has %d bytes, want a short one", name, len(err.Error()))
			}
		}
	}},
	{row: 33, name: "the memory for 2^63-1 bytes that do not come", serial: true, test: func(t *testing.T, _ *badNet) {
		for _, begin := range []string{"82 7f 7fffffffffffffff", "82 7f 7fffffffffffffff | 'a'*100", "01 01 | 'a'; 80 7f 7ffffffffffffffe | 'a'*100"} {
			badFlat(t, 128<<10, func() {
				badWants(t, ws.RuleMessageSize, badConsume(wsnet.Options{}, begin, "", 0))
			})
			// Without a limit memory follows what comes, not what is announced.
			badFlat(t, 256<<10, func() {
				if err := badConsume(wsnet.Options{MaxMessage: -1}, begin, "", 0); !errors.Is(err, io.ErrUnexpectedEOF) {
					t.Errorf("got %v, want an end in the middle", err)
				}
			})
		}
	}},
	{row: 33, name: "the memory for a long message that does come", serial: true, test: func(t *testing.T, _ *badNet) {
		badLinear(t, 4<<20, func(n int) {
			loop := &badLoop{begin: ws.AppendHeader(nil, ws.Header{Fin: true, Opcode: ws.OpBinary, Masked: true, Length: int64(n)}), every: make([]byte, 1024), count: n / 1024}
			c := wsnet.NewConn(badTape{loop}, ws.RoleServer, &wsnet.Options{MaxMessage: -1, PingInterval: -1})
			defer c.CloseNow()
			if _, p, err := c.Read(t.Context()); err != nil || len(p) != n {
				t.Errorf("got %d bytes, %v", len(p), err)
			}
		})
	}},
	{row: 38, name: "the cost of a flood of fragments of one byte", serial: true, test: func(t *testing.T, _ *badNet) {
		badFlat(t, 256<<10, func() {
			badWants(t, ws.RuleFragments, badConsume(wsnet.Options{}, "02 01 | 'a'", "00 01 | 'b'", 100000))
		})
		badLinear(t, 100000, func(n int) {
			if err := badConsume(wsnet.Options{MaxFragments: -1}, "02 01 | 'a'", "00 01 | 'b'", n); !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Errorf("got %v, want an end in the middle", err)
			}
		})
	}},
	{row: 39, name: "the cost of a flood of empty fragments", serial: true, test: func(t *testing.T, _ *badNet) {
		badFlat(t, 128<<10, func() {
			badWants(t, ws.RuleFragments, badConsume(wsnet.Options{}, "02 00", "00 00", 100000))
		})
		badFlat(t, 128<<10, func() {
			if err := badConsume(wsnet.Options{MaxFragments: -1}, "01 00", "00 00", 200000); !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Errorf("got %v, want an end in the middle", err)
			}
		})
	}},
	{row: 50, name: "the cost of a flood of pongs", serial: true, test: func(t *testing.T, _ *badNet) {
		badFlat(t, 128<<10, func() {
			badWants(t, ws.RulePongRate, badConsume(wsnet.Options{}, "", "8a 7d | 'a'*125", 20000))
		})
		badFlat(t, 128<<10, func() {
			if err := badConsume(wsnet.Options{PingRate: -1}, "", "8a 7d | 'a'*125", 20000); !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Errorf("got %v, want the end", err)
			}
		})
	}},
	{row: 73, name: "the cost of a flood of empty messages", serial: true, test: func(t *testing.T, _ *badNet) {
		badFlat(t, 128<<10, func() {
			if err := badConsume(wsnet.Options{EmptyRate: -1}, "", "81 00", 100000); !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Errorf("got %v, want the end", err)
			}
		})
	}},
}

// badPure is a request as the pure part sees it, right but for what is added.
func badPure(add http.Header) *ws.Request {
	r := &ws.Request{Method: "GET", Target: "/", Major: 1, Minor: 1, Host: "example.com", Header: http.Header{
		"Upgrade": {"websocket"}, "Connection": {"Upgrade"}, "Sec-Websocket-Key": {"dGhlIHNhbXBsZSBub25jZQ=="}, "Sec-Websocket-Version": {"13"},
	}}
	for name, values := range add {
		r.Header[name] = values
	}
	return r
}
