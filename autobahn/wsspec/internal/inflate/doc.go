// Package inflate is the conformance suite's own inflater (RFC 1951), for the
// messages of permessage-deflate (RFC 7692). It shares nothing with compress/flate
// or with the DEFLATE of package ws, so that no fault of theirs can hide itself.
//
// A [Decoder] reads one direction of one connection. Beside the content it tells
// how the sender made it: which kinds of blocks there were, how far back the
// distances went, and whether a message needed those before it. So a window or a
// context that was agreed on (RFC 7692 §7.1) can be held against what was sent.
//
// A file is a concern:
//
//	decoder.go  the messages, the window, what is measured
//	block.go    the headers of blocks, stored blocks
//	symbols.go  literals and matches
//	table.go    from the lengths of codes to tables
//	errors.go   what can be wrong, and where
package inflate
