package capture

import (
	"encoding/hex"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// The dumps of other programs: an offset, the bytes, and often the same as text.
//
//	hexdump -C   00000000  81 85 37 fa 21 3d 7f 9f  4d 51 58   |..7.!=..MQX|
//	xxd          00000000: 8185 37fa 213d 7f9f 4d51 58         ..7.!=..MQX
//	Wireshark    0000   81 85 37 fa 21 3d 7f 9f 4d 51 58      ..7.!=..MQX
var (
	offsetLine = regexp.MustCompile(`^\s*([0-9a-fA-F]{4,16})(:|\s\s|\s*$)\s*(.*)$`)
	textColumn = regexp.MustCompile(`\s{2,}\|.*$|\s\|[^|]*\|?\s*$`)
)

// ParseHex reads bytes in the forms in which people paste them: "8185 37fa", "81:85",
// "0x81, 0x85", "\x81\x85", as one run of digits, and the dumps of hexdump -C, xxd and
// Wireshark, whose offsets and text columns are left out. "|" may stand between bytes.
// An error names the line and what stands there.
func ParseHex(s string) ([]byte, error) {
	lines := strings.Split(s, "\n")
	if out, ok, err := parseDump(lines); ok {
		return out, err
	}
	var out []byte
	for i, line := range lines {
		b, err := plainHex(line)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", i+1, err)
		}
		out = append(out, b...)
	}
	return out, nil
}

// parseDump reads lines that begin with the offset of their first byte. ok is false if
// they do not: the first is 0, and each says how many bytes came before it.
func parseDump(lines []string) (out []byte, ok bool, err error) {
	base := -1
	for i, line := range lines {
		if line = strings.TrimRight(line, " \t\r"); strings.TrimSpace(line) == "" {
			continue
		}
		m := offsetLine.FindStringSubmatch(line)
		if m == nil {
			if base < 0 {
				return nil, false, nil
			}
			if strings.TrimSpace(line) == "*" {
				return nil, true, fmt.Errorf("line %d: \"*\" stands for lines that repeat: dump with hexdump -v, which writes them out", i+1)
			}
			return nil, true, fmt.Errorf("line %d: %q does not begin with an offset, as the lines before do", i+1, short(line))
		}
		offset, err := strconv.ParseUint(m[1], 16, 31)
		if base < 0 && (err != nil || offset != 0 || m[2] != ":" && strings.TrimSpace(m[3]) == "") {
			return nil, false, nil // such as 8185 37fa…
		}
		base = 0
		if err != nil || int(offset) != len(out) {
			return nil, true, fmt.Errorf("line %d: offset %s, but %d bytes came before it", i+1, m[1], len(out))
		}
		b, err := dumpBytes(m[3], m[2] == ":")
		if err != nil {
			return nil, true, fmt.Errorf("line %d: %w", i+1, err)
		}
		out = append(out, b...)
	}
	return out, base >= 0, nil
}

// dumpBytes reads the middle of a dump's line: groups of digits up to the text column,
// which begins behind two spaces at least. Between two groups hexdump has two spaces,
// too: what follows them counts if it is a group of its own, and sixteen bytes are a line.
func dumpBytes(s string, xxd bool) (out []byte, err error) {
	s = textColumn.ReplaceAllString(s, "")
	for first := true; s != ""; first = false {
		gap := len(s) - len(strings.TrimLeft(s, " \t"))
		word, rest, _ := strings.Cut(s[gap:], " ")
		if word == "" {
			break
		}
		b, err := hex.DecodeString(word)
		if err != nil && !first || gap > 2 || len(out) >= 16 || xxd && gap > 1 {
			break // the text
		}
		if err != nil {
			return nil, notHex(word)
		}
		out = append(out, b...)
		s = rest
		if rest != "" {
			s = " " + rest
		}
	}
	return out, nil
}

// plainHex reads a line of digits, with whatever people put between them.
func plainHex(line string) ([]byte, error) {
	line, _, _ = strings.Cut(line, "//") // a comment
	var out []byte
	for word := range strings.FieldsFuncSeq(line, func(r rune) bool { return strings.ContainsRune(" \t\r,;:|-{}[]\"'_()", r) }) {
		word = strings.NewReplacer("0x", "", "0X", "", `\x`, "", `\X`, "").Replace(word)
		if len(word)%2 == 1 && len(word) > 0 {
			if len(word) == 1 && isHex(word[0]) { // as JavaScript's toString(16) has it
				word = "0" + word
			} else if _, err := hex.DecodeString(word + "0"); err == nil {
				return nil, fmt.Errorf("%q has an odd number of digits: a byte has two", short(word))
			}
		}
		b, err := hex.DecodeString(word)
		if err != nil {
			return nil, notHex(word)
		}
		out = append(out, b...)
	}
	return out, nil
}

func notHex(word string) error {
	return fmt.Errorf("%q is not hexadecimal: bytes such as 81 05 48, or a dump of hexdump -C, xxd or Wireshark are expected", short(word))
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}

// short is s, or its beginning: an error is no place for a megabyte.
func short(s string) string {
	if len(s) > 40 {
		return s[:40] + "…"
	}
	return s
}
