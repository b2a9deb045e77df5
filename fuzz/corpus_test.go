package main

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"framewright/ws"
	"framewright/ws/wstest"
)

var update = flag.Bool("update", false, "write the seeds to testdata/fuzz")

// A seed is one file of a target's corpus.
type seed struct {
	name string
	args []any
}

// The corpus is generated from tables, so that no file in it is without a name
// and a place in the source.
var corpus = map[string][]seed{
	"FuzzHeader":     headerSeeds(),
	"FuzzMask":       maskSeeds(),
	"FuzzUTF8":       utf8Seeds(),
	"FuzzClose":      closeSeeds(),
	"FuzzChunking":   chunkingSeeds(),
	"FuzzServerRead": readSeeds(ws.RoleServer),
	"FuzzClientRead": readSeeds(ws.RoleClient),
	"FuzzTwoConns":   scriptSeeds(),
	"FuzzRequest":    requestSeeds(),
	"FuzzAccept":     acceptSeeds(),
	"FuzzServe":      serveSeeds(),
	"FuzzResponse":   responseSeeds(),
	"FuzzOrigin":     originSeeds(),

	"FuzzInflateConn":      inflateConnSeeds(),
	"FuzzDeflateRoundTrip": deflateRoundTripSeeds(),
}

// TestCorpus wants testdata/fuzz to be what the tables say. A file that they
// do not know is an input on which a target failed once: give it a row.
func TestCorpus(t *testing.T) {
	for _, target := range slices.Sorted(maps.Keys(corpus)) {
		dir := filepath.Join("testdata", "fuzz", target)
		if *update {
			if err := os.MkdirAll(dir, 0o777); err != nil {
				t.Fatal(err)
			}
		}
		known := map[string]bool{}
		for _, s := range corpus[target] {
			if known[s.name] {
				t.Errorf("%s has two seeds named %s", target, s.name)
			}
			known[s.name] = true
			path, want := filepath.Join(dir, s.name), s.file()
			if *update {
				if err := os.WriteFile(path, []byte(want), 0o666); err != nil {
					t.Fatal(err)
				}
			}
			if got, err := os.ReadFile(path); err != nil || string(got) != want {
				t.Errorf("%s is not what the tables say (%v): go test ./fuzz -run TestCorpus -update writes it", path, err)
			}
		}
		files, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			switch {
			case known[f.Name()]:
			case *update && !isFound(f.Name()):
				if err := os.Remove(filepath.Join(dir, f.Name())); err != nil {
					t.Fatal(err)
				}
			default:
				t.Errorf("%s is in no table: give it a name and a row in fuzz/*_test.go", filepath.Join(dir, f.Name()))
			}
		}
	}
}

// isFound reports whether name is one that go test gives to an input on which
// a target failed: these are never removed here.
func isFound(name string) bool {
	return len(name) == 16 && strings.Trim(name, "0123456789abcdef") == ""
}

// file is the seed in Go's format for corpus files.
func (s seed) file() string {
	text := "go test fuzz v1\n"
	for _, a := range s.args {
		switch a := a.(type) {
		case []byte:
			text += fmt.Sprintf("[]byte(%q)\n", a)
		case string:
			text += fmt.Sprintf("string(%q)\n", a)
		default:
			text += fmt.Sprintf("%T(%v)\n", a, a)
		}
	}
	return text
}

func chunkingSeeds() (seeds []seed) {
	for i, r := range rows {
		cuts := uint64(i + 1)
		seeds = append(seeds, seed{r.name, []any{true, r.small, cuts, r.bytesFor(ws.RoleClient)}})
		if !r.raw {
			seeds = append(seeds, seed{r.name + "-masked", []any{false, r.small, cuts, r.bytesFor(ws.RoleServer)}})
		}
	}
	return append(seeds, seed{"row-29-unmasked-from-a-client", []any{false, false, uint64(1), wstest.MustHex(`81 05 'Hello'`)}})
}

func readSeeds(role ws.Role) (seeds []seed) {
	for i, r := range rows {
		if role == ws.RoleClient || !r.raw {
			seeds = append(seeds, seed{r.name, []any{r.small, uint64(i + 1), r.bytesFor(role)}})
		}
	}
	if role == ws.RoleServer {
		seeds = append(seeds, seed{"row-29-unmasked-from-a-client", []any{false, uint64(1), wstest.MustHex(`81 05 'Hello'`)}})
	}
	return seeds
}

func headerSeeds() (seeds []seed) {
	for _, s := range []struct{ name, wire string }{
		{"empty", ``},
		{"one-byte", `81`},
		{"length-0", `81 00`},
		{"length-125", `82 7d`},
		{"length-126", `82 7e 007e`},
		{"length-65535", `82 7e ffff`},
		{"length-65536", `82 7f 0000000000010000`},
		{"length-2-63-less-1", `82 7f 7fffffffffffffff`},
		{"masked", `81 85 37fa213d`},
		{"masked-16-bits", `82 fe 0100 37fa213d`},
		{"masked-64-bits", `02 ff 0000000100000000 37fa213d`},
		{"masked-without-key", `81 fe 0100 37fa21`},
		{"all-bits", `ff ff 7fffffffffffffff ffffffff ff`},
		{"row-31-top-bit", `82 7f 8000000000000000`},
		{"row-32-125-in-16-bits", `82 7e 007d`},
		{"row-32-0-in-16-bits-masked", `82 fe 0000 37fa213d`},
		{"row-32-125-in-64-bits", `82 7f 000000000000007d`},
		{"row-32-65535-in-64-bits", `82 7f 000000000000ffff`},
	} {
		wire := wstest.MustHex(s.wire)
		seeds = append(seeds, seed{s.name, []any{wire, int64(len(wire)) << (4 * len(wire) % 40)}})
	}
	return seeds
}

func maskSeeds() []seed {
	return []seed{
		{"hello", []any{uint32(0x37fa213d), 0, 3, []byte("Hello")}},
		{"empty", []any{uint32(1), 2, 0, []byte{}}},
		{"zero-key", []any{uint32(0), 1, 1, []byte("abc")}},
		{"a-word-and-three", []any{uint32(0x01020304), 1, 8, []byte(repeat("x", 11))}},
		{"eight-words-and-seven", []any{uint32(0xfffefdfc), 3, 64, []byte(repeat("0123456789", 14)[:135])}},
	}
}

func utf8Seeds() (seeds []seed) {
	for i, s := range []struct{ name, text string }{
		{"ascii", repeat("Hello ", 8)},
		{"every-length", "aé€😀"},
		{"ascii-then-every-length", repeat("0", 31) + "é" + repeat("1", 6) + "€" + repeat("2", 40) + "😀"},
		{"first-and-last", "\x00\x7f\u0080\u07ff\u0800\ud7ff\ue000\uffff\U00010000\U0010ffff"},
		{"row-52-overlong-of-two", "ab\xc1\xbf"},
		{"row-52-overlong-of-three", "ab\xe0\x9f\xbf"},
		{"row-52-overlong-of-four", "ab\xf0\x8f\xbf\xbf"},
		{"row-53-surrogate", "ab\xed\xa0\x80"},
		{"row-54-above-unicode", "ab\xf4\x90\x80\x80"},
		{"row-54-f5", "\xf5\x80"},
		{"row-55-cut-off-two", "ab\xc3"},
		{"row-55-cut-off-three", "ab\xe2\x82"},
		{"row-55-cut-off-four", "ab\xf0\x9f\x98"},
		{"continuation-first", "\x80"},
		{"continuation-too-many", "é\x80"},
		{"bad-after-a-block", repeat("é", 40) + "\xff" + repeat("a", 40)},
	} {
		seeds = append(seeds, seed{s.name, []any{[]byte(s.text), uint64(i + 1)}})
	}
	return seeds
}

func closeSeeds() (seeds []seed) {
	for _, s := range []struct {
		name, wire string
		code       uint16
		reason     string
	}{
		{"empty", ``, 1000, ""},
		{"normal", `03e8 'bye'`, 1001, "é€😀"},
		{"longest-reason", `0bb8 'x'*123`, 4999, repeat("r", ws.MaxCloseReason)},
		{"reason-too-long", `0bb8 'x'*124`, 3000, repeat("r", ws.MaxCloseReason+1)},
		{"row-44-one-byte", `03`, 0, ""},
		{"row-45-999", `03e7`, 999, ""},
		{"row-45-1004", `03ec`, 1004, ""},
		{"row-45-1005", `03ed`, 1005, ""},
		{"row-45-1006", `03ee`, 1006, ""},
		{"row-45-1014", `03f6`, 1014, ""},
		{"row-45-1015", `03f7`, 1015, ""},
		{"row-45-1016", `03f8`, 1016, ""},
		{"row-45-2999", `0bb7`, 2999, ""},
		{"row-45-5000", `1388`, 5000, ""},
		{"row-45-65535", `ffff`, 65535, ""},
		{"row-46-reason-not-utf8", `03e8 ff`, 1007, "\xff"},
	} {
		seeds = append(seeds, seed{s.name, []any{wstest.MustHex(s.wire), s.code, s.reason}})
	}
	return seeds
}

func scriptSeeds() []seed {
	const (
		server, client = 0, 1

		write, prepared, stream, finish, ping, read, pump = 0, 4, 6, 8, 10, 12, 14

		binary = 0x80
	)
	return []seed{
		{"nothing", []any{uint64(1), false, []byte{}}},
		{"one-message-each-way", []any{uint64(1), false, []byte{server | write, 5, client | write, 7, client | read, 0, server | read, 0}}},
		{"long-ones", []any{uint64(2), false, []byte{client | write, 255, server | prepared, 253, server | pump, 0, client | pump, 0}}},
		{"a-read-inside-a-streamed-message", []any{uint64(3), false, []byte{server | stream, 252, client | read, 0, server | stream, 252, client | read, 1, server | finish, 0, client | read, 0}}},
		{"a-ping-inside-a-streamed-message", []any{uint64(4), false, []byte{client | stream | binary, 252, client | ping, 0, client | stream | binary, 252, server | read, 1, client | read, 0, client | finish, 0}}},
		{"a-reader-left-half-way", []any{uint64(5), false, []byte{server | write, 100, server | write, 3, client | read, 141, client | read, 0}}},
		{"an-empty-message-in-parts", []any{uint64(6), false, []byte{server | stream, 0, client | read, 129, server | finish, 0, client | read, 129}}},
		{"pings-across", []any{uint64(7), false, []byte{server | ping, 0, client | ping, 0, server | ping, 0, client | ping, 0, server | pump, 0}}},
		{"gathered-until-the-writer-waits", []any{uint64(8), true, []byte{client | write, 3, client | write, 3, client | write, 3, server | read, 0, server | write, 3, server | prepared, 4, client | read, 0, server | pump, 0, client | read, 0}}},
		{"gathered-until-nothing-is-left-to-read", []any{uint64(1), true, []byte{client | write, 3, client | write, 3, server | read, 0, server | write, 3, server | read, 0, server | write, 3, client | read, 0, client | read, 0}}},
		{"gathered-until-time-has-passed", []any{uint64(9), true, []byte{client | write, 3, client | write, 3, client | write, 3, server | read, 0, server | write, 3, server | finish, 0, client | read, 0}}},
		{"gathered-to-more-than-the-buffer", []any{uint64(10), true, []byte{client | write, 3, client | write, 3, server | read, 0, server | write, 255, server | write, 255, client | pump, 0}}},
		{"gathered-behind-a-stream-and-before-a-ping", []any{uint64(11), true, []byte{client | write, 3, client | write, 3, server | stream, 100, server | read, 0, server | finish, 0, server | ping, 0, client | read, 140, client | read, 0}}},
	}
}
