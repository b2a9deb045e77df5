package peer

import (
	"net"
	"sync"
)

// raw is the floor: what Go takes for the system calls alone. A goroutine for
// each connection reads into its own buffer and writes what it read.
var raw = Server{
	Name: "raw TCP",
	Raw:  true,
	Echo: func(l net.Listener) error {
		return each(l, func(c net.Conn) {
			defer c.Close()
			copyBack(c, func(b []byte) error {
				_, err := c.Write(b)
				return err
			})
		})
	},
	Broadcast: func(l net.Listener) error {
		var mu sync.Mutex
		all := map[net.Conn]bool{}
		return each(l, func(c net.Conn) {
			mu.Lock()
			all[c] = true
			mu.Unlock()
			defer func() {
				mu.Lock()
				defer mu.Unlock()
				delete(all, c)
				c.Close()
			}()
			copyBack(c, func(b []byte) error {
				mu.Lock()
				defer mu.Unlock()
				for c := range all {
					_, _ = c.Write(b)
				}
				return nil
			})
		})
	},
}

// copyBack begins with 4 KiB and doubles its buffer whenever a read has filled
// it: a long message comes and goes in as few calls as the kernel lets it, and
// an idle connection is not charged for that.
func copyBack(c net.Conn, write func([]byte) error) {
	buf := make([]byte, 4<<10)
	for {
		n, err := c.Read(buf)
		if err != nil || write(buf[:n]) != nil {
			return
		}
		if n == len(buf) && n < 2<<20 {
			buf = make([]byte, 2*n)
		}
	}
}
