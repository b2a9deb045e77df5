// Package rfc1951 has the tables that RFC 1951 prints, for who writes DEFLATE and for who
// reads it.
package rfc1951

// LengthsOrder is the order in which a dynamic block states the lengths of the code
// that its code lengths are written with (§3.2.7).
var LengthsOrder = [19]uint8{16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15}

// FixedLengths are the lengths of the fixed code for literals (§3.2.6). Its codes for
// distances have 5 bits each.
func FixedLengths() (lens [288]uint8) {
	for i := range lens {
		switch {
		case i < 144:
			lens[i] = 8
		case i < 256:
			lens[i] = 9
		case i < 280:
			lens[i] = 7
		default:
			lens[i] = 8
		}
	}
	return lens
}

// An Extra is a symbol of a length or distance: what it begins with, and how many bits
// tell the rest (§3.2.5).
type Extra struct {
	Least int
	Bits  uint
}

// Lengths are the symbols from 257 on, and Distances those from 0 on.
var Lengths, Distances = makeExtras()

func makeExtras() (l [29]Extra, d [30]Extra) {
	least, n := 3, uint(0)
	for i := range l {
		if i >= 8 && i%4 == 0 {
			n++
		}
		l[i] = Extra{least, n}
		least += 1 << n
	}
	l[28] = Extra{258, 0}
	least, n = 1, 0
	for i := range d {
		if i >= 4 && i%2 == 0 {
			n++
		}
		d[i] = Extra{least, n}
		least += 1 << n
	}
	return l, d
}
