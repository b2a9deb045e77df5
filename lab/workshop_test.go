package lab

import (
	"encoding/hex"
	"strings"
	"testing"
	"time"

	"framewright/lab/capture"
	"framewright/ws/wstest"

	"github.com/google/go-cmp/cmp"
)

func TestFrameSpec(t *testing.T) {
	for name, tc := range map[string]struct {
		f    FrameSpec
		want string // the bytes, or the error
	}{
		"masked text":          {FrameSpec{Fin: true, Opcode: 1, Masked: true, Key: "37 fa 21 3d", Text: "Hello"}, "818537fa213d7f9f4d5158"},
		"not masked":           {FrameSpec{Fin: true, Opcode: 1, Text: "Hello", Key: "nonsense"}, "810548656c6c6f"},
		"every bit":            {FrameSpec{Fin: true, RSV: 7, Opcode: 15, Masked: true, Hex: "ff"}, "ff8100000000ff"},
		"7 bits, untrue":       {FrameSpec{Opcode: 2, Length: "125"}, "027d"},
		"16 bits, needless":    {FrameSpec{Opcode: 2, Form: "16", Text: "a"}, "027e000161"},
		"64 bits, the top one": {FrameSpec{Opcode: 2, Form: "64", Length: "0x8000000000000000"}, "027f8000000000000000"},
		"126 in 7 bits":        {FrameSpec{Opcode: 2, Form: "7", Length: "126"}, "027e"},
		"no 7 bits":            {FrameSpec{Form: "7", Length: "128"}, "does not fit 7 bits"},
		"no 16 bits":           {FrameSpec{Form: "16", Length: "65536"}, "does not fit 16 bits"},
		"no number":            {FrameSpec{Length: "many"}, "no number of 64 bits"},
		"no form":              {FrameSpec{Form: "8"}, `the form "8"`},
		"no opcode":            {FrameSpec{Opcode: 16}, "0 to 15"},
		"no rsv":               {FrameSpec{RSV: 8}, "0 to 7"},
		"short key":            {FrameSpec{Masked: true, Key: "01"}, "4 are expected"},
		"no key":               {FrameSpec{Masked: true, Key: "xyz"}, "masking key"},
		"no payload":           {FrameSpec{Hex: "xyz"}, "the payload"},
		"too long":             {FrameSpec{Text: strings.Repeat("a", maxPayload+1)}, "the limit is 65536"},
	} {
		header, payload, err := tc.f.Bytes()
		if err != nil {
			if !strings.Contains(err.Error(), tc.want) {
				t.Errorf("%s: %v, want %q", name, err, tc.want)
			}
		} else if got := hex.EncodeToString(append(header, payload...)); got != tc.want {
			t.Errorf("%s: %s, want %s", name, got, tc.want)
		}
	}
	long := FrameSpec{Opcode: 2, Text: strings.Repeat("a", 65536)}
	if header, _, err := long.Bytes(); err != nil || hex.EncodeToString(header) != "027f0000000000010000" {
		t.Errorf("65536 bytes: %x, %v", header, err)
	}
}

// TestExperiments sends frames to the echo, and reads what its trace tells.
func TestExperiments(t *testing.T) {
	wstest.CheckLeaks(t)
	text := FrameSpec{Fin: true, Opcode: 1, Masked: true, Key: "01020304", Text: "Hello"}
	for _, tc := range []struct {
		name    string
		plan    WorkshopPlan
		want    []string
		outcome string
		closed  bool
	}{
		{"text", WorkshopPlan{Steps: []WorkshopStep{{Frame: text}}},
			[]string{`< @0 818501020304 text "Hello" ready->ready`, `> @0 8105 text "Hello" ready->ready`}, "text", false},
		{"cut anywhere, with pauses", WorkshopPlan{Steps: []WorkshopStep{{Frame: text, Cuts: []int{8, 1, 3, 3}, Pause: 1}}},
			[]string{`< @0 818501020304 text "Hello" ready->ready`, `> @0 8105 text "Hello" ready->ready`}, "text", false},
		{"ping between fragments", WorkshopPlan{Steps: []WorkshopStep{
			{Frame: FrameSpec{Opcode: 1, Masked: true, Text: "a"}},
			{Frame: FrameSpec{Fin: true, Opcode: 9, Masked: true, Text: "p"}},
			{Frame: FrameSpec{Fin: true, Opcode: 0, Masked: true, Text: "b"}},
		}}, []string{
			`< @0 018100000000 text "a" ready->in text`, `< @7 898100000000 ping "p" in text->in text`, `> @0 8a01 pong "p" ready->ready`,
			`< @14 808100000000 continuation "b" in text->ready`, `> @3 8102 text "ab" ready->ready`}, "text", false},
		{"not masked", WorkshopPlan{Steps: []WorkshopStep{{Frame: FrameSpec{Fin: true, Opcode: 1, Text: "Hello"}}, {Frame: text}}},
			[]string{`< @0 8105 text "" ready->ready 5.1-client-masks`, `> @0 882b close "\x03\xeaunmasked text frame from a client (§5.1)" ready->closed`}, "close 1002", true},
		{"a length that does not come", WorkshopPlan{Steps: []WorkshopStep{{Frame: FrameSpec{Fin: true, Opcode: 2, Masked: true, Length: "100", Text: "a"}}}},
			nil, "nothing", false},
		{"close", WorkshopPlan{Steps: []WorkshopStep{{Frame: FrameSpec{Fin: true, Opcode: 8, Masked: true, Hex: "03e8"}}}},
			[]string{`< @0 888200000000 close "\x03\xe8" ready->closed`, `> @0 8802 close "\x03\xe8" ready->closed`}, "close 1000", true},
		{"compressed", WorkshopPlan{Deflate: true, Steps: []WorkshopStep{{Frame: FrameSpec{Fin: true, RSV: 4, Opcode: 1, Masked: true, Hex: "f248cdc9c90700"}}}},
			[]string{`< @0 c18700000000 text "\xf2H\xcd\xc9\xc9\a\x00" ready->ready = "Hello"`, `> @0 c107 text "\xf2H\xcd\xc9\xc9\a\x00" ready->ready = "Hello"`}, "text", false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			x, err := tc.plan.Experiment()
			if err != nil {
				t.Fatal(err)
			}
			d, err := x.Run(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			got := told(&DecodedStream{Moment: d.Moments})
			if len(got) < 2 || !strings.Contains(got[0], "GET /lab/echo") || !strings.Contains(got[1], " 101 ") {
				t.Fatalf("no handshake: %q", got)
			}
			if diff := cmp.Diff(tc.want, got[2:], cmp.Transformer("", func(s []string) []string { return append([]string{}, s...) })); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			if d.Outcome != tc.outcome || d.Closed != tc.closed || d.Closed && d.End == nil {
				t.Errorf("outcome %q, closed %t (%v); want %q, %t", d.Outcome, d.Closed, d.End, tc.outcome, tc.closed)
			}
			// The decoder says the same of the bytes.
			again, err := Decode(capture.AppendPcap(nil, d.Pieces, time.Unix(1, 0)), 0, capture.Limits{})
			if err != nil {
				t.Fatal(err)
			}
			if n := len(again.Streams[0].Moment); tc.want != nil && n != len(got) {
				t.Errorf("the decoder tells %d events of the same bytes, the trace %d:\n%s", n, len(got), strings.Join(told(again.Streams[0]), "\n"))
			}
		})
	}
}

func TestExperimentBadHandshake(t *testing.T) {
	wstest.CheckLeaks(t)
	x := Experiment{Request: []byte("GET / HTTP/1.1\r\nHost: a\r\n\r\n")}
	d, err := x.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if d.Outcome != "http 426" {
		t.Errorf("outcome %q, want http 426: %q", d.Outcome, told(&DecodedStream{Moment: d.Moments}))
	}
}

func TestExperimentBounds(t *testing.T) {
	text := FrameSpec{Fin: true, Opcode: 1, Masked: true, Text: "Hello"}
	many := make([]WorkshopStep, maxSteps+1)
	for i := range many {
		many[i] = WorkshopStep{Frame: text, Pause: 1}
	}
	slow := make([]WorkshopStep, 6)
	for i := range slow {
		slow[i] = WorkshopStep{Frame: text, Pause: 2000}
	}
	large := make([]WorkshopStep, 5)
	for i := range large {
		large[i].Frame = FrameSpec{Text: strings.Repeat("a", maxPayload)}
	}
	for want, plan := range map[string]WorkshopPlan{
		"no frame to send":          {},
		"65 steps, the limit is 64": {Steps: many},
		"pauses of 12s in all":      {Steps: slow},
		"bytes to send":             {Steps: large},
		"a pause of 2001 ms":        {Steps: []WorkshopStep{{Frame: text, Pause: 2001}}},
		"a cut at byte 11":          {Steps: []WorkshopStep{{Frame: text, Cuts: []int{11}}}},
		"a cut at byte 0":           {Steps: []WorkshopStep{{Frame: text, Cuts: []int{0}}}},
		"33 cuts":                   {Steps: []WorkshopStep{{Frame: text, Cuts: make([]int, 33)}}},
		"frame 1: rsv is 9":         {Steps: []WorkshopStep{{Frame: FrameSpec{RSV: 9}}}},
	} {
		if _, err := plan.Experiment(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}
