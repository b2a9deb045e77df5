package micro

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"
)

func TestPerOp(t *testing.T) {
	var sink []*[64]byte
	calls := 0
	ns, allocs := PerOp(time.Millisecond, func() {
		calls++
		sink = append(sink[:0], new([64]byte))
	})
	if calls < 10 || ns <= 0 || allocs < 0.9 || allocs > 2 {
		t.Errorf("%d calls, %v ns and %v allocations each; expected many calls, some time and one allocation", calls, ns, allocs)
	}
}

// Each handshake is done twice, so that what one leaves behind does not hold
// for the next; must panics if one fails.
func TestUpgrades(t *testing.T) {
	for name, f := range Upgrades() {
		t.Run(name, func(t *testing.T) { f(); f() })
	}
}

func BenchmarkUpgrade(b *testing.B) {
	all := Upgrades()
	for _, name := range slices.Sorted(maps.Keys(all)) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				all[name]()
			}
		})
	}
}

func BenchmarkMask(b *testing.B) {
	for _, size := range []int{32, 1 << 10, 64 << 10, 1 << 20} {
		all := Masks(size)
		for _, name := range slices.Sorted(maps.Keys(all)) {
			b.Run(fmt.Sprintf("%s/%d", name, size), func(b *testing.B) {
				b.SetBytes(int64(size))
				for b.Loop() {
					all[name]()
				}
			})
		}
	}
}
