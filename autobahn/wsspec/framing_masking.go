package wsspec

import "fmt"

const (
	unmasked = `The server MUST close the connection upon receiving a frame that is not masked. In this case, a server MAY send a Close frame with a status code of 1002`
	masked   = `A client MUST close a connection if it detects a masked frame. In this case, it MAY use the status code 1002`
	unmask   = `Octet i of the transformed data ("transformed-octet-i") is the XOR of octet i of the original data ("original-octet-i") with octet at index i modulo 4 of the masking key`
	freshKey = `When preparing a masked frame, the client MUST pick a fresh masking key from the set of allowed 32-bit values. The masking key needs to be unpredictable`
)

func (ch *chapter) masking() {
	inside := frames(begun("good"))
	for _, f := range []struct {
		word, title string
		lead, near  []Frame
		f           Frame
	}{
		{"text", "a text", nil, nil, Text("bad")},
		{"text-empty", "an empty text", nil, nil, Text("")},
		{"text-second", "a text after a right one", frames(Text("good")), nil, Text("bad")},
		{"text-glued", "a text in one write with a right one", nil, frames(Text("good")), Text("bad")},
		{"binary", "a binary message", nil, nil, Binary([]byte("bad"))},
		{"continuation", "a continuation", inside, nil, last("bad")},
		{"ping", "a ping", nil, nil, Ping("bad")},
		{"pong", "a pong", nil, nil, Pong("bad")},
		{"close", "a Close", nil, nil, CloseFrame(1000, "")},
		{"ping-inside", "a ping between fragments", inside, nil, Ping("bad")},
	} {
		s := script{lead: f.lead, near: f.near, want: fails, codes: []int{1002}, mild: true}
		ch.at("5.1", unmasked)
		f.f.Masking = MaskNever
		s.main = frames(f.f)
		ch.script("unmasked-"+f.word, f.title+" that is not masked, from a client", s, only(ServerOnly))
		ch.at("5.1", masked)
		f.f.Masking = MaskAlways
		s.main = frames(f.f)
		ch.script("masked-"+f.word, f.title+" that is masked, from a server", s, only(ClientOnly))
	}

	ch.at("5.3", unmask)
	add := func(word, title string, f ...Frame) {
		ch.script(word, title, script{main: f}, only(ServerOnly))
	}
	keyed := func(key [4]byte, f Frame) Frame { f.Key = &key; return f }
	text := "0123456789abcdef!"
	add("key-zero", "a masking key of zeros", keyed([4]byte{}, Text(text)))
	add("key-ones", "a masking key of 0xFF", keyed([4]byte{255, 255, 255, 255}, Text(text)))
	add("key-is-payload", "a payload that is zeros once masked", keyed([4]byte{'a', 'b', 'c', 'd'}, Text("abcdabcdab")))
	add("key-is-a-head", "a masked payload that looks like a frame", keyed([4]byte{}, Binary([]byte{0x88, 0x80, 0, 0, 0, 0})))
	add("key-each-fragment", "fragments of odd lengths, each with a key of its own",
		keyed([4]byte{1, 2, 3, 4}, begun("a")), keyed([4]byte{5, 6, 7, 8}, more("bcd")),
		keyed([4]byte{9, 10, 11, 12}, more("")), keyed([4]byte{13, 14, 15, 16}, last("efghi")))
	add("key-each-control", "a ping with a key of its own between fragments",
		keyed([4]byte{1, 2, 3, 4}, begun("abc")), keyed([4]byte{5, 6, 7, 8}, Ping("ping")), keyed([4]byte{9, 10, 11, 12}, last("de")))
	var each []Frame
	for n := range 41 {
		each = append(each, Binary([]byte("0123456789abcdefghijklmnopqrstuvwxyzABCDEFG"[:n])))
	}
	add("lengths-0-to-40", "messages of 0 to 40 bytes, masked", each...)
	ch.script("by-byte", "a masked message one byte at a time", script{main: frames(Text(text)), cut: byByte}, only(ServerOnly))

	ch.at("5.3", freshKey)
	ch.add("keys-differ", "the masking keys of 64 frames of a client's", maskingKeys, only(ClientOnly))
}

// maskingKeys looks at a client's keys. Random ones are equal once in 64 frames with
// a chance of one in two million, and one bit of them never changes with less.
func maskingKeys(d *Dialogue) Verdict {
	const n = 64
	expected := fmt.Sprintf("%d keys that differ, whose bits all change, and that do not go up in even steps", n)
	if err := d.Open(); err != nil {
		return Fail(expected, "%v", err)
	}
	var keys []uint32
	for len(keys) < n {
		d.Send(Text("key"))
		e := d.Next()
		for e.Err == nil && e.Frame.Opcode != OpText {
			e = d.Next()
		}
		if e.Err != nil {
			return Fail(expected, "%s after %d messages", endWords(e.Err), len(keys))
		}
		if e.Frame.Key == nil {
			return Fail(expected, "%v is not masked", e.Frame)
		}
		k := *e.Frame.Key
		keys = append(keys, uint32(k[0])<<24|uint32(k[1])<<16|uint32(k[2])<<8|uint32(k[3]))
	}
	d.Send(CloseFrame(1000, ""))
	if wrong := predictable(keys); wrong != "" {
		return Fail(expected, "%s: %08x", wrong, keys[:8])
	}
	return Pass(expected)
}

// predictable says how the next of some keys can be guessed, or "".
func predictable(keys []uint32) string {
	seen, twice := map[uint32]bool{}, 0
	ones, zeros, steps := uint32(0), uint32(0), map[uint32]int{}
	for i, k := range keys {
		if seen[k] {
			twice++
		}
		seen[k] = true
		ones |= k
		zeros |= ^k
		if i > 0 {
			steps[k-keys[i-1]]++
		}
	}
	switch {
	case len(seen) == 1:
		return "all keys are equal"
	case twice > 1:
		return fmt.Sprintf("%d of %d keys came before", twice, len(keys))
	case ones != 1<<32-1 || zeros != 1<<32-1:
		return "some bits of the keys never change"
	}
	for step, n := range steps {
		if n > len(keys)/4 {
			return fmt.Sprintf("%d keys are the one before and %#x", n, step)
		}
	}
	return ""
}
