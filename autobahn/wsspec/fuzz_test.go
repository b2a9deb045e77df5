package wsspec

import (
	"fmt"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// The model is small enough to be held against a table.
func TestPredict(t *testing.T) {
	more := func(op byte, s string) Frame { return Frame{Opcode: op, Payload: []byte(s)} }
	rest := func(s string) Frame { return Frame{Fin: true, Opcode: OpContinuation, Payload: []byte(s)} }
	long := uint64(1) << 63
	for _, tt := range []struct {
		name   string
		frames []Frame
		want   string
	}{
		{"nothing", nil, "0 back, 0 pongs"},
		{"a message", []Frame{Text("a"), Binary(nil)}, "2 back, 0 pongs"},
		{"fragments with a ping between", []Frame{more(OpText, "a"), Ping("p"), rest("b")}, "1 back, 1 pongs"},
		{"a character in two fragments", []Frame{more(OpText, "\xc3"), rest("\x9f")}, "1 back, 0 pongs"},
		{"a message that never ends, and a Close", []Frame{more(OpText, "a"), CloseFrame(1000, "")}, "0 back, 0 pongs, ends at 1"},
		{"behind a Close nothing counts", []Frame{CloseFrame(0, ""), Text("a"), Ping("")}, "0 back, 0 pongs, ends at 0"},
		{"RSV1", []Frame{{Fin: true, RSV: 4, Opcode: OpText}}, "0 back, 0 pongs, ends at 0, fails [1002] early false"},
		{"opcode 3 inside a message", []Frame{more(OpText, "a"), {Fin: true, Opcode: 3}}, "0 back, 0 pongs, ends at 1, fails [1002] early false"},
		{"not masked", []Frame{Text("a"), {Fin: true, Opcode: OpText, Masking: MaskNever}}, "1 back, 0 pongs, ends at 1, fails [1002] early false"},
		{"masked, which it is anyway", []Frame{{Fin: true, Opcode: OpText, Masking: MaskAlways}}, "1 back, 0 pongs"},
		{"a continuation of nothing", []Frame{rest("a")}, "0 back, 0 pongs, ends at 0, fails [1002] early false"},
		{"a message inside a message", []Frame{more(OpText, "a"), Text("b")}, "0 back, 0 pongs, ends at 1, fails [1002] early false"},
		{"a fragmented ping", []Frame{more(OpPing, "")}, "0 back, 0 pongs, ends at 0, fails [1002] early false"},
		{"a ping of 126 bytes", []Frame{Ping(strings.Repeat("a", 126))}, "0 back, 0 pongs, ends at 0, fails [1002] early false"},
		{"the top bit", []Frame{{Fin: true, Opcode: OpText, Declared: &long}}, "0 back, 0 pongs, ends at 0, fails [1002 1009] early false"},
		{"a Close of one byte", []Frame{{Fin: true, Opcode: OpClose, Payload: []byte{3}}}, "0 back, 0 pongs, ends at 0, fails [1002] early false"},
		{"close code 1005", []Frame{CloseFrame(1005, "")}, "0 back, 0 pongs, ends at 0, fails [1002] early false"},
		{"a reason that is not UTF-8", []Frame{CloseFrame(1000, "\xff")}, "0 back, 0 pongs, ends at 0, fails [1002 1007] early false"},
		{"a text that is not UTF-8", []Frame{Text("\xff")}, "0 back, 0 pongs, ends at 0, fails [1007] early false"},
		{"a text that ends inside a character", []Frame{Text("\xc3")}, "0 back, 0 pongs, ends at 0, fails [1007] early false"},
		{"wrong in the first of two fragments", []Frame{more(OpText, "\xff"), Ping("p"), rest("")}, "0 back, 1 pongs, ends at 2, fails [1007] early true"},
		{"wrong, and closed before its end", []Frame{more(OpText, "\xff"), CloseFrame(1000, "")}, "0 back, 0 pongs, ends at 1, fails [1007] early true"},
		{"wrong, and then another fault", []Frame{more(OpText, "\xff"), Text("")}, "0 back, 0 pongs, ends at 1, fails [1007 1002] early true"},
		{"binary may be anything", []Frame{Binary([]byte("\xff"))}, "1 back, 0 pongs"},
	} {
		f := predict(tt.frames, Server)
		got := fmt.Sprintf("%d back, %d pongs", len(f.echoes), len(f.pongs))
		if f.end < len(tt.frames) {
			got += fmt.Sprintf(", ends at %d", f.end)
		}
		if f.fails {
			got += fmt.Sprintf(", fails %v early %v", f.codes, f.early)
		}
		if d := cmp.Diff(tt.want, got); d != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, d)
		}
	}
	if f := predict([]Frame{{Fin: true, Opcode: OpText, Masking: MaskAlways}}, Client); !f.fails {
		t.Error("a masked frame to a client is taken to be right")
	}
}

// What is generated is the same each time, of every kind, and bounded.
func TestGenerate(t *testing.T) {
	legal, failing, behind := 0, map[string]int{}, 0
	for _, role := range []Role{Server, Client} {
		for i := range 300 {
			s := FuzzCase(7, i).script(role)
			if !reflect.DeepEqual(s, ParseFuzzID(fmt.Sprintf("fuzz/7/%d", i)).script(role)) {
				t.Fatalf("dialogue %d is not the same again", i)
			}
			f := predict(s.frames, role)
			size := 0
			for _, fr := range s.frames {
				size += len(fr.Payload)
			}
			if size > 512<<10 || s.chop > 0 && size/s.chop > 8<<10 {
				t.Errorf("dialogue %d has %d bytes, %d to a write", i, size, s.chop)
			}
			if f.fails {
				failing[f.why]++
			} else {
				legal++
			}
			if f.end < len(s.frames)-1 {
				behind++
			}
		}
	}
	if legal < 150 || behind < 75 || len(failing) != 11 {
		t.Errorf("%d legal ones, %d with frames behind the end, failing: %v", legal, behind, failing)
	}
	for _, id := range []string{"", "fuzz/1", "fuzz/x/1", "fuzz/1/-1", "6.4.1"} {
		if ParseFuzzID(id) != nil {
			t.Errorf("%q is the id of a generated dialogue", id)
		}
	}
}

// A testee that keeps the rules passes, in both roles.
func TestFuzzPasses(t *testing.T) {
	st, err := NewServerTest(crookedServer(t, ""), Settings{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	ours, err := NewServerTest(echoServer(t), Settings{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, p := range map[string]Player{"a plain server": st, "our server": ours, "our client": clientTest(t, echoClient)} {
		t.Run(name, func(t *testing.T) {
			var played atomic.Int32
			for f := range Fuzz(t.Context(), p, 3, 300, Pace{}, func(string) { played.Add(1) }) {
				t.Errorf("%s: %s\n%v\n%v", f.First.Case.ID, f.Actual, f.Frames, f.Wire)
			}
			if played.Load() != 300 {
				t.Errorf("%d dialogues, want 300", played.Load())
			}
		})
	}
}

// Each quirk is found, and what is left of the dialogue is what it takes.
func TestFuzzFinds(t *testing.T) {
	for _, tt := range share([]struct{ quirk, frames string }{
		{"echoes-twice", `[binary ""]`},
		{"echoes-pongs", `[pong ""]`},
		{"takes-any-text", `[text "\xf0"]`},
		{"takes-opcodes", `[opcode 15 ""]`},
		{"takes-interleaved", `[binary fin=0 "" binary ""]`},
	}) {
		t.Run(tt.quirk, func(t *testing.T) {
			st, err := NewServerTest(crookedServer(t, tt.quirk), Settings{Patience: 2 * time.Second}, nil)
			if err != nil {
				t.Fatal(err)
			}
			got := "none"
			for f := range Fuzz(t.Context(), st, 1, 100, Pace{Parallel: 1}, nil) {
				got = fmt.Sprint(f.Frames)
				if !f.Steady {
					got += " that does not fail again"
				}
				break
			}
			if got != tt.frames {
				t.Errorf("%s is left, want %s", got, tt.frames)
			}
		})
	}
}
