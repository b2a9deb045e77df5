package boltstore

import (
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"framewright/chat"
)

// BenchmarkSends counts sends that are acknowledged, so on the disk, by so many
// senders that each wait for one before the next: all in one room, or each in a
// room of its own.
func BenchmarkSends(b *testing.B) {
	for _, how := range []string{"one room", "own rooms"} {
		for _, senders := range []int{1, 16, 256} {
			b.Run(fmt.Sprintf("%s/%d", how, senders), func(b *testing.B) {
				s, err := Open(filepath.Join(b.TempDir(), "chat.db"), nil)
				if err != nil {
					b.Fatal(err)
				}
				h := chat.New(chat.Options{Store: s})
				defer h.Close()
				text := strings.Repeat("x", 128)
				before := commits(s)
				var n atomic.Int64
				var wg sync.WaitGroup
				b.ResetTimer()
				for i := range senders {
					wg.Go(func() {
						room := "lobby"
						if how == "own rooms" {
							room = fmt.Sprint(i)
						}
						from := chat.Person{ID: fmt.Sprint(i), Name: fmt.Sprint(i)}
						for {
							id := n.Add(1)
							if id > int64(b.N) {
								return
							}
							if _, err := h.Publish(room, from, fmt.Sprint(id), text); err != nil {
								b.Error(err)
								return
							}
						}
					})
				}
				wg.Wait()
				b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "sends/s")
				b.ReportMetric(float64(b.N)/float64(commits(s)-before), "sends/commit")
			})
		}
	}
}
