//go:build !purego

#include "textflag.h"

// func utf8AVX2(p *byte, n int, t *utf8Tables) bool
//
// Judges n bytes, a multiple of 32 and not 0, as utf8_amd64.go explains.
TEXT ·utf8AVX2(SB), NOSPLIT, $0-25
	MOVQ           p+0(FP), SI
	MOVQ           n+8(FP), CX
	MOVQ           t+16(FP), DI
	VBROADCASTI128 (DI), Y0    // first: by the high half of the byte before
	VBROADCASTI128 16(DI), Y1  // firstLow: by its low half
	VBROADCASTI128 32(DI), Y2  // second: by the high half of this byte
	VBROADCASTI128 48(DI), Y3  // 0F
	VBROADCASTI128 64(DI), Y4  // E0-80
	VBROADCASTI128 80(DI), Y5  // F0-80
	VBROADCASTI128 96(DI), Y6  // 80
	VPXOR          Y7, Y7, Y7  // the 32 bytes before
	VPXOR          Y8, Y8, Y8  // what was wrong so far

loop:
	VMOVDQU    (SI), Y9
	VPERM2I128 $0x21, Y9, Y7, Y10
	VPALIGNR   $15, Y10, Y9, Y11 // the byte before each
	VPALIGNR   $14, Y10, Y9, Y12 // the one before that
	VPALIGNR   $13, Y10, Y9, Y13
	VMOVDQA    Y9, Y7

	VPSRLW  $4, Y11, Y14
	VPAND   Y3, Y14, Y14
	VPSHUFB Y14, Y0, Y14
	VPAND   Y3, Y11, Y11
	VPSHUFB Y11, Y1, Y11
	VPAND   Y11, Y14, Y14
	VPSRLW  $4, Y9, Y9
	VPAND   Y3, Y9, Y9
	VPSHUFB Y9, Y2, Y9
	VPAND   Y9, Y14, Y14

	VPSUBUSB Y4, Y12, Y12 // 80 and more: two before was E0-FF
	VPSUBUSB Y5, Y13, Y13 // three before was F0-FF
	VPOR     Y12, Y13, Y12
	VPAND    Y6, Y12, Y12
	VPXOR    Y12, Y14, Y14
	VPOR     Y14, Y8, Y8

	ADDQ $32, SI
	SUBQ $32, CX
	JNE  loop

	VPTEST Y8, Y8
	SETEQ  ret+24(FP)
	VZEROUPPER
	RET
