// Package deflate is DEFLATE (RFC 1951) as permessage-deflate uses it (RFC
// 7692 §7.2): messages, each flushed to a byte boundary, in a window of 2^8 to
// 2^15 bytes, with or without the context of the messages before.
//
// The standard library's compress/flate knows neither windows nor messages,
// and a writer whose context is kept costs up to a megabyte. Here a connection
// holds, between messages, nothing but the window itself, and that only where
// the context is kept, and only as large as what has gone through:
//
//	             context kept             no context
//	Compressor   up to 2^bits + 40 bytes  40 bytes
//	Decompressor up to 2^bits + 72 bytes  72 bytes
//
// All else is borrowed from a pool. A Compressor borrows about 140 KiB, 320 KiB
// for a long message (hash tables, sequences, the context and the message side
// by side), for the length of a call. A Decompressor borrows 8 KiB (decoding tables) from the first byte
// of a message until its End, and where no context is kept a window too, which
// grows as it is used.
//
// # Reading it beside RFC 1951
//
//	codes.go         lengths, distances, the order of code lengths (§3.2.5–7)
//	history.go       the window: a ring of the last bytes (§2)
//
//	inflate.go       Decompressor: messages in, the working state
//	inflate_block.go block headers, stored blocks, code lengths (§3.2.3–4, §3.2.7)
//	inflate_data.go  literals and matches, one at a time (§3.2.3)
//	inflate_fast.go  the same, as long as nothing special happens
//	table.go         decoding tables from code lengths (§3.2.2)
//
//	deflate.go       Compressor: messages out, the working state
//	match.go         finding what was there before (§4)
//	quick.go         the same for long messages
//	block.go         which kind of block takes the fewest bits (§3.2.3)
//	header.go        describing the codes of a dynamic block (§3.2.7)
//	huffman.go       code lengths from frequencies, codes from lengths (§3.2.2)
//	bits.go          bits into bytes (§3.1.1), stored blocks, sequences
//
//	plain_test.go    all of inflating once more, a bit at a time: the oracle
//
// # Limits
//
// Matches are at least four bytes long, where DEFLATE has three. A message is
// searched once, quickly; there are no levels. The output is up to a fifth longer
// than compress/flate's at level 6, and takes a quarter to a half of the time.
//
// Neither type may be used by two goroutines at once.
package deflate
