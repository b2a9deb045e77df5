// Package deflate is DEFLATE (RFC 1951) as permessage-deflate uses it (RFC
// 7692 §7.2): messages, each flushed to a byte boundary, in a window of 2^8 to
// 2^15 bytes, with or without the context of the messages before.
//
// The standard library's compress/flate knows neither windows nor messages,
// and costs up to a megabyte for each writer whose context is kept. Here a
// connection holds, between messages, nothing but the window itself, and that
// only where the context is kept, and only as large as what has gone through:
//
//	             context kept             no context
//	Compressor   up to 2^bits + 72 bytes  72 bytes
//	Decompressor up to 2^bits + 96 bytes  96 bytes
//
// All else (hash table, tokens, Huffman tables) is borrowed from a pool: by a
// Compressor for the length of a call, by a Decompressor from the first byte
// of a message until its End.
//
// # Reading it beside RFC 1951
//
//	codes.go         lengths, distances, the order of code lengths (§3.2.5–7)
//	history.go       the window: a ring of the last bytes (§2)
//	inflate.go       Decompressor: messages in, the working state
//	inflate_block.go block headers, stored blocks, code lengths (§3.2.3–4, §3.2.7)
//	inflate_data.go  literals and matches, one at a time (§3.2.3)
//	inflate_fast.go  the same, while there is room for no questions
//	table.go         decoding tables from code lengths (§3.2.2)
//	deflate.go       Compressor: messages out, the working state
//	match.go         finding what was there before (§4)
//	block.go         which kind of block costs least, and writing it (§3.2.3–7)
//	huffman.go       code lengths from frequencies, codes from lengths (§3.2.2)
//	bits.go          bits into bytes (§3.1.1)
//
// Neither type may be used by two goroutines at once.
package deflate
