package wsspec

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"strings"
	"sync"
	"time"
)

const (
	maxArrivals = 256              // connections whose request is being read, or that are being played
	requestTime = 10 * time.Second // in which a request has to come
)

// acceptAll reads the request of every connection to l and calls serve with it,
// each on a goroutine of its own. When ctx ends, l is closed; when all have ended,
// the channel is.
func acceptAll(ctx context.Context, l net.Listener, serve func(context.Context, arrival)) <-chan struct{} {
	done := make(chan struct{})
	stop := context.AfterFunc(ctx, func() { l.Close() })
	places := make(chan struct{}, maxArrivals)
	go func() {
		defer close(done)
		defer stop()
		defer l.Close()
		var wg sync.WaitGroup
		defer wg.Wait()
		for {
			conn, err := l.Accept()
			if err != nil {
				if ctx.Err() != nil || !temporary(ctx, err) {
					return
				}
				continue
			}
			places <- struct{}{}
			wg.Go(func() {
				defer func() { <-places }()
				if a, ok := readArrival(ctx, conn); ok {
					serve(ctx, a)
				}
			})
		}
	}()
	return done
}

// temporary waits a moment after an error of Accept that may pass, such as too many
// open files.
func temporary(ctx context.Context, err error) bool {
	if ne, ok := err.(interface{ Temporary() bool }); !ok || !ne.Temporary() {
		return false
	}
	select {
	case <-ctx.Done():
		return false
	case <-time.After(50 * time.Millisecond):
		return true
	}
}

// readArrival reads the head of a request. It closes a connection without one.
func readArrival(ctx context.Context, conn net.Conn) (arrival, bool) {
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	conn.SetReadDeadline(time.Now().Add(requestTime))
	b := make([]byte, 0, 4096)
	for {
		n, err := conn.Read(b[len(b):cap(b)])
		b = b[:len(b)+n]
		if i := bytes.Index(b, []byte("\r\n\r\n")); i >= 0 {
			conn.SetReadDeadline(time.Time{})
			return arrival{conn, b[: i+4 : i+4], b[i+4:]}, true
		}
		if err != nil {
			conn.Close()
			return arrival{}, false
		}
		if len(b) > maxHead {
			refuse(conn, "431 Request Header Fields Too Large", "a request of more than 64 KiB")
			return arrival{}, false
		}
		if len(b) == cap(b) {
			b = append(make([]byte, 0, 2*cap(b)), b...)
		}
	}
}

// requestPath is the target in a request's first line.
func requestPath(head []byte) string {
	first, _, _ := strings.Cut(string(head), "\r\n")
	f := strings.Fields(first)
	if len(f) != 3 {
		return ""
	}
	return f[1]
}

// refuse answers a request that is for nobody, and closes.
func refuse(conn net.Conn, status, why string) {
	conn.SetDeadline(time.Now().Add(time.Second))
	fmt.Fprintf(conn, "HTTP/1.1 %s\r\nConnection: close\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: %d\r\n\r\n%s\n", status, len(why)+1, why)
	conn.Close()
}
