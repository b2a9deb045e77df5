package deflate

import (
	"cmp"
	"math/bits"
	"slices"

	"framewright/autobahn/wsspec/internal/rfc1951"
)

// canonical gives symbols the code that their lengths stand for (RFC 1951 §3.2.2).
func canonical(dst []code, lens []uint8) {
	// The first code of each length.
	var count, next [maxCode + 1]uint16
	for _, n := range lens {
		count[n]++
	}
	count[0] = 0
	first := uint16(0)
	for n := 1; n <= maxCode; n++ {
		first = (first + count[n-1]) << 1
		next[n] = first
	}
	for s, n := range lens {
		if n > 0 {
			dst[s] = code{bits.Reverse16(next[n]) >> (16 - n), n}
			next[n]++
		}
	}
}

// huffman returns the lengths of a code for symbols that occur so often, none longer
// than most. At least one symbol has a code.
func huffman(counts []int, most uint8) []uint8 {
	lens := make([]uint8, len(counts))
	type node struct{ weight, left, right int } // right of a leaf is -1, left its symbol
	for flatten := 0; ; flatten++ {
		var nodes []node
		for s, n := range counts {
			if n > 0 {
				nodes = append(nodes, node{n>>flatten + 1, s, -1})
			}
		}
		switch len(nodes) {
		case 0:
			lens[0] = 1
			return lens
		case 1:
			lens[nodes[0].left] = 1
			return lens
		}
		slices.SortStableFunc(nodes, func(a, b node) int { return cmp.Compare(a.weight, b.weight) })
		// Leaves in order, then the sums, which come in order too.
		leaves := len(nodes)
		leaf, sum := 0, leaves
		least := func() int {
			if leaf < leaves && (sum == len(nodes) || nodes[leaf].weight <= nodes[sum].weight) {
				leaf++
				return leaf - 1
			}
			sum++
			return sum - 1
		}
		for range leaves - 1 {
			a, b := least(), least()
			nodes = append(nodes, node{nodes[a].weight + nodes[b].weight, a, b})
		}
		depth := make([]uint8, len(nodes))
		deepest := uint8(0)
		for i := len(nodes) - 1; i >= 0; i-- {
			if n := nodes[i]; n.right >= 0 {
				depth[n.left], depth[n.right] = depth[i]+1, depth[i]+1
			} else {
				lens[n.left] = depth[i]
				deepest = max(deepest, depth[i])
			}
		}
		if deepest <= most {
			return lens
		}
	}
}

// A run is one symbol of the code lengths' own code (RFC 1951 §3.2.7).
type run struct {
	symbol, extra uint8
}

var runBits = [19]uint{16: 2, 17: 3, 18: 7}

// runs writes code lengths with repetitions.
func runs(lens []uint8) (all []run) {
	for i := 0; i < len(lens); {
		n := 1
		for i+n < len(lens) && lens[i+n] == lens[i] {
			n++
		}
		v := lens[i]
		i += n
		if v != 0 {
			all = append(all, run{symbol: v})
			n--
		}
		for n > 0 {
			switch {
			case n < 3:
				all = append(all, run{symbol: v})
				n--
			case v != 0:
				k := min(n, 6)
				all = append(all, run{16, uint8(k - 3)})
				n -= k
			case n < 11:
				all = append(all, run{17, uint8(n - 3)})
				n = 0
			default:
				k := min(n, 138)
				all = append(all, run{18, uint8(k - 11)})
				n -= k
			}
		}
	}
	return all
}

// A plan is a block with codes of its own.
type plan struct {
	codes
	literalLens, distanceLens []uint8
	runs                      []run
	runLens                   []uint8
	runCount                  int
	size                      int // in bits
}

// newPlan makes the codes for a block in which symbols occur so often.
func newPlan(literals, distances []int) *plan {
	p := &plan{
		literalLens:  trim(huffman(literals[:286], maxCode), 257),
		distanceLens: trim(huffman(distances, maxCode), 1),
	}
	canonical(p.literals[:], p.literalLens)
	canonical(p.distances[:], p.distanceLens)
	p.runs = runs(slices.Concat(p.literalLens, p.distanceLens))
	counts := make([]int, 19)
	for _, r := range p.runs {
		counts[r.symbol]++
	}
	if used(counts) == 1 { // a code that leaves nothing free needs two
		counts[0]++
		counts[18]++
	}
	p.runLens = huffman(counts, 7)
	p.runCount = 19
	for p.runCount > 4 && p.runLens[rfc1951.LengthsOrder[p.runCount-1]] == 0 {
		p.runCount--
	}
	p.size = 3 + 14 + 3*p.runCount
	for _, r := range p.runs {
		p.size += int(p.runLens[r.symbol]) + int(runBits[r.symbol])
	}
	p.size += p.codes.size(literals, distances)
	return p
}

func used(counts []int) (n int) {
	for _, c := range counts {
		if c > 0 {
			n++
		}
	}
	return n
}

func trim(lens []uint8, least int) []uint8 {
	for len(lens) > least && lens[len(lens)-1] == 0 {
		lens = lens[:len(lens)-1]
	}
	return lens
}

// size is the bits of a block's symbols.
func (c *codes) size(literals, dist []int) (n int) {
	for s, count := range literals {
		n += count * int(c.literals[s].n)
		if s > endOfBlock && s-endOfBlock <= len(lengths) {
			n += count * int(lengths[s-endOfBlock-1].Bits)
		}
	}
	for s, count := range dist {
		n += count * (int(c.distances[s].n) + int(distances[s].Bits))
	}
	return n
}

// header writes what a block with codes of its own begins with (RFC 1951 §3.2.7).
func (p *plan) header(w *Writer) {
	w.Header(false, blockDynamic)
	w.Bits(uint32(len(p.literalLens)-257), 5)
	w.Bits(uint32(len(p.distanceLens)-1), 5)
	w.Bits(uint32(p.runCount-4), 4)
	for _, s := range rfc1951.LengthsOrder[:p.runCount] {
		w.Bits(uint32(p.runLens[s]), 3)
	}
	var own [19]code
	canonical(own[:], p.runLens)
	for _, r := range p.runs {
		w.code(own[r.symbol])
		w.Bits(uint32(r.extra), runBits[r.symbol])
	}
}
