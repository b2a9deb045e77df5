package wsspec

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// With a patience of a second the waits are the testsuite's own; with another their
// order stays.
func TestStretch(t *testing.T) {
	waits := []time.Duration{500 * time.Millisecond, time.Second, 2 * time.Second, 3 * time.Second, 10 * time.Second}
	for _, patience := range []time.Duration{time.Millisecond, 300 * time.Millisecond, time.Second, 5 * time.Second, time.Minute} {
		var before time.Duration
		for _, w := range waits {
			got := stretch(w, patience)
			if got <= before {
				t.Errorf("patience %v: %v is %v, not longer than %v", patience, w, got, before)
			}
			if w == time.Second && got != patience || patience == time.Second && got != w {
				t.Errorf("patience %v: a wait of %v is %v", patience, w, got)
			}
			before = got
		}
	}
}

// A tester reads the same whether bytes come whole or one by one, unless a fault is
// in them: that the testsuite sees again with each part.
func TestTesterCut(t *testing.T) {
	dialogue := func(b []byte, size int) (Verdict, *tester) {
		tr := &trial{outcomes: ok(gotText("κόσμε"), gotPong("x")), end: normal}
		tt := newTester(tr, true)
		tt.wait = func(d time.Duration) time.Duration { return d }
		tt.write = func(outgoing) {}
		tt.start()
		for len(b) > 0 {
			n := min(size, len(b))
			tt.receive(append([]byte(nil), b[:n]...))
			b = b[n:]
		}
		tt.lost()
		return tt.verdict(), tt
	}
	encode := func(masking Masking, frames ...Frame) (b []byte) {
		for _, f := range frames {
			f.Masking = masking
			b = f.Append(b, false)
		}
		return b
	}
	frames := []Frame{begun("κό"), Ping("?"), more("σμ"), last("ε"), Pong("x"), CloseFrame(1000, "bye")}
	right := encode(MaskAsDue, frames...)
	for size := 1; size <= len(right); size++ {
		if v, _ := dialogue(right, size); v.Outcome != Passed {
			t.Errorf("%d bytes at a time: %s: %s", size, v.Outcome, v.Actual)
		}
	}
	masked := encode(MaskAlways, Text("κόσμε"))
	for size, dropped := range map[int]bool{len(masked): false, 1: true} {
		if _, tt := dialogue(masked, size); tt.dropped != dropped {
			t.Errorf("a masked frame of a server, %d bytes at a time: TCP ended: %v, want %v", size, tt.dropped, dropped)
		}
	}
}

// Reasons that Python decodes, or falls over.
func TestPythonDecodes(t *testing.T) {
	for s, want := range map[string]bool{
		"": true, "κόσμε": true, "\xed\xa0\x80": true, "\xed\xbf\xbf!": true, "\xed\xa0": false, "caf\xc3": false,
		"\xff": false, "\xf4\x90\x80\x80": false, "\xc0\xaf": false, "\xe1\xed\xa0\x80": false,
	} {
		if got := pythonDecodes([]byte(s)); got != want {
			t.Errorf("%+q: %v", s, got)
		}
	}
}

// Whatever a testee sends, a tester ends with the same verdict however it was cut into
// reads, unless it found a fault.
func FuzzTester(f *testing.F) {
	for _, client := range []bool{false, true} {
		var b []byte
		for _, fr := range []Frame{begun("κό"), Ping("?"), last("ε"), Binary([]byte{0xFF}), Pong(""), CloseFrame(1000, "bye")} {
			b = fr.Append(b, !client)
		}
		f.Add(b, byte(3), client)
		f.Add(Frame{Fin: true, Opcode: 11, RSV: 5, Form: Length64, Payload: []byte("x")}.Append(nil, client), byte(1), client)
		f.Add(CloseFrame(1005, "\xed\xa0\x80").Append(nil, !client), byte(2), client)
	}
	f.Fuzz(func(t *testing.T, b []byte, size byte, client bool) {
		play := func(size int) *tester {
			tt := newTester(&trial{do: first.kill(1), outcomes: ok(), end: normal}, client)
			tt.wait = func(d time.Duration) time.Duration { return d }
			tt.write = func(outgoing) {}
			tt.start()
			for rest := append([]byte(nil), b...); len(rest) > 0; {
				n := min(size, len(rest))
				tt.receive(rest[:n:n])
				rest = rest[n:]
			}
			tt.tick(time.Minute, func() bool { return tt.phase == phaseOver })
			return tt
		}
		whole, cut := play(max(1, len(b))), play(max(1, int(size)))
		if whole.phase != phaseOver {
			t.Error("not over after a minute")
		}
		if whole.failedByUs || cut.failedByUs {
			return
		}
		if diff := cmp.Diff(whole.verdict(), cut.verdict()); diff != "" {
			t.Errorf("whole and %d at a time (-whole +cut):\n%s", size, diff)
		}
	})
}
