package differential

import "framewright/ws/wstest"

// A seed is a stream, in the notation of wstest.ParseHex, and the role of who
// receives it.
type seed struct {
	name    string
	client  bool
	literal string
}

func (s seed) wire() []byte { return wstest.MustHex(s.literal) }

var seeds = []seed{
	{"hello", true, `81 05 'Hello'`},
	{"hello-masked", false, `81 85 37fa213d 7f9f4d5158`},
	{"session", true, `01 02 'ab' 89 01 'p' 00 00 80 01 'c' 82 03 ff00ff 8a 00 88 02 03e9`},
	{"session-masked", false, `01 82 00000000 'ab' 89 81 00000000 'p' 80 81 00000000 'c' 88 82 00000000 03e9`},
	{"close-without-code", true, `88 00`},
	{"close-4000", true, `88 05 0fa0 'bye'`},
	{"row-45-close-1012", true, `88 02 03f4`},
	{"row-45-close-1013", true, `88 02 03f5`},
	{"row-45-close-1014", true, `88 02 03f6`},
	{"row-45-close-1015", true, `88 02 03f7`},
	{"row-45-close-5000", true, `88 02 1388`},
	{"cut-behind-the-header-of-a-ping-inside-a-message", true, `01 02 'ab' 89 05`},
	{"row-31-top-bit-cut-before-the-key", false, `82 ff 8000000000000000`},
	{"row-31-top-bit-on-a-continuation", true, `00 7f 8000000000000000`},
	{"row-31-top-bit-inside-a-message", true, `01 01 "a" 82 7f 8000000000000000`},
	{"row-31-top-bit-inside-a-bad-text", true, `01 01 ff 00 7f 8000000000000000`},
	{"row-32-ping-of-1-in-16-bits-then-close", true, `89 7e 0001 "p" 88 00`},
	{"row-32-ping-of-1-in-16-bits-then-refused", true, `89 7e 0001 "p" ff 00`},
	{"row-32-not-minimal-then-the-top-bit", true, `82 7e 0000 00 7f 8000000000000000`},
	{"row-44-close-of-one-byte", true, `88 01 03`},
	{"row-46-close-reason", true, `88 03 03e8 ff`},
	{"row-25-rsv2-cut", true, `a1 7e 00`},
	{"row-25-rsv2", true, `a1 00`},
	{"row-28-opcode-3-cut", true, `83 7e 00`},
	{"row-28-opcode-3", true, `83 00`},
	{"row-29-unmasked-cut", false, `81 7e 00`},
	{"row-29-unmasked", false, `81 05 'Hello'`},
	{"row-30-masked-cut", true, `81 85 37fa`},
	{"row-31-top-bit", true, `82 7f 8000000000000000`},
	{"row-32-not-minimal", true, `82 7e 0001 'x'`},
	{"row-32-not-minimal-then-close", true, `82 7e 0001 'x' 88 00`},
	{"row-32-not-minimal-then-refused", true, `82 7e 0001 'x' ff 00`},
	{"row-32-not-minimal-then-a-huge-length", true, `82 7e 0000 00 7f a530303030303030`},
	{"row-33-huge", true, `82 7f 7fffffffffffffff`},
	{"row-34-over-the-limit", true, `82 7e 1001`},
	{"row-35-sum-over-the-limit", true, `02 7e 1000 'x'*4096 80 01`},
	{"row-36-continuation-first-cut", true, `80 05 'x'`},
	{"row-36-continuation-first-cut-in-its-header", true, `80 7e 01`},
	{"row-37-text-inside-a-text-cut", true, `01 01 'x' 81 05 'y'`},
	{"row-37-text-inside-a-text-cut-in-its-header", true, `01 01 'x' 81 7e 01`},
	{"row-42-fragmented-ping-cut", false, `09 80 00`},
	{"row-43-ping-of-126-cut", true, `89 7e 00`},
	{"row-53-surrogate", true, `81 03 eda080`},
	{"row-55-cut-off-at-fin", true, `81 02 e282`},
	{"row-57-split-code-point", true, `01 02 f09f 00 01 98 80 01 80`},
	{"row-58-bad-in-the-first-fragment", true, `01 02 'a' ff`},
	{"row-58-then-close", true, `01 02 'a' ff 88 00`},
}
