package socketio

import (
	"bytes"
	"encoding/json"
)

// checkJSON reports whether b is one JSON value that is nested at most depth
// deep. The depth is counted first, and in one pass, so that deep nesting costs
// nothing more.
func checkJSON(b []byte, depth int) error {
	open := 0
	for i := 0; i < len(b); i++ {
		switch b[i] {
		case '"':
			i = stringEnd(b, i) - 1
		case '[', '{':
			if open++; open > depth {
				return badPacket("JSON that is nested more than %d deep (option MaxDepth)", depth)
			}
		case ']', '}':
			open--
		}
	}
	if !json.Valid(b) {
		return badPacket("a payload that is not JSON")
	}
	return nil
}

// stringEnd returns the index behind the string that begins at b[i].
func stringEnd(b []byte, i int) int {
	for i++; i < len(b); i++ {
		switch b[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(b)
}

// An arg is one argument as it came.
type arg struct {
	raw     []byte   // valid JSON
	holders []holder // the places of attachments in raw, from left to right
	binary  [][]byte // the packet's attachments
}

// A holder is a placeholder, {"_placeholder":true,"num":0}.
type holder struct{ start, end, num int }

// split cuts an array, which is valid JSON, into its elements.
func split(b []byte, most int) ([]arg, error) {
	b = bytes.TrimRight(b, " \t\r\n")
	b = b[1 : len(b)-1]
	var args []arg
	add := func(raw []byte) { args = append(args, arg{raw: bytes.Trim(raw, " \t\r\n")}) }
	start, open := 0, 0
	for i := 0; i < len(b); i++ {
		switch b[i] {
		case '"':
			i = stringEnd(b, i) - 1
		case '[', '{':
			open++
		case ']', '}':
			open--
		case ',':
			if open > 0 {
				continue
			}
			if len(args)+1 >= most {
				return nil, badPacket("more than %d arguments (option MaxArgs)", most-1)
			}
			add(b[start:i])
			start = i + 1
		}
	}
	if last := b[start:]; len(args) > 0 || len(bytes.TrimSpace(last)) > 0 {
		add(last)
	}
	return args, nil
}

// hold finds the placeholders in p's arguments. Each attachment must have one,
// and not more: two would make many bytes of few.
func (p *packet) hold() error {
	if !p.typ.binary() {
		return nil // what looks like one is data
	}
	used := make([]bool, p.attachments)
	for i := range p.args {
		a := &p.args[i]
		for at := 0; at < len(a.raw); at++ {
			switch a.raw[at] {
			case '"':
				at = stringEnd(a.raw, at) - 1
			case '{':
				num, end, ok := placeholder(a.raw, at)
				if !ok {
					continue
				}
				if num < 0 || num >= len(used) {
					return badPacket("a placeholder for attachment %d of a packet that has %d", num, len(used))
				}
				if used[num] {
					return badPacket("two placeholders for attachment %d", num)
				}
				used[num] = true
				a.holders = append(a.holders, holder{at, end, num})
				at = end - 1
			}
		}
	}
	for num, ok := range used {
		if !ok {
			return badPacket("attachment %d has no placeholder", num)
		}
	}
	return nil
}

// placeholder reads the object that begins at raw[at]; ok tells whether it is a
// placeholder. A number that is none of an attachment comes out as -1.
func placeholder(raw []byte, at int) (num, end int, ok bool) {
	const longest = 100 // with generous blanks; others are data
	size := bytes.IndexByte(raw[at:min(len(raw), at+longest)], '}')
	if size < 0 {
		return 0, 0, false
	}
	text := raw[at : at+size+1]
	if !bytes.Contains(text, []byte(`"_placeholder"`)) {
		return 0, 0, false
	}
	var v struct {
		Placeholder bool        `json:"_placeholder"`
		Num         json.Number `json:"num"`
	}
	if json.Unmarshal(text, &v) != nil || !v.Placeholder || v.Num == "" {
		return 0, 0, false
	}
	n, err := v.Num.Int64()
	if err != nil || n < 0 || n > 1<<20 {
		n = -1
	}
	return int(n), at + size + 1, true
}
