// Package inflate explains DEFLATE (RFC 1951) as permessage-deflate sends it (RFC 7692
// §7.2.2): which blocks a compressed message has, which of its bytes stand there as
// literals, and which are copied from what came before, in this message or in those whose
// window is kept (§7.1.1).
//
// It is written to be read beside RFC 1951, and takes a bit at a time. What a connection
// inflates with is package ws's own, which is many times as fast; FuzzExplain holds that
// they, and the standard library's compress/flate, come to the same bytes and refuse the
// same messages.
//
//	inflate.go  a message: its blocks, tokens and content
//	block.go    blocks of each type, and the tokens in them (§3.2.3–7)
//	codes.go    codes from their lengths, lengths and distances (§3.2.2, §3.2.5–7)
//	words.go    a message in a line
//	bits.go     bits from bytes (§3.1.1)
package inflate
