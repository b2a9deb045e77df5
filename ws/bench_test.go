package ws_test

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"framewright/ws"
	"framewright/ws/wstest"
)

func BenchmarkParseHeader(b *testing.B) {
	for _, tt := range []struct{ name, wire string }{
		{"2 bytes", "81 05"},
		{"8 bytes", "81 fe 0100 | 37fa213d"},
		{"14 bytes", "82 ff 0000000000010000 | 37fa213d"},
	} {
		b.Run(tt.name, func(b *testing.B) {
			wire := wstest.MustHex(tt.wire)
			b.ReportAllocs()
			for b.Loop() {
				if _, n, err := ws.ParseHeader(wire); n == 0 || err != nil {
					b.Fatal(n, err)
				}
			}
		})
	}
}

func BenchmarkAppendHeader(b *testing.B) {
	for _, length := range []int64{5, 256, 65536} {
		b.Run(fmt.Sprint(length), func(b *testing.B) {
			h := ws.Header{Fin: true, Opcode: ws.OpText, Masked: true, Key: wstest.Key, Length: length}
			buf := make([]byte, 0, ws.MaxHeaderSize)
			b.ReportAllocs()
			for b.Loop() {
				buf = ws.AppendHeader(buf[:0], h)
			}
		})
	}
}

// BenchmarkMask stands beside what memory allows at best, a copy, and the
// definition, byte by byte.
func BenchmarkMask(b *testing.B) {
	for _, size := range []int{16, 125, 1 << 10, 16 << 10, 1 << 20} {
		p, q := make([]byte, size), make([]byte, size)
		for _, way := range []struct {
			name string
			do   func()
		}{
			{"mask", func() { ws.Mask(p, wstest.Key, 1) }},
			{"copy", func() { copy(q, p) }},
			{"naive", func() { coreMask(p, wstest.Key, 1) }},
		} {
			b.Run(fmt.Sprintf("%s/%d", way.name, size), func(b *testing.B) {
				b.SetBytes(int64(size))
				for b.Loop() {
					way.do()
				}
			})
		}
	}
}

// BenchmarkUTF8 stands beside the standard library's, which cannot stop in
// the middle.
func BenchmarkUTF8(b *testing.B) {
	for _, text := range []struct{ name, unit string }{
		{"ASCII", "The quick brown fox jumps over the lazy dog. "},
		{"mixed", "Zwölf Boxkämpfer jagen Viktor quer über den Deich, 日本語 и 👍. "},
		{"CJK", "微塵粉砕器という言葉。"},
	} {
		for _, size := range []int{32, 1 << 10, 64 << 10} {
			p := []byte(strings.Repeat(text.unit, size/len(text.unit)+1))
			for _, way := range []struct {
				name string
				do   func() bool
			}{
				{"UTF8", func() bool { var u ws.UTF8; return u.Write(p) && u.Done() }},
				{"UTF8 in 1 KiB", func() bool {
					var u ws.UTF8
					for rest := p; len(rest) > 0; {
						n := min(len(rest), 1<<10)
						if !u.Write(rest[:n]) {
							return false
						}
						rest = rest[n:]
					}
					return u.Done()
				}},
				{"utf8.Valid", func() bool { return utf8.Valid(p) }},
			} {
				b.Run(fmt.Sprintf("%s/%s/%d", text.name, way.name, size), func(b *testing.B) {
					b.SetBytes(int64(len(p)))
					for b.Loop() {
						if !way.do() {
							b.Fatal("not valid")
						}
					}
				})
			}
		}
	}
}
