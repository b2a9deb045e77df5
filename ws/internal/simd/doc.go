// Package simd has what some processors do to 32 bytes at a time. It is no part of the
// protocol: the loops in package ws say what is right, and are the oracle in its tests.
package simd
