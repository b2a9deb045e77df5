package room

import (
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"testing/synctest"
	"time"
)

// A pipe holds what it may, makes the writer wait for more, keeps small writes together,
// and gives up in time.
func TestPipe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server := newPipe(4000)
		server.SetWriteDeadline(time.Now().Add(time.Second))
		if n, err := server.Write(make([]byte, 5000)); n != 4000 || !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("5000 bytes into 4000: %d, %v", n, err)
		}
		if waits, max := client.waiting(); waits != 4000 || max != 4000 {
			t.Errorf("%d of %d wait", waits, max)
		}
		server.SetWriteDeadline(time.Time{})
		wrote := make(chan int, 1)
		go func() { n, _ := server.Write(make([]byte, 1000)); wrote <- n }()
		io.ReadFull(client, make([]byte, 900))
		synctest.Wait()
		if waits, _ := client.waiting(); waits != 3100 {
			t.Errorf("a small write was cut: %d wait", waits)
		}
		io.ReadFull(client, make([]byte, 100))
		if n := <-wrote; n != 1000 {
			t.Errorf("wrote %d", n)
		}
		client.SetReadDeadline(time.Now())
		if _, err := client.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("after the deadline: %v", err)
		}
		client.SetReadDeadline(time.Time{})
		server.Close()
		if rest, err := io.ReadAll(client); len(rest) != 4000 || err != nil {
			t.Errorf("after the other end has closed: %d bytes, %v; want the rest", len(rest), err)
		}
		if _, err := client.Write([]byte("x")); !errors.Is(err, io.ErrClosedPipe) {
			t.Errorf("to an end that is closed: %v", err)
		}
		if _, err := server.Read(make([]byte, 1)); !errors.Is(err, net.ErrClosed) {
			t.Errorf("from an end that one has closed: %v", err)
		}
		client.Close()
	})
}

// A gate lets its speed through, exactly, and a change is heeded by who waits.
func TestGate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(50)
		passed := func(d time.Duration) (n int) {
			until := time.Now().Add(d)
			for {
				if wait, _ := g.turn(); wait != 0 {
					if time.Now().Add(wait).After(until) || wait < 0 {
						return n
					}
					time.Sleep(wait)
					continue
				}
				n++
			}
		}
		if n := passed(2 * time.Second); n != 101 {
			t.Errorf("%d in 2 s at 50 a second", n)
		}
		g.set(0)
		done := make(chan error)
		go func() { done <- g.pass(t.Context()) }()
		synctest.Wait()
		select {
		case <-done:
			t.Error("passed at 0 a second")
		default:
		}
		g.set(AsTheyCome)
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

// What is in one set and not in the other, up to a number.
func TestSet(t *testing.T) {
	of := func(ns ...int) (s set) {
		for _, n := range ns {
			s.add(n)
		}
		return s
	}
	for _, tt := range []struct {
		s, t set
		to   int
		want int
	}{
		{of(), of(1), 9, 0},
		{of(1, 2, 3), of(), 2, 2},
		{of(1, 63, 64, 65), of(1), 63, 1},
		{of(1, 63, 64, 65), of(1), 64, 2},
		{of(1, 63, 64, 65), of(1), 1000, 3},
		{of(1, 200), of(1), maxNumber, 1},
		{of(1, 200), of(200, 300), maxNumber, 1},
	} {
		if got := tt.s.without(tt.t, tt.to); got != tt.want {
			t.Errorf("%x without %x up to %d: %d, want %d", tt.s, tt.t, tt.to, got, tt.want)
		}
	}
}
