package connect

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"framewright/ws"
	"framewright/ws/wstest"
)

// What a line of -raw stands for, byte by byte.
func TestParseRaw(t *testing.T) {
	for line, want := range map[string]string{
		`81 05 "Hello"`:                           "81 05 'Hello'",
		`8105"Hello"`:                             "81 05 'Hello'",
		`text "Hello"`:                            "81 85 00000000 'Hello'",
		`text key=37fa213d "Hello"`:               "81 85 37fa213d 7f9f4d5158",
		`text fin=0 mask=0 "Hel"`:                 "01 03 'Hel'",
		`continuation mask=0 "lo"`:                "80 02 'lo'",
		`ping mask=0 00 01`:                       "89 02 00 01",
		`close mask=0 1000 "bye"`:                 "88 05 03e8 'bye'",
		`close mask=0`:                            "88 00",
		`close mask=0 03e8`:                       "88 02 03e8", // three digits and more are a code, if they are decimal
		`opcode=b rsv=4 mask=0 len=126:5 "ab"`:    "cb 7e 0005 'ab'",
		`binary mask=0 len=127:1 "a"`:             "82 7f 0000000000000001 'a'",
		`binary mask=0 len=9223372036854775808`:   "82 7f 8000000000000000",
		`binary mask=0 len=18446744073709551615`:  "82 7f ffffffffffffffff",
		`text mask=0 "a" ; 00 ff text mask=0 "b"`: "81 01 'a' 00 ff 81 01 'b'",
		`text mask=0 "\xf0\u20ac" ` + "`x`":       "81 05 f0 e282ac 'x'",
		`pong mask=0 ; ping mask=0`:               "8a 00 89 00",
	} {
		got, err := parseRaw(line, bytes.NewReader(make([]byte, 100)))
		if err != nil || !bytes.Equal(got, wstest.MustHex(want)) {
			t.Errorf("%s: % x, %v; want % x", line, got, err, wstest.MustHex(want))
		}
	}
}

// What is wrong is said with its column.
func TestParseRawErrors(t *testing.T) {
	for line, want := range map[string]string{
		``:                   "there is nothing to send",
		`;`:                  "there is nothing to send",
		`text`:               "",
		`81 0`:               `column 4: "0" is neither bytes in hexadecimal nor a frame`,
		`tex "x"`:            `column 1: "tex"`,
		`text "x`:            "column 6: a string that does not end",
		`text "\q"`:          "column 6: a string that does not end, or an escape",
		`fin=0 text`:         "column 1: fin=0 belongs behind the name of a frame",
		`text fin=2`:         "column 6: fin=2: want a number from 0 to 1",
		`text rsv=8`:         "column 6: rsv=8: want a number from 0 to 7",
		`opcode=10`:          "column 1: opcode=10: want a number from 0 to f",
		`text key=00`:        "column 6: key=00: want 8 hexadecimal digits",
		`text len=125:1`:     "column 6: len=125:1: want len=N",
		`text len=126:65536`: "column 6: len=65536: want a number from 0 to 65535",
		`text color=1`:       "column 6: there is no color=",
		`é text x`:           `column 1: "é"`,
		`text "é" zz`:        `column 10: "zz"`,
	} {
		_, err := parseRaw(line, bytes.NewReader(make([]byte, 100)))
		if want == "" {
			if err != nil {
				t.Errorf("%s: %v", line, err)
			}
			continue
		}
		if err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: %v, want %s", line, err, want)
		}
	}
}

// Any line gives bytes or an error, and a frame is what its line says.
func FuzzParseRaw(f *testing.F) {
	for _, s := range []string{`81 05 "Hello"`, `text fin=0 rsv=4 key=37fa213d "Hel"; continuation "lo"`, `close 1000 "bye"`, `opcode=b len=127:9`} {
		f.Add(s, byte(1), true, byte(0), []byte("Hello"))
	}
	f.Fuzz(func(t *testing.T, line string, op byte, fin bool, rsv byte, payload []byte) {
		parseRaw(line, zeros{})
		h := ws.Header{Fin: fin, RSV: rsv & 7, Opcode: ws.Opcode(op & 15), Masked: true, Key: wstest.Key, Length: int64(len(payload))}
		line = fmt.Sprintf("opcode=%x fin=%d rsv=%d key=%x %q", op&15, map[bool]int{true: 1}[fin], rsv&7, h.Key, payload)
		want := ws.AppendFrame(nil, h, bytes.Clone(payload))
		if got, err := parseRaw(line, zeros{}); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: % x, %v; want % x", line, got, err, want)
		}
	})
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}
