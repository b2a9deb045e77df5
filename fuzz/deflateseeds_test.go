package main

import (
	"bytes"
	"compress/flate"
	"fmt"
	"strings"

	"framewright/ws/wstest"
)

// A payload is a compressed message with a name, in the notation of
// wstest.ParseHex; those of RFC 7692 §7.2.3 are named for its sections.
var payloads = []struct{ name, wire string }{
	{"empty", ``},
	{"empty-block", `00`},
	{"7.2.3.1-one-block", `f248cdc9c90700`},
	{"7.2.3.2-shared-window", `f200110000`},
	{"7.2.3.3-no-compression", `000500faff 'Hello' 00`},
	{"7.2.3.4-bfinal", `f348cdc9c9070000`},
	{"7.2.3.5-two-blocks", `f24805000000ffffcac9c90700`},
	{"row-62-reserved-block", `0e`},
	{"row-62-bad-stored-length", `0005000000 'Hello'`},
	{"row-62-cut-in-a-block", `f248cd`},
	{"row-60-many-empty-blocks", `000000ffff000000ffff000000ffff000000ffff000000ffff00`},
}

// A bomb is n bytes of one letter, compressed.
func bomb(n int) []byte {
	var b bytes.Buffer
	w, err := flate.NewWriter(&b, 9)
	if err != nil {
		panic(err) // a level that there is
	}
	_, _ = w.Write(bytes.Repeat([]byte("a"), n))
	_ = w.Flush()
	return bytes.TrimSuffix(b.Bytes(), []byte(deflateTail))
}

func inflateConnSeeds() (seeds []seed) {
	add := func(name string, small bool, set uint16, payload []byte) {
		for _, client := range []bool{false, true} {
			name := name
			if client {
				name += "-to-a-client"
			}
			seeds = append(seeds, seed{name, []any{client, small, true, set, uint64(len(seeds) + 1), payload}})
		}
	}
	for _, p := range payloads {
		add(p.name, false, 0x1fc, wstest.MustHex(p.wire))
		add(p.name+"-8-bits-no-context", false, 3, wstest.MustHex(p.wire))
	}
	add("row-59-bomb", false, 0x1ff, bomb(2<<20))
	add("row-59-over-the-limit", true, 0x1ff, bomb(301))
	add("row-59-at-the-limit", true, 0x1ff, bomb(300))
	add("row-65-bad-utf-8-then-over-the-limit", true, 2, []byte("2A\x01117\xf1\xa071$027\x0fC000"))
	return append(seeds,
		seed{"frames", []any{true, false, false, uint16(0x1fc), uint64(1), wstest.MustHex(`c1 07 f248cdc9c90700 89 00 41 03 f24805 80 08 000000ffffcac9c9 c1 02 0700`)}},
		seed{"7.2.2-small-reads-between-fragments", []any{false, true, true, uint16(164), uint64(92), []byte("2\x1f0000000000000000000000")}},
		seed{"row-26-rsv1-on-a-continuation", []any{true, false, false, uint16(0), uint64(1), wstest.MustHex(`41 03 f24805 c0 0a 000000ffffcac9c90700`)}},
	)
}

func deflateRoundTripSeeds() (seeds []seed) {
	text := strings.Repeat(`{"id":7692,"text":"hello"},`, 20)
	for set := range uint16(256) {
		if set%5 != 0 && set != 255 {
			continue
		}
		seeds = append(seeds, seed{fmt.Sprintf("set-%02x", set), []any{set%2 == 0, set, uint64(set), []byte(text[:100+set]), []byte(text[set:])}})
	}
	return append(seeds,
		seed{"empty", []any{false, uint16(0), uint64(1), []byte{}, []byte{}}},
		seed{"noise", []any{true, uint16(0xfc), uint64(2), noiseBytes(300), noiseBytes(700)}},
		seed{"long", []any{false, uint16(0xfc), uint64(3), []byte(strings.Repeat(text, 130)), noiseBytes(100)}},
	)
}

func noiseBytes(n int) []byte {
	x := xorshift(7692)
	p := make([]byte, n)
	for i := range p {
		p[i] = byte(x.next(256))
	}
	return p
}
