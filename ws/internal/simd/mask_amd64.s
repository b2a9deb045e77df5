//go:build !purego

#include "textflag.h"

// func maskAVX2(p *byte, n int, key uint64)
//
// XORs n bytes, a multiple of 128 and not 0, with the key: what Mask does,
// with 32 bytes an instruction.
TEXT ·maskAVX2(SB), NOSPLIT, $0-24
	MOVQ         p+0(FP), SI
	MOVQ         n+8(FP), CX
	VPBROADCASTQ key+16(FP), Y0

loop:
	VPXOR   (SI), Y0, Y1
	VPXOR   32(SI), Y0, Y2
	VPXOR   64(SI), Y0, Y3
	VPXOR   96(SI), Y0, Y4
	VMOVDQU Y1, (SI)
	VMOVDQU Y2, 32(SI)
	VMOVDQU Y3, 64(SI)
	VMOVDQU Y4, 96(SI)
	ADDQ    $128, SI
	SUBQ    $128, CX
	JNE     loop
	VZEROUPPER
	RET
