package deflate

import (
	"math/bits"
	"slices"
)

// A huffman makes Huffman codes; it is the scratch memory for that.
type huffman struct {
	keys   [numLit]uint32     // frequency and symbol, sorted
	weight [2 * numLit]uint32 // of leaves, then of the nodes above them
	parent [2 * numLit]uint16
	depth  [2 * numLit]uint8
}

// lengths writes to lens the lengths, at most limit, of a code that suits the
// frequencies of the symbols; 0 for those that do not occur. There are always
// at least two codes, so that the set is complete, as some inflaters want.
// Frequencies stay below 2^23 in sum.
func (h *huffman) lengths(lens []uint8, freq []uint32, limit int) {
	keys := h.keys[:0]
	for sym, f := range freq {
		lens[sym] = 0
		if f > 0 {
			keys = append(keys, f<<9|uint32(sym))
		}
	}
	n := len(keys)
	if n < 2 {
		one := 0
		if n == 1 {
			one = int(keys[0] & 511)
		}
		lens[one] = 1
		lens[max(1-one, 0)] = 1
		return
	}
	slices.Sort(keys)

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
	var count [maxCode + 2]int
	depth[2*n-2] = 0
	for i := 2*n - 3; i >= 0; i-- {
		depth[i] = depth[parent[i]] + 1 // below 40: weights grow like Fibonacci's numbers
		if i < n {
			count[min(int(depth[i]), limit)]++
		}
	}
	used := 0 // of 2^limit
	for l := 1; l <= limit; l++ {
		used += count[l] << (limit - l)
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
}

// codesOf writes the canonical codes of the lengths (RFC 1951 §3.2.2), first
// bit lowest, as they are sent.
func codesOf(codes []uint16, lens []uint8) {
	var count, next [maxCode + 1]uint16
	for _, n := range lens {
		count[n&15]++
	}
	count[0] = 0
	code := uint16(0)
	for n := 1; n <= maxCode; n++ {
		code = (code + count[n-1]) << 1
		next[n] = code
	}
	for sym, n := range lens {
		if n > 0 {
			codes[sym] = bits.Reverse16(next[n&15]) >> (16 - n)
			next[n&15]++
		}
	}
}
