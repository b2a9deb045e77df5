// Package deflate makes the compressed messages that the conformance suite sends
// (RFC 1951, RFC 7692 §7.2.1). [Append] compresses as a good sender does, in a window
// of any size and against any history; it is for messages that are made once and sent
// often, so it is dense rather than fast. A [Writer] makes streams by hand, block by
// block, right or wrong.
//
// It shares nothing with compress/flate or with the DEFLATE of package ws.
//
// A file is a concern:
//
//	deflate.go  a whole message
//	match.go    literals and matches
//	huffman.go  codes for a block
//	writer.go   bits, symbols and blocks
package deflate
