package deflate

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"math/rand/v2"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// zlibInflate reads cases, a line each, and inflates them with zlib in a
// window of 2^bits bytes: all messages in one context, or each in one of its
// own. Room for 16 bytes at a time makes zlib need its window: beyond what a
// call has produced it looks no further back than that.
const zlibInflate = `
import json, sys, zlib
for line in sys.stdin:
    case = json.loads(line)
    got, fault = [], ""
    try:
        d = zlib.decompressobj(-case["bits"])
        for m in case["messages"]:
            if not case["keep"]:
                d = zlib.decompressobj(-case["bits"])
            out, src = [], bytes.fromhex(m) + b"\x00\x00\xff\xff"
            while True:
                p = d.decompress(src, 16)
                out.append(p)
                src = d.unconsumed_tail
                if not src and len(p) < 16:
                    break
            got.append(b"".join(out).hex())
    except zlib.error as e:
        fault = str(e)
    print(json.dumps({"got": got, "fault": fault}))
`

type zlibCase struct {
	Bits     int      `json:"bits"`
	Keep     bool     `json:"keep"`
	Messages []string `json:"messages"`
}

type zlibResult struct {
	Got   []string `json:"got"`
	Fault string   `json:"fault"`
}

func runZlib(t *testing.T, cases []zlibCase) []zlibResult {
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("there is no python3 here, whose zlib this asks")
	}
	var in, errs bytes.Buffer
	for _, c := range cases {
		if err := json.NewEncoder(&in).Encode(c); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(t.Context(), python, "-c", zlibInflate)
	cmd.Stdin, cmd.Stderr = &in, &errs
	out, err := cmd.Output()
	if err != nil {
		if strings.Contains(errs.String(), "No module named") {
			t.Skip("this python3 has no zlib")
		}
		t.Fatalf("%v\n%s", err, errs.Bytes())
	}
	var results []zlibResult
	for dec := json.NewDecoder(bytes.NewReader(out)); dec.More(); {
		var r zlibResult
		if err := dec.Decode(&r); err != nil {
			t.Fatal(err)
		}
		results = append(results, r)
	}
	if len(results) != len(cases) {
		t.Fatalf("%d results for %d cases", len(results), len(cases))
	}
	return results
}

// zlib, with a window as small as agreed on, inflates what we send.
func TestZlibInflates(t *testing.T) {
	var cases []zlibCase
	sent := texts()
	for bits := minBits; bits <= maxBits; bits++ {
		for _, keep := range []bool{false, true} {
			c := zlibCase{Bits: bits, Keep: keep}
			comp := NewCompressor(bits, keep)
			for _, text := range sent {
				c.Messages = append(c.Messages, hex.EncodeToString(comp.Append(nil, text)))
			}
			cases = append(cases, c)
		}
	}
	for i, r := range runZlib(t, cases) {
		if r.Fault != "" {
			t.Errorf("bits %d, keep %v: zlib says %s", cases[i].Bits, cases[i].Keep, r.Fault)
			continue
		}
		for j, text := range sent {
			if r.Got[j] != hex.EncodeToString(text) {
				t.Errorf("bits %d, keep %v, text %d: zlib has other bytes", cases[i].Bits, cases[i].Keep, j)
			}
		}
	}
}

// And it refuses more, so that the test above says something.
func TestZlibRefuses(t *testing.T) {
	text := noise(2000)
	wire := NewCompressor(11, false).Append(nil, slices.Concat(text, text))
	for _, r := range runZlib(t, []zlibCase{{Bits: 10, Messages: []string{hex.EncodeToString(wire)}}}) {
		if !strings.Contains(r.Fault, "too far back") {
			t.Errorf("zlib takes a distance of 2000 in a window of 1024: %q", r.Fault)
		}
	}
}

// Mutated streams: zlib and we refuse the same ones and make the same of the
// others. It stops after a block with BFINAL, and does not mind a message
// that ends inside a block, so the streams compared have neither.
func TestZlibAgrees(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 9))
	seeds := [][]byte{}
	for _, text := range texts()[2:] {
		text = text[:min(len(text), 3000)]
		seeds = append(seeds, NewCompressor(15, false).Append(nil, text))
	}
	var cases []zlibCase
	var ours [][]byte
	refused := 0
	for len(cases) < 3000 {
		wire := slices.Clone(seeds[rng.IntN(len(seeds))])
		for range 1 + rng.IntN(3) {
			wire[rng.IntN(min(len(wire), 100))] ^= 1 << rng.IntN(8)
		}
		d := NewDecompressor(15, false)
		got, err := inflateMessage(d, wire, 1+rng.IntN(300), 1+rng.IntN(3000))
		if _, _, _, plainErr := plainInflate(nil, wire); plainErr == errPlainEnd || hasFinal(wire) {
			continue
		}
		if err != nil {
			refused++
			got = nil
		}
		ours = append(ours, got)
		cases = append(cases, zlibCase{Bits: 15, Messages: []string{hex.EncodeToString(wire)}})
	}
	for i, r := range runZlib(t, cases) {
		if (r.Fault != "") != (ours[i] == nil) {
			t.Errorf("%s: zlib says %q, we have %d bytes", cases[i].Messages[0], r.Fault, len(ours[i]))
		} else if r.Fault == "" && r.Got[0] != hex.EncodeToString(ours[i]) {
			t.Errorf("%s: zlib has other bytes", cases[i].Messages[0])
		}
	}
	t.Logf("%d streams, %d refused", len(cases), refused)
}

// hasFinal reports whether a block that begins in the message has BFINAL set.
func hasFinal(wire []byte) bool {
	p := &plain{in: append(wire[:len(wire):len(wire)], tail...)}
	defer func() { _ = recover() }()
	for p.at < 8*len(p.in) && !p.final {
		p.block()
	}
	return p.final
}
