package deflate

import (
	"math/bits"
	"slices"
)

// A huffman makes Huffman codes; it is the scratch memory for that.
type huffman struct {
	keys   [numLit]uint32     // frequency and symbol, sorted
	bySym  [numLit + 1]uint32 // the same, by symbol
	weight [2 * numLit]uint32 // of leaves, then of the nodes above them
	parent [2 * numLit]uint16
	depth  [2 * numLit]uint8
}

// lenCounts says how many codes there are of each length but 0.
type lenCounts [maxCode + 1]uint16

// lengths writes to lens the lengths, at most limit, of a code that suits the
// frequencies of the symbols; 0 for those that do not occur. There are always
// at least two codes, so that the set is complete, as some inflaters want.
// Frequencies stay below 2^23 in sum.
func (h *huffman) lengths(lens []uint8, freq []uint32, limit int) (count lenCounts) {
	keys := h.sorted(freq)
	clear(lens)
	n := len(keys)
	if n < 2 {
		one := 0
		if n == 1 {
			one = int(keys[0] & 511)
		}
		lens[one] = 1
		lens[max(1-one, 0)] = 1
		count[1] = 2
		return count
	}

	// The two lightest nodes get a parent, until one is left. Leaves and
	// parents both come in order of weight, so there are two queues.
	weight, parent, depth := h.weight[:2*n], h.parent[:2*n], h.depth[:2*n]
	for i, k := range keys {
		weight[i] = k >> 9
	}
	leaf, node := 0, n
	for made := n; made < 2*n-1; made++ {
		var sum uint32
		for range 2 {
			least := leaf
			if leaf == n || node < made && weight[node] < weight[leaf] {
				least = node
				node++
			} else {
				leaf++
			}
			sum += weight[least]
			parent[least] = uint16(made)
		}
		weight[made] = sum
	}

	// Count the leaves at each depth. Those that are too deep come up to the
	// limit; to pay for each such pair, a code above it is made longer by one
	// and so splits in two.
	depth[2*n-2] = 0
	for i := 2*n - 3; i >= 0; i-- {
		depth[i] = depth[parent[i]] + 1 // below 40: weights grow like Fibonacci's numbers
		if i < n {
			count[min(int(depth[i]), limit)&15]++
		}
	}
	used := 0 // of 2^limit
	for l := 1; l <= limit; l++ {
		used += int(count[l]) << (limit - l)
	}
	for ; used > 1<<limit; used-- {
		l := limit - 1
		for count[l] == 0 {
			l--
		}
		count[l]--
		count[l+1] += 2
		count[limit]--
	}

	// The rarest get the longest.
	i := 0
	for l := limit; l > 0; l-- {
		for range count[l] {
			lens[keys[i]&511] = uint8(l)
			i++
		}
	}
	return count
}

// sorted returns the symbols that occur, rarest first, below the frequency of
// each. What is rare, and that is most of them, is sorted by counting.
func (h *huffman) sorted(freq []uint32) []uint32 {
	const rare = 64 // those from there on are sorted among themselves
	var at [rare + 1]uint16
	n := 0
	for sym, f := range freq {
		h.bySym[n] = f<<9 | uint32(sym)
		if f > 0 {
			n++
		}
	}
	found := h.bySym[:n]
	for _, k := range found {
		at[min(k>>9, rare)]++
	}
	sum := uint16(0)
	for f, n := range at {
		at[f] = sum
		sum += n
	}
	often := at[rare]
	keys := h.keys[:n]
	for _, k := range found {
		p := &at[min(k>>9, rare)]
		keys[*p] = k
		*p++
	}
	slices.Sort(keys[often:])
	return keys
}

// firstCodes returns, for each length, the first of the canonical codes (RFC
// 1951 §3.2.2) of that length.
func (count *lenCounts) firstCodes() (next [maxCode + 1]uint16) {
	code := uint16(0)
	for n := 1; n <= maxCode; n++ {
		next[n] = code
		code = (code + count[n]) << 1
	}
	return next
}

// countLens counts lengths.
func countLens(lens []uint8) (count lenCounts) {
	for _, n := range lens {
		count[n&15]++
	}
	count[0] = 0
	return count
}

// codesOf writes the codes of the symbols that have one, first bit lowest, as
// they are sent, above 8 bits that say how many bits they have.
func codesOf(codes []uint32, lens []uint8, count *lenCounts) {
	next := count.firstCodes()
	for sym, n := range lens {
		if n > 0 {
			codes[sym] = uint32(bits.Reverse16(next[n&15])>>((16-n)&15))<<8 | uint32(n)
			next[n&15]++
		}
	}
}
