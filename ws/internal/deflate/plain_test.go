package deflate

import "errors"

// plainInflate is the oracle: RFC 1951 read aloud, a bit at a time, with no
// tables and no window but the whole of what came before. It returns what
// message adds to before, the longest distance in it, and how many blocks it
// has.
func plainInflate(before, message []byte) (added []byte, maxDist, blocks int, err error) {
	p := &plain{out: before[:len(before):len(before)], in: append(message[:len(message):len(message)], tail...)}
	defer func() {
		if r := recover(); r != nil {
			err = r.(error) // of plain, or the runtime's
		}
		added, maxDist, blocks = p.out[len(before):], p.maxDist, p.blocks
	}()
	if len(message) == 0 {
		return
	}
	for p.at < 8*len(p.in) {
		if p.final && p.at == 8*len(message) {
			return
		}
		p.block()
	}
	return
}

type plain struct {
	in, out         []byte
	at              int // bits of in
	final           bool
	maxDist, blocks int
}

var (
	errPlainEnd = errors.New("ends inside a block")
	errPlain    = errors.New("not DEFLATE")
)

func want(ok bool) {
	if !ok {
		panic(errPlain)
	}
}

func (p *plain) bits(n int) (v int) {
	for i := range n {
		if p.at == 8*len(p.in) {
			panic(errPlainEnd)
		}
		v |= int(p.in[p.at/8]>>(p.at%8)&1) << i
		p.at++
	}
	return v
}

func (p *plain) block() {
	p.final = p.bits(1) == 1
	kind := p.bits(2)
	p.blocks++
	switch kind {
	case 0:
		p.at = (p.at + 7) &^ 7
		n := p.bits(16)
		want(n == p.bits(16)^0xffff)
		for range n {
			p.out = append(p.out, byte(p.bits(8)))
		}
	case 1:
		var lit [288]int
		for i := range lit {
			lit[i] = 8
			if 144 <= i && i < 256 {
				lit[i] = 9
			} else if 256 <= i && i < 280 {
				lit[i] = 7
			}
		}
		dist := make([]int, 32)
		for i := range dist {
			dist[i] = 5
		}
		p.data(lit[:], dist)
	case 2:
		p.dynamic()
	default:
		want(false)
	}
	if p.final {
		p.at = (p.at + 7) &^ 7
	}
}

func (p *plain) dynamic() {
	nlit, ndist, nlens := p.bits(5)+257, p.bits(5)+1, p.bits(4)+4
	want(nlit <= 286 && ndist <= 30)
	lens := make([]int, 19)
	for i := range nlens {
		lens[[]int{16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15}[i]] = p.bits(3)
	}
	checkPlain(lens, false)
	var all []int
	for len(all) < nlit+ndist {
		sym, times, value := p.symbol(lens), 1, 0
		switch sym {
		case 16:
			times = 3 + p.bits(2)
			want(len(all) > 0)
			value = all[len(all)-1]
		case 17:
			times = 3 + p.bits(3)
		case 18:
			times = 11 + p.bits(7)
		default:
			value = sym
		}
		want(len(all)+times <= nlit+ndist)
		for range times {
			all = append(all, value)
		}
	}
	lit, dist := all[:nlit], all[nlit:]
	want(lit[256] != 0)
	checkPlain(lit, true)
	checkPlain(dist, true)
	p.data(lit, dist)
}

// checkPlain wants a complete set, or, as zlib has it, at most one code of one
// bit.
func checkPlain(lens []int, lone bool) {
	sum, longest := 0, 0
	for _, n := range lens {
		if n > 0 {
			sum += 1 << (15 - n)
			longest = max(longest, n)
		}
	}
	want(sum == 1<<15 || lone && longest <= 1 && sum < 1<<15)
}

// symbol takes bits until they are the code of a symbol: codes of one length
// follow each other, and the first of a length follows the last shorter one.
func (p *plain) symbol(lens []int) int {
	code, first := 0, 0
	for n := 1; n <= 15; n++ {
		code = code<<1 | p.bits(1)
		first <<= 1
		for sym, l := range lens {
			if l == n {
				if code == first {
					return sym
				}
				first++
			}
		}
		// A lone code leaves the other bit without meaning: not at the end.
		any := false
		for _, l := range lens {
			any = any || l > n
		}
		want(any)
	}
	panic(errPlain)
}

func (p *plain) data(lit, dist []int) {
	for {
		sym := p.symbol(lit)
		switch {
		case sym < 256:
			p.out = append(p.out, byte(sym))
			continue
		case sym == 256:
			return
		}
		want(sym <= 285)
		length := 258
		if sym < 265 {
			length = sym - 254
		} else if sym < 285 {
			extra := (sym - 261) / 4
			length = 3 + (4+(sym-265)%4)<<extra + p.bits(extra)
		}
		d := p.symbol(dist)
		want(d < 30)
		if d >= 4 {
			extra := d/2 - 1
			d = (2+d%2)<<extra + p.bits(extra)
		}
		d++
		want(d <= len(p.out))
		p.maxDist = max(p.maxDist, d)
		for range length {
			p.out = append(p.out, p.out[len(p.out)-d])
		}
	}
}
