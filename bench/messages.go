//go:build linux

package main

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

var words = strings.Fields(`the of and to in is that for on was with as it be by are this from at or
	have an they which one you were all their there been many some so these would other into has more two
	about time way could people than first water called who now its find long down day did get come made may`)

var names = strings.Fields(`ada grace alan edsger barbara donald margaret tony leslie frances ken radia`)

// messages returns n JSON texts of exactly size bytes that resemble each
// other as those of one application do. They are always the same.
func messages(n, size int) [][]byte {
	r := rand.New(rand.NewPCG(7692, uint64(size)))
	list := make([][]byte, n)
	for i := range list {
		b := []byte(`{"type":"history","room":"general","messages":[`)
		const end = `],"pad":"`
		for {
			e := event(r)
			if len(b)+len(e)+len(end)+4 > size {
				break
			}
			if b[len(b)-1] == '}' {
				b = append(b, ',')
			}
			b = append(b, e...)
		}
		b = append(b, end...)
		for len(b) < size-2 {
			b = append(b, words[r.IntN(len(words))]...)
			b = append(b, ' ')
		}
		list[i] = append(b[:size-2], `"}`...)
	}
	return list
}

func event(r *rand.Rand) string {
	text := make([]string, 6+r.IntN(14))
	for i := range text {
		text[i] = words[r.IntN(len(words))]
	}
	name := names[r.IntN(len(names))]
	return fmt.Sprintf(`{"id":"%016x","user":{"id":%d,"name":"%s"},"time":"2026-11-%02dT%02d:%02d:%02d.%03dZ","text":"%s","likes":%d,"edited":%t}`,
		r.Uint64(), r.IntN(100000), name, 1+r.IntN(28), r.IntN(24), r.IntN(60), r.IntN(60), r.IntN(1000),
		strings.Join(text, " "), r.IntN(50), r.IntN(5) == 0)
}
