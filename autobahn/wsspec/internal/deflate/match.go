package deflate

// A token is a literal, or a match: its length from bit 16 on, 0 for a literal, and its
// distance below.
type token uint32

func (t token) length() int   { return int(t >> 16) }
func (t token) distance() int { return int(t & 0xffff) }

const (
	hashBits = 15
	maxChain = 64 // places that are tried for a match
	goodFor  = 32 // a match of this length is not put off for a better one
)

// A finder finds matches in src, from start on; what is before is history.
type finder struct {
	src    []byte
	window int
	head   []int32 // by hash: the last place + 1
	prev   []int32 // by place: the one before with the same hash + 1
}

func newFinder(history, content []byte, window int) *finder {
	history = history[max(0, len(history)-window):]
	f := &finder{window: window, head: make([]int32, 1<<hashBits)}
	f.src = append(append(make([]byte, 0, len(history)+len(content)), history...), content...)
	f.prev = make([]int32, len(f.src))
	for i := range history {
		f.enter(i)
	}
	return f
}

func (f *finder) hash(i int) uint32 {
	v := uint32(f.src[i]) | uint32(f.src[i+1])<<8 | uint32(f.src[i+2])<<16
	return v * 0x9E3779B1 >> (32 - hashBits)
}

func (f *finder) enter(i int) {
	if i+minMatch > len(f.src) {
		return
	}
	h := f.hash(i)
	f.prev[i] = f.head[h]
	f.head[h] = int32(i + 1)
}

// best is the longest match at i that goes back no further than the window.
func (f *finder) best(i int) (length, distance int) {
	if i+minMatch > len(f.src) {
		return 0, 0
	}
	most := min(maxMatch, len(f.src)-i)
	at := int(f.head[f.hash(i)]) - 1
	for range maxChain {
		if at < 0 || i-at > f.window {
			break
		}
		if length == 0 || f.src[at+length] == f.src[i+length] {
			n := 0
			for n < most && f.src[at+n] == f.src[i+n] {
				n++
			}
			// A short match from afar costs more than its literals.
			if n > length && n >= minMatch && (n > minMatch || i-at <= 4<<10) {
				if length, distance = n, i-at; n == most {
					break
				}
			}
		}
		at = int(f.prev[at]) - 1
	}
	return length, distance
}

// tokens are those of the content, each match put off by one byte if a longer one
// begins there.
func (f *finder) tokens(start int) []token {
	var all []token
	length, distance := 0, 0 // at i, if known
	for i := start; i < len(f.src); {
		if length == 0 {
			length, distance = f.best(i)
		}
		f.enter(i)
		if length == 0 {
			all = append(all, token(f.src[i]))
			i++
			continue
		}
		if length < goodFor && i+1 < len(f.src) {
			if l, d := f.best(i + 1); l > length {
				all = append(all, token(f.src[i]))
				i, length, distance = i+1, l, d
				continue
			}
		}
		all = append(all, token(length)<<16|token(distance))
		for k := 1; k < length; k++ {
			f.enter(i + k)
		}
		i += length
		length = 0
	}
	return all
}
