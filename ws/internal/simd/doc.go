// Package simd masks, and judges text, many bytes at a time: 32 where the processor can.
// It is no part of the protocol: the loops in package ws say what is right, and are the
// oracle in its tests.
package simd
