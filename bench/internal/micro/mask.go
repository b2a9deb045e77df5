package micro

import (
	gobwas "github.com/gobwas/ws"

	"framewright/ws"
)

// Masks returns what masks size bytes in place, and a copy of as many for
// comparison. gorilla, coder and gws export no such function.
func Masks(size int) map[string]func() {
	b, other := make([]byte, size), make([]byte, size)
	key := [4]byte{0x37, 0xfa, 0x21, 0x3d}
	return map[string]func(){
		"copy":        func() { copy(other, b) },
		"framewright": func() { ws.Mask(b, key, 0) },
		"gobwas":      func() { gobwas.Cipher(b, key, 0) },
	}
}
