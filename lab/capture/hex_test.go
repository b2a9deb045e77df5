package capture

import (
	"encoding/hex"
	"strings"
	"testing"
)

// hello is a masked text frame, and eight bytes more so that a dump has two lines.
const hello = "818537fa213d7f9f4d5158" + "8985010203045a5b5c5d5e"

func TestParseHex(t *testing.T) {
	for name, in := range map[string]string{
		"digits":             hello,
		"spaces":             "81 85 37 fa 21 3d 7f 9f 4d 51 58 89 85 01 02 03 04 5a 5b 5c 5d 5e",
		"pairs":              "8185 37fa 213d\n7f9f 4d51 5889 8501 0203 045a 5b5c 5d5e",
		"short then space":   "8185  37fa213d7f9f4d5158 8985010203045a5b5c5d5e",
		"0x":                 "0x81, 0x85, 0x37, 0xFA, 0x21, 0x3D, 0x7F, 0x9F, 0x4D, 0x51, 0x58, 0x89, 0x85, 1, 2, 3, 4, 0x5a, 0x5b, 0x5c, 0x5d, 0x5e",
		`\x`:                 `"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58" "\x89\x85\x01\x02\x03\x04\x5a\x5b\x5c\x5d\x5e"`,
		"colons":             "81:85:37:fa:21:3d:7f:9f:4d:51:58:89:85:01:02:03:04:5a:5b:5c:5d:5e",
		"fields, comments":   "81 85 | 37fa213d | 7f9f4d5158 // Hello\n8985 01020304 5a5b5c5d5e",
		"hexdump -C":         "00000000  81 85 37 fa 21 3d 7f 9f  4d 51 58 89 85 01 02 03  |..7.!=..MQX.....|\n00000010  04 5a 5b 5c 5d 5e                                 |.Z[\\]^|\n00000016\n",
		"xxd":                "00000000: 8185 37fa 213d 7f9f 4d51 5889 8501 0203  ..7.!=..MQX.....\n00000010: 045a 5b5c 5d5e                           .Z[\\]^\n",
		"Wireshark":          "0000   81 85 37 fa 21 3d 7f 9f 4d 51 58 89 85 01 02 03   ..7.!=..MQX.....\n0010   04 5a 5b 5c 5d 5e                                 .Z[\\]^\n",
		"Wireshark, no text": "0000   81 85 37 fa 21 3d 7f 9f 4d 51 58 89 85 01 02 03\n0010   04 5a 5b 5c 5d 5e\n",
	} {
		t.Run(name, func(t *testing.T) {
			got, err := ParseHex(in)
			if err != nil || hex.EncodeToString(got) != hello {
				t.Errorf("ParseHex: %x, %v\nwant %s", got, err, hello)
			}
		})
	}
}

// TestParseHexLikeText has a text column that could be digits.
func TestParseHexLikeText(t *testing.T) {
	got, err := ParseHex("0000   81 04 61 62 20 64                                 ..ab d\n")
	if want := "810461622064"; err != nil || hex.EncodeToString(got) != want {
		t.Errorf("ParseHex: %x, %v, want %s", got, err, want)
	}
	got, err = ParseHex("00000000: 8104 6162 2064                           ..ab d\n00000006: 8a00  ..")
	if want := "8104616220648a00"; err != nil || hex.EncodeToString(got) != want {
		t.Errorf("ParseHex: %x, %v, want %s", got, err, want)
	}
}

func TestParseHexErrors(t *testing.T) {
	for in, want := range map[string]string{
		"81 85\nhello":                           `line 2: "hello" is not hexadecimal`,
		"81 855":                                 "odd number of digits",
		"00000000  81 85\n*\n00000020  00":       "hexdump -v",
		"00000000  81 85\n00000010  00 00":       "offset 00000010, but 2 bytes came before",
		"00000000: 8185\nand more":               "does not begin with an offset",
		strings.Repeat("z", 1<<20):               "…",
		"0000   zz":                              "not hexadecimal",
		"00000000: 8185\nffffffffffffffff: 0000": "offset ffffffffffffffff",
	} {
		if _, err := ParseHex(in); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("ParseHex(%.30q): %.200v, want an error with %q", in, err, want)
		}
	}
}
